//! Bars as the verbs take them.

use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use anyhow::{Result, bail};
use clap::Args;
use market_data::{Bars, LoadOptions};

use crate::values;

/// The data every computing verb reads.
#[derive(Debug, Clone, Args)]
pub(crate) struct Input {
    /// Bars: Parquet, CSV (plain, .gz, .zst) or Arrow IPC, told by content; may be repeated for
    /// several assets with the same timestamps
    #[arg(long, value_name = "FILE", required = true)]
    pub(crate) data: Vec<PathBuf>,
    /// Length of a bar, such as 1min, 1h or 1d [default: the timestamps' most common step]
    #[arg(long, value_name = "LENGTH", value_parser = values::frequency)]
    pub(crate) freq: Option<i64>,
}

/// Loaded bars.
pub(crate) struct Loaded {
    /// The file's name without its ending.
    pub(crate) name: String,
    pub(crate) bars: Bars,
    pub(crate) freq_ns: i64,
    pub(crate) load_ns: u64,
}

impl Input {
    /// Loads and validates every file and settles the length of its bars.
    pub(crate) fn load(&self) -> Result<Vec<Loaded>> {
        let one = |path: &PathBuf| {
            let (bars, load_ns) = load(path)?;
            let freq_ns = match self.freq {
                Some(freq) => freq,
                None => values::infer_frequency(&bars.timestamp)?,
            };
            let name = path.file_stem().unwrap_or_default().to_string_lossy().into_owned();
            Ok(Loaded { name, bars, freq_ns, load_ns })
        };
        self.data.iter().map(one).collect()
    }
}

/// Bars from `path` with the default policy, and the time that took.
pub(crate) fn load(path: &Path) -> Result<(Bars, u64)> {
    let started = Instant::now();
    let bars = market_data::load(path, &LoadOptions::default())?;
    Ok((bars, elapsed_ns(started)))
}

/// Refuses an output that would take the place of an input or of another output.
pub(crate) fn check_outputs(inputs: &[PathBuf], outputs: &[Option<&Path>]) -> Result<()> {
    let same = |a: &Path, b: &Path| {
        a == b || matches!((a.canonicalize(), b.canonicalize()), (Ok(a), Ok(b)) if a == b)
    };
    let printed = Path::new("-");
    let files: Vec<&Path> = outputs.iter().flatten().copied().filter(|&f| f != printed).collect();
    for (at, output) in files.iter().enumerate() {
        let mut others = inputs.iter().map(PathBuf::as_path).chain(files[at + 1..].iter().copied());
        if others.any(|file| same(file, output)) {
            bail!("{} would be overwritten: give each file a name of its own", output.display());
        }
    }
    Ok(())
}

/// Nanoseconds since `started`.
pub(crate) fn elapsed_ns(started: Instant) -> u64 {
    nanoseconds(started.elapsed())
}

/// `elapsed` as documents have it.
pub(crate) fn nanoseconds(elapsed: Duration) -> u64 {
    elapsed.as_nanos() as u64
}
