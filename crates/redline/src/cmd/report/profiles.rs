//! The profiles of a folder: flamegraphs, and what heap profiles counted.

use std::path::Path;

use bench_kit::profile::{Kind, Summary, files};
use perf_gate::page::{Flamegraph, HeapProfile, Taken};
use perf_gate::read::dhat_totals;

/// Flamegraphs that a page can hold: each is some 100 kB.
const MOST_FLAMEGRAPHS: usize = 24;

/// What `redline profile` and `scripts/profile` have left, in the order of names.
pub(super) struct Profiles {
    pub(super) flamegraphs: Vec<Flamegraph>,
    /// How many there are beyond [`MOST_FLAMEGRAPHS`].
    pub(super) left_out: usize,
    pub(super) heap: Vec<HeapProfile>,
}

impl Profiles {
    /// Looks through `root` and all below. A heap profile is of its case's folder `heap`; its
    /// flamegraph, of bytes and not of time, is left out.
    pub(super) fn find(root: &Path) -> Self {
        let mut found = Self { flamegraphs: Vec::new(), left_out: 0, heap: Vec::new() };
        found.look(root, root);
        found.flamegraphs.sort_by(|a, b| a.name.cmp(&b.name));
        found.left_out = found.flamegraphs.len().saturating_sub(MOST_FLAMEGRAPHS);
        found.flamegraphs.truncate(MOST_FLAMEGRAPHS);
        found.heap.sort_by(|a, b| a.name.cmp(&b.name));
        found
    }

    fn look(&mut self, folder: &Path, root: &Path) {
        match heap(folder).or_else(|| dhat(folder, root)) {
            Some(profile) => self.heap.push(profile),
            None => self.flamegraphs.extend(flamegraph(folder, root)),
        }
        let entries = std::fs::read_dir(folder).into_iter().flatten().flatten();
        for entry in entries.filter(|entry| entry.file_type().is_ok_and(|kind| kind.is_dir())) {
            self.look(&entry.path(), root);
        }
    }
}

fn flamegraph(folder: &Path, root: &Path) -> Option<Flamegraph> {
    let svg = std::fs::read_to_string(folder.join(files::SVG)).ok()?;
    let name = folder.strip_prefix(root).unwrap_or(folder).display().to_string();
    let summary = Summary::read(folder).ok();
    let (taken, hottest) = match summary {
        Some(summary) => (Some(taken(&summary)), summary.top_self),
        None => (None, Vec::new()),
    };
    let hottest = hottest.into_iter().map(|hot| (hot.frame, hot.percent)).collect();
    Some(Flamegraph { name, svg, taken, hottest })
}

fn taken(summary: &Summary) -> Taken {
    Taken {
        cpu_model: summary.machine.cpu_model.clone(),
        threads: summary.machine.threads,
        commit: summary.commit.clone(),
        dirty: summary.dirty,
        counted: format!("{} {}", summary.total, summary.unit),
    }
}

/// A file of DHAT's that nobody has summed up.
fn dhat(folder: &Path, root: &Path) -> Option<HeapProfile> {
    let [blocks, bytes] = dhat_totals(&folder.join(files::DHAT)).ok()?;
    let name = folder.strip_prefix(root).unwrap_or(folder).display().to_string();
    Some(HeapProfile { name, bytes, blocks, is_per_call: false, place: None })
}

fn heap(folder: &Path) -> Option<HeapProfile> {
    let summary = Summary::read(folder).ok().filter(|summary| summary.kind == Kind::Heap)?;
    let heap = summary.heap?;
    Some(HeapProfile {
        name: summary.name,
        bytes: heap.bytes,
        blocks: heap.blocks,
        is_per_call: summary.calls.is_some(),
        place: heap.top_places.first().map(|place| (place.place.clone(), place.percent)),
    })
}
