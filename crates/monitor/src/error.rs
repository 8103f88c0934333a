//! What can be wrong with a monitor's orders.

use std::path::PathBuf;

/// Why a monitor cannot do as it was told.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum MonitorError {
    /// A rule names no metric that is sampled.
    #[error("unknown metric '{found}'; the nearest is '{nearest}'")]
    UnknownMetric {
        /// As written.
        found: String,
        /// The most alike name.
        nearest: &'static str,
    },
    /// A rules file with a mistake: where, and what.
    #[error("line {line}, column {column}: {why}")]
    Rules {
        /// From 1.
        line: usize,
        /// From 1, in characters.
        column: usize,
        /// What is wrong, and what would be right.
        why: String,
    },
    /// A rule that contradicts itself.
    #[error("rule '{rule}': {why}")]
    Rule {
        /// Its name.
        rule: String,
        /// What is wrong, and what would be right.
        why: String,
    },
    /// An interval of nothing.
    #[error("interval is 0: it must be at least 1ms")]
    Interval,
    /// Text that is no duration.
    #[error("'{0}' is no duration: write one such as 500ms, 1s, 5m or 1h")]
    Duration(String),
    /// A process that is not there, or not to be read.
    #[error("process {pid}: {why}")]
    Process {
        /// Its id.
        pid: u32,
        /// What the system said.
        why: String,
    },
    /// A log that cannot be begun.
    #[error("cannot write the log {}", path.display())]
    Log {
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: std::io::Error,
    },
    /// A thread that the system refuses.
    #[error("cannot start a thread")]
    Thread(#[source] std::io::Error),
    /// An address that cannot be listened on.
    #[error("cannot listen on {address}")]
    Listen {
        /// As asked.
        address: std::net::SocketAddr,
        /// What the system said.
        source: std::io::Error,
    },
    /// An address that others reach, without a token.
    #[error("{0} can be reached from other machines: give a token, or listen on 127.0.0.1")]
    Token(std::net::SocketAddr),
}
