//! `redline report`.

use std::process::{Command, Output};

use perf_gate::{Better, KpiSpec, Measured, RunRecord, SCHEMA};

use super::common::{Folder, redline, refused, stderr, stdout, text};

/// A record of this machine, of a year and with a value.
fn record(year: u16, value: f64) -> RunRecord {
    let spec = KpiSpec {
        name: "minute_year_backtest".to_owned(),
        title: "1-year minute backtest".to_owned(),
        unit: "s".to_owned(),
        better: Better::Lower,
        target: Some(5.0),
        critical: Some(10.0),
        share_of_memory: None,
    };
    RunRecord {
        schema: SCHEMA.to_owned(),
        machine: hw_probe::machine(),
        commit: None,
        dirty: None,
        version: "0.1.0".to_owned(),
        command: vec!["redline".to_owned(), "suite".to_owned()],
        started_at: format!("{year}-01-01T00:00:00Z"),
        kpis: vec![spec.judge(Measured::Samples(vec![value; 5]), None, 24.0)],
        probe: None,
        kernels: Vec::new(),
        alerts: None,
        quality: None,
    }
}

fn with_records(records: &[RunRecord]) -> Folder {
    let folder = Folder::new();
    for (number, record) in records.iter().enumerate() {
        let name = format!("suite-{number}.json");
        folder.file(&name, &serde_json::to_string(record).unwrap());
    }
    folder
}

/// Runs in the folder itself, as a user without a checkout does.
fn report_in(folder: &Folder, arguments: &[&str]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_redline"));
    command.current_dir(folder.path("")).arg("report").args(arguments).output().unwrap()
}

#[test]
fn the_newest_record_is_shown_against_the_one_before() {
    let folder = with_records(&[record(2025, 1.0), record(2024, 2.0), record(2026, 4.0)]);
    folder.file("suite-torn.json", "{\"schema\": \"redl");
    let output = report_in(&folder, &[]);
    assert!(output.status.success(), "{}", stderr(&output));
    assert!(stderr(&output).contains("suite-torn.json"), "{}", stderr(&output));
    let page = std::fs::read_to_string(folder.path("report.html")).unwrap();
    assert!(page.contains("2026-01-01") && page.contains("3 records"));
    // 4 s against the 1 s of 2025, not the 2 s of 2024.
    assert!(page.contains("+300.0 %") && page.contains("regressed"), "the wrong base");
}

#[test]
fn flamegraphs_of_the_folder_are_embedded() {
    let folder = with_records(&[record(2026, 1.0)]);
    let case = folder.path("profiles/backtest/simulate");
    std::fs::create_dir_all(&case).unwrap();
    std::fs::write(case.join("flamegraph.svg"), "<svg>planted frame</svg>").unwrap();
    let output = report_in(&folder, &["suite-0.json", "--out", "page.html"]);
    assert!(output.status.success(), "{}", stderr(&output));
    let page = std::fs::read_to_string(folder.path("page.html")).unwrap();
    assert!(page.contains("backtest&#x2f;simulate") && page.contains("planted%20frame"), "{page}");
}

#[test]
fn markdown_goes_to_standard_output() {
    let folder = with_records(&[record(2025, 1.0), record(2026, 1.0)]);
    let output = report_in(&folder, &["--format", "markdown", "--out", "-"]);
    let said = stdout(&output);
    assert!(said.starts_with("## redline") && said.contains("| KPI |"), "{said}");
    assert!(said.contains("| 1-year minute backtest | 1.00 s | 1.00 s | +0.0 % |"), "{said}");
}

