//! `ci/gate.toml`: what is gated, how strictly, and what is known and accepted.

use std::path::Path;

use serde::Deserialize;
use toml::value::Datetime;

use super::document::Layer;
use super::pattern::matches;
use super::signed_rank::LEAST;
use crate::GateError;

/// The schema that this version reads.
const SCHEMA: &str = "redline.policy/1";

/// The whole file. A layer whose table is missing is not run.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Policy {
    /// `redline.policy/1`.
    pub schema: String,
    /// The revision to compare with, where the command names none: the head's fork point from it.
    pub base: Option<String>,
    /// Instructions, under callgrind.
    pub instructions: Option<CountPolicy>,
    /// Heap blocks and bytes, under DHAT.
    pub heap: Option<HeapPolicy>,
    /// Wall clock.
    pub wall: Option<WallPolicy>,
    /// KPIs of the suite.
    pub kpi: Option<KpiPolicy>,
    /// What is built and measured.
    #[serde(default, rename = "bench")]
    pub benches: Vec<BenchSpec>,
    /// Thresholds of single metrics; the first that matches counts.
    #[serde(default, rename = "threshold")]
    pub thresholds: Vec<Override>,
    /// Known regressions.
    #[serde(default, rename = "accept")]
    pub accepted: Vec<Accept>,
}

/// Instructions: worse beyond both of relative threshold and floor.
#[derive(Debug, Clone, Copy, PartialEq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct CountPolicy {
    /// Percent of the base.
    pub threshold_percent: f64,
    /// Instructions that never matter, however small the base.
    pub floor: f64,
    /// Whether the gate fails where there is no valgrind.
    pub required: bool,
}

impl Default for CountPolicy {
    fn default() -> Self {
        Self { threshold_percent: 0.5, floor: 200.0, required: false }
    }
}

/// Heap: exact, or within the allowance.
#[derive(Debug, Clone, Copy, Default, PartialEq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct HeapPolicy {
    /// Blocks more than the base that are let pass.
    pub blocks: f64,
    /// Bytes more than the base that are let pass.
    pub bytes: f64,
    /// Whether the gate fails where there is no valgrind.
    pub required: bool,
}

/// Wall clock.
#[derive(Debug, Clone, Copy, PartialEq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct WallPolicy {
    /// The smallest slowdown that matters.
    pub minimum_effect_percent: f64,
    /// Fewest and most cycles of four processes in a round.
    pub cycles: [usize; 2],
    /// Seconds for all benches and both rounds.
    pub budget_s: f64,
    /// Spread of the anchor loop within a cycle beyond which the cycle is thrown away.
    pub anchor_tolerance_percent: f64,
    /// The core to pin to [default: the last].
    pub core: Option<usize>,
}

impl Default for WallPolicy {
    fn default() -> Self {
        Self {
            minimum_effect_percent: 3.0,
            cycles: [8, 120],
            budget_s: 300.0,
            anchor_tolerance_percent: 15.0,
            core: None,
        }
    }
}

/// KPIs: the head's must not be critical, nor lose too much of the probe's ceiling.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct KpiPolicy {
    /// Writes a suite record to `{out}`, run in each revision's work tree.
    pub command: Vec<String>,
    /// Loss of the share of the ceiling that matters, in percent of the base's share.
    #[serde(default = "ceiling_loss")]
    pub ceiling_loss_percent: f64,
    /// Whether the gate fails where the command does.
    #[serde(default)]
    pub required: bool,
}

fn ceiling_loss() -> f64 {
    15.0
}

/// A bench target, what runs in it, and which layers it feeds.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct BenchSpec {
    /// Package of the workspace.
    pub package: String,
    /// Its bench target.
    pub target: String,
    /// How the target is spoken to.
    pub harness: Harness,
    /// What it is measured for.
    pub layers: Vec<Layer>,
    /// Cases, by pattern.
    #[serde(default = "every_case")]
    pub cases: Vec<String>,
}

fn every_case() -> Vec<String> {
    vec!["*".to_owned()]
}

/// How a bench target is spoken to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Harness {
    /// criterion 0.5 or later.
    Criterion,
    /// gungraun 0.17 or later: instructions and heap of each case by itself.
    Gungraun,
    /// Anything that answers `--list` with a line `CASE: benchmark` per case, `--bench CASE` with
    /// nanoseconds per iteration, a line per sample, and runs it once for `--test CASE`.
    Plain,
}

/// The threshold of some metrics of one layer.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Override {
    /// The layer.
    pub layer: Layer,
    /// Pattern of the metrics.
    pub metric: String,
    /// Percent; of heap metrics, of the base's count.
    pub percent: f64,
}

/// A known regression.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Accept {
    /// The layer.
    pub layer: Layer,
    /// Pattern of the metrics.
    pub metric: String,
    /// Up to which change.
    pub change_percent: f64,
    /// Why.
    pub reason: String,
    /// Where it is discussed.
    pub issue: String,
    /// The last day on which it holds.
    pub expires: Datetime,
}

impl Policy {
    /// Reads a policy.
    ///
    /// # Errors
    /// [`GateError::Policy`] with file, line and column, and for values that make no sense.
    pub fn read(path: &Path) -> Result<Self, GateError> {
        let text = std::fs::read_to_string(path)
            .map_err(|source| GateError::Io { path: path.to_owned(), source })?;
        Self::parse(&text).map_err(|why| GateError::Policy { path: path.to_owned(), why })
    }

