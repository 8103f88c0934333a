//! Every order, trade, equity point and statistic of VectorBT 1.2.0 on random configurations.
//!
//! `scripts/golden/backtest.py` writes the cases; those with `--per-bar` have options bar by bar, and
//! VectorBT's entry trades and positions. `scripts/golden/groups.py` writes those of assets that share
//! their cash. `GOLDEN=FILE` and `GOLDEN_GROUPS=FILE` run other files of them.

mod case;
mod groups;

use std::fmt::Write as _;

use backtest::records::{entry_trades, for_each_trade, positions};
use backtest::statistics::{Run, StatSet, equity};
use backtest::{BacktestError, engine};
use market_data::Bars;
use serde_json::Value;

use crate::case::{MINUTE_NS, bars, config, same_rows, same_statistics, same_trades, signals};

#[test]
fn every_figure_is_vectorbts() {
    match std::env::var("GOLDEN") {
        Ok(path) => check_file(&path),
        Err(_) => check_file("tests/golden.jsonl"),
    }
}

#[test]
fn every_figure_is_vectorbts_with_options_bar_by_bar() {
    check_file("tests/per_bar.jsonl");
}

fn check_file(path: &str) {
    run_file(path, |series, case| check(&series[case["series"].as_u64().unwrap() as usize], case));
}

/// Checks every case of a file, whose first line holds the series.
fn run_file(path: &str, check: impl Fn(&[Bars], &Value) -> Result<(), String>) {
    let text = std::fs::read_to_string(path).unwrap();
    let mut lines = text.lines();
    let series: Vec<Bars> = serde_json::from_str::<Vec<Value>>(lines.next().unwrap())
        .unwrap()
        .iter()
        .map(bars)
        .collect();
    let mut wrong = String::new();
    let mut cases = 0;
    for line in lines {
        let case: Value = serde_json::from_str(line).unwrap();
        cases += 1;
        if let Err(difference) = check(&series, &case) {
            writeln!(wrong, "case {}: {difference}\n  {}", case["case"], case["options"]).unwrap();
        }
    }
    assert!(cases > 0, "{path} has no cases");
    assert!(wrong.is_empty(), "{} of {cases} cases differ\n{wrong}", wrong.lines().count() / 2);
}

fn check(bars: &Bars, case: &Value) -> Result<(), String> {
    let config = config(&case["options"]);
    let signals = signals(&case["signals"], &case["options"]);
    backtest::check(&bars.view(), &signals, &config).map_err(|error| error.to_string())?;
    let mut fills = Vec::new();
    let outcome = engine::simulate(&bars.view(), &signals, &config, &mut fills);
    if case.get("refused").is_some() {
        return match outcome {
            Err(BacktestError::PercentReversal) => Ok(()),
            _ => Err("VectorBT refuses this, we do not".to_owned()),
        };
    }
    outcome.map_err(|error| error.to_string())?;
    let orders = fills.iter().map(|fill| {
        let order = fill.order;
        let side = if order.side == engine::Side::Buy { 0.0 } else { 1.0 };
        vec![order.bar as f64, side, order.size, order.price, order.fees]
    });
    same_rows("order", &orders.collect::<Vec<_>>(), &case["orders"])?;
    let (last, count) = (*bars.close.last().unwrap(), bars.len());
    let mut trades = Vec::new();
    for_each_trade(&fills, last, count, |trade| trades.push(*trade));
    same_trades("trade", &trades, &case["trades"])?;
    if case.get("positions").is_some() {
        same_trades("entry", &entry_trades(&fills, last, count), &case["entry_trades"])?;
        same_trades("position", &positions(&fills, last, count), &case["positions"])?;
    }
    let mut values = vec![0.0; bars.len()];
    equity(&bars.close, &fills, config.init_cash, &mut values);
    same_rows("equity", &[values], &Value::Array(vec![case["equity"].clone()]))?;
    let run = Run {
        bars: bars.view(),
        fills: &fills,
        init_cash: config.init_cash,
        freq_ns: MINUTE_NS,
        returns: None,
    };
    same_statistics(&run.statistics(StatSet::all()), &case["statistics"])
}
