//! Search of a strategy's parameters.
//!
//! Every part asks the engine one thing, through [`Evaluate`]: the statistics of points over a span
//! of bars.
//!
//! | part | what it does |
//! |---|---|
//! | [`ParamSpace`] | axes and conditions: which points there are |
//! | [`sampler`] | which of them to try: grid, random, Sobol, TPE, CMA-ES, halving, Hyperband |
//! | [`Search`] | tries them on one or several symbols and periods ([`Rule`]) |
//! | [`study`] | a journal that survives being killed; shards put together |
//! | [`Sweep`] | the plain case: every point of a grid, on one series |
//! | [`validation`] | how likely the best of them is luck |
//! | [`pictures`] | a heatmap, and a report in one file |
//!
//! ```
//! use backtest::{Config, statistics::Stat, strategy};
//! use market_data::{SynthOptions, synth};
//! use optimizer::{Axis, Evaluator, Sweep};
//!
//! let bars = synth(&SynthOptions { bars: 2_000, ..SynthOptions::default() });
//! let axes = [Axis::parse("fast", "5:15:5")?, Axis::parse("slow", "20,40")?];
//! let evaluator = Evaluator {
//!     bars: bars.view(),
//!     freq_ns: 60_000_000_000,
//!     strategy: strategy::find("ma-cross")?,
//!     config: Config::default(),
//!     threads: 0,
//! };
//! let outcome = Sweep {
//!     evaluator,
//!     axes: &axes,
//!     condition: Some("fast < slow"),
//!     objective: Stat::SharpeRatio,
//! }
//! .run(&|_, _| {})?;
//! assert_eq!(outcome.trials.len(), 6);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod error;
mod evaluate;
mod evaluator;
mod panel;
pub mod pictures;
pub mod sampler;
mod search;
mod space;
pub mod study;
mod sweep;
pub mod validation;

pub use error::OptimizerError;
pub use evaluate::{Evaluate, Evaluation, Progress, SEGMENTS, Trial};
pub use evaluator::{Cached, Evaluator, Shape};
pub use panel::{Member, Rule};
pub use search::{Found, Search, Tick};
pub use space::{Axis, Condition, Domain, ParamSpace, Scale};
pub use sweep::{Outcome, Sweep, check_objective, deflate};
pub use validation::deflated_sharpe_ratio;

/// Grid points, permitted or not, beyond which a search wants to be told that it is meant.
pub const MAX_POINTS: u64 = 10_000_000;

/// The names of `known`, the one nearest to `name` first where one is near.
fn nearest(name: &str, known: &[&str]) -> String {
    let near = known
        .iter()
        .map(|candidate| (strsim::jaro_winkler(name, candidate), candidate))
        .filter(|(likeness, _)| *likeness > 0.7)
        .max_by(|a, b| a.0.total_cmp(&b.0));
    let hint = near.map_or_else(String::new, |(_, name)| format!(" (did you mean '{name}'?)"));
    format!("{}{hint}", known.join(", "))
}
