//! Bad input ends with exit code 2 and one line that says what is wrong, where, and what would be
//! right; never with a panic or half a file.

use std::process::Output;

use crate::common::{Folder, redline, refused, stderr, text};

fn backtest(data: &std::path::Path, more: &[&str]) -> Output {
    let mut arguments = vec!["backtest", "--data", text(data), "--strategy", "ma-cross"];
    arguments.extend(more);
    redline(&arguments)
}

const HEADER: &str = "timestamp,open,high,low,close,volume\n";

/// A CSV of `rows` bars whose row `at` (from 1) is `line`.
fn csv(rows: usize, at: usize, line: &str) -> String {
    let rows = (1..=rows).map(|row| {
        let time = format!("2024-01-01T00:{row:02}:00Z");
        if row == at { format!("{line}\n") } else { format!("{time},10,11,9,10,5\n") }
    });
    HEADER.to_owned() + &rows.collect::<String>()
}

#[test]
fn a_missing_file() {
    let folder = Folder::new();
    refused(&backtest(&folder.path("none.parquet"), &[]), &["none.parquet", "No such file"]);
}

#[test]
fn the_suite_refuses_a_missing_file_before_it_measures_anything() {
    let folder = Folder::new();
    let started = std::time::Instant::now();
    let path = folder.path("none.parquet");
    refused(&redline(&["suite", "--data", text(&path)]), &["none.parquet", "No such file"]);
    // The probe alone takes several seconds.
    assert!(started.elapsed().as_secs() < 2, "{:?}", started.elapsed());
}

#[test]
fn an_empty_file() {
    let folder = Folder::new();
    refused(&backtest(&folder.file("empty.parquet", ""), &[]), &["empty.parquet", "empty"]);
}

#[test]
fn a_folder() {
    let folder = Folder::new();
    let path = folder.path("");
    refused(&backtest(&path, &[]), &["folder"]);
}

#[test]
fn a_parquet_without_a_needed_column() {
    let folder = Folder::new();
    let path = folder.path("table.parquet");
    market_data::table::Table::new()
        .with("timestamp", market_data::table::Column::Timestamp(vec![0, 60_000_000_000]))
        .with("open", market_data::table::Column::F64(vec![1.0, 1.0]))
        .with("high", market_data::table::Column::F64(vec![1.0, 1.0]))
        .with("low", market_data::table::Column::F64(vec![1.0, 1.0]))
        .with("closed", market_data::table::Column::F64(vec![1.0, 1.0]))
        .write(&path)
        .unwrap();
    refused(&backtest(&path, &[]), &["table.parquet", "'close'", "did you mean 'closed'"]);
}

#[test]
fn a_damaged_parquet() {
    let folder = Folder::new();
    let path = folder.synth("bars.parquet", 500);
    let bytes = std::fs::read(&path).unwrap();
    std::fs::write(&path, &bytes[..bytes.len() / 2]).unwrap();
    refused(&backtest(&path, &[]), &["bars.parquet", "Parquet"]);
}

#[test]
fn a_bad_number_in_row_17() {
    let folder = Folder::new();
    let path = folder.file("bars.csv", &csv(40, 17, "2024-01-01T00:17:00Z,10,11,nine,10,5"));
    refused(&backtest(&path, &[]), &["bars.csv", "row 17", "'low'", "'nine'", "a number"]);
}

#[test]
fn a_bad_time() {
    let folder = Folder::new();
    let path = folder.file("bars.csv", &csv(40, 3, "yesterday,10,11,9,10,5"));
    refused(&backtest(&path, &[]), &["row 3", "'yesterday'", "a time such as"]);
}

#[test]
fn unsorted_timestamps() {
    let folder = Folder::new();
    let path = folder.file("bars.csv", &csv(40, 9, "2024-01-01T00:01:00Z,10,11,9,10,5"));
    refused(&backtest(&path, &[]), &["row 9", "before the one above"]);
}

#[test]
fn duplicate_timestamps() {
    let folder = Folder::new();
    let path = folder.file("bars.csv", &csv(40, 9, "2024-01-01T00:08:00Z,10,11,9,10,5"));
    refused(&backtest(&path, &[]), &["row 9", "that of the row above"]);
}

