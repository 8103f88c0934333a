//! Lines over time, as the paths of an SVG: of a run's page, and of a feature beside the price.

use std::fmt::Write as _;

use jiff::civil::DateTime;
use jiff::tz::TimeZone;
use jiff::{Timestamp, ToSpan};
use serde::Serialize;

use crate::values;

/// Size of a picture and of the plot within it, in its own units.
pub(crate) const WIDTH: f64 = 1_000.0;
pub(crate) const LEFT: f64 = 64.0;
const RIGHT: f64 = 8.0;
const TOP: f64 = 8.0;
const BOTTOM: f64 = 24.0;

/// The lines, marks and axes of a [`Chart`], for the inside of an `<svg>`; its colours are the frame's.
pub(crate) const TEMPLATE: &str = include_str!("chart.svg");

/// Columns into which a line is thinned: its lowest and highest bar of each are kept.
const COLUMNS: usize = 900;

/// A picture, ready for the template.
#[derive(Debug, Serialize)]
pub(crate) struct Chart {
    title: String,
    note: String,
    width: f64,
    height: f64,
    left: f64,
    right: f64,
    top: f64,
    bottom: f64,
    x_ticks: Vec<Tick>,
    y_ticks: Vec<Tick>,
    lines: Vec<Line>,
    marks: Vec<Mark>,
}

#[derive(Debug, Serialize)]
struct Tick {
    at: String,
    text: String,
}

#[derive(Debug, Serialize)]
struct Line {
    class: &'static str,
    name: String,
    path: String,
}

#[derive(Debug, Serialize)]
struct Mark {
    class: &'static str,
    name: &'static str,
    path: String,
}

/// One series of a picture; NaN leaves a gap.
pub(crate) struct Series<'a> {
    pub(crate) class: &'static str,
    pub(crate) name: &'a str,
    pub(crate) values: &'a [f64],
    /// Whether the space up to 0 is filled.
    pub(crate) is_area: bool,
}

/// What a picture is drawn from.
pub(crate) struct Drawing<'a> {
    pub(crate) title: &'a str,
    pub(crate) note: String,
    pub(crate) height: f64,
    pub(crate) timestamps: &'a [i64],
    pub(crate) series: &'a [Series<'a>],
    /// Orders: bar, price, whether it buys.
    pub(crate) orders: &'a [(usize, f64, bool)],
    /// How a value is written at the axis.
    pub(crate) label: Label,
}

/// Writes a value at an axis whose ticks are so far apart.
pub(crate) type Label = fn(value: f64, step: f64) -> String;

/// Where values land in the picture.
struct Scale {
    from: f64,
    to: f64,
    low: f64,
    high: f64,
    height: f64,
}

impl Scale {
    fn x(&self, time: i64) -> f64 {
        let share = (time as f64 - self.from) / (self.to - self.from).max(1.0);
        LEFT + share * (WIDTH - LEFT - RIGHT)
    }

    fn y(&self, value: f64) -> f64 {
        let share = (value - self.low) / (self.high - self.low);
        self.height - BOTTOM - share * (self.height - TOP - BOTTOM)
    }
}

