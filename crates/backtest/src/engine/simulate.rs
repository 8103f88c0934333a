//! The walk over events: signals, stops, limits and charges.

use market_data::BarsView;

use super::column::{Column, State};
use super::{Account, AllIn, Fill};
use crate::{BacktestError, Config, Signals};

/// Runs `signals` over `bars` and writes every filled order, with the account it left, to `fills`
/// (cleared first, its allocation reused).
///
/// Each bar gives at most one order: a stop that is hit comes before an entry that waits at its
/// limit, and both before the bar's signals. Orders whose price or size is NaN, that cash does not
/// cover or that limits refuse are dropped, as VectorBT drops them. O(bars / 64 + events), and
/// O(bars in a position) more with stops.
///
/// # Errors
/// [`BacktestError::PercentReversal`] where a percent size would reverse a position. The inputs'
/// lengths and ranges are the caller's to check ([`crate::check`]).
///
/// # Panics
/// When a mask or array is not as long as the bars.
pub fn simulate(
    bars: &BarsView<'_>,
    signals: &Signals,
    config: &Config<'_>,
    fills: &mut Vec<Fill>,
) -> Result<(), BacktestError> {
    fills.clear();
    if let Some(all_in) = AllIn::of(config).filter(|_| is_long_only(signals)) {
        let (entry, exit) = (signals.long_entry.words(), signals.long_exit.words());
        all_in.simulate(bars.close, entry, exit, fills);
        return Ok(());
    }
    walk(&mut State::new(config.init_cash), bars, signals, config, fills)
}

/// A run that can stop at any bar and go on later: what it has to remember, and nothing of the
/// bars behind it. However the bars are cut into spans, the fills have the same bits as those of
/// [`simulate`] over all of them.
///
/// ```
/// use backtest::{Config, Direction, Mask, Signals, engine::Simulation};
/// use market_data::{SynthOptions, synth};
///
/// let bars = synth(&SynthOptions { bars: 100, ..SynthOptions::default() });
/// let config = Config { sl_stop: 0.01.into(), ..Config::default() };
/// let mut fills = Vec::new();
/// let mut run = Simulation::new(config.init_cash);
/// for span in [0..30, 30..100] {
///     let mut entry = Mask::new(span.len());
///     entry.set(5);
///     let signals = Signals::new(entry, Mask::new(span.len()), Direction::LongOnly);
///     run.extend(&bars.view().slice(span.clone()), &signals, &config.slice(span), &mut fills)?;
/// }
/// assert_eq!(run.bars(), 100);
/// assert_eq!(fills[0].order.bar, 5);
/// # Ok::<(), backtest::BacktestError>(())
/// ```
#[derive(Debug, Clone, Copy)]
pub struct Simulation {
    state: State,
}

impl Simulation {
    /// Before the first bar, with nothing but `cash`, which is above 0.
    #[must_use]
    pub fn new(cash: f64) -> Self {
        Self { state: State::new(cash) }
    }

    /// Bars gone through.
    #[must_use]
    pub fn bars(&self) -> usize {
        self.state.bar
    }

    /// The account after them.
    #[must_use]
    pub fn account(&self) -> Account {
        self.state.book.account
    }

    /// Goes through `bars`, which follow those before, and appends what was filled to `fills`, by
    /// bars counted from the run's first. `signals` and the arrays of `config` are those of `bars`
    /// alone ([`Config::slice`]). Costs as [`simulate`].
    ///
    /// # Errors
    /// As [`simulate`], and the run must then be given up.
    ///
    /// # Panics
    /// When a mask or array is not as long as the bars.
    pub fn extend(
        &mut self,
        bars: &BarsView<'_>,
        signals: &Signals,
        config: &Config<'_>,
        fills: &mut Vec<Fill>,
    ) -> Result<(), BacktestError> {
        walk(&mut self.state, bars, signals, config, fills)
    }
}

fn is_long_only(signals: &Signals) -> bool {
    let has_shorts = !(signals.short_entry.is_empty() && signals.short_exit.is_empty());
    !has_shorts && signals.long_entry.len() == signals.long_exit.len()
}

/// The general case.
fn walk(
    state: &mut State,
    bars: &BarsView<'_>,
    signals: &Signals,
    config: &Config<'_>,
    fills: &mut Vec<Fill>,
) -> Result<(), BacktestError> {
    let mut column = Column::new(bars, signals, config, state);
    let mut bar = 0;
    while let Some(event) = column.next(bar) {
        column.act(&event, fills)?;
        bar = Column::after(&event);
    }
    column.finish();
    Ok(())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::{Direction, Mask};

    proptest! {
        #[test]
        fn all_in_has_the_bits_of_the_general_walk(
            rows in prop::collection::vec((1.0_f64..200.0, any::<bool>(), any::<bool>(), 0..20), 1..200),
            fees in prop_oneof![Just(0.0), 0.0_f64..0.5],
            fixed_fees in prop_oneof![Just(0.0), 0.0_f64..60.0],
            slippage in prop_oneof![Just(0.0), 0.0_f64..0.1],
            min_size in prop_oneof![Just(1e-8), 0.0_f64..2.0],
        ) {
            let close: Vec<f64> =
                rows.iter().map(|row| if row.3 == 0 { f64::NAN } else { row.0 }).collect();
            let time: Vec<i64> = (0..close.len() as i64).collect();
            let bars = BarsView {
                timestamp: &time,
                open: &close,
                high: &close,
                low: &close,
                close: &close,
                volume: &close,
            };
            let mask = |of: fn(&(f64, bool, bool, i32)) -> bool| {
                Mask::from_bools(&rows.iter().map(of).collect::<Vec<_>>())
            };
            let signals =
                Signals::new(mask(|row| row.1), mask(|row| row.2), Direction::LongOnly);
            let config = Config {
                fees: fees.into(),
                fixed_fees: fixed_fees.into(),
                slippage: slippage.into(),
                min_size: min_size.into(),
                ..Config::default()
            };
            prop_assert!(AllIn::of(&config).is_some() && is_long_only(&signals));
            let (mut fast, mut general) = (Vec::new(), Vec::new());
            simulate(&bars, &signals, &config, &mut fast).unwrap();
            let mut state = State::new(config.init_cash);
            walk(&mut state, &bars, &signals, &config, &mut general).unwrap();
            prop_assert_eq!(fast, general);
        }
    }
}
