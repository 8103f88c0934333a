//! Stop loss, trailing stop, breakeven stop, take profit, time stop and margin call of the open
//! position.

use std::ops::Range;

use super::Account;
use super::quiet::{self, Band};
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
    /// The favourable price from which on the loss trails; NaN is any.
    trail_from: f64,
    /// The favourable price at which the loss moves to `even`; NaN is none.
    even_from: f64,
    /// The price that the loss is no worse than; NaN is none.
    even: f64,
    /// The price of the margin call; NaN is none.
    call: f64,
    /// The bar at whose close the position ends.
    last_bar: Option<usize>,
}

/// A price that was reached.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Hit {
    pub(super) bar: usize,
    pub(super) price: f64,
    /// Whether it is a margin call.
    pub(super) is_call: bool,
}

impl Stops {
    pub(super) const NONE: Self = Self {
        loss_base: f64::NAN,
        loss: f64::NAN,
        is_trailing: false,
        profit_base: f64::NAN,
        profit: f64::NAN,
        trail_from: f64::NAN,
        even_from: f64::NAN,
        even: f64::NAN,
        call: f64::NAN,
        last_bar: None,
    };

    /// Follows a fill at `bar`, before which `offset` others came, of an account that held `before`: arms on a new or reversed
    /// position, updates on an addition, disarms when flat. A reduction leaves the stops.
    pub(super) fn after_fill(
        &mut self,
        before: f64,
        after: &Account,
        base: f64,
        [bar, offset]: [usize; 2],
        config: &Config<'_>,
    ) {
        let (loss, profit) = (config.sl_stop.at(bar), config.tp_stop.at(bar));
        if after.position == 0.0 {
            *self = Self::NONE;
        } else if before * after.position <= 0.0 {
            let sign = after.position.signum();
            *self = Self {
                loss_base: base,
                loss,
                is_trailing: config.sl_trail.at(bar),
                profit_base: base,
                profit,
                trail_from: base * (1.0 + sign * config.trail_after),
                even_from: base * (1.0 + sign * config.breakeven_after),
                even: f64::NAN,
                call: f64::NAN,
                last_bar: config
                    .time_stop
                    .is_finite()
                    .then(|| offset + bar + config.time_stop as usize),
            };
        } else if after.position.abs() > before.abs() {
            let mode = config.upon_stop_update.at(bar);
            if replaces(loss, mode) {
                (self.loss_base, self.loss) = (base, loss);
                self.is_trailing = config.sl_trail.at(bar);
            }
            if replaces(profit, mode) {
                (self.profit_base, self.profit) = (base, profit);
            }
        }
        self.watch(after, config);
    }

    /// Sets the margin call by what `account` holds.
    pub(super) fn watch(&mut self, account: &Account, config: &Config<'_>) {
        self.call = call_price(account, config.margin_share());
    }

    pub(super) fn is_armed(&self) -> bool {
        !self.loss.is_nan()
            || !self.profit.is_nan()
            || !self.even_from.is_nan()
            || !self.even.is_nan()
            || !self.call.is_nan()
            || self.last_bar.is_some()
    }

    /// The first hit in `span`, moving the trail past every bar, that of the hit included. A
    /// long's loss is below its base, a short's above. `offset` bars came before `bars`.
    pub(super) fn scan(
        &mut self,
        bars: &BarsView<'_>,
        span: Range<usize>,
        offset: usize,
        position: f64,
    ) -> Option<Hit> {
        let rarer = [self.trail_from, self.even_from, self.even, self.call];
        // The common stops need not ask at every bar for what they have not.
        if self.last_bar.is_some() || rarer.iter().any(|price| !price.is_nan()) {
            self.scan_as::<true>(bars, span, offset, position)
        } else {
            self.scan_as::<false>(bars, span, offset, position)
        }
    }

    fn scan_as<const ALL: bool>(
        &mut self,
        bars: &BarsView<'_>,
        span: Range<usize>,
        offset: usize,
        position: f64,
    ) -> Option<Hit> {
        let is_long = position > 0.0;
        let sign = if is_long { 1.0 } else { -1.0 };
        let mut bar = span.start;
        while bar < span.end {
            if !ALL {
                bar = self.pass(bars, bar..span.end, is_long);
            }
            // As many as are passed at once, before another attempt.
            let end = span.end.min(bar + quiet::LANES);
            let hit = (bar..end).find_map(|bar| self.meet::<ALL>(bars, bar, offset, sign));
            if hit.is_some() {
                return hit;
            }
            bar = end;
        }
        None
    }

    /// Passes bars that reach neither loss nor profit, and gives the first of the others.
    fn pass(&mut self, bars: &BarsView<'_>, span: Range<usize>, is_long: bool) -> usize {
        let sign = if is_long { 1.0 } else { -1.0 };
        let mut band = Band {
            is_long,
            base: self.loss_base,
            share: 1.0 - sign * self.loss,
            is_trailing: self.is_trailing,
            profit: self.profit_base * (1.0 + sign * self.profit),
        };
        let bar = band.pass(bars, span);
        self.loss_base = band.base;
        bar
    }

    /// What `bar` reaches, moving the trail past it.
    fn meet<const ALL: bool>(
        &mut self,
        bars: &BarsView<'_>,
        bar: usize,
        offset: usize,
        sign: f64,
    ) -> Option<Hit> {
        let is_long = sign > 0.0;
        let range = Candle::at(bars, bar);
        let loss = self.loss_price::<ALL>(sign);
        let profit = self.profit_base * (1.0 + sign * self.profit);
        let mut hit = range.reached(loss, is_long).or_else(|| range.reached(profit, !is_long));
        if ALL {
            hit = hit.or_else(|| self.timed_out(bars.close[bar], offset + bar));
        }
        if self.is_trailing && (!ALL || self.has_begun(&range, is_long)) {
            self.trail(&range, is_long);
        }
        if ALL && !self.even_from.is_nan() && range.favours(self.even_from, is_long) {
            (self.even, self.even_from) = (self.profit_base, f64::NAN);
        }
        let price = hit?;
        let is_call = ALL && self.is_call(loss, price, is_long);
        Some(Hit { bar, price, is_call })
    }

