//! Stored records: their history, their comparison, their export.

use std::path::PathBuf;

use perf_gate::{Better, Kpi, RunRecord, Status};

use crate::common::{Folder, redline, stderr, stdout, text};

/// The `index`-th run on `machine`, in which the one KPI took `seconds`.
fn record(folder: &Folder, machine: &str, index: usize, seconds: f64) -> PathBuf {
    let kpi = Kpi {
        name: "minute_year_backtest".to_owned(),
        title: "1-year minute backtest".to_owned(),
        value: Some(seconds),
        unit: "s".to_owned(),
        better: Better::Lower,
        target: None,
        critical: None,
        status: Status::Ok,
        of_ceiling: None,
        why: None,
        samples: [0.99, 1.0, 1.01, 1.0, 1.005].map(|share| seconds * share).to_vec(),
    };
    let mut here = hw_probe::machine();
    here.fingerprint = machine.to_owned();
    let record = RunRecord {
        schema: perf_gate::SCHEMA.to_owned(),
        machine: here,
        commit: Some(format!("{index:040}")),
        dirty: Some(false),
        version: "0.1.0".to_owned(),
        command: Vec::new(),
        started_at: format!("2026-01-01T00:{index:02}:00Z"),
        kpis: vec![kpi],
        probe: None,
        kernels: Vec::new(),
        alerts: None,
        quality: None,
    };
    std::fs::create_dir_all(folder.path(machine)).unwrap();
    folder.file(&format!("{machine}/suite-{index}.json"), &serde_json::to_string(&record).unwrap())
}

#[test]
fn history_names_the_commit_with_which_it_got_worse() {
    let folder = Folder::new();
    for index in 0..20 {
        let noise = 1.0 + 0.002 * (index % 3) as f64;
        record(&folder, "here", index, if index < 12 { noise } else { 1.2 * noise });
    }
    let document = folder.path("history.json");
    let output =
        redline(&["history", "--records", text(&folder.path("")), "--json", text(&document)]);
    assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
    let printed = stdout(&output);
    assert!(printed.contains("WORSE") && printed.contains("with 000000000000, after"), "{printed}");
    let document = std::fs::read_to_string(document).unwrap();
    let document: serde_json::Value = serde_json::from_str(&document).unwrap();
    assert_eq!(document["schema"], "redline.history/1");
    assert_eq!(document["courses"][0]["changes"][0]["first_after"], format!("{:040}", 12));
    assert_eq!(document["courses"][0]["changes"][0]["last_before"], format!("{:040}", 11));
}

#[test]
fn history_without_records_or_such_a_metric() {
    let folder = Folder::new();
    let history = |more: &[&str]| {
        redline(&[&["history", "--records", text(&folder.path(""))], more].concat())
    };
    let output = history(&[]);
    assert_eq!(output.status.code(), Some(2));
    assert!(stderr(&output).contains("'redline suite' writes them"), "{}", stderr(&output));
    record(&folder, "here", 1, 1.0);
    // Outside a checkout it looks where the suite has written.
    let mut command = std::process::Command::new(env!("CARGO_BIN_EXE_redline"));
    let output = command.arg("history").current_dir(folder.path("")).output().unwrap();
    assert!(output.status.success(), "{}", stderr(&output));
    let output = history(&["--metric", "none*"]);
    assert_eq!(output.status.code(), Some(2));
    assert!(stderr(&output).contains("no metric 'none*'"), "{}", stderr(&output));
}

#[test]
fn compare_refuses_a_broken_record_and_a_newer_one() {
    let folder = Folder::new();
    let good = record(&folder, "here", 1, 1.0);
    let whole = std::fs::read_to_string(&good).unwrap();
    let broken = folder.file("broken.json", &whole[..whole.len() / 2]);
    let newer = folder.file("newer.json", &whole.replace("redline.suite/1", "redline.suite/9"));
    for (head, needle) in [(broken, "broken.json: not a run record"), (newer, "redline.suite/9")] {
        let output = redline(&["compare", text(&good), text(&head)]);
        assert_eq!(output.status.code(), Some(2));
        assert!(stderr(&output).contains(needle), "{}", stderr(&output));
    }
}

#[test]
fn compare_judges_one_machine_and_says_so_of_two() {
    let folder = Folder::new();
    let base = record(&folder, "here", 1, 1.0);
    let slower = record(&folder, "here", 2, 1.2);
    let other = record(&folder, "there", 3, 1.2);
    let output = redline(&["compare", text(&base), text(&slower)]);
    assert_eq!(output.status.code(), Some(1), "{}", stderr(&output));
    assert!(stdout(&output).contains("REGRESSED"), "{}", stdout(&output));
    // Folders stand for their newest record.
    let output = redline(&["compare", text(&folder.path("here")), text(&slower)]);
    assert_eq!(output.status.code(), Some(0), "{}", stdout(&output));
    let output = redline(&["compare", text(&base), text(&other)]);
    assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
    let printed = stdout(&output);
    assert!(printed.contains("two machines") && printed.contains("incomparable"), "{printed}");
}

#[test]
fn export_writes_each_form() {
    let folder = Folder::new();
    let path = record(&folder, "here", 1, 0.5);
    let export = |format: &str| redline(&["export", text(&path), "--format", format]);
    let needles = [
        ("bencher", "\"latency\""),
        ("github-action-benchmark", "\"unit\": \"s\""),
        ("openmetrics", "# EOF\n"),
        ("csv", ",minute_year_backtest,s,lower,0.5,"),
    ];
    for (format, needle) in needles {
        let output = export(format);
        assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
        assert!(stdout(&output).contains(needle), "{}", stdout(&output));
    }
    let output = export("yaml");
    assert_eq!(output.status.code(), Some(2));
    assert!(stderr(&output).contains("expected bencher"), "{}", stderr(&output));
}
