//! `redline optimize`: a strategy with every combination of parameters.

use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::Instant;

use anyhow::{Result, bail};
use backtest::statistics::{Stat, StatSet};
use backtest::strategy::{self, Strategy};
use clap::Args;
use market_data::BarsView;
use market_data::table::{Column, Table};
use monitor::{PerformanceMonitor, RunMetrics};
use optimizer::{Axis, Evaluator, Outcome, Sweep, Trial};
use serde::Serialize;
use serde::ser::{SerializeMap, Serializer};

use crate::cli::{Global, Json, Threads};
use crate::data::{Input, elapsed_ns};
use crate::options::OrderOptions;
use crate::{document, progress, stats, values};

const EXAMPLES: &str = "\
Examples:
  redline optimize --data year.parquet --strategy ma-cross \\
      --param fast=5:75:5 --param slow=5:75:5 --where 'fast < slow' --out trials.parquet
  redline optimize --data year.parquet --strategy rsi-reversion \\
      --param period=7,14,21 --param lower=20:40:5 --objective calmar_ratio --json -

Combinations that the strategy itself refuses (fast >= slow) are left out and counted.";

#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct OptimizeArgs {
    #[command(flatten)]
    input: Input,
    /// A built-in strategy: ma-cross (fast, slow), rsi-reversion (period, lower, upper)
    #[arg(long, value_name = "NAME")]
    strategy: String,
    /// Values of a parameter, NAME=START:STOP:STEP or NAME=v1,v2,...; may be repeated
    #[arg(long, value_name = "NAME=VALUES", value_parser = values::assignment, required = true)]
    param: Vec<(String, String)>,
    /// What combinations must pass, such as 'fast < slow and slow <= 200'
    #[arg(long = "where", value_name = "CONDITION")]
    condition: Option<String>,
    /// The statistic that says which trial is best
    #[arg(long, value_name = "STATISTIC", default_value = "sharpe_ratio")]
    objective: String,
    #[command(flatten)]
    orders: OrderOptions,
    #[command(flatten)]
    threads: Threads,
    /// Write every trial as Parquet: a column per parameter, then a column per statistic
    #[arg(long, value_name = "FILE")]
    out: Option<PathBuf>,
    #[command(flatten)]
    json: Json,
}

/// The `redline.optimize/1` document.
#[derive(Serialize)]
struct Document {
    bars: usize,
    trials: usize,
    elapsed_ns: Elapsed,
    bar_evaluations_per_s: f64,
    /// Of the whole run, the load included.
    peak_rss_bytes: Option<u64>,
    /// Of the search, sampled every 10 ms.
    mean_rss_bytes: Option<u64>,
    best: Option<Best>,
    overfitting: Overfitting,
}

#[derive(Serialize)]
struct Elapsed {
    load: u64,
    features: u64,
    search: u64,
    save: u64,
}

#[derive(Serialize)]
struct Best {
    params: Params,
    stats: stats::Document,
}

#[derive(Serialize)]
struct Overfitting {
    /// Deflated Sharpe ratio of the best trial.
    dsr: Option<f64>,
    /// Probability of backtest over-fitting; not computed yet.
    pbo: Option<f64>,
}

/// Parameters by name.
struct Params {
    names: Vec<&'static str>,
    values: Vec<f64>,
}

impl Serialize for Params {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(Some(self.names.len()))?;
        for (name, value) in self.names.iter().zip(&self.values) {
            map.serialize_entry(name, value)?;
        }
        map.end()
    }
}

