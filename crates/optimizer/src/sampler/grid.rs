//! Every combination.

use super::Sampler;
use crate::{OptimizerError, ParamSpace};

/// Every permitted point of the grid, last axis fastest. Holds no list of them.
pub struct Grid<'a> {
    space: &'a ParamSpace<'a>,
    len: u64,
    next: u64,
    given: u64,
}

impl<'a> Grid<'a> {
    /// The grid of `space`, which may have up to `limit` points, permitted or not.
    ///
    /// # Errors
    /// [`OptimizerError::TooLarge`] beyond the limit, [`OptimizerError::NoGrid`] for a range of
    /// numbers.
    pub fn new(space: &'a ParamSpace<'a>, limit: u64) -> Result<Self, OptimizerError> {
        let len = space.grid_len()?;
        if len > limit {
            return Err(OptimizerError::TooLarge { points: len, limit });
        }
        Ok(Self { space, len, next: 0, given: 0 })
    }

    /// Points passed so far that the condition or the strategy refused.
    #[must_use]
    pub fn refused(&self) -> u64 {
        self.next - self.given
    }

    /// Permitted points of the whole grid. O(points of the grid).
    #[must_use]
    pub fn count(&self) -> u64 {
        let permitted = |&at: &u64| self.space.permits(&self.space.grid_point(at));
        (0..self.len).filter(permitted).count() as u64
    }
}

impl Sampler for Grid<'_> {
    fn ask(&mut self, n: usize) -> Result<Vec<Vec<f64>>, OptimizerError> {
        let mut points = Vec::new();
        while points.len() < n && self.next < self.len {
            let values = self.space.grid_point(self.next);
            self.next += 1;
            if self.space.permits(&values) {
                points.push(values);
            }
        }
        self.given += points.len() as u64;
        if self.given == 0 && self.next == self.len {
            let last = self.space.grid_point(self.len.saturating_sub(1));
            let why = self.space.refusal(&last).unwrap_or_default();
            return Err(OptimizerError::EmptySpace { kind: "grid", points: self.len, why });
        }
        Ok(points)
    }

    fn tell(&mut self, _told: &[(Vec<f64>, f64)]) {}
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Axis;

    fn axes() -> Vec<Axis> {
        ["a", "b"].map(|name| Axis::parse(name, "1:3:1").unwrap()).to_vec()
    }

    #[test]
    fn the_size_of_the_ask_changes_no_point() {
        let space = ParamSpace::new(axes(), Some("a < b")).unwrap();
        let mut whole = Grid::new(&space, 9).unwrap();
        let all = whole.ask(100).unwrap();
        assert_eq!(all, [[1.0, 2.0], [1.0, 3.0], [2.0, 3.0]]);
        assert_eq!((whole.refused(), whole.count()), (6, 3));
        let mut grid = Grid::new(&space, 9).unwrap();
        let singly: Vec<_> = (0..3).flat_map(|_| grid.ask(1).unwrap()).collect();
        assert_eq!(singly, all);
        assert!(grid.ask(1).unwrap().is_empty());
    }

    #[test]
    fn nothing_permitted_is_an_error() {
        let space = ParamSpace::new(axes(), Some("a > 5")).unwrap();
        let error = Grid::new(&space, 9).unwrap().ask(10).unwrap_err().to_string();
        assert!(error.contains("none of 9 grid points") && error.contains("'a > 5'"), "{error}");
    }

    #[test]
    fn the_limit_counts_points_before_conditions() {
        let space = ParamSpace::new(axes(), Some("a < b")).unwrap();
        let error = Grid::new(&space, 8).err().unwrap().to_string();
        assert!(error.contains("9 grid points") && error.contains("--yes"), "{error}");
    }
}
