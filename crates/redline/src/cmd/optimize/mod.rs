//! `redline optimize`: a search of a strategy's parameters.
//!
//! | file | part |
//! |---|---|
//! | `inputs.rs` | data and periods: what each point is tried on |
//! | `plan.rs` | sampler, space and study from the options |
//! | `trials.rs` | the table of trials |
//! | `outcome.rs` | the document and what is printed |
//! | `validation.rs` | is the best luck; walk-forward |
//! | `pictures.rs` | heatmap and report |
//! | `merge.rs` | `redline optimize merge` |

mod inputs;
mod merge;
mod outcome;
mod pictures;
mod plan;
mod trials;
mod validation;

use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Instant;

use anyhow::{Result, bail};
use backtest::statistics::Stat;
use backtest::strategy::{NextBar, Strategy};
use clap::{Args, Subcommand};
use monitor::PerformanceMonitor;
use optimizer::sampler::{SamplerKind, Shard};
use optimizer::{Cached, ParamSpace, Search, check_objective};

use crate::cli::{Global, Json, Threads};
use crate::data::{check_outputs, elapsed_ns};
use crate::options::OrderOptions;
use crate::{document, progress, strategies, values};
use inputs::Inputs;
use outcome::Report;
use plan::Plan;

const EXAMPLES: &str = "\
Values of a parameter:
  k=5:75:5         a grid: 5, 10, ... 75
  k=7,14,21        these values, as categories
  k=5:75           any number between, whole where the parameter is (not for grids of numbers)
  k=log:0.001:10   the same, drawn evenly over the logarithm

Examples:
  redline optimize --data year.parquet --strategy ma-cross \\
      --param fast=5:75:5 --param slow=5:75:5 --where 'fast < slow' --out trials.parquet
  redline optimize --data year.parquet --strategy rsi-reversion \\
      --param period=2:60 --param lower=10:45 --param upper=55:90 \\
      --sampler tpe --trials 300 --seed 7 --study rsi.jsonl --out trials.parquet
  redline optimize --data btc.parquet --data eth.parquet --periods 4 --aggregate worst \\
      --strategy ma-cross --param fast=5:75:5 --param slow=80:200:10
  redline optimize --data year.parquet --strategy mine.toml --param window=10:100:10
  redline optimize ... --walk-forward 90d:30d --heatmap scores.svg --report search.html
  redline optimize ... --shard 2/8 --study shard-2.jsonl
  redline optimize merge shard-*.jsonl --out trials.parquet

A study survives being killed: run the same command again, and it goes on where it was.
Combinations that the strategy itself refuses (fast >= slow) are left out.";

#[derive(Debug, Args)]
#[command(
    after_help = EXAMPLES,
    args_conflicts_with_subcommands = true,
    subcommand_negates_reqs = true
)]
pub(crate) struct OptimizeArgs {
    #[command(subcommand)]
    part: Option<Part>,
    #[command(flatten)]
    inputs: inputs::InputArgs,
    #[arg(long, help = strategies::HELP, value_name = "NAME|FILE.toml", required = true)]
    strategy: Option<String>,
    /// Values of a parameter, NAME=START:STOP:STEP, NAME=v1,v2,..., NAME=START:STOP or
    /// NAME=log:START:STOP (see below); may be repeated
    #[arg(long, value_name = "NAME=VALUES", value_parser = values::assignment, required = true)]
    param: Vec<(String, String)>,
    /// What combinations must pass, such as 'fast < slow and slow <= 200'
    #[arg(long = "where", value_name = "CONDITION")]
    condition: Option<String>,
    /// The statistic that says which trial is best
    #[arg(long, value_name = "STATISTIC", default_value = "sharpe_ratio")]
    objective: String,
    #[command(flatten)]
    search: SearchArgs,
    #[command(flatten)]
    validation: validation::ValidationArgs,
    #[command(flatten)]
    pictures: pictures::PictureArgs,
    #[command(flatten)]
    orders: OrderOptions,
    #[command(flatten)]
    threads: Threads,
    /// Write every trial as Parquet: a column per parameter, then a column per statistic
    #[arg(long, value_name = "FILE")]
    out: Option<PathBuf>,
    #[command(flatten)]
    pub(crate) pprof: crate::profile::PprofArgs,
    #[command(flatten)]
    json: Json,
}

#[derive(Debug, Subcommand)]
enum Part {
    /// Put the studies of all shards together: the bytes of the unsharded run
    Merge(merge::MergeArgs),
}

