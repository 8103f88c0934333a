//! One run of the suite, and all that belongs to it: as a page of HTML that needs nothing else, and
//! in short as markdown.
//!
//! | file | what it makes |
//! |---|---|
//! | `summary.rs` | the first screen: how fast, what is bad, what changed |
//! | `sections.rs` | KPIs, comparison, peers, heap, alerts, quality |
//! | `roofline.rs` | roofs, the probe's kernels and the stack's |
//! | `machine.rs` | bandwidth, latency, matrix products, ceilings |
//! | `trend.rs` | each KPI over the records of this machine, with its change points |
//! | `plot.rs`, `axis.rs`, `labels.rs` | what a picture shows, its axes, names beside its dots |
//! | `chart.rs`, `spark.rs` | pictures and small lines, drawn by plotters |
//! | `ink.rs`, `tips.rs` | the style sheet's colours in a drawing, and what its points say |
//! | `table.rs`, `text.rs` | tables and numbers as a reader wants them |
//! | `templates/` | the page, its parts, its style and its script; the markdown |
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
//!     kernels: Vec::new(),
//!     alerts: None,
//!     quality: None,
//! };
//! let html = page(&Sources {
//!     head: &record,
//!     base: None,
//!     history: std::slice::from_ref(&record),
//!     probe: None,
//!     flamegraphs: &[],
//!     flamegraphs_left_out: 0,
//!     heap: &[],
//!     peers: None,
//!     alerts: None,
//!     quality: None,
//!     command: "redline report",
//! })?;
//! assert!(html.contains("</html>"));
//! # Ok::<(), perf_gate::GateError>(())
//! ```

mod axis;
mod chart;
mod ink;
mod labels;
mod machine;
mod plot;
mod roofline;
mod sections;
mod spark;
mod summary;
mod table;
mod text;
mod tips;
mod trend;

use hw_probe::ProbeReport;
use minijinja::syntax::SyntaxConfig;
use minijinja::value::Serde;
use minijinja::{AutoEscape, Environment};
use serde::Serialize;

use self::plot::Figure;
use self::summary::Summary;
use self::table::{Kind, Section, Table};
use self::trend::Trend;
use crate::history::history;
use crate::{Alert, GateError, Kernel, Peers, Quality, RunRecord, compare, digits};

/// A flamegraph to embed.
#[derive(Debug, Clone, PartialEq)]
pub struct Flamegraph {
    /// `crate/case`.
    pub name: String,
    /// The SVG with its own script, which zooms and searches.
    pub svg: String,
    /// Where it was taken, which is not always where the record was; `None` where nobody noted it.
    pub taken: Option<Taken>,
    /// The hottest functions and their percent of all, for who cannot see the picture and for paper.
    pub hottest: Vec<(String, f64)>,
}

/// Where a profile was taken.
#[derive(Debug, Clone, PartialEq)]
pub struct Taken {
    /// The processor's name; `None` where the system does not say.
    pub cpu_model: Option<String>,
    /// Threads that run at once.
    pub threads: usize,
    /// The commit; `None` outside a repository.
    pub commit: Option<String>,
    /// Whether the folder had changes of its own.
    pub dirty: Option<bool>,
    /// How much was counted, such as `5120 samples`.
    pub counted: String,
}

/// What a heap profile counted.
#[derive(Debug, Clone, PartialEq)]
pub struct HeapProfile {
    /// `crate/case`.
    pub name: String,
    /// Bytes taken.
    pub bytes: f64,
    /// Blocks taken.
    pub blocks: f64,
    /// Whether both are of one call, else of the whole run.
    pub is_per_call: bool,
    /// The place that takes the most, and its percent of all bytes; `None` where nothing is taken.
    pub place: Option<(String, f64)>,
}

/// Alerts, and what they watched.
#[derive(Debug, Clone, Copy)]
pub struct Watch<'a> {
    /// Where every rule stood at the end.
    pub alerts: &'a [Alert],
    /// `this run`, or the document that they are from.
    pub source: &'a str,
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
    /// How many more there are than a page can hold.
    pub flamegraphs_left_out: usize,
    /// Heap profiles.
    pub heap: &'a [HeapProfile],
    /// Comparisons with other programs; `None` where nobody measured them.
    pub peers: Option<&'a Peers>,
    /// Alerts; `None` where nobody watched.
    pub alerts: Option<Watch<'a>>,
    /// Quality of the code; `None` where nobody measured it.
    pub quality: Option<&'a Quality>,
    /// The command that made the page.
    pub command: &'a str,
}

