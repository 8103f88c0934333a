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
