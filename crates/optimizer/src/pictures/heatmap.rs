//! A surface as coloured cells with their scores in them.

use plotters::prelude::*;
use plotters::style::text_anchor::{HPos, VPos};

use super::surface::Surface;
use super::{Area, BEST, Drawn, FAINT, INK, Trials, at, colour, extent, short, svg, told, write};
use crate::OptimizerError;

const LEFT: i32 = 88;
const TOP: i32 = 56;
const BOTTOM: i32 = 62;
const RIGHT: i32 = 104;
/// Beyond so many columns a cell is too narrow for its score.
const MOST_WRITTEN: usize = 24;

/// The heatmap of parameters `x` and `y` of `trials`: each cell the best score over all other
/// parameters, hatched where there is none, the best trial in a frame.
///
/// # Errors
/// [`OptimizerError::Picture`] where no score is defined.
pub fn heatmap(trials: &Trials<'_>, x: usize, y: usize) -> Result<String, OptimizerError> {
    let surface = Surface::new(trials, x, y);
    let Some(scale) = extent(surface.cells.iter().flatten().copied()) else {
        let why = format!("{} is undefined for every trial", trials.score_name);
        return Err(OptimizerError::Picture { picture: "heatmap", why });
    };
    let is_written = surface.x.len() <= MOST_WRITTEN;
    let side = |count: usize, room: i32, least: i32, most: i32| {
        (room / count.max(1) as i32).clamp(least, most)
    };
    let cell = if is_written {
        (side(surface.x.len(), 860, 46, 84), side(surface.y.len(), 520, 26, 44))
    } else {
        (side(surface.x.len(), 860, 16, 46), side(surface.y.len(), 520, 16, 44))
    };
    let extent_of = |cell: i32, count: usize| cell * count as i32;
    let width = (LEFT + extent_of(cell.0, surface.x.len()) + RIGHT).max(420);
    let height = (TOP + extent_of(cell.1, surface.y.len()) + BOTTOM).max(240);
    let map = Map { trials, surface: &surface, scale, cell, is_written };
    svg("heatmap", (width as u32, height as u32), |area| {
        map.cells(area)?;
        map.labels(area, x, y)?;
        map.legend(area)
    })
}

struct Map<'a> {
    trials: &'a Trials<'a>,
    surface: &'a Surface,
    scale: (f64, f64),
    cell: (i32, i32),
    is_written: bool,
}

