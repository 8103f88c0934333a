//! What a point of a picture says when it is pointed at or reached by the keyboard: elements that
//! lie over the picture, since nothing within an image can have the focus.

use serde::Serialize;

/// Where a point stands: percent of the drawing's width from the left, of its height from the top.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub(super) struct Place([f64; 2]);

impl Place {
    /// Of a place that plotters has found in a drawing of this size.
    pub(super) fn of((x, y): (i32, i32), (width, height): (u32, u32)) -> Self {
        let percent = |at: i32, all: u32| (f64::from(at) / f64::from(all) * 1e4).round() / 100.0;
        Self([percent(x, width), percent(y, height)])
    }
}

/// A point's words.
#[derive(Debug, Clone, Serialize)]
pub(super) struct Tip {
    pub(super) says: String,
    /// In the drawing for wide screens, and where there is another in that for narrow ones.
    pub(super) places: Vec<Place>,
}

/// The tips of a series.
#[derive(Debug, Clone, Serialize)]
pub(super) struct Tips {
    /// The series' colour.
    pub(super) class: &'static str,
    pub(super) name: String,
    pub(super) tips: Vec<Tip>,
}
