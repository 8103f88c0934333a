//! One run of the suite, and all that belongs to it, as a page of HTML that needs nothing else.
//!
//! | file | what it makes |
//! |---|---|
//! | `machine.rs` | the probe: roofline, staircase, latency, matrix products, ceilings |
//! | `trend.rs` | each KPI over the records of this machine |
//! | `plot.rs` | paths over logarithmic axes |
//! | `page.html` | the template: light, dark, narrow and on paper |
//!
//! ```
//! use perf_gate::page::{Sources, page};
//! use perf_gate::{RunRecord, SCHEMA};
//!
//! let record = RunRecord {
//!     schema: SCHEMA.to_owned(),
//!     machine: hw_probe::machine(),
//!     commit: None,
//!     dirty: None,
//!     version: "1.0.0".to_owned(),
//!     command: Vec::new(),
//!     started_at: "2026-01-31T12:00:00Z".to_owned(),
//!     kpis: Vec::new(),
//!     probe: None,
//! };
//! let html = page(&Sources {
//!     head: &record,
//!     base: None,
//!     history: std::slice::from_ref(&record),
//!     probe: None,
//!     flamegraphs: &[],
//!     tables: &[],
//!     command: "redline report",
//! })?;
//! assert!(html.contains("</html>"));
//! # Ok::<(), perf_gate::GateError>(())
//! ```

mod machine;
mod plot;
mod trend;

use hw_probe::ProbeReport;
use minijinja::value::Serde;
use minijinja::{AutoEscape, Environment};
use serde::Serialize;

use self::plot::Figure;
use self::trend::Trend;
use crate::{GateError, Kpi, RunRecord, Status, compare, digits};

/// A flamegraph to embed.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Flamegraph {
    /// `crate/case`.
    pub name: String,
    /// The SVG with its own script, which zooms and searches.
    pub svg: String,
}

/// A table that is shown as it is: heap profiles, alerts, quality.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Table {
    /// Heading.
    pub title: String,
    /// What the rows are; or, without rows, how to get them.
    pub note: String,
    /// Names of the columns; the first column holds words, the others numbers.
    pub head: Vec<String>,
    /// As many cells a row as there are names.
    pub rows: Vec<Vec<String>>,
}

/// What a page is made of.
#[derive(Debug, Clone, Copy)]
pub struct Sources<'a> {
    /// The run.
    pub head: &'a RunRecord,
    /// The run to compare it with.
    pub base: Option<&'a RunRecord>,
    /// Records of the head's machine, oldest first, the head among them.
    pub history: &'a [RunRecord],
    /// A probe of the head's machine that says more than the record's own.
    pub probe: Option<&'a ProbeReport>,
    /// Flamegraphs.
    pub flamegraphs: &'a [Flamegraph],
    /// Further tables, in their order.
    pub tables: &'a [Table],
    /// The command that made the page.
    pub command: &'a str,
}

#[derive(Serialize)]
struct Page<'a> {
    subtitle: String,
    verdict: Verdict,
    facts: Vec<[String; 2]>,
    kpis: Vec<Row>,
    ceilings: Vec<[String; 2]>,
    figures: Vec<Figure>,
    noise: Option<String>,
    base: Option<Base>,
    trends: Vec<Trend>,
    flamegraphs: &'a [Flamegraph],
    tables: &'a [Table],
    command: &'a str,
    version: &'a str,
}

#[derive(Serialize)]
struct Verdict {
    class: &'static str,
    text: String,
}

#[derive(Serialize)]
struct Row {
    title: String,
    cells: [String; 4],
    headroom: String,
    class: &'static str,
    status: String,
    why: Option<String>,
}

#[derive(Serialize)]
struct Base {
    commit: String,
    started_at: String,
    same_machine: bool,
    rows: Vec<Changed>,
}

#[derive(Serialize)]
struct Changed {
    metric: String,
    cells: [String; 4],
    verdict: String,
    class: &'static str,
}

