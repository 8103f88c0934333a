//! The two revisions, each in a work tree of its own: the caller's is never touched.

use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, bail};

/// The repository that holds the current folder.
pub(super) struct Repository {
    pub(super) root: PathBuf,
}

impl Repository {
    pub(super) fn open() -> Result<Self> {
        let here = std::env::current_dir().context("no current folder")?;
        let Ok(root) = git(&here, &["rev-parse", "--show-toplevel"]) else {
            bail!("{} is not in a git repository: run it where both revisions are", here.display());
        };
        Ok(Self { root: root.into() })
    }

    /// The commit that `revision` names.
    pub(super) fn commit(&self, revision: &str) -> Result<String> {
        let name = format!("{revision}^{{commit}}");
        git(&self.root, &["rev-parse", "--verify", "--quiet", "--end-of-options", &name])
            .ok()
            .filter(|commit| !commit.is_empty())
            .with_context(|| {
                format!("unknown revision '{revision}': 'git log --oneline --all' has them")
            })
    }

    /// Where `head` left `base`, which is what a change must be compared with.
    pub(super) fn fork_point(&self, base: &str, head: &str) -> Result<String> {
        let (base_commit, head) = (self.commit(base)?, self.commit(head)?);
        git(&self.root, &["merge-base", &base_commit, &head])
            .with_context(|| format!("'{base}' and the head have no history in common"))
    }

    /// The commits after `base` up to `head`, oldest first, along the first parents.
    pub(super) fn between(&self, base: &str, head: &str) -> Result<Vec<String>> {
        let range = format!("{base}..{head}");
        let list = git(&self.root, &["rev-list", "--first-parent", "--reverse", &range])?;
        Ok(list.lines().map(str::to_owned).collect())
    }

    /// The first line of a commit's message.
    pub(super) fn subject(&self, commit: &str) -> String {
        git(&self.root, &["log", "-1", "--format=%s", commit]).unwrap_or_default()
    }

    pub(super) fn has_changes(&self) -> bool {
        git(&self.root, &["status", "--porcelain"]).is_ok_and(|changes| !changes.is_empty())
    }

    /// A detached work tree of `commit` at `path`.
    pub(super) fn work_tree(&self, commit: &str, path: &Path) -> Result<WorkTree> {
        let tree = WorkTree { root: self.root.clone(), path: path.to_owned() };
        // What a killed gate left.
        tree.remove();
        let text = path.to_str().context("the cache folder's name is not Unicode")?;
        git(&self.root, &["worktree", "add", "--force", "--detach", text, commit])
            .with_context(|| format!("cannot make a work tree at {text}"))?;
        Ok(tree)
    }
}

/// A work tree that is removed when it is dropped.
pub(super) struct WorkTree {
    root: PathBuf,
    pub(super) path: PathBuf,
}

impl WorkTree {
    fn remove(&self) {
        if self.path.exists() {
            let path = self.path.to_string_lossy();
            let _ = git(&self.root, &["worktree", "remove", "--force", &path]);
            let _ = std::fs::remove_dir_all(&self.path);
        }
        let _ = git(&self.root, &["worktree", "prune"]);
    }
}

impl Drop for WorkTree {
    fn drop(&mut self) {
        self.remove();
    }
}

fn git(folder: &Path, arguments: &[&str]) -> Result<String> {
    // In a group of its own, so that Ctrl-C does not end the tidying up.
    use std::os::unix::process::CommandExt;
    let output = Command::new("git")
        .current_dir(folder)
        .args(arguments)
        .process_group(0)
        .output()
        .context("cannot run git")?;
    if !output.status.success() {
        let text = String::from_utf8_lossy(&output.stderr);
        bail!("git {}: {}", arguments[0], text.lines().last().unwrap_or("failed"));
    }
    Ok(String::from_utf8_lossy(&output.stdout).trim().to_owned())
}
