//! The one error type of the crate.

use std::io;
use std::path::PathBuf;

/// Why a probe could not be made or its results could not be kept.
///
/// A *section* that cannot be measured is no error: it is named, with its reason, in
/// [`ProbeReport::unavailable`](crate::ProbeReport::unavailable), and the rest runs.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ProbeError {
    /// A section's name is not known.
    #[error("unknown section `{name}`: expected machine, memory, latency, compute or storage")]
    UnknownSection {
        /// The name as given.
        name: String,
    },
    /// A file could not be read or written.
    #[error("{path}: {source}")]
    File {
        /// The file or folder.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// A stored document is not one of ours.
    #[error("{path}: not a readable probe document: {source}")]
    Document {
        /// The file.
        path: PathBuf,
        /// Where and why it could not be read.
        source: serde_json::Error,
    },
    /// A picture could not be drawn.
    #[error("drawing {picture}: {reason}")]
    Picture {
        /// Which picture.
        picture: &'static str,
        /// What the drawing library said.
        reason: String,
    },
}

impl ProbeError {
    pub(crate) fn file(path: impl Into<PathBuf>, source: io::Error) -> Self {
        Self::File { path: path.into(), source }
    }
}
