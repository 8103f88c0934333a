//! The sections that are tables: KPIs, comparison, peers, heap, alerts, quality.

use super::summary::headroom;
use super::table::Kind::{Number, Words};
use super::table::{Cell, Section, Table};
use super::{HeapProfile, Sources, Watch, text};
use crate::{Comparison, Kpi, Peers, Quality, RunRecord, Status, Verdict, digits};

/// Every KPI against its target.
pub(super) fn kpis(record: &RunRecord) -> Section {
    let head = [
        ("KPI", Words),
        ("value", Number),
        ("target", Number),
        ("critical", Number),
        ("better than target", Number),
        ("of ceiling", Number),
        ("status", Words),
    ];
    let rows = record.kpis.iter().map(|kpi| {
        let [value, target, critical, ceiling] = cells(kpi);
        let headroom = headroom(kpi).unwrap_or_else(|| "-".to_owned());
        vec![
            kpi.title.clone().into(),
            value.into(),
            target.into(),
            critical.into(),
            headroom.into(),
            ceiling.into(),
            status(kpi),
        ]
    });
    Section {
        note: "The value is the median of all repeats. Beyond its target a figure is a warning, \
               beyond the critical value the run fails."
            .to_owned(),
        table: Table::new("KPIs", &head).with(rows).filled(),
    }
}

/// Value, target, critical and share of the ceiling, each with a unit near it in size.
pub(super) fn cells(kpi: &Kpi) -> [String; 4] {
    let [_, target, critical, ceiling] = kpi.cells();
    let threshold = |text: String| match text.as_str() {
        "-" => text,
        _ => format!("{text} {}", kpi.unit).trim_end().to_owned(),
    };
    [value(kpi.value, &kpi.unit), threshold(target), threshold(critical), ceiling]
}

fn value(value: Option<f64>, unit: &str) -> String {
    value.map_or_else(|| "-".to_owned(), |value| text::value(value, unit))
}

fn status(kpi: &Kpi) -> Cell {
    let class = match kpi.status {
        Status::Ok => "ok",
        Status::Warn => "warn",
        Status::Critical => "critical",
        Status::NotAvailable => "missing",
    };
    let why = kpi.why.as_ref().map_or_else(String::new, |why| format!(": {why}"));
    Cell::verdict(format!("{}{why}", kpi.status), class)
}

/// The head against its base.
pub(super) fn comparison(sources: &Sources<'_>, comparison: Option<&Comparison>) -> Section {
    let (Some(base), Some(comparison)) = (sources.base, comparison) else {
        return Section::empty(
            "No other record of this machine: `redline suite` once more, or \
             `redline report --base base.json`.",
        );
    };
    let head = [
        ("KPI", Words),
        ("base", Number),
        ("head", Number),
        ("change", Number),
        ("95 % interval", Number),
        ("verdict", Words),
    ];
    let rows = comparison.changes.iter().map(|change| {
        let class = match change.verdict {
            Verdict::Regressed => "critical",
            Verdict::Improved => "ok",
            _ => "missing",
        };
        let [_, _, percent, interval] = change.cells();
        vec![
            sources.title(&change.metric).into(),
            value(change.base, &change.unit).into(),
            value(change.head, &change.unit).into(),
            percent.into(),
            interval.into(),
            Cell::verdict(change.verdict.to_string().to_lowercase(), class),
        ]
    });
    let mut note = format!(
        "With {}. A KPI has changed where the whole 95 % interval lies beyond 3 %; one that was \
         measured once is not judged.",
        text::run(base)
    );
    if !comparison.same_machine {
        note += " The records are of two machines: only the shares of each machine's own ceiling \
                 are judged.";
    }
    Section { note, table: Table::new("Head and base", &head).with(rows).filled() }
}

/// Ours beside other programs', as the peers' scripts have measured it.
pub(super) fn peers(peers: Option<&Peers>, cpu_model: &str) -> Section {
    let runs: Vec<_> = peers.iter().flat_map(|peers| peers.seen_from(cpu_model)).collect();
    let head = [
        ("case", Words),
        ("peer", Words),
        ("theirs", Number),
        ("redline", Number),
        ("times better", Number),
        ("in single rounds", Number),
    ];
    let rows = runs.iter().flat_map(|run| &run.rows).map(|row| {
        let class = if row.ratio >= 1.0 { "ok" } else { "warn" };
        let range = row.ratio_low.zip(row.ratio_high);
        vec![
            row.case.clone().into(),
            row.peer.clone().into(),
            text::value(row.theirs, &row.unit).into(),
            text::value(row.ours, &row.unit).into(),
            Cell::verdict(format!("{}x", digits(row.ratio)), class),
            range
                .map_or("-".to_owned(), |(low, high)| {
                    format!("{} to {}", digits(low), digits(high))
                })
                .into(),
        ]
    });
    let Some(table) = Table::new("Ours and theirs", &head).with(rows).filled() else {
        return Section::empty("No peer was measured here: `scripts/peers/run` does it.");
    };
    let run = |run: &&crate::PeerRun| {
        let elsewhere = if run.machine == cpu_model { "" } else { ", another machine" };
        format!("{} on {}, {}{elsewhere}", run.script, run.machine, text::time(&run.measured_at))
    };
    let runs: Vec<String> = runs.iter().map(run).collect();
    Section { note: format!("Both sides in one run: {}.", runs.join("; ")), table: Some(table) }
}

