//! OpenMetrics 1.0: a gauge per KPI in one family, and what ran as an info metric.

use std::fmt::Write;

use crate::{Better, Kpi, RunRecord};

pub(super) fn text(record: &RunRecord) -> String {
    let mut text = String::from("# TYPE redline_run info\n# HELP redline_run What was measured.\n");
    let commit = record.commit.as_deref().unwrap_or_default();
    let _ = writeln!(
        text,
        "redline_run_info{{machine=\"{}\",commit=\"{}\",version=\"{}\",started_at=\"{}\"}} 1",
        escaped(&record.machine.fingerprint),
        escaped(commit),
        escaped(&record.version),
        escaped(&record.started_at)
    );
    family(&mut text, record, "redline_kpi", "The value of each KPI.", |kpi| kpi.value);
    let help = "The share of what this machine could do.";
    family(&mut text, record, "redline_kpi_of_ceiling_ratio", help, |kpi| kpi.of_ceiling);
    text.push_str("# EOF\n");
    text
}

fn family(
    text: &mut String,
    record: &RunRecord,
    name: &str,
    help: &str,
    value: fn(&Kpi) -> Option<f64>,
) {
    let _ = write!(text, "# TYPE {name} gauge\n# HELP {name} {help}\n");
    for kpi in &record.kpis {
        let Some(value) = value(kpi) else { continue };
        let better = if kpi.better == Better::Lower { "lower" } else { "higher" };
        let (kpi, unit) = (escaped(&kpi.name), escaped(&kpi.unit));
        let _ =
            writeln!(text, "{name}{{kpi=\"{kpi}\",unit=\"{unit}\",better=\"{better}\"}} {value}");
    }
}

fn escaped(text: &str) -> String {
    text.replace('\\', "\\\\").replace('"', "\\\"").replace('\n', "\\n")
}
