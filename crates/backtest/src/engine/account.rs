//! The order core: what one buy or sell order does to an account.

use super::decide::Decision;
use super::float::{add, is_close, is_close_or_less, is_less, snap};
use super::{Order, Side};
use crate::{Config, PerBar};

/// Cash, position and what shorts have tied up. Positions below 0 are short.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Account {
    /// Cash, proceeds of shorts included.
    pub cash: f64,
    /// Units of the asset.
    pub position: f64,
    /// Value at which the open short was sold.
    pub debt: f64,
    /// Cash that no short has tied up: a short ties up twice its value.
    pub free_cash: f64,
}

/// An order as it reaches the core: sized in units (or a share of what is at hand), priced before
/// slippage.
#[derive(Debug, Clone, Copy)]
pub(super) struct Request<'a> {
    pub(super) bar: usize,
    pub(super) side: Side,
    /// Units, above 0; infinity takes all there is.
    pub(super) size: f64,
    /// Share of what is at hand, used with an infinite size; NaN is all of it.
    pub(super) percent: f64,
    pub(super) price: f64,
    /// Whether the order may only close or reduce (a long's sell, a short's buy).
    pub(super) reduce_only: bool,
    pub(super) limits: &'a Limits,
}

/// What bounds an order: costs and permitted sizes.
#[derive(Debug, Clone, Copy)]
pub(super) struct Limits {
    pub(super) fees: f64,
    pub(super) fixed_fees: f64,
    pub(super) fees_per_unit: f64,
    pub(super) min_fees: f64,
    pub(super) slippage: f64,
    pub(super) min_size: f64,
    pub(super) max_size: f64,
    pub(super) granularity: f64,
    pub(super) allow_partial: bool,
    pub(super) lock_cash: bool,
    pub(super) leverage: f64,
}

impl<'a> Request<'a> {
    pub(super) fn new(bar: usize, decision: &Decision, price: f64, limits: &'a Limits) -> Self {
        let Decision { side, size, percent, reduce_only, .. } = *decision;
        Self { bar, side, size, percent, price, reduce_only, limits }
    }
}

impl Limits {
    /// What `config` says at every bar, where that is the same.
    pub(super) fn of_all_bars(config: &Config<'_>) -> Option<Self> {
        let Config { fees, fixed_fees, slippage, min_size, max_size, size_granularity, .. } =
            config;
        let is_scalar = [fees, fixed_fees, slippage, min_size, max_size, size_granularity]
            .into_iter()
            .all(PerBar::is_scalar)
            && config.allow_partial.is_scalar()
            && config.lock_cash.is_scalar();
        is_scalar.then(|| Self::at(config, 0))
    }

    /// What `config` says at `bar`.
    pub(super) fn at(config: &Config<'_>, bar: usize) -> Self {
        Self {
            fees: config.fees.at(bar),
            fixed_fees: config.fixed_fees.at(bar),
            fees_per_unit: config.fees_per_unit,
            min_fees: config.min_fees,
            slippage: config.slippage.at(bar),
            min_size: config.min_size.at(bar),
            max_size: config.max_size.at(bar),
            granularity: config.size_granularity.at(bar),
            allow_partial: config.allow_partial.at(bar),
            lock_cash: config.lock_cash.at(bar),
            leverage: config.leverage,
        }
    }
}

impl Account {
    /// An account with nothing but cash.
    #[must_use]
    pub fn new(cash: f64) -> Self {
        Self { cash, position: 0.0, debt: 0.0, free_cash: cash }
    }

    /// Fills `request` and gives the order, or `None` where it is ignored or rejected, which
    /// leaves the account as it was but for rounding residue.
    #[inline(always)]
    pub(super) fn execute(&mut self, request: &Request) -> Option<Order> {
        self.cash = snap(self.cash);
        self.position = snap(self.position);
        self.debt = snap(self.debt);
        self.free_cash = snap(self.free_cash);
        if request.size.is_nan() || request.price.is_nan() || request.size == 0.0 {
            return None;
        }
        match request.side {
            Side::Buy => self.buy(request),
            Side::Sell => self.sell(request),
        }
    }

    fn buy(&mut self, request: &Request) -> Option<Order> {
        let limits = request.limits;
        let price = request.price * (1.0 + limits.slippage);
        let mut cash_limit = self.cash_for_buying(price, limits);
        if cash_limit <= 0.0 {
            return None;
        }
        if !request.percent.is_nan() {
            cash_limit *= request.percent;
        }
        let asked =
            if request.reduce_only { request.size.min(-self.position) } else { request.size };
        let size = limits.rounded(limits.cut(asked)?);
        let cost = size * price;
        let fees = limits.fees_of(size, cost);
        let (size, cost, fees) = if is_close_or_less(cost + fees, cash_limit) {
            (size, cost, fees)
        } else if limits.has_schedule() {
            let size = limits.rounded(limits.affordable(cash_limit, price)?);
            let cost = size * price;
            (size, cost, limits.fees_of(size, cost))
        } else {
            let affordable = add(cash_limit, -limits.fixed_fees) / (1.0 + limits.fees);
            if affordable <= 0.0 {
                return None;
            }
            let size = limits.rounded(affordable / price);
            if limits.granularity.is_nan() {
                (size, affordable, cash_limit - affordable)
            } else {
                let cost = size * price;
                (size, cost, cost * limits.fees + limits.fixed_fees)
            }
        };
        limits.accept(size, request)?;
        self.settle_buy(size, cost + fees);
        Some(Order { bar: request.bar, side: Side::Buy, size, price, fees })
    }

