//! Points through the engine.
//!
//! Each distinct feature of all points is computed once. Trials then run in parallel. Fully
//! invested longs go through the bars eight at a time, tile by tile ([`backtest::batch`]), so that
//! what they share is read from L2; other accounts one at a time, each worker with one set of
//! buffers. Memory is O(bars x distinct features + trials), never bars x trials.

use std::ops::Range;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Instant;

use backtest::batch::{Batch, LANES, TILE, Tile};
use backtest::statistics::{Run, StatSet, Statistics, price_returns};
use backtest::strategy::{EntryExit, Feature, Last, Strategy, check_values};
use backtest::{Config, Signals, engine};
use market_data::BarsView;
use rayon::prelude::*;

use crate::{Evaluate, Evaluation, OptimizerError, Progress, SEGMENTS, Trial};

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

/// Buffers of one worker, reused from trial to trial.
#[derive(Default)]
struct Scratch {
    masks: EntryExit,
    fills: Vec<engine::Fill>,
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
        backtest::check(&self.bars, &Signals::default(), &self.config)?;
        points.iter().try_for_each(|values| check_values(self.strategy, values))?;
        let pool = rayon::ThreadPoolBuilder::new()
            .num_threads(self.threads)
            .build()
            .map_err(|source| OptimizerError::Threads { threads: self.threads, source })?;
        pool.install(|| {
            let started = Instant::now();
            let plan = Plan::new(self, points, range)?;
            let features_ns = started.elapsed().as_nanos() as u64;
            let done = AtomicUsize::new(0);
            let finished = |trials| {
                progress(done.fetch_add(trials, Ordering::Relaxed) + trials, points.len());
            };
            let trials = if Batch::new(&plan.config).is_some() {
                plan.in_batches(points, &finished)
            } else {
                plan.one_by_one(points, &finished)?
            };
            let search_ns = started.elapsed().as_nanos() as u64 - features_ns;
            Ok(Evaluation { trials, features_ns, search_ns })
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
        check_values(self.strategy, values)?;
        let plan = Plan::new(self, &[values.to_vec()], range)?;
        let mut scratch = Scratch::default();
        plan.simulate(values, &mut scratch)?;
        Ok(plan.judge(&scratch.fills).statistics(StatSet::all()))
    }
}

/// What all trials share: the distinct features of all points, and the price's returns.
struct Plan<'a> {
    evaluator: &'a Evaluator<'a>,
    config: Config<'a>,
    range: Range<usize>,
    bars: BarsView<'a>,
    features: Vec<Feature>,
    columns: Vec<Vec<f64>>,
    returns: Vec<f64>,
}

impl<'a> Plan<'a> {
    fn new(
        evaluator: &'a Evaluator<'a>,
        points: &[Vec<f64>],
        range: Range<usize>,
    ) -> Result<Self, OptimizerError> {
        let bars = evaluator.bars;
        if range.is_empty() || range.end > bars.len() {
            return Err(OptimizerError::Span {
                from: range.start,
                to: range.end,
                bars: bars.len(),
            });
        }
        let known = bars.slice(0..range.end);
        let mut features: Vec<Feature> =
            points.iter().flat_map(|values| evaluator.strategy.features(values)).collect();
        features.sort_unstable();
        features.dedup();
        let columns = features
            .par_iter()
            .map(|feature| {
                let mut column = vec![0.0; known.len()];
                feature.compute(known.close, &mut column)?;
                Ok(column)
            })
            .collect::<Result<_, features::FeatureError>>()?;
        let bars = bars.slice(range.clone());
        let config = evaluator.config.slice(range.clone());
        let mut returns = vec![0.0; bars.len()];
        price_returns(bars.close, &mut returns);
        Ok(Self { evaluator, config, range, bars, features, columns, returns })
    }

    fn columns(&self, wanted: &[Feature]) -> Vec<&[f64]> {
        let column = |feature| match self.features.binary_search(feature) {
            Ok(at) => &self.columns[at][self.range.clone()],
            Err(_) => unreachable!("every feature of every point was planned"),
        };
        wanted.iter().map(column).collect()
    }

    fn simulate(&self, values: &[f64], scratch: &mut Scratch) -> Result<(), OptimizerError> {
        let Self { config, .. } = self;
        let strategy = self.evaluator.strategy;
        let columns = self.columns(&strategy.features(values));
        let mut memory = vec![Last::default(); strategy.crossings()];
        strategy.signals(&columns, values, &mut memory, &mut scratch.masks);
        let EntryExit { entry, exit } = std::mem::take(&mut scratch.masks);
        let signals = Signals::new(entry, exit, config.direction);
        engine::simulate(&self.bars, &signals, config, &mut scratch.fills)?;
        scratch.masks = signals.into_entry_exit(config.direction);
        Ok(())
    }

