//! A feature beside the price, as an SVG that needs nothing else: `redline features --plot`.

use anyhow::{Context, Result};
use market_data::BarsView;
use minijinja::value::Serde;
use serde::Serialize;

use crate::chart::{self, Chart, Drawing, Series, grouped, short};
use crate::values;

/// Heights of a panel that stands alone, of the price above a feature, and of that feature.
const ALONE: f64 = 440.0;
const ABOVE: f64 = 300.0;
const BELOW: f64 = 220.0;
/// Room for a panel's title and keys.
const HEAD: f64 = 40.0;

/// The colours of a feature's columns, in turn.
const LINES: [&str; 4] = ["line0", "line1", "line2", "line3"];

/// A feature is drawn over the price where it is, in the mean, no further from it than this share.
const NEAR: f64 = 0.1;

#[derive(Serialize)]
struct Picture<'a> {
    title: &'a str,
    width: f64,
    height: f64,
    panels: Vec<Panel>,
}

#[derive(Serialize)]
struct Panel {
    top: f64,
    keys: Vec<Key>,
    chart: Chart,
}

#[derive(Serialize)]
struct Key {
    left: f64,
    class: &'static str,
    name: String,
}

/// The close of `bars` and, over it or below it, the columns of the feature called `name`.
pub(crate) fn svg(name: &str, bars: BarsView<'_>, columns: &[(&str, &[f64])]) -> Result<String> {
    let close = Series { class: "price", name: "close", values: bars.close, is_area: false };
    let lines = columns.iter().zip(LINES.iter().cycle()).map(|(&(name, values), &class)| Series {
        class,
        name,
        values,
        is_area: false,
    });
    let times = bars.timestamp;
    let note = format!(
        "{} bars from {} to {}",
        grouped(times.len()),
        values::time(times[0]),
        values::time(times[times.len() - 1])
    );
    let panels = if columns.iter().all(|(_, values)| follows(values, bars.close)) {
        let over: Vec<_> = std::iter::once(close).chain(lines).collect();
        vec![panel(name, note, 0.0, ALONE, times, &over)]
    } else {
        let below: Vec<_> = lines.collect();
        let top = HEAD + ABOVE;
        vec![
            panel("close", note, 0.0, ABOVE, times, &[close]),
            panel(name, String::new(), top, BELOW, times, &below),
        ]
    };
    let height = HEAD * panels.len() as f64 + if panels.len() == 1 { ALONE } else { ABOVE + BELOW };
    let mut environment = minijinja::Environment::new();
    environment.add_template("chart.svg", chart::TEMPLATE)?;
    environment.add_template("plot.svg", include_str!("plot.svg"))?;
    let picture = Picture { title: name, width: chart::WIDTH, height, panels };
    let template = environment.get_template("plot.svg")?;
    template.render(Serde(picture)).context("the picture could not be made")
}

fn panel(
    title: &str,
    note: String,
    top: f64,
    height: f64,
    timestamps: &[i64],
    series: &[Series<'_>],
) -> Panel {
    // The title says it, where there is one line alone.
    let named = if let [_] = series { &[] } else { series };
    let mut left = 0.45 * chart::WIDTH - 90.0 * named.len() as f64 / 2.0;
    let mut keys = Vec::with_capacity(named.len());
    for series in named {
        keys.push(Key { left, class: series.class, name: series.name.to_owned() });
        left += 42.0 + 7.0 * series.name.chars().count() as f64;
    }
    let chart = Drawing { title, note, height, timestamps, series, orders: &[], label: short };
    Panel { top: top + HEAD, keys, chart: chart.chart() }
}

/// Whether `values` are a price near `close`, such as an average's or a band's.
fn follows(values: &[f64], close: &[f64]) -> bool {
    let (mut apart, mut size) = (0.0, 0.0);
    for (value, close) in values.iter().zip(close).filter(|(value, _)| value.is_finite()) {
        apart += (value - close).abs();
        size += close.abs();
    }
    apart < NEAR * size
}
