//! Each form against its target's own rules. `tests/fixtures/export.*` are these texts as they were
//! read by `jsonschema` with Bencher's published schema, by prometheus_client's OpenMetrics parser
//! and by Python's csv (`scripts/check_exports`).

use serde_json::Value;

use super::*;
use crate::{Better, Kpi, Status};

fn record() -> RunRecord {
    let kpi = |name: &str, unit: &str, better, value: Option<f64>| Kpi {
        name: name.to_owned(),
        title: format!("The \"{name}\", in full"),
        value,
        unit: unit.to_owned(),
        better,
        target: Some(5.0),
        critical: None,
        status: if value.is_some() { Status::Ok } else { Status::NotAvailable },
        of_ceiling: value.filter(|_| better == Better::Higher).map(|_| 0.5),
        why: value.is_none().then(|| "no GPU, no driver".to_owned()),
        samples: value.map_or_else(Vec::new, |value| vec![value * 0.75, value, value * 1.25]),
    };
    let mut machine = hw_probe::machine();
    machine.fingerprint = "f00".to_owned();
    RunRecord {
        schema: crate::SCHEMA.to_owned(),
        machine,
        commit: Some("c".repeat(40)),
        dirty: Some(false),
        version: "0.1.0".to_owned(),
        command: vec!["redline".to_owned(), "suite".to_owned()],
        started_at: "2026-01-01T00:00:00Z".to_owned(),
        kpis: vec![
            kpi("minute_year_backtest", "s", Better::Lower, Some(0.5)),
            kpi("triad", "GB/s", Better::Higher, Some(12.5)),
            kpi("gpu", "GFLOPS", Better::Higher, None),
        ],
        probe: None,
        kernels: Vec::new(),
        alerts: None,
        quality: None,
    }
}

fn fixture(name: &str) -> String {
    let path = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures").join(name);
    if std::env::var_os("UPDATE_FIXTURES").is_some() {
        let format = name.strip_prefix("export.").and_then(|name| name.parse().ok()).unwrap();
        std::fs::write(&path, export(&record(), format)).unwrap();
    }
    std::fs::read_to_string(&path).unwrap()
}

#[test]
fn the_texts_are_those_that_the_readers_read() {
    for name in ["bencher", "github-action-benchmark", "openmetrics", "csv"] {
        let text = export(&record(), name.parse().unwrap());
        assert_eq!(text, fixture(&format!("export.{name}")), "{name}");
    }
    assert!("json".parse::<Format>().unwrap_err().contains("expected bencher"));
}

/// Bencher's schema: objects by name, of objects by name, of numbers with a `value` among them.
#[test]
fn bencher_s_schema_holds() {
    let text = export(&record(), Format::Bencher);
    let document: Value = serde_json::from_str(&text).unwrap();
    let benchmarks = document.as_object().unwrap();
    assert_eq!(benchmarks.len(), 2);
    for measures in benchmarks.values() {
        for metric in measures.as_object().unwrap().values() {
            assert!(metric["value"].is_number());
            let known = ["value", "lower_value", "upper_value"];
            assert!(
                metric
                    .as_object()
                    .unwrap()
                    .iter()
                    .all(|(k, v)| known.contains(&k.as_str()) && v.is_number())
            );
        }
    }
    assert_eq!(benchmarks["minute_year_backtest"]["latency"]["value"], 0.5e9);
    assert_eq!(benchmarks["triad"]["gb-per-s"]["upper_value"], 15.625);
}

#[test]
fn github_s_list_has_what_is_better_when_smaller() {
    let text = export(&record(), Format::GithubActionBenchmark);
    let document: Value = serde_json::from_str(&text).unwrap();
    let entries = document.as_array().unwrap();
    assert_eq!(entries.len(), 1);
    assert_eq!(entries[0]["name"], "minute_year_backtest");
    assert!(entries[0]["value"].is_number() && entries[0]["unit"].is_string());
    assert_eq!(entries[0]["range"], "\u{b1} 0.125");
}
