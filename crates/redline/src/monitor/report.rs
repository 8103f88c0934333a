//! What is told: alerts as they change, and the run in a few lines.

use std::fmt::Write as _;

use monitor::{Alert, Spread, State, Summary};

/// One line for a change of state.
pub(crate) fn transition(alert: &Alert) -> String {
    let number = |value: Option<f64>| value.map_or_else(|| "no value".to_owned(), short);
    format!(
        "redline: alert {} {} after {:.1} s: {}, threshold {}",
        alert.rule,
        name(alert.state),
        alert.since,
        number(alert.value),
        number(alert.threshold)
    )
}

/// The run in a few lines.
pub(crate) fn summary(summary: &Summary) -> String {
    let bytes = |bytes: f64| format!("{:.1} MB", bytes / 1e6);
    let percent = |percent: f64| format!("{percent:.0} %");
    let (process, system) = (&summary.process, &summary.system);
    let rows = [
        ("memory", spread(process.rss_bytes, &bytes)),
        ("CPU, of a core", spread(process.cpu_percent, &percent)),
        ("CPU, machine", spread(system.cpu_percent, &percent)),
        ("CPU time", process.cpu_seconds.map_or_else(missing, |s| format!("{s:.2} s"))),
        ("read", process.read_bytes.map_or_else(missing, bytes)),
        ("written", process.written_bytes.map_or_else(missing, bytes)),
        ("overhead", format!("{:.3} % of a core", summary.overhead_percent)),
        ("alerts", alerts(&summary.alerts)),
    ];
    let mut out =
        format!("{:15} {:.2} s, {} samples", "duration", summary.duration_s, summary.samples);
    if summary.missed_ticks > 0 {
        // Writing to a string cannot fail.
        let _ = write!(out, ", {} missed", summary.missed_ticks);
    }
    out.push('\n');
    for (name, value) in rows {
        let _ = writeln!(out, "{name:15} {value}");
    }
    out
}

fn alerts(alerts: &[Alert]) -> String {
    let told: Vec<String> = alerts
        .iter()
        .filter(|alert| !matches!(alert.state, State::Inactive | State::NoData))
        .map(|alert| format!("{} {}", alert.rule, name(alert.state)))
        .collect();
    if told.is_empty() { format!("none of {}", alerts.len()) } else { told.join(", ") }
}

pub(crate) fn name(state: State) -> &'static str {
    match state {
        State::Inactive => "inactive",
        State::Pending => "pending",
        State::Firing => "firing",
        State::Resolved => "resolved",
        _ => "without data",
    }
}

fn missing() -> String {
    "not available".to_owned()
}

fn spread(spread: Option<Spread>, unit: &dyn Fn(f64) -> String) -> String {
    spread.map_or_else(missing, |s| format!("mean {}, peak {}", unit(s.mean), unit(s.peak)))
}

/// Three or four digits with the prefix that a reader expects.
pub(crate) fn short(value: f64) -> String {
    for (unit, name) in [(1e12, "T"), (1e9, "G"), (1e6, "M"), (1e3, "k")] {
        if value.abs() >= unit {
            return format!("{:.2} {name}", value / unit);
        }
    }
    format!("{value:.2}")
}
