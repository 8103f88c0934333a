//! The verbs and what they share.

use std::path::{Path, PathBuf};

use clap::{Args, Parser, Subcommand};

use crate::{cmd, version};

/// How fast this machine is, how fast your backtest stack runs against it, and what changed.
#[derive(Debug, Parser)]
#[command(
    name = "redline",
    version,
    long_version = version::long(),
    propagate_version = true,
    after_help = EXAMPLES
)]
pub(crate) struct Cli {
    #[command(subcommand)]
    pub(crate) verb: Verb,
    #[command(flatten)]
    pub(crate) global: Global,
}

const EXAMPLES: &str = "\
Examples:
  redline suite                                        every KPI on this machine, a table, a record
  redline data synth --bars 525600 --out year.parquet  a seeded year of minute bars
  redline backtest --data year.parquet --strategy ma-cross --fees 0.001
  redline optimize --data year.parquet --strategy ma-cross \\
      --param fast=5:75:5 --param slow=5:75:5 --where 'fast < slow' --out trials.parquet

Exit codes: 0 fine, 1 the verdict is bad, 2 bad usage or bad input.";

/// What every verb takes.
#[derive(Debug, Clone, Args)]
pub(crate) struct Global {
    /// No progress bars and no tables; errors still go to standard error
    #[arg(long, short, global = true)]
    pub(crate) quiet: bool,
}

impl Global {
    /// Whether tables may go to standard output: not when a document goes there.
    pub(crate) fn prints(&self, json: Option<&Path>) -> bool {
        !self.quiet && json != Some(Path::new("-"))
    }
}

#[derive(Debug, Subcommand)]
pub(crate) enum Verb {
    /// Measure this machine: memory, latency, compute, storage
    Probe(cmd::probe::ProbeArgs),
    /// Make, inspect and convert bars
    Data(cmd::data::DataArgs),
    /// Compute a set of features over bars
    Features(cmd::features::FeaturesArgs),
    /// Run one strategy, or your own signals, over bars
    Backtest(Box<cmd::backtest::BacktestArgs>),
    /// Search a strategy's parameters: grids, samplers, studies, shards
    Optimize(Box<cmd::optimize::OptimizeArgs>),
    /// Watch a process and its machine, with alerts
    Monitor(crate::monitor::MonitorArgs),
    /// Measure every KPI, print the table, write the run record
    Suite(cmd::suite::SuiteArgs),
    /// Compare two run records, or two folders of criterion's, gungraun's or DHAT's files
    Compare(cmd::compare::CompareArgs),
    /// Judge a change: build and measure two revisions side by side
    Gate(Box<cmd::gate::GateArgs>),
    /// Every metric over the stored records: its course, where it changed, with which commit
    History(cmd::history::HistoryArgs),
    /// Write a run record in the form that another program reads
    Export(cmd::export::ExportArgs),
    /// Put a run, its ceilings, its comparison and its flamegraphs on one page
    Report(cmd::report::ReportArgs),
    /// Look into a bench case or a run: flamegraph, heap, instructions, and what changed since
    Profile(crate::profile::ProfileArgs),
    /// Print the completions of a shell: bash, elvish, fish, powershell or zsh
    Completions(cmd::shell::CompletionsArgs),
    /// Write the manual pages
    Man(cmd::shell::ManArgs),
}

/// The `--json` option.
#[derive(Debug, Clone, Args)]
pub(crate) struct Json {
    /// Write the document here ('-' for standard output, and then nothing else goes there)
    #[arg(long, value_name = "PATH")]
    pub(crate) json: Option<PathBuf>,
}

/// The `--threads` option.
#[derive(Debug, Clone, Args)]
pub(crate) struct Threads {
    /// Worker threads [default: all cores]
    #[arg(long, value_name = "N", value_parser = parse_threads)]
    pub(crate) threads: Option<usize>,
}

fn parse_threads(text: &str) -> Result<usize, String> {
    match text.parse() {
        Ok(0) | Err(_) => Err("expected a whole number of at least 1".to_owned()),
        Ok(threads) => Ok(threads),
    }
}
