//! What a bar costs, from ten thousand bars to a hundred million.
//!
//!     cargo run --release -p backtest --example linear [LARGEST]
//!
//! `ma-cross` 20/50 on a seeded random walk, long only, all cash in, with fees, through the calls that
//! `redline backtest` makes: medians of several runs, nanoseconds a bar on one thread. A hundred million
//! bars take 2 GB.

use std::time::{Duration, Instant};

use backtest::statistics::{Run, Stat, StatSet};
use backtest::strategy::{self, EntryExit};
use backtest::{Config, Direction, Signals, engine};
use market_data::BarsView;

const MINUTE_NS: i64 = 60_000_000_000;

fn main() {
    let largest = std::env::args().nth(1).map_or(100_000_000, |text| {
        text.parse().unwrap_or_else(|_| panic!("'{text}' is no number of bars"))
    });
    let one = rayon::ThreadPoolBuilder::new().num_threads(1).build().expect("a thread");
    println!("| bars | features | signals | simulate | statistics | all |");
    println!("|---:|---:|---:|---:|---:|---:|");
    let sizes = (4..=8).map(|power| 10_usize.pow(power));
    for bars in sizes.filter(|&bars| bars <= largest) {
        let [features, signals, simulate, statistics] = one.install(|| costs(bars));
        let all = features + signals + simulate + statistics;
        println!(
            "| {bars} | {features:.2} | {signals:.2} | {simulate:.2} | {statistics:.2} | {all:.2} |"
        );
    }
}

/// A random walk that stays within sight of 100.
fn walk(bars: usize) -> Vec<f64> {
    let (mut state, mut price) = (0x9E37_79B9_7F4A_7C15_u64, 100.0);
    let mut step = || {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        let uniform = (state >> 11) as f64 / (1_u64 << 53) as f64 - 0.5;
        price *= 1.0 + 0.002 * uniform + 1e-5 * (100.0 - price) / 100.0;
        price
    };
    (0..bars).map(|_| step()).collect()
}

/// Nanoseconds a bar of each step.
fn costs(bars: usize) -> [f64; 4] {
    let close = walk(bars);
    let timestamp: Vec<i64> = (0..bars as i64).map(|bar| bar * MINUTE_NS).collect();
    let [open, high, low, volume] = [close.as_slice(); 4];
    let view = BarsView { timestamp: &timestamp, open, high, low, close: &close, volume };
    let config = Config { fees: 1e-5.into(), ..Config::default() };
    let strategy = strategy::find("ma-cross").expect("a built-in strategy");
    let (mut masks, mut fills) = (EntryExit::default(), Vec::new());
    let runs = (20_000_000 / bars).clamp(3, 201);
    let mut times = [const { Vec::new() }; 4];
    for _ in 0..runs {
        let mut keep = |step: usize, took: Duration| {
            times[step].push(took.as_nanos() as f64 / bars as f64);
        };
        let took = strategy::signals_of(strategy, &[20.0, 50.0], view, &mut masks).expect("bars");
        keep(0, took.features);
        keep(1, took.signals);
        let signals = Signals::of(std::mem::take(&mut masks), Direction::LongOnly);
        let started = Instant::now();
        engine::simulate(&view, &signals, &config, &mut fills).expect("fills");
        keep(2, started.elapsed());
        let started = Instant::now();
        let run =
            Run { bars: view, fills: &fills, init_cash: 100.0, freq_ns: MINUTE_NS, returns: None };
        let statistics = run.statistics(StatSet::streaming());
        keep(3, started.elapsed());
        assert!(statistics.get(Stat::SharpeRatio).is_some(), "it trades");
        masks = signals.into_entry_exit(Direction::LongOnly);
    }
    times.map(|mut step| {
        step.sort_by(f64::total_cmp);
        step[step.len() / 2]
    })
}
