//! Whether the best is luck: what `optimize` says of it, walks forward, and draws.

use std::process::Output;

use serde_json::Value;

use crate::common::{Folder, redline, stderr, stdout, text};

/// A grid of 24 pairs on `bars` seeded bars, with `more` options.
fn search(folder: &Folder, bars: usize, more: &[&str]) -> Output {
    let data = folder.path("bars.parquet");
    if !data.exists() {
        folder.synth("bars.parquet", bars);
    }
    let grid = ["optimize", "--strategy", "ma-cross", "--param", "fast=5:20:5"];
    let slow = ["--param", "slow=30:80:10", "--data", text(&data)];
    redline(&[&grid[..], &slow, more].concat())
}

fn document(output: &Output) -> Value {
    assert!(output.status.success(), "{}", stderr(output));
    serde_json::from_str(&stdout(output)).unwrap()
}

fn number(document: &Value, path: &str) -> f64 {
    let value = document.pointer(path).and_then(Value::as_f64);
    value.unwrap_or_else(|| panic!("no number at {path} in {document}"))
}

fn count(document: &Value, path: &str) -> usize {
    document.pointer(path).and_then(Value::as_array).map_or(0, Vec::len)
}

#[test]
fn the_best_always_comes_with_its_judgement() {
    let folder = Folder::new();
    let document = document(&search(&folder, 5_000, &["--json", "-"]));
    for probability in [
        "dsr",
        "pbo",
        "psr",
        "splits/probability_of_loss",
        "against_cash/spa_p",
        "against_cash/white_p",
        "against_hold/spa_p",
    ] {
        let value = number(&document, &format!("/overfitting/{probability}"));
        assert!((0.0..=1.0).contains(&value), "{probability}: {value}");
    }
    assert_eq!(number(&document, "/overfitting/splits/count"), 12_870.0);
    assert!((3.0..=8.0).contains(&number(&document, "/overfitting/plateau/neighbours")));
    // Cross-validation of 8 parts of which 2 are tested has 7 paths.
    assert_eq!(count(&document, "/overfitting/cross_validation/path_sharpes"), 7);
    let printed = stdout(&search(&folder, 5_000, &[]));
    for name in ["Deflated Sharpe ratio", "Over-fitting (PBO)", "SPA against cash", "Plateau"] {
        assert!(printed.contains(name), "no {name} in: {printed}");
    }
}

/// Seeded bars are a walk without a drift: what was found in them is luck, and is said to be.
#[test]
fn luck_is_called_luck_in_plain_words() {
    let folder = Folder::new();
    let document = document(&search(&folder, 5_000, &["--json", "-", "--fees", "0.002"]));
    assert_eq!(document["overfitting"]["likely_luck"], true);
    assert!(count(&document, "/overfitting/warnings") > 0);
    let printed = stdout(&search(&folder, 5_000, &["--fees", "0.002"]));
    assert!(printed.contains("Warning: the best trial is"), "{printed}");
}

#[test]
fn a_walk_chooses_on_the_past_and_judges_on_what_follows() {
    let folder = Folder::new();
    let walk = |more: &[&str]| {
        let options = [&["--walk-forward", "2000:500", "--json", "-"], more].concat();
        document(&search(&folder, 5_000, &options))
    };
    let rolling = walk(&[]);
    assert_eq!(number(&rolling, "/walk_forward/windows"), 6.0);
    assert_eq!(number(&rolling, "/walk_forward/test_bars"), 3_000.0);
    let anchored = walk(&["--anchored"]);
    for fold in 0..6 {
        let at = |of: &Value, name| number(of, &format!("/walk_forward/folds/{fold}/{name}"));
        let cut = 2_000.0 + 500.0 * f64::from(fold);
        assert_eq!(at(&rolling, "train_from"), cut - 2_000.0);
        assert_eq!(at(&anchored, "train_from"), 0.0);
        assert_eq!((at(&rolling, "train_to"), at(&rolling, "test_to")), (cut, cut + 500.0));
    }
    assert_eq!(rolling["walk_forward"]["folds"][0], anchored["walk_forward"]["folds"][0]);
    let one = walk(&["--threads", "1"]);
    assert_eq!(one["walk_forward"], rolling["walk_forward"], "on any number of threads");
}

