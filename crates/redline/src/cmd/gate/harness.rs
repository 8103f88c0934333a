//! How bench executables are spoken to: what they have, how long it takes, what it counts.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, bail};
use perf_gate::gate::Harness;
use perf_gate::read::{criterion_sample, dhat_totals, gungraun_summary, lower_quartile};

use super::process::{Finished, Runner};

/// One bench executable of one side.
#[derive(Clone)]
pub(super) struct Bench {
    pub(super) harness: Harness,
    pub(super) executable: PathBuf,
    /// The revision's work tree, in which it runs.
    pub(super) tree: PathBuf,
}

/// Counts of one case.
pub(super) struct Counts {
    pub(super) case: String,
    /// Instructions; or blocks, then bytes.
    pub(super) values: Vec<f64>,
}

/// The two instruments of valgrind.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Instrument {
    Callgrind,
    Dhat,
}

/// Runs bench executables, everything they write in `scratch`.
pub(super) struct Harnesses<'a> {
    pub(super) runner: &'a Runner,
    pub(super) scratch: &'a Path,
}

impl Harnesses<'_> {
    fn run(&self, bench: &Bench, command: &mut Command) -> Result<Finished> {
        command
            .current_dir(&bench.tree)
            .env("CRITERION_HOME", self.scratch.join("criterion"))
            .env("GUNGRAUN_HOME", self.scratch.join("gungraun"))
            .env("GUNGRAUN_WORKSPACE_ROOT", &bench.tree);
        let finished = self.runner.run(command, self.scratch)?;
        if !finished.success {
            bail!("{}: {}", bench.executable.display(), finished.last_line());
        }
        Ok(finished)
    }

    /// The cases of a bench that is no gungraun one.
    pub(super) fn cases(&self, bench: &Bench) -> Result<Vec<String>> {
        let mut command = Command::new(&bench.executable);
        command.args(["--bench", "--list"]);
        let listed = self.run(bench, &mut command)?;
        let case = |line: &str| line.strip_suffix(": benchmark").map(str::to_owned);
        Ok(listed.stdout.lines().filter_map(case).collect())
    }

    /// One whole process over one case; nanoseconds per iteration, the lower quartile of its samples:
    /// what the machine adds, it adds.
    pub(super) fn time(&self, bench: &Bench, case: &str) -> Result<f64> {
        let mut command = Command::new(&bench.executable);
        command.arg("--bench");
        let samples = match bench.harness {
            Harness::Criterion => {
                let home = self.scratch.join("criterion");
                let _ = fs::remove_dir_all(&home);
                command.args(["--noplot", "--exact", case, "--sample-size", "10"]);
                command.args(["--warm-up-time", "0.1", "--measurement-time", "0.2"]);
                command.args(["--nresamples", "1001"]);
                self.run(bench, &mut command)?;
                let sample =
                    find(&home, "sample.json").with_context(|| format!("{case}: no sample"))?;
                criterion_sample(&sample)?
            }
            _ => {
                let printed = self.run(bench, command.arg(case))?;
                let times = printed.stdout.lines().map(|line| line.trim().parse::<f64>());
                times.collect::<Result<Vec<f64>, _>>().with_context(|| {
                    format!("{case}: '--bench' must print a number of nanoseconds a line")
                })?
            }
        };
        lower_quartile(&samples).with_context(|| format!("{case}: not one sample"))
    }

    /// What `cases` count under valgrind; of a gungraun bench, all that it has.
    pub(super) fn count(
        &self,
        bench: &Bench,
        instrument: Instrument,
        cases: &[String],
    ) -> Result<Vec<Counts>> {
        if bench.harness == Harness::Gungraun {
            return self.gungraun(bench, instrument);
        }
        cases.iter().map(|case| self.valgrind(bench, instrument, case)).collect()
    }

    fn gungraun(&self, bench: &Bench, instrument: Instrument) -> Result<Vec<Counts>> {
        let home = self.scratch.join("gungraun");
        let _ = fs::remove_dir_all(&home);
        let mut command = Command::new(&bench.executable);
        command.args(["--bench", "--save-summary=json"]);
        if instrument == Instrument::Dhat {
            command.arg("--default-tool=dhat");
        }
        self.run(bench, &mut command)?;
        let mut files = Vec::new();
        collect(&home, "summary.json", &mut files);
        let counts = files.iter().map(|file| {
            let summary = gungraun_summary(file)?;
            let values = match instrument {
                Instrument::Callgrind => summary.instructions.into_iter().collect(),
                Instrument::Dhat => summary.blocks.into_iter().chain(summary.bytes).collect(),
            };
            Ok(Counts { case: summary.case, values })
        });
        counts.collect()
    }

    /// The whole process, which runs the case once.
    fn valgrind(&self, bench: &Bench, instrument: Instrument, case: &str) -> Result<Counts> {
        let out = self.scratch.join("valgrind.out");
        let mut command = Command::new("valgrind");
        let (tool, option) = match instrument {
            Instrument::Callgrind => ("callgrind", "callgrind-out-file"),
            Instrument::Dhat => ("dhat", "dhat-out-file"),
        };
        // Without its debugger's door, which is a file of the process id's name in every map.
        command.arg("--vgdb=no");
        command.arg(format!("--tool={tool}")).arg(format!("--{option}={}", out.display()));
        command.arg(&bench.executable).arg("--test").arg(case);
        if bench.harness == Harness::Criterion {
            command.arg("--exact");
        }
        self.run(bench, &mut command)?;
        let values = match instrument {
            Instrument::Callgrind => vec![callgrind_total(&out)?],
            Instrument::Dhat => dhat_totals(&out)?.to_vec(),
        };
        Ok(Counts { case: case.to_owned(), values })
    }
}

fn callgrind_total(path: &Path) -> Result<f64> {
    let text = fs::read_to_string(path).context("callgrind wrote nothing")?;
    let total = text
        .lines()
        .find_map(|line| line.strip_prefix("totals: ").or_else(|| line.strip_prefix("summary: ")));
    let first = total.and_then(|line| line.split_whitespace().next());
    first.and_then(|count| count.parse().ok()).context("callgrind's file has no total")
}

fn find(folder: &Path, name: &str) -> Option<PathBuf> {
    let mut files = Vec::new();
    collect(folder, name, &mut files);
    files.into_iter().find(|file| file.parent().is_some_and(|parent| parent.ends_with("new")))
}

fn collect(folder: &Path, name: &str, files: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).into_iter().flatten().flatten() {
        let path = entry.path();
        if path.is_dir() {
            collect(&path, name, files);
        } else if entry.file_name() == name {
            files.push(path);
        }
    }
}
