//! The steps of the main job: load, features, backtest, optimise.

use std::time::Instant;

use anyhow::{Context, Result, ensure};
use backtest::statistics::{Run, Stat, StatSet, Statistics};
use backtest::strategy::{self, EntryExit, Strategy};
use backtest::{Config, Signals, engine};
use features::{ComputeOptions, FeatureSet};
use indicatif::ProgressBar;
use market_data::{Bars, BarsView, DataCache, LoadOptions, SaveOptions, SynthOptions};
use optimizer::{Axis, Evaluator, Sweep, Trial};

use super::{Figures, Plan, work};
use crate::values;

const MINUTE_NS: i64 = 60_000_000_000;
const DAY_NS: i64 = 1_440 * MINUTE_NS;
const MINUTE_YEAR: usize = 525_600;
const DAILY_FIVE_YEARS: usize = 1_260;
/// Timestamp, open, high, low, close, volume.
const COLUMNS: usize = 6;
/// 100 MB of columns of eight bytes.
const LOAD_ROWS: usize = 100_000_000 / (8 * COLUMNS);
/// Windows of the 105 pairs: 5 to 75 in steps of 5.
const WINDOWS: usize = 15;
/// Hits of a sample: one alone is as short as the clock's own step.
const HITS: u64 = 1_000;

/// Fees and slippage of a retail crypto venue.
fn config() -> Config<'static> {
    Config { init_cash: 10_000.0, fees: 0.001.into(), slippage: 0.0005.into(), ..Config::default() }
}

/// Runs every step and notes its figures.
pub(super) fn main_job(
    plan: &Plan,
    bar: &ProgressBar,
    cache: &DataCache,
    figures: &mut Figures,
) -> Result<()> {
    let next = |message: &'static str| {
        bar.inc(1);
        bar.set_message(message);
    };
    bar.set_message("load 100 MB");
    let Loads { load, hit, file_bytes } = load_100_mb(plan, cache)?;
    figures.kernel(&load, |seconds| work::load(LOAD_ROWS, COLUMNS, file_bytes, seconds));
    figures.samples("data_loading_100mb", load);
    figures.samples("cache_hit", hit);
    next("year of minutes");
    let (bars, freq_ns) = minute_year(plan)?;
    let bars = bars.view();
    next("features");
    let set = FeatureSet::classic();
    let seconds = feature_seconds(plan, &set, bars)?;
    figures.kernel(&seconds, |seconds| work::classic(&set, bars.len(), seconds));
    let rows_per_s = seconds.iter().map(|s| bars.len() as f64 / s / 1e6).collect();
    figures.samples("feature_rows_per_s", rows_per_s);
    next("backtests");
    let [total_return, all] = [StatSet::of(&[Stat::TotalReturn]), StatSet::all()];
    let year = |set| backtest(plan, bars, freq_ns, set);
    let (seconds, orders) = year(total_return)?;
    figures.kernel(&seconds, |seconds| work::backtest(bars.len(), orders, seconds));
    figures.samples("minute_year_backtest", seconds);
    figures.samples("minute_year_backtest_all_statistics", year(all)?.0);
    let days = market_data::synth(&SynthOptions {
        bars: DAILY_FIVE_YEARS,
        freq_ns: DAY_NS,
        ..SynthOptions::default()
    });
    let (seconds, _) = backtest(plan, days.view(), DAY_NS, total_return)?;
    figures.samples("daily_five_years_backtest", seconds);
    next("105 combinations");
    let (pairs, trials) = sweep(plan, bars, freq_ns, ["5:75:5", "5:75:5"], 105)?;
    figures.kernel(&pairs, |seconds| work::sweep(bars.len(), WINDOWS, &trials, seconds));
    figures.samples("optimization_105_pairs", pairs);
    next("1000 combinations");
    let (thousand, _) = sweep(plan, bars, freq_ns, ["5:44:1", "50:74:1"], 1_000)?;
    figures.samples("optimization_1000", thousand);
    bar.inc(1);
    Ok(())
}

/// Times of `repeats` runs in seconds, after one that is not counted.
fn timed<T>(repeats: usize, mut work: impl FnMut() -> Result<T>) -> Result<Vec<f64>> {
    work()?;
    let mut seconds = Vec::with_capacity(repeats);
    for _ in 0..repeats {
        let started = Instant::now();
        let answer = std::hint::black_box(work()?);
        seconds.push(started.elapsed().as_secs_f64());
        drop(answer);
    }
    Ok(seconds)
}

/// What loading took.
struct Loads {
    /// Seconds of a load.
    load: Vec<f64>,
    /// Milliseconds of one that the cache answers.
    hit: Vec<f64>,
    file_bytes: u64,
}

