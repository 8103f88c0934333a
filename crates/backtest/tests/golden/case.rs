//! Cases as VectorBT's side wrote them, and comparisons with it.

use std::fmt::Write as _;

use backtest::config::PerBar;
use backtest::records::Trade;
use backtest::statistics::{Stat, Statistics};
use backtest::{Config, Direction, Mask, Signals};
use market_data::Bars;
use serde::de::DeserializeOwned;
use serde_json::Value;

pub(crate) const MINUTE_NS: i64 = 60_000_000_000;
/// 2024-01-01, in seconds since the epoch.
const START_S: i64 = 1_704_067_200;
const TOLERANCE: f64 = 1e-9;

pub(crate) fn bars(series: &Value) -> Bars {
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

pub(crate) fn signals(signals: &Value, options: &Value) -> Signals {
    let mask = |name: &str| {
        let bits = signals[name].as_str().unwrap_or_default();
        Mask::from_bools(&bits.bytes().map(|b| b == b'1').collect::<Vec<_>>())
    };
    if signals.get("short_entry").is_some() {
        return Signals {
            long_entry: mask("entry"),
            long_exit: mask("exit"),
            short_entry: mask("short_entry"),
            short_exit: mask("short_exit"),
        };
    }
    match word::<Direction>(options, "direction") {
        PerBar::Scalar(direction) => Signals::new(mask("entry"), mask("exit"), direction),
        PerBar::Array(directions) => Signals::directed(&mask("entry"), &mask("exit"), directions),
    }
}

/// An option that is one value or one per bar.
fn option<T: Copy>(
    options: &Value,
    name: &str,
    default: T,
    of: impl Fn(&Value) -> T,
) -> PerBar<'static, T> {
    match options.get(name) {
        None => default.into(),
        Some(Value::Array(values)) => {
            PerBar::Array(values.iter().map(of).collect::<Vec<_>>().leak())
        }
        Some(value) => of(value).into(),
    }
}

fn word<T: DeserializeOwned + Default + Copy>(options: &Value, name: &str) -> PerBar<'static, T> {
    option(options, name, T::default(), |value| serde_json::from_value(value.clone()).unwrap())
}

pub(crate) fn config(options: &Value) -> Config<'static> {
    let number = |name: &str, default: f64| {
        option(options, name, default, |value| value.as_f64().unwrap_or(f64::INFINITY))
    };
    let flag = |name: &str, default| option(options, name, default, |v| v.as_bool().unwrap());
    Config {
        init_cash: number("init_cash", 100.0).at(0),
        size: number("size", f64::INFINITY),
        size_type: word(options, "size_type"),
        fees: number("fees", 0.0),
        fixed_fees: number("fixed_fees", 0.0),
        slippage: number("slippage", 0.0),
        min_size: number("min_size", 1e-8),
        max_size: number("max_size", f64::INFINITY),
        size_granularity: number("size_granularity", f64::NAN),
        allow_partial: flag("allow_partial", true),
        lock_cash: flag("lock_cash", false),
        accumulate: word(options, "accumulate"),
        upon_long_conflict: word(options, "upon_long_conflict"),
        upon_short_conflict: word(options, "upon_short_conflict"),
        upon_dir_conflict: word(options, "upon_dir_conflict"),
        upon_opposite_entry: word(options, "upon_opposite_entry"),
        sl_stop: number("sl_stop", f64::NAN),
        sl_trail: flag("sl_trail", false),
        tp_stop: number("tp_stop", f64::NAN),
        stop_entry_price: word(options, "stop_entry_price"),
        stop_exit_price: word(options, "stop_exit_price"),
        upon_stop_exit: word(options, "upon_stop_exit"),
        upon_stop_update: word(options, "upon_stop_update"),
        ..Config::default()
    }
}

pub(crate) fn same_trades(what: &str, trades: &[Trade], theirs: &Value) -> Result<(), String> {
    let row = |trade: &Trade| {
        vec![
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
        ]
    };
    same_rows(what, &trades.iter().map(row).collect::<Vec<_>>(), theirs)
}

pub(crate) fn same_rows(what: &str, ours: &[Vec<f64>], theirs: &Value) -> Result<(), String> {
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

pub(crate) fn same_statistics(ours: &Statistics, theirs: &Value) -> Result<(), String> {
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
        || (a - b).abs() <= TOLERANCE * a.abs().max(b.abs()).max(1e-9)
}
