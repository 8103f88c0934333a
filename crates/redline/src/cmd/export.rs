//! `redline export`: a run record in the form that another program reads.

use std::io::Write;
use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::Result;
use clap::Args;
use perf_gate::export::{Format, export};
use perf_gate::{Better, RunRecord};

use crate::cli::Global;
use crate::document;

const EXAMPLES: &str = "\
Examples:
  redline export suite.json --format bencher > bmf.json     then: bencher run --adapter json --file bmf.json
  redline export suite.json --format openmetrics --out /var/lib/node_exporter/redline.prom
  redline export suite.json --format csv --out suite.csv";

#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct ExportArgs {
    /// The run record
    record: PathBuf,
    /// bencher, github-action-benchmark (its customSmallerIsBetter), openmetrics or csv
    #[arg(long)]
    format: Format,
    /// Write here [default: standard output]
    #[arg(long, value_name = "FILE")]
    out: Option<PathBuf>,
}

pub(crate) fn run(args: &ExportArgs, global: &Global) -> Result<ExitCode> {
    let record = RunRecord::read(&args.record)?;
    let left_out = record.kpis.iter().filter(|kpi| kpi.better == Better::Higher).count();
    if args.format == Format::GithubActionBenchmark && left_out > 0 && !global.quiet {
        eprintln!("{left_out} KPIs are better when higher: this form has no place for them");
    }
    let text = export(&record, args.format);
    match &args.out {
        Some(path) => document::write_text(path, &text)?,
        None => std::io::stdout().write_all(text.as_bytes())?,
    }
    Ok(ExitCode::SUCCESS)
}
