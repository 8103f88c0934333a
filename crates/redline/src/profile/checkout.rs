//! A checkout of the workspace: what is in it, how it is built, and other revisions of it.

use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, bail};
use serde::Deserialize;

use super::case::{COUNTED, KPI_PACKAGE};
use super::child::Runner;
use crate::cli::Global;

/// The workspace at some revision.
pub(super) struct Checkout {
    revision: String,
    metadata: Metadata,
    runner: Runner,
    /// Kept for as long as this is.
    _worktree: Option<Worktree>,
}

/// A worktree of ours, removed with this.
struct Worktree {
    repository: PathBuf,
    folder: PathBuf,
}

#[derive(Deserialize)]
struct Metadata {
    packages: Vec<Package>,
    workspace_root: PathBuf,
    target_directory: PathBuf,
}

#[derive(Deserialize)]
struct Package {
    name: String,
    manifest_path: PathBuf,
    targets: Vec<Target>,
}

#[derive(Deserialize)]
struct Target {
    kind: Vec<String>,
    name: String,
}

/// What cargo says of each thing that it has built.
#[derive(Deserialize)]
struct Built {
    target: Option<Target>,
    executable: Option<PathBuf>,
}

/// A built bench.
pub(super) struct Bench {
    executable: PathBuf,
    folder: PathBuf,
}

impl Checkout {
    /// The one that this folder is in.
    pub(super) fn here() -> Result<Self> {
        let metadata = metadata(Path::new("."))
            .context("cases are profiled in a checkout of redline, with cargo")?;
        let runner = Runner::new()?;
        Ok(Self { revision: "here".to_owned(), metadata, runner, _worktree: None })
    }

    /// The same at another revision, in a worktree of its own beside the system's other temporary
    /// files. It builds into this one's target folder, so that what both depend on is built once.
    pub(super) fn at(&self, revision: &str) -> Result<Self> {
        let commit = commit(self.root(), revision)?;
        let worktree = self.worktree(&commit)?;
        let metadata = Metadata {
            packages: metadata(&worktree.folder)?.packages,
            workspace_root: worktree.folder.clone(),
            target_directory: self.metadata.target_directory.clone(),
        };
        let (revision, runner) = (revision.to_owned(), self.runner.clone());
        Ok(Self { revision, metadata, runner, _worktree: Some(worktree) })
    }

    /// The place is always the same one: cargo builds anew what has moved.
    fn worktree(&self, commit: &str) -> Result<Worktree> {
        let short = &commit[..commit.len().min(12)];
        let folder = std::env::temp_dir().join(format!("redline-profile-{short}"));
        let path = folder.to_string_lossy().into_owned();
        let repository = self.root().to_owned();
        // Made first: it removes the worktree, whatever fails from here on.
        let worktree = Worktree { repository, folder };
        // A killed run has left its own.
        worktree.remove();
        // To its end, whatever is asked for meanwhile: half of one could not be removed.
        let add = ["worktree", "add", "--quiet", "--detach", "--force", &path, commit];
        let output = git(self.root()).args(add).output().context("cannot run git")?;
        if !output.status.success() {
            bail!("no worktree of {commit}: {}", last_line(&output.stderr));
        }
        Ok(worktree)
    }

    pub(super) fn root(&self) -> &Path {
        &self.metadata.workspace_root
    }

    pub(super) fn revision(&self) -> &str {
        &self.revision
    }

    pub(super) fn packages_with_benches(&self) -> Vec<String> {
        let packages = self.metadata.packages.iter();
        packages.filter(|p| p.benches().next().is_some()).map(|p| p.name.clone()).collect()
    }

    /// Builds a package's timed benches, with symbols and frame pointers as the workspace has them.
    pub(super) fn build_benches(&self, package: &str, global: &Global) -> Result<Vec<Bench>> {
        let package = self.package(package)?;
        let mut cargo = self.cargo("bench", global);
        cargo.args(["-p", &package.name, "--no-run", "--message-format=json"]);
        for bench in package.benches().filter(|bench| *bench != COUNTED) {
            cargo.args(["--bench", bench]);
        }
        let output = self.runner.output(&mut cargo)?;
        if !output.status.success() {
            bail!("{} does not build at {}", package.name, self.revision);
        }
        let folder = package.manifest_path.parent().unwrap_or(self.root());
        let text = String::from_utf8_lossy(&output.stdout);
        let built = text.lines().filter_map(|line| serde_json::from_str::<Built>(line).ok());
        let is_bench = |built: &Built| {
            built.target.as_ref().is_some_and(|target| target.kind.iter().any(|k| k == "bench"))
        };
        let bench =
            |built: Built| Some(Bench { executable: built.executable?, folder: folder.to_owned() });
        Ok(built.filter(is_bench).filter_map(bench).collect())
    }

