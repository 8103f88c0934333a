//! Files of criterion 0.8, gungraun 0.20 (schema 7) and DHAT (format 2), as those tools wrote them.

use std::path::{Path, PathBuf};

use perf_gate::read::{criterion_case, criterion_sample, dhat_totals, gungraun_summary};
use perf_gate::{GateError, Results, Verdict, compare};

fn fixture(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures").join(name)
}

const CRITERION: &str = "criterion-head/backtest_statistics/total_return/new";

/// Criterion's own `estimates.json` of the same run gives the median as 66,924.494 ns.
#[test]
fn criterion_s_samples_are_its_own_estimate() {
    let (name, samples) = criterion_case(&fixture(CRITERION).join("sample.json")).unwrap();
    assert_eq!(name, "backtest/statistics/total_return");
    assert_eq!(samples.len(), 20);
    let estimates = std::fs::read_to_string(fixture(CRITERION).join("estimates.json")).unwrap();
    let estimates: serde_json::Value = serde_json::from_str(&estimates).unwrap();
    let theirs = estimates["median"]["point_estimate"].as_f64().unwrap();
    let ours = perf_gate::median(&samples).unwrap();
    assert!((ours / theirs - 1.0).abs() < 1e-9, "{ours} {theirs}");
}

/// 1,000 vectors of four words: 1,000 blocks, 32,000 bytes.
#[test]
fn gungraun_s_counts_of_both_tools() {
    let read = |folder: &str| {
        gungraun_summary(&fixture(folder).join("kernels/total.thousand/summary.json")).unwrap()
    };
    let base = read("gungraun-base");
    assert_eq!(
        (base.case.as_str(), base.instructions),
        ("kernels/total/thousand", Some(170_187.0))
    );
    assert_eq!((base.blocks, base.bytes), (None, None));
    // Written over the base's: it has the new count and the old one.
    assert_eq!(read("gungraun-head").instructions, Some(171_887.0));
    let heap = read("gungraun-heap");
    assert_eq!((heap.blocks, heap.bytes), (Some(1_000.0), Some(32_000.0)));
}

/// 1,000 blocks of 64 bytes and what a process needs to start; and, from the dhat crate, ten boxes of
/// 8 bytes, their vector, 1,000 bytes and the buffer of standard output.
#[test]
fn dhat_s_totals() {
    assert_eq!(dhat_totals(&fixture("dhat/valgrind.json")).unwrap(), [1_016.0, 132_370.0]);
    assert_eq!(dhat_totals(&fixture("dhat/crate.json")).unwrap(), [13.0, 2_184.0]);
}

#[test]
fn what_is_no_such_file_is_named() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("sample.json");
    std::fs::write(&path, "{\"iters\": [1.0]").unwrap();
    let error = criterion_sample(&path).unwrap_err();
    assert!(error.to_string().contains("sample.json") && error.to_string().contains("line 1"));
    assert!(matches!(gungraun_summary(&path), Err(GateError::Record { .. })));
    assert!(matches!(dhat_totals(&folder.path().join("none")), Err(GateError::Io { .. })));
    let error = Results::read(&folder.path().join("")).unwrap_err();
    assert!(error.to_string().contains("gungraun's summary.json"), "{error}");
}

fn verdicts(base: &str, head: &str) -> Vec<(String, String, Verdict)> {
    let [base, head] = [base, head].map(|name| Results::read(&fixture(name)).unwrap());
    let changes = compare(&base, &head).changes;
    changes.into_iter().map(|change| (change.metric, change.unit, change.verdict)).collect()
}

#[test]
fn folders_of_each_tool_are_compared() {
    let (name, unit) = ("backtest/statistics/total_return", "ns");
    let criterion = verdicts("criterion-base", "criterion-head");
    assert_eq!(criterion, [(name.to_owned(), unit.to_owned(), Verdict::Regressed)]);
    assert_eq!(verdicts("criterion-head", "criterion-base")[0].2, Verdict::Improved);
    assert_eq!(verdicts("criterion-head", "criterion-head")[0].2, Verdict::Same);

    let (name, unit) = ("kernels/total/thousand", "instructions");
    let gungraun = verdicts("gungraun-base", "gungraun-head");
    assert_eq!(gungraun, [(name.to_owned(), unit.to_owned(), Verdict::Regressed)]);
    let back = verdicts("gungraun-head", "gungraun-base");
    assert_eq!(back[0].2, Verdict::Improved);

    let heap = verdicts("dhat", "dhat");
    assert_eq!(heap.len(), 4);
    assert!(heap.iter().all(|(.., verdict)| *verdict == Verdict::Same));
}
