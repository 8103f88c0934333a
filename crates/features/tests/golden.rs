//! Agreement with TA-Lib, pandas and Qlib's definitions; `scripts/golden/features.py` writes the
//! vectors.

use features::{ComputeOptions, FeatureSet, compute, registry};
use market_data::Bars;

/// Columns of a CSV file with a header.
fn read(text: &str) -> Vec<(String, Vec<f64>)> {
    let mut lines = text.lines();
    let names = lines.next().expect("a header").split(',');
    let mut columns: Vec<_> = names.map(|n| (n.to_string(), Vec::new())).collect();
    for line in lines {
        for ((_, column), cell) in columns.iter_mut().zip(line.split(',')) {
            column.push(cell.parse().expect("a number"));
        }
    }
    columns
}

fn bars(rows: usize) -> Bars {
    let columns = read(include_str!("golden/bars.csv"));
    let column = |k: usize| columns[k].1[..rows].to_vec();
    Bars {
        timestamp: (0..rows as i64).map(|i| i * 60_000_000_000).collect(),
        open: column(0),
        high: column(1),
        low: column(2),
        close: column(3),
        volume: column(4),
    }
}

/// Every row at which `expected` has a value agrees to 1e-9, relative to it or to `scale`.
fn agrees(name: &str, actual: &[f64], expected: &[f64], scale: f64) -> Result<(), String> {
    let mut compared = 0;
    for (row, (a, e)) in actual.iter().zip(expected).enumerate().filter(|(_, (_, e))| !e.is_nan()) {
        compared += 1;
        let error = (a - e).abs() / e.abs().max(scale);
        if error.is_nan() || error > 1e-9 {
            return Err(format!("{name} row {row}: {a} instead of {e}"));
        }
    }
    if compared == 0 { Err(format!("{name}: nothing to compare")) } else { Ok(()) }
}

fn check(text: &str) {
    let bars = bars(240);
    let mut failures = Vec::new();
    for (name, expected) in read(text) {
        let mut parts = name.split(':');
        let indicator = registry::get(parts.next().unwrap_or("")).expect("a known indicator");
        let params: Vec<f64> = parts
            .next()
            .unwrap_or("")
            .split_whitespace()
            .map(|p| p.parse().expect("a number"))
            .collect();
        let output: usize = parts.next().unwrap_or("").parse().expect("an output");
        let set = FeatureSet::single(indicator, &params).expect("valid parameters");
        let table = compute(&set, bars.view(), &ComputeOptions::default()).expect("enough rows");
        failures.extend(agrees(&name, &table.columns[output], &expected, 1e-3).err());
    }
    assert!(failures.is_empty(), "{}", failures.join("\n"));
}

#[test]
fn agrees_with_talib() {
    check(include_str!("golden/talib.csv"));
}

#[test]
fn agrees_with_pandas() {
    check(include_str!("golden/pandas.csv"));
}

#[test]
fn alpha158_agrees_with_its_definition() {
    let table = compute(&FeatureSet::alpha158(), bars(100).view(), &ComputeOptions::default())
        .expect("enough rows");
    let golden = read(include_str!("golden/alpha158.csv"));
    assert_eq!(golden.len(), 158);
    let mut failures = Vec::new();
    for (name, expected) in golden {
        let column = table.column(&name).expect("every feature of the definition");
        failures.extend(agrees(&name, column, &expected, 1e-3).err());
        let missing = column.iter().zip(&expected).filter(|(a, e)| e.is_nan() && !a.is_nan());
        failures.extend((missing.count() > 0).then(|| format!("{name}: a value too many")));
    }
    assert!(failures.is_empty(), "{}", failures.join("\n"));
}
