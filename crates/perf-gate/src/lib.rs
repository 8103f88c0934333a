//! Run records, KPI verdicts and their comparison.
//!
//! A [`KpiSpec`] says what is aimed at, [`KpiSpec::judge`] how a measured value stands to it, a
//! [`RunRecord`] keeps a whole run with every sample, and [`compare`] sets two runs side by side.
//!
//! ```
//! use perf_gate::{Measured, Status, parse_kpis};
//!
//! let kpis = parse_kpis(
//!     r#"
//!     [[kpi]]
//!     name = "minute_year_backtest"
//!     title = "1-year minute backtest"
//!     unit = "s"
//!     better = "lower"
//!     target = 5.0
//!     critical = 10.0
//!     "#,
//! )?;
//! let kpi = kpis[0].judge(Measured::Samples(vec![0.003, 0.002, 0.004]), None, 24.0);
//! assert_eq!((kpi.value, kpi.status), (Some(0.003), Status::Ok));
//! # Ok::<(), perf_gate::GateError>(())
//! ```
//!
//! A whole program: `cargo run -p perf-gate --example custom_kpi`, a KPI of one's own, measured,
//! judged and compared.

mod alerts;
mod compare;
mod error;
pub mod export;
pub mod gate;
pub mod history;
mod kpi;
pub mod page;
mod peers;
mod quality;
mod random;
pub mod read;
mod record;
mod results;
mod statistics;
mod work;

pub use alerts::{Alert, AlertState, MONITOR_SCHEMA, read_alerts};
pub use compare::{Basis, Change, Comparison, Verdict, compare};
pub use error::GateError;
pub use kpi::{
    Better, Kpi, KpiSpec, Measured, Shares, Status, digits, markdown, median, parse as parse_kpis,
    table,
};
pub use peers::{PEERS_SCHEMA, PeerHost, PeerRow, PeerRun, Peers};
pub use quality::{QUALITY_SCHEMA, Quality, QualityFigure};
pub use record::{RunRecord, SCHEMA};
pub use results::{Metric, Results};
pub use work::Kernel;
