//! What `backtest` can be asked beyond one asset with the same options at every bar.

use std::path::Path;

use market_data::table::{Column, Table};
use serde_json::Value;

use crate::common::{Folder, redline, stderr, stdout, text};

/// The document of `backtest --strategy ma-cross` over `data`.
fn backtest(data: &[&Path], more: &[&str]) -> Value {
    let mut arguments = vec!["backtest", "--strategy", "ma-cross", "--json", "-"];
    data.iter().for_each(|path| arguments.extend(["--data", text(path)]));
    arguments.extend(more);
    document(&arguments)
}

fn document(arguments: &[&str]) -> Value {
    let output = redline(arguments);
    assert!(output.status.success(), "{}", stderr(&output));
    serde_json::from_str(&stdout(&output)).unwrap()
}

fn refused(data: &[&Path], more: &[&str], needles: &[&str]) {
    let mut arguments = vec!["backtest", "--strategy", "ma-cross"];
    data.iter().for_each(|path| arguments.extend(["--data", text(path)]));
    arguments.extend(more);
    let output = redline(&arguments);
    let message = stderr(&output);
    assert_eq!(output.status.code(), Some(2), "{message}");
    assert!(!message.contains("panicked"), "{message}");
    for needle in needles {
        assert!(message.contains(needle), "no '{needle}' in: {message}");
    }
}

/// Bars with the same timestamps as `like`, at other prices.
fn other(folder: &Folder, name: &str, bars: usize, seed: &str) -> std::path::PathBuf {
    let path = folder.path(name);
    let bars = bars.to_string();
    let synth = ["data", "synth", "--bars", &bars, "--seed", seed, "--out", text(&path)];
    assert!(redline(&synth).status.success());
    path
}

#[test]
fn assets_share_their_cash() {
    let folder = Folder::new();
    let (a, b) = (folder.synth("a.parquet", 3_000), other(&folder, "b.parquet", 3_000, "9"));
    let (orders, equity) = (folder.path("orders.parquet"), folder.path("equity.parquet"));
    let more = ["--fees", "0.0005", "--orders-out", text(&orders), "--equity-out", text(&equity)];
    let share = [&more[..], &["--cash-sharing", "--call-seq", "auto"]].concat();
    let shared = backtest(&[&a, &b], &share);
    let counts = |document: &Value| {
        let assets = document["assets"].as_array().unwrap();
        assets.iter().map(|asset| asset["orders"].as_u64().unwrap()).collect::<Vec<_>>()
    };
    assert_eq!(shared["stats"]["start_value"], 100.0);
    assert_eq!(counts(&shared).iter().sum::<u64>(), shared["orders"].as_u64().unwrap());
    // Whoever comes second finds no cash: fewer orders than alone.
    let alone = [backtest(&[&a], &more), backtest(&[&b], &more)];
    let alone_orders: u64 = alone.iter().map(|one| one["orders"].as_u64().unwrap()).sum();
    assert!(shared["orders"].as_u64().unwrap() < alone_orders);
    // With an account each, the group is the sum of both.
    let each = backtest(&[&a, &b], &more);
    let number = |value: &Value| value.as_f64().unwrap();
    let end: f64 = alone.iter().map(|one| number(&one["stats"]["end_value"])).sum();
    assert!((number(&each["stats"]["end_value"]) - end).abs() < 1e-9);
    assert_eq!(each["assets"][1]["stats"], alone[1]["stats"]);
    let whole = (each["orders"].as_u64().unwrap(), number(&each["stats"]["start_value"]));
    assert_eq!(whole, (alone_orders, 200.0));
    assert_eq!(orders_of(&orders, "a"), counts(&each)[0]);
    assert!((last_equity(&equity) - end).abs() < 1e-9);
}

fn orders_of(path: &Path, asset: &str) -> u64 {
    let table = Table::read(path).unwrap();
    let Some(Column::Str(names)) = table.column("asset") else { panic!("no asset") };
    names.iter().filter(|name| *name == asset).count() as u64
}

