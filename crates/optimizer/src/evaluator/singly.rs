//! One account at a time: whole columns, one mask, fills, one pass over the equity.
//!
//! Points go in groups that share few enough features for their columns to fit in memory.

use std::collections::BTreeSet;
use std::ops::Range;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use backtest::statistics::{self, Run, price_returns};
use backtest::strategy::{EntryExit, Feature, Last};
use backtest::{Signals, engine};
use features::FeatureError;
use rayon::prelude::*;

use super::clock::Clock;
use super::column::Column;
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

/// A column per feature of the plan, at least as long as the bars that it knows, where it is at
/// hand.
struct Columns {
    features: Vec<Option<Arc<Column>>>,
    /// Returns of the closes of the bars that are searched.
    returns: Vec<f64>,
}

impl Columns {
    /// Those that are `known` already.
    fn new(plan: &Plan<'_>, known: Option<&[Arc<Column>]>) -> Self {
        let known = |at: usize| known.map(|columns| Arc::clone(&columns[at]));
        let features = (0..plan.features.len()).map(known).collect();
        let mut returns = vec![0.0; plan.bars.len()];
        price_returns(plan.bars.close, &mut returns);
        Self { features, returns }
    }

    /// Computes those at `places` that are not at hand, and lets go of all others.
    fn load(&mut self, plan: &Plan<'_>, places: &BTreeSet<usize>) -> Result<(), FeatureError> {
        let mut missing = Vec::new();
        for (at, column) in self.features.iter_mut().enumerate() {
            if !places.contains(&at) {
                *column = None;
            } else if column.is_none() {
                missing.push(at);
            }
        }
        let wanted: Vec<Feature> = missing.iter().map(|&at| plan.features[at].clone()).collect();
        for (at, column) in missing.into_iter().zip(Column::whole(&wanted, plan.known)?) {
            self.features[at] = Some(column);
        }
        Ok(())
    }

    fn slice(&self, at: usize, bars: Range<usize>) -> &[f64] {
        let Some(column) = &self.features[at] else {
            unreachable!("the group's features were loaded")
        };
        column.slice(bars)
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
    known: Option<&[Arc<Column>]>,
    progress: Progress<'_>,
) -> Result<Evaluation, OptimizerError> {
    let mut clock = Clock::new();
    let mut columns = Columns::new(plan, known);
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

/// The return of every bar.
pub(super) fn returns(plan: &Plan<'_>, values: &[f64]) -> Result<Vec<f64>, OptimizerError> {
    let mut columns = Columns::new(plan, None);
    columns.load(plan, &plan.places(values).into_iter().collect())?;
    let mut scratch = Scratch::default();
    let run = simulate(plan, &columns, values, &mut scratch)?;
    let mut out = vec![0.0; plan.bars.len()];
    statistics::equity(run.bars.close, run.fills, run.init_cash, &mut out);
    statistics::returns(run.init_cash, &mut out);
    Ok(out)
}

fn simulate<'r>(
    plan: &'r Plan<'_>,
    columns: &'r Columns,
    values: &[f64],
    scratch: &'r mut Scratch,
) -> Result<Run<'r>, OptimizerError> {
    let Plan { strategy, config, bars, .. } = plan;
    let searched = plan.from..plan.known.len();
    let operands: Vec<&[f64]> =
        plan.places(values).into_iter().map(|at| columns.slice(at, searched.clone())).collect();
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
