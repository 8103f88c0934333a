//! Signals to orders.
//!
//! [`simulate`] walks the set bits of the signal masks, not the bars: between two orders nothing
//! but stops, limits and charges can happen. [`Account`] knows what one order does, `Stops` when a
//! stop is hit. [`Simulation`] is the same in spans of bars, [`simulate_group`] the same for
//! several assets that share their cash.
//!
//! | what | file |
//! |---|---|
//! | the walk over events, at once or in spans | `simulate.rs` |
//! | several assets with one cash | `group.rs` |
//! | what comes next for an asset, and the order it asks for | `column.rs` |
//! | the same for all cash in and out, long only | `all_in.rs` |
//! | what one order does to cash and position | `account.rs` |
//! | stop loss, trailing stop, take profit, margin call | `stops.rs` |
//! | bars that reach none of them, eight at a time | `quiet.rs` |
//! | entries that wait at a price | `limit.rs` |
//! | fee tiers, and what borrowing costs a day | `book.rs` |
//! | a bar's signals to one order | `decide.rs` |
//! | orders sized bar by bar | `orders.rs` |
//! | comparisons that forgive rounding | `float.rs` |
//! | what the cache is asked for in advance | `prefetch.rs` |
//!
//! ```
//! use backtest::{Config, Direction, Mask, Signals, engine};
//! use market_data::{SynthOptions, synth};
//!
//! let bars = synth(&SynthOptions { bars: 3, ..SynthOptions::default() });
//! let entry = Mask::from_bools(&[true, false, false]);
//! let exit = Mask::from_bools(&[false, false, true]);
//! let signals = Signals::new(entry, exit, Direction::LongOnly);
//! let mut fills = Vec::new();
//! engine::simulate(&bars.view(), &signals, &Config::default(), &mut fills)?;
//! let [bought, sold] = [fills[0].order, fills[1].order];
//! assert_eq!((bought.side, bought.bar), (engine::Side::Buy, 0));
//! assert_eq!((sold.price, fills[1].account.position), (bars.close[2], 0.0));
//! # Ok::<(), backtest::BacktestError>(())
//! ```

mod account;
mod all_in;
mod book;
mod column;
mod decide;
pub(crate) mod float;
mod group;
mod limit;
mod orders;
mod prefetch;
mod quiet;
mod simulate;
mod stops;

pub use account::Account;
pub(crate) use all_in::{AllIn, next_bit};
pub use group::{Asset, CallSequence, GroupFill, simulate_columns, simulate_group};
pub use orders::{OrderSize, SizedOrders, fill_orders};
pub use simulate::{Simulation, simulate};
use stops::Hit;

/// Which way an order goes.
// A whole word: the copies of an order are then of whole words. With bytes of padding after it they
// read across what was just written, and the processor waits for the write.
#[repr(u64)]
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Side {
    /// Adds units.
    Buy,
    /// Takes units away.
    Sell,
}

/// One filled order.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Order {
    /// The bar, counted from 0.
    pub bar: usize,
    /// Buy or sell.
    pub side: Side,
    /// Units, above 0.
    pub size: f64,
    /// Price per unit, slippage included.
    pub price: f64,
    /// Fees in cash.
    pub fees: f64,
}

/// An order and the account it left behind, which holds until the next fill.
///
/// What borrowing costs ([`crate::Config::borrow_rate`]) is a fill, too: of size 0, with the cost for
/// its fees, before the order of its bar. It is no order ([`Fill::is_charge`]), its cost falls to the
/// open trade.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Fill {
    /// The order.
    pub order: Order,
    /// The account after it.
    pub account: Account,
}

impl Fill {
    /// Whether it is what borrowing costs, and no order.
    #[must_use]
    pub fn is_charge(&self) -> bool {
        self.order.size == 0.0
    }
}
