//! The best score of each pair of values of two parameters.

use super::Trials;

/// Values on an axis beyond which they are put together into equal intervals.
const MOST_VALUES: usize = 48;

/// A score per pair of values.
#[derive(Debug, Clone, PartialEq)]
pub struct Surface {
    /// Values of the horizontal parameter, ascending; of an interval, its middle.
    pub x: Vec<f64>,
    /// Of the vertical one.
    pub y: Vec<f64>,
    /// Row by row of `y`: the best score among the trials there; `None` where there is none.
    pub cells: Vec<Option<f64>>,
    /// Place of the best trial: column and row.
    pub best: Option<(usize, usize)>,
}

impl Surface {
    /// Of the parameters `x` and `y` of `trials`, the best over all others.
    /// O(trials, and a logarithm).
    #[must_use]
    pub fn new(trials: &Trials<'_>, x: usize, y: usize) -> Self {
        let (columns, rows) = (Ticks::new(trials, x), Ticks::new(trials, y));
        let place = |at: usize| {
            let point = trials.points[at];
            (columns.place(point[x]), rows.place(point[y]))
        };
        let mut cells: Vec<Option<f64>> = vec![None; columns.values.len() * rows.values.len()];
        for (at, &score) in trials.scores.iter().enumerate().filter(|(_, score)| !score.is_nan()) {
            let (column, row) = place(at);
            let cell = &mut cells[row * columns.values.len() + column];
            if cell.is_none_or(|held| trials.is_better(score, held)) {
                *cell = Some(score);
            }
        }
        Self { best: trials.best.map(place), x: columns.values, y: rows.values, cells }
    }
}

/// Where values stand on an axis.
struct Ticks {
    values: Vec<f64>,
    /// First value and width of the intervals, where there are too many values for one each.
    intervals: Option<(f64, f64)>,
}

impl Ticks {
    fn new(trials: &Trials<'_>, axis: usize) -> Self {
        let mut values: Vec<f64> = trials.points.iter().map(|point| point[axis]).collect();
        values.sort_unstable_by(f64::total_cmp);
        values.dedup();
        if values.len() <= MOST_VALUES {
            return Self { values, intervals: None };
        }
        let count = MOST_VALUES / 2;
        let (low, high) = (values[0], values[values.len() - 1]);
        let width = (high - low) / count as f64;
        let middle = |at: usize| low + (at as f64 + 0.5) * width;
        Self { values: (0..count).map(middle).collect(), intervals: Some((low, width)) }
    }

    fn place(&self, value: f64) -> usize {
        let at = match self.intervals {
            None => self.values.partition_point(|&tick| tick < value),
            Some((low, width)) => ((value - low) / width) as usize,
        };
        at.min(self.values.len() - 1)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn surface(points: &[[f64; 3]], scores: &[f64], is_lower_better: bool) -> Surface {
        let names = ["a", "b", "c"].map(str::to_owned);
        let points: Vec<&[f64]> = points.iter().map(|point| &point[..]).collect();
        let trials = Trials {
            names: &names,
            points: &points,
            scores,
            score_name: "score",
            is_lower_better,
            best: Some(1),
        };
        assert_eq!(trials.varied(), [0, 1, 2]);
        Surface::new(&trials, 0, 2)
    }

    #[test]
    fn a_cell_is_the_best_over_the_rest() {
        let points = [[1.0, 5.0, 7.0], [1.0, 6.0, 7.0], [2.0, 5.0, 7.0], [2.0, 5.0, 8.0]];
        let scores = [0.5, 0.9, 0.1, f64::NAN];
        let surface = surface(&points, &scores, false);
        assert_eq!((&surface.x[..], &surface.y[..]), (&[1.0, 2.0][..], &[7.0, 8.0][..]));
        assert_eq!(surface.cells, [Some(0.9), Some(0.1), None, None]);
        assert_eq!(surface.best, Some((0, 0)));
    }

    #[test]
    fn lower_may_be_better_and_many_values_share_intervals() {
        let points: Vec<[f64; 3]> =
            (0..100).map(|at| [f64::from(at), f64::from(at % 2), f64::from(at % 3)]).collect();
        let scores: Vec<f64> = (0..100).map(f64::from).collect();
        let surface = surface(&points, &scores, true);
        assert_eq!((surface.x.len(), surface.y.len()), (24, 3));
        assert_eq!(surface.cells[0], Some(0.0));
        assert_eq!(surface.cells.iter().flatten().count(), 72);
    }
}
