//! Two records, KPI by KPI.

use std::fmt;

use serde::Serialize;

use crate::kpi::{digits, median};
use crate::random::Random;
use crate::statistics::mann_whitney;
use crate::{Better, Kpi, RunRecord};

/// A change below this share is never called one: clocks and caches move that much by themselves.
const MINIMUM_EFFECT: f64 = 0.03;
/// Resamples of the bootstrap; its interval then moves by less than a tenth of its width.
const RESAMPLES: usize = 2_000;

/// How the head stands to the base.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Verdict {
    /// Worse beyond noise and the minimum effect.
    Regressed,
    /// Better beyond noise and the minimum effect.
    Improved,
    /// Neither.
    Same,
    /// Missing on one side, or measured on another machine.
    Incomparable,
}

/// One KPI on both sides.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Change {
    /// Name of the KPI.
    pub metric: String,
    /// Unit of both values.
    pub unit: String,
    /// Median of the base.
    pub base: Option<f64>,
    /// Median of the head.
    pub head: Option<f64>,
    /// Change of the median in percent of the base.
    pub change_percent: Option<f64>,
    /// 95 percent bootstrap interval of that.
    pub interval_percent: Option<[f64; 2]>,
    /// Two-sided p of the Mann-Whitney test: how often equal sides would differ as much.
    pub p_value: Option<f64>,
    /// Cliff's delta, -1 to 1: share of sample pairs in which the head is greater, less the share
    /// in which it is smaller.
    pub effect_size: Option<f64>,
    /// Share of the machine's ceiling, base and head: what can be read across machines.
    pub of_ceiling: [Option<f64>; 2],
    /// How it is judged.
    pub verdict: Verdict,
}

/// Two records compared, the largest worsening first.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Comparison {
    /// Whether both ran on the same machine; if not, nothing is judged.
    pub same_machine: bool,
    /// KPI by KPI.
    pub changes: Vec<Change>,
}

/// Compares `head` with `base`. A KPI has regressed where the whole 95 percent interval of the ratio
/// of medians lies beyond the minimum effect of 3 percent. Deterministic.
#[must_use]
pub fn compare(base: &RunRecord, head: &RunRecord) -> Comparison {
    let same_machine = base.machine.fingerprint == head.machine.fingerprint;
    let mut changes: Vec<(f64, Change)> = head
        .kpis
        .iter()
        .map(|kpi| {
            let other = base.kpis.iter().find(|other| other.name == kpi.name);
            let change = change(other, kpi, same_machine);
            let sign = if kpi.better == Better::Lower { 1.0 } else { -1.0 };
            (sign * change.change_percent.unwrap_or(0.0), change)
        })
        .collect();
    changes.sort_by(|a, b| b.0.total_cmp(&a.0));
    Comparison { same_machine, changes: changes.into_iter().map(|(_, change)| change).collect() }
}

fn change(base: Option<&Kpi>, head: &Kpi, same_machine: bool) -> Change {
    let base_value = base.and_then(|kpi| kpi.value);
    let percent = |ratio: f64| (ratio - 1.0) * 100.0;
    let interval = base.and_then(|base| ratio_interval(&base.samples, &head.samples));
    let test = base.and_then(|base| mann_whitney(&base.samples, &head.samples));
    let verdict = match interval {
        Some(interval) if same_machine => judge(interval, head.better),
        _ => Verdict::Incomparable,
    };
    Change {
        metric: head.name.clone(),
        unit: head.unit.clone(),
        base: base_value,
        head: head.value,
        change_percent: base_value.zip(head.value).map(|(base, head)| percent(head / base)),
        interval_percent: interval.map(|[low, high]| [percent(low), percent(high)]),
        p_value: test.map(|(p, _)| p),
        effect_size: test.map(|(_, delta)| delta),
        of_ceiling: [base.and_then(|kpi| kpi.of_ceiling), head.of_ceiling],
        verdict,
    }
}

fn judge([low, high]: [f64; 2], better: Better) -> Verdict {
    let (is_up, is_down) = (low > 1.0 + MINIMUM_EFFECT, high < 1.0 - MINIMUM_EFFECT);
    match (is_up, is_down, better) {
        (true, _, Better::Lower) | (_, true, Better::Higher) => Verdict::Regressed,
        (_, true, Better::Lower) | (true, _, Better::Higher) => Verdict::Improved,
        _ => Verdict::Same,
    }
}

