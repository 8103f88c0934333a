//! The verdict, as it is written down.

use std::fmt;

use serde::{Deserialize, Serialize};

use super::wall::Tally;

/// A kind of evidence.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Layer {
    /// Instructions executed.
    Instructions,
    /// Blocks and bytes taken from the heap.
    Heap,
    /// Wall clock.
    Wall,
    /// KPIs of the suite.
    Kpi,
}

impl Layer {
    /// In the order of the document.
    pub const ALL: [Self; 4] = [Self::Instructions, Self::Heap, Self::Wall, Self::Kpi];
}

impl fmt::Display for Layer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Instructions => "instructions",
            Self::Heap => "heap",
            Self::Wall => "wall",
            Self::Kpi => "kpi",
        })
    }
}

/// What the gate says.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Verdict {
    /// No regression, and everything could be measured.
    Pass,
    /// At least one regression that nobody has accepted.
    Regressed,
    /// No regression, but some bench was too noisy to say so. Does not block.
    Unstable,
    /// The gate could not do what the policy requires of it.
    Error,
}

/// How one metric stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RowVerdict {
    /// The machine code is byte-identical: not measured.
    Unchanged,
    /// Measured, no change that matters.
    Same,
    /// Better.
    Improved,
    /// Worse.
    Regressed,
    /// Worse, and known to be.
    Accepted,
    /// Not known: too noisy.
    Unstable,
    /// Only in the head.
    New,
    /// Only in the base.
    Removed,
    /// Could not be measured here.
    NotAvailable,
}

/// One metric on both sides.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Row {
    /// Its name.
    pub metric: String,
    /// Unit of both values.
    pub unit: String,
    /// The base's value.
    pub base: Option<f64>,
    /// The head's value.
    pub head: Option<f64>,
    /// Change in percent of the base; above 0 is more.
    pub change_percent: Option<f64>,
    /// Its 95 percent interval, where it is an estimate.
    pub interval_percent: Option<[f64; 2]>,
    /// Beyond this it is worse.
    pub threshold_percent: Option<f64>,
    /// How it stands.
    pub verdict: RowVerdict,
    /// Reason and issue of the entry that accepts it.
    pub accepted_by: Option<String>,
    /// What else must be said.
    pub note: Option<String>,
    /// What equal sides differ by, of wall-clock rows.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub noise_floor_percent: Option<f64>,
    /// Every cycle of the first round, of wall-clock rows.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub first_round: Option<Tally>,
    /// Every cycle of the confirmation.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub confirmation: Option<Tally>,
}

impl Row {
    /// A row of which nothing is known but its verdict.
    #[must_use]
    pub fn bare(metric: &str, unit: &str, verdict: RowVerdict) -> Self {
        Self {
            metric: metric.to_owned(),
            unit: unit.to_owned(),
            base: None,
            head: None,
            change_percent: None,
            interval_percent: None,
            threshold_percent: None,
            verdict,
            accepted_by: None,
            note: None,
            noise_floor_percent: None,
            first_round: None,
            confirmation: None,
        }
    }
}

/// Rows by layer.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
pub struct Layers {
    /// Instructions.
    pub instructions: Vec<Row>,
    /// Heap.
    pub heap: Vec<Row>,
    /// Wall clock.
    pub wall: Vec<Row>,
    /// KPIs.
    pub kpi: Vec<Row>,
}

impl Layers {
    /// The rows of one layer.
    #[must_use]
    pub fn of(&self, layer: Layer) -> &[Row] {
        match layer {
            Layer::Instructions => &self.instructions,
            Layer::Heap => &self.heap,
            Layer::Wall => &self.wall,
            Layer::Kpi => &self.kpi,
        }
    }

    /// The rows of one layer, to write to.
    pub fn of_mut(&mut self, layer: Layer) -> &mut Vec<Row> {
        match layer {
            Layer::Instructions => &mut self.instructions,
            Layer::Heap => &mut self.heap,
            Layer::Wall => &mut self.wall,
            Layer::Kpi => &mut self.kpi,
        }
    }

    /// Every row with its layer.
    pub fn rows(&self) -> impl Iterator<Item = (Layer, &Row)> {
        Layer::ALL.into_iter().flat_map(|layer| self.of(layer).iter().map(move |row| (layer, row)))
    }
}

/// A layer that could not be run.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Missing {
    /// The layer.
    pub layer: Layer,
    /// Why.
    pub why: String,
    /// Whether the policy requires it.
    pub required: bool,
}

/// The gate's document, less its schema.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Document {
    /// What the gate says.
    pub verdict: Verdict,
    /// Commit of the base.
    pub base: String,
    /// Commit of the head.
    pub head: String,
    /// Fingerprint of the machine that measured.
    pub machine: String,
    /// Start, RFC 3339.
    pub started_at: String,
    /// How long it all took.
    pub elapsed_s: f64,
    /// Rows by layer.
    pub layers: Layers,
    /// Layers that could not be run.
    pub not_available: Vec<Missing>,
    /// What must be said beside the rows: unused or expired entries, uncommitted changes.
    pub notes: Vec<String>,
    /// Mistakes that the policy makes fatal, such as expired entries.
    pub errors: Vec<String>,
}

impl Document {
    /// The verdict that rows, missing layers and errors add up to.
    #[must_use]
    pub fn judge(layers: &Layers, not_available: &[Missing], errors: &[String]) -> Verdict {
        let has = |verdict| layers.rows().any(|(_, row)| row.verdict == verdict);
        if has(RowVerdict::Regressed) {
            Verdict::Regressed
        } else if !errors.is_empty() || not_available.iter().any(|missing| missing.required) {
            Verdict::Error
        } else if has(RowVerdict::Unstable) {
            Verdict::Unstable
        } else {
            Verdict::Pass
        }
    }

    /// Whether the exit code is 1.
    #[must_use]
    pub fn blocks(&self) -> bool {
        matches!(self.verdict, Verdict::Regressed | Verdict::Error)
    }
}

impl fmt::Display for Verdict {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Pass => "pass",
            Self::Regressed => "REGRESSED",
            Self::Unstable => "unstable",
            Self::Error => "ERROR",
        })
    }
}

impl fmt::Display for RowVerdict {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Unchanged => "unchanged",
            Self::Same => "same",
            Self::Improved => "improved",
            Self::Regressed => "REGRESSED",
            Self::Accepted => "accepted",
            Self::Unstable => "unstable",
            Self::New => "new",
            Self::Removed => "removed",
            Self::NotAvailable => "not available",
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn with(verdicts: &[RowVerdict]) -> Layers {
        let rows = verdicts.iter().map(|verdict| Row::bare("m", "ns", *verdict)).collect();
        Layers { wall: rows, ..Layers::default() }
    }

    #[test]
    fn a_regression_counts_before_all_else_and_unstable_is_no_pass() {
        use RowVerdict::{Accepted, New, Regressed, Same, Unstable};
        let missing =
            |required| [Missing { layer: Layer::Heap, why: "no valgrind".to_owned(), required }];
        let judge = Document::judge;
        assert_eq!(judge(&with(&[Same, New, Accepted]), &missing(false), &[]), Verdict::Pass);
        assert_eq!(judge(&with(&[Same, Unstable]), &[], &[]), Verdict::Unstable);
        assert_eq!(judge(&with(&[Unstable, Regressed]), &missing(true), &[]), Verdict::Regressed);
        assert_eq!(judge(&with(&[Unstable]), &missing(true), &[]), Verdict::Error);
        assert_eq!(judge(&with(&[]), &[], &["expired".to_owned()]), Verdict::Error);
    }
}