fn last_equity(path: &Path) -> f64 {
    let table = Table::read(path).unwrap();
    let Some(Column::F64(values)) = table.column("equity") else { panic!("no equity") };
    *values.last().unwrap()
}

#[test]
fn what_a_group_cannot_have_is_refused() {
    let folder = Folder::new();
    let (a, b) = (folder.synth("a.parquet", 300), other(&folder, "b.parquet", 300, "9"));
    let shorter = other(&folder, "c.parquet", 200, "9");
    refused(&[&a, &shorter], &[], &["'c' has 200 bars and 'a' 300", "same timestamps"]);
    refused(&[&a], &["--cash-sharing"], &["--data more than once"]);
    refused(&[&a, &b], &["--call-seq", "auto"], &["--cash-sharing"]);
    refused(&[&a, &b], &["--report", "x.html"], &["--report is for one asset"]);
    refused(&[&a, &b], &["--cash-sharing", "--leverage", "2"], &["leverage is 2", "share"]);
    refused(&[&a, &b], &["--cash-sharing", "--call-seq", "random"], &["'random'", "'auto'"]);
    refused(&[&a, &a], &[], &["two files are called 'a'"]);
}

#[test]
fn a_column_of_equal_values_is_the_option_itself() {
    let folder = Folder::new();
    let data = folder.synth("bars.parquet", 3_000);
    let table = folder.path("options.parquet");
    let words = |word: &str| Column::Str(vec![word.to_owned(); 3_000]);
    Table::new()
        .with("fees", Column::F64(vec![0.0002; 3_000]))
        .with("sl_stop", Column::F64(vec![0.005; 3_000]))
        .with("sl_trail", Column::Bool(vec![true; 3_000]))
        .with("size", Column::I64(vec![2; 3_000]))
        .with("accumulate", words("both"))
        .with("direction", words("both"))
        .write(&table)
        .unwrap();
    let varying = backtest(&[&data], &["--per-bar", text(&table)]);
    let scalars = ["--fees", "0.0002", "--sl-stop", "0.005", "--sl-trail", "--size", "2"];
    let words = ["--accumulate", "both", "--direction", "both"];
    let scalar = backtest(&[&data], &[&scalars[..], &words].concat());
    assert!(scalar["orders"].as_u64().unwrap() > 20);
    assert_eq!(varying["stats"], scalar["stats"]);
}

#[test]
fn per_bar_options_that_cannot_be_read_are_refused() {
    let folder = Folder::new();
    let data = folder.synth("bars.parquet", 100);
    let refuse = |name: &str, column: Column, needles: &[&str]| {
        let table = folder.path("options.parquet");
        Table::new().with(name, column).write(&table).unwrap();
        refused(&[&data], &["--per-bar", text(&table)], needles);
    };
    refuse("fess", Column::F64(vec![0.1; 100]), &["'fess' is no option", "fees"]);
    refuse("fees", Column::F64(vec![0.1; 99]), &["'fees' has 99 rows, the data has 100"]);
    refuse("fees", Column::Bool(vec![true; 100]), &["'fees' must be numbers"]);
    refuse("direction", Column::Str(vec!["up".to_owned(); 100]), &["row 1", "'up'", "'both'"]);
    let mut fees = vec![0.0; 100];
    fees[16] = -0.1;
    refuse("fees", Column::F64(fees), &["fees is -0.1 at row 17", "at least 0"]);
}

#[test]
fn only_what_is_asked_for_is_told() {
    let folder = Folder::new();
    let data = folder.synth("bars.parquet", 3_000);
    let all = backtest(&[&data], &[]);
    let some = backtest(&[&data], &["--stats", "sharpe_ratio,total_trades"]);
    let stats = some["stats"].as_object().unwrap();
    assert_eq!(stats.len(), 2);
    assert_eq!(stats["sharpe_ratio"], all["stats"]["sharpe_ratio"]);
    refused(&[&data], &["--stats", "sharp_ratio"], &["sharp_ratio", "did you mean 'sharpe_ratio'"]);
}

