//! What all trials share.

use std::ops::Range;

use backtest::Config;
use backtest::strategy::{Feature, Strategy};
use market_data::BarsView;

use super::Evaluator;
use crate::{OptimizerError, SEGMENTS};

/// A span of bars, its options, and the distinct features of all points.
pub(super) struct Plan<'a> {
    pub(super) strategy: &'a dyn Strategy,
    pub(super) freq_ns: i64,
    /// The bars that are searched.
    pub(super) bars: BarsView<'a>,
    /// The same and all before them, which features see.
    pub(super) known: BarsView<'a>,
    /// The first bar that is searched.
    pub(super) from: usize,
    pub(super) config: Config<'a>,
    /// Sorted.
    pub(super) features: Vec<Feature>,
}

impl<'a> Plan<'a> {
    pub(super) fn new(
        evaluator: &'a Evaluator<'a>,
        points: &[Vec<f64>],
        range: Range<usize>,
    ) -> Result<Self, OptimizerError> {
        let Evaluator { bars, strategy, freq_ns, config, .. } = *evaluator;
        if range.is_empty() || range.end > bars.len() {
            return Err(OptimizerError::Span {
                from: range.start,
                to: range.end,
                bars: bars.len(),
            });
        }
        let mut features: Vec<Feature> =
            points.iter().flat_map(|values| strategy.features(values)).collect();
        features.sort_unstable();
        features.dedup();
        let known = bars.slice(0..range.end);
        features.iter().try_for_each(|feature| feature.check(known.len()))?;
        let bars = bars.slice(range.clone());
        let config = config.slice(range.clone());
        let from = range.start;
        Ok(Self { strategy, freq_ns, bars, known, from, config, features })
    }

    /// The places in [`Self::features`] of the features that `values` need.
    pub(super) fn places(&self, values: &[f64]) -> Vec<usize> {
        let place = |feature| match self.features.binary_search(&feature) {
            Ok(at) => at,
            Err(_) => unreachable!("every feature of every point was planned"),
        };
        self.strategy.features(values).into_iter().map(place).collect()
    }

    /// The bars of a segment.
    pub(super) fn segment(&self, at: usize) -> Range<usize> {
        let bars = self.bars.len();
        at * bars / SEGMENTS..(at + 1) * bars / SEGMENTS
    }
}
