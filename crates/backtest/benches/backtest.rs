//! The engine's steps, one by one, on a year of minutes.

use backtest::engine::{Asset, CallSequence};
use backtest::statistics::{Run, Stat, StatSet, price_returns};
use backtest::strategy::{self, EntryExit, Last, Operand, Strategy, crossings};
use backtest::{Accumulate, Config, Direction, Signals, SizeType, engine};
use bench_kit::{Criterion, Throughput, black_box, criterion_group, criterion_main, sizes};
use market_data::{Bars, SynthOptions};

const MINUTE_NS: i64 = 60_000_000_000;

/// A year of bars, and its 20 and 50 bar averages.
struct Year {
    bars: Bars,
    averages: [Vec<f64>; 2],
    signals: Signals,
}

impl Year {
    fn new() -> Self {
        Self::seeded(SynthOptions::default().seed)
    }

    fn seeded(seed: u64) -> Self {
        let bars = market_data::synth(&SynthOptions {
            bars: sizes::minute_year(),
            seed,
            ..SynthOptions::default()
        });
        let averages = [20, 50].map(|window| {
            let mut column = vec![0.0; bars.len()];
            features::rolling::mean(&bars.close, window, &mut column).expect("a window that fits");
            column
        });
        let mut masks = EntryExit::default();
        crossings(&averages[0], Operand::Column(&averages[1]), &mut Last::default(), &mut masks);
        let signals = Signals::new(masks.entry, masks.exit, Direction::LongOnly);
        Self { bars, averages, signals }
    }
}

fn signals(c: &mut Criterion) {
    let year = Year::new();
    let mut masks = EntryExit::default();
    let mut group = c.benchmark_group("backtest/signals");
    group.throughput(Throughput::Elements(year.bars.len() as u64));
    let [fast, slow] = year.averages.each_ref().map(Vec::as_slice);
    crossings(fast, Operand::Column(slow), &mut Last::default(), &mut masks);
    assert_eq!(masks.entry.count(), year.signals.long_entry.count());
    group.bench_function("crossing", |b| {
        b.iter(|| crossings(fast, Operand::Column(slow), &mut Last::default(), &mut masks));
    });
    let close = year.bars.close.as_slice();
    let mixed = "entry = \"cross_above(sma(close, 20), sma(close, 50)) and close * 1.001 > open\"";
    let mixed = strategy::parse(mixed, "mixed", "mixed").expect("a strategy");
    let cases: [(&str, &dyn Strategy, &[&[f64]]); 3] = [
        ("ma_cross", find("ma-cross"), &[fast, slow]),
        ("donchian_breakout", find("donchian-breakout"), &[close, fast, slow]),
        ("mixed", &mixed, &[fast, slow, close, &year.bars.open]),
    ];
    for (name, strategy, columns) in cases {
        let values: Vec<f64> = strategy.parameters().iter().map(|p| p.default).collect();
        assert_eq!(strategy.features(&values).len(), columns.len(), "{name}");
        let mut run = || {
            let mut memory = [Last::default(); 2];
            strategy.signals(columns, &values, &mut memory, &mut masks);
            masks.entry.count()
        };
        assert!(run() > 0, "{name} enters nowhere");
        group.bench_function(name, |b| b.iter(&mut run));
    }
    let mut run = || {
        strategy::signals_of(find("ma-cross"), &[20.0, 50.0], year.bars.view(), &mut masks)
            .expect("signals");
        masks.entry.count()
    };
    assert_eq!(run(), year.signals.long_entry.count());
    group.bench_function("ma_cross_with_features", |b| b.iter(&mut run));
    group.finish();
}

fn find(name: &str) -> &'static dyn Strategy {
    strategy::find(name).expect("a built-in strategy")
}

