//! What a search takes from the heap: a sampler its points, to the block; a sweep what its trials
//! are, however long the series is.

use backtest::statistics::Stat;
use backtest::{Config, strategy};
use bench_kit::heap::{HeapCount, count};
use market_data::{Bars, SynthOptions, synth};
use optimizer::sampler::SamplerKind;
use optimizer::{Axis, Evaluator, ParamSpace, Sweep};

bench_kit::heap!();

const POINTS: usize = 64;

#[test]
fn a_sampler_takes_its_points_and_a_sweep_its_trials() {
    let axes = [("x", "2:400:1"), ("y", "log:0.01:100")];
    let axes = axes.map(|(name, text)| Axis::parse(name, text).unwrap());
    let space = ParamSpace::new(axes.to_vec(), None).unwrap();
    for (kind, expected) in [(SamplerKind::Random, RANDOM), (SamplerKind::Sobol, SOBOL)] {
        let (mut sampler, _) = kind.build(&space, 1_000, 1, optimizer::MAX_POINTS).unwrap();
        sampler.ask(POINTS).unwrap();
        let (points, heap) = count(|| sampler.ask(POINTS).unwrap());
        assert_eq!((points.len(), heap), (POINTS, expected), "{}", kind.name());
    }

    let (short, long) = (sweep(20_000), sweep(40_000));
    let again = sweep(20_000);
    // The pool's queue takes a block now and then.
    assert!(short.blocks.abs_diff(again.blocks) <= 2, "{short}, then {again}");
    let grown = long.blocks.abs_diff(short.blocks);
    assert!(grown < 105, "{short} for 20,000 bars, {long} for 40,000: a block per trial");
}

/// A point is its numbers, and all points are a list.
const RANDOM: HeapCount = HeapCount { blocks: 133, bytes: 5024 };
const SOBOL: HeapCount = HeapCount { blocks: 133, bytes: 5024 };

/// What the second of two sweeps takes.
fn sweep(bars: usize) -> HeapCount {
    let bars: Bars = synth(&SynthOptions { bars, ..SynthOptions::default() });
    let axes = ["fast", "slow"].map(|name| Axis::parse(name, "5:75:5").unwrap());
    let evaluator = Evaluator {
        bars: bars.view(),
        freq_ns: 60_000_000_000,
        strategy: strategy::find("ma-cross").unwrap(),
        config: Config::default(),
        threads: 1,
    };
    let condition = Some("fast < slow");
    let sweep = Sweep { evaluator, axes: &axes, condition, objective: Stat::SharpeRatio };
    sweep.run(&|_, _| {}).unwrap();
    let (outcome, heap) = count(|| sweep.run(&|_, _| {}).unwrap());
    assert_eq!(outcome.trials.len(), 105);
    heap
}
