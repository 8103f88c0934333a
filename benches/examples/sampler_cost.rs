//! What sampling at 997 Hz costs the sampled: the same work with and without, turn about.
//!
//!     cargo run --release -p redline-benches --example sampler_cost

use std::hint::black_box;
use std::time::{Duration, Instant};

use backtest::statistics::StatSet;
use bench_kit::profile::Sampler;
use features::{ComputeOptions, FeatureSet};
use market_data::{Bars, SynthOptions};

const TURNS: usize = 31;
const TURN: Duration = Duration::from_millis(250);

fn main() {
    let bars = market_data::synth(&SynthOptions { bars: 525_600, ..SynthOptions::default() });
    let returns = || backtest_statistics(&bars);
    let features = |threads| {
        let set = FeatureSet::classic();
        let options = ComputeOptions { threads, progress: None };
        let mut table = features::compute(&set, bars.view(), &options).expect("features");
        let view = bars.view();
        move || features::compute_into(&set, view, &options, &mut table).expect("features")
    };
    tell("statistics, 1 thread", returns);
    tell("classic features, 1 thread", features(1));
    tell("classic features, 2 threads", features(2));
}

fn backtest_statistics(bars: &Bars) {
    let run = backtest::statistics::Run {
        bars: bars.view(),
        fills: &[],
        init_cash: 100.0,
        freq_ns: 60_000_000_000,
        returns: None,
    };
    black_box(run.statistics(StatSet::streaming()));
}

/// Calls per second of a turn.
fn turn(work: &mut impl FnMut()) -> f64 {
    let (started, mut calls) = (Instant::now(), 0.0);
    while started.elapsed() < TURN {
        work();
        calls += 1.0;
    }
    calls / started.elapsed().as_secs_f64()
}

fn tell(name: &str, mut work: impl FnMut()) {
    let (mut slower, mut samples) = (Vec::new(), 0);
    turn(&mut work);
    for at in 0..TURNS {
        // Who goes first changes, so that a drift is nobody's.
        let first = if at % 2 == 1 { turn(&mut work) } else { 0.0 };
        let sampler = Sampler::start().expect("a sampler");
        let with = turn(&mut work);
        samples += sampler.stop().stacks().total();
        let without = if at % 2 == 1 { first } else { turn(&mut work) };
        slower.push(100.0 * (without / with - 1.0));
    }
    slower.sort_by(f64::total_cmp);
    let [low, median, high] = [TURNS / 4, TURNS / 2, TURNS * 3 / 4].map(|at| slower[at]);
    let hz = samples as f64 / (TURNS as f64 * TURN.as_secs_f64());
    println!("{name}: {median:+.2} percent (quartiles {low:+.2}, {high:+.2}), {hz:.0} samples/s");
}
