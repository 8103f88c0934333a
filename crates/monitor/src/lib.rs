//! What a run costs, and a word when it costs too much.
//!
//! | part | what it does |
//! |---|---|
//! | [`PerformanceMonitor`] | measures one run: time, memory, I/O, faults |
//! | [`ContinuousMonitor`] | samples a process tree and its machine in the background |
//! | [`Metric`] | every figure, its unit and its exported name |
//! | [`Rule`], [`Alerts`] | what is too much, and for how long |
//! | [`Server`] | the newest figures over HTTP, as Prometheus text and as a page |
//!
//! A figure that the machine does not give is `None`, and [`Sample::why`] says why.
//!
//! ```
//! let (sum, usage) = monitor::watch(|| (0..1_000_000_u64).sum::<u64>());
//! assert_eq!(sum, 499_999_500_000);
//! println!("peak {:?} bytes in {:?}", usage.peak_rss_bytes, usage.wall);
//! ```
//!
//! Whole programs: `cargo run -p monitor --example performance_monitor` (what a backtest costs) and
//! `--example continuous_monitor` (a monitor in the background).

mod action;
mod alerts;
mod continuous;
mod error;
mod log;
mod metric;
mod performance;
mod rules;
mod sample;
mod sampler;
mod serve;
mod span;
mod summary;
mod sys;
mod watch;

pub use alerts::{Alert, Alerts, State};
pub use continuous::{ContinuousMonitor, Handle, Options};
pub use error::MonitorError;
pub use metric::{Info, Kind, Metric};
pub use performance::{Bars, PerformanceMonitor, Resources, RunMetrics, monitor_resource_usage};
pub use rules::{Action, Rule, Severity, When, built_in_rules, parse_rules};
pub use sample::Sample;
pub use sampler::Sampler;
pub use serve::{Server, prometheus};
pub use span::parse_duration;
pub use summary::{CacheSummary, Pressure, ProcessSummary, Spread, Summary, SystemSummary};
pub use watch::{Usage, watch};

/// Most memory that this process ever held at once, in bytes; `None` where the system does not say.
#[must_use]
pub fn peak_rss_bytes() -> Option<u64> {
    sys::peak_rss_bytes()
}

/// Memory that this process holds now, in bytes; `None` where the system does not say.
#[must_use]
pub fn rss_bytes() -> Option<u64> {
    sys::rss_bytes()
}
