//! Eight accounts at a time, span by span of bars.
//!
//! A span's features are computed first, each by the stream that carries it from span to span;
//! then every worker takes its share of the trials through the span's tiles. Feature columns are
//! as long as a span and are used again, so that they stay in cache and never ask the system for
//! memory.

use std::ops::Range;
use std::sync::Arc;

use backtest::batch::{Batch, Events, LANES, TILE, Tile};
use backtest::strategy::{EntryExit, Feature, FeatureStream, Last};
use features::FeatureError;
use rayon::prelude::*;

use super::clock::Clock;
use super::column::Column;
use super::plan::Plan;
use crate::{Evaluation, OptimizerError, Progress, SEGMENTS, Trial};

/// Bytes that the feature columns of one span may take together.
const SPAN_BYTES: usize = 128 << 20;

/// The longest span: long enough that the workers' waiting for each other at its end is nothing,
/// short enough that a dozen columns stay in a shared cache.
const MOST_BARS: usize = 32 * TILE;

/// Trials that one worker takes through a tile together: their accounts and features stay in L2.
const MOST_TRIALS: usize = 256;

pub(super) fn evaluate(
    plan: &Plan<'_>,
    points: &[Vec<f64>],
    known: Option<&[Arc<Column>]>,
    progress: Progress<'_>,
) -> Result<Evaluation, OptimizerError> {
    let mut columns = Columns::new(plan, known)?;
    let mut chunks = chunks(plan, points);
    let mut clock = Clock::new();
    let end = plan.known.len();
    for from in (0..end).step_by(columns.bars) {
        let span = from..(from + columns.bars).min(end);
        columns.fill(plan, span.clone())?;
        clock.features_done();
        if span.end > plan.from {
            chunks.par_iter_mut().for_each(|chunk| chunk.feed(plan, &columns, &span));
            clock.trials_done();
        }
        progress((points.len() as f64 * span.end as f64 / end as f64) as usize, points.len());
    }
    let mut batches: Vec<Carried<'_>> =
        chunks.into_iter().flat_map(|chunk| chunk.batches).collect();
    batches.sort_unstable_by_key(|carried| carried.number);
    let trials = batches.iter().flat_map(|carried| carried.finish(plan)).collect();
    Ok(clock.evaluation(trials))
}

/// The features of one span of bars.
struct Columns<'k> {
    /// Bars of a span.
    bars: usize,
    /// The bar that the columns begin with.
    from: usize,
    source: Source<'k>,
}

enum Source<'k> {
    /// Streams, each with a column per feature that it gives, and of each feature of the plan the
    /// stream and the column there.
    Streams { streams: Vec<(FeatureStream, Vec<Column>)>, places: Vec<(usize, usize)> },
    /// Columns of all bars.
    Known(&'k [Arc<Column>]),
}

impl<'k> Columns<'k> {
    fn new(plan: &Plan<'_>, known: Option<&'k [Arc<Column>]>) -> Result<Self, OptimizerError> {
        if let Some(columns) = known {
            let source = Source::Known(columns);
            return Ok(Self { bars: plan.known.len(), from: 0, source });
        }
        let affordable = SPAN_BYTES / size_of::<f64>() / plan.features.len().max(1);
        let bars = (affordable / TILE).max(1) * TILE;
        let bars = bars.min(MOST_BARS).min(plan.known.len());
        let (mut streams, mut places) = (Vec::new(), Vec::new());
        for together in plan.features.chunk_by(Feature::comes_with) {
            places.extend((0..together.len()).map(|at| (streams.len(), at)));
            let columns = together.iter().map(|_| Column::new(bars)).collect();
            streams.push((FeatureStream::new(together)?, columns));
        }
        Ok(Self { bars, from: 0, source: Source::Streams { streams, places } })
    }

    fn fill(&mut self, plan: &Plan<'_>, span: Range<usize>) -> Result<(), FeatureError> {
        let Source::Streams { streams, .. } = &mut self.source else { return Ok(()) };
        self.from = span.start;
        let bars = plan.known.slice(span);
        streams.par_iter_mut().try_for_each(|(stream, columns)| {
            stream.extend(bars, &mut Column::all(columns, bars.len()))
        })
    }

    /// The values at `bars` of the feature at `place`.
    fn slice(&self, place: usize, bars: &Range<usize>) -> &[f64] {
        let column = match &self.source {
            Source::Streams { streams, places } => {
                let (stream, at) = places[place];
                &streams[stream].1[at]
            }
            Source::Known(columns) => &columns[place],
        };
        column.slice(bars.start - self.from..bars.end - self.from)
    }
}

/// The trials of one worker.
struct Chunk<'a> {
    batches: Vec<Carried<'a>>,
    tile: Tile<'a>,
    signals: [EntryExit; LANES],
    events: Events,
}

