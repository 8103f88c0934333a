//! Two runs, metric by metric.

use std::fmt;

use serde::Serialize;

use crate::kpi::{digits, median};
use crate::random::Random;
use crate::statistics::mann_whitney;
use crate::{Better, Metric, Results};

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
    /// Missing on one side, or measured on another machine with nothing to relate it to.
    Incomparable,
}

/// What of a metric is set side by side.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Basis {
    /// The values.
    Value,
    /// The shares of each machine's own ceiling: what two machines can be compared by.
    ShareOfCeiling,
}

/// One metric on both sides.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Change {
    /// Name of the metric.
    pub metric: String,
    /// Unit of both values.
    pub unit: String,
    /// Which way is better.
    pub better: Better,
    /// Median of the base.
    pub base: Option<f64>,
    /// Median of the head.
    pub head: Option<f64>,
    /// What the change is of.
    pub basis: Basis,
    /// Change in percent of the base: of the median, or of its share of the ceiling.
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

/// Two runs compared, the largest worsening first.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Comparison {
    /// Whether both ran on the same machine, as far as is known; if not, only instructions and
    /// shares of each machine's own ceiling are judged.
    pub same_machine: bool,
    /// Metric by metric.
    pub changes: Vec<Change>,
}

/// Compares `head` with `base`. A sampled metric has regressed where the whole 95 percent interval of
/// the ratio of medians lies beyond the minimum effect of 3 percent, a count where it has grown beyond
/// its slack. Deterministic.
#[must_use]
pub fn compare(base: &Results, head: &Results) -> Comparison {
    let same_machine = base.machine == head.machine;
    let key =
        |metric: &Metric| (metric.name.clone(), metric.slack_percent.map(|_| metric.unit.clone()));
    let find = |side: &'_ Results, of: &Metric| {
        side.metrics.iter().find(|metric| key(metric) == key(of)).cloned()
    };
    let gone = base.metrics.iter().filter(|old| find(head, old).is_none());
    let mut changes: Vec<Change> = head
        .metrics
        .iter()
        .map(|metric| change(find(base, metric).as_ref(), metric, same_machine))
        .chain(gone.map(removed))
        .collect();
    changes.sort_by(|a, b| b.worsening_percent().total_cmp(&a.worsening_percent()));
    Comparison { same_machine, changes }
}

fn removed(base: &Metric) -> Change {
    let nothing = Metric { value: None, samples: Vec::new(), of_ceiling: None, ..base.clone() };
    change(Some(base), &nothing, true)
}

fn change(base: Option<&Metric>, head: &Metric, same_machine: bool) -> Change {
    let of_ceiling = [base.and_then(|base| base.of_ceiling), head.of_ceiling];
    let is_portable = head.unit == "instructions";
    let shares = of_ceiling[0].zip(of_ceiling[1]);
    let sides = match (base, shares) {
        (Some(base), _) if same_machine || is_portable => Some(Sides::of_values(base, head)),
        (Some(base), Some(shares)) => Some(Sides::of_shares(base, head, shares)),
        _ => None,
    };
    let percent = |ratio: f64| (ratio - 1.0) * 100.0;
    let interval = sides.as_ref().and_then(|sides| ratio_interval(&sides.base, &sides.head));
    let test = sides.as_ref().and_then(|sides| mann_whitney(&sides.base, &sides.head));
    let ratio = sides.as_ref().and_then(|sides| sides.ratio);
    let verdict = match (head.slack_percent, interval, ratio) {
        (Some(slack), _, Some(ratio)) => judge_count(percent(ratio), slack),
        (None, Some(interval), _) => judge(interval, head.better),
        _ => Verdict::Incomparable,
    };
    Change {
        metric: head.name.clone(),
        unit: head.unit.clone(),
        better: head.better,
        base: base.and_then(|base| base.value),
        head: head.value,
        basis: sides.map_or(Basis::Value, |sides| sides.basis),
        change_percent: ratio.map(percent).filter(|percent| percent.is_finite()),
        interval_percent: interval.map(|[low, high]| [percent(low), percent(high)]),
        p_value: test.map(|(p, _)| p),
        effect_size: test.map(|(_, delta)| delta),
        of_ceiling,
        verdict,
    }
}

/// What is set side by side of a metric.
struct Sides {
    base: Vec<f64>,
    head: Vec<f64>,
    ratio: Option<f64>,
    basis: Basis,
}

impl Sides {
    fn of_values(base: &Metric, head: &Metric) -> Self {
        let ratio = base.value.zip(head.value).map(|(base, head)| {
            // From nothing to nothing is no change; from nothing to something a boundless one.
            if base == head { 1.0 } else { head / base }
        });
        Self { base: base.samples.clone(), head: head.samples.clone(), ratio, basis: Basis::Value }
    }

    /// Samples as shares: the ceiling of each side is its value over its share.
    fn of_shares(base: &Metric, head: &Metric, shares: (f64, f64)) -> Self {
        let scaled = |metric: &Metric, share: f64| {
            let scale = metric.value.map_or(f64::NAN, |value| share / value);
            metric.samples.iter().map(|sample| sample * scale).collect()
        };
        Self {
            base: scaled(base, shares.0),
            head: scaled(head, shares.1),
            ratio: Some(shares.1 / shares.0),
            basis: Basis::ShareOfCeiling,
        }
    }
}

