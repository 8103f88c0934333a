//! `redline gate --self-test`: plants what it must find, and what it must leave alone.

use std::path::Path;
use std::process::{Command, ExitCode};

use anyhow::{Context, Result, ensure};
use perf_gate::gate::{Document, Layer, Policy, Row, RowVerdict, wilson};
use serde::Serialize;

use super::process::Runner;
use super::repository::Repository;
use super::{Question, ask};
use crate::cli::Global;
use crate::document;

const BENCH: &str = include_str!("canary/bench.rs");
const MANIFEST: &str = include_str!("canary/Cargo.toml.txt");

/// A change to the canary crate, and what the gate must say of it.
struct Canary {
    name: &'static str,
    /// Text of the bench and what takes its place.
    change: [&'static str; 2],
    /// The layers to run.
    policy: &'static str,
    expected: Expected,
}

/// What the gate must call regressed.
#[derive(Clone, Copy, PartialEq)]
enum Expected {
    /// Nothing: both sides are the same code, and say so without being measured.
    Unchanged,
    /// Nothing, although both sides are measured.
    Nothing,
    /// One metric. What else changes of it is no false alarm: one more allocation is more
    /// instructions too.
    Regressed(Layer, &'static str),
}

impl Canary {
    /// Twice as many of what must not be called: false alarms are the rarer thing.
    fn runs(&self, asked: usize) -> usize {
        if self.expected == Expected::Nothing { 2 * asked } else { asked }
    }
}

const COUNTS: &str = r#"
schema = "redline.policy/1"
[instructions]
required = true
[heap]
required = true
[[bench]]
package = "canary"
target = "canary"
harness = "plain"
layers = ["instructions", "heap"]
cases = ["compute", "alloc"]
"#;

/// With the instructions beside the clock: those of the slower head are the base's.
const WALL: &str = r#"
schema = "redline.policy/1"
[instructions]
[wall]
budget_s = 240
[[bench]]
package = "canary"
target = "canary"
harness = "plain"
layers = ["instructions", "wall"]
cases = ["memory"]
"#;

const COMMENT: [&str; 2] = ["/// Allocations of a call.", "/// Allocations of one call."];

const CANARIES: [Canary; 7] = [
    Canary { name: "a comment", change: COMMENT, policy: COUNTS, expected: Expected::Unchanged },
    Canary {
        name: "nothing, counted (A/A)",
        change: COMMENT,
        policy: COUNTS,
        expected: Expected::Nothing,
    },
    Canary {
        name: "+1 % instructions",
        change: ["STEPS: u64 = 1_000_000", "STEPS: u64 = 1_010_000"],
        policy: COUNTS,
        expected: Expected::Regressed(Layer::Instructions, "compute"),
    },
    Canary {
        name: "one more allocation per call",
        change: ["ALLOCATIONS: usize = 1", "ALLOCATIONS: usize = 2"],
        policy: COUNTS,
        expected: Expected::Regressed(Layer::Heap, "alloc"),
    },
    Canary {
        name: "nothing, timed (A/A)",
        change: COMMENT,
        policy: WALL,
        expected: Expected::Nothing,
    },
    Canary {
        name: "+10 % wall clock, memory-bound",
        change: ["FAR: u64 = 500", "FAR: u64 = 555"],
        policy: WALL,
        expected: Expected::Regressed(Layer::Wall, "memory"),
    },
    Canary {
        name: "+5 % wall clock, memory-bound",
        change: ["FAR: u64 = 500", "FAR: u64 = 528"],
        policy: WALL,
        expected: Expected::Regressed(Layer::Wall, "memory"),
    },
];

/// How a canary fared.
#[derive(Debug, Serialize)]
struct Tally {
    canary: &'static str,
    runs: usize,
    detected: Option<usize>,
    unstable: usize,
    false_alarms: usize,
    /// 95 percent interval of the rate that counts: of detection, or of false alarms.
    rate: [f64; 2],
    /// The change that was measured where one was planted, run by run.
    change_percent: Vec<Option<f64>>,
    /// What was called regressed and was not planted.
    alarms: Vec<String>,
    longest_s: f64,
}

#[derive(Debug, Serialize)]
struct Report {
    canaries: Vec<Tally>,
    is_sound: bool,
}

/// What is run, how often.
pub(super) struct Options<'a> {
    /// Runs of each canary, twice as many of those that change nothing.
    pub(super) runs: usize,
    /// Only canaries that are judged by counts, which nothing disturbs.
    pub(super) counts_only: bool,
    /// Only canaries with this in their name.
    pub(super) only: Option<&'a str>,
    pub(super) json: Option<&'a Path>,
}

/// Runs the canaries. They are sound where nothing was called regressed that was not planted, and
/// every planted count was found; a missed wall-clock canary is counted, no failure, as long as more
/// than half of those of 10 % are found.
pub(super) fn run(options: &Options<'_>, runner: &Runner, global: &Global) -> Result<ExitCode> {
    ensure!(options.runs > 0, "--runs is at least 1");
    let is_asked = |canary: &&Canary| {
        (!options.counts_only || canary.policy == COUNTS)
            && options.only.is_none_or(|text| canary.name.contains(text))
    };
    let asked: Vec<&Canary> = CANARIES.iter().filter(is_asked).collect();
    ensure!(!asked.is_empty(), "--canary: none has that in its name: {}", names());
    let scratch = tempfile::tempdir().context("no folder for temporary files")?;
    let crate_folder = scratch.path().join("canary");
    std::fs::create_dir(&crate_folder).context("cannot write in the temporary folder")?;
    let shell = Shell { runner, folder: &crate_folder, scratch: scratch.path() };
    let base = shell.plant(BENCH)?;
    let mut canaries = Vec::new();
    for canary in &asked {
        let verdicts = shell.verdicts(canary, &base, canary.runs(options.runs), global)?;
        let tally = tally(canary, &verdicts);
        if global.prints(options.json) {
            println!("{}", line(&tally));
        }
        canaries.push(tally);
    }
    let is_sound = canaries.iter().zip(&asked).all(|(tally, canary)| is_sound(tally, canary));
    document::write(options.json, "gate-self-test", &Report { canaries, is_sound })?;
    Ok(if is_sound { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

fn names() -> String {
    CANARIES.map(|canary| format!("'{}'", canary.name)).join(", ")
}

fn is_sound(tally: &Tally, canary: &Canary) -> bool {
    let found = tally.detected.unwrap_or(tally.runs);
    let needed = match canary.expected {
        Expected::Regressed(Layer::Wall, _) if canary.name.starts_with("+10 %") => {
            tally.runs / 2 + 1
        }
        Expected::Regressed(Layer::Wall, _) => 0,
        _ => tally.runs,
    };
    tally.false_alarms == 0 && found >= needed
}

/// What a canary must not have called: regressions of other metrics, and of any where both sides are
/// the same code, which must not even be measured.
fn is_alarm(expected: Expected, row: &Row) -> bool {
    match expected {
        Expected::Unchanged => row.verdict != RowVerdict::Unchanged,
        Expected::Nothing => row.verdict == RowVerdict::Regressed,
        Expected::Regressed(_, metric) => {
            row.verdict == RowVerdict::Regressed && row.metric != metric
        }
    }
}

fn tally(canary: &Canary, verdicts: &[Document]) -> Tally {
    let count = |is: &dyn Fn(Layer, &Row) -> bool| {
        let has = |document: &&Document| document.layers.rows().any(|(layer, row)| is(layer, row));
        verdicts.iter().filter(has).count()
    };
    let is_planted = |layer: Layer, row: &Row| match canary.expected {
        Expected::Regressed(planted, metric) => layer == planted && row.metric == metric,
        _ => layer == Layer::Wall,
    };
    let is_found =
        |layer: Layer, row: &Row| is_planted(layer, row) && row.verdict == RowVerdict::Regressed;
    let runs = verdicts.len();
    let is_regression = matches!(canary.expected, Expected::Regressed(..));
    let detected = is_regression.then(|| count(&is_found));
    let false_alarms = count(&|_, row| is_alarm(canary.expected, row));
    let change = |document: &Document| {
        let (_, row) = document.layers.rows().find(|(layer, row)| is_planted(*layer, row))?;
        row.change_percent
    };
    let rows = verdicts.iter().flat_map(|document| document.layers.rows());
    let alarms = rows.filter(|(_, row)| is_alarm(canary.expected, row)).map(|(layer, row)| {
        let Row { metric, unit, base, head, verdict, .. } = row;
        let value = |value: Option<f64>| value.map_or_else(|| "-".to_owned(), |v| v.to_string());
        format!("{layer} {metric} {verdict}: {} -> {} {unit}", value(*base), value(*head))
    });
    Tally {
        canary: canary.name,
        runs,
        detected,
        unstable: count(&|_, row| row.verdict == RowVerdict::Unstable),
        false_alarms,
        rate: wilson(detected.unwrap_or(false_alarms), runs),
        change_percent: verdicts.iter().map(change).collect(),
        alarms: alarms.collect(),
        longest_s: verdicts.iter().map(|document| document.elapsed_s).fold(0.0, f64::max),
    }
}

fn line(tally: &Tally) -> String {
    let Tally { canary, runs, false_alarms, unstable, alarms, longest_s, .. } = tally;
    let [low, high] = tally.rate.map(|share| share * 100.0);
    let found = tally.detected.map_or_else(
        || format!("{false_alarms} of {runs} false alarms"),
        |detected| format!("{detected} of {runs} found, {false_alarms} false alarms"),
    );
    let line = format!(
        "{canary:<32} {found} ({low:.0} to {high:.0} %), {unstable} unstable, at most {longest_s:.0} s a run"
    );
    alarms.iter().fold(line, |line, alarm| format!("{line}\n    {alarm}"))
}

/// The scratch repository.
struct Shell<'a> {
    runner: &'a Runner,
    folder: &'a Path,
    scratch: &'a Path,
}

impl Shell<'_> {
    /// Commits the crate with `bench` for its bench; the commit.
    fn plant(&self, bench: &str) -> Result<String> {
        if !self.folder.join(".git").exists() {
            self.git(&["init", "--quiet"])?;
        }
        let files = [
            ("bench.rs", bench),
            ("Cargo.toml", MANIFEST),
            ("lib.rs", ""),
            (".gitignore", "Cargo.lock\n"),
        ];
        for (name, text) in files {
            std::fs::write(self.folder.join(name), text).context("cannot write the canary")?;
        }
        self.git(&["add", "--all"])?;
        let who = ["-c", "user.name=redline", "-c", "user.email=redline@localhost"];
        let commit =
            ["-c", "commit.gpgsign=false", "commit", "--quiet", "--allow-empty", "-m", "canary"];
        self.git(&[&who[..], &commit[..]].concat())?;
        self.git(&["rev-parse", "HEAD"])
    }

    /// What the gate says of `canary`, `runs` times.
    fn verdicts(
        &self,
        canary: &Canary,
        base: &str,
        runs: usize,
        global: &Global,
    ) -> Result<Vec<Document>> {
        let [from, to] = canary.change;
        ensure!(BENCH.contains(from), "the canary '{}' changes nothing", canary.name);
        let policy = Policy::parse(canary.policy).map_err(anyhow::Error::msg)?;
        let question = Question {
            repository: &Repository { root: self.folder.to_owned() },
            policy: &policy,
            base: base.to_owned(),
            head: self.plant(&BENCH.replacen(from, to, 1))?,
            measure_unchanged: canary.expected != Expected::Unchanged,
            cache: self.scratch.join("cache"),
        };
        (0..runs).map(|_| ask(&question, self.runner, global)).collect()
    }

    fn git(&self, arguments: &[&str]) -> Result<String> {
        let mut command = Command::new("git");
        command.args(arguments).current_dir(self.folder);
        let finished = self.runner.run(&mut command, self.scratch)?;
        ensure!(finished.success, "git: {}", finished.last_line());
        Ok(finished.stdout.trim().to_owned())
    }
}