/// The 95 percent interval of median(head) / median(base), by percentile bootstrap (Efron 1979).
/// `None` with fewer than 3 samples on a side, which say nothing about spread.
fn ratio_interval(base: &[f64], head: &[f64]) -> Option<[f64; 2]> {
    if base.len().min(head.len()) < 3 {
        return None;
    }
    let mut random = Random::new(0x5eed);
    let mut ratios: Vec<f64> = (0..RESAMPLES)
        .filter_map(|_| Some(median(&random.resample(head))? / median(&random.resample(base))?))
        .filter(|ratio| ratio.is_finite())
        .collect();
    ratios.sort_by(f64::total_cmp);
    let at = |share: f64| ratios.get((share * ratios.len() as f64) as usize).copied();
    Some([at(0.025)?, at(0.975)?])
}

impl Comparison {
    /// Whether any KPI has regressed.
    #[must_use]
    pub fn has_regressed(&self) -> bool {
        self.changes.iter().any(|change| change.verdict == Verdict::Regressed)
    }

    /// The comparison as a markdown table.
    #[must_use]
    pub fn to_markdown(&self) -> String {
        let head = "| metric | base | head | change | 95 % interval | verdict |\n\
                    |---|---:|---:|---:|---:|---|\n";
        self.changes.iter().fold(head.to_owned(), |table, change| {
            let [base, head, percent, interval] = change.cells();
            let Change { metric, verdict, .. } = change;
            table
                + &format!("| {metric} | {base} | {head} | {percent} | {interval} | {verdict} |\n")
        })
    }
}

impl Change {
    /// Base, head, change and its interval, as text.
    pub(crate) fn cells(&self) -> [String; 4] {
        let dash = || "-".to_owned();
        let value = |value: Option<f64>| {
            value.map_or_else(dash, |value| format!("{} {}", digits(value), self.unit))
        };
        [
            value(self.base),
            value(self.head),
            self.change_percent.map_or_else(dash, |p| format!("{p:+.1} %")),
            self.interval_percent.map_or_else(dash, |[a, b]| format!("{a:+.1} to {b:+.1} %")),
        ]
    }
}

impl fmt::Display for Verdict {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Regressed => "REGRESSED",
            Self::Improved => "improved",
            Self::Same => "same",
            Self::Incomparable => "incomparable",
        })
    }
}

impl fmt::Display for Comparison {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if !self.same_machine {
            writeln!(
                f,
                "the records are of two machines: none is judged; only shares of each machine's \
                 own ceiling can be read side by side"
            )?;
        }
        for change in &self.changes {
            let [base, head, percent, interval] = change.cells();
            let Change { metric, verdict, .. } = change;
            write!(f, "{metric:<32} {base:>16} {head:>16} {percent:>9} {interval:>20}  {verdict}")?;
            if let ([Some(base), Some(head)], false) = (change.of_ceiling, self.same_machine) {
                write!(f, ", of ceiling {:.0} -> {:.0} %", base * 100.0, head * 100.0)?;
            }
            writeln!(f)?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn verdict(base: &[f64], head: &[f64], better: Better) -> Verdict {
        ratio_interval(base, head).map_or(Verdict::Incomparable, |i| judge(i, better))
    }

    #[test]
    fn noise_is_no_change_and_a_shift_is() {
        let base = [10.0, 10.1, 9.9, 10.2, 9.8, 10.05, 9.95];
        let slower = base.map(|x| x * 1.2);
        assert_eq!(verdict(&base, &base, Better::Lower), Verdict::Same);
        assert_eq!(verdict(&base, &slower, Better::Lower), Verdict::Regressed);
        assert_eq!(verdict(&base, &slower, Better::Higher), Verdict::Improved);
        assert_eq!(verdict(&slower, &base, Better::Lower), Verdict::Improved);
        assert_eq!(verdict(&[1.0], &[2.0], Better::Lower), Verdict::Incomparable);
    }

    #[test]
    fn two_percent_is_below_the_minimum_effect() {
        let base = [10.0; 7];
        assert_eq!(verdict(&base, &[10.2; 7], Better::Lower), Verdict::Same);
    }
}
