//! Alerts of a run, as its record or a document of `redline monitor` keeps them.

use std::path::Path;

use serde::{Deserialize, Serialize};

use crate::GateError;
use crate::record::read_document;

/// The schema of `redline monitor --json`.
pub const MONITOR_SCHEMA: &str = "redline.monitor/1";

/// A rule and where it stood at the end of the run.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Alert {
    /// Name of the rule.
    pub rule: String,
    /// `inactive`, `pending`, `firing`, `resolved` or `no_data`.
    pub state: String,
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
        matches!(self.state.as_str(), "firing" | "resolved")
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
