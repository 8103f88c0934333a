//! What to measure, and where progress goes.

use std::fmt;
use std::path::PathBuf;
use std::str::FromStr;

use crate::ProbeError;

/// A part of the probe that can be asked for by itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Section {
    /// What the machine is. Always described; it costs milliseconds.
    Machine,
    /// Bandwidth of memory and caches.
    Memory,
    /// Latency of memory, alone and loaded, and between cores.
    Latency,
    /// FMA peak, GEMM and the scalar costs.
    Compute,
    /// Files: saving, loading, random reads, `fsync`.
    Storage,
}

impl Section {
    /// Every section, in the order in which they run.
    pub const ALL: [Self; 5] =
        [Self::Machine, Self::Memory, Self::Latency, Self::Compute, Self::Storage];

    /// The name on the command line and in documents.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Machine => "machine",
            Self::Memory => "memory",
            Self::Latency => "latency",
            Self::Compute => "compute",
            Self::Storage => "storage",
        }
    }
}

impl fmt::Display for Section {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl FromStr for Section {
    type Err = ProbeError;

    fn from_str(name: &str) -> Result<Self, ProbeError> {
        Self::ALL
            .into_iter()
            .find(|section| section.name() == name)
            .ok_or_else(|| ProbeError::UnknownSection { name: name.to_owned() })
    }
}

/// What to measure.
#[derive(Debug, Clone)]
pub struct ProbeOptions {
    /// The sections to run; the machine is described in any case.
    pub sections: Vec<Section>,
    /// Fewer repeats, smaller arrays and fewer points: a few seconds in all.
    pub quick: bool,
    /// The largest number of threads. `None` takes all that this process may use; 0 and numbers
    /// above that are taken as all, and the report says so.
    pub threads: Option<usize>,
    /// Where the storage section writes its temporary file; it needs no more than a quarter of
    /// the free space there. `None` takes the system's folder for temporary files.
    pub dir: Option<PathBuf>,
}

impl Default for ProbeOptions {
    fn default() -> Self {
        Self { sections: Section::ALL.to_vec(), quick: false, threads: None, dir: None }
    }
}

impl ProbeOptions {
    pub(crate) fn wants(&self, section: Section) -> bool {
        self.sections.contains(&section)
    }
}

/// Hears what the probe is doing. Every method does nothing unless implemented.
pub trait Progress {
    /// A section begins.
    fn section(&mut self, section: Section) {
        let _ = section;
    }
    /// One step is done: what it was, and the share of the whole probe that is done, in `0..=1`.
    fn step(&mut self, what: &str, share: f64) {
        let _ = (what, share);
    }
}

/// Nobody listens.
impl Progress for () {}