impl Drawing<'_> {
    pub(crate) fn chart(self) -> Chart {
        let scale = self.scale();
        let lines = self.series.iter().map(|series| Line {
            class: series.class,
            name: series.name.to_owned(),
            path: path(series, self.timestamps, &scale),
        });
        let step = step(scale.low, scale.high);
        let y_ticks = ticks(scale.low, scale.high, step)
            .map(|value| Tick { at: number(scale.y(value)), text: (self.label)(value, step) });
        let x_ticks = dates(self.timestamps)
            .into_iter()
            .map(|(time, text)| Tick { at: number(scale.x(time)), text });
        let mark = |class, name, buys: bool| Mark {
            class,
            name,
            path: triangles(self.orders, buys, self.timestamps, &scale),
        };
        let marks = if self.orders.is_empty() {
            Vec::new()
        } else {
            vec![mark("buy", "buy", true), mark("sell", "sell", false)]
        };
        Chart {
            title: self.title.to_owned(),
            note: self.note,
            width: WIDTH,
            height: self.height,
            left: LEFT,
            right: WIDTH - RIGHT,
            top: TOP,
            bottom: self.height - BOTTOM,
            x_ticks: x_ticks.collect(),
            y_ticks: y_ticks.collect(),
            lines: lines.collect(),
            marks,
        }
    }

    fn scale(&self) -> Scale {
        let values = || self.series.iter().flat_map(|series| series.values);
        let finite = || values().copied().filter(|value| value.is_finite());
        let mut low = finite().fold(f64::INFINITY, f64::min);
        let mut high = finite().fold(f64::NEG_INFINITY, f64::max);
        if self.series.iter().any(|series| series.is_area) {
            high = high.max(0.0);
        }
        if low > high {
            (low, high) = (0.0, 1.0);
        }
        let margin = if high > low { 0.03 * (high - low) } else { high.abs().max(1.0) * 0.05 };
        let (from, to) = (self.timestamps[0], self.timestamps[self.timestamps.len() - 1]);
        let (from, to) = (from as f64, to as f64);
        Scale { from, to, low: low - margin, high: high + margin, height: self.height }
    }
}

fn number(value: f64) -> String {
    format!("{value:.1}")
}

/// The path of a series, thinned to the lowest and highest of each column.
fn path(series: &Series<'_>, timestamps: &[i64], scale: &Scale) -> String {
    let mut path = String::new();
    let mut is_down = false;
    let (mut first, mut last) = (None, 0);
    for bar in thinned(series.values) {
        let value = series.values[bar];
        if !value.is_finite() {
            is_down = false;
            continue;
        }
        let (x, y) = (scale.x(timestamps[bar]), scale.y(value));
        // A line of no length, whose round ends are a dot: a bar between gaps is seen.
        let (command, dot) = if is_down { ('L', "") } else { ('M', "h0") };
        write!(path, "{command}{x:.1} {y:.1}{dot}").unwrap_or_default();
        is_down = true;
        first.get_or_insert(bar);
        last = bar;
    }
    if let (true, Some(first)) = (series.is_area, first) {
        let (from, to, zero) =
            (scale.x(timestamps[first]), scale.x(timestamps[last]), scale.y(0.0));
        write!(path, "L{to:.1} {zero:.1}L{from:.1} {zero:.1}Z").unwrap_or_default();
    }
    path
}

/// Bars that a picture can show of `values`: of each column the first, lowest, highest and last, and one
/// that is missing, where a gap is as wide as the column.
fn thinned(values: &[f64]) -> Vec<usize> {
    let size = values.len().div_ceil(COLUMNS);
    let mut bars = Vec::with_capacity(4 * COLUMNS);
    for start in (0..values.len()).step_by(size.max(1)) {
        let end = (start + size).min(values.len());
        let there = || (start..end).filter(|&bar| values[bar].is_finite());
        let by_value = |a: &usize, b: &usize| values[*a].total_cmp(&values[*b]);
        let extremes = there().min_by(by_value).zip(there().max_by(by_value));
        let ends = there().next().zip(there().next_back());
        let Some(((low, high), (first, last))) = extremes.zip(ends) else {
            bars.push(start);
            continue;
        };
        let mut column = [first, low, high, last];
        column.sort_unstable();
        bars.extend(column);
    }
    bars.dedup();
    bars
}

/// Small triangles at orders: below the price pointing up for buys, above it pointing down for
/// sells.
fn triangles(
    orders: &[(usize, f64, bool)],
    buys: bool,
    timestamps: &[i64],
    scale: &Scale,
) -> String {
    let sign = if buys { 1.0 } else { -1.0 };
    let mut path = String::new();
    for &(bar, price, _) in orders.iter().filter(|order| order.2 == buys) {
        let (x, y) = (scale.x(timestamps[bar]), scale.y(price) + sign * 3.0);
        let (base, left, right) = (y + sign * 8.0, x - 4.5, x + 4.5);
        write!(path, "M{x:.1} {y:.1}L{left:.1} {base:.1}L{right:.1} {base:.1}Z")
            .unwrap_or_default();
    }
    path
}