    fn one_by_one(
        &self,
        points: &[Vec<f64>],
        finished: &(dyn Fn(usize) + Sync),
    ) -> Result<Vec<Trial>, OptimizerError> {
        points
            .par_iter()
            .map_init(Scratch::default, |scratch, values| {
                self.simulate(values, scratch)?;
                let run = self.judge(&scratch.fills);
                let trial = Trial {
                    values: values.clone(),
                    statistics: run.statistics(StatSet::streaming()),
                    segments: run.segments(SEGMENTS).into_boxed_slice(),
                };
                finished(1);
                Ok(trial)
            })
            .collect()
    }

    fn in_batches(&self, points: &[Vec<f64>], finished: &(dyn Fn(usize) + Sync)) -> Vec<Trial> {
        let share = points.len().div_ceil(rayon::current_num_threads());
        // A worker reads the shared tile once for all trials of its chunk, so that chunks are as
        // large as leaves every worker one, but no larger than keeps their accounts in L2.
        let chunk = share.next_multiple_of(LANES).min(MOST_AT_ONCE);
        points
            .par_chunks(chunk)
            .flat_map_iter(|points| {
                let trials = self.chunk(points);
                finished(trials.len());
                trials
            })
            .collect()
    }

    /// The trials of one worker: every tile, and for every tile all batches.
    fn chunk(&self, points: &[Vec<f64>]) -> Vec<Trial> {
        let strategy = self.evaluator.strategy;
        let (bars, close) = (self.bars.len(), self.bars.close);
        let mut groups: Vec<Group> = points.chunks(LANES).map(|p| Group::new(self, p)).collect();
        let mut tile = Tile::new();
        let mut columns = Vec::new();
        for segment in 0..SEGMENTS {
            let mut from = segment * bars / SEGMENTS;
            let end = (segment + 1) * bars / SEGMENTS;
            while from < end {
                let to = (from + TILE).min(end);
                tile.load(close, &self.returns, from..to);
                for group in &mut groups {
                    for trial in &mut group.trials {
                        columns.clear();
                        columns.extend(trial.columns.iter().map(|column| &column[from..to]));
                        let (values, memory) = (trial.values, &mut trial.memory);
                        strategy.signals(&columns, values, memory, &mut group.signals[trial.place]);
                    }
                    group.batch.feed(&tile, &group.signals[..group.trials.len()]);
                }
                from = to;
            }
            groups.iter_mut().for_each(|group| group.batch.cut());
        }
        groups.iter().flat_map(|group| group.finish(self)).collect()
    }

    fn judge<'f>(&'f self, fills: &'f [engine::Fill]) -> Run<'f> {
        Run {
            bars: self.bars,
            fills,
            init_cash: self.evaluator.config.init_cash,
            freq_ns: self.evaluator.freq_ns,
            returns: Some(&self.returns),
        }
    }
}

/// Trials that one worker takes through the bars together.
const MOST_AT_ONCE: usize = 256;

/// A batch, with what its trials carry from tile to tile.
struct Group<'a> {
    batch: Batch,
    trials: Vec<Carried<'a>>,
    signals: [EntryExit; LANES],
}

/// A trial between two tiles.
struct Carried<'a> {
    place: usize,
    values: &'a [f64],
    columns: Vec<&'a [f64]>,
    memory: Vec<Last>,
}

impl<'a> Group<'a> {
    fn new(plan: &'a Plan<'a>, points: &'a [Vec<f64>]) -> Self {
        let Some(batch) = Batch::new(&plan.config) else {
            unreachable!("the caller asked whether there are batches for these options");
        };
        let strategy = plan.evaluator.strategy;
        let carried = |(place, values): (usize, &'a Vec<f64>)| Carried {
            place,
            values,
            columns: plan.columns(&strategy.features(values)),
            memory: vec![Last::default(); strategy.crossings()],
        };
        let trials = points.iter().enumerate().map(carried).collect();
        Self { batch, trials, signals: Default::default() }
    }

    fn finish(&self, plan: &Plan<'_>) -> impl Iterator<Item = Trial> {
        self.trials.iter().map(|trial| Trial {
            values: trial.values.to_vec(),
            statistics: self.batch.statistics(trial.place, plan.bars, plan.evaluator.freq_ns),
            segments: self.batch.segments(trial.place).into_boxed_slice(),
        })
    }
}
