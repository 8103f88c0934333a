//! Sweeps over a year of minutes.

use backtest::statistics::Stat;
use backtest::{Config, SizeType, strategy};
use bench_kit::{Criterion, Throughput, criterion_group, criterion_main, sizes};
use market_data::SynthOptions;
use optimizer::{Axis, Evaluate, Evaluator, Sweep};

fn sweeps(c: &mut Criterion) {
    let bars =
        market_data::synth(&SynthOptions { bars: sizes::minute_year(), ..SynthOptions::default() });
    let axes = ["fast", "slow"].map(|name| Axis::parse(name, "5:75:5").expect("an axis"));
    let all_in = Config { fees: 0.001.into(), ..Config::default() };
    let cases = [
        ("all_in/1-thread", all_in, 1),
        ("all_in/all-threads", all_in, 0),
        (
            "half/1-thread",
            Config { size: 0.5.into(), size_type: SizeType::Percent.into(), ..all_in },
            1,
        ),
        ("stops/1-thread", Config { sl_stop: 0.01.into(), ..all_in }, 1),
    ];
    let mut group = c.benchmark_group("optimizer/105_pairs");
    group.throughput(Throughput::Elements(105 * bars.len() as u64));
    for (name, config, threads) in cases {
        let strategy = strategy::find("ma-cross").expect("a built-in strategy");
        let sweep = Sweep {
            evaluator: Evaluator {
                bars: bars.view(),
                freq_ns: 60_000_000_000,
                strategy,
                config,
                threads,
            },
            axes: &axes,
            condition: Some("fast < slow"),
            objective: Stat::SharpeRatio,
        };
        let run = || sweep.run(&|_, _| {}).expect("an outcome");
        assert_eq!(run().trials.len(), 105);
        group.bench_function(name, |b| b.iter(run));
    }
    group.finish();
}

/// A grid of at least `trials` pairs, the windows as close as can be.
fn pairs(trials: usize) -> Vec<Vec<f64>> {
    let side = trials.isqrt() + 1;
    let fast = (2..).take(side).map(|window| window as f64);
    fast.flat_map(|fast| (0..side).map(move |at| vec![fast, (150 + at) as f64]))
        .take(trials)
        .collect()
}

/// The cost of a trial does not grow with their number.
fn trials(c: &mut Criterion) {
    let bars =
        market_data::synth(&SynthOptions { bars: sizes::minute_year(), ..SynthOptions::default() });
    let evaluator = Evaluator {
        bars: bars.view(),
        freq_ns: 60_000_000_000,
        strategy: strategy::find("ma-cross").expect("a built-in strategy"),
        config: Config { fees: 2e-5.into(), ..Config::default() },
        threads: 0,
    };
    let mut group = c.benchmark_group("optimizer/trials");
    for trials in [100, 1_000, 10_000] {
        let points = pairs(trials);
        let run = || evaluator.evaluate(&points, 0..bars.len(), &|_, _| {}).expect("trials");
        group.throughput(Throughput::Elements((trials * bars.len()) as u64)).sample_size(10);
        group.bench_function(trials.to_string(), |b| b.iter(run));
    }
    group.finish();
}

criterion_group! {
    name = benches;
    config = bench_kit::criterion("optimizer");
    targets = sweeps, trials
}
criterion_main!(benches);