/// A round step that takes some six ticks from `low` to `high`.
fn step(low: f64, high: f64) -> f64 {
    let rough = (high - low) / 8.0;
    let power = 10_f64.powf(rough.log10().floor());
    let step = [1.0, 2.0, 5.0, 10.0].map(|n| n * power).into_iter().find(|step| *step >= rough);
    step.unwrap_or(10.0 * power)
}

/// The multiples of `step` from `low` to `high`; none where numbers are too coarse for such steps.
fn ticks(low: f64, high: f64, step: f64) -> impl Iterator<Item = f64> {
    let (first, last) = ((low / step).ceil(), (high / step).floor());
    let can_be = step.is_normal() && last - first < 100.0 && first.abs().max(last.abs()) < 1e15;
    let count = if can_be { (last - first) as usize + 1 } else { 0 };
    (0..count).map(move |n| (first + n as f64) * step)
}

/// The longest span, in hours, that a step of dates serves; the step in months or hours; and how
/// a date is written.
const DATE_STEPS: [(i64, Step, &str); 8] = [
    (12, Step::Hours(1), "%H:%M"),
    (72, Step::Hours(6), "%b %-d %H:%M"),
    (10 * 24, Step::Hours(24), "%b %-d"),
    (70 * 24, Step::Hours(7 * 24), "%b %-d"),
    (400 * 24, Step::Months(1), "%b %Y"),
    (1_200 * 24, Step::Months(3), "%b %Y"),
    (4_400 * 24, Step::Months(12), "%Y"),
    (i64::MAX, Step::Months(60), "%Y"),
];

#[derive(Clone, Copy)]
enum Step {
    Hours(i64),
    Months(i32),
}

/// Round dates within the timestamps, and their texts.
fn dates(timestamps: &[i64]) -> Vec<(i64, String)> {
    let (from, to) = (timestamps[0], timestamps[timestamps.len() - 1]);
    let hours = (to - from) / 3_600_000_000_000;
    let at = DATE_STEPS.iter().position(|step| hours <= step.0).unwrap_or(DATE_STEPS.len() - 1);
    let (_, step, format) = DATE_STEPS[at];
    let Ok(start) = Timestamp::from_nanosecond(i128::from(from)) else { return Vec::new() };
    let start = start.to_zoned(TimeZone::UTC).datetime();
    let begin = match step {
        Step::Hours(_) => start.date().to_datetime(jiff::civil::Time::midnight()),
        Step::Months(_) => DateTime::constant(start.year(), 1, 1, 0, 0, 0, 0),
    };
    let mut dates = Vec::new();
    for place in 0..1_000 {
        let span = match step {
            Step::Hours(hours) => (place * hours).hours(),
            Step::Months(months) => (place as i32 * months).months(),
        };
        let Ok(date) = begin.checked_add(span) else { break };
        let Ok(zoned) = date.to_zoned(TimeZone::UTC) else { break };
        let time = zoned.timestamp().as_nanosecond();
        if time > i128::from(to) {
            break;
        }
        if time >= i128::from(from) {
            dates.push((time as i64, date.strftime(format).to_string()));
        }
    }
    dates
}

/// How many bars there are, from when to when.
pub(crate) fn span(timestamps: &[i64]) -> String {
    let [first, last] = [0, timestamps.len() - 1].map(|bar| values::time(timestamps[bar]));
    format!("{} bars from {first} to {last}", grouped(timestamps.len()))
}

/// `1234567` as `1,234,567`.
pub(crate) fn grouped(number: usize) -> String {
    let digits = number.to_string();
    let parts: Vec<&str> =
        digits.as_bytes().rchunks(3).rev().map(|p| str::from_utf8(p).unwrap_or("")).collect();
    parts.join(",")
}

