//! A metric over stored records: its course, where it changed, and with which commit.
//!
//! ```
//! use perf_gate::{Measured, RunRecord, SCHEMA, history::history, parse_kpis};
//!
//! let kpis = parse_kpis("[[kpi]]\nname = 'load'\ntitle = 'Load'\nunit = 's'\nbetter = 'lower'")?;
//! // Ten runs of about 1 s, then ten of about 2.
//! let record = |day: usize| RunRecord {
//!     schema: SCHEMA.to_owned(),
//!     machine: hw_probe::machine(),
//!     commit: Some(format!("commit of day {day}")),
//!     dirty: Some(false),
//!     version: "1.0.0".to_owned(),
//!     command: Vec::new(),
//!     started_at: format!("2026-01-{day:02}T12:00:00Z"),
//!     kpis: {
//!         let seconds = if day <= 10 { 1.0 } else { 2.0 } + day as f64 * 1e-3;
//!         vec![kpis[0].judge(Measured::Samples(vec![seconds]), None, 16.0)]
//!     },
//!     probe: None,
//!     kernels: Vec::new(),
//!     alerts: None,
//!     quality: None,
//! };
//! let records: Vec<RunRecord> = (1..=20).map(record).collect();
//! let change = &history(&records)[0].changes[0];
//! assert!(change.is_worse);
//! assert_eq!(change.first_after.as_deref(), Some("commit of day 11"));
//! # Ok::<(), perf_gate::GateError>(())
//! ```

mod divisive;

use std::fmt;

use serde::Serialize;

use crate::kpi::digits;
use crate::{Better, RunRecord, median};

/// A smaller change is none that anybody must be told of.
const MINIMUM_EFFECT_PERCENT: f64 = 3.0;
/// The newest records that are looked at: the search is quadratic.
const RECORDS: usize = 300;

/// One metric in one record.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Point {
    /// Start of the run, RFC 3339.
    pub started_at: String,
    /// Commit of the work tree, where it was one.
    pub commit: Option<String>,
    /// The value.
    pub value: f64,
    /// Share of the machine's ceiling: what can be read across machines.
    pub of_ceiling: Option<f64>,
}

/// A level that became another.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct ChangePoint {
    /// Index of the first point of the new level.
    pub at: usize,
    /// Median of the level before.
    pub before: f64,
    /// Median of the level after.
    pub after: f64,
    /// Change in percent of the level before.
    pub change_percent: f64,
    /// How often a series without order would show as clear a change.
    pub p_value: f64,
    /// Whether it is for the worse.
    pub is_worse: bool,
    /// Commit of the last record of the old level.
    pub last_before: Option<String>,
    /// Commit of the first record of the new level.
    pub first_after: Option<String>,
}

/// The course of one metric on one machine.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Course {
    /// Name of the metric.
    pub metric: String,
    /// Its unit.
    pub unit: String,
    /// Which way is better.
    pub better: Better,
    /// Fingerprint of the machine.
    pub machine: String,
    /// Oldest first.
    pub points: Vec<Point>,
    /// In the order of time.
    pub changes: Vec<ChangePoint>,
}

/// The course of every metric on every machine of `records`, the newest 300 of each; the machines in
/// the order of their first record, the metrics in that of the newest record.
#[must_use]
pub fn history(records: &[RunRecord]) -> Vec<Course> {
    let mut sorted: Vec<&RunRecord> = records.iter().collect();
    sorted.sort_by(|a, b| a.started_at.cmp(&b.started_at));
    let mut machines: Vec<&str> = Vec::new();
    for record in &sorted {
        let machine = record.machine.fingerprint.as_str();
        if !machines.contains(&machine) {
            machines.push(machine);
        }
    }
    let of = |machine: &&str| {
        let mut records = sorted.clone();
        records.retain(|record| record.machine.fingerprint == *machine);
        let oldest = records.len().saturating_sub(RECORDS);
        courses(machine, &records[oldest..])
    };
    machines.iter().flat_map(of).collect()
}

fn courses(machine: &str, records: &[&RunRecord]) -> Vec<Course> {
    let Some(newest) = records.last() else { return Vec::new() };
    let course = |kpi: &crate::Kpi| {
        let point = |record: &&RunRecord| {
            let kpi = record.kpis.iter().find(|other| other.name == kpi.name)?;
            Some(Point {
                started_at: record.started_at.clone(),
                commit: record.commit.clone(),
                value: kpi.value?,
                of_ceiling: kpi.of_ceiling,
            })
        };
        let points: Vec<Point> = records.iter().filter_map(point).collect();
        let changes = changes(&points, kpi.better);
        Course {
            metric: kpi.name.clone(),
            unit: kpi.unit.clone(),
            better: kpi.better,
            machine: machine.to_owned(),
            points,
            changes,
        }
    };
    newest.kpis.iter().map(course).filter(|course| !course.points.is_empty()).collect()
}

