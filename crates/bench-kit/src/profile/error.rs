//! What can go wrong with a profile.

use std::path::PathBuf;

/// Why there is no profile.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ProfileError {
    /// This process is being sampled already, or its system cannot be sampled.
    #[error("cannot sample this process: {0}")]
    Sampler(std::io::Error),
    /// A file that cannot be read or written.
    #[error("{}: {source}", path.display())]
    Io {
        /// The file.
        path: PathBuf,
        /// What the system says.
        source: std::io::Error,
    },
    /// A file that is not what it should be.
    #[error("{}{what}", position(*line))]
    Format {
        /// From 1; 0 where the whole is meant.
        line: usize,
        /// What is wrong, and what would be right.
        what: String,
    },
    /// The run left nothing to show.
    #[error("nothing was sampled: the run took {0:.1?}, and a sample is taken every millisecond")]
    Empty(std::time::Duration),
    /// The picture could not be drawn.
    #[error("cannot draw the flamegraph: {0}")]
    Drawing(String),
}

fn position(line: usize) -> String {
    if line == 0 { String::new() } else { format!("line {line}: ") }
}
