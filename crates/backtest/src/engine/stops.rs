//! Stop loss, trailing stop and take profit of the open position.

use super::Account;
use crate::Config;
use crate::config::StopUpdate;
use market_data::BarsView;

/// The stops of the open position. NaN distances are stops that do not exist.
#[derive(Debug, Clone, Copy)]
pub(super) struct Stops {
    /// Price from which the loss is measured; a trail moves it.
    loss_base: f64,
    loss: f64,
    is_trailing: bool,
    profit_base: f64,
    profit: f64,
}

/// A stop that was hit.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Hit {
    pub(super) bar: usize,
    pub(super) price: f64,
}

impl Stops {
    pub(super) const NONE: Self = Self {
        loss_base: f64::NAN,
        loss: f64::NAN,
        is_trailing: false,
        profit_base: f64::NAN,
        profit: f64::NAN,
    };

    /// Follows a fill at `bar`: arms on a new or reversed position, updates on an addition,
    /// disarms when flat. A reduction leaves the stops.
    pub(super) fn after_fill(
        &mut self,
        before: &Account,
        after: &Account,
        base: f64,
        bar: usize,
        config: &Config<'_>,
    ) {
        let (loss, profit) = (config.sl_stop.at(bar), config.tp_stop.at(bar));
        if after.position == 0.0 {
            *self = Self::NONE;
        } else if before.position * after.position <= 0.0 {
            *self = Self {
                loss_base: base,
                loss,
                is_trailing: config.sl_trail,
                profit_base: base,
                profit,
            };
        } else if after.position.abs() > before.position.abs() {
            if replaces(loss, config.upon_stop_update) {
                (self.loss_base, self.loss) = (base, loss);
            }
            if replaces(profit, config.upon_stop_update) {
                (self.profit_base, self.profit) = (base, profit);
            }
        }
    }

    pub(super) fn is_armed(&self) -> bool {
        !self.loss.is_nan() || !self.profit.is_nan()
    }

    /// The first hit in `from..=to`, moving the trail past every bar, that of the hit included. A long's loss is
    /// below its base, a short's above.
    pub(super) fn scan(
        &mut self,
        bars: &BarsView<'_>,
        from: usize,
        to: usize,
        position: f64,
    ) -> Option<Hit> {
        let is_long = position > 0.0;
        let sign = if is_long { 1.0 } else { -1.0 };
        for bar in from..=to {
            let range = Range::at(bars, bar);
            let loss = self.loss_base * (1.0 - sign * self.loss);
            let profit = self.profit_base * (1.0 + sign * self.profit);
            let hit = range.reached(loss, is_long).or_else(|| range.reached(profit, !is_long));
            if self.is_trailing {
                self.trail(&range, is_long);
            }
            if let Some(price) = hit {
                return Some(Hit { bar, price });
            }
        }
        None
    }

    fn trail(&mut self, range: &Range, is_long: bool) {
        if is_long && range.high > self.loss_base {
            self.loss_base = range.high;
        } else if !is_long && range.low < self.loss_base {
            self.loss_base = range.low;
        }
    }
}

fn replaces(stop: f64, mode: StopUpdate) -> bool {
    match mode {
        StopUpdate::Keep => false,
        StopUpdate::Override => !stop.is_nan(),
        StopUpdate::OverrideNan => true,
    }
}

/// Open, high and low of a bar, with what is missing filled from its other prices.
struct Range {
    open: f64,
    high: f64,
    low: f64,
}

impl Range {
    #[inline]
    fn at(bars: &BarsView<'_>, bar: usize) -> Self {
        let close = bars.close[bar];
        let or = |value: f64, other: f64| if value.is_nan() { other } else { value };
        let open = or(bars.open[bar], close);
        Self {
            open,
            high: or(bars.high[bar], open.max(close)),
            low: or(bars.low[bar], open.min(close)),
        }
    }

    /// The fill price where the bar reaches `stop`, from above where `is_below`: the open where it
    /// is already beyond, else the stop where it lies in the bar. NaN is never reached.
    #[inline]
    fn reached(&self, stop: f64, is_below: bool) -> Option<f64> {
        let beyond = if is_below { self.open <= stop } else { self.open >= stop };
        if beyond {
            Some(self.open)
        } else {
            (self.low <= stop && stop <= self.high).then_some(stop)
        }
    }
}
