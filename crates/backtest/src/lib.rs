//! Signals to orders to trades to equity to statistics.
//!
//! [`engine::simulate`] answers as VectorBT's `Portfolio.from_signals` does, order for order. Its
//! cost grows with the number of signals, not of bars; [`statistics::Run`] then walks the equity
//! once, in SIMD lanes, for what was asked.
//!
//! | step | where |
//! |---|---|
//! | what decides an order | [`Config`] |
//! | a rule that turns features into signals | [`strategy`] |
//! | signals to fills | [`engine`] |
//! | fills to trades | [`records`] |
//! | fills to statistics | [`statistics`] |
//! | many trials at once, straight to statistics | [`batch`] |
//!
//! ```
//! use backtest::{Config, Direction, Mask, Signals, engine, statistics::{Run, Stat, StatSet}};
//! use market_data::Bars;
//!
//! let close = vec![10.0, 11.0, 12.0, 11.0];
//! let bars = Bars {
//!     timestamp: (0..4).map(|minute| minute * 60_000_000_000).collect(),
//!     open: close.clone(),
//!     high: close.clone(),
//!     low: close.clone(),
//!     volume: vec![1.0; 4],
//!     close,
//! };
//! let entry = Mask::from_bools(&[true, false, false, false]);
//! let exit = Mask::from_bools(&[false, false, true, false]);
//! let signals = Signals::new(entry, exit, Direction::LongOnly);
//! let config = Config::default();
//! let mut fills = Vec::new();
//! engine::simulate(&bars.view(), &signals, &config, &mut fills)?;
//! let run = Run {
//!     bars: bars.view(),
//!     fills: &fills,
//!     init_cash: config.init_cash,
//!     freq_ns: 60_000_000_000,
//!     returns: None,
//! };
//! let statistics = run.statistics(StatSet::portfolio());
//! assert_eq!(statistics.get(Stat::EndValue), Some(120.0));
//! # Ok::<(), backtest::BacktestError>(())
//! ```
//!
//! Whole programs: `cargo run -p backtest --example crossover` (from prices to statistics in 20
//! lines) and `--example custom_strategy` (a [`strategy::Strategy`] of one's own).

pub mod batch;
mod check;
mod compare;
pub mod config;
pub mod engine;
mod error;
mod mask;
pub mod records;
mod signals;
pub mod statistics;
pub mod strategy;

pub use check::{check, fill_close};
pub use config::{Accumulate, Config, Direction, PerBar, SizeType};
pub use error::BacktestError;
pub use mask::Mask;
pub use signals::Signals;
