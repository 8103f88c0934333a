//! Rolling kernels and indicators over slices; feature sets declared as data.
//!
//! ```
//! use features::{ComputeOptions, FeatureSet, compute};
//! use market_data::Bars;
//!
//! let close: Vec<f64> = (0..100).map(|i| 100.0 + (i as f64 * 0.3).sin()).collect();
//! let bars = Bars {
//!     timestamp: (0..100).collect(),
//!     open: close.clone(),
//!     high: close.clone(),
//!     low: close.clone(),
//!     close,
//!     volume: vec![1.0; 100],
//! };
//! let table = compute(&FeatureSet::classic(), bars.view(), &ComputeOptions::default())?;
//! assert_eq!(table.column("sma_20").map(<[f64]>::len), Some(100));
//! # Ok::<(), features::FeatureError>(())
//! ```
//!
//! | what | where |
//! |---|---|
//! | rolling statistics over slices, f64 or f32 | [`rolling`] |
//! | indicators as functions, f64 or f32 | [`indicator`] |
//! | indicators by name, with their parameters, ranges, warm-up and source | [`registry`] |
//! | feature sets from TOML, `classic` and `alpha158` built in | [`FeatureSet`], `sets/` |
//! | a set over whole bars, on all cores | [`compute`](compute()) |
//! | a set bar by bar, with a state that can be stored | [`Stream`] |
//! | a set bar by bar over many symbols at once, in vector registers | [`Panel`] |
//! | the recurrences: windows by doubling, recursions by groups of eight | `src/kernel/{tree,chain,recur}.rs` |
//! | the planner and the machine that runs it | `src/engine/` |
//!
//! # The rules of every kernel
//! - **Warm-up**: rows before the first full window are NaN (Alpha158 alone answers earlier).
//! - **NaN**: a window that holds a NaN gives NaN, and no other window does. A recursion (EMA,
//!   Wilder's smoothing, PSAR) starts anew after one; a running total is NaN from then on.
//! - **Bits**: the same for any instruction set, number of threads, block length and cut of the
//!   rows, because each row's value is a fixed sequence of operations on the rows before it.

mod compute;
mod engine;
mod error;
pub mod indicator;
mod kernel;
mod panel;
pub mod registry;
pub mod rolling;
mod sample;
mod set;
mod stream;
mod sys;

pub use compute::{ComputeOptions, FeatureTable, compute, compute_into};
pub use error::FeatureError;
pub use panel::{Panel, SavedPanel};
pub use registry::{Column, Indicator, Param};
pub use sample::Sample;
pub use set::FeatureSet;
pub use stream::{Bar, SavedStream, Stream};
