//! `redline profile` as a user runs it: on a small workspace whose bench leaves files that are known,
//! so that a build takes a second, and on runs of `redline` itself.

use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use std::time::{Duration, Instant};

use crate::common::{Folder, redline, refused, stderr, stdout, text};

const MANIFEST: &str = "\
[package]
name = \"kernels\"
version = \"0.1.0\"
edition = \"2024\"

[[bench]]
name = \"kernels\"
harness = false

[workspace]
";

/// Lists two cases as criterion does, and leaves what a profiled one does.
const BENCH: &str = r##"
fn main() {
    if std::env::args().any(|argument| argument == "--list") {
        println!("kernels/sum/20: benchmark\nkernels/sum/50: benchmark");
        return;
    }
    if let Ok(seconds) = std::env::var("KERNELS_SLEEP") {
        std::thread::sleep(std::time::Duration::from_secs(seconds.parse().unwrap()));
    }
    let folder = std::path::PathBuf::from(std::env::var("BENCH_KIT_FOLDER").unwrap());
    std::fs::create_dir_all(&folder).unwrap();
    let write = |name: &str, text: &str| std::fs::write(folder.join(name), text).unwrap();
    write("stacks.folded", include_str!("../stacks.folded"));
    write("flamegraph.svg", "<svg/>");
    write("summary.json", include_str!("../summary.json"));
}
"##;

/// A case of 1,000 samples with `hot` of them in one function.
fn case_files(folder: &Folder, hot: u64) {
    let stacks = format!("main;kernels::hot {hot}\nmain;kernels::cool {}\n", 1000 - hot);
    folder.file("stacks.folded", &stacks);
    let percent = hot as f64 / 10.0;
    let summary = serde_json::json!({
        "schema": "redline.profile/1", "name": "kernels/sum/20", "kind": "cpu", "unit": "samples",
        "total": 1000, "frequency_hz": 997, "lost": 0, "calls": null, "ns_per_call": 2000.0,
        "top_self": [{"frame": "kernels::hot", "value": hot, "percent": percent}],
        "top_total": [{"frame": "kernels::hot", "value": hot, "percent": percent}],
        "machine": {"cpu_model": null, "threads": 2, "os": "any"},
        "commit": null, "dirty": null, "command": [],
    });
    folder.file("summary.json", &summary.to_string());
}

fn git(folder: &Folder, arguments: &[&str]) -> Output {
    let identity = ["-c", "user.name=a", "-c", "user.email=a@b", "-c", "commit.gpgsign=false"];
    let mut git = Command::new("git");
    let output = git.args(identity).args(arguments).current_dir(folder.path("")).output().unwrap();
    assert!(output.status.success(), "{}", stderr(&output));
    output
}

/// A workspace with one bench, in a repository: 700 of 1,000 samples were hot, now 400 are.
fn workspace() -> Folder {
    let folder = Folder::new();
    for name in ["src", "benches", "tmp"] {
        std::fs::create_dir(folder.path(name)).unwrap();
    }
    folder.file("Cargo.toml", MANIFEST);
    folder.file("src/lib.rs", "");
    folder.file("benches/kernels.rs", BENCH);
    folder.file(".gitignore", "target\ntmp\nprofiles\nCargo.lock\n");
    case_files(&folder, 700);
    git(&folder, &["init", "--quiet"]);
    git(&folder, &["add", "."]);
    git(&folder, &["commit", "--quiet", "-m", "a"]);
    case_files(&folder, 400);
    folder
}

fn in_folder(folder: &Path, temporary: &Path) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_redline"));
    command.current_dir(folder).env("TMPDIR", temporary).env_remove("CARGO_TARGET_DIR");
    command
}

fn profile(folder: &Folder, arguments: &[&str]) -> Output {
    let mut command = in_folder(&folder.path(""), &folder.path("tmp"));
    command.arg("profile").args(arguments).output().unwrap()
}

fn worktrees(folder: &Folder) -> usize {
    stdout(&git(folder, &["worktree", "list"])).lines().count()
}

#[test]
fn a_case_is_profiled_here_and_at_a_revision_and_what_changed_is_told() {
    let folder = workspace();
    let run = |more: &[&str]| {
        let output = profile(&folder, &[&["kernels/sum/20", "--diff", "HEAD"], more].concat());
        assert!(output.status.success(), "{}", stderr(&output));
        stdout(&output)
    };
    assert_eq!(run(&["--quiet"]), "");
    let told = run(&[]);
    assert!(
        told.contains("1,000 samples at 997 Hz") && told.contains("40.0%    40.0%  kernels::hot"),
        "{told}"
    );
    // A sample of the thousand is 2 ns of a call.
    assert!(told.contains("1,400           800       -42.86%  kernels::hot"), "{told}");
    assert!(told.contains("600         1,200      +100.00%  kernels::cool"), "{told}");
    let out = folder.path("profiles/kernels/sum/20");
    let files = ["flamegraph.svg", "difference.svg", "base/stacks.folded", "summary.json"];
    assert_eq!(files.map(|name| out.join(name).is_file()), [true; 4], "of {files:?}");
    assert!(told.trim_end().ends_with("profiles/kernels/sum/20/flamegraph.svg"), "{told}");
    assert_eq!(worktrees(&folder), 1);
}

#[test]
fn names_and_revisions_that_are_not_there_are_met_with_those_that_are() {
    let folder = workspace();
    refused(&profile(&folder, &["kernel/sum/20"]), &["`kernel`", "did you mean kernels?"]);
    refused_after_build(&folder, "kernels/sum/2", "did you mean kernels/sum/20?");
    refused_after_build(
        &folder,
        "kernels/sum",
        "2 cases, name one: kernels/sum/20, kernels/sum/50",
    );
    let of = |more: &[&str]| profile(&folder, &[&["kernels/sum/20"], more].concat());
    refused(&of(&["--diff", "no-such"]), &["no revision `no-such`"]);
    folder.file("taken", "");
    let taken = folder.path("taken/out");
    refused(&of(&["--out", text(&taken)]), &["cannot write to", "taken/out"]);
    assert_eq!(worktrees(&folder), 1);
    assert!(!folder.path("profiles").exists(), "nothing was profiled");
}

