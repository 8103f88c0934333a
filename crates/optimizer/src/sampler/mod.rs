//! Which points to try: samplers that are asked for points and told their scores.
//!
//! | sampler | points | adapts |
//! |---|---|---|
//! | [`Grid`] | every combination, last axis fastest | no |
//! | [`Random`] | independent, even over the space | no |
//! | [`Sobol`] | scrambled Sobol sequence: even in every projection | no |
//! | [`Tpe`] | tree-structured Parzen estimator | yes |
//! | [`CmaEs`] | covariance matrix adaptation, with restarts | yes |
//! | [`Halving`] | successive halving, Hyperband: many points on few bars, few on all | yes |
//!
//! A sampler's points depend on its seed and on what it was told, and on nothing else: not on how
//! many were asked for at once, nor on threads. Scores are such that higher is better; NaN is an
//! undefined score and counts as the lowest.
//!
//! ```
//! use optimizer::sampler::SamplerKind;
//! use optimizer::{Axis, MAX_POINTS, ParamSpace};
//!
//! let space = ParamSpace::new(vec![Axis::parse("x", "-10:10:1")?], None)?;
//! let (mut sampler, trials) = SamplerKind::Tpe.build(&space, 40, 7, MAX_POINTS)?;
//! let mut best = f64::NEG_INFINITY;
//! for _ in 0..trials {
//!     let points = sampler.ask(1)?;
//!     let told: Vec<_> = points.into_iter().map(|x| (x.clone(), -(x[0] - 3.0).abs())).collect();
//!     best = told.iter().fold(best, |best, (_, score)| best.max(*score));
//!     sampler.tell(&told);
//! }
//! assert!(best >= -1.0);
//! # Ok::<(), optimizer::OptimizerError>(())
//! ```

mod cma_es;
mod grid;
mod halving;
mod jacobi;
mod kind;
mod random;
pub(crate) mod rng;
mod shard;
mod sobol;
mod tpe;

pub use cma_es::CmaEs;
pub use grid::Grid;
pub use halving::Halving;
pub use kind::SamplerKind;
pub use random::Random;
pub use shard::{Shard, Sharded};
pub use sobol::Sobol;
pub use tpe::Tpe;

use crate::{OptimizerError, ParamSpace};

/// Asked for points, told their scores.
pub trait Sampler {
    /// The next points, at most `n`, each permitted by the space, with a value per parameter. None
    /// where all have been given.
    ///
    /// # Errors
    /// [`OptimizerError::EmptySpace`] where no permitted point can be found.
    fn ask(&mut self, n: usize) -> Result<Vec<Vec<f64>>, OptimizerError>;

    /// Points and their scores: all that were asked for last, in their order.
    fn tell(&mut self, told: &[(Vec<f64>, f64)]);

    /// Points to ask for at once; `None` where no score is needed for the next points, so that
    /// any number will do.
    fn batch(&self) -> Option<usize> {
        None
    }

    /// The share of the bars on which the points last asked for are to be tried.
    fn share(&self) -> f64 {
        1.0
    }
}

/// Refused points in a row after which a space counts as empty.
const MAX_REFUSALS: u64 = 100_000;

/// The first permitted point of `candidates`.
fn first_permitted(
    space: &ParamSpace<'_>,
    kind: &'static str,
    mut candidate: impl FnMut() -> Vec<f64>,
) -> Result<Vec<f64>, OptimizerError> {
    let mut values = candidate();
    for _ in 1..MAX_REFUSALS {
        if space.permits(&values) {
            return Ok(values);
        }
        values = candidate();
    }
    let why = space.refusal(&values).unwrap_or_default();
    Err(OptimizerError::EmptySpace { kind, points: MAX_REFUSALS, why })
}

/// Orders scores from best to worst, NaN last.
fn best_first(a: f64, b: f64) -> std::cmp::Ordering {
    let rank = |score: f64| if score.is_nan() { f64::NEG_INFINITY } else { score };
    rank(b).total_cmp(&rank(a))
}