/// A batch, with what its trials carry from tile to tile.
struct Carried<'a> {
    /// Its place among the batches.
    number: usize,
    batch: Batch,
    trials: Vec<Ready<'a>>,
}

/// A trial, ready for its signals.
struct Ready<'a> {
    values: &'a [f64],
    places: Vec<usize>,
    memory: Vec<Last>,
    /// It never orders again.
    is_out: bool,
}

/// Deals the batches out. A worker prepares each tile once for all its trials, so that there are as
/// few chunks as leave every worker as many as another. Few batches are dealt like cards, because
/// neighbours trade alike and some trade more than others; many stay with their neighbours, because
/// those share features.
fn chunks<'a>(plan: &Plan<'_>, points: &'a [Vec<f64>]) -> Vec<Chunk<'a>> {
    let threads = rayon::current_num_threads();
    // Fewer points than eight a worker, as a sampler that learns asks for, are spread over all.
    let lanes = points.len().div_ceil(threads).clamp(1, LANES);
    let batches = points.len().div_ceil(lanes);
    let workers = threads.min(batches).max(1);
    let count = points.len().div_ceil(MOST_TRIALS).next_multiple_of(workers);
    let mut chunks: Vec<Chunk<'a>> = (0..count).map(|_| Chunk::new()).collect();
    for (number, points) in points.chunks(lanes).enumerate() {
        let owner = if count == workers { dealt(number, count) } else { number * count / batches };
        chunks[owner].batches.push(Carried::new(plan, number, points));
    }
    chunks
}

/// Whose card `number` is: to and fro, since the first of each round is the dearest.
fn dealt(number: usize, players: usize) -> usize {
    let (round, place) = (number / players, number % players);
    if round.is_multiple_of(2) { place } else { players - 1 - place }
}

impl<'a> Chunk<'a> {
    fn new() -> Self {
        Self {
            batches: Vec::new(),
            tile: Tile::new(),
            signals: Default::default(),
            events: Events::new(),
        }
    }

    /// Takes every trial through the bars of `span` that are searched.
    fn feed(&mut self, plan: &'a Plan<'_>, columns: &Columns<'_>, span: &Range<usize>) {
        let (first, end) = (span.start.max(plan.from) - plan.from, span.end - plan.from);
        for segment in 0..SEGMENTS {
            let Range { start, end: cut } = plan.segment(segment);
            let mut from = start.max(first);
            while from < cut.min(end) {
                // Tiles end where the span's own do, so that columns are read in whole lines.
                let next = (plan.from + from) / TILE * TILE + TILE - plan.from;
                let to = next.min(cut).min(end);
                self.tile(plan, columns, from..to);
                from = to;
            }
            // A segment without bars ends where it begins.
            if (first..end).contains(&start.max(cut.saturating_sub(1))) {
                self.batches.iter_mut().for_each(|carried| carried.batch.cut());
            }
        }
    }

    fn tile(&mut self, plan: &'a Plan<'_>, columns: &Columns<'_>, bars: Range<usize>) {
        self.tile.load(plan.bars.close, bars.clone());
        let known = plan.from + bars.start..plan.from + bars.end;
        let lowest = plan.lowest_from(bars.start);
        let mut operands = Vec::new();
        for Carried { batch, trials, .. } in &mut self.batches {
            for (place, (trial, out)) in trials.iter_mut().zip(&mut self.signals).enumerate() {
                // Costs eat the accounts of hasty points early: they are done with.
                trial.is_out = trial.is_out || batch.is_out(place, lowest);
                if trial.is_out {
                    out.entry.reset(bars.len());
                    out.exit.reset(bars.len());
                    continue;
                }
                operands.clear();
                operands.extend(trial.places.iter().map(|&at| columns.slice(at, &known)));
                plan.strategy.signals(&operands, trial.values, &mut trial.memory, out);
            }
            batch.feed(&self.tile, &self.signals[..trials.len()], &mut self.events);
        }
    }
}

impl<'a> Carried<'a> {
    fn new(plan: &Plan<'_>, number: usize, points: &'a [Vec<f64>]) -> Self {
        let Some(batch) = Batch::new(&plan.config) else {
            unreachable!("the caller asked whether there are batches for these options");
        };
        let ready = |values: &'a Vec<f64>| Ready {
            values,
            places: plan.places(values),
            memory: vec![Last::default(); plan.strategy.crossings()],
            is_out: false,
        };
        let trials = points.iter().map(ready).collect();
        Self { number, batch, trials }
    }

    fn finish(&self, plan: &Plan<'_>) -> impl Iterator<Item = Trial> {
        self.trials.iter().enumerate().map(|(place, trial)| Trial {
            values: trial.values.to_vec(),
            statistics: self.batch.statistics(place, plan.bars, plan.freq_ns),
            segments: self.batch.segments(place).into_boxed_slice(),
        })
    }
}
