//! Alert rules as data, and the built-in ones.

use std::time::Duration;

use serde::{Deserialize, Deserializer, Serialize};

use crate::{Metric, MonitorError, parse_duration};

/// Which side of the threshold is bad.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum When {
    /// The value is greater than the threshold.
    Above,
    /// The value is less than the threshold.
    Below,
}

/// How bad it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Severity {
    /// To know.
    Info,
    /// To look at.
    #[default]
    Warning,
    /// To act on.
    Critical,
}

/// What is done when an alert fires and when it resolves; a transition is always logged.
#[derive(Debug, Clone, PartialEq, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Action {
    /// A program and its arguments; it gets the alert as JSON on its input.
    pub command: Vec<String>,
    /// An `http://` address that the alert is posted to as JSON.
    pub webhook: Option<String>,
    /// Longest that one try may take.
    #[serde(deserialize_with = "span")]
    pub timeout: Option<Duration>,
    /// Further tries after a failed one, each after twice the wait of the last.
    pub retries: Option<u32>,
}

/// One alert rule.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Rule {
    /// Its name in documents.
    pub name: String,
    /// What it looks at.
    #[serde(deserialize_with = "metric")]
    pub metric: Metric,
    /// Which side of the threshold is bad.
    pub when: When,
    /// The threshold in the metric's unit.
    pub threshold: Option<f64>,
    /// The threshold as a share of the memory limit; with `threshold` too, the lower counts.
    pub share_of_memory: Option<f64>,
    /// How long it must hold before the alert fires.
    #[serde(default, rename = "for", deserialize_with = "span")]
    pub hold: Option<Duration>,
    /// A firing alert ends only beyond this; without it, at the threshold.
    pub clear: Option<f64>,
    /// How long a firing alert goes on after its end.
    #[serde(default, deserialize_with = "span")]
    pub keep_firing_for: Option<Duration>,
    /// How bad it is.
    #[serde(default)]
    pub severity: Severity,
    /// What is done.
    #[serde(default)]
    pub action: Action,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    rule: Vec<Rule>,
}

/// The four alerts that hold where no rules are given.
const BUILT_IN: &str = r#"
[[rule]]
name = "process_memory"
metric = "process_rss_bytes"
when = "above"
threshold = 64e9
share_of_memory = 0.9
severity = "critical"

[[rule]]
name = "cpu_sustained"
metric = "system_cpu_percent"
when = "above"
threshold = 95.0
for = "60s"

[[rule]]
name = "disk_free"
metric = "disk_free_bytes"
when = "below"
threshold = 10e9
severity = "critical"

[[rule]]
name = "backtest_slow"
metric = "backtest_baseline_ratio"
when = "above"
threshold = 2.0
"#;

/// Reads `[[rule]]` tables.
///
/// # Errors
/// [`MonitorError::Rules`] with line and column; [`MonitorError::Rule`] for a rule that has no
/// threshold or a `clear` on its wrong side.
pub fn parse_rules(text: &str) -> Result<Vec<Rule>, MonitorError> {
    let rules = toml::from_str::<File>(text).map_err(|error| misread(text, &error))?.rule;
    rules.iter().try_for_each(Rule::check)?;
    Ok(rules)
}

/// A mistake in `text` with its place; without one it is about the whole file.
fn misread(text: &str, error: &toml::de::Error) -> MonitorError {
    let before = text.get(..error.span().map_or(0, |span| span.start)).unwrap_or(text);
    let line = before.matches('\n').count() + 1;
    let column = before.chars().rev().take_while(|c| *c != '\n').count() + 1;
    let why = error.message().lines().collect::<Vec<_>>().join("; ");
    MonitorError::Rules { line, column, why }
}

/// Where no rules are given: process memory, sustained CPU, free disk, and a slow backtest.
///
/// # Errors
/// None for the rules as they stand; a test holds them to it.
pub fn built_in_rules() -> Result<Vec<Rule>, MonitorError> {
    parse_rules(BUILT_IN)
}

impl Rule {
    fn check(&self) -> Result<(), MonitorError> {
        let wrong =
            |why: &str| Err(MonitorError::Rule { rule: self.name.clone(), why: why.to_owned() });
        let numbers = [self.threshold, self.share_of_memory, self.clear];
        if numbers.iter().flatten().any(|number| !number.is_finite()) {
            return wrong("a threshold must be a finite number");
        }
        if self.threshold.is_none() && self.share_of_memory.is_none() {
            return wrong("it has no threshold: write 'threshold' or 'share_of_memory'");
        }
        if self.action.webhook.as_ref().is_some_and(|url| !url.starts_with("http://")) {
            return wrong("the webhook must be an address that begins with http://");
        }
        match (self.when, self.threshold.zip(self.clear)) {
            (When::Above, Some((threshold, clear))) if clear > threshold => {
                wrong("'clear' must not be above 'threshold'")
            }
            (When::Below, Some((threshold, clear))) if clear < threshold => {
                wrong("'clear' must not be below 'threshold'")
            }
            _ => Ok(()),
        }
    }

    /// The threshold on a machine or in a control group with this much memory.
    #[must_use]
    pub fn limit(&self, memory_bytes: Option<f64>) -> Option<f64> {
        let share = self.share_of_memory.zip(memory_bytes).map(|(share, all)| share * all);
        match (self.threshold, share) {
            (Some(absolute), Some(share)) => Some(absolute.min(share)),
            (absolute, share) => absolute.or(share),
        }
    }

    /// Whether `value` is on the bad side of `threshold`.
    #[must_use]
    pub fn is_bad(&self, value: f64, threshold: f64) -> bool {
        match self.when {
            When::Above => value > threshold,
            When::Below => value < threshold,
        }
    }
}

fn metric<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Metric, D::Error> {
    let name = String::deserialize(deserializer)?;
    name.parse().map_err(serde::de::Error::custom)
}

fn span<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Duration>, D::Error> {
    let text = String::deserialize(deserializer)?;
    parse_duration(&text).map(Some).map_err(serde::de::Error::custom)
}
