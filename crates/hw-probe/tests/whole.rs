//! The whole probe in its quick form: every section has its rows, and every row its right values.

use std::path::Path;

use hw_probe::{ProbeOptions, ProbeReport, Progress, Rates, Section, probe};

/// Keeps what it hears.
#[derive(Default)]
struct Heard {
    sections: Vec<Section>,
    shares: Vec<f64>,
}

impl Progress for Heard {
    fn section(&mut self, section: Section) {
        self.sections.push(section);
    }

    fn step(&mut self, _: &str, share: f64) {
        self.shares.push(share);
    }
}

/// Whether the report says of something whose name begins so that it could not be had.
fn is_told(report: &ProbeReport, what: &str) -> bool {
    report.unavailable.iter().any(|row| row.what.starts_with(what))
}

/// Every kind of row is there, or named as not available.
fn assert_rows(report: &ProbeReport) {
    let memory = |series: &str| report.memory.iter().filter(|row| row.series == series).count();
    let compute = |kernel: &str| report.compute.iter().filter(|row| row.kernel == kernel).count();
    let storage = |path: &str| report.storage.iter().filter(|row| row.path == path).count();
    for (what, rows) in [
        ("memory", memory("main")),
        ("memory", memory("sweep")),
        ("latency", report.latency.len()),
        ("loaded latency", report.loaded_latency.len()),
        ("core-to-core", report.core_to_core.len()),
        ("FMA", compute("fma")),
        ("GEMM", compute("gemm")),
        ("single operations", report.scalar.len()),
        ("direct storage", storage("direct")),
        ("buffered storage", storage("page_cache")),
    ] {
        assert!(rows > 0 || is_told(report, what), "{what}: {report}");
    }
    for op in ["save", "load", "save_columns", "load_columns"] {
        assert!(report.storage.iter().any(|row| row.op == op), "{op}: {report}");
    }
}

/// Every row's values were right, and its figures are in order.
fn assert_values(report: &ProbeReport) {
    assert!(!report.to_string().contains("WRONG VALUES"), "{report}");
    for row in &report.memory {
        assert!(row.verified && is_ordered(row.gb_per_s) && !row.isa.is_empty(), "{row:?}");
    }
    for row in &report.compute {
        assert!(row.verified && is_ordered(row.gflops), "{row:?}");
    }
    assert!(report.storage.iter().all(|row| row.verified && row.transfers > 0), "{report}");
    assert!(report.scalar.iter().all(|row| row.verified), "{report}");
    assert!(report.latency.iter().all(|row| row.ns_per_load > 0.0), "{report}");
}

fn is_ordered(rates: Rates) -> bool {
    rates.best >= rates.median && rates.median > 0.0
}

/// The pictures are all there, but those of what could not be had.
fn assert_pictures(report: &ProbeReport, dir: &Path) {
    let paths = report.write_pictures(dir).unwrap();
    let mut names: Vec<_> = paths.iter().filter_map(|path| path.file_name()?.to_str()).collect();
    if is_told(report, "FMA") || is_told(report, "memory on") {
        names.push("roofline.svg");
    }
    names.sort_unstable();
    assert_eq!(names, ["gemm.svg", "latency.svg", "roofline.svg", "staircase.svg"]);
}

#[test]
fn every_section_has_its_rows_and_every_row_its_right_values() {
    let dir = tempfile::tempdir().unwrap();
    let dir_of = Some(dir.path().to_owned());
    let options = ProbeOptions { quick: true, dir: dir_of, ..ProbeOptions::default() };
    let mut heard = Heard::default();
    let report = probe(&options, &mut heard);

    assert_eq!(heard.sections, Section::ALL);
    assert!(heard.shares.is_sorted() && heard.shares.last() == Some(&1.0), "{:?}", heard.shares);
    assert_eq!(report.rules.len(), Section::ALL.len() - 1);
    assert_rows(&report);
    assert_values(&report);
    assert_eq!(std::fs::read_dir(dir.path()).unwrap().count(), 0, "files are left");
    assert_pictures(&report, dir.path());

    let ceilings = report.ceilings();
    assert_eq!(ceilings.fingerprint, report.machine.fingerprint);
    assert_eq!(ceilings.read_gb_per_s.is_some(), !is_told(&report, "memory on"));
    assert!(ceilings.gemm_f64_gflops.is_some() && ceilings.load_mb_per_s.is_some());
}
