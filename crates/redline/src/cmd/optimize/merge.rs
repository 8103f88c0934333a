//! `redline optimize merge`: the shards of a search put together.

use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::{Result, anyhow};
use backtest::statistics::Stat;
use clap::Args;
use optimizer::study::{Merged, merge};
use optimizer::{Found, Rule};

use super::trials;
use super::validation::{self, Bars, judge};
use crate::cli::Global;

#[derive(Debug, Args)]
pub(super) struct MergeArgs {
    /// The --study of every shard, in any order
    #[arg(value_name = "SHARD", required = true)]
    shards: Vec<PathBuf>,
    /// Write every trial as Parquet, as the unsharded run does
    #[arg(long, value_name = "FILE")]
    out: PathBuf,
}

pub(super) fn run(args: &MergeArgs, global: &Global) -> Result<ExitCode> {
    let Merged { header, rows } = merge(&args.shards)?;
    let objective = Stat::find(&header.objective)?;
    let rule: Rule = header.aggregate.parse().map_err(|why| anyhow!("aggregate {why}"))?;
    let found = Found::of_rows(rows, rule, objective);
    let names: Vec<&str> = header.data.iter().map(|source| source.name.as_str()).collect();
    trials::table(&header.parameters, &names, &found).write(&args.out)?;
    if !global.quiet {
        let (trials, shards) = (found.scores.len(), args.shards.len());
        println!("{trials} trials of {shards} shards written to {}", args.out.display());
        if let Some(at) = found.best {
            let values = header.parameters.iter().zip(&found.trials[0][at].values);
            let pairs: Vec<String> = values.map(|(name, v)| format!("{name} = {v}")).collect();
            let (name, score) = (objective.name(), found.scores[at]);
            println!("best by {name}, {score:.6}: {}", pairs.join(", "));
        }
        let judged = judge(&found, (rule, objective), header.seed, Bars::default());
        if let Some(verdict) = judged {
            validation::print(&verdict);
            println!("(A deflated Sharpe ratio and a test against holding need the data.)");
        }
    }
    Ok(ExitCode::SUCCESS)
}
