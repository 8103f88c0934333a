//! Instruction counts of the hot kernels, under callgrind: the same to the last instruction from
//! run to run. Valgrind knows no AVX-512, so that run-time dispatch takes the AVX2 path.

// gungraun's attributes write public items without docs.
#![allow(missing_docs)]

use std::hint::black_box;
use std::process::{Command, Stdio};

use backtest::batch::{Batch, Events, LANES, TILE, Tile};
use backtest::statistics::{Run, StatSet, Statistics};
use backtest::strategy::{EntryExit, Last, Operand, crossings};
use backtest::{Config, Direction, Signals, engine};
use gungraun::{library_benchmark, library_benchmark_group};
use market_data::{Bars, SynthOptions};

const BARS: usize = 20_000;
const MINUTE_NS: i64 = 60_000_000_000;

fn bars() -> Bars {
    market_data::synth(&SynthOptions { bars: BARS, ..SynthOptions::default() })
}

fn averages() -> [Vec<f64>; 2] {
    let bars = bars();
    [20, 50].map(|window| {
        let mut column = vec![0.0; BARS];
        features::rolling::mean(&bars.close, window, &mut column).expect("a window that fits");
        column
    })
}

fn crossing_signals() -> (Bars, Signals) {
    let [fast, slow] = averages();
    let mut masks = EntryExit::default();
    crossings(&fast, Operand::Column(&slow), &mut Last::default(), &mut masks);
    (bars(), Signals::new(masks.entry, masks.exit, Direction::LongOnly))
}

fn fills() -> (Bars, Vec<engine::Fill>) {
    let (bars, signals) = crossing_signals();
    let mut fills = Vec::new();
    engine::simulate(&bars.view(), &signals, &Config::default(), &mut fills).expect("fills");
    (bars, fills)
}

#[library_benchmark]
#[bench::window_50(bars())]
fn rolling_mean(bars: Bars) -> Vec<f64> {
    let mut out = vec![0.0; bars.len()];
    features::rolling::mean(black_box(&bars.close), 50, &mut out).expect("a window that fits");
    out
}

#[library_benchmark]
#[bench::two_averages(averages())]
fn crossing(columns: [Vec<f64>; 2]) -> EntryExit {
    let mut masks = EntryExit::default();
    let mut last = Last::default();
    crossings(black_box(&columns[0]), Operand::Column(&columns[1]), &mut last, &mut masks);
    masks
}

#[library_benchmark]
#[bench::all_in(crossing_signals())]
fn simulate((bars, signals): (Bars, Signals)) -> Vec<engine::Fill> {
    let mut fills = Vec::with_capacity(BARS);
    engine::simulate(&bars.view(), black_box(&signals), &Config::default(), &mut fills)
        .expect("fills");
    fills
}

#[library_benchmark]
#[bench::streaming(fills())]
fn statistics((bars, fills): (Bars, Vec<engine::Fill>)) -> Statistics {
    let run = Run {
        bars: bars.view(),
        fills: black_box(&fills),
        init_cash: 100.0,
        freq_ns: MINUTE_NS,
        returns: None,
    };
    run.statistics(StatSet::streaming())
}

// Eight trials, one strategy: signals, orders and statistics.
#[library_benchmark]
#[bench::eight_trials((bars(), averages()))]
fn batch((bars, columns): (Bars, [Vec<f64>; 2])) -> Statistics {
    let mut batch = Batch::new(&Config::default()).expect("a case for batches");
    let (mut tile, mut events) = (Tile::new(), Events::new());
    let mut last = Last::default();
    let mut masks = EntryExit::default();
    for from in (0..BARS).step_by(TILE) {
        let to = (from + TILE).min(BARS);
        tile.load(&bars.close, from..to);
        let [fast, slow] = [&columns[0][from..to], &columns[1][from..to]];
        crossings(black_box(fast), Operand::Column(slow), &mut last, &mut masks);
        let signals: [EntryExit; LANES] = std::array::from_fn(|_| masks.clone());
        batch.feed(&tile, &signals, &mut events);
    }
    batch.statistics(0, bars.view(), MINUTE_NS)
}

library_benchmark_group!(
    name = hot,
    benchmarks = [rolling_mean, crossing, simulate, statistics, batch]
);

fn main() {
    let valgrind = Command::new("valgrind").arg("--version").stdout(Stdio::null()).status();
    if !valgrind.is_ok_and(|status| status.success()) {
        println!("instructions: skipped, no valgrind on this machine");
        return;
    }
    counted();
}

fn counted() {
    gungraun::main!(library_benchmark_groups = hot);
    main();
}