/// What heap profiles counted, and what the run took.
pub(super) fn heap(profiles: &[HeapProfile], record: &RunRecord) -> Section {
    let memory =
        record.kpis.iter().filter(|kpi| kpi.name.starts_with("memory_") && kpi.unit == "GB");
    let memory: Vec<String> =
        memory.filter_map(|kpi| Some(format!("{} {} GB", kpi.title, digits(kpi.value?)))).collect();
    let of_run = match memory.is_empty() {
        true => String::new(),
        false => format!(" The run itself: {}.", memory.join(", ")),
    };
    let head = [
        ("case", Words),
        ("bytes", Number),
        ("blocks", Number),
        ("of", Words),
        ("most from", Words),
        ("share", Number),
    ];
    let rows = profiles.iter().map(|profile| {
        let (place, share) = match &profile.place {
            Some((place, percent)) => (place.clone(), format!("{percent:.1} %")),
            None => ("-".to_owned(), "-".to_owned()),
        };
        vec![
            profile.name.clone().into(),
            text::count(profile.bytes).into(),
            text::count(profile.blocks).into(),
            if profile.is_per_call { "a call" } else { "the run" }.into(),
            place.into(),
            share.into(),
        ]
    });
    match Table::new("Heap of bench cases", &head).with(rows).filled() {
        Some(table) => Section {
            note: format!("Counted exactly, by `redline profile --kind heap`.{of_run}"),
            table: Some(table),
        },
        None => Section::empty(format!(
            "No heap profile in `profiles`: `redline profile features/rolling/mean-of-a-day --kind \
             heap` makes one, `scripts/profile --heap` makes all.{of_run}"
        )),
    }
}

/// Alerts that fired, or that none did.
pub(super) fn alerts(watch: Option<&Watch<'_>>) -> Section {
    let Some(Watch { alerts, source }) = watch else {
        return Section::empty(
            "This record was not watched: `redline suite` of this version keeps its alerts, or \
             `redline report --monitor usage.json` shows those of `redline monitor --json \
             usage.json`.",
        );
    };
    let head = [
        ("rule", Words),
        ("state", Words),
        ("since", Number),
        ("last value", Number),
        ("threshold", Number),
    ];
    let number = |value: Option<f64>| value.map_or_else(|| "-".to_owned(), text::short);
    let rows = alerts.iter().filter(|alert| alert.has_fired()).map(|alert| {
        vec![
            alert.rule.clone().into(),
            Cell::verdict(alert.state.to_string(), "critical"),
            format!("{:.1} s", alert.since).into(),
            number(alert.value).into(),
            number(alert.threshold).into(),
        ]
    });
    let rules: Vec<&str> = alerts.iter().map(|alert| alert.rule.as_str()).collect();
    let table = Table::new("Alerts that fired", &head).with(rows).filled();
    let lead = if table.is_some() { "Fired" } else { "None fired" };
    Section { note: format!("{lead}. Rules that watched {source}: {}.", rules.join(", ")), table }
}

/// Figures of the code's quality.
pub(super) fn quality(quality: Option<&Quality>) -> Section {
    let head = [("figure", Words), ("value", Number), ("target", Number), ("status", Words)];
    let kpis = quality.map(Quality::kpis).unwrap_or_default();
    let rows = kpis.iter().map(|kpi| {
        let [value, target, ..] = cells(kpi);
        vec![kpi.title.clone().into(), value.into(), target.into(), status(kpi)]
    });
    match Table::new("Quality of the code", &head).with(rows).filled() {
        Some(table) => {
            let measured = quality.map_or_else(String::new, |quality| quality.measured());
            let note = format!("By `scripts/quality`{measured}; a missed target is a warning.");
            Section { note, table: Some(table) }
        }
        None => Section::empty(
            "No `quality.json` beside the record, in `benches/record` or in this folder: \
             `scripts/quality --json quality.json` writes one.",
        ),
    }
}