    /// Whether a hit at `price`, with the loss at `loss`, is the margin call: what is met first of
    /// the two, and no profit.
    fn is_call(&self, loss: f64, price: f64, is_long: bool) -> bool {
        loss == self.call && if is_long { price <= loss } else { price >= loss }
    }

    /// The price of the loss: that of its distance, or of breakeven or the margin call, whichever
    /// is met first.
    fn loss_price<const ALL: bool>(&self, sign: f64) -> f64 {
        let loss = self.loss_base * (1.0 - sign * self.loss);
        if !ALL {
            return loss;
        }
        // NaN, where one of the two does not exist, gives the other.
        if sign > 0.0 {
            loss.max(self.even).max(self.call)
        } else {
            loss.min(self.even).min(self.call)
        }
    }

    /// The close of the last bar; a bar without one waits for the next.
    fn timed_out(&self, close: f64, bar: usize) -> Option<f64> {
        self.last_bar.filter(|&last| bar >= last && !close.is_nan()).map(|_| close)
    }

    /// Whether the price has gone far enough, now or before, for the trail to begin.
    fn has_begun(&mut self, range: &Candle, is_long: bool) -> bool {
        if self.trail_from.is_nan() || range.favours(self.trail_from, is_long) {
            self.trail_from = f64::NAN;
            return true;
        }
        false
    }

    fn trail(&mut self, range: &Candle, is_long: bool) {
        if is_long && range.high > self.loss_base {
            self.loss_base = range.high;
        } else if !is_long && range.low < self.loss_base {
            self.loss_base = range.low;
        }
    }
}

/// The price at which the worth of `account` is `share` of its position's value; NaN where no
/// price above 0 does that.
pub(super) fn call_price(account: &Account, share: f64) -> f64 {
    let Account { cash, position, .. } = *account;
    // cash + position x price = share x |position| x price.
    let price = -cash / (position - share * position.abs());
    if price > 0.0 && price.is_finite() { price } else { f64::NAN }
}

fn replaces(stop: f64, mode: StopUpdate) -> bool {
    match mode {
        StopUpdate::Keep => false,
        StopUpdate::Override => !stop.is_nan(),
        StopUpdate::OverrideNan => true,
    }
}

/// Open, high and low of a bar, with what is missing filled from its other prices.
pub(super) struct Candle {
    open: f64,
    high: f64,
    low: f64,
}

impl Candle {
    #[inline]
    pub(super) fn at(bars: &BarsView<'_>, bar: usize) -> Self {
        let close = bars.close[bar];
        let or = |value: f64, other: f64| if value.is_nan() { other } else { value };
        let open = or(bars.open[bar], close);
        Self {
            open,
            high: or(bars.high[bar], open.max(close)),
            low: or(bars.low[bar], open.min(close)),
        }
    }

    /// Whether the bar reached `price` in favour of a position.
    #[inline]
    fn favours(&self, price: f64, is_long: bool) -> bool {
        if is_long { self.high >= price } else { self.low <= price }
    }

    /// The fill price where the bar reaches `stop`, from above where `is_below`: the open where it
    /// is already beyond, else the stop where it lies in the bar. NaN is never reached.
    #[inline]
    pub(super) fn reached(&self, stop: f64, is_below: bool) -> Option<f64> {
        let beyond = if is_below { self.open <= stop } else { self.open >= stop };
        if beyond {
            Some(self.open)
        } else {
            (self.low <= stop && stop <= self.high).then_some(stop)
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use proptest::sample::select;

    use super::*;

    proptest! {
        #[test]
        fn quiet_bars_are_passed_as_if_met_one_by_one(
            rows in prop::collection::vec(prop::array::uniform4(0_u8..100), 1..120),
            spread in select(&[0.02, 0.2, 1.0][..]),
            loss in select(&[f64::NAN, 0.005, 0.05, 0.3][..]),
            profit in select(&[f64::NAN, 0.005, 0.05][..]),
            is_trailing in any::<bool>(),
            is_long in any::<bool>(),
        ) {
            // Prices in any order, some missing, some equal to a stop.
            let column = |at: usize| -> Vec<f64> {
                let price = |value: u8| match value {
                    0 => f64::NAN,
                    1 => 100.0 * (1.0 - loss),
                    value => 100.0 + (f64::from(value) - 50.0) * spread * 0.1,
                };
                rows.iter().map(|row| price(row[at])).collect()
            };
            let [open, high, low, close] = [0, 1, 2, 3].map(column);
            let (time, volume) = (vec![0; rows.len()], &close);
            let bars = BarsView {
                timestamp: &time,
                open: &open,
                high: &high,
                low: &low,
                close: &close,
                volume,
            };
            let armed = Stops {
                loss_base: 100.0,
                loss,
                is_trailing,
                profit_base: 100.0,
                profit,
                ..Stops::NONE
            };
            let position = if is_long { 2.0 } else { -2.0 };
            let (mut passed, mut met) = (armed, armed);
            let span = 0..rows.len();
            let hit = passed.scan_as::<false>(&bars, span.clone(), 0, position);
            // With all stops asked for, none is passed.
            let expected = met.scan_as::<true>(&bars, span, 0, position);
            prop_assert_eq!(hit, expected);
            prop_assert_eq!(passed.loss_base.to_bits(), met.loss_base.to_bits());
        }
    }
}