/// Cargo's own lines on standard error come first.
#[track_caller]
fn refused_after_build(folder: &Folder, case: &str, needle: &str) {
    let output = profile(folder, &[case, "--quiet"]);
    refused(&output, &[needle]);
}

#[test]
fn a_folder_without_a_repository_has_no_revisions_and_one_without_a_workspace_no_cases() {
    let folder = workspace();
    std::fs::remove_dir_all(folder.path(".git")).unwrap();
    let output = profile(&folder, &["kernels/sum/20", "--diff", "HEAD"]);
    refused(&output, &["--diff HEAD", "not in a git repository"]);
    let empty = folder.path("tmp");
    std::fs::remove_file(folder.path("Cargo.toml")).unwrap();
    let output = in_folder(&empty, &empty).args(["profile", "kernels/sum/20"]).output().unwrap();
    refused(&output, &["in a checkout of redline", "Cargo.toml"]);
}

#[test]
fn without_valgrind_nothing_is_counted() {
    let folder = workspace();
    let mut command = in_folder(&folder.path(""), &folder.path("tmp"));
    command.args(["profile", "kernels/sum/20", "--kind", "instructions"]).env("PATH", "/nowhere");
    refused(&command.output().unwrap(), &["valgrind", "there is none"]);
}

#[test]
fn an_interrupted_comparison_leaves_no_worktree() {
    let folder = workspace();
    let mut command = in_folder(&folder.path(""), &folder.path("tmp"));
    command.args(["profile", "kernels/sum/20", "--diff", "HEAD", "--quiet"]);
    command.env("KERNELS_SLEEP", "60").stderr(Stdio::piped());
    let redline = command.spawn().unwrap();
    let started = Instant::now();
    while worktrees(&folder) < 2 {
        assert!(started.elapsed() < Duration::from_secs(60), "no worktree was made");
        std::thread::sleep(Duration::from_millis(20));
    }
    let interrupt = ["-INT", &redline.id().to_string()].map(str::to_owned);
    assert!(Command::new("kill").args(interrupt).status().unwrap().success());
    let output = redline.wait_with_output().unwrap();
    refused(&output, &["interrupted"]);
    assert!(started.elapsed() < Duration::from_secs(50), "it waited for the bench");
    assert_eq!(worktrees(&folder), 1);
    assert_eq!(std::fs::read_dir(folder.path("tmp")).unwrap().count(), 0);
}

/// What a profile of a run has in its folder.
#[track_caller]
fn assert_profile(folder: &Path, name: &str) {
    let read = |name: &str| std::fs::read(folder.join(name)).unwrap();
    let summary: serde_json::Value = serde_json::from_slice(&read("summary.json")).unwrap();
    assert_eq!(summary["schema"], "redline.profile/1");
    assert!(summary["name"].as_str().unwrap().starts_with(name), "{summary}");
    assert!(summary["total"].as_u64() > Some(0), "{summary}");
    assert!(String::from_utf8_lossy(&read("flamegraph.svg")).contains("</svg>"));
    assert!(!read("stacks.folded").is_empty() && !read("profile.pb").is_empty());
}

fn backtest(data: &Path) -> [&str; 5] {
    ["backtest", "--data", text(data), "--strategy", "ma-cross"]
}

#[test]
fn a_run_of_redline_is_profiled_in_its_own_process() {
    let folder = Folder::new();
    let data = folder.synth("bars.parquet", 200_000);
    let out: PathBuf = folder.path("run");
    let mut arguments = vec!["profile", "--out", text(&out), "--", "redline"];
    arguments.extend(backtest(&data));
    let output = redline(&arguments);
    assert!(output.status.success(), "{}", stderr(&output));
    assert!(stderr(&output).contains("samples at 997 Hz"), "{}", stderr(&output));
    assert_profile(&out, "redline backtest");

    let pprof = format!("--pprof={}", text(&folder.path("pprof")));
    let mut arguments = backtest(&data).to_vec();
    let plain = stdout(&redline(&[&arguments[..], &["--json", "-"]].concat()));
    arguments.extend([pprof.as_str(), "--json", "-"]);
    let output = redline(&arguments);
    assert!(output.status.success(), "{}", stderr(&output));
    assert_profile(&folder.path("pprof"), "redline backtest");
    // Standard output is the verb's own.
    let keys = |text: &str| {
        let value: serde_json::Value = serde_json::from_str(text).unwrap();
        value.as_object().unwrap().keys().cloned().collect::<Vec<_>>()
    };
    assert_eq!(keys(&stdout(&output)), keys(&plain));
}

#[test]
fn what_no_profile_can_be_taken_of_is_refused_before_it_runs() {
    let folder = Folder::new();
    let data = folder.synth("bars.parquet", 2_000);
    let nested = redline(&["profile", "--", "profile", "features/sma/20"]);
    refused(&nested, &["a profile of a profile"]);
    let mut heap = vec!["profile", "--kind", "heap", "--"];
    heap.extend(backtest(&data));
    refused(&redline(&heap), &["--kind heap is for cases"]);
    let taken = folder.file("taken", "");
    let pprof = format!("--pprof={}", text(&taken));
    let output = redline(&[&backtest(&data)[..], &[&pprof]].concat());
    refused(&output, &["cannot write to", "taken"]);
    assert_eq!(stdout(&output), "", "nothing has run");
}