fn simulate(c: &mut Criterion) {
    let year = Year::new();
    let all_in = costs();
    let cases = [
        ("all_in", all_in),
        ("half", Config { size: 0.5.into(), size_type: SizeType::Percent.into(), ..all_in }),
        ("accumulate", Config { size: 0.1.into(), accumulate: Accumulate::Both.into(), ..all_in }),
        ("stops", Config { sl_stop: 0.01.into(), tp_stop: 0.02.into(), ..all_in }),
        ("trailing", Config { sl_stop: 0.01.into(), sl_trail: true.into(), ..all_in }),
        ("limits", Config { limit_entry: 0.001.into(), limit_bars: 30.0, ..all_in }),
        (
            "lending",
            Config { leverage: 2.0, margin_rate: 0.05, maintenance_margin: 0.25, ..all_in },
        ),
    ];
    let mut group = c.benchmark_group("backtest/simulate");
    group.throughput(Throughput::Elements(year.bars.len() as u64));
    for (name, config) in cases {
        let mut fills = Vec::new();
        let mut run = || {
            engine::simulate(&year.bars.view(), &year.signals, &config, &mut fills).expect("fills");
            fills.len()
        };
        assert!(run() > 0, "{name} fills nothing");
        group.bench_function(name, |b| b.iter(&mut run));
    }
    group.finish();
}

/// Four assets, each with a seed of its own, that share their cash.
fn together(c: &mut Criterion) {
    let years: Vec<Year> = (1..=4).map(Year::seeded).collect();
    let config = Config { size: 0.25.into(), size_type: SizeType::Percent.into(), ..costs() };
    let assets: Vec<Asset<'_>> = years
        .iter()
        .map(|year| Asset { bars: year.bars.view(), signals: &year.signals, config })
        .collect();
    let mut group = c.benchmark_group("backtest/group");
    group.throughput(Throughput::Elements((years[0].bars.len() * assets.len()) as u64));
    for (name, sequence) in [("default", CallSequence::Default), ("auto", CallSequence::Auto)] {
        let mut fills = Vec::new();
        let mut run = || {
            engine::simulate_group(&assets, 10_000.0, sequence, &mut fills).expect("fills");
            fills.iter().map(|fill| fill.asset).max()
        };
        assert_eq!(run(), Some(assets.len() - 1), "the last asset fills nothing");
        group.bench_function(name, |b| b.iter(&mut run));
    }
    group.finish();
}

fn costs() -> Config<'static> {
    Config { fees: 0.001.into(), slippage: 0.0005.into(), ..Config::default() }
}

fn statistics(c: &mut Criterion) {
    let year = Year::new();
    let mut fills = Vec::new();
    let config = Config::default();
    engine::simulate(&year.bars.view(), &year.signals, &config, &mut fills).expect("fills");
    let mut returns = vec![0.0; year.bars.len()];
    price_returns(&year.bars.close, &mut returns);
    let run = |returns| Run {
        bars: year.bars.view(),
        fills: &fills,
        init_cash: 100.0,
        freq_ns: MINUTE_NS,
        returns,
    };
    let streaming = StatSet::streaming();
    let [alone, shared] = [None, Some(returns.as_slice())];
    let sharpe = |returns| run(returns).statistics(streaming).get(Stat::SharpeRatio);
    assert_eq!(sharpe(alone), sharpe(shared));
    let mut group = c.benchmark_group("backtest/statistics");
    group.throughput(Throughput::Elements(year.bars.len() as u64));
    for (name, returns, set) in [
        ("total_return", alone, StatSet::of(&[Stat::TotalReturn])),
        ("streaming", alone, streaming),
        ("streaming_known_returns", shared, streaming),
        ("all", alone, StatSet::all()),
    ] {
        group.bench_function(name, |b| b.iter(|| black_box(run(returns)).statistics(set)));
    }
    group.finish();
}

criterion_group! {
    name = benches;
    config = bench_kit::criterion("backtest");
    targets = signals, simulate, together, statistics
}
criterion_main!(benches);