    /// What the account is worth at `price`.
    pub(super) fn worth(&self, price: f64) -> f64 {
        self.cash + self.position * price
    }

    /// What may be spent on a buy: all cash and what is lent beside it, or under `lock_cash` what
    /// no short ties up.
    fn cash_for_buying(&self, price: f64, limits: &Limits) -> f64 {
        if limits.leverage > 1.0 {
            return self.cash + (limits.leverage - 1.0) * self.worth(price).max(0.0);
        }
        if !limits.lock_cash {
            return self.cash;
        }
        if self.position >= 0.0 {
            return self.cash.min(self.free_cash);
        }
        let released = self.free_cash + 2.0 * self.debt;
        let cover = -self.position * price * (1.0 + limits.fees) + limits.fixed_fees;
        let left = add(released, -cover);
        let limit = if left > 0.0 {
            released
        } else if left < 0.0 {
            // The cover releases twice the entry price a unit and costs the market price: the size
            // at which free cash reaches zero.
            let entry_price = self.debt / -self.position;
            let size = (self.free_cash - limits.fixed_fees).max(0.0)
                / (price * (1.0 + limits.fees) - 2.0 * entry_price);
            size * price * (1.0 + limits.fees) + limits.fixed_fees
        } else {
            self.cash
        };
        self.cash.min(limit)
    }

    fn settle_buy(&mut self, size: f64, spent: f64) {
        if self.position < 0.0 {
            let covered = size.min(-self.position);
            let repaid = covered * (self.debt / -self.position);
            self.debt = add(self.debt, -repaid);
            self.free_cash = add(self.free_cash + 2.0 * repaid, -spent);
        } else {
            self.free_cash = add(self.free_cash, -spent);
        }
        self.cash = add(self.cash, -spent);
        self.position = add(self.position, size);
    }

    fn sell(&mut self, request: &Request) -> Option<Order> {
        let limits = request.limits;
        let price = request.price * (1.0 - limits.slippage);
        let mut size = if request.reduce_only {
            request.size.min(self.position)
        } else if limits.lock_cash || limits.leverage > 1.0 || request.size.is_infinite() {
            request.size.min(self.size_for_selling(price, limits)?)
        } else {
            request.size
        };
        if !request.percent.is_nan() {
            size *= request.percent;
        }
        let size = limits.rounded(limits.cut(size)?);
        limits.accept(size, request)?;
        let proceeds = size * price;
        let fees = limits.fees_of(size, proceeds);
        let received = add(proceeds, -fees);
        if received < 0.0 {
            return None;
        }
        self.settle_sell(size, price, received);
        Some(Order { bar: request.bar, side: Side::Sell, size, price, fees })
    }

    /// The largest sale: the long held, and a short of all the cash then free.
    fn size_for_selling(&self, price: f64, limits: &Limits) -> Option<f64> {
        let long = self.position.max(0.0);
        let sold = long * price * (1.0 - limits.fees);
        let free = if limits.leverage > 1.0 {
            let short = self.position.min(0.0) * price;
            limits.leverage * (self.cash + sold + short).max(0.0) + short
        } else {
            add(self.free_cash, sold)
        };
        let size = if free <= 0.0 {
            long
        } else {
            let least = limits.fixed_fees.max(limits.min_fees);
            add(long, add(free, -least) / (price * (1.0 + limits.fees) + limits.fees_per_unit))
        };
        (size > 0.0).then_some(size)
    }

    fn settle_sell(&mut self, size: f64, price: f64, received: f64) {
        let position = add(self.position, -size);
        if position < 0.0 {
            let shorted = if self.position < 0.0 { size } else { -position };
            let value = shorted * price;
            self.debt += value;
            self.free_cash = add(self.free_cash, add(received, -2.0 * value));
        } else {
            self.free_cash = add(self.free_cash, received);
        }
        self.cash += received;
        self.position = position;
    }
}

impl Limits {
    fn has_schedule(&self) -> bool {
        self.fees_per_unit != 0.0 || self.min_fees != 0.0
    }

    /// The fees of an order.
    fn fees_of(&self, size: f64, cost: f64) -> f64 {
        let fees = cost * self.fees + self.fixed_fees;
        if self.has_schedule() {
            (fees + size * self.fees_per_unit).max(self.min_fees)
        } else {
            fees
        }
    }

    /// The largest size that `cash` pays with its fees: that of the schedule, unless its fees would
    /// be below the minimum; then the minimum comes off first.
    fn affordable(&self, cash: f64, price: f64) -> Option<f64> {
        let unit = price * (1.0 + self.fees) + self.fees_per_unit;
        let size = (cash - self.fixed_fees) / unit;
        let is_least = self.fees_of(size, size * price) <= self.min_fees;
        let size = if is_least { (cash - self.min_fees) / price } else { size };
        (size > 0.0).then_some(size)
    }

    /// `size` cut to the maximum, or `None` where that would be a forbidden partial fill.
    fn cut(&self, size: f64) -> Option<f64> {
        if size <= self.max_size { Some(size) } else { self.allow_partial.then_some(self.max_size) }
    }

    fn rounded(&self, size: f64) -> f64 {
        if self.granularity.is_nan() {
            size
        } else {
            (size / self.granularity).floor() * self.granularity
        }
    }

    /// `None` where the final size is nothing, too small, or a forbidden partial fill.
    fn accept(&self, size: f64, request: &Request) -> Option<()> {
        if is_close(size, 0.0) || is_less(size, self.min_size) {
            return None;
        }
        let is_partial = request.size.is_finite() && is_less(size, request.size);
        (self.allow_partial || !is_partial).then_some(())
    }
}
