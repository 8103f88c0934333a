//! What a bar costs, from ten thousand bars to a hundred million.
//!
//!     cargo run --release -p backtest --example linear [LARGEST]
//!
//! The crossing of the averages of 20 and 50 bars on a seeded random walk, long only, all cash in, with
//! fees: medians of several runs, nanoseconds a bar on one thread. A hundred million bars take 5 GB.

use std::time::Instant;

use backtest::statistics::{Run, Stat, StatSet};
use backtest::strategy::{EntryExit, Last, Operand, crossings};
use backtest::{Config, Direction, Signals, engine};
use market_data::BarsView;

const MINUTE_NS: i64 = 60_000_000_000;

fn main() {
    let largest = std::env::args().nth(1).map_or(100_000_000, |text| {
        text.parse().unwrap_or_else(|_| panic!("'{text}' is no number of bars"))
    });
    println!("| bars | averages | signals | simulate | statistics | all |");
    println!("|---:|---:|---:|---:|---:|---:|");
    let sizes = (4..=8).map(|power| 10_usize.pow(power));
    for bars in sizes.filter(|&bars| bars <= largest) {
        let [averages, signals, simulate, statistics] = costs(bars);
        let all = averages + signals + simulate + statistics;
        println!(
            "| {bars} | {averages:.2} | {signals:.2} | {simulate:.2} | {statistics:.2} | {all:.2} |"
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
    let mut averages = [20, 50].map(|window| (window, vec![0.0; bars]));
    let (mut masks, mut fills) = (EntryExit::default(), Vec::new());
    let runs = (20_000_000 / bars).clamp(3, 201);
    let mut times = [const { Vec::new() }; 4];
    for _ in 0..runs {
        let mut clock = Instant::now();
        let mut lap = |step: usize| {
            times[step].push(clock.elapsed().as_nanos() as f64 / bars as f64);
            clock = Instant::now();
        };
        for (window, column) in &mut averages {
            features::rolling::mean(&close, *window, column).expect("a window that fits");
        }
        lap(0);
        let [(_, fast), (_, slow)] = &averages;
        crossings(fast, Operand::Column(slow), &mut Last::default(), &mut masks);
        let signals = Signals::of(std::mem::take(&mut masks), Direction::LongOnly);
        lap(1);
        engine::simulate(&view, &signals, &config, &mut fills).expect("fills");
        lap(2);
        let run =
            Run { bars: view, fills: &fills, init_cash: 100.0, freq_ns: MINUTE_NS, returns: None };
        let statistics = run.statistics(StatSet::streaming());
        lap(3);
        assert!(statistics.get(Stat::SharpeRatio).is_some(), "it trades");
        masks = signals.into_entry_exit(Direction::LongOnly);
    }
    times.map(|mut step| {
        step.sort_by(f64::total_cmp);
        step[step.len() / 2]
    })
}