impl Sources<'_> {
    /// A metric in words.
    fn title(&self, metric: &str) -> String {
        let kpi = self.head.kpis.iter().find(|kpi| kpi.name == metric);
        kpi.map_or(metric, |kpi| kpi.title.as_str()).to_owned()
    }
}

#[derive(Serialize)]
struct Page<'a> {
    machine: &'a str,
    threads: usize,
    when: String,
    commit: String,
    summary: Summary,
    kpis: Section,
    facts: Vec<[String; 2]>,
    ceilings: Vec<[String; 2]>,
    noise: String,
    roofline: Option<Figure>,
    has_kernels: bool,
    rule: &'static str,
    figures: Vec<Figure>,
    comparison: Section,
    trends: Vec<Trend>,
    peers: Section,
    flamegraphs: Vec<Flame<'a>>,
    flamegraphs_left_out: usize,
    heap: Section,
    alerts: Section,
    quality: Section,
    command: &'a str,
    version: &'a str,
}

/// A flamegraph as tall as it draws itself.
#[derive(Serialize)]
struct Flame<'a> {
    name: &'a str,
    svg: &'a str,
    height: u32,
    /// Empty where nobody noted it.
    taken: String,
    hottest: Option<Table>,
}

impl<'a> Flame<'a> {
    fn of(flamegraph: &'a Flamegraph) -> Self {
        let Flamegraph { name, svg, taken, hottest } = flamegraph;
        let tag = svg.split_once("<svg").map_or("", |(_, tag)| tag);
        let tag = tag.split_once('>').map_or(tag, |(tag, _)| tag);
        let height = tag.split_once(" height=\"").and_then(|(_, rest)| rest.split_once('"'));
        let height = height.and_then(|(pixels, _)| pixels.parse().ok());
        let head = [("function", Kind::Words), ("of its own", Kind::Number)];
        let rows = hottest.iter().map(|(function, percent)| {
            vec![function.clone().into(), format!("{percent:.1} %").into()]
        });
        let taken = taken.as_ref().map(Taken::says).unwrap_or_default();
        let hottest = Table::new(format!("Hottest functions of {name}"), &head).with(rows).filled();
        Self { name, svg, height: height.unwrap_or(544), taken, hottest }
    }
}

impl Taken {
    fn says(&self) -> String {
        let machine = self.cpu_model.as_deref().unwrap_or("an unnamed processor");
        let commit = text::version(self.commit.as_deref(), self.dirty);
        format!("{machine}, {} threads; {commit}; {}.", self.threads, self.counted)
    }
}

/// One HTML file without any outside reference, for light and dark screens, wide and narrow, and
/// paper. A section without its source says how to get it.
///
/// # Errors
/// [`GateError::Page`] for a template that cannot be filled, or a picture that cannot be drawn.
pub fn page(sources: &Sources<'_>) -> Result<String, GateError> {
    render("page.html", sources)
}

/// The same sections in short, as markdown for a terminal or a pull request.
///
/// # Errors
/// [`GateError::Page`] for a template that cannot be filled, or a picture that cannot be drawn.
pub fn markdown(sources: &Sources<'_>) -> Result<String, GateError> {
    Ok(tidy(&render("page.md", sources)?))
}

/// One empty line at most between two others, as markdown wants it.
fn tidy(text: &str) -> String {
    let mut tidy = String::with_capacity(text.len());
    for line in text.trim().lines().map(str::trim_end) {
        if !line.is_empty() || !tidy.ends_with("\n\n") {
            tidy += line;
            tidy.push('\n');
        }
    }
    tidy
}

const TEMPLATES: [(&str, &str); 8] = [
    ("page.html", include_str!("templates/page.html")),
    ("style.css", include_str!("templates/style.css")),
    ("table.html", include_str!("templates/table.html")),
    ("tips.html", include_str!("templates/tips.html")),
    ("tips.js", include_str!("templates/tips.js")),
    ("figure.html", include_str!("templates/figure.html")),
    ("history.html", include_str!("templates/history.html")),
    ("page.md", include_str!("templates/page.md")),
];

