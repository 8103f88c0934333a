//! One account at a time: whole columns, one mask, fills, one pass over the equity.
//!
//! Points go in groups that share few enough features for their columns to fit in memory.

use std::collections::BTreeSet;
use std::sync::atomic::{AtomicUsize, Ordering};

use backtest::statistics::{Run, StatSet, Statistics, price_returns};
use backtest::strategy::{EntryExit, Feature, FeatureStream, Last};
use backtest::{Signals, engine};
use features::FeatureError;
use rayon::prelude::*;

use super::clock::Clock;
use super::plan::Plan;
use crate::{Evaluation, OptimizerError, Progress, SEGMENTS, Trial};

/// Buffers of one worker, reused from trial to trial.
#[derive(Default)]
struct Scratch {
    masks: EntryExit,
    fills: Vec<engine::Fill>,
}

/// Bytes that the feature columns of one group of points may take together.
const GROUP_BYTES: usize = 512 << 20;

/// A column per feature of the plan, as long as the bars that it knows, where it is at hand.
struct Columns {
    features: Vec<Option<Vec<f64>>>,
    /// Returns of the closes of the bars that are searched.
    returns: Vec<f64>,
}

impl Columns {
    fn none(plan: &Plan<'_>) -> Self {
        let features = plan.features.iter().map(|_| None).collect();
        let mut returns = vec![0.0; plan.bars.len()];
        price_returns(plan.bars.close, &mut returns);
        Self { features, returns }
    }

    /// Computes those at `places` that are not at hand, and lets go of all others.
    fn load(&mut self, plan: &Plan<'_>, places: &BTreeSet<usize>) -> Result<(), FeatureError> {
        let (mut jobs, mut rest, mut from) = (Vec::new(), self.features.as_mut_slice(), 0);
        for together in plan.features.chunk_by(Feature::comes_with) {
            let (columns, others) = rest.split_at_mut(together.len());
            jobs.push((from, together, columns));
            (rest, from) = (others, from + together.len());
        }
        jobs.into_par_iter().try_for_each(|(from, together, columns)| {
            let (mut wanted, mut missing) = (Vec::new(), Vec::new());
            for (at, column) in columns.iter_mut().enumerate() {
                if !places.contains(&(from + at)) {
                    *column = None;
                } else if column.is_none() {
                    wanted.push(together[at].clone());
                    missing.push(column.insert(vec![0.0; plan.known.len()]).as_mut_slice());
                }
            }
            if wanted.is_empty() {
                return Ok(());
            }
            FeatureStream::new(&wanted)?.extend(plan.known, &mut missing)
        })
    }

    fn get(&self, at: usize) -> &[f64] {
        let Some(column) = &self.features[at] else {
            unreachable!("the group's features were loaded")
        };
        column
    }
}

/// As many points as share few enough features, from the first of `points` on, and the features.
fn group(plan: &Plan<'_>, points: &[Vec<f64>]) -> (usize, BTreeSet<usize>) {
    let most = GROUP_BYTES / (plan.known.len() * size_of::<f64>());
    let mut wanted = BTreeSet::new();
    for (at, values) in points.iter().enumerate() {
        let places = plan.places(values);
        let more = places.iter().filter(|place| !wanted.contains(*place)).count();
        if at > 0 && wanted.len() + more > most {
            return (at, wanted);
        }
        wanted.extend(places);
    }
    (points.len(), wanted)
}

pub(super) fn evaluate(
    plan: &Plan<'_>,
    points: &[Vec<f64>],
    progress: Progress<'_>,
) -> Result<Evaluation, OptimizerError> {
    let mut clock = Clock::new();
    let mut columns = Columns::none(plan);
    let mut trials = Vec::with_capacity(points.len());
    let done = AtomicUsize::new(0);
    let mut rest = points;
    while !rest.is_empty() {
        let (count, places) = group(plan, rest);
        columns.load(plan, &places)?;
        clock.features_done();
        let trial = |scratch: &mut Scratch, values: &Vec<f64>| {
            let run = simulate(plan, &columns, values, scratch)?;
            let (statistics, segments) = run.with_segments(SEGMENTS);
            progress(done.fetch_add(1, Ordering::Relaxed) + 1, points.len());
            let values = values.clone();
            Ok(Trial { values, statistics, segments: segments.into_boxed_slice() })
        };
        let of_group = rest[..count].par_iter().map_init(Scratch::default, trial);
        trials.extend(of_group.collect::<Result<Vec<_>, OptimizerError>>()?);
        clock.trials_done();
        rest = &rest[count..];
    }
    Ok(clock.evaluation(trials))
}

pub(super) fn statistics(
    plan: &Plan<'_>,
    values: &[f64],
    set: StatSet,
) -> Result<Statistics, OptimizerError> {
    let mut columns = Columns::none(plan);
    columns.load(plan, &plan.places(values).into_iter().collect())?;
    let mut scratch = Scratch::default();
    Ok(simulate(plan, &columns, values, &mut scratch)?.statistics(set))
}

fn simulate<'r>(
    plan: &'r Plan<'_>,
    columns: &'r Columns,
    values: &[f64],
    scratch: &'r mut Scratch,
) -> Result<Run<'r>, OptimizerError> {
    let Plan { strategy, config, bars, .. } = plan;
    let operands: Vec<&[f64]> =
        plan.places(values).into_iter().map(|at| &columns.get(at)[plan.from..]).collect();
    let mut memory = vec![Last::default(); strategy.crossings()];
    strategy.signals(&operands, values, &mut memory, &mut scratch.masks);
    let signals = Signals::of(std::mem::take(&mut scratch.masks), config.direction);
    engine::simulate(bars, &signals, config, &mut scratch.fills)?;
    scratch.masks = signals.into_entry_exit(config.direction);
    Ok(Run {
        bars: *bars,
        fills: &scratch.fills,
        init_cash: config.init_cash,
        freq_ns: plan.freq_ns,
        returns: Some(&columns.returns),
    })
}
