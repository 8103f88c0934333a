//! What all trials share.

use std::ops::Range;

use backtest::Config;
use backtest::batch::TILE;
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
    /// The lowest of each [`TILE`] closes that are searched and of all after them.
    lowest: Vec<f64>,
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
        let lowest = lowest_to_come(bars.close);
        Ok(Self { strategy, freq_ns, bars, known, from, lowest, config, features })
    }

    /// The places in [`Self::features`] of the features that `values` need.
    pub(super) fn places(&self, values: &[f64]) -> Vec<usize> {
        let place = |feature| match self.features.binary_search(&feature) {
            Ok(at) => at,
            Err(_) => unreachable!("every feature of every point was planned"),
        };
        self.strategy.features(values).into_iter().map(place).collect()
    }

    /// No close at or after `bar` is below; the bars from the start of the tile on may be.
    pub(super) fn lowest_from(&self, bar: usize) -> f64 {
        self.lowest[bar / TILE]
    }

    /// The bars of a segment.
    pub(super) fn segment(&self, at: usize) -> Range<usize> {
        let bars = self.bars.len();
        at * bars / SEGMENTS..(at + 1) * bars / SEGMENTS
    }
}

/// [`Plan::lowest`]. In lanes, because one comparison after the other would wait for each.
fn lowest_to_come(close: &[f64]) -> Vec<f64> {
    let lower = |a: f64, b: f64| if b < a { b } else { a };
    let of_tile = |tile: &[f64]| {
        let (eights, rest) = tile.as_chunks::<8>();
        let mut lanes = [f64::INFINITY; 8];
        for eight in eights {
            lanes.iter_mut().zip(eight).for_each(|(lane, &close)| *lane = lower(*lane, close));
        }
        lanes.iter().chain(rest).copied().fold(f64::INFINITY, lower)
    };
    let mut lowest: Vec<f64> = close.chunks(TILE).map(of_tile).collect();
    for at in (1..lowest.len()).rev() {
        lowest[at - 1] = lower(lowest[at - 1], lowest[at]);
    }
    lowest
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_lowest_to_come_rises() {
        let mut close = vec![5.0; 2 * TILE + 9];
        (close[7], close[TILE], close[2 * TILE + 8]) = (1.0, 2.0, 3.0);
        assert_eq!(lowest_to_come(&close), [1.0, 2.0, 3.0]);
    }
}
