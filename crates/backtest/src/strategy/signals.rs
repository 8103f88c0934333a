//! A strategy's signals over whole bars, by way of spans: no feature is ever a whole column.
//!
//! A column of a year of minutes is 4 MB: to write it, fault its pages in and read it back takes
//! longer than to compute it. A span of every feature stays in the second-level cache.

use features::FeatureError;
use market_data::BarsView;
use rayon::prelude::*;

use super::{EntryExit, Feature, FeatureStream, Last, Strategy};

/// Bars of a span: whole words of a mask, and enough for another core to be worth waking.
const SPAN: usize = 1 << 15;

/// What [`signals_of`] has just done with a span.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Lap {
    /// Its features are computed.
    Features,
    /// Its signals are written.
    Signals,
}

/// Writes the signals of `strategy` with `values` over `bars` to `out`, reusing its allocations, and
/// tells each step to `lap`, for those who time them. The bits of [`Strategy::signals`] over whole
/// columns. O(bars x features) time, on a core a feature; memory for a span of each feature.
///
/// # Errors
/// As [`Feature::compute`].
pub fn signals_of(
    strategy: &dyn Strategy,
    values: &[f64],
    bars: BarsView<'_>,
    out: &mut EntryExit,
    mut lap: impl FnMut(Lap),
) -> Result<(), FeatureError> {
    let wanted = strategy.features(values);
    wanted.iter().try_for_each(|feature| feature.check(bars.len()))?;
    let mut spans = Spans::new(&wanted, bars.len().min(SPAN))?;
    let mut memory = vec![Last::default(); strategy.crossings()];
    let mut part = EntryExit::default();
    out.clear(bars.len());
    for from in (0..bars.len()).step_by(SPAN) {
        let to = (from + SPAN).min(bars.len());
        spans.fill(bars.slice(from..to))?;
        lap(Lap::Features);
        strategy.signals(&spans.columns(to - from), values, &mut memory, &mut part);
        out.append(&part);
        lap(Lap::Signals);
    }
    Ok(())
}

/// A span of each feature.
struct Spans {
    /// What computes features that come together, and their spans.
    streams: Vec<(FeatureStream, Vec<Vec<f64>>)>,
    /// Of each wanted feature: its stream, and the span there.
    places: Vec<(usize, usize)>,
}

impl Spans {
    fn new(wanted: &[Feature], bars: usize) -> Result<Self, FeatureError> {
        let mut distinct: Vec<&Feature> = wanted.iter().collect();
        distinct.sort_unstable();
        distinct.dedup();
        let (mut streams, mut known) = (Vec::new(), Vec::new());
        for together in distinct.chunk_by(|a, b| a.comes_with(b)) {
            known.extend((0..together.len()).map(|at| (streams.len(), at)));
            let features: Vec<Feature> = together.iter().map(|&feature| feature.clone()).collect();
            streams.push((FeatureStream::new(&features)?, vec![vec![0.0; bars]; together.len()]));
        }
        let place = |feature| distinct.binary_search(&feature).map_or((0, 0), |at| known[at]);
        Ok(Self { streams, places: wanted.iter().map(place).collect() })
    }

    fn fill(&mut self, bars: BarsView<'_>) -> Result<(), FeatureError> {
        let extend = |(stream, spans): &mut (FeatureStream, Vec<Vec<f64>>)| {
            let mut spans: Vec<&mut [f64]> =
                spans.iter_mut().map(|span| &mut span[..bars.len()]).collect();
            stream.extend(bars, &mut spans)
        };
        if bars.len() < SPAN {
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
    use market_data::{SynthOptions, synth};

    use super::*;
    use crate::strategy::{FeatureColumns, built_in, parse, resolve_values};

    #[test]
    fn are_those_of_whole_columns() {
        let shorts = r#"
            entry = "cross_above(close, sma(close, 20)) and volume > 0"
            exit = "cross_above(macd(close).signal, macd(close).macd) or close < sma(rsi(close), 5)"
            short_entry = "cross_below(close, shift(min(low, 20), 1))"
            short_exit = "cross_above(close, sma(close, 20))"
        "#;
        let shorts = parse(shorts, "shorts", "shorts").unwrap();
        for count in [1, 64, SPAN, SPAN + 1, 3 * SPAN + 77] {
            let bars = synth(&SynthOptions { bars: count, ..SynthOptions::default() });
            for strategy in built_in().iter().chain([&shorts]) {
                let values = resolve_values(strategy, &[]).unwrap();
                let features = strategy.features(&values);
                let Ok(columns) = FeatureColumns::compute(bars.view(), features.clone()) else {
                    continue;
                };
                let columns: Vec<&[f64]> = features.iter().map(|one| columns.get(one)).collect();
                let mut memory = vec![Last::default(); strategy.crossings()];
                let mut expected = EntryExit::default();
                strategy.signals(&columns, &values, &mut memory, &mut expected);
                let (mut found, mut laps) = (EntryExit::default(), 0);
                for _ in 0..2 {
                    signals_of(strategy, &values, bars.view(), &mut found, |_| laps += 1).unwrap();
                    assert_eq!(found, expected, "{} over {count} bars", strategy.name());
                }
                assert_eq!(laps, 4 * count.div_ceil(SPAN));
            }
        }
    }
}
