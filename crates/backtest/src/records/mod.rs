//! What happened, as records: trades from fills, drawdowns from equity.
//!
//! Trades come in VectorBT's three forms: by exit ([`exit_trades`], from which statistics are
//! made), by entry ([`entry_trades`]) and by position ([`positions`]).
//!
//! ```
//! let equity = [100.0, 110.0, 99.0, 104.5, 112.0];
//! let fall = &backtest::records::drawdowns(&equity)[0];
//! assert_eq!((fall.peak_bar, fall.bars()), (1, 3));
//! ```

mod drawdowns;
mod positions;
mod trades;

pub use drawdowns::{Drawdown, drawdowns};
pub use positions::{entry_trades, exit_trades, positions};
pub(crate) use trades::gain;
pub use trades::{Trade, for_each_trade};
