//! Where runs of the suite are kept.

use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use perf_gate::{Quality, RunRecord};

/// Where records are kept in a checkout, a folder for each machine.
const RECORDS: &str = "benches/record";

/// The records of a folder.
pub(crate) struct Kept {
    /// Oldest first.
    pub(crate) records: Vec<RunRecord>,
    /// Records that could not be read, and why.
    pub(crate) passed_over: Vec<String>,
}

/// `benches/record`, where this folder is a checkout's.
fn kept() -> Option<&'static Path> {
    Some(Path::new(RECORDS)).filter(|records| records.is_dir())
}

/// Where the records of all machines are: `benches/record` in a checkout, else this folder.
pub(crate) fn root() -> PathBuf {
    kept().unwrap_or(Path::new(".")).to_owned()
}

/// `benches/record/<fingerprint>` in a checkout, else this folder.
pub(crate) fn folder(fingerprint: &str) -> PathBuf {
    kept().map_or_else(|| ".".into(), |records| records.join(fingerprint))
}

/// A document called `name` that belongs to the records in `folder`: there, in `benches/record`, or
/// in this folder.
pub(crate) fn beside(folder: &Path, name: &str) -> Option<PathBuf> {
    let places = [folder, Path::new(RECORDS), Path::new(".")];
    places.iter().map(|place| place.join(name)).find(|path| path.is_file())
}

/// What `quality.json` says, where there is one.
///
/// # Errors
/// A file of that name that is none.
pub(crate) fn quality(fingerprint: &str) -> Result<Option<Quality>> {
    let path = beside(&folder(fingerprint), "quality.json");
    Ok(path.map(|path| Quality::read(&path)).transpose()?)
}

/// All `suite*.json` of `folder`, whatever their machine.
///
/// # Errors
/// A folder that exists and cannot be listed.
pub(crate) fn read(folder: &Path) -> Result<Kept> {
    let mut kept = Kept { records: Vec::new(), passed_over: Vec::new() };
    if !folder.exists() {
        return Ok(kept);
    }
    let entries = std::fs::read_dir(folder)
        .with_context(|| format!("cannot list the folder {}", folder.display()))?;
    for entry in entries.flatten().filter(|entry| is_record(&entry.path())) {
        match RunRecord::read(&entry.path()) {
            Ok(record) => kept.records.push(record),
            Err(why) => kept.passed_over.push(why.to_string()),
        }
    }
    kept.records.sort_by(|a, b| a.started_at.cmp(&b.started_at));
    Ok(kept)
}

/// Whether a file is named as records are.
pub(crate) fn is_record(path: &Path) -> bool {
    let name = path.file_name().and_then(|name| name.to_str()).unwrap_or_default();
    name.starts_with("suite") && name.ends_with(".json")
}