fn load_100_mb(plan: &Plan, cache: &DataCache) -> Result<Loads> {
    let bars = market_data::synth(&SynthOptions { bars: LOAD_ROWS, ..SynthOptions::default() });
    let folder = tempfile::tempdir().context("no folder for temporary files")?;
    let path = folder.path().join("load.parquet");
    market_data::save(&path, bars.view(), &SaveOptions::default())?;
    let options = LoadOptions::default();
    let load = || market_data::load(&path, &options);
    let file_bytes = std::fs::metadata(&path)?.len();
    ensure!(load()? == bars, "the file that was saved reads back as other bars");
    drop(bars);
    let load = timed(plan.repeats(), || Ok(load()?))?;
    let hits = timed(plan.repeats(), || {
        for _ in 0..HITS {
            std::hint::black_box(cache.load(&path, &options)?);
        }
        Ok(())
    })?;
    let asked = HITS * (plan.repeats() as u64 + 1);
    ensure!(cache.stats().hits + 1 == asked, "the cache has missed: {:?}", cache.stats());
    let hit = hits.iter().map(|seconds| seconds / HITS as f64 * 1e3).collect();
    Ok(Loads { load, hit, file_bytes })
}

/// The bars that everything but the load runs on, and their frequency.
pub(super) fn minute_year(plan: &Plan) -> Result<(Bars, i64)> {
    match &plan.data {
        None => {
            let options = SynthOptions { bars: MINUTE_YEAR, ..SynthOptions::default() };
            Ok((market_data::synth(&options), MINUTE_NS))
        }
        Some(path) => {
            let bars = market_data::load(path, &LoadOptions::default())?;
            let freq_ns = values::infer_frequency(&bars.timestamp)?;
            Ok((bars, freq_ns))
        }
    }
}

/// Seconds of `set` on all cores.
fn feature_seconds(plan: &Plan, set: &FeatureSet, bars: BarsView<'_>) -> Result<Vec<f64>> {
    let options = ComputeOptions::default();
    let mut table = features::compute(set, bars, &options)?;
    timed(plan.repeats(), || Ok(features::compute_into(set, bars, &options, &mut table)?))
}

/// Seconds from prices to statistics of the 20/50 crossover, its features included, and its orders.
fn backtest(
    plan: &Plan,
    bars: BarsView<'_>,
    freq_ns: i64,
    set: StatSet,
) -> Result<(Vec<f64>, usize)> {
    let strategy = strategy::find("ma-cross")?;
    let values = strategy::resolve_values(strategy, &[])?;
    let mut buffers = Buffers::default();
    let statistics = buffers.backtest(strategy, &values, bars, freq_ns, StatSet::all())?;
    ensure!(statistics.get(Stat::TotalTrades) > Some(0.0), "the crossover made no trade");
    let seconds =
        timed(plan.repeats(), || buffers.backtest(strategy, &values, bars, freq_ns, set))?;
    Ok((seconds, buffers.fills.len()))
}

/// What a backtest writes to, kept from run to run.
#[derive(Default)]
struct Buffers {
    masks: EntryExit,
    fills: Vec<engine::Fill>,
}

impl Buffers {
    fn backtest(
        &mut self,
        strategy: &dyn Strategy,
        values: &[f64],
        bars: BarsView<'_>,
        freq_ns: i64,
        set: StatSet,
    ) -> Result<Statistics> {
        let config = config();
        strategy::signals_of(strategy, values, bars, &mut self.masks)?;
        let signals = Signals::of(std::mem::take(&mut self.masks), config.direction);
        engine::simulate(&bars, &signals, &config, &mut self.fills)?;
        self.masks = signals.into_entry_exit(config.direction);
        let run =
            Run { bars, fills: &self.fills, init_cash: config.init_cash, freq_ns, returns: None };
        Ok(run.statistics(set))
    }
}

/// Equal but for the order in which sums were taken.
fn is_same(a: Option<f64>, b: Option<f64>) -> bool {
    match (a, b) {
        (Some(a), Some(b)) => (a - b).abs() <= 1e-12 * a.abs().max(b.abs()).max(1.0),
        _ => a == b,
    }
}

/// Seconds of the crossover with every pair of windows, all statistics a trial, on all cores; and
/// its trials.
fn sweep(
    plan: &Plan,
    bars: BarsView<'_>,
    freq_ns: i64,
    [fast, slow]: [&str; 2],
    trials: usize,
) -> Result<(Vec<f64>, Vec<Trial>)> {
    let axes = [Axis::parse("fast", fast)?, Axis::parse("slow", slow)?];
    let strategy = strategy::find("ma-cross")?;
    let sweep = Sweep {
        evaluator: Evaluator { bars, freq_ns, strategy, config: config(), threads: 0 },
        axes: &axes,
        condition: Some("fast < slow"),
        objective: Stat::SharpeRatio,
    };
    let outcome = sweep.run(&|_, _| {})?;
    ensure!(outcome.trials.len() == trials, "{} trials, not {trials}", outcome.trials.len());
    let first = &outcome.trials[0];
    let single = Buffers::default().backtest(
        strategy,
        &first.values,
        bars,
        freq_ns,
        StatSet::streaming(),
    )?;
    ensure!(
        StatSet::streaming()
            .iter()
            .all(|stat| { is_same(single.get(stat), first.statistics.get(stat)) }),
        "a trial of the sweep differs from its single backtest"
    );
    let seconds = timed(plan.repeats(), || Ok(sweep.run(&|_, _| {})?))?;
    Ok((seconds, outcome.trials))
}
