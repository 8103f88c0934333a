//! Statistics of a run: the 28 rows of VectorBT's `Portfolio.stats` and the rows that its
//! `returns_stats` adds.
//!
//! Only what is asked for is computed, in three classes of cost: what orders and trades say
//! (O(orders)), what one pass over the equity says (O(bars in a position), no memory), and what
//! needs every return at once ([`Stat::needs_returns`]: O(bars), and memory for a twentieth of them).
//!
//! Several assets are judged as one account by [`GroupRun`].
//!
//! A year has 365 days. Standard deviations have one degree of freedom removed.
//!
//! ```
//! use backtest::statistics::{Run, Stat, StatSet};
//! use market_data::{SynthOptions, synth};
//!
//! // An account that never trades keeps what it has.
//! let bars = synth(&SynthOptions::default());
//! let (init_cash, freq_ns) = (100.0, 60_000_000_000);
//! let run = Run { bars: bars.view(), fills: &[], init_cash, freq_ns, returns: None };
//! let statistics = run.statistics(StatSet::of(&[Stat::EndValue, Stat::WinRate]));
//! assert_eq!(statistics.get(Stat::EndValue), Some(100.0));
//! assert_eq!(statistics.get(Stat::WinRate), None);
//! ```

mod course;
mod extended;
mod group;
mod lanes;
mod path;
mod quantile;
mod returns;
mod stat;
mod summary;
mod trades;
mod versus;

pub use course::{MonthlyReturn, monthly_returns, rolling_sharpe, ulcer_index};
pub use group::{Course, GroupRun};
pub(crate) use path::Path;
pub use path::{equity, price_returns, returns};
pub use stat::{Stat, StatSet};
pub(crate) use summary::About;
pub use summary::{Moments, Run, Statistics};
pub(crate) use trades::{Side, TradeSums};
pub use versus::{Versus, buy_and_hold};