#[test]
fn nan_prices() {
    let folder = Folder::new();
    let path = folder.file("bars.csv", &csv(40, 5, "2024-01-01T00:05:00Z,10,11,9,NaN,5"));
    refused(&backtest(&path, &[]), &["row 5", "close is NaN"]);
}

#[test]
fn zero_bars() {
    let folder = Folder::new();
    refused(&backtest(&folder.file("bars.csv", HEADER), &[]), &["bars.csv", "no bars"]);
}

#[test]
fn a_window_longer_than_the_data() {
    let folder = Folder::new();
    let path = folder.synth("bars.parquet", 30);
    refused(&backtest(&path, &["--param", "slow=50"]), &["50", "30"]);
}

#[test]
fn fast_not_below_slow() {
    let folder = Folder::new();
    let path = folder.synth("bars.parquet", 200);
    let more = ["--param", "fast=50", "--param", "slow=20"];
    refused(&backtest(&path, &more), &["fast < slow", "fast = 50, slow = 20"]);
    refused(
        &redline(&[
            "optimize",
            "--data",
            text(&path),
            "--strategy",
            "ma-cross",
            "--param",
            "fast=50",
            "--param",
            "slow=20",
        ]),
        &["none of 1 grid points", "fast < slow"],
    );
}

#[test]
fn an_unknown_strategy() {
    let folder = Folder::new();
    let path = folder.synth("bars.parquet", 200);
    let output = redline(&["backtest", "--data", text(&path), "--strategy", "ma-crss"]);
    refused(&output, &["'ma-crss'", "did you mean 'ma-cross'", "rsi-reversion"]);
}

#[test]
fn orders_of_another_length_or_type() {
    use market_data::table::{Column, Table};
    let folder = Folder::new();
    let data = folder.synth("bars.parquet", 200);
    let orders = folder.path("orders.parquet");
    let run = |name: &str, column: Column| {
        Table::new().with(name, column).write(&orders).unwrap();
        redline(&["backtest", "--data", text(&data), "--orders", text(&orders)])
    };
    refused(&run("size", Column::F64(vec![1.0; 7])), &["'size' has 7 rows", "200"]);
    refused(&run("size", Column::Bool(vec![true; 200])), &["'size' must be numbers"]);
    refused(&run("sizes", Column::F64(vec![1.0; 200])), &["no column 'size'", "sizes"]);
}

#[test]
fn prices_that_cannot_be_traded_at() {
    let folder = Folder::new();
    let path = folder.file("bars.csv", &csv(50, 5, "2024-01-01T00:05:00Z,10,11,0,10,5"));
    refused(&backtest(&path, &["--param", "fast=2", "--param", "slow=3"]), &["row 5", "0"]);
}

#[test]
fn stops_and_costs_out_of_range() {
    let folder = Folder::new();
    let path = folder.synth("bars.parquet", 200);
    let sized = |more: &[&str]| backtest(&path, more);
    refused(&sized(&["--sl-stop=-0.1"]), &["sl_stop is -0.1"]);
    refused(&sized(&["--tp-stop", "0"]), &["tp_stop is 0"]);
    refused(&sized(&["--time-stop", "1.5"]), &["time_stop is 1.5", "whole number"]);
    refused(&sized(&["--breakeven-after=-1"]), &["breakeven_after is -1"]);
    refused(&sized(&["--slippage", "1"]), &["slippage is 1", "below 1"]);
    refused(&sized(&["--fixed-fees=-1"]), &["fixed_fees is -1"]);
    refused(&sized(&["--min-fees=-1"]), &["min_fees is -1"]);
    refused(&sized(&["--fees-per-unit", "1", "--lock-cash"]), &["fees_per_unit is 1", "lock_cash"]);
    refused(&sized(&["--size=-1"]), &["size is -1"]);
    refused(&sized(&["--init-cash=-5"]), &["init_cash is -5"]);
    let percent = ["--size-type", "percent", "--size", "0.5", "--direction", "both"];
    refused(&sized(&percent), &["percent cannot reverse"]);
}

