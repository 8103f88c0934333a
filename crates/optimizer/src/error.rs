//! What can be wrong with a search.

/// Why a search could not run.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum OptimizerError {
    /// A range that has no values, or not the ones that were meant.
    #[error("parameter '{name}': '{text}' is not START:STOP:STEP or v1,v2,...: {why}")]
    Axis {
        /// Name of the parameter.
        name: String,
        /// The text that was given.
        text: String,
        /// What is wrong with it.
        why: String,
    },
    /// The same parameter twice.
    #[error("parameter '{name}' is given twice: give each once")]
    DoubleAxis {
        /// Name of the parameter.
        name: String,
    },
    /// A condition that cannot be read.
    #[error("condition '{text}': {why}; write for example 'fast < slow'")]
    Condition {
        /// The text that was given.
        text: String,
        /// What is wrong with it.
        why: String,
    },
    /// No grid point is left.
    #[error("none of {points} grid points is permitted: {why}")]
    EmptySpace {
        /// Grid points before conditions.
        points: u64,
        /// What refused the last of them.
        why: String,
    },
    /// More grid points than a slip of the pen should start.
    #[error("{points} grid points are more than {limit}: narrow a range or widen its step")]
    TooLarge {
        /// Grid points before conditions.
        points: u64,
        /// The limit.
        limit: u64,
    },
    /// An objective that a sweep does not compute.
    #[error("objective '{name}' needs every return of every trial: choose one of {known}")]
    Objective {
        /// The objective that was asked for.
        name: String,
        /// What can be asked for.
        known: String,
    },
    /// A span of bars that holds none, or some that are not there.
    #[error("bars {from}..{to} of {bars}: give a span within the data that holds a bar")]
    Span {
        /// First bar.
        from: usize,
        /// One past the last bar.
        to: usize,
        /// Bars there are.
        bars: usize,
    },
    /// The threads could not be started.
    #[error("cannot start {threads} threads: {source}")]
    Threads {
        /// The number asked for.
        threads: usize,
        /// The reason.
        source: rayon::ThreadPoolBuildError,
    },
    /// A backtest refused its input.
    #[error(transparent)]
    Backtest(#[from] backtest::BacktestError),
    /// A feature could not be computed.
    #[error(transparent)]
    Feature(#[from] features::FeatureError),
}
