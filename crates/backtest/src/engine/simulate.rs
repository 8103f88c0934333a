//! The walk over events.

use market_data::BarsView;

use super::account::{Limits, Request};
use super::all_in::AllIn;
use super::decide::{self, Decision};
use super::stops::{Hit, Stops};
use super::{Account, Fill};
use crate::config::{Accumulate, StopEntryPrice, StopExitPrice};
use crate::signals::BarSignals;
use crate::{BacktestError, Config, Signals};

/// Runs `signals` over `bars` and writes every filled order, with the account it left, to `fills`
/// (cleared first, its allocation reused).
///
/// Each bar gives at most one order: a stop that is hit comes before the bar's signals. Orders
/// whose price or size is NaN, that cash does not cover or that limits refuse are dropped, as
/// VectorBT drops them. O(bars / 64 + events), and O(bars in a position) more with stops.
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
    walk(bars, signals, config, fills)
}

fn is_long_only(signals: &Signals) -> bool {
    let has_shorts = !(signals.short_entry.is_empty() && signals.short_exit.is_empty());
    !has_shorts && signals.long_entry.len() == signals.long_exit.len()
}

/// The general case.
fn walk(
    bars: &BarsView<'_>,
    signals: &Signals,
    config: &Config<'_>,
    fills: &mut Vec<Fill>,
) -> Result<(), BacktestError> {
    let mut walk = Walk {
        bars,
        config,
        account: Account::new(config.init_cash),
        stops: Stops::NONE,
        has_stops: config.has_stops(),
        fills,
    };
    let mut bar = 0;
    while bar < bars.len() {
        let event = signals.next_event(bar).filter(|&event| event < bars.len());
        if let Some(hit) = walk.scan_stops(bar, event.unwrap_or(bars.len() - 1)) {
            walk.at_stop(hit)?;
            bar = hit.bar + 1;
        } else if let Some(event) = event {
            walk.at_signals(event, signals.at(event))?;
            bar = event + 1;
        } else {
            break;
        }
    }
    Ok(())
}

struct Walk<'a> {
    bars: &'a BarsView<'a>,
    config: &'a Config<'a>,
    account: Account,
    stops: Stops,
    has_stops: bool,
    fills: &'a mut Vec<Fill>,
}

impl Walk<'_> {
    fn scan_stops(&mut self, from: usize, to: usize) -> Option<Hit> {
        if self.account.position == 0.0 || !self.stops.is_armed() {
            return None;
        }
        self.stops.scan(self.bars, from, to, self.account.position)
    }

    fn at_stop(&mut self, hit: Hit) -> Result<(), BacktestError> {
        let position = self.account.position;
        let (signals, accumulate) =
            decide::of_stop(position, self.config.upon_stop_exit, self.config.accumulate);
        let slippage = self.config.slippage.at(hit.bar);
        let (price, slippage) = match self.config.stop_exit_price {
            StopExitPrice::StopLimit => (hit.price, 0.0),
            StopExitPrice::StopMarket => (hit.price, slippage),
            StopExitPrice::Price => (self.order_price(hit.bar), slippage),
            StopExitPrice::Close => (self.bars.close[hit.bar], slippage),
        };
        self.order(hit.bar, signals, accumulate, price, slippage)
    }

    fn at_signals(&mut self, bar: usize, signals: BarSignals) -> Result<(), BacktestError> {
        let (signals, accumulate) = decide::resolve(signals, self.account.position, self.config);
        let slippage = self.config.slippage.at(bar);
        self.order(bar, signals, accumulate, self.order_price(bar), slippage)
    }

    fn order_price(&self, bar: usize) -> f64 {
        let price = self.config.price.at(bar);
        if price == f64::INFINITY { self.bars.close[bar] } else { price }
    }

    fn order(
        &mut self,
        bar: usize,
        signals: BarSignals,
        accumulate: Accumulate,
        price: f64,
        slippage: f64,
    ) -> Result<(), BacktestError> {
        let config = self.config;
        let size = config.size.at(bar);
        let value_price = self.order_price(bar);
        let position = self.account.position;
        let decision =
            decide::decide(signals, position, accumulate, size, config.size_type, value_price)?;
        let Some(Decision { side, size, percent, reduce_only }) = decision else { return Ok(()) };
        let limits = Limits {
            fees: config.fees.at(bar),
            fixed_fees: config.fixed_fees.at(bar),
            fees_per_unit: config.fees_per_unit,
            min_fees: config.min_fees,
            slippage,
            min_size: config.min_size,
            max_size: config.max_size,
            granularity: config.size_granularity,
            allow_partial: config.allow_partial,
            lock_cash: config.lock_cash,
        };
        let before = self.account;
        let request = Request { bar, side, size, percent, price, reduce_only, limits };
        if let Some(order) = self.account.execute(&request) {
            self.fills.push(Fill { order, account: self.account });
            if self.has_stops {
                let base = match config.stop_entry_price {
                    StopEntryPrice::Price => price,
                    StopEntryPrice::FillPrice => order.price,
                    StopEntryPrice::Close => self.bars.close[bar],
                };
                self.stops.after_fill(&before, &self.account, base, bar, config);
            }
        }
        Ok(())
    }
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
                min_size,
                ..Config::default()
            };
            prop_assert!(AllIn::of(&config).is_some() && is_long_only(&signals));
            let (mut fast, mut general) = (Vec::new(), Vec::new());
            simulate(&bars, &signals, &config, &mut fast).unwrap();
            walk(&bars, &signals, &config, &mut general).unwrap();
            prop_assert_eq!(fast, general);
        }
    }
}
