//! Points and lines over logarithmic axes, as the paths of an SVG that the template frames: once
//! for wide screens and paper, once for narrow screens.

use std::fmt::Write as _;

use serde::Serialize;

use super::labels::{Area, Labels};
use super::table::Table;

/// Colours that the style has.
const COLOURS: usize = 6;

/// The size of a drawing in its own units, near to pixels, and the margins of the plot within it.
struct Format {
    class: &'static str,
    size: [f64; 2],
    left: f64,
    right: f64,
    top: f64,
    bottom: f64,
    /// The most ticks, across and up.
    ticks: [usize; 2],
    /// Whether dots have their names, else their numbers.
    has_names: bool,
}

const FORMATS: [Format; 2] = [
    Format {
        class: "on-wide",
        size: [1040.0, 440.0],
        left: 62.0,
        right: 16.0,
        top: 22.0,
        bottom: 48.0,
        ticks: [12, 8],
        has_names: true,
    },
    Format {
        class: "on-narrow",
        size: [368.0, 320.0],
        left: 50.0,
        right: 8.0,
        top: 22.0,
        bottom: 46.0,
        ticks: [5, 6],
        has_names: false,
    },
];

/// One axis.
pub(super) struct Axis {
    /// What it measures.
    pub(super) name: &'static str,
    /// Ticks stand at powers of this.
    pub(super) base: f64,
    /// How a tick is written.
    pub(super) text: fn(f64) -> String,
}

/// A point and what it says.
#[derive(Debug, Clone)]
pub(super) struct Point {
    pub(super) x: f64,
    pub(super) y: f64,
    /// When it is pointed at.
    pub(super) says: String,
    /// Beside it, where there is room for names and where there is not.
    pub(super) names: [String; 2],
    /// Only its height below the roof counts.
    pub(super) is_hollow: bool,
}

impl Point {
    /// A point without a name.
    pub(super) fn plain(x: f64, y: f64, says: String) -> Self {
        Self { x, y, says, names: [String::new(), String::new()], is_hollow: false }
    }

    fn can_be_shown(&self) -> bool {
        [self.x, self.y].iter().all(|value| *value > 0.0 && value.is_finite())
    }
}

/// How a series is drawn.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Look {
    /// A line with a dot at each point.
    Line,
    /// A line alone.
    Roof,
    /// Dots alone, each with its name beside it.
    Dots,
}

/// Points that belong together.
#[derive(Debug)]
pub(super) struct Series {
    pub(super) name: String,
    pub(super) look: Look,
    /// A colour of the style's, `c0` to `c5`, or `quiet`; `None` takes the next.
    pub(super) class: Option<&'static str>,
    pub(super) points: Vec<Point>,
}

/// A place on the x axis that has a name.
#[derive(Debug, Clone)]
pub(super) struct Mark {
    pub(super) x: f64,
    pub(super) name: String,
}

/// What a picture shows.
pub(super) struct Plot {
    pub(super) id: &'static str,
    pub(super) title: &'static str,
    pub(super) caption: String,
    pub(super) x: Axis,
    pub(super) y: Axis,
    pub(super) marks: Vec<Mark>,
    pub(super) series: Vec<Series>,
    /// The same as numbers.
    pub(super) table: Table,
}

/// A picture, ready for the template.
#[derive(Debug, Serialize)]
pub(super) struct Figure {
    id: &'static str,
    title: &'static str,
    caption: String,
    /// For those who do not see it.
    description: String,
    x_name: &'static str,
    y_name: &'static str,
    keys: Vec<Key>,
    drawings: Vec<Drawing>,
    table: Table,
}

#[derive(Debug, Serialize)]
struct Key {
    name: String,
    class: String,
    shape: &'static str,
}

#[derive(Debug, Serialize)]
struct Drawing {
    class: &'static str,
    width: f64,
    height: f64,
    left: f64,
    right: f64,
    top: f64,
    bottom: f64,
    x_ticks: Vec<Tick>,
    y_ticks: Vec<Tick>,
    marks: Vec<Tick>,
    series: Vec<Drawn>,
}

#[derive(Debug, Serialize)]
struct Tick {
    at: String,
    text: String,
}

#[derive(Debug, Serialize)]
struct Drawn {
    class: String,
    path: String,
    dots: Vec<Dot>,
    radius: f64,
}

#[derive(Debug, Serialize)]
struct Dot {
    x: String,
    y: String,
    says: String,
    is_hollow: bool,
    name: String,
    anchor: &'static str,
    text_x: String,
    text_y: String,
}

