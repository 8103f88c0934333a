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
fn a_strategy_file_is_as_good_as_a_built_in_one() {
    let folder = Folder::new();
    let data = folder.synth("bars.parquet", 5_000);
    let text_of_file = "\
entry = \"cross_above(sma(close, fast), sma(close, 3 * fast))\"
exit = \"cross_below(sma(close, fast), sma(close, 3 * fast))\"
[parameters]
fast = { default = 10, min = 1, max = 100, integer = true }
";
    let file = folder.file("mine.toml", text_of_file);
    let run = |strategy: &str, params: &[&str]| {
        let mut arguments = vec!["backtest", "--data", text(&data), "--strategy", strategy];
        params.iter().for_each(|param| arguments.extend(["--param", param]));
        arguments.extend(["--fees", "0.001", "--json", "-"]);
        json(&arguments)
    };
    let mine = run(text(&file), &["fast=20"]);
    let built_in = run("ma-cross", &["fast=20", "slow=60"]);
    assert!(mine["orders"].as_u64() > Some(0));
    assert_eq!(mine["stats"], built_in["stats"]);
    let sweep = json(&[
        "optimize",
        "--data",
        text(&data),
        "--strategy",
        text(&file),
        "--param",
        "fast=20",
        "--fees",
        "0.001",
        "--json",
        "-",
    ]);
    assert_eq!(
        sweep["best"]["stats"]["total_return_percent"],
        mine["stats"]["total_return_percent"]
    );
}

#[test]
fn a_report_stands_alone_and_agrees_with_the_document() {
    use market_data::table::{Column, Table};
    let folder = Folder::new();
    let data = folder.synth("bars.parquet", 20_000);
    let (page, drawdowns) = (folder.path("run.html"), folder.path("drawdowns.parquet"));
    let document = json(&[
        "backtest",
        "--data",
        text(&data),
        "--strategy",
        "macd",
        "--report",
        text(&page),
        "--drawdowns-out",
        text(&drawdowns),
        "--json",
        "-",
    ]);
    let page = std::fs::read_to_string(page).unwrap();
    assert!(page.contains("<title>macd on bars.parquet</title>"));
    assert_eq!(page.matches("<svg").count(), 4, "equity, drawdown, orders, Sharpe");
    assert!(!page.contains("http") && !page.contains("<script"), "it needs no other file");
    assert!(!page.contains("NaN"), "an undefined value is a dash or a gap");
    let table = Table::read(&drawdowns).unwrap();
    let Some(Column::F64(depth)) = table.column("depth") else { panic!("no depth") };
    let deepest = depth.iter().copied().fold(0.0, f64::min);
    let stats = &document["stats"];
    assert!((stats["max_drawdown_percent"].as_f64().unwrap() + 100.0 * deepest).abs() < 1e-9);
    let beyond = &document["beyond"];
    assert_eq!(beyond["drawdowns"].as_u64(), Some(depth.len() as u64));
    let months = beyond["monthly_returns_percent"].as_array().unwrap();
    let growth: f64 = months.iter().map(|m| 1.0 + m["value"].as_f64().unwrap() / 100.0).product();
    let total = stats["total_return_percent"].as_f64().unwrap();
    assert!(((growth - 1.0) * 100.0 - total).abs() < 1e-9, "months make the total");
    let held = beyond["benchmark"]["total_return_percent"].as_f64().unwrap();
    assert!((held - stats["benchmark_return_percent"].as_f64().unwrap()).abs() < 1e-9);
}

#[test]
fn orders_fill_at_the_next_open() {
    use market_data::table::{Column, Table};
    let folder = Folder::new();
    let data = folder.synth("bars.parquet", 5_000);
    let bars = market_data::load(&data, &market_data::LoadOptions::default()).unwrap();
    let orders = |fill: &str| {
        let out = folder.path("orders.parquet");
        json(&[
            "backtest",
            "--data",
            text(&data),
            "--strategy",
            "ma-cross",
            "--fill",
            fill,
            "--orders-out",
            text(&out),
            "--json",
            "-",
        ]);
        let table = Table::read(&out).unwrap();
        let Some(Column::I64(at)) = table.column("bar") else { panic!("no bar") };
        let Some(Column::F64(price)) = table.column("price") else { panic!("no price") };
        at.iter().map(|bar| *bar as usize).zip(price.clone()).collect::<Vec<_>>()
    };
    let (now, later) = (orders("close"), orders("next-open"));
    assert!(now.len() > 10);
    for ((bar, price), (next, open)) in now.iter().zip(&later) {
        assert_eq!((*next, *open), (bar + 1, bars.open[bar + 1]));
        assert_eq!(*price, bars.close[*bar]);
    }
    let sweep = json(&[
        "optimize",
        "--data",
        text(&data),
        "--strategy",
        "ma-cross",
        "--fill",
        "next-open",
        "--param",
        "fast=20",
        "--json",
        "-",
    ]);
    let trades = sweep["best"]["stats"]["total_trades"].as_u64().unwrap();
    assert_eq!(trades, later.len().div_ceil(2) as u64);
}

