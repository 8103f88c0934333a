//! The KPI table end to end: load, features, backtest, sweep, as users call them.

use backtest::statistics::{Run, Stat, StatSet, Statistics};
use backtest::strategy::{self, EntryExit};
use backtest::{Config, Signals, engine};
use bench_kit::{Criterion, Throughput, black_box, criterion_group, criterion_main, sizes};
use features::{ComputeOptions, FeatureSet};
use market_data::{Bars, LoadOptions, SaveOptions, SynthOptions};
use optimizer::{Axis, Evaluator, Sweep};

const MINUTE_NS: i64 = 60_000_000_000;

fn synth(bars: usize) -> Bars {
    market_data::synth(&SynthOptions { bars, ..SynthOptions::default() })
}

fn config() -> Config<'static> {
    Config { init_cash: 10_000.0, fees: 0.001.into(), slippage: 0.0005.into(), ..Config::default() }
}

fn load(c: &mut Criterion) {
    let bars = synth(sizes::load_rows());
    let folder = tempfile::tempdir().expect("a folder for temporary files");
    let path = folder.path().join("load.parquet");
    market_data::save(&path, bars.view(), &SaveOptions::default()).expect("a file to load");
    let load = || market_data::load(&path, &LoadOptions::default()).expect("bars");
    assert_eq!(load(), bars);
    let mut group = c.benchmark_group("kpi/data_loading_100mb");
    group.throughput(Throughput::Bytes(bars.bytes() as u64));
    group.bench_function("snappy", |b| b.iter(load));
    group.finish();
}

fn classic(c: &mut Criterion) {
    let bars = synth(sizes::minute_year());
    let set = FeatureSet::classic();
    let options = ComputeOptions::default();
    let mut table = features::compute(&set, bars.view(), &options).expect("features");
    let mut group = c.benchmark_group("kpi/feature_rows");
    group.throughput(Throughput::Elements(bars.len() as u64));
    group.bench_function("classic", |b| {
        b.iter(|| {
            features::compute_into(&set, bars.view(), &options, &mut table).expect("features")
        })
    });
    group.finish();
}

fn backtest(bars: &Bars, set: StatSet) -> Statistics {
    let strategy = strategy::find("ma-cross").expect("a built-in strategy");
    let values = strategy::resolve_values(strategy, &[]).expect("defaults");
    let mut masks = EntryExit::default();
    strategy::signals_of(strategy, &values, bars.view(), &mut masks).expect("signals");
    let config = config();
    let signals = Signals::of(masks, config.direction);
    let mut fills = Vec::new();
    engine::simulate(&bars.view(), &signals, &config, &mut fills).expect("fills");
    let run = Run {
        bars: bars.view(),
        fills: &fills,
        init_cash: config.init_cash,
        freq_ns: MINUTE_NS,
        returns: None,
    };
    run.statistics(set)
}

fn backtests(c: &mut Criterion) {
    let mut group = c.benchmark_group("kpi/backtest");
    for (name, bars) in
        [("minute_year", sizes::minute_year()), ("daily_five_years", sizes::daily_five_years())]
    {
        let bars = synth(bars);
        assert!(backtest(&bars, StatSet::all()).get(Stat::TotalTrades) > Some(0.0));
        group.throughput(Throughput::Elements(bars.len() as u64));
        let total_return = StatSet::of(&[Stat::TotalReturn]);
        group.bench_function(format!("{name}/total_return"), |b| {
            b.iter(|| backtest(black_box(&bars), total_return))
        });
        group.bench_function(format!("{name}/all_statistics"), |b| {
            b.iter(|| backtest(black_box(&bars), StatSet::all()))
        });
    }
    group.finish();
}

fn optimization(c: &mut Criterion) {
    let bars = synth(sizes::minute_year());
    let axes = ["fast", "slow"].map(|name| Axis::parse(name, "5:75:5").expect("an axis"));
    let sweep = Sweep {
        evaluator: Evaluator {
            bars: bars.view(),
            freq_ns: MINUTE_NS,
            strategy: strategy::find("ma-cross").expect("a built-in strategy"),
            config: config(),
            threads: 0,
        },
        axes: &axes,
        condition: Some("fast < slow"),
        objective: Stat::SharpeRatio,
    };
    let run = || sweep.run(&|_, _| {}).expect("an outcome");
    let trials = run().trials.len();
    assert_eq!(trials, 105);
    let mut group = c.benchmark_group("kpi/optimization");
    group.throughput(Throughput::Elements((bars.len() * trials) as u64));
    group.bench_function("105_pairs", |b| b.iter(run));
    group.finish();
}

criterion_group! {
    name = benches;
    config = bench_kit::criterion("kpi");
    targets = load, classic, backtests, optimization
}
criterion_main!(benches);
