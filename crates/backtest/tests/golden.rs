//! Every order, trade, equity point and statistic of VectorBT 1.2.0 on random configurations.
//!
//! `scripts/golden/backtest.py` writes the cases. `GOLDEN=FILE` runs another file of them.

use std::fmt::Write as _;

use backtest::config::PerBar;
use backtest::records::for_each_trade;
use backtest::statistics::{Run, Stat, StatSet, equity};
use backtest::{BacktestError, Config, Direction, Mask, Signals, engine};
use market_data::Bars;
use serde::de::DeserializeOwned;
use serde_json::{Map, Value};

const MINUTE_NS: i64 = 60_000_000_000;
/// 2024-01-01, in seconds since the epoch.
const START_S: i64 = 1_704_067_200;
const TOLERANCE: f64 = 1e-9;

#[test]
fn every_figure_is_vectorbts() {
    let path = std::env::var("GOLDEN").unwrap_or_else(|_| "tests/golden.jsonl".to_owned());
    let text = std::fs::read_to_string(&path).unwrap();
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
        if let Err(difference) = check(&series[case["series"].as_u64().unwrap() as usize], &case) {
            writeln!(wrong, "case {}: {difference}\n  {}", case["case"], case["options"]).unwrap();
        }
    }
    assert!(cases > 0, "{path} has no cases");
    assert!(wrong.is_empty(), "{} of {cases} cases differ\n{wrong}", wrong.lines().count() / 2);
}

fn bars(series: &Value) -> Bars {
    let column = |name: &str| -> Vec<f64> {
        series[name].as_array().unwrap().iter().map(|v| v.as_f64().unwrap_or(f64::NAN)).collect()
    };
    let close = column("close");
    Bars {
        timestamp: (0..close.len() as i64)
            .map(|i| START_S * 1_000_000_000 + i * MINUTE_NS)
            .collect(),
        open: column("open"),
        high: column("high"),
        low: column("low"),
        volume: vec![1.0; close.len()],
        close,
    }
}

fn signals(case: &Value, direction: Direction) -> Signals {
    let mask = |name: &str| {
        let bits = case["signals"][name].as_str().unwrap_or_default();
        Mask::from_bools(&bits.bytes().map(|b| b == b'1').collect::<Vec<_>>())
    };
    if case["signals"].get("short_entry").is_none() {
        return Signals::new(mask("entry"), mask("exit"), direction);
    }
    Signals {
        long_entry: mask("entry"),
        long_exit: mask("exit"),
        short_entry: mask("short_entry"),
        short_exit: mask("short_exit"),
    }
}

fn config(options: &Map<String, Value>) -> Config<'static> {
    let number = |name: &str, default: f64| {
        options.get(name).map_or(default, |v| v.as_f64().unwrap_or(f64::INFINITY))
    };
    let flag =
        |name: &str, default: bool| options.get(name).map_or(default, |v| v.as_bool().unwrap());
    fn word<T: DeserializeOwned + Default>(options: &Map<String, Value>, name: &str) -> T {
        options.get(name).map_or_else(T::default, |v| serde_json::from_value(v.clone()).unwrap())
    }
    Config {
        init_cash: number("init_cash", 100.0),
        size: PerBar::Scalar(number("size", f64::INFINITY)),
        size_type: word(options, "size_type"),
        fees: number("fees", 0.0).into(),
        fixed_fees: number("fixed_fees", 0.0).into(),
        slippage: number("slippage", 0.0).into(),
        min_size: number("min_size", 1e-8),
        max_size: number("max_size", f64::INFINITY),
        size_granularity: number("size_granularity", f64::NAN),
        allow_partial: flag("allow_partial", true),
        lock_cash: flag("lock_cash", false),
        direction: word(options, "direction"),
        accumulate: word(options, "accumulate"),
        upon_long_conflict: word(options, "upon_long_conflict"),
        upon_short_conflict: word(options, "upon_short_conflict"),
        upon_dir_conflict: word(options, "upon_dir_conflict"),
        upon_opposite_entry: word(options, "upon_opposite_entry"),
        sl_stop: number("sl_stop", f64::NAN).into(),
        sl_trail: flag("sl_trail", false),
        tp_stop: number("tp_stop", f64::NAN).into(),
        stop_entry_price: word(options, "stop_entry_price"),
        stop_exit_price: word(options, "stop_exit_price"),
        upon_stop_exit: word(options, "upon_stop_exit"),
        upon_stop_update: word(options, "upon_stop_update"),
        ..Config::default()
    }
}

fn check(bars: &Bars, case: &Value) -> Result<(), String> {
    let config = config(case["options"].as_object().unwrap());
    let signals = signals(case, config.direction);
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
    let mut trades = Vec::new();
    for_each_trade(&fills, *bars.close.last().unwrap(), bars.len(), |trade| {
        trades.push(vec![
            trade.entry_bar as f64,
            trade.exit_bar as f64,
            if trade.is_long { 0.0 } else { 1.0 },
            if trade.is_open { 0.0 } else { 1.0 },
            trade.size,
            trade.entry_price,
            trade.entry_fees,
            trade.exit_price,
            trade.exit_fees,
            trade.pnl(),
            trade.return_share(),
        ]);
    });
    same_rows("trade", &trades, &case["trades"])?;
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

fn same_rows(what: &str, ours: &[Vec<f64>], theirs: &Value) -> Result<(), String> {
    let theirs = theirs.as_array().unwrap();
    for (row, (ours, theirs)) in ours.iter().zip(theirs).enumerate() {
        for (at, (&ours, theirs)) in ours.iter().zip(theirs.as_array().unwrap()).enumerate() {
            let theirs = theirs.as_f64().unwrap_or(f64::NAN);
            if !is_same(ours, theirs) {
                return Err(format!("{what} {row}, field {at}: {ours}, VectorBT {theirs}"));
            }
        }
    }
    if ours.len() == theirs.len() {
        return Ok(());
    }
    Err(format!("{} {what}s, VectorBT {}", ours.len(), theirs.len()))
}

fn same_statistics(ours: &backtest::statistics::Statistics, theirs: &Value) -> Result<(), String> {
    let mut wrong = String::new();
    for &stat in Stat::ALL {
        let Some(expected) = theirs.get(stat.name()) else { continue };
        let ours = ours.get(stat).unwrap_or(f64::NAN);
        let expected = expected.as_f64().unwrap_or(f64::NAN);
        // VectorBT's durations are cut to whole microseconds.
        let is_cut = stat.name().ends_with("_duration") && (ours - expected).abs() < 1e-6;
        if !is_cut && !is_same(ours, expected) {
            write!(wrong, "{} {ours}, VectorBT {expected}; ", stat.name()).unwrap();
        }
    }
    if wrong.is_empty() { Ok(()) } else { Err(wrong) }
}

fn is_same(a: f64, b: f64) -> bool {
    a == b
        || a.is_nan() && b.is_nan()
        || (a - b).abs() <= TOLERANCE * a.abs().max(b.abs()).max(1e-3)
}
