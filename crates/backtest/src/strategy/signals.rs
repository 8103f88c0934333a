//! From a strategy to its signals, without a column of any feature.
//!
//! The bars go through in spans that stay in a core's own cache. Where the features look back on
//! a bounded number of bars, each core takes a part of the bars, and begins so much earlier;
//! where one looks back on all of them, the parts cannot begin, and each feature has a core.

use std::ops::Range;
use std::time::{Duration, Instant};

use features::FeatureError;
use market_data::BarsView;
use rayon::prelude::*;

use super::stream::furthest;
use super::{EntryExit, Feature, FeatureStream, Last, Strategy};

/// Bars of a span on one core. A multiple of 64: whole words of a mask.
const SPAN: usize = 1 << 12;

/// Bars of a span of which each feature has a core: enough for another one to be worth waking.
const WIDE_SPAN: usize = 1 << 15;

/// Fewer bars than this are not worth a part of their own.
const PART: usize = 1 << 14;

/// Parts per core: one that is held up leaves its later parts to the others.
const PARTS_PER_CORE: usize = 4;

/// Bars behind the reach of the features, in which the crossings learn their sides.
const SETTLING: usize = 64;

/// Time that the steps to signals took. Of several cores at work, their time in each step decides
/// how the time that went by is shared out.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct SignalsElapsed {
    /// Computing features.
    pub features: Duration,
    /// Computing signals of them.
    pub signals: Duration,
}

/// Writes the signals of `strategy` with `values` over `bars` to `out`, reusing its allocations.
/// The bits of [`Strategy::signals`] over whole columns, on any number of threads. O(bars x
/// features) time; memory for a span of each feature on each core.
///
/// # Errors
/// As [`Feature::compute`].
pub fn signals_of(
    strategy: &dyn Strategy,
    values: &[f64],
    bars: BarsView<'_>,
    out: &mut EntryExit,
) -> Result<SignalsElapsed, FeatureError> {
    let wanted = strategy.features(values);
    wanted.iter().try_for_each(|feature| feature.check(bars.len()))?;
    let job = Job { strategy, values, wanted: &wanted, bars };
    let started = Instant::now();
    out.clear(bars.len());
    let whole = Part { lead: 0, bars: 0..bars.len() };
    let threads = rayon::current_num_threads();
    let took = if bars.len() < 2 * PART || threads == 1 {
        job.run(&whole, SPAN, None, out)?.took
    } else if let Some(reach) = Spans::new(&wanted, 0, 0)?.reach() {
        job.run_all(&parts(bars.len(), (reach + SETTLING).next_multiple_of(64), threads), out)?
    } else {
        job.run(&whole, WIDE_SPAN, None, out)?.took
    };
    Ok(took.of_wall(started.elapsed()))
}

/// Bars that one core takes.
#[derive(Debug, PartialEq)]
struct Part {
    bars: Range<usize>,
    /// Bars before them at which the features begin.
    lead: usize,
}

/// Cuts `bars` bars into parts, each with `lead` bars before it that are computed twice.
fn parts(bars: usize, lead: usize, threads: usize) -> Vec<Part> {
    let each =
        bars.div_ceil(threads * PARTS_PER_CORE).max(PART).max(8 * lead).next_multiple_of(SPAN);
    let part = |from: usize| Part {
        bars: from..(from + each).min(bars),
        lead: if from == 0 { 0 } else { lead },
    };
    (0..bars.max(1)).step_by(each).map(part).collect()
}

struct Job<'a> {
    strategy: &'a dyn Strategy,
    values: &'a [f64],
    wanted: &'a [Feature],
    bars: BarsView<'a>,
}

/// What a part has gone through.
struct Run {
    /// The crossings' sides before its first bar, and after its last.
    begun: Vec<Last>,
    ended: Vec<Last>,
    took: SignalsElapsed,
}

