//! The gate on a small crate of its own, changed and broken as changes are.

use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use std::time::{Duration, Instant};

use crate::common::{Folder, stderr, stdout, text};

/// A bench that speaks the plain protocol; `STEPS` is what a change changes.
const BENCH: &str = r#"
use std::hint::black_box;
const STEPS: u64 = 100_000;
fn main() {
    let words: Vec<String> = std::env::args().skip(1).collect();
    if words.last().is_some_and(|word| word == "--list") {
        println!("sum: benchmark");
        return;
    }
    let started = std::time::Instant::now();
    black_box((0..black_box(STEPS)).fold(0u64, |sum, i| black_box(sum ^ i)));
    println!("{}", started.elapsed().as_nanos());
}
"#;

const MANIFEST: &str = r#"
[package]
name = "small"
version = "0.0.0"
edition = "2021"
[lib]
path = "lib.rs"
bench = false
[[bench]]
name = "small"
path = "bench.rs"
harness = false
[profile.bench]
opt-level = 0
[workspace]
"#;

/// Counts instructions, if there is a valgrind.
const POLICY: &str = r#"
schema = "redline.policy/1"
[instructions]
[[bench]]
package = "small"
target = "small"
harness = "plain"
layers = ["instructions"]
"#;

/// A repository with the small crate in its first commit.
struct Repository {
    folder: Folder,
}

impl Repository {
    fn new(policy: &str) -> Self {
        let folder = Folder::new();
        std::fs::create_dir(folder.path("repository")).unwrap();
        let repository = Self { folder };
        repository.git(&["init", "--quiet", "--initial-branch=main"]);
        let files =
            [("Cargo.toml", MANIFEST), ("lib.rs", ""), ("gate.toml", policy), ("bench.rs", BENCH)];
        for (name, content) in files {
            repository.write(name, content);
        }
        repository.write(".gitignore", "Cargo.lock\n");
        repository.commit();
        repository
    }

    fn root(&self) -> PathBuf {
        self.folder.path("repository")
    }

    fn write(&self, name: &str, content: &str) {
        std::fs::write(self.root().join(name), content).unwrap();
    }

    fn git(&self, arguments: &[&str]) -> String {
        let output = Command::new("git").current_dir(self.root()).args(arguments).output().unwrap();
        assert!(output.status.success(), "git {arguments:?}: {}", stderr(&output));
        stdout(&output)
    }

    fn commit(&self) {
        self.git(&["add", "--all"]);
        let who = ["-c", "user.name=test", "-c", "user.email=test@localhost"];
        let commit = ["-c", "commit.gpgsign=false", "commit", "--quiet", "-m", "change"];
        self.git(&[&who[..], &commit[..]].concat());
    }

    /// Commits the bench with `from` replaced by `to`.
    fn change(&self, from: &str, to: &str) {
        assert!(BENCH.contains(from));
        self.write("bench.rs", &BENCH.replacen(from, to, 1));
        self.commit();
    }

    fn command(&self, more: &[&str]) -> Command {
        let cache = self.folder.path("cache");
        let mut command = Command::new(env!("CARGO_BIN_EXE_redline"));
        command.current_dir(self.root()).args(["gate", "--policy", "gate.toml", "--cache"]);
        command.arg(cache).args(more).env_remove("GITHUB_ACTIONS");
        command
    }

    /// `redline gate` of the last commit against the one before.
    fn gate(&self, more: &[&str]) -> Output {
        let mut arguments = vec!["--base", "HEAD^"];
        arguments.extend(more);
        self.command(&arguments).output().unwrap()
    }

    fn has_only_its_own_work_tree(&self) -> bool {
        let trees = self.folder.path("cache").join("trees");
        let left = std::fs::read_dir(trees).map_or(0, Iterator::count);
        left == 0 && self.git(&["worktree", "list"]).lines().count() == 1
    }
}

fn refused(output: &Output, needles: &[&str]) {
    let message = stderr(output);
    assert_eq!(output.status.code(), Some(2), "{message}{}", stdout(output));
    assert_eq!(message.trim_end().lines().count(), 1, "not one line: {message}");
    for needle in needles {
        assert!(message.contains(needle), "no '{needle}' in: {message}");
    }
}

