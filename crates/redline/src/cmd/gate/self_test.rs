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
    /// The layers to run; wall-clock canaries are not counted, and the other way round.
    policy: &'static str,
    /// The one metric that must be called regressed, if any.
    expected: Option<(Layer, &'static str)>,
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

const WALL: &str = r#"
schema = "redline.policy/1"
[wall]
budget_s = 300
[[bench]]
package = "canary"
target = "canary"
harness = "plain"
layers = ["wall"]
cases = ["memory"]
"#;

const CANARIES: [Canary; 5] = [
    Canary {
        name: "+1 % instructions",
        change: ["STEPS: u64 = 1_000_000", "STEPS: u64 = 1_010_000"],
        policy: COUNTS,
        expected: Some((Layer::Instructions, "compute")),
    },
    Canary {
        name: "one more allocation per call",
        change: ["ALLOCATIONS: usize = 1", "ALLOCATIONS: usize = 2"],
        policy: COUNTS,
        expected: Some((Layer::Heap, "alloc")),
    },
    Canary {
        name: "+10 % wall clock, memory-bound",
        change: ["FAR: u64 = 500", "FAR: u64 = 555"],
        policy: WALL,
        expected: Some((Layer::Wall, "memory")),
    },
    Canary {
        name: "+5 % wall clock, memory-bound",
        change: ["FAR: u64 = 500", "FAR: u64 = 528"],
        policy: WALL,
        expected: Some((Layer::Wall, "memory")),
    },
    Canary {
        name: "nothing (A/A wall clock)",
        change: ["/// Allocations of a call.", "/// Allocations of one call."],
        policy: WALL,
        expected: None,
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
    longest_s: f64,
}

#[derive(Debug, Serialize)]
struct Report {
    canaries: Vec<Tally>,
    is_sound: bool,
}

/// Runs every canary `runs` times. It is sound where nothing was called regressed that was not
/// planted, and every planted count was found; a missed wall-clock canary is counted, no failure,
/// as long as more than half of those of 10 % are found.
pub(super) fn run(
    runs: usize,
    json: Option<&Path>,
    runner: &Runner,
    global: &Global,
) -> Result<ExitCode> {
    ensure!(runs > 0, "--runs is at least 1");
    let scratch = tempfile::tempdir().context("no folder for temporary files")?;
    let crate_folder = scratch.path().join("canary");
    std::fs::create_dir(&crate_folder).context("cannot write in the temporary folder")?;
    let shell = Shell { runner, folder: &crate_folder, scratch: scratch.path() };
    let base = shell.plant(BENCH)?;
    let repository = Repository { root: crate_folder.clone() };
    let mut canaries = Vec::new();
    for canary in &CANARIES {
        let [from, to] = canary.change;
        let head = shell.plant(&BENCH.replacen(from, to, 1))?;
        let policy = Policy::parse(canary.policy).map_err(anyhow::Error::msg)?;
        let question = Question {
            repository: &repository,
            policy: &policy,
            base: base.clone(),
            head,
            measure_unchanged: true,
            cache: scratch.path().join("cache"),
        };
        let verdicts: Vec<Document> =
            (0..runs).map(|_| ask(&question, runner, global)).collect::<Result<_>>()?;
        let tally = tally(canary, &verdicts);
        if global.prints(json) {
            println!("{}", line(&tally));
        }
        canaries.push(tally);
    }
    let is_sound = canaries.iter().zip(&CANARIES).all(|(tally, canary)| is_sound(tally, canary));
    let report = Report { canaries, is_sound };
    document::write(json, "gate-self-test", &report)?;
    Ok(if is_sound { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

fn is_sound(tally: &Tally, canary: &Canary) -> bool {
    let found = tally.detected.unwrap_or(tally.runs);
    let needed = match canary.expected {
        Some((Layer::Wall, _)) if canary.name.starts_with("+10 %") => tally.runs / 2,
        Some((Layer::Wall, _)) => 0,
        _ => tally.runs,
    };
    tally.false_alarms == 0 && found >= needed
}

fn tally(canary: &Canary, verdicts: &[Document]) -> Tally {
    let is_planted = |layer: Layer, metric: &str| canary.expected == Some((layer, metric));
    // One more allocation is more bytes and more instructions too: no false alarm.
    let is_touched = |metric: &str| canary.expected.is_some_and(|(_, planted)| planted == metric);
    let count = |is: &dyn Fn(Layer, &Row) -> bool| {
        let has = |document: &&Document| document.layers.rows().any(|(layer, row)| is(layer, row));
        verdicts.iter().filter(has).count()
    };
    let is_regressed = |row: &Row| row.verdict == RowVerdict::Regressed;
    let runs = verdicts.len();
    let detected = canary
        .expected
        .map(|_| count(&|layer, row| is_regressed(row) && is_planted(layer, &row.metric)));
    let false_alarms = count(&|_, row| is_regressed(row) && !is_touched(&row.metric));
    let planted = |document: &Document| {
        let mut rows = document.layers.rows();
        rows.find(|(layer, row)| match canary.expected {
            Some(_) => is_planted(*layer, &row.metric),
            None => true,
        })
        .and_then(|(_, row)| row.change_percent)
    };
    Tally {
        canary: canary.name,
        runs,
        detected,
        unstable: count(&|_, row| row.verdict == RowVerdict::Unstable),
        false_alarms,
        rate: wilson(detected.unwrap_or(false_alarms), runs),
        change_percent: verdicts.iter().map(planted).collect(),
        longest_s: verdicts.iter().map(|document| document.elapsed_s).fold(0.0, f64::max),
    }
}

fn line(tally: &Tally) -> String {
    let [low, high] = tally.rate.map(|share| share * 100.0);
    let found = tally.detected.map_or_else(
        || format!("{} of {} called regressed", tally.false_alarms, tally.runs),
        |detected| {
            let Tally { runs, false_alarms, .. } = tally;
            format!("{detected} of {runs} found, {false_alarms} false alarms")
        },
    );
    format!(
        "{:<32} {found} ({low:.0} to {high:.0} %), {} unstable, at most {:.0} s a run",
        tally.canary, tally.unstable, tally.longest_s
    )
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

    fn git(&self, arguments: &[&str]) -> Result<String> {
        let mut command = Command::new("git");
        command.args(arguments).current_dir(self.folder);
        let finished = self.runner.run(&mut command, self.scratch)?;
        ensure!(finished.success, "git: {}", finished.last_line());
        Ok(finished.stdout.trim().to_owned())
    }
}
