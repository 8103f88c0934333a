//! Points and lines over logarithmic axes, as the paths of an SVG that the template frames.

use std::fmt::Write as _;

use serde::Serialize;

/// Size of a picture, in its own units, and the margins of the plot within it.
const WIDTH: f64 = 960.0;
const HEIGHT: f64 = 420.0;
const LEFT: f64 = 64.0;
const RIGHT: f64 = 16.0;
const TOP: f64 = 12.0;
const BOTTOM: f64 = 48.0;

/// Colours that the template has.
const COLOURS: usize = 6;

/// One axis.
pub(super) struct Axis {
    /// What it measures.
    pub(super) name: &'static str,
    /// Ticks stand at powers of this.
    pub(super) base: f64,
    /// How a tick is written.
    pub(super) text: fn(f64) -> String,
}

/// A point and what it says when pointed at.
pub(super) struct Point {
    pub(super) x: f64,
    pub(super) y: f64,
    pub(super) says: String,
}

/// How a series is drawn.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Look {
    /// A line with a dot at each point.
    Line,
    /// A line alone.
    Roof,
    /// Dots alone, each with its name beside it.
    Dots,
}

/// Points that belong together.
pub(super) struct Series {
    pub(super) name: String,
    pub(super) look: Look,
    pub(super) points: Vec<Point>,
}

/// What a picture shows.
pub(super) struct Plot {
    pub(super) title: &'static str,
    pub(super) caption: String,
    pub(super) x: Axis,
    pub(super) y: Axis,
    pub(super) series: Vec<Series>,
}

/// A picture, ready for the template.
#[derive(Debug, Serialize)]
pub(super) struct Figure {
    title: &'static str,
    caption: String,
    x_name: &'static str,
    y_name: &'static str,
    width: f64,
    height: f64,
    left: f64,
    right: f64,
    top: f64,
    bottom: f64,
    x_ticks: Vec<Tick>,
    y_ticks: Vec<Tick>,
    series: Vec<Drawn>,
}

#[derive(Debug, Serialize)]
struct Tick {
    at: String,
    text: String,
}

#[derive(Debug, Serialize)]
struct Drawn {
    name: String,
    class: String,
    path: String,
    dots: Vec<Dot>,
    is_named: bool,
}

#[derive(Debug, Serialize)]
struct Dot {
    x: String,
    y: String,
    says: String,
    anchor: &'static str,
    text_x: String,
    text_y: String,
}

/// Where values land: logarithms of the ends, and the places of those ends.
struct Scale {
    low: f64,
    high: f64,
    start: f64,
    end: f64,
}

impl Scale {
    fn of(values: impl Iterator<Item = f64>, base: f64, [start, end]: [f64; 2]) -> Option<Self> {
        let logs = values.filter(|value| *value > 0.0 && value.is_finite()).map(|v| v.log(base));
        let (low, high) = logs.fold((f64::INFINITY, f64::NEG_INFINITY), |(low, high), log| {
            (low.min(log), high.max(log))
        });
        let margin = 0.05 * (high - low).max(0.5);
        (low <= high).then_some(Self { low: low - margin, high: high + margin, start, end })
    }

    fn at(&self, log: f64) -> f64 {
        self.start + (log - self.low) / (self.high - self.low) * (self.end - self.start)
    }

    /// About `most` ticks at powers of the axis's base.
    fn ticks(&self, axis: &Axis, most: usize) -> Vec<Tick> {
        let (first, last) = (self.low.ceil() as i32, self.high.floor() as i32);
        let every = usize::try_from(last - first + 1).unwrap_or(0).div_ceil(most).max(1);
        let powers = (first..=last).step_by(every);
        let whole: Vec<Tick> = powers
            .map(|power| Tick {
                at: place(self.at(f64::from(power))),
                text: (axis.text)(axis.base.powi(power)),
            })
            .collect();
        if whole.len() > 2 { whole } else { self.fine_ticks(axis) }
    }

    /// Ticks at 1, 2 and 5 times powers of ten, for axes that span less than three powers.
    fn fine_ticks(&self, axis: &Axis) -> Vec<Tick> {
        let decade = |log: f64| (log * axis.base.log10()).floor() as i32;
        let steps = (decade(self.low)..=decade(self.high))
            .flat_map(|power| [1.0, 2.0, 5.0].map(|step| step * 10_f64.powi(power)));
        steps
            .map(|value| (value, value.log(axis.base)))
            .filter(|(_, log)| (self.low..=self.high).contains(log))
            .map(|(value, log)| Tick { at: place(self.at(log)), text: (axis.text)(value) })
            .collect()
    }
}

fn place(value: f64) -> String {
    format!("{value:.1}")
}

