//! What a file of bars holds.

use std::fmt;
use std::path::Path;

use serde::Serialize;

use crate::chart::Chart;
use crate::{Bars, DataError, LoadOptions, defects, load};

/// Shape, time range, gaps and defects of a file.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Inspection {
    /// Number of rows.
    pub rows: usize,
    /// First timestamp, RFC 3339.
    pub first: Option<String>,
    /// Last timestamp, RFC 3339.
    pub last: Option<String>,
    /// Most common distance of two timestamps, in nanoseconds.
    pub step_ns: Option<i64>,
    /// Places where bars are missing.
    pub gaps: usize,
    /// Bars missing there in all.
    pub missing_bars: i64,
    /// Bars missing in the longest gap.
    pub longest_gap_bars: i64,
    /// Rows with a defect.
    pub defects: usize,
    /// The first of them.
    pub first_defect: Option<String>,
    /// Lowest low.
    pub low: Option<f64>,
    /// Highest high.
    pub high: Option<f64>,
    /// Price over time, and where bars are missing.
    #[serde(skip)]
    pub chart: Chart,
}

/// Reads the whole file and counts; defects are counted, not refused.
///
/// # Errors
/// [`DataError`] where the file cannot be read.
pub fn inspect(path: &Path) -> Result<Inspection, DataError> {
    let bars = load::read(path, &LoadOptions::default(), Bars::default())?;
    let steps: Vec<i64> =
        bars.timestamp.windows(2).map(|pair| pair[1].saturating_sub(pair[0])).collect();
    let mut sorted = steps.clone();
    sorted.sort_unstable();
    let step = sorted.get(sorted.len() / 2).copied().filter(|&step| step > 0);
    let missing = |distance: &i64| step.map_or(0, |step| distance / step - 1);
    let gaps: Vec<i64> = steps.iter().map(missing).filter(|&bars| bars > 0).collect();
    let mut wrong = defects(bars.view());
    let first_defect = wrong.next();
    let extreme = |values: &[f64], pick: fn(f64, f64) -> f64| {
        values.iter().copied().filter(|v| v.is_finite()).reduce(pick)
    };
    Ok(Inspection {
        rows: bars.len(),
        first: bars.timestamp.first().and_then(|&ns| time(ns)),
        last: bars.timestamp.last().and_then(|&ns| time(ns)),
        step_ns: step,
        gaps: gaps.len(),
        missing_bars: gaps.iter().sum(),
        longest_gap_bars: gaps.iter().copied().max().unwrap_or(0),
        defects: usize::from(first_defect.is_some()) + wrong.count(),
        first_defect: first_defect.map(|(row, defect)| format!("row {}: {defect}", row + 1)),
        low: extreme(&bars.low, f64::min),
        high: extreme(&bars.high, f64::max),
        chart: Chart::of(bars.view(), step),
    })
}

fn time(ns: i64) -> Option<String> {
    Some(jiff::Timestamp::from_nanosecond(i128::from(ns)).ok()?.to_string())
}

impl fmt::Display for Inspection {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let dash = || "-".to_owned();
        let step = self.step_ns.map_or_else(dash, |ns| format!("{} s", ns as f64 / 1e9));
        writeln!(f, "rows     {}", self.rows)?;
        writeln!(f, "first    {}", self.first.clone().unwrap_or_else(dash))?;
        writeln!(f, "last     {}", self.last.clone().unwrap_or_else(dash))?;
        writeln!(f, "step     {step}")?;
        let (low, high) = (self.low.unwrap_or(f64::NAN), self.high.unwrap_or(f64::NAN));
        writeln!(f, "price    {low} to {high}")?;
        writeln!(
            f,
            "gaps     {} ({} bars missing, {} in the longest)",
            self.gaps, self.missing_bars, self.longest_gap_bars
        )?;
        let first =
            self.first_defect.as_ref().map_or_else(String::new, |d| format!(", first: {d}"));
        writeln!(f, "defects  {}{first}", self.defects)?;
        write!(f, "{}", self.chart)
    }
}
