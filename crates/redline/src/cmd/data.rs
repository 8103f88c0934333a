//! `redline data`: make, inspect and convert bars.

use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::{Result, bail};
use clap::{Args, Subcommand};
use market_data::{Compression, EpochUnit, LoadOptions, SaveOptions, SynthOptions};

use crate::cli::{Global, Json};
use crate::document;
use crate::values::{self, word};

#[derive(Debug, Args)]
pub(crate) struct DataArgs {
    #[command(subcommand)]
    verb: DataVerb,
}

#[derive(Debug, Subcommand)]
enum DataVerb {
    /// Make seeded bars: the same seed gives the same bytes on every machine
    #[command(after_help = "Example:\n  redline data synth --bars 525600 --out year.parquet")]
    Synth(SynthArgs),
    /// Show shape, time range, gaps and defects of a file
    Inspect(InspectArgs),
    /// Convert between Parquet, CSV and Arrow IPC, by the ending of OUT
    #[command(
        after_help = "Example:\n  redline data convert ticks.csv.gz year.parquet --from 2024-01-01"
    )]
    Convert(ConvertArgs),
}

#[derive(Debug, Args)]
struct SynthArgs {
    /// Number of bars
    #[arg(long, value_name = "N")]
    bars: usize,
    /// Length of a bar, such as 1min, 1h or 1d
    #[arg(long, value_name = "LENGTH", default_value = "1min", value_parser = values::frequency)]
    freq: i64,
    /// Seed of the random numbers
    #[arg(long, value_name = "S", default_value_t = 1)]
    seed: u64,
    /// Share of bars that are missing, from 0 to below 1
    #[arg(long, value_name = "P", default_value_t = 0.0)]
    gaps: f64,
    /// File to write, its kind by its ending
    #[arg(long, value_name = "FILE")]
    out: PathBuf,
}

#[derive(Debug, Args)]
struct InspectArgs {
    /// Bars: Parquet, CSV (plain, .gz, .zst) or Arrow IPC, told by content
    file: PathBuf,
    #[command(flatten)]
    json: Json,
}

#[derive(Debug, Args)]
struct ConvertArgs {
    /// Bars to read
    input: PathBuf,
    /// File to write, its kind by its ending
    output: PathBuf,
    /// Compression of Parquet columns: snappy, zstd, lz4 or none
    #[arg(long, value_name = "WORD", default_value = "snappy", value_parser = word::<Compression>)]
    compression: Compression,
    /// First time to keep, such as 2024-01-01 or 2024-01-01T09:30:00Z
    #[arg(long, value_name = "TIME", value_parser = values::instant)]
    from: Option<i64>,
    /// First time not to keep
    #[arg(long, value_name = "TIME", value_parser = values::instant)]
    to: Option<i64>,
    /// Unit of times that are whole numbers: s, ms, us or ns [default: told by the first one's size]
    #[arg(long, value_name = "UNIT", value_parser = word::<EpochUnit>)]
    time_unit: Option<EpochUnit>,
}

pub(crate) fn run(args: &DataArgs, global: &Global) -> Result<ExitCode> {
    match &args.verb {
        DataVerb::Synth(args) => synth(args, global)?,
        DataVerb::Inspect(args) => inspect(args, global)?,
        DataVerb::Convert(args) => convert(args, global)?,
    }
    Ok(ExitCode::SUCCESS)
}

fn synth(args: &SynthArgs, global: &Global) -> Result<()> {
    if args.bars == 0 {
        bail!("--bars 0 makes no data: give at least 1");
    }
    if !(0.0..1.0).contains(&args.gaps) {
        bail!("--gaps {} is not a share from 0 to below 1, such as 0.02", args.gaps);
    }
    let options = SynthOptions {
        bars: args.bars,
        freq_ns: args.freq,
        seed: args.seed,
        gap_share: args.gaps,
        ..SynthOptions::default()
    };
    let bars = market_data::synth_to(&args.out, &options, &SaveOptions::default())?;
    if global.prints(None) {
        println!("{bars} bars written to {}", args.out.display());
    }
    Ok(())
}

fn inspect(args: &InspectArgs, global: &Global) -> Result<()> {
    let inspection = market_data::inspect(&args.file)?;
    let json = args.json.json.as_deref();
    if global.prints(json) {
        print!("{inspection}");
    }
    document::write(json, "data", &inspection)
}

fn convert(args: &ConvertArgs, global: &Global) -> Result<()> {
    let ConvertArgs { from, to, time_unit: epoch_unit, .. } = *args;
    let options = LoadOptions { from, to, epoch_unit, ..LoadOptions::default() };
    let bars = market_data::load(&args.input, &options)?;
    let save = SaveOptions { compression: args.compression };
    market_data::save(&args.output, bars.view(), &save)?;
    if global.prints(None) {
        println!("{} bars written to {}", bars.len(), args.output.display());
    }
    Ok(())
}
