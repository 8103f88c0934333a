//! A year of minutes takes a fixed number of blocks from the heap, and nothing once its buffers have
//! their size.

use backtest::statistics::{Run, StatSet, Statistics};
use backtest::strategy::{EntryExit, Last, Operand, crossings};
use backtest::{Config, Direction, Signals, engine};
use bench_kit::heap::{HeapCount, expect};
use market_data::{Bars, SynthOptions};

bench_kit::heap!();

/// What a run writes to.
#[derive(Default)]
struct Buffers {
    masks: EntryExit,
    fills: Vec<engine::Fill>,
}

impl Buffers {
    /// From averages to the streaming statistics.
    fn run(&mut self, bars: &Bars, [fast, slow]: &[Vec<f64>; 2]) -> Statistics {
        crossings(fast, Operand::Column(slow), &mut Last::default(), &mut self.masks);
        let signals = Signals::of(std::mem::take(&mut self.masks), Direction::LongOnly);
        let config = Config { fees: 0.001.into(), sl_stop: 0.01.into(), ..Config::default() };
        engine::simulate(&bars.view(), &signals, &config, &mut self.fills).unwrap();
        self.masks = signals.into_entry_exit(Direction::LongOnly);
        let run = Run {
            bars: bars.view(),
            fills: &self.fills,
            init_cash: 100.0,
            freq_ns: 60_000_000_000,
            returns: None,
        };
        run.statistics(StatSet::streaming())
    }
}

#[test]
fn a_year_takes_a_fixed_number_of_blocks_and_the_next_none() {
    let bars = market_data::synth(&SynthOptions { bars: 525_600, ..SynthOptions::default() });
    let averages = [20, 50].map(|window| {
        let mut column = vec![0.0; bars.len()];
        features::rolling::mean(&bars.close, window, &mut column).unwrap();
        column
    });
    let mut buffers = Buffers::default();
    // Two masks, and the fills, whose buffer doubles as it grows.
    let fixed = HeapCount { blocks: 15, bytes: 2_490_416 };
    let cold = expect(fixed, || buffers.run(&bars, &averages));
    assert_eq!(expect(HeapCount::NONE, || buffers.run(&bars, &averages)), cold);
}
