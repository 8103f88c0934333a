//! The walk over events.

use market_data::BarsView;

use super::account::{Limits, Request};
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
