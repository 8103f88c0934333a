//! The first screen: how fast, what is bad, what changed.

use serde::Serialize;

use super::sections::cells;
use super::trend::says;
use super::{Sources, text};
use crate::history::Course;
use crate::{Better, Comparison, Kpi, Status, Verdict, digits};

/// What a reader looks for first, where the record has it.
const HEADLINES: [&str; 4] =
    ["minute_year_backtest", "feature_rows_per_s", "optimization_105_pairs", "data_loading_100mb"];

/// Changes that a first screen has room for.
const MOST: usize = 4;

/// The first screen.
#[derive(Debug, Serialize)]
pub(super) struct Summary {
    class: &'static str,
    lead: &'static str,
    counts: String,
    fast: Vec<Headline>,
    bad: Vec<Item>,
    changed: Vec<Item>,
}

#[derive(Debug, Serialize)]
struct Headline {
    title: String,
    value: String,
    says: String,
}

#[derive(Debug, Serialize)]
struct Item {
    class: &'static str,
    text: String,
}

impl Item {
    fn new(class: &'static str, text: impl Into<String>) -> Self {
        Self { class, text: text.into() }
    }
}

/// Of `sources`, their comparison with the base and the courses of their history.
pub(super) fn summary(
    sources: &Sources<'_>,
    comparison: Option<&Comparison>,
    courses: &[Course],
) -> Summary {
    let kpis = &sources.head.kpis;
    let (class, lead) = verdict(kpis);
    Summary {
        class,
        lead,
        counts: counts(kpis),
        fast: headlines(kpis),
        bad: bad(sources),
        changed: changed(sources, comparison, courses),
    }
}

fn count(kpis: &[Kpi], status: Status) -> usize {
    kpis.iter().filter(|kpi| kpi.status == status).count()
}

fn verdict(kpis: &[Kpi]) -> (&'static str, &'static str) {
    match (count(kpis, Status::Critical), count(kpis, Status::Warn), count(kpis, Status::Ok)) {
        (0, 0, 0) => ("missing", "Nothing was measured"),
        (0, 0, _) => ("ok", "Nothing is beyond its target"),
        (0, ..) => ("warn", "Some figures miss their target"),
        _ => ("critical", "Some figures are critical"),
    }
}

fn counts(kpis: &[Kpi]) -> String {
    let [ok, warn, critical, missing] =
        [Status::Ok, Status::Warn, Status::Critical, Status::NotAvailable]
            .map(|status| count(kpis, status));
    format!("{ok} ok, {warn} warn, {critical} critical, {missing} not available")
}

fn headlines(kpis: &[Kpi]) -> Vec<Headline> {
    let named = HEADLINES.iter().filter_map(|name| kpis.iter().find(|kpi| kpi.name == *name));
    let named: Vec<&Kpi> = named.collect();
    let shown = if named.is_empty() { kpis.iter().collect() } else { named };
    let headline = |kpi: &Kpi| {
        let says = headroom(kpi).map(|times| format!("{times} better than its target"));
        Some(Headline {
            title: kpi.title.clone(),
            value: text::value(kpi.value?, &kpi.unit),
            says: says.unwrap_or_default(),
        })
    };
    shown.into_iter().filter_map(headline).take(HEADLINES.len()).collect()
}

/// How many times better than its target a KPI is.
pub(super) fn headroom(kpi: &Kpi) -> Option<String> {
    let (value, target) = (kpi.value?, kpi.target?);
    let times = match kpi.better {
        Better::Lower => target / value,
        Better::Higher => value / target,
    };
    times.is_finite().then(|| format!("{}x", digits(times)))
}

fn bad(sources: &Sources<'_>) -> Vec<Item> {
    let beyond = |status: Status, class| {
        let kpis = sources.head.kpis.iter().filter(move |kpi| kpi.status == status);
        kpis.map(move |kpi| {
            let [value, target, critical, _] = cells(kpi);
            let limit = match status {
                Status::Critical => format!("critical {critical}"),
                _ => format!("target {target}"),
            };
            Item::new(class, format!("{}: {value}, {limit}", kpi.title))
        })
    };
    let alerts = sources.alerts.iter().flat_map(|watch| watch.alerts);
    let alerts = alerts.filter(|alert| alert.has_fired());
    let quality = sources.quality.iter().flat_map(|quality| &quality.figures);
    let quality = quality.filter(|figure| figure.ok == Some(false));
    let mut items: Vec<Item> = beyond(Status::Critical, "critical").collect();
    items.extend(alerts.map(|a| Item::new("critical", format!("Alert {}: {}", a.rule, a.state))));
    items.extend(beyond(Status::Warn, "warn"));
    items.extend(quality.map(|f| Item::new("warn", format!("{} misses its target", f.name))));
    if items.is_empty() {
        let alerts = sources.alerts.map_or("", |_| ", and no alert fired");
        items.push(Item::new("ok", format!("Nothing: no figure misses its target{alerts}.")));
    }
    items.extend(caution(sources));
    items
}

/// What makes the figures themselves doubtful, and what is not there.
fn caution(sources: &Sources<'_>) -> Vec<Item> {
    let mut items = Vec::new();
    let probe = sources.probe.or(sources.head.probe.as_ref());
    if probe.is_some_and(|probe| !probe.noise.quiet) {
        items.push(Item::new("missing", "The machine was not quiet while it was probed."));
    }
    let missing = sources.head.kpis.iter().filter(|kpi| kpi.status == Status::NotAvailable);
    let missing: Vec<&str> = missing.map(|kpi| kpi.title.as_str()).collect();
    if !missing.is_empty() {
        items.push(Item::new("missing", format!("Not measured: {}.", missing.join(", "))));
    }
    items
}

fn changed(
    sources: &Sources<'_>,
    comparison: Option<&Comparison>,
    courses: &[Course],
) -> Vec<Item> {
    let mut items = Vec::new();
    match (sources.base, comparison) {
        (Some(base), Some(comparison)) => {
            items.extend(against(sources, comparison, &text::run(base)));
        }
        _ => items.push(Item::new("missing", "No other run of this machine to compare with.")),
    }
    let newest = courses.iter().filter_map(|course| Some((course, course.changes.last()?)));
    items.extend(newest.take(MOST).map(|(course, change)| {
        let class = if change.is_worse { "critical" } else { "ok" };
        Item::new(
            class,
            format!("{} became {}", sources.title(&course.metric), says(course, change)),
        )
    }));
    items
}

fn against(sources: &Sources<'_>, comparison: &Comparison, since: &str) -> Vec<Item> {
    let of = |verdict: Verdict, class| {
        let changes = comparison.changes.iter().filter(move |change| change.verdict == verdict);
        changes.map(move |change| {
            let percent = change.change_percent.map(|percent| format!("{percent:+.1} %"));
            let title = sources.title(&change.metric);
            Item::new(class, format!("{title}: {}", percent.unwrap_or_default()))
        })
    };
    let mut items: Vec<Item> = of(Verdict::Regressed, "critical").collect();
    items.extend(of(Verdict::Improved, "ok"));
    let more = items.len().saturating_sub(2 * MOST);
    items.truncate(2 * MOST);
    let last = match (items.len(), more) {
        (0, _) => format!("Nothing beyond noise since {since}."),
        (_, 0) => format!("Since {since}."),
        _ => format!("And {more} more since {since}."),
    };
    items.push(Item::new("missing", last));
    items
}
