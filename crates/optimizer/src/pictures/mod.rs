//! A search as pictures: SVG text, and one HTML file that needs nothing else.
//!
//! | file | picture |
//! |---|---|
//! | `surface.rs` | the best score of each pair of values of two parameters |
//! | `heatmap.rs` | that surface, drawn |
//! | `parallel.rs` | every trial as a line through its values |
//! | `history.rs` | scores in the order of trials, and the best so far |
//! | `report.rs`, `report.html` | all of them on a page |
//!
//! Scores are coloured by the scale viridis, which is read the same without red and green, and in
//! grey. `INK` and `PAPER` are used for nothing else, so that a page can turn them over in the
//! dark.
//!
//! ```
//! use optimizer::pictures::{Trials, heatmap};
//!
//! let names = ["fast".to_owned(), "slow".to_owned()];
//! let points: [&[f64]; 3] = [&[5.0, 20.0], &[5.0, 40.0], &[10.0, 20.0]];
//! let trials = Trials {
//!     names: &names,
//!     points: &points,
//!     scores: &[0.4, 1.1, 0.7],
//!     score_name: "sharpe_ratio",
//!     is_lower_better: false,
//!     best: Some(1),
//! };
//! assert!(heatmap(&trials, 0, 1)?.starts_with("<svg"));
//! # Ok::<(), optimizer::OptimizerError>(())
//! ```

mod heatmap;
mod history;
mod parallel;
mod report;
mod surface;

use std::fmt::Display;

use plotters::coord::Shift;
use plotters::prelude::*;
use plotters::style::text_anchor::{HPos, Pos, VPos};

use crate::OptimizerError;

pub use heatmap::heatmap;
pub use history::history;
pub use parallel::parallel;
pub use report::{Fact, Page, page};
pub use surface::Surface;

/// Words and axes.
const INK: RGBColor = RGBColor(34, 34, 34);
/// Lines that only guide the eye.
const FAINT: RGBColor = RGBColor(187, 187, 187);
const PAPER: RGBColor = WHITE;
/// The best trial: told apart from every colour of the scale.
const BEST: RGBColor = RGBColor(213, 94, 0);

/// Trials to draw.
#[derive(Debug, Clone, Copy)]
pub struct Trials<'a> {
    /// A name per parameter.
    pub names: &'a [String],
    /// Of each trial, a value per parameter.
    pub points: &'a [&'a [f64]],
    /// Of each trial; NaN where undefined.
    pub scores: &'a [f64],
    /// What the scores are.
    pub score_name: &'a str,
    /// Lower scores are better.
    pub is_lower_better: bool,
    /// The best trial.
    pub best: Option<usize>,
}

impl Trials<'_> {
    /// Parameters that have more than one value.
    #[must_use]
    pub fn varied(&self) -> Vec<usize> {
        let is_varied = |&axis: &usize| {
            let mut values = self.points.iter().map(|point| point[axis]);
            let first = values.next();
            values.any(|value| Some(value) != first)
        };
        (0..self.names.len()).filter(is_varied).collect()
    }

    fn is_better(&self, a: f64, b: f64) -> bool {
        if self.is_lower_better { a < b } else { a > b }
    }
}

type Area<'a> = DrawingArea<SVGBackend<'a>, Shift>;
type Drawn = Result<(), Box<dyn std::error::Error>>;

/// The SVG text of what `draw` draws.
fn svg(
    picture: &'static str,
    size: (u32, u32),
    draw: impl FnOnce(&Area<'_>) -> Drawn,
) -> Result<String, OptimizerError> {
    let mut text = String::new();
    let drawn = {
        let root = SVGBackend::with_string(&mut text, size).into_drawing_area();
        root.fill(&PAPER)
            .map_err(told)
            .and_then(|()| draw(&root))
            .and_then(|()| root.present().map_err(told))
    };
    drawn.map_err(|error| OptimizerError::Picture { picture, why: error.to_string() })?;
    Ok(text)
}

/// The library's error types borrow and differ from call to call: their text is what is told.
fn told(error: impl Display) -> Box<dyn std::error::Error> {
    error.to_string().into()
}

/// Where a text stands around its point.
fn at(h: HPos, v: VPos) -> Pos {
    Pos::new(h, v)
}

fn write(
    area: &Area<'_>,
    text: &str,
    place: (i32, i32),
    pos: Pos,
    size: u32,
    ink: RGBColor,
) -> Drawn {
    let style = ("sans-serif", size).into_font().color(&ink).pos(pos);
    area.draw(&Text::new(text.to_owned(), place, style)).map_err(told)
}

/// The colour of a share from 0 to 1.
fn colour(share: f64) -> RGBColor {
    ViridisRGB::get_color(share.clamp(0.0, 1.0))
}

/// The extent of finite numbers, widened where it is a point.
fn extent(values: impl Iterator<Item = f64>) -> Option<(f64, f64)> {
    let finite = values.filter(|value| value.is_finite());
    let (low, high) = finite.fold((f64::INFINITY, f64::NEG_INFINITY), |(low, high), value| {
        (low.min(value), high.max(value))
    });
    match low.total_cmp(&high) {
        std::cmp::Ordering::Less => Some((low, high)),
        std::cmp::Ordering::Equal => Some((low - 0.5, high + 0.5)),
        std::cmp::Ordering::Greater => None,
    }
}

/// Three or four digits that count, without idle zeros.
fn short(value: f64) -> String {
    let size = value.abs();
    if size != 0.0 && !(1e-3..1e6).contains(&size) {
        return format!("{value:.1e}");
    }
    let digits = match size {
        size if size >= 1000.0 => 0,
        size if size >= 100.0 => 1,
        size if size >= 1.0 => 2,
        _ => 3,
    };
    let text = format!("{value:.digits$}");
    if text.contains('.') {
        text.trim_end_matches('0').trim_end_matches('.').to_owned()
    } else {
        text
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_short() {
        let cases =
            [(0.0, "0"), (5.0, "5"), (-1.256, "-1.26"), (0.0501, "0.05"), (12345.6, "12346")];
        for (value, text) in cases {
            assert_eq!(short(value), text);
        }
        assert_eq!(short(1e-7), "1.0e-7");
    }

    #[test]
    fn extents() {
        assert_eq!(extent([1.0, f64::NAN, 3.0].into_iter()), Some((1.0, 3.0)));
        assert_eq!(extent([2.0].into_iter()), Some((1.5, 2.5)));
        assert_eq!(extent([f64::NAN].into_iter()), None);
    }
}
