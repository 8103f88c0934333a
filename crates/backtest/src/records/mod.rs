//! What happened, as records: trades from fills, drawdowns from equity.
//!
//! Trades come in VectorBT's three forms: by exit ([`exit_trades`], from which statistics are
//! made), by entry ([`entry_trades`]) and by position ([`positions`]).

mod drawdowns;
mod positions;
mod trades;

pub use drawdowns::{Drawdown, drawdowns};
pub use positions::{entry_trades, exit_trades, positions};
pub use trades::{Trade, for_each_trade};