fn has_valgrind() -> bool {
    let version = Command::new("valgrind").arg("--version").output();
    version.is_ok_and(|output| output.status.success())
}

#[test]
fn outside_a_repository() {
    let folder = Folder::new();
    let output = Command::new(env!("CARGO_BIN_EXE_redline"))
        .current_dir(folder.path(""))
        .arg("gate")
        .output()
        .unwrap();
    refused(&output, &["not in a git repository"]);
}

#[test]
fn an_unknown_revision_and_a_missing_or_wrong_policy() {
    let repository = Repository::new(POLICY);
    refused(
        &repository.command(&["--base", "HEAD", "--head", "nowhere"]).output().unwrap(),
        &["unknown revision 'nowhere'"],
    );
    refused(&repository.command(&["--base", "v9"]).output().unwrap(), &["unknown revision 'v9'"]);
    std::fs::remove_file(repository.root().join("gate.toml")).unwrap();
    refused(
        &repository.command(&["--base", "HEAD"]).output().unwrap(),
        &["gate.toml", "No such file"],
    );
    repository.write("gate.toml", "schema = \"redline.policy/1\"\n[wal]\n");
    refused(
        &repository.command(&["--base", "HEAD"]).output().unwrap(),
        &["gate.toml", "line 2", "wal"],
    );
}

#[test]
fn a_comment_is_unchanged() {
    let repository = Repository::new(POLICY);
    repository.write("lib.rs", "// A remark.\n");
    repository.commit();
    let output = repository.gate(&[]);
    assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
    assert!(stdout(&output).contains("unchanged"), "{}", stdout(&output));
}

#[test]
fn more_instructions_are_a_regression() {
    if !has_valgrind() {
        return;
    }
    let repository = Repository::new(POLICY);
    repository.change("100_000", "110_000");
    let report = repository.folder.path("gate.md");
    let output = repository.gate(&["--markdown", text(&report)]);
    assert_eq!(output.status.code(), Some(1), "{}", stderr(&output));
    assert!(stdout(&output).contains("REGRESSED"), "{}", stdout(&output));
    assert!(std::fs::read_to_string(report).unwrap().contains("| instructions: sum |"));
}

#[test]
fn the_caller_s_work_tree_is_neither_gated_nor_touched() {
    let repository = Repository::new(POLICY);
    repository.write("lib.rs", "// A remark.\n");
    repository.commit();
    repository.write("lib.rs", "not even Rust\n");
    repository.write("new.txt", "mine\n");
    let before = repository.git(&["status", "--porcelain"]);
    let output = repository.gate(&[]);
    assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
    assert!(stdout(&output).contains("uncommitted changes"), "{}", stdout(&output));
    assert_eq!(repository.git(&["status", "--porcelain"]), before);
    let mine = std::fs::read_to_string(repository.root().join("lib.rs")).unwrap();
    assert_eq!(mine, "not even Rust\n");
    assert!(repository.has_only_its_own_work_tree());
}

#[test]
fn a_bench_that_the_base_has_not_is_new() {
    let repository = Repository::new(POLICY);
    let target = "[[bench]]\nname = \"small\"\npath = \"bench.rs\"\nharness = false\n";
    repository.write("Cargo.toml", &MANIFEST.replacen(target, "", 1));
    repository.commit();
    repository.write("Cargo.toml", MANIFEST);
    repository.commit();
    let output = repository.gate(&[]);
    assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
    assert!(stdout(&output).contains("1 new"), "{}", stdout(&output));
}

#[test]
fn a_head_that_does_not_build_is_told_with_the_first_error() {
    let repository = Repository::new(POLICY);
    repository.change("const STEPS: u64 = 100_000;", "const STEPS: u64 = \"many\";");
    let output = repository.gate(&[]);
    refused(&output, &["head", "does not build", "mismatched types (bench.rs:3:"]);
    assert!(repository.has_only_its_own_work_tree());
}