    /// Reads a policy's text.
    ///
    /// # Errors
    /// What is wrong with it, in one line.
    pub fn parse(text: &str) -> Result<Self, String> {
        let policy: Self = toml::from_str(text).map_err(|error| one_line(&error, text))?;
        policy.check()?;
        Ok(policy)
    }

    fn check(&self) -> Result<(), String> {
        if self.schema != SCHEMA {
            return Err(format!("the schema is '{}', this version reads '{SCHEMA}'", self.schema));
        }
        if let Some(wall) = &self.wall {
            let [least, most] = wall.cycles;
            if least < LEAST || most < least {
                return Err(format!(
                    "wall.cycles is [{least}, {most}]: at least {LEAST}, and the fewest before the most"
                ));
            }
            let is_positive = |value: f64| value.is_finite() && value > 0.0;
            if !is_positive(wall.minimum_effect_percent) || !is_positive(wall.budget_s) {
                return Err("wall: minimum_effect_percent and budget_s must be above 0".to_owned());
            }
        }
        for accept in &self.accepted {
            if accept.expires.date.is_none() {
                return Err(format!("accept '{}': expires must be a date", accept.metric));
            }
        }
        for bench in &self.benches {
            if bench.layers.contains(&Layer::Kpi) {
                return Err(format!("bench '{}': KPIs come from [kpi], no bench", bench.target));
            }
            if bench.harness == Harness::Gungraun && bench.layers.contains(&Layer::Wall) {
                return Err(format!("bench '{}': gungraun has no wall clock", bench.target));
            }
        }
        Ok(())
    }

    /// The threshold in percent that the file sets for one metric.
    #[must_use]
    pub fn threshold(&self, layer: Layer, metric: &str) -> Option<f64> {
        let is_for = |rule: &&Override| rule.layer == layer && matches(&rule.metric, metric);
        self.thresholds.iter().find(is_for).map(|rule| rule.percent)
    }

    /// Benches that feed `layer`.
    pub fn benches_of(&self, layer: Layer) -> impl Iterator<Item = &BenchSpec> {
        self.benches.iter().filter(move |bench| bench.layers.contains(&layer))
    }

    /// Whether the policy has `layer`.
    #[must_use]
    pub fn has(&self, layer: Layer) -> bool {
        match layer {
            Layer::Instructions => self.instructions.is_some(),
            Layer::Heap => self.heap.is_some(),
            Layer::Wall => self.wall.is_some(),
            Layer::Kpi => self.kpi.is_some(),
        }
    }
}

/// The parser's message with line and column, without the picture below it.
fn one_line(error: &toml::de::Error, text: &str) -> String {
    let message = error.message().lines().next().unwrap_or_default().replace('`', "'");
    match error.span() {
        Some(span) => {
            let before = text.get(..span.start).unwrap_or_default();
            let line = before.matches('\n').count() + 1;
            let column = before.chars().rev().take_while(|c| *c != '\n').count() + 1;
            format!("line {line}, column {column}: {message}")
        }
        None => message,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const WHOLE: &str = r#"
        schema = "redline.policy/1"
        base = "main"
        [instructions]
        [heap]
        blocks = 2
        [wall]
        minimum_effect_percent = 2.0
        [kpi]
        command = ["cargo", "run", "--", "suite", "--json", "{out}"]
        [[bench]]
        package = "benches"
        target = "instructions"
        harness = "gungraun"
        layers = ["instructions", "heap"]
        [[threshold]]
        layer = "instructions"
        metric = "hot/*"
        percent = 1.0
        [[accept]]
        layer = "wall"
        metric = "load"
        change_percent = 5.0
        reason = "checksums"
        issue = "https://example.org/7"
        expires = 2027-01-31
    "#;

    #[test]
    fn the_whole_of_it() {
        let policy = Policy::parse(WHOLE).unwrap();
        assert_eq!(policy.instructions, Some(CountPolicy::default()));
        assert_eq!(policy.threshold(Layer::Instructions, "hot/mean"), Some(1.0));
        assert_eq!(policy.threshold(Layer::Heap, "hot/mean"), None);
        assert_eq!(policy.benches_of(Layer::Heap).count(), 1);
        assert_eq!(policy.benches_of(Layer::Wall).count(), 0);
        assert!(policy.has(Layer::Wall) && policy.kpi.unwrap().ceiling_loss_percent > 0.0);
    }

    #[test]
    fn mistakes_are_named_in_one_line() {
        let error = |text: &str| Policy::parse(text).unwrap_err();
        let schema = "schema = \"redline.policy/1\"\n";
        let unknown = error(&format!("{schema}[wal]\n"));
        assert!(unknown.starts_with("line 2, column 2: unknown field 'wal'"), "{unknown}");
        assert!(error("schema = \"redline.policy/9\"").contains("redline.policy/9"));
        assert!(error(&format!("{schema}[wall]\ncycles = [9, 3]\n")).contains("[9, 3]"));
        assert!(error(&format!("{schema}[wall]\nbudget_s = 0\n")).contains("budget_s"));
        assert!(error("").contains("schema"));
        let gungraun = WHOLE.replace("[\"instructions\", \"heap\"]", "[\"wall\"]");
        assert!(error(&gungraun).contains("no wall clock"));
    }
}
