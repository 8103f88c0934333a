//! `redline monitor` around loads of known size, and around what goes wrong.
#![cfg(target_os = "linux")]

use std::os::unix::fs::PermissionsExt;
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use serde_json::Value;

use crate::common::{Folder, redline, stderr, stdout, text};

fn watched(command: &[&str]) -> (Value, Option<i32>) {
    let mut arguments = vec!["monitor", "--interval", "20ms", "--json", "-", "--"];
    arguments.extend(command);
    let output = redline(&arguments);
    let document = serde_json::from_str(&stdout(&output)).expect("nothing but the document");
    (document, output.status.code())
}

fn is_near(value: &Value, expected: f64) {
    let value = value.as_f64().unwrap();
    assert!((value / expected - 1.0).abs() < 0.03, "{value}, not {expected}");
}

fn spawn(arguments: &[&str]) -> Child {
    Command::new(env!("CARGO_BIN_EXE_redline"))
        .args(arguments)
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap()
}

fn lines(path: &Path) -> usize {
    std::fs::read_to_string(path).map_or(0, |text| text.lines().count())
}

fn until(what: &str, is_so: impl Fn() -> bool) {
    let end = Instant::now() + Duration::from_secs(20);
    while !is_so() {
        assert!(Instant::now() < end, "never: {what}");
        std::thread::sleep(Duration::from_millis(5));
    }
}

#[test]
fn a_grandchild_that_touches_a_gibibyte() {
    let command = "(dd if=/dev/zero of=/dev/null bs=1G count=2 2>&1; exit 0) & wait; exit 7";
    let (document, code) = watched(&["sh", "-c", command]);
    assert_eq!(code, Some(7));
    is_near(&document["process"]["rss_bytes"]["peak"], (1_u64 << 30) as f64);
}

/// Seconds of `0m2.84s`.
fn seconds(text: &str) -> f64 {
    let (minutes, seconds) = text.trim_end_matches('s').split_once('m').unwrap();
    minutes.parse::<f64>().unwrap() * 60.0 + seconds.parse::<f64>().unwrap()
}

#[test]
fn a_child_that_spins_until_the_kernel_ends_it() {
    // The kernel's limit is counted in ticks, its account is not: the shell's account is asked.
    let command = "sh -c 'ulimit -S -t 3; while :; do :; done'; times; kill -XCPU $$";
    let arguments = ["monitor", "--interval", "20ms", "--json", "-", "--", "sh", "-c", command];
    let output = redline(&arguments);
    assert_eq!(output.status.code(), Some(128 + 24), "ended by SIGXCPU");
    let told = stderr(&output);
    let children: f64 = told.lines().last().unwrap().split(' ').map(seconds).sum();
    assert!(children > 2.0, "{told}");
    let document: Value = serde_json::from_str(&stdout(&output)).unwrap();
    is_near(&document["process"]["cpu_seconds"], children);
}

#[test]
fn a_child_that_writes_256_mebibytes() {
    // Where targets are built there is a disk; /tmp may be memory.
    let folder = tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR")).unwrap();
    let out = format!("of={}", folder.path().join("zeros").display());
    let (document, code) =
        watched(&["dd", "if=/dev/zero", &out, "bs=1M", "count=256", "conv=fsync"]);
    assert_eq!(code, Some(0));
    is_near(&document["process"]["written_bytes"], (256_u64 << 20) as f64);
}

#[test]
fn the_document_has_the_contract_s_keys() {
    let (document, _) = watched(&["sleep", "0.2"]);
    assert_eq!(document["schema"], "redline.monitor/1");
    let keys = ["samples", "duration_s", "process", "system", "cache", "overhead_percent"];
    assert_eq!(keys.iter().find(|key| document[key].is_null()), None, "{document}");
    let has = |of: &serde_json::Value, keys: [&str; 4]| {
        assert_eq!(keys.iter().find(|key| of.get(key).is_none()), None, "{of}");
    };
    has(&document["system"], ["memory_used_bytes", "cpu_percent", "disk_free_bytes", "pressure"]);
    assert_eq!(document["alerts"].as_array().unwrap().len(), 4);
    has(&document["alerts"][0], ["rule", "state", "since", "value"]);
    assert!(document["not_available"]["cache_hits"].is_string());
}

