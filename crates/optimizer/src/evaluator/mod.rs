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
//! | features kept from one evaluation to the next | `cached.rs` |
//! | how far the best trial's returns are from normal | `shape.rs` |

mod batches;
mod cached;
mod clock;
mod column;
mod plan;
mod shape;
mod singly;

use std::ops::Range;
use std::sync::Arc;

use backtest::batch::Batch;
use backtest::strategy::{Strategy, check_values};
use backtest::{Config, Signals};
use market_data::BarsView;
use rayon::ThreadPool;
use rayon::prelude::*;

pub use self::cached::Cached;
use self::column::Column;
use self::plan::Plan;
pub use self::shape::Shape;
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
        self.pool()?.install(|| {
            let plan = self.plan(points, range)?;
            self.run(&plan, points, None, progress)
        })
    }
}

impl<'a> Evaluator<'a> {
    /// [`Shape`] of the returns of one point over `range`; `None` where it has none. The point runs
    /// once more for it, since no trial keeps a return of a bar.
    ///
    /// # Errors
    /// As [`Evaluate::evaluate`].
    pub fn shape(
        &self,
        values: &[f64],
        range: Range<usize>,
    ) -> Result<Option<Shape>, OptimizerError> {
        self.pool()?.install(|| {
            let plan = self.plan(&[values.to_vec()], range)?;
            singly::returns(&plan, values).map(|returns| Shape::of(&returns))
        })
    }

    /// This evaluator with a cache of features: for points that come a few at a time, and for many
    /// ranges of the same bars.
    #[must_use]
    pub fn cached(self) -> Cached<'a> {
        Cached::new(self)
    }

    fn pool(&self) -> Result<ThreadPool, OptimizerError> {
        let threads = self.threads;
        rayon::ThreadPoolBuilder::new()
            .num_threads(threads)
            .build()
            .map_err(|source| OptimizerError::Threads { threads, source })
    }

    /// `known`: columns of the plan's features, at least as long as the bars that it knows.
    fn run(
        &self,
        plan: &Plan<'_>,
        points: &[Vec<f64>],
        known: Option<&[Arc<Column>]>,
        progress: Progress<'_>,
    ) -> Result<Evaluation, OptimizerError> {
        if Batch::new(&plan.config).is_some() && !self.strategy.has_shorts() {
            batches::evaluate(plan, points, known, progress)
        } else {
            singly::evaluate(plan, points, known, progress)
        }
    }

    /// As [`backtest::check`] does, on all threads: the prices of a year are 17 MB.
    fn check(&self) -> Result<(), OptimizerError> {
        const PART: usize = 1 << 15;
        let Self { bars, config, .. } = self;
        let columns = [bars.open, bars.high, bars.low, bars.close, bars.volume];
        let is_even = columns.iter().all(|column| column.len() == bars.timestamp.len());
        let is_fine = |part: usize| {
            let part = bars.slice(part * PART..((part + 1) * PART).min(bars.len()));
            backtest::check(&part, &Signals::default(), config).is_ok()
        };
        let parts = bars.len().div_ceil(PART);
        if !is_even || parts < 2 || !(0..parts).into_par_iter().all(is_fine) {
            // Options of a value per bar fit the whole alone, and it says which bar is wrong.
            backtest::check(bars, &Signals::default(), config)?;
        }
        Ok(())
    }

    fn plan(&self, points: &[Vec<f64>], range: Range<usize>) -> Result<Plan<'_>, OptimizerError> {
        self.check()?;
        points.iter().try_for_each(|values| check_values(self.strategy, values))?;
        Plan::new(self, points, range)
    }
}
