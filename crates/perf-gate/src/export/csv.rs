//! A table for spreadsheets and data frames: a row per KPI; the samples, space-separated, in the last
//! column.

use crate::{Better, Kpi, RunRecord, Status};

const HEAD: [&str; 13] = [
    "machine",
    "commit",
    "started_at",
    "kpi",
    "unit",
    "better",
    "value",
    "target",
    "critical",
    "status",
    "of_ceiling",
    "why",
    "samples",
];

pub(super) fn text(record: &RunRecord) -> String {
    let mut text = line(HEAD.map(str::to_owned));
    for kpi in &record.kpis {
        text.push_str(&line(row(record, kpi)));
    }
    text
}

fn row(record: &RunRecord, kpi: &Kpi) -> [String; 13] {
    let number = |value: Option<f64>| value.map_or_else(String::new, |value| value.to_string());
    let samples: Vec<String> = kpi.samples.iter().map(f64::to_string).collect();
    [
        record.machine.fingerprint.clone(),
        record.commit.clone().unwrap_or_default(),
        record.started_at.clone(),
        kpi.name.clone(),
        kpi.unit.clone(),
        if kpi.better == Better::Lower { "lower" } else { "higher" }.to_owned(),
        number(kpi.value),
        number(kpi.target),
        number(kpi.critical),
        status(kpi.status).to_owned(),
        number(kpi.of_ceiling),
        kpi.why.clone().unwrap_or_default(),
        samples.join(" "),
    ]
}

/// As in the record.
fn status(status: Status) -> &'static str {
    match status {
        Status::Ok => "ok",
        Status::Warn => "warn",
        Status::Critical => "critical",
        Status::NotAvailable => "not_available",
    }
}

/// RFC 4180: quoted where the text has a comma, a quote or a line end.
fn line<const N: usize>(cells: [String; N]) -> String {
    let quoted = cells.map(|cell| {
        if cell.contains(['"', ',', '\n', '\r']) {
            format!("\"{}\"", cell.replace('"', "\"\""))
        } else {
            cell
        }
    });
    quoted.join(",") + "\r\n"
}
