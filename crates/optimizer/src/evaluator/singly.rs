//! One account at a time: whole columns, one mask, fills, one pass over the equity.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Instant;

use backtest::statistics::{Run, StatSet, Statistics};
use backtest::strategy::{EntryExit, Last};
use backtest::{Signals, engine};
use rayon::prelude::*;

use super::plan::Plan;
use crate::{Evaluation, OptimizerError, Progress, SEGMENTS, Trial};

/// Buffers of one worker, reused from trial to trial.
#[derive(Default)]
struct Scratch {
    masks: EntryExit,
    fills: Vec<engine::Fill>,
}

/// A column per feature of the plan, as long as the bars that it knows.
type Columns = Vec<Vec<f64>>;

pub(super) fn evaluate(
    plan: &Plan<'_>,
    points: &[Vec<f64>],
    progress: Progress<'_>,
) -> Result<Evaluation, OptimizerError> {
    let started = Instant::now();
    let columns = columns(plan)?;
    let features_ns = started.elapsed().as_nanos() as u64;
    let done = AtomicUsize::new(0);
    let trials = points
        .par_iter()
        .map_init(Scratch::default, |scratch, values| {
            let run = simulate(plan, &columns, values, scratch)?;
            let trial = Trial {
                values: values.clone(),
                statistics: run.statistics(StatSet::streaming()),
                segments: run.segments(SEGMENTS).into_boxed_slice(),
            };
            progress(done.fetch_add(1, Ordering::Relaxed) + 1, points.len());
            Ok(trial)
        })
        .collect::<Result<Vec<_>, OptimizerError>>()?;
    let search_ns = started.elapsed().as_nanos() as u64 - features_ns;
    Ok(Evaluation { trials, features_ns, search_ns })
}

pub(super) fn statistics(
    plan: &Plan<'_>,
    values: &[f64],
    set: StatSet,
) -> Result<Statistics, OptimizerError> {
    let columns = columns(plan)?;
    Ok(simulate(plan, &columns, values, &mut Scratch::default())?.statistics(set))
}

fn columns(plan: &Plan<'_>) -> Result<Columns, OptimizerError> {
    plan.features
        .par_iter()
        .map(|feature| {
            let mut column = vec![0.0; plan.known.len()];
            feature.compute(plan.known.close, &mut column)?;
            Ok(column)
        })
        .collect()
}

fn simulate<'r>(
    plan: &'r Plan<'_>,
    columns: &Columns,
    values: &[f64],
    scratch: &'r mut Scratch,
) -> Result<Run<'r>, OptimizerError> {
    let Plan { strategy, config, bars, .. } = plan;
    let columns: Vec<&[f64]> =
        plan.places(values).into_iter().map(|at| &columns[at][plan.from..]).collect();
    let mut memory = vec![Last::default(); strategy.crossings()];
    strategy.signals(&columns, values, &mut memory, &mut scratch.masks);
    let EntryExit { entry, exit } = std::mem::take(&mut scratch.masks);
    let signals = Signals::new(entry, exit, config.direction);
    engine::simulate(bars, &signals, config, &mut scratch.fills)?;
    scratch.masks = signals.into_entry_exit(config.direction);
    Ok(Run {
        bars: *bars,
        fills: &scratch.fills,
        init_cash: config.init_cash,
        freq_ns: plan.freq_ns,
        returns: Some(&plan.returns),
    })
}
