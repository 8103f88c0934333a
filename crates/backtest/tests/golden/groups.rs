//! Assets that share their cash.

use backtest::engine::{Asset, CallSequence, GroupFill, Side, simulate_group};
use backtest::statistics::{GroupRun, StatSet};
use backtest::{BacktestError, Config, Signals};
use market_data::{Bars, BarsView};
use serde_json::Value;

use crate::case::{MINUTE_NS, config, same_rows, same_statistics, signals};

#[test]
fn every_figure_of_a_group_is_vectorbts() {
    let path = std::env::var("GOLDEN_GROUPS").unwrap_or_else(|_| "tests/groups.jsonl".to_owned());
    crate::run_file(&path, check);
}

fn check(series: &[Bars], case: &Value) -> Result<(), String> {
    let list = |name: &str| case[name].as_array().unwrap().iter();
    let bars: Vec<BarsView<'_>> =
        list("series").map(|at| series[at.as_u64().unwrap() as usize].view()).collect();
    let configs: Vec<Config<'_>> = list("options").map(config).collect();
    let signals: Vec<Signals> = list("signals")
        .zip(list("options"))
        .map(|(bits, options)| signals(bits, options))
        .collect();
    let parts = bars.iter().zip(&signals).zip(&configs);
    let assets: Vec<Asset<'_>> =
        parts.map(|((&bars, signals), &config)| Asset { bars, signals, config }).collect();
    let sequence: CallSequence = serde_json::from_value(case["sequence"].clone()).unwrap();
    let init_cash = configs[0].init_cash;
    let mut fills = Vec::new();
    let outcome = simulate_group(&assets, init_cash, sequence, &mut fills);
    if case.get("refused").is_some() {
        return match outcome {
            Err(BacktestError::PercentReversal) => Ok(()),
            _ => Err("VectorBT refuses this, we do not".to_owned()),
        };
    }
    outcome.map_err(|error| error.to_string())?;
    same_rows("order", &orders(&fills), &case["orders"])?;
    let run =
        GroupRun { bars: &bars, fills: &fills, init_cash, shares_cash: true, freq_ns: MINUTE_NS };
    let equity = run.course().equity;
    same_rows("equity", &[equity], &Value::Array(vec![case["equity"].clone()]))?;
    same_statistics(&run.statistics(StatSet::all()), &case["statistics"])
}

/// Orders as they came.
fn orders(fills: &[GroupFill]) -> Vec<Vec<f64>> {
    let row = |&GroupFill { asset, fill }: &GroupFill| {
        let order = fill.order;
        let side = if order.side == Side::Buy { 0.0 } else { 1.0 };
        vec![asset as f64, order.bar as f64, side, order.size, order.price, order.fees]
    };
    fills.iter().map(row).collect()
}
