//! Notes the commit that is built, for `redline --version`: again whenever HEAD moves or a source
//! changes.

use std::path::{Path, PathBuf};
use std::process::Command;

fn main() {
    println!("cargo:rerun-if-changed=build.rs");
    let commit = repository().and_then(|root| commit(&root));
    println!("cargo:rustc-env=REDLINE_COMMIT={}", commit.as_deref().unwrap_or("unknown commit"));
}

/// The workspace's own repository: one that merely has the workspace somewhere in it, as vendored
/// code, says nothing of this commit.
fn repository() -> Option<PathBuf> {
    // Asked when it runs: where two checkouts share a folder of build files, so do they this program.
    let package = PathBuf::from(std::env::var_os("CARGO_MANIFEST_DIR")?);
    let workspace = package.ancestors().nth(2)?.canonicalize().ok()?;
    let root = PathBuf::from(git(&workspace, &["rev-parse", "--show-toplevel"])?);
    (root.canonicalize().ok()? == workspace).then_some(workspace)
}

/// `commit 0123abc`, with `-dirty` where a tracked file differs from it.
fn commit(root: &Path) -> Option<String> {
    watch(root);
    let commit = git(root, &["rev-parse", "--short", "HEAD"])?;
    let status = ["--no-optional-locks", "status", "--porcelain", "--untracked-files=no"];
    let dirty = if git(root, &status)?.is_empty() { "" } else { "-dirty" };
    Some(format!("commit {commit}{dirty}"))
}

/// Has cargo run this again when HEAD moves (its log is written then), or a source changes.
fn watch(root: &Path) {
    let named = ["HEAD", "logs/HEAD"].map(|name| git(root, &["rev-parse", "--git-path", name]));
    let crates = std::fs::read_dir(root.join("crates")).into_iter().flatten().flatten();
    let sources = crates.map(|entry| entry.path().join("src"));
    let files = ["Cargo.toml", "Cargo.lock"].map(|name| root.join(name));
    let watched =
        named.into_iter().flatten().map(|name| root.join(name)).chain(sources).chain(files);
    // A file that is not there would have it run each time.
    for path in watched.filter(|path| path.exists()) {
        println!("cargo:rerun-if-changed={}", path.display());
    }
}

/// What git answers; `None` without git or where it refuses.
fn git(folder: &Path, arguments: &[&str]) -> Option<String> {
    let output = Command::new("git").current_dir(folder).args(arguments).output().ok()?;
    let text = String::from_utf8(output.stdout).ok()?;
    output.status.success().then(|| text.trim().to_owned())
}