/// One HTML file without any outside reference, for light and dark screens, wide and narrow, and
/// paper. A section without its source says how to get it.
///
/// # Errors
/// [`GateError::Page`] for a template that cannot be filled.
pub fn page(sources: &Sources<'_>) -> Result<String, GateError> {
    let head = sources.head;
    let probe = sources.probe.or(head.probe.as_ref());
    let page = Page {
        subtitle: format!("{}, {}", head.machine.cpu_model, head.started_at),
        verdict: verdict(&head.kpis),
        facts: facts(head),
        kpis: head.kpis.iter().map(row).collect(),
        ceilings: probe.map(|probe| machine::ceilings(&probe.ceilings())).unwrap_or_default(),
        figures: probe.map(figures).unwrap_or_default(),
        noise: probe.map(noise),
        base: sources.base.map(|base| changes(base, head)),
        trends: trend::trends(sources.history),
        flamegraphs: sources.flamegraphs,
        tables: sources.tables,
        command: sources.command,
        version: &head.version,
    };
    let mut templates = Environment::new();
    templates.set_auto_escape_callback(|_| AutoEscape::Html);
    let rendered = templates
        .add_template("page", include_str!("page.html"))
        .and_then(|()| templates.get_template("page"))
        .and_then(|template| template.render(Serde(&page)));
    rendered.map_err(|why| GateError::Page(why.to_string()))
}

fn verdict(kpis: &[Kpi]) -> Verdict {
    let count = |status| kpis.iter().filter(|kpi| kpi.status == status).count();
    let [ok, warn, critical] = [Status::Ok, Status::Warn, Status::Critical].map(count);
    let missing = count(Status::NotAvailable);
    let (class, lead) = match (critical, warn) {
        (0, 0) => ("ok", "Nothing is beyond its target"),
        (0, _) => ("warn", "Some figures miss their target"),
        _ => ("critical", "Some figures are critical"),
    };
    let text =
        format!("{lead}: {ok} ok, {warn} warn, {critical} critical, {missing} not available");
    Verdict { class, text }
}

fn facts(record: &RunRecord) -> Vec<[String; 2]> {
    let machine = &record.machine;
    let memory = |bytes: u64| format!("{} GiB", digits(bytes as f64 / (1_u64 << 30) as f64));
    let commit = record.commit.as_ref().map(|commit| {
        let dirty = if record.dirty == Some(true) { ", with changes of its own" } else { "" };
        format!("{}{dirty}", commit.get(..12).unwrap_or(commit))
    });
    let rows = [
        ("Processor", Some(machine.cpu_model.clone())),
        ("Cores, threads", Some(format!("{}, {}", machine.cores, machine.threads))),
        ("Memory", machine.memory_bytes.map(memory)),
        ("System", Some(machine.os.clone())),
        ("Hypervisor", machine.hypervisor.clone()),
        ("Instruction sets", Some(machine.isa.join(", "))),
        ("Fingerprint", Some(machine.fingerprint.clone())),
        ("Commit", commit),
        ("Command", Some(record.command.join(" "))),
    ];
    let known = rows.into_iter().filter_map(|(name, value)| Some([name.to_owned(), value?]));
    known.collect()
}

fn row(kpi: &Kpi) -> Row {
    let class = match kpi.status {
        Status::Ok => "ok",
        Status::Warn => "warn",
        Status::Critical => "critical",
        Status::NotAvailable => "missing",
    };
    Row {
        title: kpi.title.clone(),
        cells: kpi.cells(),
        headroom: headroom(kpi).unwrap_or_else(|| "-".to_owned()),
        class,
        status: kpi.status.to_string(),
        why: kpi.why.clone(),
    }
}

/// How many times better than its target a KPI is.
fn headroom(kpi: &Kpi) -> Option<String> {
    let (value, target) = (kpi.value?, kpi.target?);
    let times = match kpi.better {
        crate::Better::Lower => target / value,
        crate::Better::Higher => value / target,
    };
    times.is_finite().then(|| format!("{}x", digits(times)))
}

fn figures(probe: &ProbeReport) -> Vec<Figure> {
    let plots = [
        machine::roofline(probe),
        machine::staircase(probe),
        machine::latency(probe),
        machine::products(probe),
    ];
    plots.into_iter().filter_map(plot::Plot::figure).collect()
}

fn noise(probe: &ProbeReport) -> String {
    if probe.noise.quiet {
        return "The machine was quiet while it was probed.".to_owned();
    }
    let disturbed = &probe.noise.disturbed;
    let (count, first) = (disturbed.len(), disturbed.iter().take(3));
    let what = first.map(String::as_str).collect::<Vec<_>>().join("; ");
    let more = if count > 3 { "; ..." } else { "" };
    format!(
        "The machine was not quiet while it was probed: {count} measurements stayed disturbed \
         ({what}{more}). Read the ceilings with care."
    )
}

