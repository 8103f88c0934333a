//! `redline features`: a set of features over bars.

use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::slice;
use std::time::Instant;

use anyhow::{Context, Result};
use clap::Args;
use features::{ComputeOptions, FeatureSet, FeatureTable, registry};
use market_data::BarsView;
use market_data::table::{Column, Table};
use serde::Serialize;

use crate::cli::{Global, Json, Threads};
use crate::data::{check_outputs, elapsed_ns, load};
use crate::{document, plot, progress};

const EXAMPLES: &str = "\
Examples:
  redline features --data year.parquet --out features.parquet
  redline features --data year.parquet --set mine.toml --threads 4 --out features.parquet --json -
  redline features --list
  redline features --data year.parquet --out features.parquet --plot rsi_14 --plot bbands_20
      writes features.rsi_14.svg and features.bbands_20.svg beside features.parquet";

#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct FeaturesArgs {
    /// Bars: Parquet, CSV (plain, .gz, .zst) or Arrow IPC, told by content
    #[arg(long, value_name = "FILE", required_unless_present = "list")]
    data: Option<PathBuf>,
    /// A built-in set or a TOML file of features
    #[arg(long, value_name = "NAME|FILE", default_value = "classic")]
    set: String,
    #[command(flatten)]
    threads: Threads,
    /// Write the features as Parquet: timestamp, then one column per feature
    #[arg(long, value_name = "FILE", required_unless_present = "list")]
    out: Option<PathBuf>,
    /// Draw this feature, or one of its columns, beside the price, into an SVG beside --out; may be
    /// repeated
    #[arg(long, value_name = "NAME")]
    plot: Vec<String>,
    /// List the indicators that a set can name, with their inputs and parameters, and do nothing else
    #[arg(long, conflicts_with_all = ["data", "set", "threads", "out", "plot", "json"])]
    list: bool,
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
    let (Some(data), Some(out)) = (&args.data, &args.out) else {
        list();
        return Ok(ExitCode::SUCCESS);
    };
    let set = feature_set(&args.set)?;
    let plots = plots(&args.plot, &set, out)?;
    let json = args.json.json.as_deref();
    let files = [Some(out.as_path()), json];
    let outputs: Vec<_> = files.into_iter().chain(plots.iter().map(|p| Some(&*p.path))).collect();
    check_outputs(slice::from_ref(data), &outputs)?;
    let (bars, load) = load(data)?;
    let bar = progress::bar(PERMILLE as u64, "features", global);
    let tell = |done: f64| bar.set_position((done * PERMILLE) as u64);
    let options =
        ComputeOptions { threads: args.threads.threads.unwrap_or(0), progress: Some(&tell) };
    let started = Instant::now();
    let features = features::compute(&set, bars.view(), &options);
    let compute = elapsed_ns(started);
    bar.finish_and_clear();
    let features = features?;

    let pictures = plots.iter().map(|plot| plot.svg(&features, bars.view()));
    let pictures = pictures.collect::<Result<Vec<_>>>()?;
    let started = Instant::now();
    let rows = bars.len();
    let mut table = Table::new().with("timestamp", Column::Timestamp(bars.timestamp));
    let columns = features.columns.len();
    for (name, column) in features.names.iter().zip(features.columns) {
        table = table.with(name, Column::F64(column));
    }
    table.write(out)?;
    let save = elapsed_ns(started);
    for (plot, picture) in plots.iter().zip(&pictures) {
        document::write_text(&plot.path, picture)?;
    }

    let rows_per_s = rows as f64 / compute as f64 * 1e9;
    if global.prints(json) {
        println!(
            "{columns} columns of {rows} rows in {:.2} ms: {:.1} M rows/s; written to {} in {:.2} ms",
            compute as f64 / 1e6,
            rows_per_s / 1e6,
            out.display(),
            save as f64 / 1e6,
        );
        for plot in &plots {
            println!("{} drawn into {}", plot.name, plot.path.display());
        }
    }
    let elapsed_ns = Elapsed { load, compute, save };
    document::write(json, "features", &Document { rows, columns, elapsed_ns, rows_per_s })?;
    Ok(ExitCode::SUCCESS)
}

/// Every indicator: how it is called, and what it is.
fn list() {
    for indicator in registry::all() {
        println!("{:56} {}", indicator.signature(), indicator.title);
    }
}

/// Steps of the progress bar.
const PERMILLE: f64 = 1_000.0;

/// A picture that is wanted.
struct Plot<'a> {
    name: &'a str,
    /// Places of its columns in the set's.
    columns: Vec<usize>,
    path: PathBuf,
}

/// The pictures of what `set` calls `names`, beside the file `out`.
fn plots<'a>(names: &'a [String], set: &FeatureSet, out: &Path) -> Result<Vec<Plot<'a>>> {
    let mut plots: Vec<Plot<'a>> = Vec::with_capacity(names.len());
    for name in names {
        if plots.iter().any(|plot| plot.name == name) {
            continue;
        }
        let columns = set.find(name).context("--plot")?;
        // A name may hold what a file's name may not.
        let of_file = |c: char| if c.is_alphanumeric() || "._-".contains(c) { c } else { '_' };
        let ending: String = name.chars().map(of_file).collect();
        plots.push(Plot { name, columns, path: out.with_extension(format!("{ending}.svg")) });
    }
    Ok(plots)
}

impl Plot<'_> {
    fn svg(&self, features: &FeatureTable, bars: BarsView<'_>) -> Result<String> {
        let column = |&at: &usize| (features.names[at].as_str(), features.columns[at].as_slice());
        let columns: Vec<_> = self.columns.iter().map(column).collect();
        plot::svg(self.name, bars, &columns)
    }
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