#[test]
fn a_walk_is_the_same_in_bars_and_in_time() {
    let folder = Folder::new();
    let in_bars = ["--walk-forward", "2000:500", "--json", "-", "--freq", "1min"];
    let in_bars = document(&search(&folder, 5_000, &in_bars));
    let in_time = ["--walk-forward", "2000min:500min", "--json", "-"];
    let in_time = document(&search(&folder, 5_000, &in_time));
    assert_eq!(in_bars["walk_forward"], in_time["walk_forward"]);
}

#[test]
fn bad_walks() {
    let folder = Folder::new();
    for (more, needles) in [
        (&["--walk-forward", "2000"][..], &["--walk-forward '2000'", "TRAIN:TEST"][..]),
        (&["--walk-forward", "0:10"], &["a bar at least"]),
        (&["--walk-forward", "900:200"], &["900 + 200", "1000", "shorten"]),
        (&["--walk-forward", "100:50:20"], &["20 bars", "judged twice"]),
        (&["--walk-forward", "500:100", "--sampler", "tpe"], &["tpe", "grid, random or sobol"]),
        (&["--walk-forward", "500:100", "--periods", "2"], &["one --data and no periods"]),
        (&["--heatmap", "x.svg", "--heatmap-axes", "fast,fast"], &["two different parameters"]),
        (&["--heatmap", "x.svg", "--heatmap-axes", "fast,slaw"], &["'slaw'", "fast, slow"]),
    ] {
        let output = search(&folder, 1_000, more);
        let message = stderr(&output);
        assert_eq!(output.status.code(), Some(2), "{more:?}: {message}");
        for needle in needles {
            assert!(message.contains(needle), "no '{needle}' in: {message}");
        }
    }
}

#[test]
fn pictures_stand_alone() {
    let folder = Folder::new();
    let [heatmap, report] = ["map.svg", "search.html"].map(|name| folder.path(name));
    let files = ["--heatmap", text(&heatmap), "--report", text(&report)];
    assert!(search(&folder, 3_000, &files).status.success());
    let [svg, html] = [heatmap, report].map(|path| std::fs::read_to_string(path).unwrap());
    assert!(svg.starts_with("<svg") && svg.contains("fast") && svg.contains("slow"));
    assert!(html.starts_with("<!doctype html>") && html.matches("<svg").count() >= 3);
    assert!(html.contains("prefers-color-scheme: dark") && html.contains("Deflated Sharpe ratio"));
    let without_names = html.replace("http://www.w3.org/2000/svg", "");
    assert!(!without_names.contains("http") && !without_names.contains("<script src"));
}

#[test]
fn the_number_of_threads_changes_no_byte() {
    let folder = Folder::new();
    let bytes = |threads: &str, more: &[&str]| {
        let out = folder.path(threads);
        let options = [&["--threads", threads, "--out", text(&out)], more].concat();
        assert!(search(&folder, 9_000, &options).status.success());
        std::fs::read(out).unwrap()
    };
    for more in [&[][..], &["--sl-stop", "0.01"], &["--sampler", "tpe", "--trials", "40"]] {
        let one = bytes("1", more);
        assert!(bytes("2", more) == one && bytes("3", more) == one, "{more:?}");
    }
}

#[test]
fn merged_shards_are_judged_too() {
    let folder = Folder::new();
    let [a, b, out] = ["a", "b", "out"].map(|name| folder.path(name));
    for (shard, study) in [("1/2", &a), ("2/2", &b)] {
        let options = ["--shard", shard, "--study", text(study)];
        assert!(search(&folder, 3_000, &options).status.success());
    }
    let merge = ["optimize", "merge", text(&a), text(&b), "--out", text(&out)];
    let printed = stdout(&redline(&merge));
    let whole = stdout(&search(&folder, 3_000, &[]));
    for name in ["Over-fitting (PBO)", "SPA against cash", "Plateau"] {
        let line = |text: &str| text.lines().find(|line| line.starts_with(name)).map(str::to_owned);
        assert!(line(&whole).is_some());
        assert_eq!(line(&printed), line(&whole), "the judgement of the whole run");
    }
}
