//! Independent points.

use super::rng::Rng;
use super::{Sampler, first_permitted};
use crate::{OptimizerError, ParamSpace};

/// Independent points, even over the permitted space. The same point may come twice.
pub struct Random<'a> {
    space: &'a ParamSpace<'a>,
    rng: Rng,
}

impl<'a> Random<'a> {
    /// Points of `space` from `seed`.
    #[must_use]
    pub fn new(space: &'a ParamSpace<'a>, seed: u64) -> Self {
        Self { space, rng: Rng::new(seed) }
    }

    /// One more point.
    pub(super) fn draw(&mut self) -> Result<Vec<f64>, OptimizerError> {
        let Self { space, rng } = self;
        let dimensions = space.axes().len();
        first_permitted(space, "random", || space.point_at(&rng.unit(dimensions)))
    }
}

impl Sampler for Random<'_> {
    fn ask(&mut self, n: usize) -> Result<Vec<Vec<f64>>, OptimizerError> {
        (0..n).map(|_| self.draw()).collect()
    }

    fn tell(&mut self, _told: &[(Vec<f64>, f64)]) {}
}
