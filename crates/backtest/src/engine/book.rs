//! An account with what time does to it: fee tiers by month, and daily costs of what is borrowed.

use std::ops::Range;

use jiff::civil::Date;
use jiff::tz::TimeZone;
use jiff::{Timestamp, ToSpan};
use market_data::BarsView;

use super::account::Request;
use super::{Account, Fill, Order, Side};
use crate::Config;

const DAY_NS: i64 = 86_400_000_000_000;
const DAYS_A_YEAR: f64 = 365.0;

/// An account, and what must be remembered beside it.
#[derive(Debug, Clone, Copy)]
pub(super) struct Book {
    pub(super) account: Account,
    month: Month,
    /// The day up to which what is borrowed has been paid for, counted from the epoch.
    paid_to: i64,
    /// The last close before the bars at hand; NaN is none.
    last_close: f64,
}

/// What assets that share their cash pass on: cash, and the month's trade.
#[derive(Debug, Clone, Copy)]
pub(super) struct Purse {
    cash: f64,
    free_cash: f64,
    month: Month,
}

impl Purse {
    pub(super) fn new(cash: f64) -> Self {
        Book::new(cash).purse()
    }
}

/// Value traded in a calendar month.
#[derive(Debug, Clone, Copy)]
struct Month {
    /// Its end, in nanoseconds since the epoch.
    end: i64,
    traded: f64,
}

impl Book {
    pub(super) fn new(cash: f64) -> Self {
        Self {
            account: Account::new(cash),
            month: Month { end: i64::MIN, traded: 0.0 },
            paid_to: 0,
            last_close: f64::NAN,
        }
    }

    pub(super) fn purse(&self) -> Purse {
        let Account { cash, free_cash, .. } = self.account;
        Purse { cash, free_cash, month: self.month }
    }

    pub(super) fn take(&mut self, purse: Purse) {
        (self.account.cash, self.account.free_cash) = (purse.cash, purse.free_cash);
        self.month = purse.month;
    }

    /// The share of an order's value that fees are at `bar`.
    #[inline(always)]
    pub(super) fn fees(&mut self, bars: &BarsView<'_>, config: &Config<'_>, bar: usize) -> f64 {
        if config.fee_tiers.is_empty() {
            return config.fees.at(bar);
        }
        let now = bars.timestamp[bar];
        if now >= self.month.end {
            self.month = Month { end: month_end(now), traded: 0.0 };
        }
        let reached = config.fee_tiers.iter().rev().find(|tier| tier.from <= self.month.traded);
        reached.map_or(0.0, |tier| tier.fees)
    }

    /// Fills `request`, where it is accepted.
    #[inline(always)]
    pub(super) fn execute(
        &mut self,
        bars: &BarsView<'_>,
        config: &Config<'_>,
        request: &Request<'_>,
    ) -> Option<Order> {
        let was_borrowing = borrows(&self.account, config);
        let order = self.account.execute(request)?;
        self.month.traded += order.size * order.price;
        if !was_borrowing && borrows(&self.account, config) {
            self.paid_to = day(bars.timestamp[request.bar]);
        }
        Some(order)
    }

    /// The first bar in `range` that owes for days before it.
    #[inline(always)]
    pub(super) fn next_charge(
        &self,
        bars: &BarsView<'_>,
        config: &Config<'_>,
        range: Range<usize>,
    ) -> Option<usize> {
        if !borrows(&self.account, config) {
            return None;
        }
        let from = range.start;
        let is_paid = |&time: &i64| day(time) <= self.paid_to;
        let bar = from + bars.timestamp[range.clone()].partition_point(is_paid);
        (bar < range.end).then_some(bar)
    }

    /// Pays for the days before `bar`, of which `offset` bars came before those at hand.
    pub(super) fn charge(
        &mut self,
        bars: &BarsView<'_>,
        config: &Config<'_>,
        bar: usize,
        offset: usize,
    ) -> Fill {
        let today = day(bars.timestamp[bar]);
        let years = (today - self.paid_to) as f64 / DAYS_A_YEAR;
        self.paid_to = today;
        let before = bars.close[..bar].iter().rev().copied().find(|close| !close.is_nan());
        let price = before.unwrap_or(self.last_close);
        let Account { cash, position, .. } = self.account;
        let short = (-position).max(0.0) * price;
        let fees = years * (short * config.borrow_rate + (-cash).max(0.0) * config.margin_rate);
        self.account.cash -= fees;
        self.account.free_cash -= fees;
        let side = if position < 0.0 { Side::Sell } else { Side::Buy };
        let order = Order { bar: offset + bar, side, size: 0.0, price, fees };
        Fill { order, account: self.account }
    }

    /// Leaves `bars` behind.
    pub(super) fn pass(&mut self, bars: &BarsView<'_>) {
        let last = bars.close.iter().rev().copied().find(|close| !close.is_nan());
        self.last_close = last.unwrap_or(self.last_close);
    }
}

/// Whether every day costs something.
#[inline(always)]
fn borrows(account: &Account, config: &Config<'_>) -> bool {
    config.borrow_rate > 0.0 && account.position < 0.0
        || config.margin_rate > 0.0 && account.position > 0.0 && account.cash < 0.0
}

fn day(ns: i64) -> i64 {
    ns.div_euclid(DAY_NS)
}

/// The end of the calendar month (UTC) of `ns`; beyond what a calendar knows, never.
fn month_end(ns: i64) -> i64 {
    let next = |date: Date| date.first_of_month().checked_add(1.month()).ok();
    Timestamp::from_nanosecond(i128::from(ns))
        .ok()
        .and_then(|time| next(time.to_zoned(TimeZone::UTC).date()))
        .and_then(|date| date.to_zoned(TimeZone::UTC).ok())
        .and_then(|time| i64::try_from(time.timestamp().as_nanosecond()).ok())
        .unwrap_or(i64::MAX)
}
