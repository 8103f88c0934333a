//! Exit trades: one record for every order that closes or reduces a position.

use crate::engine::float::is_close;
use crate::engine::{Fill, Side};

/// Units that went out together, with the average of what came in before.
///
/// A position that is closed in three orders gives three trades. Entry price and fees are those of
/// the units still held, averaged by size. What is open at the end is a trade that exits at the
/// last close, without exit fees.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Trade {
    /// Number of the position, counted from 0.
    pub position: usize,
    /// Long or short.
    pub is_long: bool,
    /// Units.
    pub size: f64,
    /// Bar of the position's first entry.
    pub entry_bar: usize,
    /// Average entry price.
    pub entry_price: f64,
    /// Entry fees that fall to these units.
    pub entry_fees: f64,
    /// Bar of the exit; the last bar where still open.
    pub exit_bar: usize,
    /// Exit price.
    pub exit_price: f64,
    /// Exit fees.
    pub exit_fees: f64,
    /// Whether still open at the end.
    pub is_open: bool,
}

impl Trade {
    /// Profit in cash, fees deducted. Values that differ by rounding only are the same, so that a
    /// trade out at its average entry price is neither won nor lost.
    #[must_use]
    pub fn pnl(&self) -> f64 {
        let sign = if self.is_long { 1.0 } else { -1.0 };
        let gain = gain(self.size, self.entry_price, self.exit_price);
        gain * sign - self.entry_fees - self.exit_fees
    }

    /// Profit as a share of the entry value.
    #[must_use]
    pub fn return_share(&self) -> f64 {
        self.pnl() / (self.size * self.entry_price)
    }

    /// Bars from entry to exit.
    #[must_use]
    pub fn bars(&self) -> usize {
        self.exit_bar - self.entry_bar
    }
}

/// What `size` units are worth more at `exit_price` than at `entry_price`; exactly 0 where the two
/// values differ by rounding only.
pub(crate) fn gain(size: f64, entry_price: f64, exit_price: f64) -> f64 {
    if is_close(size * entry_price, size * exit_price) {
        return 0.0;
    }
    (exit_price - entry_price) * size
}

/// The units held, as sums over the entries that brought them.
#[derive(Default)]
struct Held {
    position: usize,
    entry_bar: usize,
    size: f64,
    gross: f64,
    fees: f64,
}

impl Held {
    fn add(&mut self, size: f64, price: f64, fees: f64) {
        self.size += size;
        self.gross += size * price;
        self.fees += fees;
    }

    fn trade(&self, size: f64, is_long: bool) -> Trade {
        Trade {
            position: self.position,
            is_long,
            size,
            entry_bar: self.entry_bar,
            entry_price: self.gross / self.size,
            entry_fees: self.fees * (size / self.size),
            exit_bar: 0,
            exit_price: f64::NAN,
            exit_fees: 0.0,
            is_open: false,
        }
    }
}

/// Calls `visit` with every trade in order of exit; the one still open last.
///
/// `last_close` is the last bar's close and `bars` their number. O(fills), no allocation.
pub fn for_each_trade(fills: &[Fill], last_close: f64, bars: usize, mut visit: impl FnMut(&Trade)) {
    let mut held = Held::default();
    let mut before = 0.0;
    for Fill { order, account } in fills {
        let after = account.position;
        let direction = if before == 0.0 { after } else { before };
        let is_long = direction > 0.0;
        let is_entry = is_long == (order.side == Side::Buy);
        if before == 0.0 {
            held.entry_bar = order.bar;
        }
        if is_entry {
            held.add(order.size, order.price, order.fees);
        } else {
            let is_reversal = before * after < 0.0;
            let size = if is_reversal { before.abs() } else { order.size };
            let fees = order.fees * (size / order.size);
            visit(&Trade {
                exit_bar: order.bar,
                exit_price: order.price,
                exit_fees: fees,
                ..held.trade(size, is_long)
            });
            if before * after > 0.0 {
                let left = (held.size - size) / held.size;
                held.size *= left;
                held.gross *= left;
                held.fees *= left;
            } else {
                held =
                    Held { position: held.position + 1, entry_bar: order.bar, ..Held::default() };
                if is_reversal {
                    held.add(after.abs(), order.price, order.fees - fees);
                }
            }
        }
        before = after;
    }
    if before != 0.0 {
        visit(&Trade {
            exit_bar: bars - 1,
            exit_price: last_close,
            is_open: true,
            ..held.trade(held.size, before > 0.0)
        });
    }
}
