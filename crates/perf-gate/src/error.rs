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
    /// A record of a newer version.
    #[error("{}: the record is '{found}', this version reads '{known}'", path.display())]
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
