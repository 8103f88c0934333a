//! `redline compare`: two runs, metric by metric.

use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::Result;
use clap::Args;
use perf_gate::Results;

use crate::cli::{Global, Json};
use crate::document;

const EXAMPLES: &str = "\
Examples:
  redline suite --json base.json                 # before the change
  redline suite --json head.json                 # after it
  redline compare base.json head.json
  redline compare old/target/criterion target/criterion
  redline compare old/target/gungraun target/gungraun

Exit codes: 0 nothing regressed, 1 something did, 2 bad input.";

#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct CompareArgs {
    /// What to compare with: a run record, or a folder of records, of criterion's, gungraun's or DHAT's
    /// files
    base: PathBuf,
    /// What to judge, of the same kind
    head: PathBuf,
    /// Write the comparison as markdown
    #[arg(long, value_name = "PATH")]
    markdown: Option<PathBuf>,
    #[command(flatten)]
    json: Json,
}

pub(crate) fn run(args: &CompareArgs, global: &Global) -> Result<ExitCode> {
    let base = Results::read(&args.base)?;
    let head = Results::read(&args.head)?;
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