/// Which points are tried, and what is kept of them.
#[derive(Debug, Args)]
#[command(next_help_heading = "Search")]
struct SearchArgs {
    /// grid, random, sobol (even), tpe, cma-es (both learn from scores), halving or hyperband
    /// (many points on the last bars, the best of them on ever more)
    #[arg(long, value_name = "NAME", default_value = "grid")]
    sampler: SamplerKind,
    /// Points to try; a grid tries all of its own [default: 100]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u64).range(1..))]
    trials: Option<u64>,
    /// Seed of the sampler: the same seed gives the same points
    #[arg(long, value_name = "S", default_value_t = 1)]
    seed: u64,
    /// Keep every trial in this journal (JSON lines), and go on from what it holds
    #[arg(long, value_name = "FILE")]
    study: Option<PathBuf>,
    /// Try slice I of N only; its --study is what `merge` takes. For grid, random and sobol: the
    /// others learn from all scores, which a slice does not have
    #[arg(long, value_name = "I/N", requires = "study")]
    shard: Option<Shard>,
    /// Try a grid of more than 10 million points
    #[arg(long)]
    yes: bool,
}

pub(crate) fn run(args: &OptimizeArgs, global: &Global) -> Result<ExitCode> {
    if let Some(Part::Merge(merge)) = &args.part {
        return merge::run(merge, global);
    }
    let pictures::PictureArgs { heatmap, report, .. } = &args.pictures;
    let outputs = [&args.out, &args.search.study, &args.json.json, heatmap, report];
    check_outputs(&args.inputs.data, &outputs.map(Option::as_deref))?;
    let objective = Stat::find(&args.objective)?;
    check_objective(objective)?;
    let strategy_name = args.strategy.as_deref().unwrap_or_default();
    let strategy = &*strategies::choose(strategy_name)?;
    let later = NextBar(strategy);
    let strategy: &dyn Strategy = if args.orders.waits_a_bar() { &later } else { strategy };
    let axes = plan::axes(&args.param)?;
    let space = ParamSpace::of_strategy(strategy, &axes, args.condition.as_deref())?;
    validation::check(args)?;
    args.pictures.check(space.names())?;
    let Plan { mut sampler, trials, of_shard, left_out } = Plan::new(&args.search, &space)?;
    let inputs = Inputs::load(&args.inputs)?;
    let threads = args.threads.threads.unwrap_or(0);
    let evaluators = inputs.evaluators(strategy, |bars| args.orders.config(bars), threads);
    // Points that come a few at a time, and windows, ask for the same features again and again.
    let cached: Vec<Cached<'_>> = evaluators.iter().map(|one| one.cached()).collect();
    let members = if args.search.sampler.is_adaptive() {
        inputs.members(&cached)?
    } else {
        inputs.members(&evaluators)?
    };
    let header = plan::Study { strategy_name, space: &space, objective, trials };
    let mut journal = header.open(args, &inputs, &members)?;

    let bar = progress::search(global);
    let rule = args.inputs.aggregate;
    let search = Search { members: &members, rule, objective, trials: of_shard };
    let (found, cost) = PerformanceMonitor::new().monitor("optimize", || {
        search.run(&mut *sampler, journal.as_mut(), &|tick| {
            bar.set_length(tick.of);
            bar.set_position(tick.done);
            if let Some(best) = tick.best {
                bar.set_message(format!("best {best:.4}"));
            }
        })
    });
    let found = found?;
    bar.finish_and_clear();

    let started = Instant::now();
    let names: Vec<&str> = members.iter().map(|member| member.name.as_str()).collect();
    if let Some(path) = &args.out {
        trials::table(space.names(), &names, &found).write(path)?;
    }
    let save_ns = elapsed_ns(started);
    let verdict =
        validation::verdict(&evaluators, &members, &found, (rule, objective), args.search.seed);
    let walked = validation::walk(args, (&evaluators, &cached), &members, &found, global)?;
    args.pictures.write(&pictures::Shown {
        parameters: space.names(),
        found: &found,
        rule,
        objective,
        strategy: strategy_name,
        bars: members.iter().map(|member| member.range.len()).sum(),
        verdict: verdict.as_ref(),
    })?;
    let report = Report {
        parameters: space.names(),
        members: &members,
        objective,
        rule,
        found: &found,
        left_out,
        cost: &cost,
        load_ns: inputs.load_ns,
        save_ns,
        verdict: verdict.as_ref(),
        walked: walked
            .map(|walked| validation::Walk::new(&walked, objective, evaluators[0].freq_ns)),
    };
    let body = report.document();
    let json = args.json.json.as_deref();
    if global.prints(json) {
        report.print(&body, args.out.as_deref());
    }
    document::write(json, "optimize", &body)?;
    // Another shard may have the best.
    if found.best.is_none() && args.search.shard.is_none() {
        bail!("{} is undefined for every trial: there is no best", objective.name());
    }
    Ok(ExitCode::SUCCESS)
}
