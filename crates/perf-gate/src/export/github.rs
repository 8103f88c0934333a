//! github-action-benchmark's custom JSON: a list of `{name, unit, value, range, extra}`.

use serde::Serialize;

use super::range;
use crate::{Better, Kpi, RunRecord, digits};

#[derive(Serialize)]
struct Entry<'a> {
    name: &'a str,
    unit: &'a str,
    value: f64,
    #[serde(skip_serializing_if = "Option::is_none")]
    range: Option<String>,
    extra: String,
}

pub(super) fn text(record: &RunRecord) -> String {
    let machine = &record.machine.fingerprint;
    let entry = |kpi: &'_ Kpi| {
        let value = kpi.value?;
        let range = range(&kpi.samples)
            .map(|[least, most]| format!("\u{b1} {}", digits((most - least) / 2.0)));
        Some((value, range))
    };
    let lower = record.kpis.iter().filter(|kpi| kpi.better == Better::Lower);
    let entries: Vec<Entry<'_>> = lower
        .filter_map(|kpi| {
            let (value, range) = entry(kpi)?;
            let extra = format!("{}\nmachine {machine}", kpi.title);
            Some(Entry { name: &kpi.name, unit: &kpi.unit, value, range, extra })
        })
        .collect();
    // Numbers and strings only: it cannot fail.
    serde_json::to_string_pretty(&entries).unwrap_or_default() + "\n"
}
