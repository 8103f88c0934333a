//! One run of the suite, as it is kept.

use std::path::Path;

use hw_probe::{Machine, ProbeReport};
use serde::{Deserialize, Serialize};

use crate::{GateError, Kpi};

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
}

impl RunRecord {
    /// Reads a record; fields that this version does not know are passed over.
    ///
    /// # Errors
    /// [`GateError::Io`], [`GateError::Schema`] for another version's, [`GateError::Record`] for
    /// anything else.
    pub fn read(path: &Path) -> Result<Self, GateError> {
        let io = |source| GateError::Io { path: path.to_owned(), source };
        let record = |why: serde_json::Error| GateError::Record {
            path: path.to_owned(),
            why: why.to_string(),
        };
        let text = std::fs::read_to_string(path).map_err(io)?;
        let Head { schema } = serde_json::from_str(&text).map_err(record)?;
        if schema != SCHEMA {
            return Err(GateError::Schema { path: path.to_owned(), found: schema, known: SCHEMA });
        }
        serde_json::from_str(&text).map_err(record)
    }
}

/// What every version of a record begins with.
#[derive(Deserialize)]
struct Head {
    schema: String,
}
