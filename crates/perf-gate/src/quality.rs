//! Figures of the code's quality, beside those of its speed: `redline.quality/1`.
//!
//! ```json
//! {"schema": "redline.quality/1", "commit": "1d0c2c1", "date": "2026-11-28", "figures": [
//!   {"name": "Line coverage", "value": 91.2, "unit": "%", "better": "higher", "target": 80, "ok": true, "why": null}]}
//! ```
//!
//! `scripts/quality --json FILE` writes one. `value` is `null` where a figure could not be had, and `why`
//! says why; `target` and `ok` are `null` where nothing is aimed at.

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
    /// The commit that was measured; empty where nobody noted it.
    #[serde(default)]
    pub commit: String,
    /// The day of the measurement, as 2026-11-28; empty where nobody noted it.
    #[serde(default)]
    pub date: String,
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
    /// Which way is better.
    pub better: Better,
    /// What is aimed at.
    #[serde(default)]
    pub target: Option<f64>,
    /// Whether it is met.
    #[serde(default)]
    pub ok: Option<bool>,
    /// Why there is no value, or what is wrong.
    #[serde(default)]
    pub why: Option<String>,
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

    /// When and at which commit, as the end of a sentence; empty where nobody noted it.
    pub(crate) fn measured(&self) -> String {
        let part = |lead: &str, text: &str| match text {
            "" => String::new(),
            text => format!("{lead}{text}"),
        };
        part(" on ", &self.date) + &part(" at commit ", &self.commit)
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
            (_, Some(false)) => Status::Warn,
            (None, _) => Status::NotAvailable,
            _ => Status::Ok,
        };
        Kpi {
            name: self.name.clone(),
            title: self.name.clone(),
            value: self.value,
            unit: self.unit.clone(),
            better: self.better,
            target: self.target,
            critical: None,
            status,
            of_ceiling: None,
            why: self
                .why
                .clone()
                .or_else(|| self.value.is_none().then(|| "not measured".to_owned())),
            samples: self.value.into_iter().collect(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn status(value: Option<f64>, ok: bool) -> Status {
        let figure = QualityFigure {
            name: "coverage".to_owned(),
            value,
            unit: "%".to_owned(),
            better: Better::Higher,
            target: Some(90.0),
            ok: Some(ok),
            why: None,
        };
        figure.kpi().status
    }

    #[test]
    fn a_missed_target_warns_and_a_missing_value_is_not_available() {
        assert_eq!(status(Some(95.0), true), Status::Ok);
        assert_eq!(status(Some(85.0), false), Status::Warn);
        // It was to be had, and was not: a test failed.
        assert_eq!(status(None, false), Status::Warn);
    }

    #[test]
    fn what_the_script_wrote_of_this_repository_can_be_read() {
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
        let quality = Quality::read(&root.join("benches/record/quality.json")).unwrap();
        let kpis = quality.kpis();
        let names = ["Line coverage", "Cognitive complexity, highest", "Documented public items"];
        for name in names {
            let kpi = kpis.iter().find(|kpi| kpi.name == name);
            assert_eq!(kpi.map(|kpi| kpi.status), Some(Status::Ok), "{name}: {kpi:?}");
        }
        assert!(!quality.commit.is_empty() && !quality.date.is_empty());
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
            r#"{"schema":"redline.quality/1","figures":[{"name":"x","value":1,"better":"lower"}]}"#,
        )
        .unwrap();
        let quality = Quality::read(&path).unwrap();
        assert_eq!(quality.kpis()[0].status, Status::Ok);
    }
}
