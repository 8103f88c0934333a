//! What a picture of points over logarithmic axes shows, and what the template takes of it:
//! drawings for wide screens and paper and for narrow screens, and one set of tips that lies over
//! whichever is seen.

use serde::Serialize;

use super::axis::{Axis, can_be_shown};
use super::chart::{Chart, NARROW, WIDE};
use super::ink::Ink;
use super::table::Table;
use super::tips::{Tip, Tips};
use crate::GateError;

/// A point and what it says.
#[derive(Debug, Clone)]
pub(super) struct Point {
    pub(super) x: f64,
    pub(super) y: f64,
    /// In its tip; nothing for a point that only shapes a line.
    pub(super) says: String,
    /// Beside it: its name, and its number where there is no room for that.
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
        can_be_shown(self.x) && can_be_shown(self.y)
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
    /// `None` takes the next colour.
    pub(super) ink: Option<Ink>,
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
    keys: Vec<Key>,
    drawings: [Chart; 2],
    tips: Vec<Tips>,
    table: Table,
}

#[derive(Debug, Serialize)]
struct Key {
    name: String,
    class: &'static str,
    shape: &'static str,
}

impl Plot {
    /// The picture; `None` where no series has a point to show.
    ///
    /// # Errors
    /// [`GateError::Page`] for what the drawing library refuses.
    pub(super) fn figure(mut self) -> Result<Option<Figure>, GateError> {
        for series in &mut self.series {
            series.points.retain(Point::can_be_shown);
        }
        self.series.retain(|series| !series.points.is_empty());
        for (series, ink) in self.series.iter_mut().zip(Ink::SERIES.into_iter().cycle()) {
            series.ink.get_or_insert(ink);
        }
        let (Some(wide), Some(narrow)) = (self.chart(&WIDE)?, self.chart(&NARROW)?) else {
            return Ok(None);
        };
        Ok(Some(Figure {
            keys: self.series.iter().map(Series::key).collect(),
            description: self.description(),
            tips: self.tips([&wide, &narrow]),
            drawings: [wide, narrow],
            id: self.id,
            title: self.title,
            caption: self.caption,
            table: self.table,
        }))
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

    /// A tip for each point that says something, where it stands in either drawing.
    fn tips(&self, charts: [&Chart; 2]) -> Vec<Tips> {
        let of = |(number, series): (usize, &Series)| {
            let tip = |(at, point): (usize, &Point)| Tip {
                says: point.says.clone(),
                places: charts.map(|chart| chart.places[number][at]).into(),
            };
            let said = series.points.iter().enumerate().filter(|(_, point)| !point.says.is_empty());
            Tips {
                class: series.ink().class(),
                name: series.name.clone(),
                tips: said.map(tip).collect(),
            }
        };
        let tips = self.series.iter().enumerate().map(of);
        tips.filter(|tips| !tips.tips.is_empty()).collect()
    }
}

impl Series {
    /// Its colour, or the first.
    pub(super) fn ink(&self) -> Ink {
        self.ink.unwrap_or(Ink::C0)
    }

    fn key(&self) -> Key {
        let shape = if self.look == Look::Dots { "dot" } else { "line" };
        Key { name: self.name.clone(), class: self.ink().class(), shape }
    }
}

#[cfg(test)]
mod tests {
    use super::super::table::Kind;
    use super::*;
    use serde_json::Value;

    /// The figure of these points as the template sees it.
    fn figure(points: &[(f64, f64)], look: Look, marks: &[(f64, &str)]) -> Option<Value> {
        let axis = |base| Axis { name: "axis", base, text: |value| format!("{value}") };
        let point = |&(x, y): &(f64, f64)| Point::plain(x, y, format!("{x}, {y}"));
        let points = points.iter().map(point).collect();
        let plot = Plot {
            id: "plot",
            title: "plot",
            caption: String::new(),
            x: axis(2.0),
            y: axis(10.0),
            marks: marks.iter().map(|&(x, name)| Mark { x, name: name.to_owned() }).collect(),
            series: vec![Series { name: "series".to_owned(), look, ink: None, points }],
            table: Table::new("points", &[("x", Kind::Number)]),
        };
        plot.figure().unwrap().map(|figure| serde_json::to_value(figure).unwrap())
    }