#[test]
fn what_lies_beside_the_record_is_shown() {
    let folder = with_records(&[record(2026, 1.0)]);
    folder.file(
        "peers.json",
        r#"{"schema": "redline.peers/1", "runs": [{"script": "features.py", "machine": "this one",
            "measured_at": "2026-01-02T03:04:05Z", "rows": [{"case": "sma of 20", "peer": "TA-Lib",
            "unit": "ms", "ours": 0.5, "theirs": 1.0, "ratio": 2.0}]}]}"#,
    );
    folder.file(
        "quality.json",
        r#"{"schema": "redline.quality/1", "figures": [
            {"name": "Lines covered", "value": 91.0, "unit": "%", "better": "higher", "target": 90, "ok": true},
            {"name": "Worst complexity", "value": null, "unit": "", "better": "lower", "target": 10,
             "ok": null, "why": "no clippy"}]}"#,
    );
    folder.file(
        "usage.json",
        r#"{"schema": "redline.monitor/1", "alerts": [{"rule": "disk_free", "state": "firing",
            "since": 1.5, "value": 9e9, "threshold": 1e10, "severity": "critical"}]}"#,
    );
    let heap = folder.path("profiles/features/mean/heap");
    std::fs::create_dir_all(&heap).unwrap();
    let profile = include_str!("../../../perf-gate/tests/fixtures/dhat/crate.json");
    std::fs::write(heap.join("dhat-heap.json"), profile).unwrap();
    let arguments = ["--monitor", "usage.json", "--format", "markdown", "--out", "-"];
    let output = report_in(&folder, &arguments);
    let said = stdout(&output);
    assert!(output.status.success(), "{}", stderr(&output));
    for row in [
        "| sma of 20 | TA-Lib | 1.00 ms | 0.500 ms | 2.00x |",
        "| Lines covered | 91.0 % | > 90.0 % | ok |",
        "| Worst complexity | - | < 10.0 | not available: no clippy |",
        "| disk_free | firing | 1.5 s | 9.00 G | 10.0 G |",
        "| features/mean/heap | ",
    ] {
        assert!(said.contains(row), "no '{row}' in {said}");
    }
    assert!(said.contains("- Alert disk_free: firing"), "{said}");
}

#[test]
fn a_folder_gives_its_newest_record() {
    let folder = with_records(&[record(2026, 1.0), record(2025, 3.0)]);
    let path = folder.path("");
    let output = redline(&["report", text(&path), "--format", "markdown", "--out", "-"]);
    assert!(output.status.success(), "{}", stderr(&output));
    let said = stdout(&output);
    assert!(
        said.contains("2026-01-01 00:00 UTC") && said.contains("| 3.00 s | 1.00 s |"),
        "{said}"
    );
}

#[test]
fn broken_files_are_named() {
    let folder = Folder::new();
    refused(&report_in(&folder, &["."]), &["no record in .", "'redline suite' writes them"]);

    let folder = with_records(&[record(2026, 1.0)]);
    folder.file("torn.json", "{\"schema\": \"redline.suite/1\", ");
    refused(&report_in(&folder, &["torn.json"]), &["torn.json: not a run record"]);
    folder.file("other.json", "{\"schema\": \"redline.probe/1\"}");
    refused(
        &report_in(&folder, &["other.json"]),
        &["other.json", "redline.probe/1", "redline.suite/1"],
    );
    let arguments = ["--monitor", "other.json"];
    refused(&report_in(&folder, &arguments), &["other.json", "redline.monitor/1"]);
    for name in ["peers.json", "quality.json"] {
        let path = folder.file(name, "[]");
        refused(&report_in(&folder, &[]), &[name, "not a 'redline."]);
        std::fs::remove_file(path).unwrap();
    }
    assert!(!folder.path("report.html").exists());
}

#[test]
fn what_cannot_be_shown_is_refused_in_one_line() {
    let empty = Folder::new();
    let output = report_in(&empty, &[]);
    assert_eq!(output.status.code(), Some(2));
    assert!(stderr(&output).contains("run 'redline suite'"), "{}", stderr(&output));
    assert!(empty.names().is_empty());

    let missing = redline(&["report", "no-such-record.json"]);
    let said = stderr(&missing);
    assert_eq!(missing.status.code(), Some(2));
    assert_eq!(said.matches("No such file").count(), 1, "each cause once: {said}");

    let mut elsewhere = record(2026, 1.0);
    elsewhere.machine.fingerprint = "0000000000000000".to_owned();
    let folder = with_records(&[elsewhere]);
    let probe = folder.path("probe.json");
    let made = redline(&["probe", "--quick", "--only", "machine", "--json", text(&probe)]);
    assert!(made.status.success(), "{}", stderr(&made));
    let output = report_in(&folder, &["suite-0.json", "--probe", text(&probe)]);
    assert_eq!(output.status.code(), Some(2));
    assert!(stderr(&output).contains("give a probe of that machine"), "{}", stderr(&output));
}