fn render(name: &str, sources: &Sources<'_>) -> Result<String, GateError> {
    let mut templates = Environment::new();
    templates.set_auto_escape_callback(|name| {
        if name.ends_with(".html") { AutoEscape::Html } else { AutoEscape::None }
    });
    let syntax = SyntaxConfig::builder().trim_blocks(true).lstrip_blocks(true).build();
    templates.set_syntax(syntax.map_err(failed)?);
    templates.add_filter("code", code);
    let added =
        TEMPLATES.iter().try_for_each(|(name, source)| templates.add_template(name, source));
    let gathered = gather(sources)?;
    let rendered = added
        .and_then(|()| templates.get_template(name))
        .and_then(|template| template.render(Serde(&gathered)));
    rendered.map_err(failed)
}

fn failed(why: minijinja::Error) -> GateError {
    GateError::Page(why.to_string())
}

/// A note in pieces, every second of which is code.
fn code(note: &str) -> Vec<String> {
    note.split('`').map(str::to_owned).collect()
}

fn gather<'a>(sources: &Sources<'a>) -> Result<Page<'a>, GateError> {
    let head = sources.head;
    let probe = sources.probe.or(head.probe.as_ref());
    let comparison = sources.base.map(|base| compare(&base.into(), &head.into()));
    let comparison = comparison.as_ref();
    let courses = history(sources.history);
    let roofline = probe.map(|probe| roofline::roofline(probe, &head.kernels).figure());
    Ok(Page {
        machine: &head.machine.cpu_model,
        threads: head.machine.threads,
        when: text::time(&head.started_at),
        commit: text::version(head.commit.as_deref(), head.dirty),
        summary: summary::summary(sources, comparison, &courses),
        kpis: sections::kpis(head),
        facts: facts(head),
        ceilings: probe.map(|probe| machine::ceilings(&probe.ceilings())).unwrap_or_default(),
        noise: probe.map(machine::noise).unwrap_or_default(),
        roofline: roofline.transpose()?.flatten(),
        has_kernels: !head.kernels.is_empty(),
        rule: Kernel::RULE,
        figures: probe.map(figures).transpose()?.unwrap_or_default(),
        comparison: sections::comparison(sources, comparison),
        trends: trend::trends(&courses, |metric| sources.title(metric))?,
        peers: sections::peers(sources.peers, &head.machine.cpu_model),
        flamegraphs: sources.flamegraphs.iter().map(Flame::of).collect(),
        flamegraphs_left_out: sources.flamegraphs_left_out,
        heap: sections::heap(sources.heap, head),
        alerts: sections::alerts(sources.alerts.as_ref()),
        quality: sections::quality(sources.quality),
        command: sources.command,
        version: &head.version,
    })
}

/// The command, whose program's folder is nobody else's business.
fn command(record: &RunRecord) -> String {
    let mut words = record.command.clone();
    if let Some(program) = words.first_mut() {
        let name = std::path::Path::new(&*program).file_name();
        *program = name.map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
    }
    words.join(" ")
}

fn facts(record: &RunRecord) -> Vec<[String; 2]> {
    let machine = &record.machine;
    let memory = |bytes: u64| format!("{} GiB", digits(bytes as f64 / (1_u64 << 30) as f64));
    let rows = [
        ("Processor", Some(machine.cpu_model.clone())),
        ("Cores, threads", Some(format!("{}, {}", machine.cores, machine.threads))),
        ("Memory", machine.memory_bytes.map(memory)),
        ("System", Some(machine.os.clone())),
        ("Hypervisor", machine.hypervisor.clone()),
        ("Instruction sets", Some(machine.isa.join(", "))),
        ("Fingerprint", Some(machine.fingerprint.clone())),
        ("Commit", Some(text::version(record.commit.as_deref(), record.dirty))),
        ("Command", Some(command(record))),
    ];
    let known = rows.into_iter().filter_map(|(name, value)| Some([name.to_owned(), value?]));
    known.collect()
}

fn figures(probe: &ProbeReport) -> Result<Vec<Figure>, GateError> {
    let plots = [machine::staircase(probe), machine::latency(probe), machine::products(probe)];
    plots.into_iter().filter_map(|plot| plot.figure().transpose()).collect()
}

#[cfg(test)]
mod tests;