impl Job<'_> {
    /// Runs each part on the next free core. One that began with other sides than the part before
    /// has ended with (its lead was all ties, or NaN) is run again with those.
    fn run_all(&self, parts: &[Part], out: &mut EntryExit) -> Result<SignalsElapsed, FeatureError> {
        let run = |part: &Part, memory: Option<&[Last]>| {
            let mut signals = EntryExit::default();
            signals.clear(part.bars.len());
            self.run(part, SPAN, memory, &mut signals).map(|run| (run, signals))
        };
        let runs: Vec<_> = parts.par_iter().map(|part| run(part, None)).collect();
        let mut took = SignalsElapsed::default();
        let mut ended: Option<Vec<Last>> = None;
        for (part, first) in parts.iter().zip(runs) {
            let (mut done, mut signals) = first?;
            took.add(done.took);
            if let Some(memory) = ended.filter(|memory| *memory != done.begun) {
                (done, signals) = run(part, Some(&memory))?;
                took.add(done.took);
            }
            out.append(&signals);
            ended = Some(done.ended);
        }
        Ok(took)
    }

    /// Puts the signals of a part behind `out`. Without `memory` of the bars before it, its lead
    /// gives one.
    fn run(
        &self,
        part: &Part,
        span: usize,
        memory: Option<&[Last]>,
        out: &mut EntryExit,
    ) -> Result<Run, FeatureError> {
        let Self { strategy, values, bars, .. } = *self;
        let Range { start, end } = part.bars;
        let room = span.max(part.lead).min(part.lead.max(end - start));
        let mut spans = Spans::new(self.wanted, start - part.lead, room)?;
        let mut latest = EntryExit::default();
        let mut took = SignalsElapsed::default();
        let mut sides = vec![Last::default(); strategy.crossings()];
        let mut step = |from: usize, to: usize, sides: &mut [Last], latest: &mut EntryExit| {
            let started = Instant::now();
            spans.fill(bars.slice(from..to))?;
            let filled = Instant::now();
            strategy.signals(&spans.columns(to - from), values, sides, latest);
            took.add(SignalsElapsed { features: filled - started, signals: filled.elapsed() });
            Ok::<_, FeatureError>(())
        };
        if part.lead > 0 {
            step(start - part.lead, start, &mut sides, &mut latest)?;
        }
        if let Some(memory) = memory {
            sides.copy_from_slice(memory);
        }
        let begun = sides.clone();
        for from in (start..end).step_by(span) {
            step(from, end.min(from + span), &mut sides, &mut latest)?;
            out.append(&latest);
        }
        Ok(Run { begun, ended: sides, took })
    }
}

impl SignalsElapsed {
    fn add(&mut self, other: Self) {
        self.features += other.features;
        self.signals += other.signals;
    }

    /// The same shares of `wall`.
    fn of_wall(self, wall: Duration) -> Self {
        let both = self.features + self.signals;
        if both.is_zero() {
            return Self { features: wall, signals: Duration::ZERO };
        }
        let features = wall.mul_f64(self.features.as_secs_f64() / both.as_secs_f64());
        Self { features, signals: wall.saturating_sub(features) }
    }
}

/// A span of each feature.
struct Spans {
    /// What computes features that come together, and their spans.
    streams: Vec<(FeatureStream, Vec<Vec<f64>>)>,
    /// Of each wanted feature: its stream, and the span there.
    places: Vec<(usize, usize)>,
}

impl Spans {
    /// Spans of at most `room` bars, the first of which begins at `bar`.
    fn new(wanted: &[Feature], bar: usize, room: usize) -> Result<Self, FeatureError> {
        let mut distinct: Vec<&Feature> = wanted.iter().collect();
        distinct.sort_unstable();
        distinct.dedup();
        let (mut streams, mut known) = (Vec::new(), Vec::new());
        for together in distinct.chunk_by(|a, b| a.comes_with(b)) {
            known.extend((0..together.len()).map(|at| (streams.len(), at)));
            let features: Vec<Feature> = together.iter().map(|&feature| feature.clone()).collect();
            let stream = FeatureStream::starting_at(&features, bar)?;
            streams.push((stream, vec![vec![0.0; room]; together.len()]));
        }
        let place = |feature| distinct.binary_search(&feature).map_or((0, 0), |at| known[at]);
        Ok(Self { streams, places: wanted.iter().map(place).collect() })
    }

    /// How many bars before a bar decide the features there; `None` where all do.
    fn reach(&self) -> Option<usize> {
        furthest(self.streams.iter().map(|(stream, _)| stream.reach()))
    }

    fn fill(&mut self, bars: BarsView<'_>) -> Result<(), FeatureError> {
        let extend = |(stream, spans): &mut (FeatureStream, Vec<Vec<f64>>)| {
            let mut spans: Vec<&mut [f64]> =
                spans.iter_mut().map(|span| &mut span[..bars.len()]).collect();
            stream.extend(bars, &mut spans)
        };
        if bars.len() < WIDE_SPAN {
            return self.streams.iter_mut().try_for_each(extend);
        }
        // In the order of the streams: the first error is the same on any number of threads.
        self.streams.par_iter_mut().map(extend).collect::<Vec<_>>().into_iter().collect()
    }

    fn columns(&self, bars: usize) -> Vec<&[f64]> {
        self.places.iter().map(|&(stream, at)| &self.streams[stream].1[at][..bars]).collect()
    }
}

#[cfg(test)]
mod tests {
    use market_data::{Bars, SynthOptions, synth};

    use super::*;
    use crate::strategy::{Compiled, FeatureColumns, built_in, parse, resolve_values};

