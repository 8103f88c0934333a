//! A run record in the forms that other programs read.
//!
//! ```
//! use perf_gate::export::{Format, export};
//! use perf_gate::{RunRecord, SCHEMA};
//!
//! let record = RunRecord {
//!     schema: SCHEMA.to_owned(),
//!     machine: hw_probe::machine(),
//!     commit: None,
//!     dirty: None,
//!     version: "1.0.0".to_owned(),
//!     command: Vec::new(),
//!     started_at: "2026-01-31T12:00:00Z".to_owned(),
//!     kpis: Vec::new(),
//!     probe: None,
//!     kernels: Vec::new(),
//!     alerts: None,
//!     quality: None,
//! };
//! assert!(export(&record, Format::OpenMetrics).ends_with("# EOF\n"));
//! ```

mod bencher;
mod csv;
mod github;
mod openmetrics;

use std::str::FromStr;

use crate::RunRecord;

/// A form that another program reads.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Format {
    /// Bencher Metric Format, <https://bencher.dev/docs/reference/bencher-metric-format>.
    Bencher,
    /// github-action-benchmark's `customSmallerIsBetter`: what is better when higher is left out.
    GithubActionBenchmark,
    /// OpenMetrics 1.0, for a textfile collector or a push.
    OpenMetrics,
    /// A table with a row per KPI, RFC 4180.
    Csv,
}

impl FromStr for Format {
    type Err = String;

    fn from_str(name: &str) -> Result<Self, String> {
        match name {
            "bencher" => Ok(Self::Bencher),
            "github-action-benchmark" => Ok(Self::GithubActionBenchmark),
            "openmetrics" => Ok(Self::OpenMetrics),
            "csv" => Ok(Self::Csv),
            _ => Err("expected bencher, github-action-benchmark, openmetrics or csv".to_owned()),
        }
    }
}

/// `record` in `format`. KPIs that are not available are left out, of CSV excepted.
#[must_use]
pub fn export(record: &RunRecord, format: Format) -> String {
    match format {
        Format::Bencher => bencher::text(record),
        Format::GithubActionBenchmark => github::text(record),
        Format::OpenMetrics => openmetrics::text(record),
        Format::Csv => csv::text(record),
    }
}

/// Least and most of the samples.
fn range(samples: &[f64]) -> Option<[f64; 2]> {
    let least = samples.iter().copied().reduce(f64::min)?;
    Some([least, samples.iter().copied().reduce(f64::max)?])
}

#[cfg(test)]
mod tests;
