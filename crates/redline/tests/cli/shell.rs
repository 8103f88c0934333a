//! What the program says of itself: its version, completions, manual pages.

use std::path::Path;
use std::process::Command;

use crate::common::{Folder, redline, refused, stdout, text};

const VERBS: [&str; 15] = [
    "probe",
    "data",
    "features",
    "backtest",
    "optimize",
    "monitor",
    "suite",
    "compare",
    "gate",
    "history",
    "export",
    "report",
    "profile",
    "completions",
    "man",
];

/// What git says in the workspace; `None` where this is no repository of its own.
fn git(arguments: &[&str]) -> Option<String> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).ancestors().nth(2)?;
    let output = Command::new("git").current_dir(root).args(arguments).output().ok()?;
    let answer = String::from_utf8(output.stdout).ok()?.trim().to_owned();
    (output.status.success() && root.join(".git").exists()).then_some(answer)
}

#[test]
fn the_version_names_commit_and_instruction_set() {
    let long = stdout(&redline(&["--version"]));
    let [version, commit, kernels] = long.lines().collect::<Vec<_>>()[..] else {
        panic!("not three lines: {long}")
    };
    assert_eq!(version, format!("redline {}", env!("CARGO_PKG_VERSION")));
    match git(&["rev-parse", "--short", "HEAD"]) {
        Some(head) => {
            let rest = commit.strip_prefix(&format!("commit {head}"));
            assert!(matches!(rest, Some("" | "-dirty")), "{commit}, HEAD is {head}");
        }
        None => assert_eq!(commit, "unknown commit"),
    }
    let path = kernels.strip_prefix("kernels: ").expect("the instruction set");
    assert!(["AVX-512", "AVX2+FMA", "NEON", "portable"].contains(&path), "{path}");
    assert_eq!(stdout(&redline(&["-V"])), format!("{version}\n"));
}

#[test]
fn every_shell_completes_every_verb() {
    for shell in ["bash", "elvish", "fish", "powershell", "zsh"] {
        let script = stdout(&redline(&["completions", shell]));
        for verb in VERBS {
            assert!(script.contains(verb), "{shell} does not know {verb}");
        }
    }
    assert_eq!(redline(&["completions", "tcsh"]).status.code(), Some(2));
}

#[test]
fn bash_takes_its_completions() {
    let folder = Folder::new();
    let script = folder.file("redline.bash", &stdout(&redline(&["completions", "bash"])));
    let ask = "source \"$1\"; COMP_WORDS=(redline bac); COMP_CWORD=1; _redline redline bac redline; \
               echo \"${COMPREPLY[@]}\"";
    let Ok(bash) = Command::new("bash").args(["-c", ask, "-", text(&script)]).output() else {
        return; // No bash here: the scripts were looked through above.
    };
    assert_eq!(stdout(&bash).trim(), "backtest", "{}", crate::common::stderr(&bash));
}

#[test]
fn every_verb_has_a_manual_page() {
    let folder = Folder::new();
    let pages = folder.path("share/man1");
    let output = redline(&["man", text(&pages)]);
    assert!(output.status.success());
    let page = |name: &str| std::fs::read_to_string(pages.join(name)).expect(name);
    for verb in VERBS {
        assert!(page(&format!("redline-{verb}.1")).contains(".SH SYNOPSIS"), "{verb}");
    }
    assert!(page("redline.1").contains("redline\\-backtest"));
    assert!(page("redline-data-synth.1").contains("\\-\\-bars"));
    let count = std::fs::read_dir(&pages).unwrap().count();
    assert_eq!(stdout(&output), format!("{count} pages in {}\n", pages.display()));
    let file = folder.file("a-file", "");
    refused(&redline(&["man", text(&file)]), &["a-file"]);
}