#[test]
fn an_entry_and_an_exit_in_one_bar_are_no_error() {
    use market_data::table::{Column, Table};
    let folder = Folder::new();
    let data = folder.synth("bars.parquet", 50);
    let signals = folder.path("signals.parquet");
    let always = || Column::Bool(vec![true; 50]);
    Table::new().with("entry", always()).with("exit", always()).write(&signals).unwrap();
    let run = |mode: &str| {
        let arguments = ["--signals", text(&signals), "--upon-long-conflict", mode, "--json", "-"];
        let output = redline(&[&["backtest", "--data", text(&data)], &arguments[..]].concat());
        assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
        let text = String::from_utf8(output.stdout).unwrap();
        serde_json::from_str::<serde_json::Value>(&text).unwrap()["orders"].as_u64()
    };
    assert_eq!((run("ignore"), run("entry"), run("opposite")), (Some(0), Some(1), Some(0)));
}

#[test]
fn a_strategy_file_that_cannot_be_read() {
    let folder = Folder::new();
    let data = folder.synth("bars.parquet", 200);
    let run = |path: &std::path::Path, verb: &str, more: &[&str]| {
        let mut arguments = vec![verb, "--data", text(&data), "--strategy", text(path)];
        arguments.extend(more);
        redline(&arguments)
    };
    refused(&run(&folder.path("none.toml"), "backtest", &[]), &["none.toml", "No such file"]);
    let content = "exit = \"close < 3\"\nentry = \"rsi(clsoe, 14) < 30\"\n";
    let path = folder.file("typo.toml", content);
    for (verb, more) in [("backtest", &[][..]), ("optimize", &["--param", "fast=1,2"])] {
        let output = run(&path, verb, more);
        assert_eq!(output.status.code(), Some(2));
        let message = stderr(&output);
        let lines: Vec<&str> = message.lines().collect();
        assert!(lines[0].contains("typo.toml:2:14: unknown name 'clsoe': did you mean 'close'?"));
        assert_eq!(lines.len(), 1, "{message}");
    }
}

#[test]
fn an_unknown_parameter() {
    let folder = Folder::new();
    let path = folder.synth("bars.parquet", 200);
    refused(&backtest(&path, &["--param", "fats=5"]), &["'fats'", "did you mean 'fast'"]);
    refused(&backtest(&path, &["--param", "fast=quick"]), &["'fast'", "'quick'"]);
    refused(&backtest(&path, &["--param", "fast=2.5"]), &["fast", "2.5", "whole number"]);
}

#[test]
fn an_unknown_set_and_objective() {
    let folder = Folder::new();
    let path = folder.synth("bars.parquet", 200);
    let out = folder.path("features.parquet");
    let output =
        redline(&["features", "--data", text(&path), "--set", "clasic", "--out", text(&out)]);
    refused(&output, &["clasic", "classic"]);
    let mut arguments = vec!["features", "--data", text(&path), "--out", text(&out)];
    arguments.extend(["--plot", "rsi_41"]);
    refused(&redline(&arguments), &["--plot", "unknown feature `rsi_41`", "did you mean `rsi_14`"]);
    let output = redline(&["features", "--list", "--set", "classic"]);
    assert_eq!(output.status.code(), Some(2), "{}", stderr(&output));
    let names = "[[feature]]\nname = \"a<b\"\nindicator = \"rsi\"\n[[feature]]\nname = \"a_b\"\nindicator = \"sma\"\n";
    let set = folder.file("two.toml", names);
    let mut arguments = vec!["features", "--data", text(&path), "--out", text(&out)];
    arguments.extend(["--set", text(&set), "--plot", "a<b", "--plot", "a_b"]);
    refused(&redline(&arguments), &["features.a_b.svg would be overwritten"]);
    std::fs::remove_file(set).unwrap();
    let mut arguments = vec!["features", "--data", text(&path), "--out", text(&path)];
    refused(&redline(&arguments), &["bars.parquet would be overwritten"]);
    arguments = vec!["backtest", "--data", text(&path), "--strategy", "ma-cross"];
    arguments.extend(["--trades-out", text(&path)]);
    refused(&redline(&arguments), &["bars.parquet would be overwritten"]);
    assert_eq!(folder.names(), ["bars.parquet"], "no file is left behind");
    let output = redline(&[
        "optimize",
        "--data",
        text(&path),
        "--strategy",
        "ma-cross",
        "--param",
        "fast=5,10",
        "--objective",
        "sharp_ratio",
    ]);
    refused(&output, &["'sharp_ratio'", "did you mean 'sharpe_ratio'"]);
}

