//! Every order and equity point of VectorBT 1.2.0's `from_orders` on random sizes.
//!
//! `scripts/golden/orders.py` writes the cases. `GOLDEN_ORDERS=FILE` runs another file of them.

use std::fmt::Write as _;

use backtest::config::PerBar;
use backtest::engine::{OrderSize, Side, SizedOrders, fill_orders};
use backtest::statistics::equity;
use backtest::{Config, Signals};
use market_data::Bars;
use serde_json::Value;

#[test]
fn every_order_is_vectorbts() {
    let path = std::env::var("GOLDEN_ORDERS").unwrap_or_else(|_| "tests/orders.jsonl".to_owned());
    let text = std::fs::read_to_string(&path).unwrap();
    let mut wrong = String::new();
    for line in text.lines() {
        let case: Value = serde_json::from_str(line).unwrap();
        if let Err(difference) = check(&case) {
            let (size_type, options) = (&case["size_type"], &case["options"]);
            writeln!(wrong, "case {}: {difference}\n  {size_type} {options}", case["case"])
                .unwrap();
        }
    }
    let cases = text.lines().count();
    assert!(cases > 0, "{path} has no cases");
    assert!(wrong.is_empty(), "{} of {cases} differ\n{wrong}", wrong.lines().count() / 2);
}

fn numbers(values: &Value) -> Vec<f64> {
    values.as_array().unwrap().iter().map(|v| v.as_f64().unwrap_or(f64::NAN)).collect()
}

fn check(case: &Value) -> Result<(), String> {
    let [close, price, size] = ["close", "price", "size"].map(|name| numbers(&case[name]));
    let bars = Bars {
        timestamp: (0..close.len() as i64).collect(),
        open: close.clone(),
        high: close.clone(),
        low: close.clone(),
        volume: close.clone(),
        close,
    };
    let options = &case["options"];
    let number = |name: &str, default: f64| options[name].as_f64().unwrap_or(default);
    let config = Config {
        init_cash: number("init_cash", 100.0),
        price: PerBar::Array(&price),
        fees: number("fees", 0.0).into(),
        fixed_fees: number("fixed_fees", 0.0).into(),
        slippage: number("slippage", 0.0).into(),
        max_size: number("max_size", f64::INFINITY).into(),
        size_granularity: number("size_granularity", f64::NAN).into(),
        lock_cash: options["lock_cash"].as_bool().unwrap_or(false).into(),
        direction: serde_json::from_value(options["direction"].clone()).unwrap(),
        ..Config::default()
    };
    backtest::check(&bars.view(), &Signals::default(), &config).map_err(|e| e.to_string())?;
    let size_type: OrderSize = serde_json::from_value(case["size_type"].clone()).unwrap();
    let (size, direction) = (PerBar::Array(&size), config.direction.into());
    let orders = SizedOrders { size, size_type: size_type.into(), direction };
    let mut fills = Vec::new();
    fill_orders(&bars.view(), &orders, &config, &mut fills).map_err(|error| error.to_string())?;
    let theirs = case["orders"].as_array().unwrap();
    for (row, (fill, theirs)) in fills.iter().zip(theirs).enumerate() {
        let order = fill.order;
        let side = if order.side == Side::Buy { 0.0 } else { 1.0 };
        let ours = [order.bar as f64, side, order.size, order.price, order.fees];
        same(&format!("order {row}"), &ours, &numbers(theirs))?;
    }
    if fills.len() != theirs.len() {
        return Err(format!("{} orders, VectorBT {}", fills.len(), theirs.len()));
    }
    let mut values = vec![0.0; bars.len()];
    equity(&bars.close, &fills, config.init_cash, &mut values);
    same("equity", &values, &numbers(&case["equity"]))
}

fn same(what: &str, ours: &[f64], theirs: &[f64]) -> Result<(), String> {
    for (at, (a, b)) in ours.iter().zip(theirs).enumerate() {
        let is_same = (a - b).abs() <= 1e-9 * a.abs().max(b.abs()).max(1e-3);
        if !is_same {
            return Err(format!("{what}, field {at}: {a}, VectorBT {b}"));
        }
    }
    Ok(())
}

#[test]
fn as_many_sizes_as_bars() {
    let bars = market_data::synth(&market_data::SynthOptions { bars: 5, ..Default::default() });
    let orders = SizedOrders {
        size: PerBar::Array(&[1.0; 4]),
        size_type: PerBar::default(),
        direction: PerBar::default(),
    };
    let error = fill_orders(&bars.view(), &orders, &Config::default(), &mut Vec::new());
    assert_eq!(
        error.unwrap_err().to_string(),
        "order sizes has 4 rows, the data has 5: they must be equal"
    );
}
