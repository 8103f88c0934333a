//! `redline report`.

use std::process::{Command, Output};

use perf_gate::{Better, KpiSpec, Measured, RunRecord, SCHEMA};

use super::common::{Folder, redline, stderr, stdout, text};

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
    assert!(said.contains("| minute_year_backtest | 1.00 s | 1.00 s | +0.0 % |"), "{said}");
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
