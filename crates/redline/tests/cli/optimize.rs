//! Searches that are killed, resumed, split over shards and put together: always the same bytes.

use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use std::time::{Duration, Instant};

use serde_json::Value;

use crate::common::{Folder, redline, stderr, stdout, text};

/// A search of `ma-cross` on `data`, with `more` options.
fn optimize(data: &[&Path], more: &[&str]) -> Output {
    redline(&arguments(data, more))
}

fn arguments<'a>(data: &[&'a Path], more: &[&'a str]) -> Vec<&'a str> {
    let mut arguments = vec!["optimize", "--strategy", "ma-cross", "--fees", "0.001"];
    arguments.extend(data.iter().flat_map(|path| ["--data", text(path)]));
    arguments.extend(more);
    arguments
}

fn ok(output: &Output) {
    assert!(output.status.success(), "{}", stderr(output));
}

/// Exit code 2 and one line, which has every one of `needles`.
fn refused(output: &Output, needles: &[&str]) {
    let message = stderr(output);
    assert_eq!(output.status.code(), Some(2), "{message}");
    assert_eq!(message.trim_end().lines().count(), 1, "not one line: {message}");
    for needle in needles {
        assert!(message.contains(needle), "no '{needle}' in: {message}");
    }
}

fn lines(path: &Path) -> usize {
    std::fs::read(path).map_or(0, |text| text.iter().filter(|&&byte| byte == b'\n').count())
}

/// Starts the search and kills it as soon as its study has more than `lines_wanted` lines. False
/// where it had ended by then.
fn kill_after(arguments: &[&str], study: &Path, lines_wanted: usize) -> bool {
    let mut child = Command::new(env!("CARGO_BIN_EXE_redline"))
        .args(arguments)
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let started = Instant::now();
    while lines(study) <= lines_wanted && started.elapsed() < Duration::from_secs(60) {
        if child.try_wait().unwrap().is_some() {
            return false;
        }
        std::thread::sleep(Duration::from_millis(1));
    }
    child.kill().unwrap();
    !child.wait().unwrap().success()
}

/// Starts a study anew and kills its search up to four times; gives how often it was killed before
/// it had written `out`, which is the bytes of `whole` or not there, but never half of them.
fn kill_often(arguments: &[&str], study: &Path, out: &Path, whole: &Path) -> usize {
    for file in [study, out] {
        let _ = std::fs::remove_file(file);
    }
    for kills in 0..4 {
        let is_killed = kill_after(arguments, study, lines(study));
        if out.exists() {
            assert_eq!(std::fs::read(out).unwrap(), std::fs::read(whole).unwrap());
        }
        if !is_killed || out.exists() {
            return kills;
        }
    }
    4
}

const RANGES: [&str; 4] = ["--param", "fast=2:60", "--param", "slow=log:20:300"];

#[test]
fn a_search_that_is_killed_again_and_again_ends_as_the_uninterrupted_one() {
    let folder = Folder::new();
    let data = folder.synth("bars.parquet", 20_000);
    let samplers = [("tpe", "160"), ("cma-es", "160"), ("hyperband", "160"), ("random", "3000")];
    for (sampler, trials) in samplers {
        let [whole, out, study] =
            ["whole", "out", "study"].map(|name| folder.path(&format!("{sampler}-{name}")));
        let mut more = RANGES.to_vec();
        more.extend(["--sampler", sampler, "--trials", trials, "--seed", "5"]);
        ok(&optimize(&[&data], &[&more[..], &["--out", text(&whole)]].concat()));
        more.extend(["--out", text(&out), "--study", text(&study)]);
        let arguments = arguments(&[&data], &more);
        // On a busy machine a search may end before this process looks: then it starts over.
        let mut attempts = (0..20).map(|_| kill_often(&arguments, &study, &out, &whole));
        let kills = attempts.find(|&kills| kills > 0);
        assert!(kills.is_some(), "{sampler}: it always ended before it could be killed");
        let output = redline(&arguments);
        ok(&output);
        assert!(stderr(&output).contains("resuming after"), "{sampler}: {}", stderr(&output));
        assert_eq!(std::fs::read(&out).unwrap(), std::fs::read(&whole).unwrap(), "{sampler}");
        let again = redline(&arguments);
        assert!(stdout(&again).contains("from the study"), "a finished study runs nothing");
        assert_eq!(std::fs::read(&out).unwrap(), std::fs::read(&whole).unwrap(), "{sampler}");
    }
}

#[test]
fn a_study_cut_in_mid_line_resumes_and_says_so() {
    let folder = Folder::new();
    let data = folder.synth("bars.parquet", 3_000);
    let [whole, out, study] = ["whole", "out", "study"].map(|name| folder.path(name));
    let grid = ["--param", "fast=5:20:5", "--param", "slow=30:60:10", "--study", text(&study)];
    let run = |out: &Path| optimize(&[&data], &[&grid[..], &["--out", text(out)]].concat());
    ok(&run(&whole));
    let journal = std::fs::read(&study).unwrap();
    std::fs::write(&study, &journal[..journal.len() * 2 / 3]).unwrap();
    let output = run(&out);
    ok(&output);
    let said = stderr(&output);
    assert!(said.contains("dropped a record that was cut") && said.contains("resuming after 10 "));
    assert_eq!(std::fs::read(&out).unwrap(), std::fs::read(&whole).unwrap());
    assert_eq!(std::fs::read(&study).unwrap(), journal);
}

#[test]
fn a_study_of_anything_else_is_refused_and_kept() {
    let folder = Folder::new();
    let [data, other] = [("bars.parquet", 900), ("other.parquet", 901)]
        .map(|(name, bars)| folder.synth(name, bars));
    let study = folder.path("study");
    let run = |data: &Path, more: &[&str]| {
        let study = ["--param", "slow=30:60:10", "--study", text(&study)];
        optimize(&[data], &[&study[..], more].concat())
    };
    let fast = ["--param", "fast=5:20:5"];
    ok(&run(&data, &fast));
    let journal = std::fs::read(&study).unwrap();
    refused(&run(&other, &fast), &["study", "another study", "data", "fingerprint"]);
    refused(&run(&data, &["--param", "fast=5:25:5"]), &["space", "fast=5:20:5", "fast=5:25:5"]);
    refused(&run(&data, &[&fast[..], &["--slippage", "0.1"]].concat()), &["orders"]);
    let sobol = [&fast[..], &["--sampler", "sobol", "--trials", "9"]].concat();
    refused(&run(&data, &sobol), &["sampler 'grid' there, 'sobol' here"]);
    let calmar = [&fast[..], &["--objective", "calmar_ratio"]].concat();
    refused(&run(&data, &calmar), &["objective 'sharpe_ratio' there, 'calmar_ratio' here"]);
    let rsi = ["optimize", "--strategy", "rsi-reversion", "--param", "period=7,14"];
    let rsi = [&rsi[..], &["--data", text(&data), "--study", text(&study)]].concat();
    refused(&redline(&rsi), &["strategy 'ma-cross' there, 'rsi-reversion' here"]);
    assert_eq!(std::fs::read(&study).unwrap(), journal, "nothing is lost");
    let parquet = [&fast[..], &["--study", text(&other)]].concat();
    refused(&optimize(&[&data], &parquet), &["other.parquet, line 1", "header"]);
}

/// The shards of a search with `more` options, run one by one.
fn shards(folder: &Folder, data: &[&Path], of: usize, more: &[&str]) -> Vec<PathBuf> {
    let shard = |index: usize| {
        let (part, path) = (format!("{index}/{of}"), folder.path(&format!("shard-{index}")));
        let more = [more, &["--shard", &part, "--study", text(&path)]].concat();
        ok(&optimize(data, &more));
        path
    };
    (1..=of).map(shard).collect()
}

#[test]
fn merged_shards_are_the_bytes_of_the_unsharded_run() {
    let grid = ["--param", "fast=5:45:2", "--param", "slow=20:60:5", "--where", "fast < slow"];
    let sobol = [&RANGES[..], &["--sampler", "sobol", "--trials", "101"]].concat();
    let ranks = [&grid[..], &["--periods", "3", "--aggregate", "rank"]].concat();
    // Accounts with stops go through the engine singly, others eight at a time.
    let stops = [&sobol[..], &["--sl-stop", "0.01"]].concat();
    for more in [&grid[..], &sobol, &ranks, &stops] {
        let folder = Folder::new();
        let data = folder.synth("bars.parquet", 2_000);
        let [whole, merged] = ["whole", "merged"].map(|name| folder.path(name));
        ok(&optimize(&[&data], &[more, &["--out", text(&whole)]].concat()));
        let mut shards = shards(&folder, &[&data], 3, more);
        shards.rotate_left(1);
        let merge = |shards: &[&Path]| {
            let shards: Vec<&str> = shards.iter().map(|path| text(path)).collect();
            redline(&[&["optimize", "merge"], &shards[..], &["--out", text(&merged)]].concat())
        };
        let [b, c, a] = [0, 1, 2].map(|at| shards[at].as_path());
        ok(&merge(&[b, c, a]));
        assert_eq!(std::fs::read(&merged).unwrap(), std::fs::read(&whole).unwrap());
        std::fs::remove_file(&merged).unwrap();
        refused(&merge(&[a, c]), &["missing: shard 2/3"]);
        refused(&merge(&[a, b, c, b]), &["shard-2", "both shard 2/3"]);
        let foreign = folder.path("foreign");
        let other = [more, &["--fixed-fees", "1", "--shard", "2/3", "--study", text(&foreign)]];
        ok(&optimize(&[&data], &other.concat()));
        refused(&merge(&[a, &foreign, c]), &["foreign", "another search", "orders"]);
        let text = std::fs::read(b).unwrap();
        std::fs::write(b, &text[..text.len() - 9]).unwrap();
        refused(&merge(&[a, b, c]), &["shard-2", "finish it"]);
        assert!(!merged.exists(), "a refused merge writes nothing");
    }
}

/// Two series, a grid on both.
struct Two {
    folder: Folder,
    a: PathBuf,
    b: PathBuf,
}

impl Two {
    fn new() -> Self {
        let folder = Folder::new();
        let (a, b) = (folder.synth("a.parquet", 3_000), folder.synth("b.parquet", 4_000));
        Self { folder, a, b }
    }

    fn run(&self, more: &[&str]) -> Value {
        let out = self.folder.path("out.parquet");
        let grid = ["--param", "fast=5:20:5", "--param", "slow=30:60:10", "--json", "-"];
        let more = [&grid[..], more, &["--out", text(&out)]].concat();
        let output = optimize(&[&self.a, &self.b], &more);
        ok(&output);
        serde_json::from_str(&stdout(&output)).unwrap()
    }

    /// A column of the last run's trials.
    fn column(&self, name: &str) -> Vec<f64> {
        let table = market_data::table::Table::read(&self.folder.path("out.parquet")).unwrap();
        match table.column(name) {
            Some(market_data::table::Column::F64(values)) => values.clone(),
            _ => panic!("no column {name} among {:?}", table.names().collect::<Vec<_>>()),
        }
    }
}

#[test]
fn several_symbols_are_judged_by_a_rule() {
    type Aggregate = fn(f64, f64) -> f64;
    let rules: [(&str, Aggregate); 2] = [("mean", |a, b| (a + b) / 2.0), ("worst", f64::min)];
    let two = Two::new();
    for (rule, expected) in rules {
        let document = two.run(&["--aggregate", rule]);
        assert_eq!(document["bars"], 7_000);
        let scores = two.column("score");
        let (a, b) = (two.column("sharpe_ratio@a"), two.column("sharpe_ratio@b"));
        for ((score, a), b) in scores.iter().zip(a).zip(b) {
            assert!((score - expected(a, b)).abs() < 1e-9, "{rule}: {score} of {a} and {b}");
        }
        let best = scores.iter().copied().fold(f64::MIN, f64::max);
        assert_eq!(document["best"]["score"].as_f64(), Some(best));
    }
}

#[test]
fn periods_have_accounts_of_their_own() {
    let two = Two::new();
    let document = two.run(&["--periods", "2", "--aggregate", "rank"]);
    let series = document["best"]["series"].as_array().unwrap();
    let names: Vec<_> = series.iter().map(|series| series["name"].as_str().unwrap()).collect();
    assert_eq!(names, ["a/1", "a/2", "b/1", "b/2"]);
    assert_eq!(series[2]["bars"], 2_000);
    let lowest = two.column("score").iter().copied().reduce(f64::min);
    assert_eq!(document["best"]["score"].as_f64(), lowest, "rank 1 is the best");
    let named = two.run(&["--period", "first=2024-01-01..2024-01-02"]);
    assert_eq!(named["best"]["series"][0]["name"], "a/first");
    assert_eq!(named["best"]["series"][0]["bars"], 1_440);
}

#[test]
fn bad_searches() {
    let folder = Folder::new();
    let data = folder.synth("bars.parquet", 300);
    let optimize = |more: &[&str]| optimize(&[&data], more);
    let fast = ["--param", "fast=5:20:5"];
    let with = |more: &[&str]| optimize(&[&fast[..], more].concat());
    refused(&optimize(&["--param", "fast=,"]), &["'fast'", "'' is not a number"]);
    refused(&optimize(&["--param", "fast=5:50:0"]), &["'fast'", "step of 0"]);
    refused(&optimize(&["--param", "fast=50:5"]), &["'fast'", "backwards", "5:50"]);
    refused(&optimize(&["--param", "fast=log:0:5"]), &["'fast'", "above 0"]);
    refused(&with(&["--where", "fast > 99"]), &["none of 4 grid points", "'fast > 99'"]);
    for sampler in ["random", "sobol", "tpe", "cma-es", "halving"] {
        let more = ["--where", "fast > 99", "--sampler", sampler];
        refused(&with(&more), &["none of 100000", "'fast > 99'"]);
    }
    let wide = ["--param", "fast=1:4999:1", "--param", "slow=5000:9999:1"];
    refused(&optimize(&wide), &["24995000 grid points", "10000000", "--yes"]);
    refused(&with(&["--objective", "sharp_ratio"]), &["did you mean 'sharpe_ratio'"]);
    refused(&with(&["--objective", "skew"]), &["'skew'", "sharpe_ratio"]);
    refused(&with(&["--trials", "9"]), &["--trials", "grid"]);
    let rank = ["--aggregate", "rank", "--sampler", "tpe", "--periods", "2"];
    refused(&with(&rank), &["rank", "mean or worst"]);
    let study = folder.path("study");
    let shard = ["--shard", "1/2", "--sampler", "tpe", "--study", text(&study)];
    refused(&with(&shard), &["no shards", "grid, random or sobol"]);
    assert!(!study.exists());
    let nowhere = folder.path("nowhere/study");
    refused(&with(&["--study", text(&nowhere)]), &["nowhere", "No such file"]);
    refused(&with(&["--periods", "0"]), &["--periods 0", "300 bars"]);
    refused(&with(&["--period", "a=1999-01-01..2000-01-01"]), &["'a'", "no bar of 'bars'"]);
    for more in [["--out", text(&data)], ["--study", text(&data)]] {
        refused(&with(&more), &["bars.parquet would be overwritten"]);
    }
    refused(&with(&["--out", text(&study), "--study", text(&study)]), &["would be overwritten"]);
    refused(&with(&["--data", text(&data)]), &["two files are called 'bars'"]);
    let window = ["--param", "slow=400", "--sampler", "halving"];
    refused(&with(&window), &["400", "300"]);
    let clap = |more: &[&str], needle: &str| {
        let output = with(more);
        assert_eq!(output.status.code(), Some(2));
        assert!(stderr(&output).contains(needle), "{}", stderr(&output));
    };
    clap(&["--sampler", "sobal"], "did you mean 'sobol'");
    clap(&["--shard", "3/2", "--study", "x"], "such as 2/8");
    clap(&["--shard", "1/2"], "--study");
    clap(&["--aggregate", "wurst"], "did you mean 'worst'");
}

/// A first rung of a dozen bars has indicators that are warm, since it ends with the data.
#[test]
fn halving_works_on_few_bars() {
    let folder = Folder::new();
    let data = folder.synth("bars.parquet", 1_000);
    for sampler in ["halving", "hyperband"] {
        let more = ["--param", "fast=2:20", "--param", "slow=30:200", "--sampler", sampler];
        ok(&optimize(&[&data], &more));
    }
}

#[test]
fn more_than_ten_million_points_are_a_matter_of_a_word() {
    let folder = Folder::new();
    let data = folder.synth("bars.parquet", 3_000);
    let wide = ["--param", "fast=1:10000:1", "--param", "slow=1:1001:1"];
    let few = [&wide[..], &["--where", "fast < 4 and slow == 9"]].concat();
    refused(&optimize(&[&data], &few), &["10010000 grid points", "--yes"]);
    let output = optimize(&[&data], &[&few[..], &["--yes", "--json", "-"]].concat());
    ok(&output);
    assert_eq!(serde_json::from_str::<Value>(&stdout(&output)).unwrap()["trials"], 3);
}