#[test]
fn the_summary_leaves_standard_output_to_the_command() {
    let output = redline(&["monitor", "--", "echo", "mine"]);
    assert_eq!(stdout(&output), "mine\n");
    assert!(stderr(&output).contains("memory"), "{}", stderr(&output));
}

#[test]
fn an_interrupt_reaches_the_command_and_the_summary_is_printed() {
    let folder = Folder::new();
    let log = folder.path("log.jsonl");
    let child = spawn(&["monitor", "--interval", "20ms", "--log", text(&log), "--", "sleep", "60"]);
    until("samples", || lines(&log) > 3);
    let pid = rustix::process::Pid::from_child(&child);
    rustix::process::kill_process(pid, rustix::process::Signal::INT).unwrap();
    let output = child.wait_with_output().unwrap();
    assert_eq!(output.status.code(), Some(128 + 2));
    assert!(stderr(&output).contains("duration"), "{}", stderr(&output));
}

#[test]
fn a_kill_leaves_the_log_and_the_next_run_makes_it_parquet() {
    let folder = Folder::new();
    let log = folder.path("log.parquet");
    let journal = folder.path("log.parquet.jsonl");
    let mut child = spawn(&["monitor", "--interval", "20ms", "--log", text(&log), "--for", "60s"]);
    until("samples", || lines(&journal) > 10);
    child.kill().unwrap();
    child.wait().unwrap();
    let left = lines(&journal);
    assert!(left > 10 && !log.exists());
    let output = redline(&["monitor", "--log", text(&log), "--for", "100ms"]);
    // Or 1, where this machine's disk is nearly full.
    assert!(output.status.code() < Some(2), "{}", stderr(&output));
    let table = market_data::table::Table::read(&log).unwrap();
    let Some(market_data::table::Column::F64(at)) = table.column("at_s") else { panic!("at_s") };
    assert!(at.len() >= left + 2, "{} of {left} and more", at.len());
    let rss = table.column("process_rss_bytes");
    assert!(matches!(rss, Some(market_data::table::Column::F64(rss)) if rss[0] > 1e6));
    assert_eq!(folder.names(), ["log.parquet"]);
}

#[test]
fn a_log_folder_that_vanishes_is_a_warning() {
    let folder = Folder::new();
    let inner = folder.path("logs");
    std::fs::create_dir(&inner).unwrap();
    let log = inner.join("log.jsonl");
    let child = spawn(&["monitor", "--interval", "20ms", "--log", text(&log), "--", "sleep", "1"]);
    until("samples", || lines(&log) > 3);
    std::fs::remove_dir_all(&inner).unwrap();
    let output = child.wait_with_output().unwrap();
    assert_eq!(output.status.code(), Some(0));
    let told = stderr(&output);
    assert!(told.contains("warning") && told.contains("log lines lost"), "{told}");
}

#[test]
fn an_alert_runs_its_command_though_its_webhook_is_dead() {
    let folder = Folder::new();
    let told = folder.path("told.json");
    let rules = folder.file(
        "rules.toml",
        &format!(
            "[[rule]]\nname = \"busy\"\nmetric = \"process_threads\"\nwhen = \"above\"\n\
             threshold = 0.0\nseverity = \"critical\"\n\
             [rule.action]\ncommand = [\"sh\", \"-c\", \"cat > {}\"]\n\
             webhook = \"http://127.0.0.1:9/\"\ntimeout = \"100ms\"\nretries = 1\n",
            told.display()
        ),
    );
    let arguments = ["monitor", "--interval", "20ms", "--rules", text(&rules), "--for", "1s"];
    let output = redline(&[&arguments[..], &["--json", "-"]].concat());
    assert_eq!(output.status.code(), Some(1), "an alert fires at the end");
    assert!(stderr(&output).contains("alert busy firing"), "{}", stderr(&output));
    let alert: Value = serde_json::from_slice(&std::fs::read(told).unwrap()).unwrap();
    assert_eq!((&alert["rule"], &alert["state"]), (&"busy".into(), &"firing".into()));
    let document: Value = serde_json::from_str(&stdout(&output)).unwrap();
    assert!(document["failed_actions"].as_u64() > Some(0));
    assert!(document["samples"].as_u64() > Some(25), "{document}");
}