#[test]
fn orders_of_ones_own_are_filled() {
    use market_data::table::{Column, Table};
    let folder = Folder::new();
    let data = folder.synth("bars.parquet", 100);
    let bars = market_data::load(&data, &market_data::LoadOptions::default()).unwrap();
    let (orders, out) = (folder.path("orders.parquet"), folder.path("out.parquet"));
    let mut size = vec![f64::NAN; 100];
    (size[10], size[20], size[30]) = (0.5, 0.0, 1.0);
    Table::new().with("size", Column::F64(size)).write(&orders).unwrap();
    let document = json(&[
        "backtest",
        "--data",
        text(&data),
        "--orders",
        text(&orders),
        "--orders-size-type",
        "target-percent",
        "--orders-out",
        text(&out),
        "--json",
        "-",
    ]);
    assert_eq!(document["orders"], 3);
    let table = Table::read(&out).unwrap();
    let Some(Column::F64(filled)) = table.column("size") else { panic!("no size") };
    assert!((filled[0] - 50.0 / bars.close[10]).abs() < 1e-9, "half of 100");
    assert_eq!(filled[1], filled[0], "all of it out");
}

#[test]
fn what_looks_back_passes_the_check() {
    let folder = Folder::new();
    let data = folder.synth("bars.parquet", 2_000);
    let run = |more: &[&str]| {
        let mut arguments =
            vec!["backtest", "--data", text(&data), "--strategy", "donchian-breakout"];
        arguments.extend(more);
        json(&[&arguments[..], &["--json", "-"]].concat())
    };
    let plain = run(&[]);
    assert_eq!(run(&["--check-lookahead"])["stats"], plain["stats"]);
    assert_eq!(run(&["--check-lookahead=5"])["stats"], plain["stats"]);
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
fn features_lists_its_indicators() {
    let output = redline(&["features", "--list"]);
    assert!(output.status.success());
    let listed = stdout(&output);
    assert_eq!(listed.lines().count(), features::registry::all().count());
    assert!(listed.contains("bbands(close; window = 20, width = 2) "), "{listed}");
    let output = redline(&["features", "--set", "classic"]);
    assert_eq!(output.status.code(), Some(2));
    assert!(stderr(&output).contains("--data <FILE>"), "{}", stderr(&output));
}

/// The pictures that `features --plot` draws of `names`, of a set of two features.
fn pictures(names: [&str; 3]) -> [String; 3] {
    let folder = Folder::new();
    let data = folder.synth("bars.parquet", 2_000);
    let set = folder.file(
        "mine.toml",
        "[[feature]]\nname = \"a<b\"\nindicator = \"rsi\"\n[[feature]]\nindicator = \"bbands\"\n",
    );
    let out = folder.path("out.parquet");
    let mut arguments = vec!["features", "--data", text(&data), "--set", text(&set)];
    arguments.extend(["--out", text(&out)]);
    names.iter().for_each(|name| arguments.extend(["--plot", name]));
    let output = redline(&arguments);
    assert!(output.status.success(), "{}", stderr(&output));
    assert!(stdout(&output).contains("a<b drawn into"));
    names.map(|name| {
        let file = format!("out.{}.svg", name.replace('<', "_"));
        std::fs::read_to_string(folder.path(&file)).expect("a picture")
    })
}

#[test]
fn a_feature_is_drawn_over_the_price_or_below_it() {
    let [below, over, one] = pictures(["a<b", "bbands_20_2", "bbands_20_2_upper"]);
    assert!(below.starts_with("<svg xmlns") && below.contains("<title>a&lt;b</title>"));
    assert!(below.contains("2,000 bars from"));
    let panels = [&below, &over, &one].map(|picture| picture.matches("<g transform").count());
    assert_eq!(panels, [2, 1, 1]);
    let keys = [&below, &over, &one].map(|picture| picture.matches("<path class=\"key").count());
    assert_eq!(keys, [0, 4, 2]);
    // The extremes of every column of pixels, and no more than a picture can show.
    let (_, line) = over.split_once("<path class=\"price\"").expect("the price");
    let points = line.split("/>").next().expect("its path").matches('L').count();
    assert!((900..3_600).contains(&points), "{points}");
}

/// 400,000,000 is a second of 1982, or a millisecond of January 1970: only who states the unit is understood.
#[test]
fn data_converts_times_of_a_stated_unit() {
    let folder = Folder::new();
    let bars = "time,open,high,low,close\n400000000,1,1,1,1\n400060000,1,1,1,1\n";
    let (text_of, out) = (folder.file("bars.csv", bars), folder.path("bars.parquet"));
    let mut arguments = vec!["data", "convert", text(&text_of), text(&out), "--time-unit", "ms"];
    let output = redline(&arguments);
    assert!(output.status.success(), "{}", stderr(&output));
    let loaded = market_data::load(&out, &market_data::LoadOptions::default()).unwrap();
    assert_eq!(loaded.timestamp, [400_000_000_000_000, 400_060_000_000_000]);
    arguments[5] = "minutes";
    let output = redline(&arguments);
    assert_eq!(output.status.code(), Some(2));
    assert!(stderr(&output).contains("minutes"), "{}", stderr(&output));
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

#[test]
fn probe_of_a_thread_count_that_there_is_not_runs_and_tells() {
    for threads in ["0", "100000"] {
        let document = json(&["probe", "--only", "machine", "--threads", threads, "--json", "-"]);
        let first = &document["unavailable"][0];
        assert_eq!(first["what"], format!("{threads} threads"));
        assert!(
            first["why"].as_str().is_some_and(|why| why.starts_with("this process may run 1 to"))
        );
    }
}

#[test]
fn probe_draws_what_it_measured() {
    let folder = Folder::new();
    let pictures = folder.path("of/this/machine");
    let output = redline(&["probe", "--quick", "--only", "latency", "--pictures", text(&pictures)]);
    assert!(output.status.success(), "{}", stderr(&output));
    let drawn = pictures.join("latency.svg");
    assert!(stdout(&output).contains(text(&drawn)), "{}", stdout(&output));
    assert!(std::fs::read_to_string(drawn).unwrap().starts_with("<svg"));
    let file = folder.file("file", "");
    let output = redline(&["probe", "--only", "machine", "--pictures", text(&file)]);
    assert_eq!(output.status.code(), Some(2));
    assert!(stderr(&output).contains(text(&file)), "{}", stderr(&output));
}

/// Its file has no name from before the first byte on, so that nothing is left whatever ends it.
#[cfg(target_os = "linux")]
#[test]
fn probe_that_is_ended_by_a_signal_leaves_no_file() {
    let folder = Folder::new();
    let mut child = std::process::Command::new(env!("CARGO_BIN_EXE_redline"))
        .args(["probe", "--only", "storage", "--dir", text(&folder.path(""))])
        .stdout(std::process::Stdio::null())
        .stderr(std::process::Stdio::null())
        .spawn()
        .unwrap();
    let descriptors = format!("/proc/{}/fd", child.id());
    let is_open = || {
        let links = std::fs::read_dir(&descriptors).into_iter().flatten().flatten();
        let mut files = links.filter_map(|entry| std::fs::read_link(entry.path()).ok());
        files.any(|file| file.to_string_lossy().contains(".redline-probe-"))
    };
    let began = std::time::Instant::now();
    while !is_open() {
        assert!(began.elapsed().as_secs() < 60 && child.try_wait().unwrap().is_none(), "no file");
        std::thread::sleep(std::time::Duration::from_millis(1));
    }
    std::thread::sleep(std::time::Duration::from_millis(50));
    // Not by SIGINT, which a shell without a terminal has its background jobs ignore.
    let terminate = ["-TERM", &child.id().to_string()].map(str::to_owned);
    assert!(std::process::Command::new("kill").args(terminate).status().unwrap().success());
    assert!(!child.wait().unwrap().success());
    assert_eq!(folder.names(), [""; 0]);
}
