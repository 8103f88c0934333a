//! What can be wrong with a search.

use std::path::PathBuf;

/// Why a search could not run.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum OptimizerError {
    /// A range that has no values, or not the ones that were meant.
    #[error(
        "parameter '{name}': '{text}' is not START:STOP:STEP, START:STOP, log:START:STOP or v1,v2,...: {why}"
    )]
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
    /// No point is left.
    #[error("none of {points} {kind} points is permitted: {why}")]
    EmptySpace {
        /// How they were chosen.
        kind: &'static str,
        /// Points tried: those of a grid, or random ones.
        points: u64,
        /// What refused the last of them.
        why: String,
    },
    /// More grid points than a slip of the pen should start.
    #[error(
        "{points} grid points are more than {limit}: narrow a range, widen its step, or say --yes"
    )]
    TooLarge {
        /// Grid points before conditions.
        points: u64,
        /// The limit.
        limit: u64,
    },
    /// A range of numbers, of which a grid cannot try each.
    #[error(
        "parameter '{name}': a grid cannot try every number of {text}: give it steps, \
         {text}:STEP, or choose another sampler"
    )]
    NoGrid {
        /// Name of the parameter.
        name: String,
        /// Its range.
        text: String,
    },
    /// A shard of a search whose points depend on the scores of all others.
    #[error("a sampler that learns from scores has no shards: choose grid, random or sobol")]
    NoShards,
    /// A rule that needs all trials, for a sampler that learns from each.
    #[error("ranks need all trials: choose mean or worst for a sampler that learns from scores")]
    RankOfSome,
    /// The journal of another study.
    #[error(
        "{} is the journal of another study: {difference}; choose another file for this one",
        path.display()
    )]
    ForeignStudy {
        /// The journal.
        path: PathBuf,
        /// Each field that differs.
        difference: String,
    },
    /// A file, or a line of it, that no study wrote.
    #[error("{}, line {line}: {why}", path.display())]
    NoStudy {
        /// The file.
        path: PathBuf,
        /// The line, from 1.
        line: u64,
        /// What is wrong with it.
        why: String,
    },
    /// A journal that cannot be read or written.
    #[error("{}: {source}", path.display())]
    Journal {
        /// The journal.
        path: PathBuf,
        /// The reason.
        source: std::io::Error,
    },
    /// Shards that do not make one search.
    #[error("{why}")]
    Shards {
        /// Which, and what is wrong with it.
        why: String,
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
    /// A picture that cannot be drawn.
    #[error("cannot draw the {picture}: {why}")]
    Picture {
        /// Which one.
        picture: &'static str,
        /// The reason.
        why: String,
    },
    /// Windows or folds that cannot be cut.
    #[error("cannot cut the data: {why}")]
    Splits {
        /// What is wrong with them.
        why: String,
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