    /// The signals of whole columns; `None` where there are too few bars.
    fn of_columns(strategy: &Compiled, values: &[f64], bars: &Bars) -> Option<EntryExit> {
        let features = strategy.features(values);
        let columns = FeatureColumns::compute(bars.view(), features.clone()).ok()?;
        let columns: Vec<&[f64]> = features.iter().map(|one| columns.get(one)).collect();
        let mut memory = vec![Last::default(); strategy.crossings()];
        let mut signals = EntryExit::default();
        strategy.signals(&columns, values, &mut memory, &mut signals);
        Some(signals)
    }

    fn on_threads(threads: usize, work: impl FnOnce() + Send) {
        rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap().install(work);
    }

    #[test]
    fn are_those_of_whole_columns() {
        let recursive = r#"
            entry = "cross_above(close, sma(close, 20)) and volume > 0"
            exit = "cross_above(macd(close).signal, macd(close).macd) or close < sma(rsi(close), 5)"
            short_entry = "cross_below(close, shift(min(low, 20), 1))"
            short_exit = "cross_above(close, sma(close, 20))"
        "#;
        let windowed = r#"
            entry = "cross_above(sma(close * 2 - open, 20), shift(sma(wma(close, 9), 50), 3))"
            exit = "cross_below(close, bbands(close, 20, 2).lower) or high > max(shift(high, 1), 200)"
            short_entry = "cross_below(close, shift(min(low, 20), 1))"
            short_exit = "cross_above(stddev((high + low) / 2, 30), std_of)"
            [parameters]
            std_of = { default = 0.1, min = 0, max = 1 }
        "#;
        let own = [recursive, windowed].map(|text| parse(text, "own", "own").unwrap());
        for count in [1, 64, SPAN, SPAN + 1, PART + 1, WIDE_SPAN, 3 * WIDE_SPAN + 77] {
            let mut bars = synth(&SynthOptions { bars: count, ..SynthOptions::default() });
            // Ties and missing prices across the beginning of a part.
            for bar in (PART.saturating_sub(500)..PART + 40).filter(|&bar| bar < count) {
                (bars.open[bar], bars.close[bar]) = (100.0, 100.0);
            }
            for bar in (2 * PART - 30..2 * PART + 3).filter(|&bar| bar < count) {
                bars.close[bar] = f64::NAN;
            }
            for strategy in built_in().iter().chain(&own) {
                let values = resolve_values(strategy, &[]).unwrap();
                let Some(expected) = of_columns(strategy, &values, &bars) else { continue };
                let mut found = EntryExit::default();
                for threads in [1, 2, 5] {
                    on_threads(threads, || {
                        signals_of(strategy, &values, bars.view(), &mut found).unwrap();
                        assert_eq!(
                            found,
                            expected,
                            "{} over {count} bars on {threads} threads",
                            strategy.name()
                        );
                    });
                }
            }
        }
    }

    #[test]
    fn parts_are_whole_words_and_cover_all_bars() {
        for (bars, lead, threads) in
            [(1, 64, 2), (PART, 128, 2), (525_600, 128, 16), (200_000, 8_192, 4)]
        {
            let parts = parts(bars, lead, threads);
            assert!(parts.len() <= threads * PARTS_PER_CORE);
            let mut from = 0;
            for part in &parts {
                assert_eq!((part.bars.start, part.bars.start % 64), (from, 0));
                assert!(part.lead <= part.bars.start);
                from = part.bars.end;
            }
            assert_eq!(from, bars);
        }
        assert_eq!(parts(525_600, 100_000, 2).len(), 1);
        assert_eq!(parts(525_600, 128, 2).len(), 8);
    }

    /// A part whose lead tells it nothing is run again with what the part before it knew.
    #[test]
    fn a_side_from_before_the_lead_is_kept() {
        let cross = parse(
            r#"
                entry = "cross_above(close, open)"
                exit = "cross_below(close, open)"
            "#,
            "cross",
            "cross",
        )
        .unwrap();
        let mut bars = synth(&SynthOptions { bars: 4 * PART, ..SynthOptions::default() });
        for bar in PART - 300..PART + 100 {
            bars.close[bar] = bars.open[bar];
        }
        let last = PART - 301;
        (bars.open[last], bars.close[last]) = (100.0, 99.0);
        let first = PART + 100;
        (bars.open[first], bars.close[first]) = (100.0, 101.0);
        let expected = of_columns(&cross, &[], &bars).unwrap();
        assert!(expected.entry.get(first));
        on_threads(4, || {
            let mut found = EntryExit::default();
            signals_of(&cross, &[], bars.view(), &mut found).unwrap();
            assert_eq!(found, expected);
        });
    }
}
