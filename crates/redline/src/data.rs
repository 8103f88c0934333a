//! Bars as the verbs take them.

use std::path::{Path, PathBuf};
use std::time::Instant;

use anyhow::Result;
use clap::Args;
use market_data::{Bars, LoadOptions};

use crate::values;

/// The data every computing verb reads.
#[derive(Debug, Clone, Args)]
pub(crate) struct Input {
    /// Bars: Parquet, CSV (plain, .gz, .zst) or Arrow IPC, told by content
    #[arg(long, value_name = "FILE")]
    pub(crate) data: PathBuf,
    /// Length of a bar, such as 1min, 1h or 1d [default: the timestamps' most common step]
    #[arg(long, value_name = "LENGTH", value_parser = values::frequency)]
    pub(crate) freq: Option<i64>,
}

/// Loaded bars.
pub(crate) struct Loaded {
    pub(crate) bars: Bars,
    pub(crate) freq_ns: i64,
    pub(crate) load_ns: u64,
}

impl Input {
    /// Loads and validates the bars and settles their length.
    pub(crate) fn load(&self) -> Result<Loaded> {
        let (bars, load_ns) = load(&self.data)?;
        let freq_ns = match self.freq {
            Some(freq) => freq,
            None => values::infer_frequency(&bars.timestamp)?,
        };
        Ok(Loaded { bars, freq_ns, load_ns })
    }
}

/// Bars from `path` with the default policy, and the time that took.
pub(crate) fn load(path: &Path) -> Result<(Bars, u64)> {
    let started = Instant::now();
    let bars = market_data::load(path, &LoadOptions::default())?;
    Ok((bars, elapsed_ns(started)))
}

/// Nanoseconds since `started`.
pub(crate) fn elapsed_ns(started: Instant) -> u64 {
    started.elapsed().as_nanos() as u64
}
