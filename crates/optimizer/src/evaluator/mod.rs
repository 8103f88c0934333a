//! Points through the engine.
//!
//! Every distinct feature of all points is computed once. Fully invested longs go through the bars
//! eight at a time, tile by tile, so that what they share is read from the core's own cache; other
//! accounts go one at a time. Memory is O(distinct features + trials) beside the bars: no trial
//! keeps a number per bar, and features are held a span of bars or a group of points at a time.
//!
//! | what | file |
//! |---|---|
//! | the distinct features of all points | `plan.rs` |
//! | eight accounts at a time | `batches.rs` |
//! | one account at a time | `singly.rs` |

mod batches;
mod clock;
mod plan;
mod singly;

use std::ops::Range;

use backtest::batch::Batch;
use backtest::statistics::{StatSet, Statistics};
use backtest::strategy::{Strategy, check_values};
use backtest::{Config, Signals};
use market_data::BarsView;

use self::plan::Plan;
use crate::{Evaluate, Evaluation, OptimizerError, Progress};

/// A strategy on bars, ready for any number of points.
#[derive(Clone, Copy)]
pub struct Evaluator<'a> {
    /// The bars; closes without NaN.
    pub bars: BarsView<'a>,
    /// Length of a bar in nanoseconds.
    pub freq_ns: i64,
    /// The rule.
    pub strategy: &'a dyn Strategy,
    /// How signals become orders.
    pub config: Config<'a>,
    /// Worker threads; 0 is all cores.
    pub threads: usize,
}

impl Evaluate for Evaluator<'_> {
    fn bars(&self) -> usize {
        self.bars.len()
    }

    fn evaluate(
        &self,
        points: &[Vec<f64>],
        range: Range<usize>,
        progress: Progress<'_>,
    ) -> Result<Evaluation, OptimizerError> {
        let plan = self.plan(points, range)?;
        let pool = rayon::ThreadPoolBuilder::new()
            .num_threads(self.threads)
            .build()
            .map_err(|source| OptimizerError::Threads { threads: self.threads, source })?;
        pool.install(|| {
            if Batch::new(&plan.config).is_some() && !self.strategy.has_shorts() {
                batches::evaluate(&plan, points, progress)
            } else {
                singly::evaluate(&plan, points, progress)
            }
        })
    }
}

impl Evaluator<'_> {
    /// Every statistic of one point over `range`, those that need all returns at once included.
    ///
    /// # Errors
    /// As [`Evaluate::evaluate`].
    pub fn statistics(
        &self,
        values: &[f64],
        range: Range<usize>,
    ) -> Result<Statistics, OptimizerError> {
        let plan = self.plan(&[values.to_vec()], range)?;
        singly::statistics(&plan, values, StatSet::all())
    }

    fn plan(&self, points: &[Vec<f64>], range: Range<usize>) -> Result<Plan<'_>, OptimizerError> {
        backtest::check(&self.bars, &Signals::default(), &self.config)?;
        points.iter().try_for_each(|values| check_values(self.strategy, values))?;
        Plan::new(self, points, range)
    }
}