impl Map<'_> {
    /// Corners of a cell; the first row stands at the bottom.
    fn corners(&self, column: usize, row: usize) -> [(i32, i32); 2] {
        let (x, y) = (column as i32, (self.surface.y.len() - 1 - row) as i32);
        let left = LEFT + x * self.cell.0;
        let top = TOP + y * self.cell.1;
        [(left, top), (left + self.cell.0, top + self.cell.1)]
    }

    fn share(&self, score: f64) -> f64 {
        let share = (score - self.scale.0) / (self.scale.1 - self.scale.0);
        if self.trials.is_lower_better { 1.0 - share } else { share }
    }

    fn cells(&self, area: &Area<'_>) -> Drawn {
        let columns = self.surface.x.len();
        for (index, score) in self.surface.cells.iter().enumerate() {
            let corners = self.corners(index % columns, index / columns);
            match score {
                Some(score) => self.filled(area, corners, *score)?,
                None => self.hatched(area, corners)?,
            }
        }
        let Some((column, row)) = self.surface.best else { return Ok(()) };
        let corners = self.corners(column, row);
        area.draw(&Rectangle::new(corners, BEST.stroke_width(3))).map_err(told)
    }

    fn filled(&self, area: &Area<'_>, corners: [(i32, i32); 2], score: f64) -> Drawn {
        let colour = colour(self.share(score));
        area.draw(&Rectangle::new(corners, colour.filled())).map_err(told)?;
        if !self.is_written {
            return Ok(());
        }
        let [(left, top), (right, bottom)] = corners;
        let middle = ((left + right) / 2, (top + bottom) / 2);
        let ink = if luminance(colour) > 0.3 { BLACK } else { WHITE };
        write(area, &short(score), middle, at(HPos::Center, VPos::Center), 13, ink)
    }

    fn hatched(&self, area: &Area<'_>, corners: [(i32, i32); 2]) -> Drawn {
        let [(left, top), (right, bottom)] = corners;
        let height = bottom - top;
        // Lines up to the right, 8 apart across all cells, cut at the cell's borders.
        let first = (left + bottom).div_euclid(8) - (right - left) / 8;
        let last = (right + bottom).div_euclid(8) + 1;
        for sum in (first..=last).map(|line| line * 8) {
            let (from, to) = ((sum - bottom).max(left), (sum - bottom + height).min(right));
            if from < to {
                let line = [(from, sum - from), (to, sum - to)];
                area.draw(&PathElement::new(line, FAINT)).map_err(told)?;
            }
        }
        Ok(())
    }

    fn labels(&self, area: &Area<'_>, x: usize, y: usize) -> Drawn {
        let Self { trials, surface, cell, .. } = self;
        let bottom = TOP + surface.y.len() as i32 * cell.1;
        let title = self.title();
        write(area, &title, (LEFT, 14), at(HPos::Left, VPos::Top), 17, INK)?;
        let every = (52 / cell.0).max(0) as usize + 1;
        for (column, &value) in surface.x.iter().enumerate().step_by(every) {
            let middle = LEFT + column as i32 * cell.0 + cell.0 / 2;
            let place = (middle, bottom + 8);
            write(area, &short(value), place, at(HPos::Center, VPos::Top), 13, INK)?;
        }
        let every = (14 / cell.1).max(0) as usize + 1;
        for (row, &value) in surface.y.iter().enumerate().step_by(every) {
            let [(left, top), _] = self.corners(0, row);
            let place = (left - 8, top + cell.1 / 2);
            write(area, &short(value), place, at(HPos::Right, VPos::Center), 13, INK)?;
        }
        let middle = LEFT + surface.x.len() as i32 * cell.0 / 2;
        let under = (middle, bottom + 32);
        write(area, &trials.names[x], under, at(HPos::Center, VPos::Top), 15, INK)?;
        let above = (LEFT - 8, TOP - 8);
        write(area, &trials.names[y], above, at(HPos::Right, VPos::Bottom), 15, INK)
    }

    fn title(&self) -> String {
        let name = self.trials.score_name;
        let others = self.trials.varied().len();
        if others > 2 { format!("{name}, the best over all other parameters") } else { name.into() }
    }

    fn legend(&self, area: &Area<'_>) -> Drawn {
        let left = LEFT + self.surface.x.len() as i32 * self.cell.0 + 24;
        let height = (self.surface.y.len() as i32 * self.cell.1).max(96);
        for step in 0..height {
            // The best end stands at the top.
            let share = 1.0 - f64::from(step) / f64::from(height);
            let line = [(left, TOP + step), (left + 14, TOP + step + 1)];
            area.draw(&Rectangle::new(line, colour(share).filled())).map_err(told)?;
        }
        let (low, high) = self.scale;
        let (best, worst) = if self.trials.is_lower_better { (low, high) } else { (high, low) };
        for (share, value) in [(0.0, best), (0.5, (best + worst) / 2.0), (1.0, worst)] {
            let place = (left + 20, TOP + (share * f64::from(height)) as i32);
            write(area, &short(value), place, at(HPos::Left, VPos::Center), 13, INK)?;
        }
        Ok(())
    }
}

/// Relative luminance of sRGB, from 0 to 1 (WCAG 2).
fn luminance(colour: RGBColor) -> f64 {
    let linear = |channel: u8| {
        let share = f64::from(channel) / 255.0;
        if share <= 0.04045 { share / 12.92 } else { ((share + 0.055) / 1.055).powf(2.4) }
    };
    0.2126 * linear(colour.0) + 0.7152 * linear(colour.1) + 0.0722 * linear(colour.2)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn scores_are_readable_and_missing_cells_hatched() {
        let names = ["fast", "slow"].map(str::to_owned);
        let points: [&[f64]; 3] = [&[5.0, 10.0], &[5.0, 20.0], &[10.0, 20.0]];
        let mut trials = Trials {
            names: &names,
            points: &points,
            scores: &[-1.5, 0.25, 1.75],
            score_name: "sharpe_ratio",
            is_lower_better: false,
            best: Some(2),
        };
        let text = heatmap(&trials, 0, 1).unwrap();
        for needle in ["-1.5", "0.25", "1.75", "fast", "slow", "sharpe_ratio", "polyline"] {
            assert!(text.contains(needle), "{needle}");
        }
        trials.scores = &[f64::NAN; 3];
        let error = heatmap(&trials, 0, 1).unwrap_err().to_string();
        assert!(error.contains("undefined for every trial"), "{error}");
    }
}
