//! Key performance indicators: what is measured, what is aimed at, what is critical.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::GateError;

/// Which way is better.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Better {
    /// Times, sizes.
    Lower,
    /// Rates, shares.
    Higher,
}

/// A KPI as it stands in `benches/kpis.toml`.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct KpiSpec {
    /// Name in records.
    pub name: String,
    /// Name in tables.
    pub title: String,
    /// Unit of the value and both thresholds.
    pub unit: String,
    /// Which way is better.
    pub better: Better,
    /// What is aimed at.
    pub target: Option<f64>,
    /// Beyond this the verdict is bad.
    pub critical: Option<f64>,
    /// For memory on a machine with less than the thresholds: the shares of its memory that take
    /// their place.
    pub share_of_memory: Option<Shares>,
}

/// Thresholds as shares of the machine's memory.
#[derive(Debug, Clone, Copy, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Shares {
    /// Share that is aimed at.
    pub target: f64,
    /// Share that is critical.
    pub critical: f64,
}

/// How a value stands to its thresholds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Status {
    /// At or better than the target, or measured without one.
    Ok,
    /// Between target and critical.
    Warn,
    /// Beyond critical.
    Critical,
    /// Not measured here.
    NotAvailable,
}

/// A KPI, measured.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Kpi {
    /// Name in records.
    pub name: String,
    /// Name in tables.
    pub title: String,
    /// The value; `None` where it is not available.
    pub value: Option<f64>,
    /// Unit of the value and both thresholds.
    pub unit: String,
    /// Which way is better.
    pub better: Better,
    /// What is aimed at.
    pub target: Option<f64>,
    /// Beyond this the verdict is bad.
    pub critical: Option<f64>,
    /// How the value stands.
    pub status: Status,
    /// Share of the probe's ceiling, where one bounds it.
    pub of_ceiling: Option<f64>,
    /// Why it is not available.
    pub why: Option<String>,
    /// Every repeat, in the order measured.
    pub samples: Vec<f64>,
}

/// What was measured for one KPI.
#[derive(Debug, Clone, PartialEq)]
pub enum Measured {
    /// Every repeat; the median is the value.
    Samples(Vec<f64>),
    /// Nothing, and why.
    NotAvailable(String),
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    kpi: Vec<KpiSpec>,
}

/// Reads `[[kpi]]` tables.
///
/// # Errors
/// [`GateError::Kpis`] with line and column.
pub fn parse(text: &str) -> Result<Vec<KpiSpec>, GateError> {
    Ok(toml::from_str::<File>(text)?.kpi)
}

impl KpiSpec {
    /// Judges what was measured on a machine of `memory_gb`.
    #[must_use]
    pub fn judge(&self, measured: Measured, of_ceiling: Option<f64>, memory_gb: f64) -> Kpi {
        let (samples, why) = match measured {
            Measured::Samples(samples) => (samples, None),
            Measured::NotAvailable(why) => (Vec::new(), Some(why)),
        };
        let value = median(&samples);
        let (target, critical) = self.thresholds(memory_gb);
        Kpi {
            name: self.name.clone(),
            title: self.title.clone(),
            value,
            unit: self.unit.clone(),
            better: self.better,
            target,
            critical,
            status: value.map_or(Status::NotAvailable, |v| self.status(v, target, critical)),
            of_ceiling,
            why,
            samples,
        }
    }

    /// On a machine with less memory than the thresholds, shares of what it has.
    fn thresholds(&self, memory_gb: f64) -> (Option<f64>, Option<f64>) {
        match self.share_of_memory {
            Some(shares) => {
                let lower = |threshold: Option<f64>, share: f64| {
                    threshold.map(|threshold| threshold.min(share * memory_gb))
                };
                (lower(self.target, shares.target), lower(self.critical, shares.critical))
            }
            None => (self.target, self.critical),
        }
    }

    fn status(&self, value: f64, target: Option<f64>, critical: Option<f64>) -> Status {
        let is_beyond = |threshold: f64| match self.better {
            Better::Lower => value > threshold,
            Better::Higher => value < threshold,
        };
        if critical.is_some_and(is_beyond) {
            Status::Critical
        } else if target.is_some_and(is_beyond) {
            Status::Warn
        } else {
            Status::Ok
        }
    }
}

/// The middle value, or the mean of the middle two.
#[must_use]
pub fn median(samples: &[f64]) -> Option<f64> {
    let mut sorted = samples.to_vec();
    sorted.sort_by(f64::total_cmp);
    let middle = sorted.len() / 2;
    if sorted.len() % 2 == 1 {
        Some(sorted[middle])
    } else {
        Some((sorted.get(middle.checked_sub(1)?)? + sorted[middle]) / 2.0)
    }
}

impl fmt::Display for Status {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Ok => "ok",
            Self::Warn => "warn",
            Self::Critical => "CRITICAL",
            Self::NotAvailable => "not available",
        })
    }
}

/// A number with as many digits as say something: 0.00123, 12.3, 4570.
#[must_use]
pub fn digits(value: f64) -> String {
    let magnitude = value.abs().log10().floor();
    let decimals = if value == 0.0 { 0.0 } else { (2.0 - magnitude).clamp(0.0, 9.0) };
    format!("{value:.*}", decimals as usize)
}

