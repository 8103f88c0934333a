//! Signals to orders.
//!
//! [`simulate`] walks the set bits of the signal masks, not the bars: between two orders nothing
//! but stops can happen. [`Account`] knows what one order does, `Stops` when a stop is hit.
//!
//! | what | file |
//! |---|---|
//! | the walk over events | `simulate.rs` |
//! | the same for all cash in and out, long only | `all_in.rs` |
//! | what one order does to cash and position | `account.rs` |
//! | stop loss, trailing stop, take profit | `stops.rs` |
//! | a bar's signals to one order | `decide.rs` |
//! | orders sized bar by bar | `orders.rs` |
//! | comparisons that forgive rounding | `float.rs` |

mod account;
mod all_in;
mod decide;
mod float;
mod orders;
mod simulate;
mod stops;

pub use account::Account;
pub(crate) use all_in::{AllIn, next_bit};
pub use orders::{OrderSize, SizedOrders, fill_orders};
pub use simulate::simulate;

/// Which way an order goes.
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

/// An order and the account it left behind, which holds until the next order.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Fill {
    /// The order.
    pub order: Order,
    /// The account after it.
    pub account: Account,
}