/// Where values land: logarithms of the ends, and the places of those ends.
struct Scale {
    base: f64,
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
        (low <= high).then_some(Self { base, low: low - margin, high: high + margin, start, end })
    }

    fn at(&self, value: f64) -> f64 {
        self.at_log(value.log(self.base))
    }

    fn at_log(&self, log: f64) -> f64 {
        self.start + (log - self.low) / (self.high - self.low) * (self.end - self.start)
    }

    fn holds(&self, value: f64) -> bool {
        (self.low..=self.high).contains(&value.log(self.base))
    }

    /// At most `most` ticks at powers of the axis's base.
    fn ticks(&self, axis: &Axis, most: usize) -> Vec<Tick> {
        let (first, last) = (self.low.ceil() as i32, self.high.floor() as i32);
        let every = usize::try_from(last - first + 1).unwrap_or(0).div_ceil(most).max(1);
        let powers = (first..=last).step_by(every);
        let whole: Vec<Tick> = powers
            .map(|power| Tick {
                at: place(self.at_log(f64::from(power))),
                text: (axis.text)(axis.base.powi(power)),
            })
            .collect();
        if whole.len() > 2 { whole } else { self.fine_ticks(axis) }
    }

    /// Ticks at 1, 2 and 5 times powers of ten, or at all whole multiples, for axes that span less
    /// than three powers.
    fn fine_ticks(&self, axis: &Axis) -> Vec<Tick> {
        let coarse = self.steps(axis, &[1.0, 2.0, 5.0]);
        if coarse.len() > 2 {
            return coarse;
        }
        self.steps(axis, &[1.0, 2.0, 3.0, 4.0, 5.0, 6.0, 7.0, 8.0, 9.0])
    }

    /// Ticks at `multiples` of powers of ten.
    fn steps(&self, axis: &Axis, multiples: &[f64]) -> Vec<Tick> {
        let decade = |log: f64| (log * axis.base.log10()).floor() as i32;
        let steps = (decade(self.low)..=decade(self.high))
            .flat_map(|power| multiples.iter().map(move |step| step * 10_f64.powi(power)));
        steps
            .filter(|value| self.holds(*value))
            .map(|value| Tick { at: place(self.at(value)), text: (axis.text)(value) })
            .collect()
    }
}

fn place(value: f64) -> String {
    format!("{value:.1}")
}

impl Plot {
    /// The picture; `None` where no series has a point to show.
    pub(super) fn figure(mut self) -> Option<Figure> {
        for series in &mut self.series {
            series.points.retain(Point::can_be_shown);
        }
        self.series.retain(|series| !series.points.is_empty());
        let drawings = FORMATS.iter().map(|format| self.drawing(format));
        let drawings: Vec<Drawing> = drawings.collect::<Option<_>>()?;
        let keys = self.series.iter().enumerate().map(|(number, series)| Key {
            name: series.name.clone(),
            class: series.class(number),
            shape: if series.look == Look::Dots { "dot" } else { "line" },
        });
        Some(Figure {
            keys: keys.collect(),
            description: self.description(),
            drawings,
            id: self.id,
            title: self.title,
            caption: self.caption,
            x_name: self.x.name,
            y_name: self.y.name,
            table: self.table,
        })
    }

    fn description(&self) -> String {
        let of = |series: &Series| {
            let values = || series.points.iter().map(|point| point.y);
            let low = values().fold(f64::INFINITY, f64::min);
            let high = values().fold(0.0, f64::max);
            format!("{} from {} to {}", series.name, (self.y.text)(low), (self.y.text)(high))
        };
        let series: Vec<String> = self.series.iter().map(of).collect();
        format!("{} over {}: {}.", self.y.name, self.x.name, series.join("; "))
    }

    fn drawing(&self, format: &Format) -> Option<Drawing> {
        let [width, height] = format.size;
        let (right, bottom) = (width - format.right, height - format.bottom);
        let points = || self.series.iter().flat_map(|series| &series.points);
        let x = Scale::of(points().map(|p| p.x), self.x.base, [format.left, right])?;
        let y = Scale::of(points().map(|p| p.y), self.y.base, [bottom, format.top])?;
        let dots = self.series.iter().filter(|series| series.look == Look::Dots);
        let dots: Vec<[f64; 2]> =
            dots.flat_map(|series| &series.points).map(|p| [x.at(p.x), y.at(p.y)]).collect();
        let bounds = Area([format.left, format.top, right, bottom]);
        let mut labels = Labels::new(bounds, &dots);
        let series = self.series.iter().enumerate().map(|(number, series)| {
            let dots = series.points.iter().map(|p| {
                let name = &p.names[usize::from(!format.has_names)];
                dot(p, [x.at(p.x), y.at(p.y)], name, &mut labels)
            });
            series.drawn(number, dots.collect())
        });
        let marks = self.marks.iter().filter(|mark| x.holds(mark.x));
        Some(Drawing {
            series: series.collect(),
            marks: marks.map(|m| Tick { at: place(x.at(m.x)), text: m.name.clone() }).collect(),
            class: format.class,
            width,
            height,
            left: format.left,
            right,
            top: format.top,
            bottom,
            x_ticks: x.ticks(&self.x, format.ticks[0]),
            y_ticks: y.ticks(&self.y, format.ticks[1]),
        })
    }
}

