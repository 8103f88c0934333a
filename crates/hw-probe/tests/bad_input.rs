//! Whatever it is given, a probe runs to its end and says what it could not do.

use std::path::Path;

use hw_probe::{ProbeOptions, ProbeReport, Section, probe};

fn quick(sections: &[Section]) -> ProbeOptions {
    ProbeOptions { sections: sections.to_vec(), quick: true, ..ProbeOptions::default() }
}

fn why<'a>(report: &'a ProbeReport, what: &str) -> &'a str {
    let row = report.unavailable.iter().find(|row| row.what == what);
    &row.unwrap_or_else(|| panic!("{what} is not among {:?}", report.unavailable)).why
}

#[test]
fn a_missing_folder_ends_storage_and_nothing_else() {
    let mut options = quick(&[Section::Storage]);
    options.dir = Some("/no/such/folder".into());
    let report = probe(&options, &mut ());
    assert!(report.storage.is_empty());
    assert!(why(&report, "storage").starts_with("/no/such/folder: "));
    assert!(report.to_string().contains("not available: storage: /no/such/folder"));
}

#[cfg(target_os = "linux")]
#[test]
fn a_read_only_folder_is_named() {
    // Nothing can be made in `/proc`, not even by root, for whom modes mean nothing.
    let mut options = quick(&[Section::Storage]);
    options.dir = Some("/proc".into());
    let report = probe(&options, &mut ());
    assert!(why(&report, "storage").starts_with("/proc: "));
}

#[cfg(target_os = "linux")]
#[test]
fn a_folder_in_memory_has_no_direct_transfers_and_no_disk_speed() {
    let dir = Path::new("/dev/shm");
    if !dir.exists() {
        return;
    }
    let mut options = quick(&[Section::Storage]);
    options.dir = Some(dir.to_owned());
    let report = probe(&options, &mut ());
    assert!(why(&report, "direct storage").contains("in memory"));
    let save = |path: &str| report.storage.iter().filter(move |row| row.path == path).count();
    assert_eq!(save("direct"), 0);
    assert!(report.storage.iter().all(|row| row.path == "page_cache"));
    assert!(why(&report, "fsync").contains("no disk"));
    assert!(save("page_cache") > 0);
}

#[test]
fn thread_counts_out_of_range_mean_all_and_are_told() {
    let all = hw_probe::machine().threads;
    for asked in [0, all + 1] {
        let mut options = quick(&[Section::Machine]);
        options.threads = Some(asked);
        let report = probe(&options, &mut ());
        assert!(why(&report, &format!("{asked} threads")).contains(&format!("1 to {all}")));
    }
}

#[test]
fn an_unknown_section_is_named_with_the_known_ones() {
    let error = "memroy".parse::<Section>().unwrap_err().to_string();
    assert!(error.contains("`memroy`") && error.contains("memory"), "{error}");
}

#[test]
fn a_report_survives_its_own_json_and_has_the_keys_of_the_contract() {
    let dir = tempfile::tempdir().unwrap();
    let mut options = quick(&[Section::Machine, Section::Storage]);
    options.dir = Some(dir.path().to_owned());
    let report = probe(&options, &mut ());
    let path = report.write_json(&dir.path().join("probe.json")).unwrap();
    assert_eq!(ProbeReport::read_json(&path).unwrap(), report);
    let text = std::fs::read_to_string(&path).unwrap();
    assert!(text.starts_with("{\n  \"schema\": \"redline.probe/1\""), "{text}");
    let value: serde_json::Value = serde_json::from_str(&text).unwrap();
    let has = |value: &serde_json::Value, keys: &str| {
        keys.split(' ').for_each(|key| assert!(value.get(key).is_some(), "{key}"));
    };
    has(&value, "machine memory latency compute storage noise");
    has(
        &value["machine"],
        "cpu_model cores performance_cores efficiency_cores threads caches memory_bytes \
         page_bytes os kernel hypervisor isa gpu fingerprint theoretical",
    );
    has(&value["storage"][0], "op path block_bytes queue_depth mb_per_s iops latency_us");
    has(&value["noise"], "steal_percent timer_ns spread_percent quiet");
}

#[test]
fn a_broken_document_is_named_with_its_line() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("probe.json");
    std::fs::write(&path, "{\n  \"schema\": 3\n}").unwrap();
    let error = ProbeReport::read_json(&path).unwrap_err().to_string();
    assert!(error.contains("probe.json") && error.contains("line 2"), "{error}");
}
