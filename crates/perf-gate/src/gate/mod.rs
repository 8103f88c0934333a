//! The gate: a verdict over instructions, heap, wall clock and KPIs of two revisions.
//!
//! This crate holds what needs no process and no file: the [`Policy`], the statistics of the
//! [wall clock](wall), the judging of [counts](judge_count) and of KPIs, and the [`Document`] with its
//! renderings. Building two revisions and running them is the command's.
//!
//! ```
//! use perf_gate::gate::{Allowance, RowVerdict, Unit, judge_count};
//!
//! let allowance = Allowance { percent: 0.5, floor: 200.0 };
//! let count = |head| {
//!     judge_count("sma", Unit::Instructions, Some(100_000.0), Some(head), allowance).verdict
//! };
//! assert_eq!([count(100_400.0), count(101_000.0)], [RowVerdict::Same, RowVerdict::Regressed]);
//! ```

mod accept;
mod counts;
mod document;
mod holm;
mod key;
mod kpis;
mod pattern;
mod policy;
mod rates;
mod render;
mod signed_rank;
pub mod wall;

pub use accept::{Unused, accept};
pub use counts::{Allowance, Unit, judge_count};
pub use document::{Document, Layer, Layers, Missing, Row, RowVerdict, Verdict};
pub use key::key;
pub use kpis::judge_kpis;
pub use pattern::matches;
pub use policy::{
    Accept, BenchSpec, CountPolicy, Harness, HeapPolicy, KpiPolicy, Override, Policy, WallPolicy,
};
pub use rates::wilson;
pub use render::{annotations, junit, markdown, text};
