//! One percent more instructions must show as one percent: through valgrind, our reader of its
//! format, and the comparison. It also holds that valgrind finds the symbols of what we link.

#![cfg(target_os = "linux")]

use std::hint::black_box;
use std::process::{Command, Stdio};

use bench_kit::profile::{CallGraph, changes};

const STEPS: u64 = 1_000_000;

#[inline(never)]
fn planted_work(steps: u64) -> u64 {
    let mut state = 1_u64;
    for _ in 0..steps {
        state = black_box(state).wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
    }
    state
}

/// What the test below runs under valgrind; by itself it does the same and asserts nothing new.
#[test]
fn child() {
    let steps = std::env::var("PLANTED_STEPS").map_or(Ok(1), |steps| steps.parse()).unwrap();
    assert_ne!(planted_work(steps), 1, "{steps} steps");
}

fn counted(steps: u64) -> CallGraph {
    let folder = tempfile::tempdir().unwrap();
    let out = folder.path().join("callgrind.out");
    let status = Command::new("valgrind")
        .args(["--tool=callgrind", "--quiet", "--toggle-collect=*planted_work*"])
        .arg(format!("--callgrind-out-file={}", out.display()))
        .arg(std::env::current_exe().unwrap())
        .args(["--exact", "child", "--test-threads=1"])
        .env("PLANTED_STEPS", steps.to_string())
        .stdout(Stdio::null())
        .status();
    assert!(status.unwrap().success());
    CallGraph::parse(&std::fs::read_to_string(out).unwrap()).unwrap()
}

#[test]
fn one_percent_more_instructions_show_as_one_percent() {
    let valgrind = Command::new("valgrind").arg("--version").stdout(Stdio::null()).status();
    if !valgrind.is_ok_and(|status| status.success()) {
        return println!("skipped, no valgrind on this machine");
    }
    let (plain, planted) = (counted(STEPS), counted(STEPS + STEPS / 100));
    assert!(plain.instructions() >= 3 * STEPS, "{} instructions", plain.instructions());
    assert_eq!(counted(STEPS).instructions(), plain.instructions(), "the same twice");
    let found = changes(&plain.stacks(), &planted.stacks(), 0);
    assert!(found[0].frame.contains("planted_work"), "{found:?}");
    let percent = 100.0 * found[0].difference() as f64 / found[0].base as f64;
    assert!((0.9..=1.1).contains(&percent), "{percent:.3} percent");
}