#[test]
fn an_output_folder_that_does_not_exist() {
    let folder = Folder::new();
    let path = folder.synth("bars.parquet", 200);
    let out = folder.path("nowhere/out.parquet");
    let out = text(&out);
    refused(&backtest(&path, &["--trades-out", out]), &["nowhere", "does not exist"]);
    refused(&backtest(&path, &["--json", out]), &["nowhere", "does not exist"]);
    refused(&redline(&["data", "synth", "--bars", "9", "--out", out]), &["does not exist"]);
    refused(&redline(&["data", "convert", text(&path), out]), &["does not exist"]);
    refused(
        &redline(&["features", "--data", text(&path), "--out", out]),
        &["nowhere", "does not exist"],
    );
    assert_eq!(folder.names(), ["bars.parquet"], "no file is left behind");
}

#[test]
fn numbers_out_of_range() {
    let folder = Folder::new();
    let path = folder.synth("bars.parquet", 200);
    refused(&backtest(&path, &["--fees=-0.1"]), &["fees is -0.1"]);
    refused(&backtest(&path, &["--fees", "nan"]), &["fees is NaN"]);
    refused(&backtest(&path, &["--size", "0"]), &["size is 0", "above 0"]);
    refused(&backtest(&path, &["--sl-stop", "1.5"]), &["sl_stop is 1.5", "at most 1"]);
    refused(&backtest(&path, &["--init-cash", "0"]), &["init_cash is 0"]);
    refused(&redline(&["data", "synth", "--bars", "0", "--out", "x"]), &["--bars 0"]);
}

#[test]
fn ranges_and_conditions() {
    let folder = Folder::new();
    let path = folder.synth("bars.parquet", 200);
    let optimize = |more: &[&str]| {
        let mut arguments = vec!["optimize", "--data", text(&path), "--strategy", "ma-cross"];
        arguments.extend(more);
        redline(&arguments)
    };
    refused(&optimize(&["--param", "fast=5:50:0"]), &["'fast'", "step of 0"]);
    refused(&optimize(&["--param", "fast=5,x"]), &["'x' is not a number"]);
    refused(
        &optimize(&["--param", "fast=5,6", "--where", "fast > slow"]),
        &["none of 2 grid points", "'fast > slow'"],
    );
    refused(&optimize(&["--param", "fast=5,6", "--where", "fats < 3"]), &["'fats'", "fast, slow"]);
    refused(&optimize(&["--param", "fast=5", "--param", "fast=6"]), &["'fast' is given twice"]);
    refused(&optimize(&["--param", "fast=1:999999:1", "--param", "slow=1:99:1"]), &["more than"]);
}

#[test]
fn signals_of_another_length_or_type() {
    use market_data::table::{Column, Table};
    let folder = Folder::new();
    let data = folder.synth("bars.parquet", 200);
    let signals = folder.path("signals.parquet");
    let run = || redline(&["backtest", "--data", text(&data), "--signals", text(&signals)]);
    let write = |column: Column| {
        Table::new()
            .with("entry", column)
            .with("exit", Column::Bool(vec![false; 200]))
            .write(&signals)
            .unwrap();
    };
    write(Column::Bool(vec![true; 200]));
    assert_eq!(run().status.code(), Some(0));
    write(Column::F64(vec![1.0; 200]));
    refused(&run(), &["'entry' must be boolean"]);
    Table::new().with("entry", Column::Bool(vec![true; 7])).write(&signals).unwrap();
    refused(&run(), &["7 rows", "200"]);
    Table::new().with("enter", Column::Bool(vec![true; 200])).write(&signals).unwrap();
    refused(&run(), &["no boolean column 'entry'", "enter"]);
}
