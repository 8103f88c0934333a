//! A backtest in 20 lines: prices, a strategy, orders, statistics.
//!
//!     cargo run --release -p backtest --example crossover

use backtest::statistics::{Run, Stat, StatSet};
use backtest::strategy::{self, EntryExit, FeatureColumns, Last, Strategy};
use backtest::{BacktestError, Config, Signals, engine};
use market_data::{SynthOptions, synth};

fn main() -> Result<(), BacktestError> {
    let bars = synth(&SynthOptions { bars: 525_600, ..SynthOptions::default() });
    let config = Config { init_cash: 10_000.0, fees: 0.0001.into(), ..Config::default() };
    let strategy = strategy::find("ma-cross")?;
    let values =
        strategy::resolve_values(strategy, &[("fast".into(), 600.0), ("slow".into(), 3_000.0)])?;
    let features = strategy.features(&values);
    let computed = FeatureColumns::compute(bars.view(), features.clone())?;
    let columns: Vec<&[f64]> = features.iter().map(|feature| computed.get(feature)).collect();
    let (mut memory, mut masks) =
        (vec![Last::default(); strategy.crossings()], EntryExit::default());
    strategy.signals(&columns, &values, &mut memory, &mut masks);
    let signals = Signals::of(masks, config.direction);
    let mut fills = Vec::new();
    engine::simulate(&bars.view(), &signals, &config, &mut fills)?;
    let (init_cash, freq_ns) = (config.init_cash, 60_000_000_000);
    let run = Run { bars: bars.view(), fills: &fills, init_cash, freq_ns, returns: None };
    let statistics = run.statistics(StatSet::all());
    for stat in [Stat::EndValue, Stat::TotalReturn, Stat::TotalTrades, Stat::SharpeRatio] {
        println!("{stat:?}: {:?}", statistics.get(stat));
    }
    Ok(())
}
