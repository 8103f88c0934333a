//! The document beside a profile's pictures.

use std::path::Path;
use std::process::Command;

use serde::{Deserialize, Serialize};

use super::{Cost, ProfileError, Stacks, files, read_file, sys, write_file};

/// What a profile measures.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Kind {
    /// Processor time, sampled.
    Cpu,
    /// Bytes taken from the heap, exactly.
    Heap,
    /// Instructions executed, exactly.
    Instructions,
}

impl Kind {
    /// `cpu`, `heap` or `instructions`.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Cpu => "cpu",
            Self::Heap => "heap",
            Self::Instructions => "instructions",
        }
    }

    /// What the weights of its stacks are.
    #[must_use]
    pub fn unit(self) -> &'static str {
        match self {
            Self::Cpu => "samples",
            Self::Heap => "bytes",
            Self::Instructions => "instructions",
        }
    }

    /// Names in each stack that stand before the first frame: the thread's.
    #[must_use]
    pub fn names_before_frames(self) -> usize {
        usize::from(self == Self::Cpu)
    }
}

/// What was profiled.
#[derive(Debug, Clone)]
pub struct About {
    /// The case, such as `backtest/simulate/all_in`, or the command.
    pub name: String,
    /// What was measured.
    pub kind: Kind,
    /// The command line that did it.
    pub command: Vec<String>,
}

impl About {
    /// A profile taken by this very process. Where its program lies is nobody else's business.
    #[must_use]
    pub fn new(name: &str, kind: Kind) -> Self {
        let mut command: Vec<String> = std::env::args().collect();
        if let Some(program) = command.first_mut() {
            let name = Path::new(&*program).file_name().map(|name| name.to_string_lossy());
            *program = name.map_or_else(String::new, |name| name.into_owned());
        }
        Self { name: name.to_owned(), kind, command }
    }
}

/// The machine, as far as a profile's reader needs it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Machine {
    /// The processor's name; `None` where the system does not say.
    pub cpu_model: Option<String>,
    /// Threads that run at once.
    pub threads: usize,
    /// System and version.
    pub os: String,
}

/// A frame's weight and its share of the whole.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Hot {
    /// The function.
    pub frame: String,
    /// In the profile's unit.
    pub value: u64,
    /// Of all.
    pub percent: f64,
}

/// A place that takes memory.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Allocated {
    /// Per call where `calls` is known, else of the whole run.
    pub bytes: f64,
    /// Likewise.
    pub blocks: f64,
    /// Of all bytes.
    pub percent: f64,
    /// The most bytes that it held at once.
    pub peak_bytes: u64,
    /// The function and line.
    pub place: String,
}

/// What only heap profiles have.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct HeapSummary {
    /// Per call where `calls` is known, else of the whole run.
    pub bytes: f64,
    /// Likewise.
    pub blocks: f64,
    /// The ten places that take the most.
    pub top_places: Vec<Allocated>,
}

/// The document `redline.profile/1`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Summary {
    /// `redline.profile/1`.
    pub schema: String,
    /// The case, or the command.
    pub name: String,
    /// What was measured.
    pub kind: Kind,
    /// What weights are: `samples`, `bytes` or `instructions`.
    pub unit: String,
    /// All weights together.
    pub total: u64,
    /// Samples per second of processor time.
    pub frequency_hz: Option<u32>,
    /// Samples that found no place.
    pub lost: Option<u64>,
    /// Calls of the case that the profile covers; `None` where nobody counted.
    pub calls: Option<u64>,
    /// Wall time of a call while it was profiled; `None` where nobody took it.
    pub ns_per_call: Option<f64>,
    /// The ten frames with the largest weight of their own.
    pub top_self: Vec<Hot>,
    /// The ten with the largest weight including what they call.
    pub top_total: Vec<Hot>,
    /// Of heap profiles.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub heap: Option<HeapSummary>,
    /// Where it ran.
    pub machine: Machine,
    /// The commit of the folder it ran in; `None` outside a repository.
    pub commit: Option<String>,
    /// Whether that folder had changes.
    pub dirty: Option<bool>,
    /// The command line.
    pub command: Vec<String>,
}

const TOP: usize = 10;

impl Summary {
    /// The hottest frames of `stacks`, with this machine and commit.
    #[must_use]
    pub fn new(about: &About, stacks: &Stacks) -> Self {
        let total = stacks.total();
        let hot = |frame: &str, value: u64| Hot {
            frame: frame.to_owned(),
            value,
            percent: 100.0 * value as f64 / total.max(1) as f64,
        };
        let mut costs = stacks.costs(about.kind.names_before_frames());
        let own = |cost: &Cost| hot(&cost.frame, cost.own);
        let top_self = costs.iter().take(TOP).filter(|cost| cost.own > 0).map(own).collect();
        costs.sort_by_key(|cost| std::cmp::Reverse(cost.total));
        let top_total = costs.iter().take(TOP).map(|cost| hot(&cost.frame, cost.total)).collect();
        let (cpu_model, os) = sys::machine();
        let threads = std::thread::available_parallelism().map_or(1, usize::from);
        Self {
            schema: "redline.profile/1".to_owned(),
            name: about.name.clone(),
            kind: about.kind,
            unit: about.kind.unit().to_owned(),
            total,
            frequency_hz: None,
            lost: None,
            calls: None,
            ns_per_call: None,
            top_self,
            top_total,
            heap: None,
            machine: Machine { cpu_model, threads, os },
            commit: git(&["rev-parse", "HEAD"]),
            dirty: git(&["status", "--porcelain"]).map(|changes| !changes.is_empty()),
            command: about.command.clone(),
        }
    }

    /// The document in a profile's folder.
    ///
    /// # Errors
    /// [`ProfileError::Io`], [`ProfileError::Format`].
    pub fn read(folder: &Path) -> Result<Self, ProfileError> {
        serde_json::from_str(&read_file(&folder.join(files::SUMMARY))?)
            .map_err(|error| ProfileError::Format { line: error.line(), what: error.to_string() })
    }

    /// Writes the document to a profile's folder.
    ///
    /// # Errors
    /// [`ProfileError::Io`].
    pub fn write(&self, folder: &Path) -> Result<(), ProfileError> {
        let text = serde_json::to_string_pretty(self)
            .map_err(|error| ProfileError::Format { line: 0, what: error.to_string() })?;
        write_file(folder, files::SUMMARY, (text + "\n").as_bytes())
    }
}

/// What git answers here; `None` without git or outside a repository.
fn git(arguments: &[&str]) -> Option<String> {
    let output = Command::new("git").args(arguments).output().ok()?;
    let text = String::from_utf8(output.stdout).ok()?;
    output.status.success().then(|| text.trim().to_owned())
}