/// The KPI table in markdown.
#[must_use]
pub fn markdown(kpis: &[Kpi]) -> String {
    let head = "| KPI | value | target | critical | of ceiling | status |\n|---|---:|---:|---:|---:|---|\n";
    kpis.iter().fold(head.to_owned(), |table, kpi| {
        let [value, target, critical, ceiling] = cells(kpi);
        let status = match &kpi.why {
            Some(why) => format!("{}: {why}", kpi.status),
            None => kpi.status.to_string(),
        };
        table
            + &format!(
                "| {} | {value} | {target} | {critical} | {ceiling} | {status} |\n",
                kpi.title
            )
    })
}

/// The KPI table for a terminal.
#[must_use]
pub fn table(kpis: &[Kpi]) -> String {
    let head = ["KPI", "value", "target", "critical", "of ceiling"].map(str::to_owned);
    let rows: Vec<[String; 5]> = kpis
        .iter()
        .map(|kpi| {
            let [value, target, critical, ceiling] = cells(kpi);
            [kpi.title.clone(), value, target, critical, ceiling]
        })
        .collect();
    let width = |at: usize| {
        rows.iter().map(|row| row[at].chars().count()).chain([head[at].len()]).max().unwrap_or(0)
    };
    let widths: [usize; 5] = std::array::from_fn(width);
    let line = |cells: &[String; 5], status: &str| {
        let [w0, w1, w2, w3, w4] = widths;
        let [a, b, c, d, e] = cells;
        format!("{a:<w0$}  {b:>w1$}  {c:>w2$}  {d:>w3$}  {e:>w4$}  {status}\n")
    };
    rows.iter().zip(kpis).fold(line(&head, "status"), |table, (row, kpi)| {
        let why = kpi.why.as_ref().map_or_else(String::new, |why| format!(": {why}"));
        table + &line(row, &format!("{}{why}", kpi.status))
    })
}

impl Kpi {
    /// Value, target, critical and share of the ceiling, as text.
    pub(crate) fn cells(&self) -> [String; 4] {
        cells(self)
    }
}

fn cells(kpi: &Kpi) -> [String; 4] {
    let sign = match kpi.better {
        Better::Lower => ["<", ">"],
        Better::Higher => [">", "<"],
    };
    let dash = || "-".to_owned();
    let threshold = |value: Option<f64>, sign: &str| {
        value.map_or_else(dash, |value| format!("{sign} {}", digits(value)))
    };
    // A share cannot exceed all of it.
    let is_all = kpi.unit == "%" && kpi.target == Some(100.0);
    [
        kpi.value.map_or_else(dash, |value| {
            format!("{} {}", digits(value), kpi.unit).trim_end().to_owned()
        }),
        if is_all { "100".to_owned() } else { threshold(kpi.target, sign[0]) },
        threshold(kpi.critical, sign[1]),
        kpi.of_ceiling.map_or_else(dash, |share| format!("{:.0} %", share * 100.0)),
    ]
}

#[cfg(test)]
mod tests {
    use super::*;

    fn spec(better: Better) -> KpiSpec {
        let (target, critical) = if better == Better::Lower { (5.0, 10.0) } else { (10.0, 5.0) };
        KpiSpec {
            name: "k".to_owned(),
            title: "K".to_owned(),
            unit: "s".to_owned(),
            better,
            target: Some(target),
            critical: Some(critical),
            share_of_memory: None,
        }
    }

    fn status(better: Better, value: f64) -> Status {
        spec(better).judge(Measured::Samples(vec![value]), None, 1.0).status
    }

    #[test]
    fn thresholds_decide() {
        use Better::{Higher, Lower};
        assert_eq!(
            [4.0, 5.0, 7.0, 11.0].map(|v| status(Lower, v)),
            [Status::Ok, Status::Ok, Status::Warn, Status::Critical]
        );
        assert_eq!(
            [11.0, 7.0, 4.0].map(|v| status(Higher, v)),
            [Status::Ok, Status::Warn, Status::Critical]
        );
        let missing = spec(Lower).judge(Measured::NotAvailable("no disk".into()), None, 1.0);
        assert_eq!((missing.status, missing.value), (Status::NotAvailable, None));
    }

    #[test]
    fn memory_thresholds_shrink_with_the_machine() {
        let mut memory = spec(Better::Lower);
        memory.target = Some(32.0);
        memory.critical = Some(64.0);
        memory.share_of_memory = Some(Shares { target: 0.25, critical: 0.5 });
        let on = |gb: f64| {
            let kpi = memory.judge(Measured::Samples(vec![1.0]), None, gb);
            (kpi.target, kpi.critical)
        };
        assert_eq!(on(24.0), (Some(6.0), Some(12.0)));
        assert_eq!(on(512.0), (Some(32.0), Some(64.0)));
    }

    #[test]
    fn mistakes_are_named_with_their_line() {
        let error = parse("[[kpi]]\nname = \"x\"\nbetter = \"more\"\n").unwrap_err().to_string();
        assert!(error.contains("line 3"), "{error}");
    }

    #[test]
    fn numbers_keep_three_digits() {
        assert_eq!([0.001234, 0.0, 12.345, 4570.4].map(digits), ["0.00123", "0", "12.3", "4570"]);
        assert_eq!(median(&[3.0, 1.0, 2.0]), Some(2.0));
        assert_eq!(median(&[1.0, 2.0]), Some(1.5));
        assert_eq!(median(&[]), None);
    }
}
