//! Figures against loads of known size, each alert made to happen, and what goes wrong around a
//! running monitor.
#![cfg(target_os = "linux")]

use std::io::{Read, Write};
use std::net::TcpStream;
use std::path::PathBuf;
use std::process::Command;
use std::time::{Duration, Instant};

use monitor::{ContinuousMonitor, Handle, Metric, MonitorError, Options, Server, State};

const TICK: Duration = Duration::from_millis(10);

fn running(options: Options) -> ContinuousMonitor {
    let mut monitor = ContinuousMonitor::with_options(TICK, options).unwrap();
    monitor.start().unwrap();
    monitor
}

fn until(what: &str, is_so: impl Fn() -> bool) {
    let end = Instant::now() + Duration::from_secs(20);
    while !is_so() {
        assert!(Instant::now() < end, "never: {what}");
        std::thread::sleep(Duration::from_millis(2));
    }
}

fn state(handle: &Handle, rule: &str) -> Option<State> {
    handle.alerts().iter().find(|alert| alert.rule == rule).map(|alert| alert.state)
}

#[test]
fn a_child_that_holds_memory_is_measured_and_fires_and_resolves() {
    const BYTES: usize = 256 << 20;
    let rules = "[[rule]]\nname = \"memory\"\nmetric = \"process_rss_bytes\"\nwhen = \"above\"\n\
                 threshold = 200e6\nfor = \"50ms\"\n";
    let folder = tempfile::tempdir().unwrap();
    let log = folder.path().join("log.jsonl");
    let options = Options {
        rules: monitor::parse_rules(rules).unwrap(),
        log: Some(log.clone()),
        ..Options::default()
    };
    let mut monitor = running(options);
    let handle = monitor.handle();
    until("a first sample", || handle.latest().is_some());
    let before = handle.latest().unwrap().get(Metric::ProcessRss).unwrap();
    let touched = std::hint::black_box(vec![1_u8; BYTES]);
    until("firing", || state(&handle, "memory") == Some(State::Firing));
    let held = handle.latest().unwrap().get(Metric::ProcessRss).unwrap() - before;
    drop(touched);
    until("resolved", || state(&handle, "memory") == Some(State::Resolved));
    assert!((held / BYTES as f64 - 1.0).abs() < 0.03, "{held} of {BYTES}");
    let summary = monitor.stop();
    assert_eq!(monitor.stop().samples, summary.samples);
    let text = std::fs::read_to_string(log).unwrap();
    assert_eq!(text.lines().count() as u64, summary.samples);
    let place = |state: &str| text.find(&format!("\"state\":\"{state}\"")).unwrap();
    assert!(place("pending") < place("firing") && place("firing") < place("resolved"));
}

#[test]
fn free_disk_and_a_slow_backtest_fire_and_resolve() {
    let rules = "[[rule]]\nname = \"disk\"\nmetric = \"disk_free_bytes\"\nwhen = \"below\"\n\
                 threshold = 1e18\n\
                 [[rule]]\nname = \"slow\"\nmetric = \"backtest_baseline_ratio\"\n\
                 when = \"above\"\nthreshold = 2.0\n";
    let rules = monitor::parse_rules(rules).unwrap();
    let monitor = running(Options { rules, ..Options::default() });
    let handle = monitor.handle();
    until("no data", || state(&handle, "slow") == Some(State::NoData));
    handle.push(Metric::BacktestRatio, 2.5);
    until("both firing", || {
        ["disk", "slow"].map(|rule| state(&handle, rule)) == [Some(State::Firing); 2]
    });
    handle.push(Metric::BacktestRatio, 1.0);
    until("resolved", || state(&handle, "slow") == Some(State::Resolved));
}

#[test]
fn a_process_that_ends_is_no_data_and_sampling_goes_on() {
    let mut child = Command::new("sleep").arg("60").spawn().unwrap();
    let monitor = running(Options { pid: child.id(), ..Options::default() });
    let handle = monitor.handle();
    until("memory", || handle.latest().is_some_and(|s| s.get(Metric::ProcessRss).is_some()));
    child.kill().unwrap();
    child.wait().unwrap();
    until("gone", || {
        handle.latest().and_then(|s| s.why(Metric::ProcessRss)) == Some("the process is gone")
    });
    let samples = handle.summary().samples;
    until("more samples", || handle.summary().samples > samples + 3);
}

#[test]
fn a_process_that_is_not_there_and_an_interval_of_nothing_are_refused() {
    let options = Options { pid: u32::MAX >> 1, ..Options::default() };
    let mut monitor = ContinuousMonitor::with_options(TICK, options).unwrap();
    assert!(matches!(monitor.start(), Err(MonitorError::Process { .. })));
    assert!(matches!(ContinuousMonitor::new(Duration::ZERO), Err(MonitorError::Interval)));
    let log = Some(PathBuf::from("/no/such/folder/log.jsonl"));
    let options = Options { log, ..Options::default() };
    let mut monitor = ContinuousMonitor::with_options(TICK, options).unwrap();
    assert!(matches!(monitor.start(), Err(MonitorError::Log { .. })));
}

fn get(address: std::net::SocketAddr, target: &str, headers: &str) -> String {
    let mut stream = TcpStream::connect(address).unwrap();
    let mut answer = String::new();
    // A connection beyond the bound is closed, it may be before the request is written.
    let _ = write!(stream, "GET {target} HTTP/1.1\r\n{headers}\r\n");
    let _ = stream.read_to_string(&mut answer);
    answer
}

#[test]
fn it_serves_metrics_with_half_open_connections_beside() {
    let monitor = running(Options::default());
    let handle = monitor.handle();
    until("a sample", || handle.latest().is_some());
    let server = Server::start("127.0.0.1:0".parse().unwrap(), None, handle.clone()).unwrap();
    let address = server.address();
    let answer = get(address, "/metrics", "Host: localhost:9464\r\n");
    assert!(answer.contains("# TYPE process_resident_memory_bytes gauge\n"), "{answer}");
    assert!(get(address, "/health", "").contains("ok"));
    assert!(get(address, "/", "").contains("<svg"));
    assert!(get(address, "/none", "").starts_with("HTTP/1.1 404"));
    assert!(get(address, "/data", "Host: evil.example\r\n").starts_with("HTTP/1.1 401"));
    let samples = handle.summary().samples;
    let slow: Vec<TcpStream> = (0..100).map(|_| TcpStream::connect(address).unwrap()).collect();
    until("sampling beside them", || handle.summary().samples > samples + 20);
    until("answers after the deadline", || get(address, "/health", "").contains("ok"));
    drop(slow);
    let busy = Server::start(address, None, handle.clone());
    assert!(matches!(busy, Err(MonitorError::Listen { .. })));
}

#[test]
fn beyond_loopback_a_token_is_needed() {
    let monitor = running(Options::default());
    let all = "0.0.0.0:0".parse().unwrap();
    let without = Server::start(all, None, monitor.handle());
    assert!(matches!(without, Err(MonitorError::Token(_))));
    let server = Server::start(all, Some("secret".to_owned()), monitor.handle()).unwrap();
    let address = std::net::SocketAddr::from(([127, 0, 0, 1], server.address().port()));
    assert!(get(address, "/health", "").starts_with("HTTP/1.1 401"));
    assert!(get(address, "/health?token=secre", "").starts_with("HTTP/1.1 401"));
    assert!(!get(address, "/health?token=secret", "").contains("401"));
    assert!(!get(address, "/health", "Authorization: Bearer secret\r\n").contains("401"));
}
