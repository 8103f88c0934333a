//! What happened, as records: trades from fills.

mod trades;

pub use trades::{Trade, for_each_trade};
