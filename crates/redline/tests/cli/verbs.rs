//! Every verb on generated data: its document has the contract's keys, its numbers agree with each
//! other, and the number of threads changes no byte.

use crate::common::{Folder, redline, stderr, stdout, text};
use serde_json::Value;

fn json(arguments: &[&str]) -> Value {
    let output = redline(arguments);
    assert!(output.status.success(), "{}", stderr(&output));
    serde_json::from_str(&stdout(&output)).expect("nothing but the document on standard output")
}

#[test]
fn backtest_documents_all_statistics() {
    let folder = Folder::new();
    let data = folder.synth("bars.parquet", 5_000);
    let trades = folder.path("trades.parquet");
    let equity = folder.path("equity.parquet");
    let document = json(&[
        "backtest",
        "--data",
        text(&data),
        "--strategy",
        "ma-cross",
        "--fees",
        "0.001",
        "--trades-out",
        text(&trades),
        "--equity-out",
        text(&equity),
        "--json",
        "-",
    ]);
    assert_eq!(document["schema"], "redline.backtest/1");
    assert_eq!(document["bars"], 5_000);
    for key in ["load", "features", "signals", "simulate", "statistics"] {
        assert!(document["elapsed_ns"][key].is_u64(), "{key}");
    }
    let stats = document["stats"].as_object().unwrap();
    assert_eq!(stats.len(), 37, "28 rows of Portfolio.stats and 9 more of returns_stats");
    let trades = market_data::table::Table::read(&trades).unwrap();
    let Some(market_data::table::Column::F64(pnl)) = trades.column("pnl") else { panic!("no pnl") };
    assert_eq!(stats["total_trades"].as_u64(), Some(pnl.len() as u64));
    let profit = stats["end_value"].as_f64().unwrap() - stats["start_value"].as_f64().unwrap();
    assert!((pnl.iter().sum::<f64>() - profit).abs() < 1e-9, "profits of trades make the total");
    let equity = market_data::table::Table::read(&equity).unwrap();
    let Some(market_data::table::Column::F64(equity)) = equity.column("equity") else {
        panic!("no equity")
    };
    assert_eq!(equity.last().copied(), stats["end_value"].as_f64());
}

#[test]
fn rsi_reversion_trades_and_stops_work() {
    let folder = Folder::new();
    let data = folder.synth("bars.csv.gz", 5_000);
    let run = |more: &[&str]| {
        let mut arguments =
            vec!["backtest", "--data", text(&data), "--strategy", "rsi-reversion", "--json", "-"];
        arguments.extend(more);
        json(&arguments)
    };
    let plain = run(&[]);
    let stopped = run(&["--sl-stop", "0.001", "--tp-stop", "0.001"]);
    assert!(plain["orders"].as_u64() > Some(0));
    assert!(stopped["orders"].as_u64() > plain["orders"].as_u64());
}

#[test]
fn optimize_agrees_with_backtest_and_threads_change_nothing() {
    let folder = Folder::new();
    let data = folder.synth("bars.parquet", 5_000);
    let run = |threads: &str, out: &str| {
        json(&[
            "optimize",
            "--data",
            text(&data),
            "--strategy",
            "ma-cross",
            "--param",
            "fast=5:20:5",
            "--param",
            "slow=10:40:10",
            "--where",
            "fast < slow",
            "--fees",
            "0.001",
            "--threads",
            threads,
            "--out",
            out,
            "--json",
            "-",
        ])
    };
    let [one, two] = ["1.parquet", "2.parquet"].map(|name| folder.path(name));
    let document = run("1", text(&one));
    run("2", text(&two));
    assert_eq!(std::fs::read(&one).unwrap(), std::fs::read(&two).unwrap());
    assert_eq!(document["schema"], "redline.optimize/1");
    assert_eq!(document["trials"], 12);
    let best = &document["best"];
    let param = |name: &str| format!("{name}={}", best["params"][name]);
    let single = json(&[
        "backtest",
        "--data",
        text(&data),
        "--strategy",
        "ma-cross",
        "--fees",
        "0.001",
        "--param",
        &param("fast"),
        "--param",
        &param("slow"),
        "--json",
        "-",
    ]);
    for (name, value) in best["stats"].as_object().unwrap() {
        let single = &single["stats"][name];
        let is_near = match (single.as_f64(), value.as_f64()) {
            // Sums over eight trials at once are in another order than over one.
            (Some(a), Some(b)) => (a - b).abs() <= 1e-12 * a.abs().max(b.abs()),
            _ => single == value,
        };
        assert!(is_near, "{name}: {single} {value}");
    }
    let dsr = document["overfitting"]["dsr"].as_f64().unwrap();
    assert!((0.0..=1.0).contains(&dsr));
}