impl Plot {
    /// The picture; `None` where no series has a point to show.
    pub(super) fn figure(self) -> Option<Figure> {
        let points = || self.series.iter().flat_map(|series| &series.points);
        let (right, bottom) = (WIDTH - RIGHT, HEIGHT - BOTTOM);
        let x = Scale::of(points().map(|point| point.x), self.x.base, [LEFT, right])?;
        let y = Scale::of(points().map(|point| point.y), self.y.base, [bottom, TOP])?;
        let drawn = self.series.iter().enumerate().map(|(number, series)| {
            let dots: Vec<Dot> = series
                .points
                .iter()
                .filter(|point| point.x > 0.0 && point.y > 0.0)
                .enumerate()
                .map(|(number, point)| {
                    dot(
                        number,
                        point,
                        x.at(point.x.log(self.x.base)),
                        y.at(point.y.log(self.y.base)),
                    )
                })
                .collect();
            Drawn {
                name: series.name.clone(),
                class: format!("c{}", number % COLOURS),
                path: if series.look == Look::Dots { String::new() } else { path(&dots) },
                dots: if series.look == Look::Roof { Vec::new() } else { dots },
                is_named: series.look == Look::Dots,
            }
        });
        Some(Figure {
            x_ticks: x.ticks(&self.x, 12),
            y_ticks: y.ticks(&self.y, 8),
            series: drawn.collect(),
            title: self.title,
            caption: self.caption,
            x_name: self.x.name,
            y_name: self.y.name,
            width: WIDTH,
            height: HEIGHT,
            left: LEFT,
            right,
            top: TOP,
            bottom,
        })
    }
}

/// A dot, its name on the side where there is room, by turns above and below: neighbours stay
/// apart.
fn dot(number: usize, point: &Point, x: f64, y: f64) -> Dot {
    let is_left = x < WIDTH * 0.7;
    Dot {
        x: place(x),
        y: place(y),
        says: point.says.clone(),
        anchor: if is_left { "start" } else { "end" },
        text_x: place(if is_left { x + 8.0 } else { x - 8.0 }),
        text_y: place(if number.is_multiple_of(2) { y + 16.0 } else { y - 8.0 }),
    }
}

fn path(dots: &[Dot]) -> String {
    let mut path = String::new();
    for (number, dot) in dots.iter().enumerate() {
        let command = if number == 0 { 'M' } else { 'L' };
        write!(path, "{command}{} {}", dot.x, dot.y).unwrap_or_default();
    }
    path
}

#[cfg(test)]
mod tests {
    use super::*;

    fn plot(points: &[(f64, f64)], look: Look) -> Plot {
        let axis = |base| Axis { name: "axis", base, text: |value| format!("{value}") };
        let point = |&(x, y): &(f64, f64)| Point { x, y, says: format!("{x}") };
        let points = points.iter().map(point).collect();
        Plot {
            title: "plot",
            caption: String::new(),
            x: axis(2.0),
            y: axis(10.0),
            series: vec![Series { name: "series".to_owned(), look, points }],
        }
    }

    #[test]
    fn equal_factors_are_equal_distances() {
        let figure = plot(&[(1.0, 1.0), (4.0, 10.0), (16.0, 100.0)], Look::Line).figure().unwrap();
        let [a, b, c] = [0, 1, 2].map(|at| {
            let dot = &figure.series[0].dots[at];
            [&dot.x, &dot.y].map(|text| text.parse::<f64>().unwrap())
        });
        for axis in 0..2 {
            assert!(((b[axis] - a[axis]) - (c[axis] - b[axis])).abs() < 0.2, "{a:?} {b:?} {c:?}");
        }
        assert!(a[0] < b[0] && a[1] > b[1], "right is more, and up is more");
        let texts: Vec<&str> = figure.x_ticks.iter().map(|tick| tick.text.as_str()).collect();
        assert_eq!(texts, ["1", "2", "4", "8", "16"]);
    }

    #[test]
    fn what_cannot_be_shown_is_left_out() {
        assert!(plot(&[], Look::Line).figure().is_none());
        assert!(plot(&[(0.0, 1.0), (f64::NAN, 2.0)], Look::Line).figure().is_none());
        let figure = plot(&[(1.0, 1.0), (-1.0, 2.0)], Look::Dots).figure().unwrap();
        assert_eq!(figure.series[0].dots.len(), 1);
        assert!(figure.series[0].path.is_empty());
    }

    #[test]
    fn narrow_axes_have_ticks_too() {
        let figure = plot(&[(1.0, 20.0), (2.0, 60.0)], Look::Line).figure().unwrap();
        let texts: Vec<&str> = figure.y_ticks.iter().map(|tick| tick.text.as_str()).collect();
        assert_eq!(texts, ["20", "50"]);
    }
}
