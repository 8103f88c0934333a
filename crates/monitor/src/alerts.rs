//! Alert states, as Prometheus defines them, with no data as a state of its own.
//!
//! ```text
//! inactive -> pending -> firing -> resolved     one good value clears a pending alert;
//!     ^----------'          ^--------'          a firing one ends beyond `clear`, and after
//! no_data from anywhere                         `keep_firing_for`
//! ```

use std::time::Duration;

use serde::Serialize;

use crate::rules::Severity;
use crate::{Metric, Rule, Sample};

/// Where an alert stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum State {
    /// The value is good.
    Inactive,
    /// Bad, not yet for long enough.
    Pending,
    /// Bad for long enough.
    Firing,
    /// It fired and is good again.
    Resolved,
    /// The machine does not give the value.
    NoData,
}

/// A rule and where it stands.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Alert {
    /// The rule's name.
    pub rule: String,
    /// Where it stands.
    pub state: State,
    /// Since when, in seconds since the monitor began.
    pub since: f64,
    /// The last value; `None` without data.
    pub value: Option<f64>,
    /// What the value is held against.
    pub threshold: Option<f64>,
    /// How bad it is.
    pub severity: Severity,
}

/// Judges samples by rules. It has no clock: a sample brings its time.
#[derive(Debug)]
pub struct Alerts {
    rules: Vec<Rule>,
    alerts: Vec<Alert>,
    last_bad: Vec<Duration>,
}

impl Alerts {
    /// All rules inactive.
    #[must_use]
    pub fn new(rules: Vec<Rule>) -> Self {
        let alerts = rules
            .iter()
            .map(|rule| Alert {
                rule: rule.name.clone(),
                state: State::Inactive,
                since: 0.0,
                value: None,
                threshold: rule.limit(None),
                severity: rule.severity,
            })
            .collect();
        let last_bad = vec![Duration::ZERO; rules.len()];
        Self { rules, alerts, last_bad }
    }

    /// Where every rule stands.
    #[must_use]
    pub fn alerts(&self) -> &[Alert] {
        &self.alerts
    }

    /// Judges one sample; the alerts whose state it changed, with their rules.
    pub fn judge(&mut self, sample: &Sample) -> Vec<(Rule, Alert)> {
        let memory = sample.get(Metric::MemoryLimit);
        let mut changed = Vec::new();
        for ((rule, alert), last_bad) in
            self.rules.iter().zip(&mut self.alerts).zip(&mut self.last_bad)
        {
            alert.value = sample.get(rule.metric);
            alert.threshold = rule.limit(memory);
            let state = next(rule, alert, sample.at, last_bad);
            if state != alert.state {
                alert.state = state;
                alert.since = sample.at.as_secs_f64();
                changed.push((rule.clone(), alert.clone()));
            }
        }
        changed
    }
}

fn next(rule: &Rule, alert: &Alert, at: Duration, last_bad: &mut Duration) -> State {
    let Some((value, threshold)) = alert.value.zip(alert.threshold) else {
        return State::NoData;
    };
    let is_firing = alert.state == State::Firing;
    let limit = if is_firing { rule.clear.unwrap_or(threshold) } else { threshold };
    if rule.is_bad(value, limit) {
        *last_bad = at;
        return worse(rule, alert, at);
    }
    let keep = rule.keep_firing_for.unwrap_or_default();
    match alert.state {
        State::Firing if at.saturating_sub(*last_bad) < keep => State::Firing,
        State::Firing | State::Resolved => State::Resolved,
        _ => State::Inactive,
    }
}