#[test]
fn without_valgrind_the_policy_says_whether_that_blocks() {
    let repository = Repository::new(POLICY);
    repository.change("100_000", "110_000");
    // A valgrind that does not work stands before any other.
    let tools = repository.folder.path("tools");
    std::fs::create_dir(&tools).unwrap();
    let fake = tools.join("valgrind");
    std::fs::write(&fake, "#!/bin/sh\nexit 1\n").unwrap();
    let mode = std::os::unix::fs::PermissionsExt::from_mode(0o755);
    std::fs::set_permissions(&fake, mode).unwrap();
    let path = format!("{}:{}", text(&tools), std::env::var("PATH").unwrap());
    let gate = || repository.command(&["--base", "HEAD^"]).env("PATH", &path).output().unwrap();
    let output = gate();
    assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
    assert!(stdout(&output).contains("instructions: not available: no valgrind"));
    repository
        .write("gate.toml", &POLICY.replace("[instructions]", "[instructions]\nrequired = true"));
    let output = gate();
    assert_eq!(output.status.code(), Some(1), "{}", stderr(&output));
    assert!(stdout(&output).contains("required, but not available"), "{}", stdout(&output));
}

#[test]
fn an_expired_acceptance_fails() {
    let accept = "[[accept]]\nlayer = \"instructions\"\nmetric = \"sum\"\nchange_percent = 20.0\n\
                  reason = \"checks\"\nissue = \"#7\"\nexpires = ";
    let repository = Repository::new(&format!("{POLICY}{accept}2020-01-31\n"));
    let comment = |text: &str| {
        repository.write("lib.rs", text);
        repository.commit();
    };
    comment("// One.\n");
    let output = repository.gate(&[]);
    assert_eq!(output.status.code(), Some(1), "{}", stderr(&output));
    assert!(stdout(&output).contains("expired on 2020-01-31"), "{}", stdout(&output));
}

#[test]
fn bisect_names_the_first_bad_commit() {
    if !has_valgrind() {
        return;
    }
    let repository = Repository::new(POLICY);
    let first = repository.git(&["rev-parse", "HEAD"]);
    let commits: Vec<String> = ["100_001", "fn broken", "110_000"]
        .into_iter()
        .map(|steps| {
            repository.change("100_000", steps);
            repository.git(&["rev-parse", "HEAD"]).trim().to_owned()
        })
        .collect();
    let document = repository.folder.path("bisect.json");
    let bisect = |metric: &str| {
        let options = ["--base", first.trim(), "--bisect", metric, "--json", text(&document)];
        repository.command(&options).output().unwrap()
    };
    let output = bisect("sum");
    assert_eq!(output.status.code(), Some(1), "{}", stderr(&output));
    let printed = stdout(&output);
    assert!(printed.contains(&format!("first bad commit: {}", commits[2])), "{printed}");
    let document = std::fs::read_to_string(&document).unwrap();
    let document: serde_json::Value = serde_json::from_str(&document).unwrap();
    assert_eq!(document["schema"], "redline.gate-bisect/1");
    assert_eq!(document["first_bad"], commits[2]);
    assert_eq!(document["last_good"], commits[0]);
    refused(&bisect("none"), &["'none' cannot be judged", "no bench of the policy has it"]);
    assert!(repository.has_only_its_own_work_tree());
}

#[test]
fn ctrl_c_removes_the_work_trees() {
    let repository = Repository::new(POLICY);
    // A build that would take a minute.
    repository.write(
        "build.rs",
        "fn main() { std::thread::sleep(std::time::Duration::from_secs(60)) }\n",
    );
    repository.commit();
    let gate = repository
        .command(&["--base", "HEAD^"])
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let head = repository.git(&["rev-parse", "HEAD"]);
    let tree = repository.folder.path("cache").join("trees").join(head.trim());
    wait_for(&tree.join("build.rs"));
    // Into the build.
    std::thread::sleep(Duration::from_millis(500));
    let id = gate.id().to_string();
    assert!(Command::new("kill").args(["-INT", &id]).status().unwrap().success());
    let asked = Instant::now();
    let output = gate.wait_with_output().unwrap();
    assert!(asked.elapsed() < Duration::from_secs(20), "{:?}", asked.elapsed());
    refused(&output, &["interrupted"]);
    assert!(repository.has_only_its_own_work_tree());
}

fn wait_for(path: &Path) {
    let started = Instant::now();
    while !path.exists() {
        assert!(started.elapsed() < Duration::from_secs(120), "no {}", path.display());
        std::thread::sleep(Duration::from_millis(20));
    }
}