/// A value as an axis has it: as many digits as tell it from the next tick, in thousands or millions
/// where it is large.
pub(crate) fn short(value: f64, step: f64) -> String {
    let (unit, ending) = match value.abs() {
        1e9.. => (1e9, "B"),
        1e6.. => (1e6, "M"),
        _ => (1.0, ""),
    };
    let value = if value.abs() < step / 2.0 { 0.0 } else { value };
    let digits = (unit / step).log10().ceil().max(0.0);
    if digits > 12.0 {
        return format!("{value:.2e}");
    }
    let text = format!("{:.*}", digits as usize, (value / unit).abs());
    let (whole, fraction) = text.split_once('.').unwrap_or((&text, ""));
    let point = if fraction.is_empty() { "" } else { "." };
    let sign = if value < 0.0 { "-" } else { "" };
    let whole = grouped(whole.parse().unwrap_or(0));
    format!("{sign}{whole}{point}{fraction}{ending}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn thinning_keeps_the_extremes_of_every_column() {
        let values: Vec<f64> = (0..100_000).map(|i| ((i * 7_919) % 10_007) as f64).collect();
        let bars = thinned(&values);
        assert!(bars.len() <= 4 * COLUMNS && bars.is_sorted());
        let best = values.iter().copied().fold(0.0, f64::max);
        assert!(bars.iter().any(|&bar| values[bar] == best));
        assert_eq!(bars.last(), Some(&(values.len() - 1)));
        assert_eq!(thinned(&[1.0, 2.0]), [0, 1]);
        let mut gaps = values.clone();
        (gaps[500], gaps[501], gaps[502]) = (f64::NAN, 1e9, f64::INFINITY);
        gaps[50_000..60_000].fill(f64::NAN);
        let bars = thinned(&gaps);
        assert!(bars.contains(&501) && !bars.contains(&500) && !bars.contains(&502));
        assert!(bars.iter().any(|bar| (50_000..60_000).contains(bar)), "a wide gap is seen");
    }

    #[test]
    fn ticks_are_round_and_within() {
        let all = |low, high| ticks(low, high, step(low, high)).collect::<Vec<f64>>();
        assert_eq!(all(3.1, 17.2), [4.0, 6.0, 8.0, 10.0, 12.0, 14.0, 16.0]);
        assert!(all(-0.21, 0.004).iter().all(|tick| (-0.21..=0.004).contains(tick)));
        for (low, high) in [(0.0, 5e-324), (1e300, 1.000_000_1e300), (f64::MIN, f64::MAX)] {
            assert!(all(low, high).len() < 100, "{low} to {high}");
        }
    }

    #[test]
    fn dates_fit_their_span() {
        let time = |text: &str| text.parse::<Timestamp>().unwrap().as_nanosecond() as i64;
        let year = dates(&[time("2019-01-01T00:00:00Z"), time("2019-12-31T23:59:00Z")]);
        assert_eq!(year.len(), 12);
        assert_eq!(year[1].1, "Feb 2019");
        let day = dates(&[time("2024-03-01T09:30:00Z"), time("2024-03-01T16:00:00Z")]);
        assert_eq!(day[0].1, "10:00");
        let decades = dates(&[time("1990-06-01T00:00:00Z"), time("2024-01-01T00:00:00Z")]);
        assert!((3..12).contains(&decades.len()), "{decades:?}");
    }

    #[test]
    fn axis_values_are_as_short_as_tell_them_apart() {
        let of_step = [
            (12_345.0, 5.0, "12,345"),
            (-5_000.0, 1_000.0, "-5,000"),
            (2.5e6, 5e5, "2.5M"),
            (-10.0, 5.0, "-10"),
            (-1e-17, 0.02, "0.00"),
            (0.06, 0.02, "0.06"),
            (60_000.5, 0.5, "60,000.5"),
            (1.2e-5, 2e-6, "0.000012"),
            (-3e-15, 1e-15, "-3.00e-15"),
        ];
        for (value, step, text) in of_step {
            assert_eq!(short(value, step), text);
        }
        assert_eq!(grouped(1_234_567), "1,234,567");
    }
}