    /// Places of the tips in the drawings for wide and for narrow screens.
    fn places(figure: &Value) -> Vec<[[f64; 2]; 2]> {
        let tips = figure["tips"][0]["tips"].as_array().unwrap().iter();
        tips.map(|tip| serde_json::from_value(tip["places"].clone()).unwrap()).collect()
    }

    fn elements(figure: &Value, drawing: usize) -> &str {
        figure["drawings"][drawing]["elements"].as_str().unwrap()
    }

    #[test]
    fn equal_factors_are_equal_distances() {
        let points = [(1.0, 1.0), (4.0, 10.0), (16.0, 100.0)];
        let figure = figure(&points, Look::Line, &[]).unwrap();
        let [a, b, c] = places(&figure)[..] else { panic!("a tip for each point") };
        for drawing in 0..2 {
            let [a, b, c] = [a, b, c].map(|places| places[drawing]);
            assert!(a[0] < b[0] && a[1] > b[1], "right is more, and up is more");
            for axis in 0..2 {
                let steps = [b[axis] - a[axis], c[axis] - b[axis]];
                assert!((steps[1] - steps[0]).abs() < 0.5, "{a:?} {b:?} {c:?}");
            }
        }
    }

    #[test]
    fn a_tip_stands_where_its_dot_does() {
        let figure = figure(&[(1.0, 1.0), (4.0, 10.0)], Look::Dots, &[]).unwrap();
        for drawing in 0..2 {
            let value = |of: &str| figure["drawings"][drawing][of].as_f64().unwrap();
            for (place, dot) in
                places(&figure).iter().zip(elements(&figure, drawing).split("<circle").skip(1))
            {
                let [x, y] = place[drawing];
                let [x, y] = [x / 100.0 * value("width"), y / 100.0 * value("height")];
                let at = format!(" cx=\"{x:.0}\" cy=\"{y:.0}\" ");
                assert!(dot.starts_with(&at), "{at} in {dot}");
            }
        }
    }

    #[test]
    fn marks_stand_within_the_axis_and_their_names_apart() {
        let marks = [(2.0, "L1"), (2.01, "L2"), (15.9, "the last level"), (1e9, "far")];
        let figure = figure(&[(1.0, 1.0), (16.0, 100.0)], Look::Line, &marks).unwrap();
        for drawing in 0..2 {
            let elements = elements(&figure, drawing);
            assert_eq!(elements.matches("class=\"mark\"").count(), 3, "{elements}");
            let has = |name: &str| elements.contains(&format!(">{name}</text>"));
            assert_eq!(["L1", "L2", "the last level", "far"].map(has), [true, false, true, false]);
        }
    }

    #[test]
    fn what_cannot_be_shown_is_left_out() {
        assert!(figure(&[], Look::Line, &[]).is_none());
        let never = [(0.0, 1.0), (1.0, -1.0), (f64::NAN, 2.0), (2.0, f64::INFINITY)];
        assert!(figure(&never, Look::Line, &[]).is_none());
        let one = figure(&[(1.0, 1.0), (-1.0, 2.0)], Look::Dots, &[]).unwrap();
        assert_eq!(places(&one).len(), 1);
        assert!(
            elements(&one, 0).contains("<circle") && !elements(&one, 0).contains("c0\"/><poly")
        );
        assert_eq!(one["description"], "axis over axis: series from 1 to 1.");
    }

    #[test]
    fn every_magnitude_is_drawn() {
        let extremes = [f64::MIN_POSITIVE, 1e-300, 1.0, 1.0, 1e300, f64::MAX];
        for (at, &x) in extremes.iter().enumerate() {
            for &y in &extremes[at..] {
                let figure = figure(&[(x, y), (y, x), (x, x)], Look::Line, &[(x, "mark")]).unwrap();
                let within = |place: &f64| (0.0..=100.0).contains(place);
                assert!(places(&figure).concat().concat().iter().all(within), "{x} {y}");
            }
        }
    }
}
