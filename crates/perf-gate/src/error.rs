//! What can be wrong with records and KPI files.

use std::path::PathBuf;

/// Why a record or a KPI file could not be used.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum GateError {
    /// A record could not be read.
    #[error("{}: {source}", path.display())]
    Io {
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: std::io::Error,
    },
    /// A file that is no run record.
    #[error("{}: not a run record: {why}", path.display())]
    Record {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        why: String,
    },
    /// A file that is not the document that was asked for.
    #[error("{}: not a '{schema}' document: {why}", path.display())]
    Document {
        /// The file.
        path: PathBuf,
        /// The schema that was asked for.
        schema: &'static str,
        /// What is wrong with it.
        why: String,
    },
    /// A document of a newer version, or of another kind.
    #[error("{}: the document is '{found}', this version reads '{known}' here", path.display())]
    Schema {
        /// The file.
        path: PathBuf,
        /// Its schema.
        found: String,
        /// The schema that can be read.
        known: &'static str,
    },
    /// A gate policy with a mistake.
    #[error("{}: {why}", path.display())]
    Policy {
        /// The file.
        path: PathBuf,
        /// What is wrong with it, and where.
        why: String,
    },
    /// A KPI file with a mistake.
    #[error("KPI file: {0}")]
    Kpis(#[from] toml::de::Error),
    /// The page's template could not be filled.
    #[error("the page could not be made: {0}")]
    Page(String),
}
