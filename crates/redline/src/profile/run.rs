//! Profiles one case in one checkout.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::{Context, Result, bail};
use bench_kit::profile::{About, CallGraph, Kind, Summary};

use super::case::Case;
use super::checkout::{Checkout, last_line};
use crate::cli::Global;
use crate::progress;

/// Long enough for a share of 1 percent to be seen to a tenth of itself.
const CPU_SECONDS: &str = "5";
/// Bytes are exact: the shortest run that criterion does.
const HEAP_SECONDS: &str = "1";

/// Profiles `case` as it is in `checkout`, into `out`.
pub(super) fn profile(
    case: &Case,
    checkout: &Checkout,
    out: &Path,
    global: &Global,
) -> Result<Summary> {
    match case.kind() {
        Kind::Instructions => count(case, checkout, out, global),
        kind => time(case, kind, checkout, out, global),
    }
}

fn time(
    case: &Case,
    kind: Kind,
    checkout: &Checkout,
    out: &Path,
    global: &Global,
) -> Result<Summary> {
    let benches = checkout.build_benches(case.package(), global)?;
    for bench in benches {
        if !bench.list()?.iter().any(|listed| listed == case.id()) {
            continue;
        }
        let (word, seconds) = match kind {
            Kind::Heap => ("heap", HEAP_SECONDS),
            _ => ("cpu", CPU_SECONDS),
        };
        forget(out)?;
        let mut command = bench.run(&["--profile-time", seconds, "--exact", case.id()]);
        command.env("BENCH_KIT_PROFILE", word).env("BENCH_KIT_FOLDER", out);
        finish(&mut command, case, checkout, global)?;
        return Summary::read(out).with_context(|| format!("{} has left no profile", case.name()));
    }
    bail!("no case `{}` at {}", case.name(), checkout.revision())
}

fn count(case: &Case, checkout: &Checkout, out: &Path, global: &Global) -> Result<Summary> {
    let home = tempfile::tempdir().context("no folder for temporary files")?;
    let mut command = checkout.counted(global);
    command.arg("--").arg(format!("--home={}", home.path().display())).arg(case.id());
    finish(&mut command, case, checkout, global)?;
    let file = callgrind_file(home.path())
        .with_context(|| format!("no case `{}` at {}", case.name(), checkout.revision()))?;
    let text = std::fs::read_to_string(&file)?;
    let about = About::new(case.name(), Kind::Instructions);
    Ok(CallGraph::parse(&text)?.write(out, &about)?)
}

/// Runs a bench to its end; what it said last, where it fails.
fn finish(command: &mut Command, case: &Case, checkout: &Checkout, global: &Global) -> Result<()> {
    let spinner = progress::spinner(format!("profiling {}", case.name()), global);
    let output = checkout.runner().output(command.stderr(Stdio::piped()));
    spinner.finish_and_clear();
    let output = output?;
    if !output.status.success() {
        let why = last_line(&output.stderr);
        bail!("{} at {} failed: {why}", case.name(), checkout.revision());
    }
    Ok(())
}

/// A profile that fails must not leave an older one to be taken for it.
fn forget(out: &Path) -> Result<()> {
    match std::fs::remove_file(out.join(bench_kit::profile::files::SUMMARY)) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
            Err(error).with_context(|| format!("cannot write {}", out.display()))
        }
        _ => Ok(()),
    }
}

/// The one file of callgrind's under `folder`.
fn callgrind_file(folder: &Path) -> Option<PathBuf> {
    let entries = std::fs::read_dir(folder).ok()?.flatten().map(|entry| entry.path());
    let is_file = |path: &PathBuf| {
        let name = path.file_name().map(|name| name.to_string_lossy().into_owned());
        name.is_some_and(|name| name.starts_with("callgrind.") && name.ends_with(".out"))
    };
    let mut paths: Vec<PathBuf> = entries.collect();
    paths.sort();
    let inner = |path: &PathBuf| path.is_dir().then(|| callgrind_file(path)).flatten();
    paths
        .iter()
        .find(|path| path.is_file() && is_file(path))
        .cloned()
        .or_else(|| paths.iter().find_map(inner))
}
