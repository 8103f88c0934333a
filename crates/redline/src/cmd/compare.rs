//! `redline compare`: two run records, metric by metric.

use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::Result;
use clap::Args;
use perf_gate::RunRecord;

use crate::cli::{Global, Json};
use crate::document;

const EXAMPLES: &str = "\
Example:
  redline suite --json base.json   # before the change
  redline suite --json head.json   # after it
  redline compare base.json head.json";

#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct CompareArgs {
    /// The record to compare with
    base: PathBuf,
    /// The record to judge
    head: PathBuf,
    /// Write the comparison as markdown
    #[arg(long, value_name = "PATH")]
    markdown: Option<PathBuf>,
    #[command(flatten)]
    json: Json,
}

pub(crate) fn run(args: &CompareArgs, global: &Global) -> Result<ExitCode> {
    let base = RunRecord::read(&args.base)?;
    let head = RunRecord::read(&args.head)?;
    let comparison = perf_gate::compare(&base, &head);
    let json = args.json.json.as_deref();
    if global.prints(json) {
        print!("{comparison}");
    }
    if let Some(path) = &args.markdown {
        document::write_text(path, &comparison.to_markdown())?;
    }
    document::write(json, "compare", &comparison)?;
    Ok(if comparison.has_regressed() { ExitCode::FAILURE } else { ExitCode::SUCCESS })
}