fn changes(points: &[Point], better: Better) -> Vec<ChangePoint> {
    let values: Vec<f64> = points.iter().map(|point| point.value).collect();
    let splits = divisive::splits(&values);
    let ends: Vec<usize> = splits.iter().map(|split| split.at).chain([values.len()]).collect();
    let mut from = 0;
    let mut changes = Vec::new();
    for (split, end) in splits.iter().zip(&ends[1..]) {
        let at = split.at;
        let (before, after) = (median(&values[from..at]), median(&values[at..*end]));
        from = at;
        let Some((before, after)) = before.zip(after) else { continue };
        let change_percent = (after / before - 1.0) * 100.0;
        if change_percent.abs() < MINIMUM_EFFECT_PERCENT {
            continue;
        }
        changes.push(ChangePoint {
            at,
            before,
            after,
            change_percent,
            p_value: split.p_value,
            is_worse: (change_percent > 0.0) == (better == Better::Lower),
            last_before: points[at - 1].commit.clone(),
            first_after: points[at].commit.clone(),
        });
    }
    changes
}

impl Course {
    /// The values as a line of blocks, lowest to highest.
    #[must_use]
    pub fn spark(&self) -> String {
        const BLOCKS: [char; 8] = ['▁', '▂', '▃', '▄', '▅', '▆', '▇', '█'];
        let newest = self.points.len().saturating_sub(40);
        let values = || self.points[newest..].iter().map(|point| point.value);
        let (low, high) =
            (values().fold(f64::INFINITY, f64::min), values().fold(f64::NEG_INFINITY, f64::max));
        let block = |value: f64| {
            let share = if high > low { (value - low) / (high - low) } else { 0.5 };
            BLOCKS[((share * 7.0).round() as usize).min(7)]
        };
        values().map(block).collect()
    }
}

impl fmt::Display for Course {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Some(last) = self.points.last() else { return Ok(()) };
        let value = format!("{} {}", digits(last.value), self.unit);
        let share = last.of_ceiling.map(|share| format!("{:.0} % of ceiling", share * 100.0));
        let share = share.unwrap_or_default();
        let count = self.points.len();
        writeln!(f, "{:<32} {value:>16} {share:>17} {count:>4} {}", self.metric, self.spark())?;
        for change in &self.changes {
            let ChangePoint { before, after, change_percent, p_value, .. } = change;
            let word = if change.is_worse { "WORSE" } else { "better" };
            let commit = |commit: &Option<String>| {
                commit
                    .as_deref()
                    .map_or("no commit", |name| name.get(..12).unwrap_or(name))
                    .to_owned()
            };
            writeln!(
                f,
                "    {word}: {} -> {} {} ({change_percent:+.1} %, p {p_value:.3}) with {}, after {}",
                digits(*before),
                digits(*after),
                self.unit,
                commit(&change.first_after),
                commit(&change.last_before),
            )?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn points(values: &[f64]) -> Vec<Point> {
        let point = |(index, value): (usize, &f64)| Point {
            started_at: format!("2026-01-{:02}T00:00:00Z", index + 1),
            commit: Some(format!("{index:040}")),
            value: *value,
            of_ceiling: None,
        };
        values.iter().enumerate().map(point).collect()
    }

    #[test]
    fn a_step_names_the_first_commit_of_the_new_level() {
        let mut values = [10.0, 10.1, 9.9, 10.05, 9.95, 10.0, 10.1, 9.9].to_vec();
        values.extend([11.0, 11.1, 10.9, 11.05, 10.95, 11.0]);
        let changes = changes(&points(&values), Better::Lower);
        assert_eq!(changes.len(), 1);
        let change = &changes[0];
        assert_eq!((change.at, change.is_worse), (8, true));
        assert!((change.change_percent - 10.0).abs() < 1e-9 && change.p_value <= 0.01);
        assert_eq!(change.first_after, Some(format!("{:040}", 8)));
        assert_eq!(change.last_before, Some(format!("{:040}", 7)));
        assert!(!super::changes(&points(&values), Better::Higher)[0].is_worse);
    }

    #[test]
    fn two_percent_is_no_change() {
        let values = [[100.0; 10], [102.0; 10]].concat();
        assert_eq!(changes(&points(&values), Better::Lower), []);
    }
}