#[test]
fn features_writes_a_column_per_feature() {
    let folder = Folder::new();
    let data = folder.synth("bars.parquet", 2_000);
    let [one, two] = ["1.parquet", "2.parquet"].map(|name| folder.path(name));
    let run = |threads: &str, out: &str| {
        json(&[
            "features",
            "--data",
            text(&data),
            "--threads",
            threads,
            "--out",
            out,
            "--json",
            "-",
        ])
    };
    let document = run("1", text(&one));
    run("2", text(&two));
    assert_eq!(std::fs::read(&one).unwrap(), std::fs::read(&two).unwrap());
    assert_eq!(document["schema"], "redline.features/1");
    assert_eq!(document["rows"], 2_000);
    let table = market_data::table::Table::read(&one).unwrap();
    assert_eq!(table.names().next(), Some("timestamp"));
    assert_eq!(table.names().count() as u64, 1 + document["columns"].as_u64().unwrap());
}

#[test]
fn data_converts_between_kinds_without_loss() {
    let folder = Folder::new();
    let parquet = folder.synth("bars.parquet", 1_000);
    let mut last = parquet.clone();
    for name in ["a.csv", "b.arrow", "c.csv.zst", "d.csv.gz", "e.parquet"] {
        let next = folder.path(name);
        let output = redline(&["data", "convert", text(&last), text(&next)]);
        assert!(output.status.success(), "{name}: {}", stderr(&output));
        last = next;
    }
    let load = |path| market_data::load(path, &market_data::LoadOptions::default()).unwrap();
    assert_eq!(load(&parquet), load(&last));
    let part = folder.path("part.parquet");
    let output = redline(&[
        "data",
        "convert",
        text(&parquet),
        text(&part),
        "--from",
        "2024-01-01T01:00:00Z",
        "--to",
        "2024-01-01T02:00:00Z",
        "--compression",
        "zstd",
    ]);
    assert!(output.status.success(), "{}", stderr(&output));
    assert_eq!(load(&part).len(), 60);
}

#[test]
fn inspect_counts_gaps() {
    let folder = Folder::new();
    let path = folder.path("gaps.parquet");
    let output =
        redline(&["data", "synth", "--bars", "2000", "--gaps", "0.1", "--out", text(&path)]);
    assert!(output.status.success());
    let document = json(&["data", "inspect", text(&path), "--json", "-"]);
    assert_eq!(document["schema"], "redline.data/1");
    assert_eq!(document["rows"], 2_000);
    assert_eq!(document["defects"], 0);
    let missing = document["missing_bars"].as_u64().unwrap();
    assert!((150..300).contains(&missing), "{missing} of about 220");
}

#[test]
fn the_same_seed_gives_the_same_bytes() {
    let folder = Folder::new();
    let [one, two] = ["1.parquet", "2.parquet"].map(|name| folder.synth(name, 3_000));
    assert_eq!(std::fs::read(one).unwrap(), std::fs::read(two).unwrap());
}

#[test]
fn probe_describes_the_machine() {
    let document = json(&["probe", "--only", "machine", "--json", "-"]);
    assert_eq!(document["schema"], "redline.probe/1");
    assert!(document["machine"]["cores"].as_u64() >= Some(1));
    assert_eq!(document["machine"]["fingerprint"].as_str().map(str::len), Some(16));
}
