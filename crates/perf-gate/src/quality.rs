//! Figures of the code's quality, beside those of its speed: `redline.quality/1`.
//!
//! ```json
//! {"schema": "redline.quality/1", "figures": [
//!   {"name": "Lines covered by tests", "value": 91.2, "unit": "%", "target": 90, "ok": true}]}
//! ```
//!
//! `value` is `null` where a figure could not be had here, `target` and `ok` where none is aimed at.

use std::path::Path;

use serde::{Deserialize, Serialize};

use crate::record::read_document;
use crate::{Better, GateError, Kpi, Status};

/// The schema that this version reads.
pub const QUALITY_SCHEMA: &str = "redline.quality/1";

/// A document of quality.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Quality {
    /// [`QUALITY_SCHEMA`].
    pub schema: String,
    /// In the order in which they are shown.
    pub figures: Vec<QualityFigure>,
}

/// One figure.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct QualityFigure {
    /// What it is, in words.
    pub name: String,
    /// The value; `None` where it could not be had.
    pub value: Option<f64>,
    /// Unit of the value and the target; empty for a count.
    #[serde(default)]
    pub unit: String,
    /// What is aimed at.
    #[serde(default)]
    pub target: Option<f64>,
    /// Whether it is met.
    #[serde(default)]
    pub ok: Option<bool>,
}

impl Quality {
    /// Reads a document; fields that this version does not know are passed over.
    ///
    /// # Errors
    /// [`GateError::Io`], [`GateError::Schema`] for another document, [`GateError::Document`] for
    /// one that cannot be read.
    pub fn read(path: &Path) -> Result<Self, GateError> {
        read_document(path, QUALITY_SCHEMA)
    }

    /// The figures as rows of the KPI table.
    #[must_use]
    pub fn kpis(&self) -> Vec<Kpi> {
        self.figures.iter().map(QualityFigure::kpi).collect()
    }
}

impl QualityFigure {
    /// As a row of the KPI table: short of its target it is a warning, never critical.
    fn kpi(&self) -> Kpi {
        let status = match (self.value, self.ok) {
            (None, _) => Status::NotAvailable,
            (_, Some(false)) => Status::Warn,
            _ => Status::Ok,
        };
        Kpi {
            name: self.name.clone(),
            title: self.name.clone(),
            value: self.value,
            unit: self.unit.clone(),
            better: self.better(),
            // Without a value nobody can say on which side of it the figure should be.
            target: self.target.filter(|_| self.value.is_some()),
            critical: None,
            status,
            of_ceiling: None,
            why: self.value.is_none().then(|| "not measured".to_owned()),
            samples: self.value.into_iter().collect(),
        }
    }

    /// Which way is better follows from the verdict: the document does not say it.
    fn better(&self) -> Better {
        let is_above = self.value >= self.target;
        if is_above == self.ok.unwrap_or(true) { Better::Higher } else { Better::Lower }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn figure(value: Option<f64>, target: f64, ok: bool) -> QualityFigure {
        QualityFigure {
            name: "coverage".to_owned(),
            value,
            unit: "%".to_owned(),
            target: Some(target),
            ok: Some(ok),
        }
    }

    #[test]
    fn the_verdict_says_which_way_is_better() {
        let better = |value, target, ok| figure(Some(value), target, ok).better();
        assert_eq!([better(91.0, 90.0, true), better(80.0, 90.0, false)], [Better::Higher; 2]);
        assert_eq!([better(7.0, 10.0, true), better(12.0, 10.0, false)], [Better::Lower; 2]);
    }

    #[test]
    fn a_missed_target_warns_and_a_missing_value_is_not_available() {
        let status = |value, ok| figure(value, 90.0, ok).kpi().status;
        assert_eq!(status(Some(95.0), true), Status::Ok);
        assert_eq!(status(Some(85.0), false), Status::Warn);
        assert_eq!(status(None, false), Status::NotAvailable);
    }

    #[test]
    fn another_document_is_refused_by_name() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("quality.json");
        std::fs::write(&path, r#"{"schema":"redline.suite/1","figures":[]}"#).unwrap();
        let said = Quality::read(&path).unwrap_err().to_string();
        assert!(said.contains("quality.json") && said.contains("redline.quality/1"), "{said}");
        std::fs::write(
            &path,
            r#"{"schema":"redline.quality/1","figures":[{"name":"x","value":1}]}"#,
        )
        .unwrap();
        let quality = Quality::read(&path).unwrap();
        assert_eq!(quality.kpis()[0].status, Status::Ok);
    }
}
