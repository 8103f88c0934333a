//! A strategy that no expression says: a ribbon of averages, whose number is a parameter.
//!
//!     cargo run --release -p backtest --example custom_strategy

use std::borrow::Cow;

use backtest::statistics::{Run, Stat, StatSet, Statistics};
use backtest::strategy::{self, EntryExit, Feature, FeatureColumns, Last, Parameter, Strategy};
use backtest::{BacktestError, Config, Signals, engine};
use market_data::{BarsView, SynthOptions, synth};

/// Long while every average of the ribbon lies above the next slower one, until the fastest falls
/// below the slowest. Each window is twice the one before.
struct Ribbon {
    parameters: [Parameter; 2],
}

impl Ribbon {
    fn new() -> Self {
        let whole = |name, default, min, max| Parameter {
            name: Cow::Borrowed(name),
            default,
            min,
            max,
            is_integer: true,
        };
        Self { parameters: [whole("fastest", 30.0, 1.0, 1e4), whole("averages", 4.0, 2.0, 10.0)] }
    }
}

impl Strategy for Ribbon {
    fn name(&self) -> &str {
        "ribbon"
    }

    fn parameters(&self) -> &[Parameter] {
        &self.parameters
    }

    /// Every value within its own range will do.
    fn check(&self, _values: &[f64]) -> Result<(), BacktestError> {
        Ok(())
    }

    fn features(&self, values: &[f64]) -> Vec<Feature> {
        let [fastest, averages] = [values[0], values[1]];
        let window = |at: i32| fastest * 2_f64.powi(at);
        let average = |at| Feature::new("sma", &[window(at)]).expect("a window in the range");
        (0..averages as i32).map(average).collect()
    }

    /// It looks at levels, not at crossings.
    fn crossings(&self) -> usize {
        0
    }

    /// A comparison with NaN is false: nothing happens while an average warms up.
    fn signals(&self, columns: &[&[f64]], _: &[f64], _: &mut [Last], out: &mut EntryExit) {
        let bars = columns[0].len();
        out.entry.reset(bars);
        out.exit.reset(bars);
        for bar in 0..bars {
            if columns.windows(2).all(|pair| pair[0][bar] > pair[1][bar]) {
                out.entry.set(bar);
            } else if columns[0][bar] < columns[columns.len() - 1][bar] {
                out.exit.set(bar);
            }
        }
    }
}

fn main() -> Result<(), BacktestError> {
    let bars = synth(&SynthOptions { bars: 100_000, ..SynthOptions::default() });
    println!("{:>8} {:>7} {:>14} {:>13}", "averages", "trades", "total return", "max drawdown");
    for averages in [2.0, 3.0, 4.0, 5.0] {
        let values = strategy::resolve_values(&Ribbon::new(), &[("averages".into(), averages)])?;
        assert!(strategy::lookahead(&Ribbon::new(), &values, bars.view(), 10, 1)?.is_none());
        let found = run(&Ribbon::new(), &values, bars.view())?;
        let [trades, total, drawdown] =
            [Stat::TotalTrades, Stat::TotalReturn, Stat::MaxDrawdown].map(|stat| found.get(stat));
        println!(
            "{averages:>8} {:>7} {:>12.2} % {:>11.2} %",
            trades.unwrap_or(f64::NAN),
            total.unwrap_or(f64::NAN),
            drawdown.unwrap_or(f64::NAN)
        );
    }
    Ok(())
}

/// From a strategy to its statistics.
fn run(
    strategy: &dyn Strategy,
    values: &[f64],
    bars: BarsView<'_>,
) -> Result<Statistics, BacktestError> {
    let config = Config { fees: 0.0001.into(), ..Config::default() };
    let features = strategy.features(values);
    let computed = FeatureColumns::compute(bars, features.clone())?;
    let columns: Vec<&[f64]> = features.iter().map(|feature| computed.get(feature)).collect();
    let mut memory = vec![Last::default(); strategy.crossings()];
    let mut masks = EntryExit::default();
    strategy.signals(&columns, values, &mut memory, &mut masks);
    let mut fills = Vec::new();
    engine::simulate(&bars, &Signals::of(masks, config.direction), &config, &mut fills)?;
    let (init_cash, freq_ns) = (config.init_cash, 60_000_000_000);
    Ok(Run { bars, fills: &fills, init_cash, freq_ns, returns: None }.statistics(StatSet::all()))
}
