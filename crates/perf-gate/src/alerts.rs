//! Alerts of a run, as its record or a document of `redline monitor` keeps them.

use std::path::Path;

use serde::{Deserialize, Serialize};

use crate::GateError;
use crate::record::read_document;

/// The schema of `redline monitor --json`.
pub const MONITOR_SCHEMA: &str = "redline.monitor/1";

/// Where a rule stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum AlertState {
    /// The value is good.
    Inactive,
    /// Bad, not yet for long enough.
    Pending,
    /// Bad for long enough.
    Firing,
    /// It fired and is good again.
    Resolved,
    /// The machine does not give the value.
    NoData,
}

impl std::fmt::Display for AlertState {
    /// As in the document.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Inactive => "inactive",
            Self::Pending => "pending",
            Self::Firing => "firing",
            Self::Resolved => "resolved",
            Self::NoData => "no_data",
        })
    }
}

/// A rule and where it stood at the end of the run.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Alert {
    /// Name of the rule.
    pub rule: String,
    /// Where it stood.
    pub state: AlertState,
    /// Since when, in seconds since the watch began.
    pub since: f64,
    /// The last value; `None` without data.
    pub value: Option<f64>,
    /// What the value is held against.
    pub threshold: Option<f64>,
}

impl Alert {
    /// Whether it fires, or fired and is good again.
    #[must_use]
    pub fn has_fired(&self) -> bool {
        matches!(self.state, AlertState::Firing | AlertState::Resolved)
    }
}

#[derive(Deserialize)]
struct Document {
    alerts: Vec<Alert>,
}

/// The alerts of a document that `redline monitor --json` wrote.
///
/// # Errors
/// [`GateError::Io`], [`GateError::Schema`] for another document, [`GateError::Document`] for one
/// that cannot be read.
pub fn read_alerts(path: &Path) -> Result<Vec<Alert>, GateError> {
    Ok(read_document::<Document>(path, MONITOR_SCHEMA)?.alerts)
}