pub(crate) fn run(args: &OptimizeArgs, global: &Global) -> Result<ExitCode> {
    let strategy = strategy::find(&args.strategy)?;
    let objective = Stat::find(&args.objective)?;
    let axes = args
        .param
        .iter()
        .map(|(name, values)| Ok(Axis::parse(name, values)?))
        .collect::<Result<Vec<_>>>()?;
    let loaded = args.input.load()?;
    let closes = backtest::fill_close(&loaded.bars.close);
    let bars = BarsView { close: &closes, ..loaded.bars.view() };
    let evaluator = Evaluator {
        bars,
        freq_ns: loaded.freq_ns,
        strategy,
        config: args.orders.config(),
        threads: args.threads.threads.unwrap_or(0),
    };
    let sweep = Sweep { evaluator, axes: &axes, condition: args.condition.as_deref(), objective };
    let bar = progress::bar(0, "combinations", global);
    let progress = |done: usize, trials: usize| {
        bar.set_length(trials as u64);
        bar.set_position(done as u64);
    };
    let (outcome, cost) = PerformanceMonitor::new().monitor("optimize", || sweep.run(&progress));
    let outcome = outcome?;
    bar.finish_and_clear();

    let started = Instant::now();
    if let Some(path) = &args.out {
        trials_table(strategy, &outcome.trials).write(path)?;
    }
    let save = elapsed_ns(started);
    let json = args.json.json.as_deref();
    let body = document(&loaded.load_ns, save, bars.len(), strategy, &outcome, &cost);
    if global.prints(json) {
        print_outcome(&body, &outcome, objective, args.out.as_deref());
    }
    document::write(json, "optimize", &body)?;
    if outcome.best.is_none() {
        bail!("{} is undefined for every trial: there is no best", objective.name());
    }
    Ok(ExitCode::SUCCESS)
}

fn document(
    load: &u64,
    save: u64,
    bars: usize,
    strategy: &dyn Strategy,
    outcome: &Outcome,
    cost: &RunMetrics,
) -> Document {
    let trials = outcome.trials.len();
    let names: Vec<&'static str> = strategy.parameters().iter().map(|p| p.name).collect();
    let best = outcome.best.map(|at| &outcome.trials[at]).map(|trial| Best {
        params: Params { names, values: trial.values.clone() },
        stats: stats::Document::new(&trial.statistics, StatSet::streaming()),
    });
    let evaluations = bars as f64 * trials as f64;
    Document {
        bars,
        trials,
        elapsed_ns: Elapsed {
            load: *load,
            features: outcome.features_ns,
            search: outcome.search_ns,
            save,
        },
        bar_evaluations_per_s: evaluations / (outcome.features_ns + outcome.search_ns) as f64 * 1e9,
        peak_rss_bytes: monitor::peak_rss_bytes().max(cost.peak_rss_bytes),
        mean_rss_bytes: cost.mean_rss_bytes,
        best,
        overfitting: Overfitting { dsr: outcome.deflated_sharpe, pbo: None },
    }
}

fn trials_table(strategy: &dyn Strategy, trials: &[Trial]) -> Table {
    let mut table = Table::new();
    for (at, parameter) in strategy.parameters().iter().enumerate() {
        let column = trials.iter().map(|trial| trial.values[at]).collect();
        table = table.with(parameter.name, Column::F64(column));
    }
    for stat in StatSet::streaming().iter() {
        let value = |trial: &Trial| trial.statistics.get(stat).unwrap_or(f64::NAN);
        table = table.with(stat.name(), Column::F64(trials.iter().map(value).collect()));
    }
    table
}

fn print_outcome(body: &Document, outcome: &Outcome, objective: Stat, out: Option<&Path>) {
    let Some(at) = outcome.best else { return };
    let best = &outcome.trials[at];
    if let Some(Best { params, .. }) = &body.best {
        let pairs: Vec<String> =
            params.names.iter().zip(&params.values).map(|(n, v)| format!("{n} = {v}")).collect();
        println!("best of {} by {}: {}\n", body.trials, objective.name(), pairs.join(", "));
    }
    print!("{}", stats::table(&best.statistics, StatSet::streaming()));
    if outcome.refused > 0 {
        println!(
            "\n{} combinations were left out by the condition or the strategy",
            outcome.refused
        );
    }
    if let Some(dsr) = outcome.deflated_sharpe {
        println!("\nDeflated Sharpe ratio {dsr:.3}{}", luck(dsr));
    }
    println!(
        "{} trials x {} bars: features {:.2} ms, search {:.2} ms, {:.0} M bars/s",
        body.trials,
        body.bars,
        body.elapsed_ns.features as f64 / 1e6,
        body.elapsed_ns.search as f64 / 1e6,
        body.bar_evaluations_per_s / 1e6,
    );
    if let Some((mean, peak)) = body.mean_rss_bytes.zip(body.peak_rss_bytes) {
        println!("memory typical {:.1} MB, peak {:.1} MB", mean as f64 / 1e6, peak as f64 / 1e6);
    }
    if let Some(path) = out {
        println!("trials written to {}", path.display());
    }
}

/// The usual bar for calling a result more than luck is 0.95.
fn luck(dsr: f64) -> &'static str {
    if dsr < 0.95 { ": the best of so many trials is likely luck" } else { "" }
}
