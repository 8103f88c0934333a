//! What happened, as records: trades from fills, drawdowns from equity.

mod drawdowns;
mod trades;

pub use drawdowns::{Drawdown, drawdowns};
pub use trades::{Trade, for_each_trade};
