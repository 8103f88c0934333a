//! Bench targets of one revision, built with the flags and the lock of that revision.
//!
//! Both revisions build into one target folder of the cache, one after the other, so that their
//! dependencies are built once. Each is checked out just before it is built: its files are then newer
//! than what the other left there, and cargo builds them again.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, bail};
use perf_gate::gate::BenchSpec;
use serde::Deserialize;

use super::process::Runner;

/// Executables by package and target; a target that the revision has not is missing.
pub(super) type Executables = BTreeMap<(String, String), PathBuf>;

pub(super) struct Builder<'a> {
    pub(super) runner: &'a Runner,
    /// Of both sides.
    pub(super) target: PathBuf,
    pub(super) scratch: PathBuf,
}

#[derive(Deserialize)]
struct Metadata {
    packages: Vec<Package>,
}

#[derive(Deserialize)]
struct Package {
    name: String,
    targets: Vec<Target>,
}

#[derive(Deserialize)]
struct Target {
    name: String,
    kind: Vec<String>,
}

#[derive(Deserialize)]
struct Message {
    reason: String,
    executable: Option<PathBuf>,
    target: Option<Target>,
    message: Option<Diagnostic>,
}

#[derive(Deserialize)]
struct Diagnostic {
    level: String,
    message: String,
    spans: Vec<Span>,
}

#[derive(Deserialize)]
struct Span {
    file_name: String,
    line_start: usize,
    column_start: usize,
    is_primary: bool,
}

impl Builder<'_> {
    /// Builds what of `benches` the revision in `tree` has, and copies it to `keep`.
    pub(super) fn build(
        &self,
        benches: &[BenchSpec],
        tree: &Path,
        keep: &Path,
    ) -> Result<Executables> {
        let present = self.targets(tree)?;
        std::fs::create_dir_all(keep).with_context(|| format!("cannot make {}", keep.display()))?;
        let mut executables = Executables::new();
        for BenchSpec { package, target, .. } in benches {
            let key = (package.clone(), target.clone());
            if executables.contains_key(&key) || !present.contains(&key) {
                continue;
            }
            let copy = keep.join(format!("{package}-{target}"));
            if !copy.exists() {
                let built = self.target(package, target, tree)?;
                let partial = copy.with_extension("partial");
                std::fs::copy(&built, &partial)
                    .and_then(|_| std::fs::rename(&partial, &copy))
                    .with_context(|| format!("cannot keep {}", copy.display()))?;
            }
            executables.insert(key, copy);
        }
        Ok(executables)
    }

    fn cargo(&self, tree: &Path) -> Command {
        let mut command = Command::new("cargo");
        command.current_dir(tree).env("CARGO_TARGET_DIR", &self.target);
        command
    }

    /// Bench targets that the revision has.
    fn targets(&self, tree: &Path) -> Result<Vec<(String, String)>> {
        let mut command = self.cargo(tree);
        command.args(["metadata", "--no-deps", "--format-version", "1"]);
        let finished = self.runner.run(&mut command, &self.scratch)?;
        if !finished.success {
            bail!("{}", finished.first_error());
        }
        let metadata: Metadata = serde_json::from_str(&finished.stdout).with_context(|| {
            format!("cargo metadata wrote no whole document in {}", self.scratch.display())
        })?;
        let benches = metadata.packages.into_iter().flat_map(|package| {
            let is_bench = |target: &Target| target.kind.iter().any(|kind| kind == "bench");
            let benches: Vec<Target> = package.targets.into_iter().filter(is_bench).collect();
            benches.into_iter().map(move |target| (package.name.clone(), target.name))
        });
        Ok(benches.collect())
    }

    /// What is told where the compiler itself said nothing: a full disk ends it like that.
    fn without_diagnostic(&self, error: &str) -> String {
        let free = rustix::fs::statvfs(&self.target).map(|disk| disk.f_bavail * disk.f_frsize);
        let free = free.map_or_else(|_| "unknown".to_owned(), |bytes| (bytes >> 20).to_string());
        format!("{error}; {} has {free} MB left", self.target.display())
    }

    fn target(&self, package: &str, target: &str, tree: &Path) -> Result<PathBuf> {
        let mut command = self.cargo(tree);
        command.args([
            "bench",
            "--no-run",
            "--message-format=json",
            "-p",
            package,
            "--bench",
            target,
        ]);
        if tree.join("Cargo.lock").exists() {
            command.arg("--locked");
        }
        let finished = self.runner.run(&mut command, &self.scratch)?;
        let messages: Vec<Message> =
            finished.stdout.lines().filter_map(|line| serde_json::from_str(line).ok()).collect();
        if !finished.success {
            let first = messages.iter().find_map(first_error);
            bail!("{}", first.unwrap_or_else(|| self.without_diagnostic(finished.first_error())));
        }
        messages
            .into_iter()
            .filter(|message| message.reason == "compiler-artifact")
            .filter(|message| {
                message
                    .target
                    .as_ref()
                    .is_some_and(|t| t.name == target && t.kind.iter().any(|kind| kind == "bench"))
            })
            .find_map(|message| message.executable)
            .with_context(|| format!("cargo built no executable for {package}/{target}"))
    }
}

/// `error: mismatched types (src/lib.rs:3:5)`.
fn first_error(message: &Message) -> Option<String> {
    let diagnostic = message.message.as_ref().filter(|message| message.level == "error")?;
    let place =
        diagnostic.spans.iter().find(|span| span.is_primary).map_or_else(String::new, |span| {
            format!(" ({}:{}:{})", span.file_name, span.line_start, span.column_start)
        });
    Some(format!("{}{place}", diagnostic.message.lines().next().unwrap_or_default()))
}
