//! The commonest case, without its generality: long only, all cash in, all units out, no stops.
//!
//! Each order depends on the last through cash alone, so that a round trip is a chain of two
//! divisions and a handful of products: about 20 ns. Signals that such a position ignores are
//! never looked at. The same bits as the general walk, which a property test holds it to.

use super::float::{add, is_close, is_less, snap};
use super::{Account, Fill, Order, Side};
use crate::Config;
use crate::config::{Accumulate, Conflict, PerBar, SizeType};

/// The numbers that decide an all-in order.
#[derive(Debug, Clone, Copy)]
pub(crate) struct AllIn {
    init_cash: f64,
    fees: f64,
    fixed_fees: f64,
    slippage: f64,
    min_size: f64,
}

impl AllIn {
    /// The case, where `config` is one.
    pub(crate) fn of(config: &Config<'_>) -> Option<Self> {
        let (PerBar::Scalar(fees), PerBar::Scalar(fixed_fees), PerBar::Scalar(slippage)) =
            (config.fees, config.fixed_fees, config.slippage)
        else {
            return None;
        };
        let PerBar::Scalar(min_size) = config.min_size else { return None };
        let is_plain = config.size == PerBar::Scalar(f64::INFINITY)
            && config.size_type == PerBar::Scalar(SizeType::Amount)
            && config.price == PerBar::Scalar(f64::INFINITY)
            && config.accumulate == PerBar::Scalar(Accumulate::Off)
            && config.upon_long_conflict == PerBar::Scalar(Conflict::Ignore)
            && config.max_size == PerBar::Scalar(f64::INFINITY)
            && config.size_granularity.is_off()
            && config.limit_entry.is_off()
            && config.leverage == 1.0
            && !config.has_schedule()
            && !config.has_stops();
        is_plain.then_some(Self {
            init_cash: config.init_cash,
            fees,
            fixed_fees,
            slippage,
            min_size,
        })
    }

    pub(crate) fn init_cash(&self) -> f64 {
        self.init_cash
    }

    pub(crate) fn fees(&self) -> f64 {
        self.fees
    }

    pub(crate) fn fixed_fees(&self) -> f64 {
        self.fixed_fees
    }

    pub(crate) fn slippage(&self) -> f64 {
        self.slippage
    }

    pub(crate) fn min_size(&self) -> f64 {
        self.min_size
    }

    /// Writes the fills of `entry` and `exit` at the prices of `close`.
    pub(super) fn simulate(
        &self,
        close: &[f64],
        entry: &[u64],
        exit: &[u64],
        fills: &mut Vec<Fill>,
    ) {
        let mut cash = self.init_cash;
        let mut bar = 0;
        while let Some((at, units)) = self.next_buy(close, entry, exit, bar, cash, fills) {
            let Some((at, received)) = self.next_sell(close, entry, exit, at + 1, units, fills)
            else {
                return;
            };
            cash = received;
            bar = at + 1;
        }
    }

    fn next_buy(
        &self,
        close: &[f64],
        entry: &[u64],
        exit: &[u64],
        mut from: usize,
        cash: f64,
        fills: &mut Vec<Fill>,
    ) -> Option<(usize, f64)> {
        loop {
            let bar = next_bit(entry, exit, from)?;
            if let Some((price, size, fees)) = self.buy(cash, close[bar]) {
                let order = Order { bar, side: Side::Buy, size, price, fees };
                let account = Account { cash: 0.0, position: size, debt: 0.0, free_cash: 0.0 };
                fills.push(Fill { order, account });
                return Some((bar, size));
            }
            from = bar + 1;
        }
    }

    fn next_sell(
        &self,
        close: &[f64],
        entry: &[u64],
        exit: &[u64],
        mut from: usize,
        units: f64,
        fills: &mut Vec<Fill>,
    ) -> Option<(usize, f64)> {
        loop {
            let bar = next_bit(exit, entry, from)?;
            if let Some((price, received, fees)) = self.sell(units, close[bar]) {
                let order = Order { bar, side: Side::Sell, size: units, price, fees };
                fills.push(Fill { order, account: Account::new(received) });
                return Some((bar, received));
            }
            from = bar + 1;
        }
    }

    /// Price, size and fees of a buy for all of `cash`, where it is accepted.
    #[inline]
    pub(crate) fn buy(&self, cash: f64, close: f64) -> Option<(f64, f64, f64)> {
        let cash = snap(cash);
        let affordable = add(cash, -self.fixed_fees) / (1.0 + self.fees);
        let fees = cash - affordable;
        let price = close * (1.0 + self.slippage);
        let size = affordable / price;
        (affordable > 0.0 && self.accepts(size)).then_some((price, size, fees))
    }

    /// Whether no buy of all of `cash` is accepted at a price of at least `lowest`: a dearer one buys
    /// less.
    pub(crate) fn is_out(&self, cash: f64, lowest: f64) -> bool {
        lowest > 0.0 && self.buy(cash, lowest).is_none()
    }

    /// Price, cash received and fees of a sale of all `units`, where it is accepted.
    #[inline]
    pub(crate) fn sell(&self, units: f64, close: f64) -> Option<(f64, f64, f64)> {
        let price = close * (1.0 - self.slippage);
        let proceeds = units * price;
        let fees = proceeds * self.fees + self.fixed_fees;
        let received = add(proceeds, -fees);
        (received >= 0.0 && self.accepts(units)).then_some((price, received, fees))
    }

    /// False for NaN, too: a NaN price makes a NaN size.
    fn accepts(&self, size: f64) -> bool {
        size >= 0.0 && !is_close(size, 0.0) && !is_less(size, self.min_size)
    }
}

/// The first bit at or after `from` that is set in `wanted` and not in `unless`.
#[inline]
pub(crate) fn next_bit(wanted: &[u64], unless: &[u64], from: usize) -> Option<usize> {
    let mut word = from / 64;
    let mut bits = wanted.get(word)? & !unless.get(word)? & (u64::MAX << (from % 64));
    while bits == 0 {
        word += 1;
        bits = wanted.get(word)? & !unless.get(word)?;
    }
    Some(word * 64 + bits.trailing_zeros() as usize)
}
