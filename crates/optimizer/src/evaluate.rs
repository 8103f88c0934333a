//! What a search asks: the statistics of parameter values over a span of bars.

use std::ops::Range;

use backtest::statistics::{Moments, Statistics};

use crate::OptimizerError;

/// One point of the space and what it came to.
#[derive(Debug, Clone, PartialEq)]
pub struct Trial {
    /// A value per parameter of the strategy.
    pub values: Vec<f64>,
    /// What [`backtest::statistics::StatSet::streaming`] holds.
    pub statistics: Statistics,
    /// Moments of the returns of each of [`SEGMENTS`] equal spans of the bars, in time order: what
    /// the checks for over-fitting resample.
    pub segments: Box<[Moments]>,
}

/// Spans into which [`Trial::segments`] cuts the bars.
pub const SEGMENTS: usize = 64;

/// What [`Evaluate::evaluate`] gives.
#[derive(Debug, Clone)]
pub struct Evaluation {
    /// One trial per point, in their order.
    pub trials: Vec<Trial>,
    /// Time spent on features.
    pub features_ns: u64,
    /// Time spent on trials.
    pub search_ns: u64,
}

/// Hears of finished trials, from any thread: how many, of how many.
pub type Progress<'a> = &'a (dyn Fn(usize, usize) + Sync);

/// Runs points over bars. Samplers, validation and studies know nothing else of the engine.
pub trait Evaluate: Sync {
    /// Bars there are.
    fn bars(&self) -> usize;

    /// One trial per point of `points` (a value per parameter each), in their order, over the bars
    /// of `range`, each with an account of its own that starts there. Features see the bars before
    /// `range`, never those after it. The outcome does not depend on the number of threads.
    ///
    /// # Errors
    /// [`OptimizerError`] for a point that the strategy refuses or an empty range.
    fn evaluate(
        &self,
        points: &[Vec<f64>],
        range: Range<usize>,
        progress: Progress<'_>,
    ) -> Result<Evaluation, OptimizerError>;
}
