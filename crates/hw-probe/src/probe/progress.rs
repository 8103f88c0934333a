//! How far the probe is.

use crate::{ProbeOptions, Progress, Section};

/// Counts the steps of the sections that were asked for.
pub(super) struct Steps<'a> {
    pub(super) progress: &'a mut dyn Progress,
    done: f64,
    all: f64,
}

impl<'a> Steps<'a> {
    pub(super) fn new(options: &ProbeOptions, progress: &'a mut dyn Progress) -> Self {
        let wanted = Section::ALL.into_iter().filter(|&section| options.wants(section));
        Self { progress, done: 0.0, all: wanted.map(share).sum::<f64>().max(1.0) }
    }

    /// A step that is `part` of its section is about to run.
    pub(super) fn step(&mut self, section: Section, part: f64, what: &str) {
        self.progress.step(what, (self.done / self.all).min(1.0));
        self.done += share(section) * part;
    }
}

/// About how long a section takes, in parts of a hundred.
fn share(section: Section) -> f64 {
    match section {
        Section::Machine => 0.0,
        Section::Memory => 35.0,
        Section::Latency => 20.0,
        Section::Compute => 20.0,
        Section::Storage => 25.0,
    }
}
