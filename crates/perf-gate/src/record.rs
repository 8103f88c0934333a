//! One run of the suite, as it is kept.

use std::path::Path;

use hw_probe::{Machine, ProbeReport};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use crate::{Alert, GateError, Kernel, Kpi, Quality};

/// The schema that this version writes and reads.
pub const SCHEMA: &str = "redline.suite/1";

/// One run of the suite: where, what, when, and every KPI with its samples.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct RunRecord {
    /// [`SCHEMA`].
    pub schema: String,
    /// The machine.
    pub machine: Machine,
    /// Commit of the working tree; `None` outside a repository.
    pub commit: Option<String>,
    /// Whether the working tree had changes of its own.
    pub dirty: Option<bool>,
    /// Version of the program.
    pub version: String,
    /// The command.
    pub command: Vec<String>,
    /// Start, RFC 3339.
    pub started_at: String,
    /// The KPIs, in the order of their file.
    pub kpis: Vec<Kpi>,
    /// The probe that gave the ceilings; `None` in records that kept only the KPIs.
    #[serde(default)]
    pub probe: Option<ProbeReport>,
    /// The kernels that were timed, with their work; none in older records.
    #[serde(default)]
    pub kernels: Vec<Kernel>,
    /// Where the rules of the monitor that watched the run stood at its end; `None` where none
    /// watched.
    #[serde(default)]
    pub alerts: Option<Vec<Alert>>,
    /// Quality of the code; `None` where nobody measured it.
    #[serde(default)]
    pub quality: Option<Quality>,
}

impl RunRecord {
    /// Reads a record; fields that this version does not know are passed over.
    ///
    /// # Errors
    /// [`GateError::Io`], [`GateError::Schema`] for another version's, [`GateError::Record`] for
    /// anything else.
    pub fn read(path: &Path) -> Result<Self, GateError> {
        read_document(path, SCHEMA).map_err(|error| match error {
            GateError::Document { path, why, .. } => GateError::Record { path, why },
            other => other,
        })
    }
}

/// Reads a document that says it is of `schema`.
pub(crate) fn read_document<T: DeserializeOwned>(
    path: &Path,
    schema: &'static str,
) -> Result<T, GateError> {
    let io = |source| GateError::Io { path: path.to_owned(), source };
    let document = |why: serde_json::Error| GateError::Document {
        path: path.to_owned(),
        schema,
        why: why.to_string(),
    };
    let text = std::fs::read_to_string(path).map_err(io)?;
    let Head { schema: found } = serde_json::from_str(&text).map_err(document)?;
    if found != schema {
        return Err(GateError::Schema { path: path.to_owned(), found, known: schema });
    }
    serde_json::from_str(&text).map_err(document)
}

/// What every document begins with.
#[derive(Deserialize)]
struct Head {
    schema: String,
}
