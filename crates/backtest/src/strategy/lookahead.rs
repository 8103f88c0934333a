//! Whether a strategy knows the future.
//!
//! A signal may depend on its own bar and those before it. If so, it is the same when the data end
//! right there: so the data are cut, features and signals computed anew, and compared bit by bit
//! with those of all bars.

use market_data::BarsView;

use super::{EntryExit, Feature, FeatureColumns, Last, Strategy, check_values};
use crate::BacktestError;

/// What changed when the bars behind it were taken away.
#[derive(Debug, Clone, PartialEq)]
pub struct Lookahead {
    /// The first bar of the feature or signal that changed.
    pub bar: usize,
    /// The feature as it is written, or the signal's name.
    pub what: String,
    /// The bars that were left: it read bars from here on.
    pub cut: usize,
}

/// Cuts `bars` at `cuts` places drawn from `seed`, every other one right behind a signal, where a
/// strategy that looks ahead is surest to show it. Gives what changed first, at the first cut at
/// which anything did; `None` where nothing did. O(cuts x bars).
///
/// # Errors
/// As [`FeatureColumns::compute`], and what the strategy says of `values`.
pub fn lookahead(
    strategy: &dyn Strategy,
    values: &[f64],
    bars: BarsView<'_>,
    cuts: usize,
    seed: u64,
) -> Result<Option<Lookahead>, BacktestError> {
    check_values(strategy, values)?;
    let features = strategy.features(values);
    let whole = Known::new(strategy, values, &features, bars)?;
    let least = features.iter().map(Feature::first).collect::<Result<Vec<_>, _>>()?;
    let least = least.into_iter().max().unwrap_or(0) + 1;
    let signals = whole.signal_bars();
    let mut draws = Draws(seed);
    for at in 0..cuts {
        let cut = match draws.below(signals.len()).filter(|_| at % 2 == 1) {
            Some(place) => signals[place] + 1,
            None => least + draws.below(bars.len().saturating_sub(least)).unwrap_or(0),
        };
        if cut < least || cut >= bars.len() {
            continue;
        }
        let part = Known::new(strategy, values, &features, bars.slice(0..cut))?;
        if let Some((bar, what)) = whole.first_change(&part, &features, cut) {
            return Ok(Some(Lookahead { bar, what, cut }));
        }
    }
    Ok(None)
}

/// Features and signals of some bars.
struct Known<'a> {
    columns: FeatureColumns<'a>,
    signals: EntryExit,
}

impl<'a> Known<'a> {
    fn new(
        strategy: &dyn Strategy,
        values: &[f64],
        features: &[Feature],
        bars: BarsView<'a>,
    ) -> Result<Self, BacktestError> {
        let columns = FeatureColumns::compute(bars, features.iter().cloned())?;
        let slices: Vec<&[f64]> = features.iter().map(|feature| columns.get(feature)).collect();
        let mut signals = EntryExit::default();
        let mut memory = vec![Last::default(); strategy.crossings()];
        strategy.signals(&slices, values, &mut memory, &mut signals);
        Ok(Self { columns, signals })
    }

    fn signal_bars(&self) -> Vec<usize> {
        let masks = masks(&self.signals).map(|(_, mask)| mask);
        let is_set = |bar: &usize| masks.iter().any(|mask| !mask.is_empty() && mask.get(*bar));
        (0..self.signals.entry.len()).filter(is_set).collect()
    }

    /// The first of the `cut` first bars at which `part` differs, and in what: of several, a
    /// feature rather than a signal.
    fn first_change(
        &self,
        part: &Known<'_>,
        features: &[Feature],
        cut: usize,
    ) -> Option<(usize, String)> {
        let of_features = features.iter().filter_map(|feature| {
            let (a, b) = (self.columns.get(feature), part.columns.get(feature));
            let bar = a.iter().zip(b).position(|(a, b)| a.to_bits() != b.to_bits())?;
            Some((bar, feature.to_string()))
        });
        let signals = masks(&self.signals).into_iter().zip(masks(&part.signals));
        let of_signals = signals.filter_map(|((name, a), (_, b))| {
            let bar = (0..a.len().min(cut)).find(|&bar| a.get(bar) != b.get(bar))?;
            Some((bar, name.to_owned()))
        });
        of_features.chain(of_signals).min_by_key(|(bar, _)| *bar)
    }
}

fn masks(signals: &EntryExit) -> [(&'static str, &crate::Mask); 4] {
    [
        ("entry", &signals.entry),
        ("exit", &signals.exit),
        ("short_entry", &signals.short_entry),
        ("short_exit", &signals.short_exit),
    ]
}

/// Random numbers (splitmix64).
struct Draws(u64);

impl Draws {
    /// A number below `end`; none where there is none.
    fn below(&mut self, end: usize) -> Option<usize> {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ z >> 30).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ z >> 27).wrapping_mul(0x94d0_49bb_1331_11eb);
        ((z ^ z >> 31) as usize).checked_rem(end)
    }
}

#[cfg(test)]
mod tests {
    use market_data::{Bars, SynthOptions, synth};

    use super::*;
    use crate::strategy::{Parameter, built_in};

    fn bars() -> Bars {
        synth(&SynthOptions { bars: 4_000, ..SynthOptions::default() })
    }

    /// Enters where the close of `ahead` bars later is higher.
    struct Prophet {
        ahead: usize,
    }

    impl Strategy for Prophet {
        fn name(&self) -> &str {
            "prophet"
        }

        fn parameters(&self) -> &[Parameter] {
            &[]
        }

        fn check(&self, _values: &[f64]) -> Result<(), BacktestError> {
            Ok(())
        }

        fn features(&self, _values: &[f64]) -> Vec<Feature> {
            vec![Feature::Price(features::Column::Close)]
        }

        fn crossings(&self) -> usize {
            0
        }

        fn signals(
            &self,
            columns: &[&[f64]],
            _values: &[f64],
            _memory: &mut [Last],
            out: &mut EntryExit,
        ) {
            let close = columns[0];
            out.entry.reset(close.len());
            out.exit.reset(close.len());
            for bar in 0..close.len().saturating_sub(self.ahead) {
                if close[bar + self.ahead] > close[bar] {
                    out.entry.set(bar);
                }
            }
        }
    }

    #[test]
    fn a_planted_look_ahead_is_found_and_named() {
        let bars = bars();
        for ahead in [1, 3] {
            let found = lookahead(&Prophet { ahead }, &[], bars.view(), 40, 1).unwrap();
            let found = found.expect("it looks ahead");
            assert_eq!(found.what, "entry");
            assert!((found.cut - ahead..found.cut).contains(&found.bar), "{found:?}");
            assert!(bars.close[found.bar + ahead] > bars.close[found.bar]);
        }
    }

    #[test]
    fn what_looks_back_is_let_go() {
        let bars = bars();
        assert_eq!(lookahead(&Prophet { ahead: 0 }, &[], bars.view(), 40, 1).unwrap(), None);
        for strategy in built_in() {
            let values: Vec<f64> = strategy.parameters().iter().map(|p| p.default).collect();
            let found = lookahead(strategy, &values, bars.view(), 10, 1).unwrap();
            assert_eq!(found, None, "{}", strategy.name());
        }
    }
}