impl Series {
    fn class(&self, number: usize) -> String {
        self.class.map_or_else(|| format!("c{}", number % COLOURS), str::to_owned)
    }

    fn drawn(&self, number: usize, dots: Vec<Dot>) -> Drawn {
        Drawn {
            class: self.class(number),
            path: if self.look == Look::Dots { String::new() } else { path(&dots) },
            dots: if self.look == Look::Roof { Vec::new() } else { dots },
            radius: if self.look == Look::Dots { 4.5 } else { 2.6 },
        }
    }
}

fn dot(point: &Point, at: [f64; 2], name: &str, labels: &mut Labels) -> Dot {
    let spot = (!name.is_empty()).then(|| labels.place(at, name));
    let [text_x, text_y] = spot.map_or(at, |spot| [spot.x, spot.y]).map(place);
    Dot {
        x: place(at[0]),
        y: place(at[1]),
        says: point.says.clone(),
        is_hollow: point.is_hollow,
        name: name.to_owned(),
        anchor: spot.map_or("start", |spot| spot.anchor),
        text_x,
        text_y,
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
    use super::super::table::Kind;
    use super::*;

    fn plot(points: &[(f64, f64)], look: Look) -> Plot {
        let axis = |base| Axis { name: "axis", base, text: |value| format!("{value}") };
        let point = |&(x, y): &(f64, f64)| Point::plain(x, y, format!("{x}"));
        let points = points.iter().map(point).collect();
        Plot {
            id: "plot",
            title: "plot",
            caption: String::new(),
            x: axis(2.0),
            y: axis(10.0),
            marks: vec![
                Mark { x: 2.0, name: "L1".to_owned() },
                Mark { x: 1e9, name: "far".into() },
            ],
            series: vec![Series { name: "series".to_owned(), look, class: None, points }],
            table: Table::new("points", &[("x", Kind::Number)]),
        }
    }

    #[test]
    fn equal_factors_are_equal_distances() {
        let figure = plot(&[(1.0, 1.0), (4.0, 10.0), (16.0, 100.0)], Look::Line).figure().unwrap();
        for drawing in &figure.drawings {
            let [a, b, c] = [0, 1, 2].map(|at| {
                let dot = &drawing.series[0].dots[at];
                [&dot.x, &dot.y].map(|text| text.parse::<f64>().unwrap())
            });
            for axis in 0..2 {
                let steps = [b[axis] - a[axis], c[axis] - b[axis]];
                assert!((steps[1] - steps[0]).abs() < 0.21, "{a:?} {b:?} {c:?}");
            }
            assert!(a[0] < b[0] && a[1] > b[1], "right is more, and up is more");
            assert_eq!(drawing.marks.len(), 1, "a mark outside is left out");
        }
        let texts = |at: usize| -> Vec<&str> {
            figure.drawings[at].x_ticks.iter().map(|tick| tick.text.as_str()).collect()
        };
        assert_eq!(texts(0), ["1", "2", "4", "8", "16"]);
        assert_eq!(texts(1).len(), 5);
    }

    #[test]
    fn what_cannot_be_shown_is_left_out() {
        assert!(plot(&[], Look::Line).figure().is_none());
        assert!(plot(&[(0.0, 1.0), (f64::NAN, 2.0)], Look::Line).figure().is_none());
        let figure = plot(&[(1.0, 1.0), (-1.0, 2.0)], Look::Dots).figure().unwrap();
        let series = &figure.drawings[0].series[0];
        assert_eq!(series.dots.len(), 1);
        assert!(series.path.is_empty());
        assert!(figure.description.contains("series from 1 to 1"), "{}", figure.description);
    }

    #[test]
    fn narrow_axes_have_ticks_too() {
        let figure = plot(&[(1.0, 20.0), (2.0, 60.0)], Look::Line).figure().unwrap();
        let ticks = &figure.drawings[0].y_ticks;
        let texts: Vec<&str> = ticks.iter().map(|tick| tick.text.as_str()).collect();
        assert_eq!(texts, ["20", "30", "40", "50", "60"]);
    }
}
