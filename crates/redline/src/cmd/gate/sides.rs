//! Both revisions, checked out and built.

use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result};
use indicatif::ProgressBar;
use perf_gate::gate::BenchSpec;

use super::Question;
use super::build::{Builder, Executables};
use super::harness::Bench;
use super::process::Runner;
use super::repository::WorkTree;

/// A revision, ready to be measured.
pub(super) struct Prepared {
    tree: PathBuf,
    executables: Executables,
}

/// Both, and where their processes write. Work trees go when this does.
pub(super) struct Sides {
    pub(super) base: Prepared,
    pub(super) head: Prepared,
    pub(super) scratch: tempfile::TempDir,
    _trees: Vec<WorkTree>,
}

impl Prepared {
    /// The bench of `spec`, where the revision has it.
    pub(super) fn bench(&self, spec: &BenchSpec) -> Option<Bench> {
        let key = (spec.package.clone(), spec.target.clone());
        let executable = self.executables.get(&key)?.clone();
        Some(Bench { harness: spec.harness, executable, tree: self.tree.clone() })
    }

    pub(super) fn tree(&self) -> &Path {
        &self.tree
    }
}

/// Checks out and builds the base, then the head.
pub(super) fn prepare(
    question: &Question<'_>,
    runner: &Runner,
    bar: &ProgressBar,
) -> Result<Sides> {
    let scratch = tempfile::tempdir().context("no folder for temporary files")?;
    let builder = Builder {
        runner,
        target: question.cache.join("target"),
        scratch: scratch.path().to_owned(),
    };
    let flags = flags(runner, scratch.path(), question.repository.root.as_path())?;
    let mut trees: Vec<WorkTree> = Vec::new();
    let mut side = |name: &'static str, commit: &str| -> Result<Prepared> {
        bar.set_message(if name == "base" {
            "gate: build the base"
        } else {
            "gate: build the head"
        });
        // Named by commit: of equal length, and found again by benches that know their own folder.
        let tree = question.cache.join("trees").join(commit);
        if trees.iter().all(|other| other.path != tree) {
            trees.push(question.repository.work_tree(commit, &tree)?);
        }
        let keep = question.cache.join("benches").join(format!("{commit}-{flags:016x}"));
        let executables = builder
            .build(&question.policy.benches, &tree, &keep)
            .with_context(|| format!("{name} {} does not build", &commit[..12]))?;
        Ok(Prepared { tree, executables })
    };
    let base = side("base", &question.base)?;
    let head = side("head", &question.head)?;
    Ok(Sides { base, head, scratch, _trees: trees })
}

/// What decides, beside the commit, which code is built: the compiler and the environment's flags.
fn flags(runner: &Runner, scratch: &Path, root: &Path) -> Result<u64> {
    let version = runner.run(Command::new("rustc").arg("-vV").current_dir(root), scratch)?;
    let flags = ["RUSTFLAGS", "CARGO_ENCODED_RUSTFLAGS", "CARGO_BUILD_TARGET"]
        .map(|name| format!("{name}={:?}", std::env::var_os(name)));
    Ok(perf_gate::gate::key((version.stdout + &flags.join(";")).as_bytes()))
}