fn changes(base: &RunRecord, head: &RunRecord) -> Base {
    let comparison = compare(&base.into(), &head.into());
    let rows = comparison.changes.iter().map(|change| {
        let class = match change.verdict {
            crate::Verdict::Regressed => "critical",
            crate::Verdict::Improved => "ok",
            _ => "missing",
        };
        let verdict = change.verdict.to_string().to_lowercase();
        Changed { metric: change.metric.clone(), cells: change.cells(), verdict, class }
    });
    let commit = base.commit.as_deref().unwrap_or("unknown");
    Base {
        commit: commit.get(..12).unwrap_or(commit).to_owned(),
        started_at: base.started_at.clone(),
        same_machine: comparison.same_machine,
        rows: rows.collect(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Better, Measured, SCHEMA};

    fn record(value: f64) -> RunRecord {
        let spec = crate::KpiSpec {
            name: "k".to_owned(),
            title: "<b>K & co</b>".to_owned(),
            unit: "s".to_owned(),
            better: Better::Lower,
            target: Some(5.0),
            critical: Some(10.0),
            share_of_memory: None,
        };
        let samples = [1.0, 1.01, 0.99].map(|noise| noise * value).to_vec();
        RunRecord {
            schema: SCHEMA.to_owned(),
            machine: hw_probe::machine(),
            commit: Some("0123456789abcdef".to_owned()),
            dirty: Some(false),
            version: "1.2.3".to_owned(),
            command: vec!["redline".to_owned(), "suite".to_owned()],
            started_at: "2026-01-02T03:04:05Z".to_owned(),
            kpis: vec![spec.judge(Measured::Samples(samples), None, 24.0)],
            probe: None,
        }
    }

    fn sources<'a>(head: &'a RunRecord, history: &'a [RunRecord]) -> Sources<'a> {
        Sources {
            head,
            base: None,
            history,
            probe: None,
            flamegraphs: &[],
            tables: &[],
            command: "redline report",
        }
    }

    #[test]
    fn a_page_needs_nothing_else_and_escapes_what_it_is_given() {
        let head = record(2.0);
        let text = page(&sources(&head, &[])).unwrap();
        assert!(text.contains("&lt;b&gt;K &amp; co&lt;&#x2f;b&gt;"), "{text}");
        assert!(!text.contains("<b>K"));
        assert!(!text.contains("http") && !text.contains("<link"), "an outside reference");
        assert!(text.contains("prefers-color-scheme: dark") && text.contains("2.50x"));
        for section in ["kpis", "ceilings", "comparison", "history", "flamegraphs"] {
            assert!(text.contains(&format!("id=\"{section}\"")), "no section {section}");
        }
        assert!(text.contains("redline probe --json"), "how to get what is missing");
    }

    #[test]
    fn verdicts_are_the_worst_of_the_figures() {
        let of = |values: &[f64]| {
            let kpis: Vec<Kpi> = values.iter().map(|&value| record(value).kpis.remove(0)).collect();
            verdict(&kpis).class
        };
        assert_eq!([of(&[1.0]), of(&[1.0, 7.0]), of(&[7.0, 11.0])], ["ok", "warn", "critical"]);
    }

    #[test]
    fn a_base_is_compared_and_records_make_a_trend() {
        let records = [record(1.0), record(2.0)];
        let with_base =
            Sources { base: Some(&records[0]), ..sources(&records[1], records.as_slice()) };
        let text = page(&with_base).unwrap();
        assert!(text.contains("regressed") && text.contains("+100.0 %"), "{text}");
        assert!(text.contains("2 records"));
    }

    #[test]
    fn flamegraphs_and_tables_are_embedded() {
        let head = record(1.0);
        let svg = "<svg onload=\"init(evt)\"><script>zoom('#')</script></svg>".to_owned();
        let flamegraphs = [Flamegraph { name: "backtest/simulate".to_owned(), svg }];
        let tables = [Table {
            title: "Alerts".to_owned(),
            note: "none fired".to_owned(),
            head: vec!["rule".to_owned()],
            rows: vec![vec!["cpu".to_owned()]],
        }];
        let with_both =
            Sources { flamegraphs: &flamegraphs, tables: &tables, ..sources(&head, &[]) };
        let text = page(&with_both).unwrap();
        assert!(text.contains("data:image/svg+xml,%3Csvg"), "{text}");
        assert!(!text.contains("<script>zoom"), "a picture's script runs in its own frame only");
        assert!(text.contains("Alerts") && text.contains("none fired"));
    }
}