    /// Names of the counted cases, as their bench gives them.
    pub(super) fn list_counted(&self, global: &Global) -> Result<Vec<String>> {
        let output = self.runner.output(self.counted(global).args(["--", "--list"]))?;
        let text = String::from_utf8_lossy(&output.stdout);
        if !output.status.success() {
            bail!("{COUNTED} does not build at {}", self.revision);
        }
        Ok(text
            .lines()
            .filter_map(|line| line.strip_suffix(": benchmark"))
            .map(str::to_owned)
            .collect())
    }

    pub(super) fn runner(&self) -> &Runner {
        &self.runner
    }

    /// `cargo bench` of the counted cases.
    pub(super) fn counted(&self, global: &Global) -> Command {
        let mut cargo = self.cargo("bench", global);
        cargo.args(["-p", KPI_PACKAGE, "--bench", COUNTED]);
        cargo
    }

    fn package(&self, name: &str) -> Result<&Package> {
        let found = self.metadata.packages.iter().find(|package| package.name == name);
        found.with_context(|| format!("no package `{name}` at {}", self.revision))
    }

    /// Cargo shows on standard error how far it is.
    fn cargo(&self, verb: &str, global: &Global) -> Command {
        let mut cargo = Command::new("cargo");
        cargo.arg(verb).current_dir(self.root());
        cargo.env("CARGO_TARGET_DIR", &self.metadata.target_directory);
        if global.quiet {
            cargo.arg("--quiet");
        }
        cargo
    }
}

impl Worktree {
    fn remove(&self) {
        let path = self.folder.to_string_lossy();
        // Twice: a killed run may have left it locked.
        let remove = ["worktree", "remove", "--force", "--force", &path];
        let removed = git(&self.repository).args(remove).output();
        if !removed.is_ok_and(|output| output.status.success()) && self.folder.exists() {
            let _ = std::fs::remove_dir_all(&self.folder);
            let _ = git(&self.repository).args(["worktree", "prune"]).output();
        }
    }
}

impl Drop for Worktree {
    fn drop(&mut self) {
        self.remove();
    }
}

impl Package {
    fn benches(&self) -> impl Iterator<Item = &str> {
        let is_bench = |target: &&Target| target.kind.iter().any(|kind| kind == "bench");
        self.targets.iter().filter(is_bench).map(|target| target.name.as_str())
    }
}

impl Bench {
    /// Names of its cases.
    pub(super) fn list(&self) -> Result<Vec<String>> {
        let output = self.run(&["--list"]).output()?;
        if !output.status.success() {
            bail!("{} --list: {}", self.executable.display(), last_line(&output.stderr));
        }
        let text = String::from_utf8_lossy(&output.stdout);
        let name = |line: &str| line.strip_suffix(": benchmark").map(str::to_owned);
        Ok(text.lines().filter_map(name).collect())
    }

    /// To be run as cargo runs it.
    pub(super) fn run(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(&self.executable);
        command.arg("--bench").args(arguments).current_dir(&self.folder);
        command
    }
}

fn metadata(folder: &Path) -> Result<Metadata> {
    let output = Command::new("cargo")
        .args(["metadata", "--no-deps", "--format-version", "1"])
        .current_dir(folder)
        .output()
        .context("cannot run cargo")?;
    if !output.status.success() {
        bail!("{}", last_line(&output.stderr));
    }
    Ok(serde_json::from_slice(&output.stdout)?)
}

/// The commit that somebody calls `revision`.
fn commit(root: &Path, revision: &str) -> Result<String> {
    let ask = |arguments: &[&str]| git(root).args(arguments).output().context("cannot run git");
    if !ask(&["rev-parse", "--git-dir"])?.status.success() {
        bail!("--diff {revision}: {} is not in a git repository", root.display());
    }
    let name = format!("{revision}^{{commit}}");
    let found = ask(&["rev-parse", "--verify", "--quiet", "--end-of-options", &name])?;
    if !found.status.success() {
        bail!("no revision `{revision}` in {}: name a commit, branch or tag", root.display());
    }
    Ok(String::from_utf8_lossy(&found.stdout).trim().to_owned())
}

fn git(folder: &Path) -> Command {
    let mut git = Command::new("git");
    // Ctrl-C is ours: a removal of the worktree that it ended would leave half of one.
    git.current_dir(folder).process_group(0);
    git
}

/// What a program said last.
pub(super) fn last_line(output: &[u8]) -> String {
    let text = String::from_utf8_lossy(output);
    text.lines().rfind(|line| !line.trim().is_empty()).unwrap_or("it said nothing").to_owned()
}
