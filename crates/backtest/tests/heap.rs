//! A year of minutes through the engine and the streaming statistics takes nothing from the heap
//! once its buffers have their size.

use backtest::statistics::{Run, StatSet};
use backtest::strategy::{EntryExit, Last, Operand, crossings};
use backtest::{Config, Direction, Signals, engine};
use bench_kit::heap::{HeapCount, expect};
use market_data::SynthOptions;

bench_kit::heap!();

#[test]
fn the_steady_state_allocates_nothing() {
    let bars = market_data::synth(&SynthOptions { bars: 50_000, ..SynthOptions::default() });
    let averages = [20, 50].map(|window| {
        let mut column = vec![0.0; bars.len()];
        features::rolling::mean(&bars.close, window, &mut column).unwrap();
        column
    });
    let mut masks = EntryExit::default();
    let mut fills = Vec::new();
    let config = Config { fees: 0.001.into(), sl_stop: 0.01.into(), ..Config::default() };
    let mut run = || {
        crossings(&averages[0], Operand::Column(&averages[1]), &mut Last::default(), &mut masks);
        let signals = Signals::of(std::mem::take(&mut masks), Direction::LongOnly);
        engine::simulate(&bars.view(), &signals, &config, &mut fills).unwrap();
        masks = signals.into_entry_exit(Direction::LongOnly);
        let run = Run {
            bars: bars.view(),
            fills: &fills,
            init_cash: 100.0,
            freq_ns: 60_000_000_000,
            returns: None,
        };
        run.statistics(StatSet::streaming())
    };
    let warm = run();
    assert_eq!(expect(HeapCount::NONE, &mut run), warm);
}