fn judge_count(percent: f64, slack_percent: f64) -> Verdict {
    if percent > slack_percent {
        Verdict::Regressed
    } else if percent < -slack_percent {
        Verdict::Improved
    } else {
        Verdict::Same
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
        let remark = if self.same_machine { String::new() } else { format!("{TWO_MACHINES}\n\n") };
        let head = "| metric | base | head | change | 95 % interval | verdict |\n\
                    |---|---:|---:|---:|---:|---|\n";
        self.changes.iter().fold(remark + head, |table, change| {
            let [base, head, percent, interval] = change.cells();
            let metric = change.title().replace('|', "\\|");
            let verdict = format!("{}{}", change.verdict, change.remark());
            table
                + &format!("| {metric} | {base} | {head} | {percent} | {interval} | {verdict} |\n")
        })
    }
}

/// What is said of runs on two machines.
const TWO_MACHINES: &str = "the runs are of two machines: only instructions and the shares of each \
                            machine's own ceiling are judged";

impl Change {
    /// How much worse, in percent; below 0 is better.
    fn worsening_percent(&self) -> f64 {
        let sign = if self.better == Better::Lower { 1.0 } else { -1.0 };
        // Adding nothing makes -0.0, which sorts below 0.0, the same.
        sign * self.change_percent.unwrap_or(0.0) + 0.0
    }

    /// The name, and of a count what is counted.
    pub(crate) fn title(&self) -> String {
        match self.unit.as_str() {
            "blocks" | "bytes" | "instructions" => format!("{} ({})", self.metric, self.unit),
            _ => self.metric.clone(),
        }
    }

    /// The shares, where they are what was compared.
    fn remark(&self) -> String {
        match (self.basis, self.of_ceiling) {
            (Basis::ShareOfCeiling, [Some(base), Some(head)]) => {
                format!(", of ceiling {:.0} -> {:.0} %", base * 100.0, head * 100.0)
            }
            _ => String::new(),
        }
    }

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
            writeln!(f, "{TWO_MACHINES}")?;
        }
        let titles: Vec<String> = self.changes.iter().map(Change::title).collect();
        let width = titles.iter().map(|title| title.chars().count()).max().unwrap_or(0).max(32);
        for (change, title) in self.changes.iter().zip(&titles) {
            let [base, head, percent, interval] = change.cells();
            let (verdict, remark) = (change.verdict, change.remark());
            writeln!(
                f,
                "{title:<width$} {base:>16} {head:>16} {percent:>9} {interval:>20}  {verdict}{remark}"
            )?;
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

    fn one(machine: &str, value: f64, of_ceiling: Option<f64>, count: f64) -> Results {
        let rate = Metric {
            name: "triad".to_owned(),
            unit: "GB/s".to_owned(),
            better: Better::Higher,
            value: Some(value),
            samples: vec![value; 5],
            of_ceiling,
            slack_percent: None,
        };
        let instructions = Metric {
            name: "mean".to_owned(),
            unit: "instructions".to_owned(),
            better: Better::Lower,
            value: Some(count),
            samples: Vec::new(),
            of_ceiling: None,
            slack_percent: Some(0.5),
        };
        Results { machine: Some(machine.to_owned()), metrics: vec![rate, instructions] }
    }

    #[test]
    fn two_machines_are_compared_by_shares_and_instructions_only() {
        let base = one("a", 10.0, Some(0.8), 1000.0);
        let head = one("b", 20.0, Some(0.6), 1020.0);
        let comparison = compare(&base, &head);
        let of = |name: &str| comparison.changes.iter().find(|c| c.metric == name).unwrap();
        // Twice as fast, on a machine that could do more: less of it is used.
        assert_eq!(
            (of("triad").basis, of("triad").verdict),
            (Basis::ShareOfCeiling, Verdict::Regressed)
        );
        assert!((of("triad").change_percent.unwrap() + 25.0).abs() < 1e-9);
        assert_eq!(of("mean").verdict, Verdict::Regressed);
        assert!(comparison.to_string().starts_with("the runs are of two machines"));
        let unknown = compare(&one("a", 10.0, None, 1000.0), &one("b", 20.0, None, 1000.0));
        let verdicts: Vec<Verdict> = unknown.changes.iter().map(|change| change.verdict).collect();
        assert_eq!(verdicts, [Verdict::Incomparable, Verdict::Same], "{unknown:?}");
    }

    #[test]
    fn what_is_gone_or_new_is_listed_and_not_judged() {
        let base = one("a", 10.0, None, 1000.0);
        let head = Results { metrics: Vec::new(), ..base.clone() };
        for (base, head) in [(&base, &head), (&head, &base)] {
            let changes = compare(base, head).changes;
            assert_eq!(changes.len(), 2);
            assert!(changes.iter().all(|change| change.verdict == Verdict::Incomparable));
        }
    }
}
