//! `redline features`: a set of features over bars.

use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::Instant;

use anyhow::{Context, Result};
use clap::Args;
use features::{ComputeOptions, FeatureSet};
use market_data::table::{Column, Table};
use serde::Serialize;

use crate::cli::{Global, Json, Threads};
use crate::data::{elapsed_ns, load};
use crate::document;

const EXAMPLES: &str = "\
Examples:
  redline features --data year.parquet --out features.parquet
  redline features --data year.parquet --set mine.toml --threads 4 --out features.parquet --json -";

#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct FeaturesArgs {
    /// Bars: Parquet, CSV (plain, .gz, .zst) or Arrow IPC, told by content
    #[arg(long, value_name = "FILE")]
    data: PathBuf,
    /// A built-in set or a TOML file of features
    #[arg(long, value_name = "NAME|FILE", default_value = "classic")]
    set: String,
    #[command(flatten)]
    threads: Threads,
    /// Write the features as Parquet: timestamp, then one column per feature
    #[arg(long, value_name = "FILE")]
    out: PathBuf,
    #[command(flatten)]
    json: Json,
}

/// The `redline.features/1` document.
#[derive(Serialize)]
struct Document {
    rows: usize,
    columns: usize,
    elapsed_ns: Elapsed,
    rows_per_s: f64,
}

#[derive(Serialize)]
struct Elapsed {
    load: u64,
    compute: u64,
    save: u64,
}

pub(crate) fn run(args: &FeaturesArgs, global: &Global) -> Result<ExitCode> {
    let set = feature_set(&args.set)?;
    let (bars, load) = load(&args.data)?;
    let options =
        ComputeOptions { threads: args.threads.threads.unwrap_or(0), ..ComputeOptions::default() };
    let started = Instant::now();
    let features = features::compute(&set, bars.view(), &options)?;
    let compute = elapsed_ns(started);

    let started = Instant::now();
    let rows = bars.len();
    let mut table = Table::new().with("timestamp", Column::Timestamp(bars.timestamp));
    let columns = features.columns.len();
    for (name, column) in features.names.iter().zip(features.columns) {
        table = table.with(name, Column::F64(column));
    }
    table.write(&args.out)?;
    let save = elapsed_ns(started);

    let rows_per_s = rows as f64 / compute as f64 * 1e9;
    let json = args.json.json.as_deref();
    if global.prints(json) {
        println!(
            "{columns} columns of {rows} rows in {:.2} ms: {:.1} M rows/s; written to {} in {:.2} ms",
            compute as f64 / 1e6,
            rows_per_s / 1e6,
            args.out.display(),
            save as f64 / 1e6,
        );
    }
    let elapsed_ns = Elapsed { load, compute, save };
    document::write(json, "features", &Document { rows, columns, elapsed_ns, rows_per_s })?;
    Ok(ExitCode::SUCCESS)
}

/// The built-in set called `name`, or the one that the file of that name declares.
fn feature_set(name: &str) -> Result<FeatureSet> {
    let path = Path::new(name);
    if !path.exists() {
        return Ok(FeatureSet::built_in(name)?);
    }
    let text = std::fs::read_to_string(path).with_context(|| name.to_owned())?;
    FeatureSet::parse(&text).with_context(|| name.to_owned())
}