/// The state after a bad value.
fn worse(rule: &Rule, alert: &Alert, at: Duration) -> State {
    let hold = rule.hold.unwrap_or_default();
    let held = at.as_secs_f64() - alert.since;
    match alert.state {
        State::Firing => State::Firing,
        State::Pending if held >= hold.as_secs_f64() => State::Firing,
        // The first bad value only ever makes it pending: one reading may be a slip.
        _ => State::Pending,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::parse_rules;

    fn states(rule: &str, values: &[Option<f64>]) -> Vec<State> {
        let text = format!("[[rule]]\nname = \"r\"\nmetric = \"load_1m\"\n{rule}");
        let mut alerts = Alerts::new(parse_rules(&text).unwrap());
        let second = |(at, value): (usize, &Option<f64>)| {
            let mut sample = Sample::empty(Duration::from_secs(at as u64));
            sample.set(Metric::Load, value.ok_or("none"));
            alerts.judge(&sample);
            alerts.alerts()[0].state
        };
        values.iter().enumerate().map(second).collect()
    }

    #[test]
    fn pending_then_firing_then_resolved() {
        use State::{Firing, Inactive, Pending, Resolved};
        let rule = "when = \"above\"\nthreshold = 2.0\nfor = \"2s\"\n";
        let values = [1.0, 3.0, 3.0, 3.0, 3.0, 1.0, 3.0].map(Some);
        let expected = [Inactive, Pending, Pending, Firing, Firing, Resolved, Pending];
        assert_eq!(states(rule, &values), expected);
    }

    #[test]
    fn one_good_value_clears_a_pending_alert() {
        use State::{Inactive, Pending};
        let rule = "when = \"above\"\nthreshold = 2.0\nfor = \"2s\"\n";
        let values = [3.0, 3.0, 1.0, 3.0, 3.0].map(Some);
        assert_eq!(states(rule, &values), [Pending, Pending, Inactive, Pending, Pending]);
    }

    #[test]
    fn clear_and_keep_firing_hold_an_alert() {
        use State::{Firing, Pending, Resolved};
        let rule = "when = \"below\"\nthreshold = 2.0\nclear = 4.0\nkeep_firing_for = \"2s\"\n";
        let values = [1.0, 1.0, 3.0, 5.0, 5.0, 5.0].map(Some);
        assert_eq!(states(rule, &values), [Pending, Firing, Firing, Firing, Resolved, Resolved]);
    }

    #[test]
    fn no_data_is_a_state_and_starts_over() {
        use State::{NoData, Pending};
        let rule = "when = \"above\"\nthreshold = 2.0\nfor = \"2s\"\n";
        assert_eq!(states(rule, &[Some(3.0), None, Some(3.0)]), [Pending, NoData, Pending]);
    }

    #[test]
    fn the_lower_of_absolute_and_share_counts() {
        let rules = crate::built_in_rules().unwrap();
        assert_eq!(rules.len(), 4);
        assert_eq!(rules[0].limit(Some(24e9)), Some(0.9 * 24e9));
        assert_eq!(rules[0].limit(Some(512e9)), Some(64e9));
        assert_eq!(rules[0].limit(None), Some(64e9));
    }

    #[test]
    fn mistakes_are_named_with_their_place() {
        let head = "[[rule]]\nname = \"r\"\n";
        let error = |rest: &str| parse_rules(&format!("{head}{rest}")).unwrap_err().to_string();
        let unknown = error("metric = \"process_rs_bytes\"\nwhen = \"above\"\nthreshold = 1.0");
        assert!(unknown.contains("line 3, column 10"), "{unknown}");
        assert!(unknown.contains("process_rss_bytes"), "{unknown}");
        let state = error("metric = \"load_1m\"\nwhen = \"over\"\nthreshold = 1.0");
        assert!(state.contains("line 4") && state.contains("above"), "{state}");
        let kind = error("metric = \"load_1m\"\nwhen = \"above\"\nthreshold = \"much\"");
        assert!(kind.contains("line 5, column 13"), "{kind}");
        let span = error("metric = \"load_1m\"\nwhen = \"above\"\nthreshold = 1.0\nfor = \"soon\"");
        assert!(span.contains("line 6") && span.contains("no duration"), "{span}");
        assert!(error("metric = \"load_1m\"\nwhen = \"above\"").contains("no threshold"));
        let clear = error("metric = \"load_1m\"\nwhen = \"above\"\nthreshold = 1.0\nclear = 2.0");
        assert!(clear.contains("must not be above"), "{clear}");
    }
}