#[test]
fn a_process_of_another_user_is_watched_without_what_it_hides() {
    let folder = Folder::new();
    let program = folder.path("redline");
    std::fs::copy(env!("CARGO_BIN_EXE_redline"), &program).unwrap();
    let open = std::fs::Permissions::from_mode(0o755);
    std::fs::set_permissions(program.parent().unwrap(), open.clone()).unwrap();
    std::fs::set_permissions(&program, open).unwrap();
    let mut command = Command::new(&program);
    command.args(["monitor", "--pid", "1", "--for", "100ms", "--disk", "/", "--json", "-"]);
    command.current_dir("/");
    if rustix::process::getuid().is_root() {
        command.uid(65_534);
    }
    let output = command.output().unwrap();
    // Or 1, where this machine's disk is nearly full.
    assert!(output.status.code() < Some(2), "{}", stderr(&output));
    let document: Value = serde_json::from_str(&stdout(&output)).unwrap();
    assert!(document["process"]["rss_bytes"]["peak"].as_f64() > Some(0.0));
    let why = document["not_available"]["process_read_bytes"].as_str().unwrap();
    assert!(why.contains("owner"), "{why}");
}

#[track_caller]
fn refused(arguments: &[&str], parts: &[&str]) {
    let output = redline(&[&["monitor"], arguments].concat());
    let told = stderr(&output);
    assert_eq!(output.status.code(), Some(2), "{told}");
    for part in parts {
        assert!(told.contains(part), "{part} in {told}");
    }
}

#[test]
fn mistakes_end_with_2_and_say_what_is_right() {
    let folder = Folder::new();
    let rule = |body: &str| folder.file("rules.toml", &format!("[[rule]]\nname = \"r\"\n{body}"));
    let unknown = rule("metric = \"process_rs_bytes\"\nwhen = \"above\"\nthreshold = 1.0\n");
    let place = ["rules.toml: line 3, column 10", "process_rss_bytes"];
    refused(&["--rules", text(&unknown), "--for", "1s"], &place);
    let state = rule("metric = \"load_1m\"\nwhen = \"over\"\nthreshold = 1.0\n");
    refused(&["--rules", text(&state), "--for", "1s"], &["line 4, column 8", "`above`"]);
    let kind = rule("metric = \"load_1m\"\nwhen = \"above\"\nthreshold = \"much\"\n");
    refused(&["--rules", text(&kind), "--for", "1s"], &["line 5, column 13", "f64"]);
    refused(&["--rules", "none.toml", "--for", "1s"], &["none.toml"]);
    refused(&["--interval", "0"], &["at least 1ms"]);
    refused(&["--interval", "soon"], &["no duration"]);
    refused(&["--log", "no/such/folder/x.jsonl", "--for", "1s"], &["no/such/folder/x.jsonl"]);
    refused(&["--pid", "2147483647"], &["process 2147483647: no such process"]);
    refused(&["--", "no-such-program-here"], &["cannot run 'no-such-program-here'"]);
    refused(&["--tui", "--for", "1s"], &["terminal"]);
    refused(&["--listen", "0.0.0.0:0", "--for", "1s"], &["token"]);
    let busy = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = busy.local_addr().unwrap().to_string();
    refused(&["--listen", &address, "--for", "1s"], &["cannot listen on", &address, "in use"]);
}