#[test]
fn trades_come_in_three_forms() {
    let folder = Folder::new();
    let data = folder.synth("bars.parquet", 3_000);
    let files = ["exits", "entries", "positions"].map(|name| folder.path(name));
    let [exits, entries, positions] = files.each_ref().map(|path| text(path));
    let forms =
        ["--trades-out", exits, "--entry-trades-out", entries, "--positions-out", positions];
    backtest(&[&data], &[&forms[..], &["--size", "0.1", "--accumulate", "both"]].concat());
    let pnl = |path: &Path| {
        let table = Table::read(path).unwrap();
        let Some(Column::F64(pnl)) = table.column("pnl") else { panic!("no pnl") };
        (pnl.len(), pnl.iter().sum::<f64>())
    };
    let [exits, entries, positions] = files.each_ref().map(|path| pnl(path));
    assert!(positions.0 > 5 && positions.0 <= entries.0 && positions.0 <= exits.0);
    assert!((exits.1 - positions.1).abs() < 1e-9 && (exits.1 - entries.1).abs() < 1e-9);
}

#[test]
fn a_sweep_honours_every_option_of_orders() {
    let folder = Folder::new();
    let data = folder.synth("bars.parquet", 6_000);
    let lent = ["--leverage", "2", "--maintenance-margin", "0.3", "--margin-rate", "0.5"];
    let short = ["--direction", "both", "--borrow-rate", "0.5"];
    let tiers = ["--fee-tiers", "0=0.001,1000=0.0002"];
    let limit = ["--limit-entry", "0.0005", "--limit-bars", "20"];
    for more in [&lent[..], &short, &tiers, &limit, &[&lent[..], &short, &tiers, &limit].concat()] {
        let single = backtest(&[&data], more);
        let sweep = ["optimize", "--data", text(&data), "--strategy", "ma-cross", "--json", "-"];
        let point = ["--param", "fast=20", "--param", "slow=50"];
        let sweep = document(&[&sweep[..], &point, more].concat());
        let stats = sweep["best"]["stats"].as_object().unwrap();
        assert!(single["orders"].as_u64().unwrap() > 10, "{more:?}");
        for name in ["total_trades", "end_value", "total_fees_paid", "sharpe_ratio"] {
            let (a, b) = (stats[name].as_f64().unwrap(), single["stats"][name].as_f64().unwrap());
            assert!((a - b).abs() <= 1e-12 * a.abs().max(1.0), "{more:?} {name}: {a} {b}");
        }
    }
}

#[test]
fn options_out_of_range_are_refused() {
    let folder = Folder::new();
    let data = folder.synth("bars.parquet", 200);
    let data = [&*data];
    refused(&data, &["--leverage", "0.5"], &["leverage is 0.5", "at least 1"]);
    refused(&data, &["--leverage", "2", "--lock-cash"], &["leverage is 2", "lock_cash"]);
    refused(&data, &["--leverage", "2", "--maintenance-margin", "0.6"], &["maintenance_margin"]);
    refused(&data, &["--borrow-rate=-1"], &["borrow_rate is -1"]);
    refused(&data, &["--margin-rate", "nan"], &["margin_rate is NaN"]);
    refused(&data, &["--limit-entry", "1.5"], &["limit_entry is 1.5", "below 1"]);
    refused(&data, &["--limit-entry", "0.1", "--limit-bars", "0.5"], &["limit_bars is 0.5"]);
    refused(&data, &["--limit-bars", "5"], &["--limit-entry"]);
    refused(&data, &["--fee-tiers", "100=0.1"], &["fee_tiers is 100", "from 0 on"]);
    refused(&data, &["--fee-tiers", "0.001"], &["FROM=SHARE"]);
    refused(&data, &["--size-granularity", "0"], &["size_granularity is 0"]);
}
