//! A feature beside the price, as an SVG that needs nothing else: `redline features --plot`.

use anyhow::{Context, Result};
use market_data::BarsView;
use minijinja::value::Serde;
use serde::Serialize;

use crate::chart::{self, Chart, Drawing, Series, short};

/// Heights of a panel that stands alone, of the price above a feature, and of that feature.
const ALONE: f64 = 440.0;
const ABOVE: f64 = 300.0;
const BELOW: f64 = 220.0;
/// Room for a panel's title, and for its keys below that.
const TITLE: f64 = 36.0;
const KEYS: f64 = 20.0;

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
    head: f64,
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
    let note = chart::span(times);
    let mut picture = Picture { title: name, width: chart::WIDTH, height: 0.0, panels: Vec::new() };
    if columns.iter().all(|(_, values)| follows(values, bars.close)) {
        let over: Vec<_> = std::iter::once(close).chain(lines).collect();
        picture.add(name, note, ALONE, times, &over);
    } else {
        let below: Vec<_> = lines.collect();
        picture.add("close", note, ABOVE, times, &[close]);
        picture.add(name, String::new(), BELOW, times, &below);
    }
    let mut environment = minijinja::Environment::new();
    environment.add_template("chart.svg", chart::TEMPLATE)?;
    environment.add_template("plot.svg", include_str!("plot.svg"))?;
    let template = environment.get_template("plot.svg")?;
    template.render(Serde(picture)).context("the picture could not be made")
}

impl Picture<'_> {
    /// Adds a panel below the others.
    fn add(
        &mut self,
        title: &str,
        note: String,
        height: f64,
        timestamps: &[i64],
        series: &[Series<'_>],
    ) {
        let chart = Drawing { title, note, height, timestamps, series, orders: &[], label: short };
        // The title says it, where there is one line alone.
        let named = if let [_] = series { &[] } else { series };
        let mut left = chart::LEFT;
        let mut keys = Vec::with_capacity(named.len());
        for series in named {
            keys.push(Key { left, class: series.class, name: series.name.to_owned() });
            left += 42.0 + 7.0 * series.name.chars().count() as f64;
        }
        let head = if keys.is_empty() { TITLE } else { TITLE + KEYS };
        self.panels.push(Panel { top: self.height, head, keys, chart: chart.chart() });
        self.height += head + height;
    }
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
