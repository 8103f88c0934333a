//! Figures against loads of known size, each alert made to happen, and what goes wrong around a
//! running monitor.
#![cfg(target_os = "linux")]

use std::io::{Read, Write};
use std::net::TcpStream;
use std::path::PathBuf;
use std::process::Command;
use std::time::{Duration, Instant};

use monitor::{
    ContinuousMonitor, Handle, Metric, MonitorError, Options, PerformanceMonitor, Server, State,
};

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
    in_order(&text, "memory");
}

/// The log's word that `rule` was pending, fired and resolved, in that order.
fn in_order(text: &str, rule: &str) {
    let place = |state: &str| {
        let change = format!("\"rule\":\"{rule}\",\"state\":\"{state}\"");
        text.find(&change).unwrap_or_else(|| panic!("never: {rule} {state}"))
    };
    assert!(place("pending") < place("firing") && place("firing") < place("resolved"));
}

#[test]
fn a_disk_that_fills_fires_and_resolves() {
    const BYTES: u64 = 2 << 30;
    let folder = tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR")).unwrap();
    let free = rustix::fs::statvfs(folder.path()).unwrap();
    let threshold = (free.f_bavail * free.f_frsize).saturating_sub(BYTES / 2);
    let rules = format!(
        "[[rule]]\nname = \"disk_free\"\nmetric = \"disk_free_bytes\"\nwhen = \"below\"\n\
         threshold = {threshold}.0\nfor = \"500ms\"\n"
    );
    let log = folder.path().join("log.jsonl");
    let mut monitor = running(Options {
        paths: vec![folder.path().into()],
        rules: monitor::parse_rules(&rules).unwrap(),
        log: Some(log.clone()),
        ..Options::default()
    });
    let handle = monitor.handle();
    until("inactive", || state(&handle, "disk_free") == Some(State::Inactive));
    let path = folder.path().join("ballast");
    let file = std::fs::File::create(&path).unwrap();
    rustix::fs::fallocate(&file, rustix::fs::FallocateFlags::empty(), 0, BYTES).unwrap();
    until("firing", || state(&handle, "disk_free") == Some(State::Firing));
    drop(file);
    std::fs::remove_file(path).unwrap();
    until("resolved", || state(&handle, "disk_free") == Some(State::Resolved));
    monitor.stop();
    in_order(&std::fs::read_to_string(log).unwrap(), "disk_free");
}

#[test]
fn a_backtest_of_twice_its_baseline_fires_and_resolves() {
    let folder = tempfile::tempdir().unwrap();
    let log = folder.path().join("log.jsonl");
    let rules = monitor::built_in_rules().unwrap();
    let mut continuous = running(Options { rules, log: Some(log.clone()), ..Options::default() });
    let handle = continuous.handle();
    let closes = vec![1.0; 1_000];
    let strategy = |data: &Vec<f64>, wait: &Duration| {
        std::thread::sleep(*wait);
        data.iter().sum::<f64>()
    };
    let run = |monitor: &PerformanceMonitor, wait| {
        monitor.monitor_backtest(strategy, &closes, &Duration::from_millis(wait))
    };
    let (sum, record) = run(&PerformanceMonitor::new(), 200);
    assert_eq!((sum, record.bars, record.baseline_ratio), (1_000.0, Some(1_000), None));
    let held = PerformanceMonitor::new().with_baseline_record(&record).reporting_to(handle.clone());
    until("no data", || state(&handle, "backtest_slow") == Some(State::NoData));
    let (_, slow) = run(&held, 600);
    assert!(slow.is_slow(), "{slow:?}");
    until("firing", || state(&handle, "backtest_slow") == Some(State::Firing));
    let (_, fine) = run(&held, 100);
    assert!(!fine.is_slow(), "{fine:?}");
    until("resolved", || state(&handle, "backtest_slow") == Some(State::Resolved));
    continuous.stop();
    in_order(&std::fs::read_to_string(log).unwrap(), "backtest_slow");
}

#[test]
fn ten_thousand_scrapes_lose_no_sample() {
    const EACH: usize = 2_500;
    let interval = Duration::from_millis(100);
    let mut monitor = ContinuousMonitor::with_options(interval, Options::default()).unwrap();
    monitor.start().unwrap();
    let handle = monitor.handle();
    until("a sample", || handle.latest().is_some());
    let server = Server::start("127.0.0.1:0".parse().unwrap(), None, handle.clone()).unwrap();
    let address = server.address();
    let scrape = || {
        let is_whole = |answer: String| answer.contains("redline_monitor_samples_total ");
        (0..EACH).filter(|_| is_whole(get(address, "/metrics", ""))).count()
    };
    let answered: usize = std::thread::scope(|scope| {
        let clients: Vec<_> = (0..4).map(|_| scope.spawn(scrape)).collect();
        clients.into_iter().map(|client| client.join().unwrap()).sum()
    });
    assert_eq!(answered, 4 * EACH);
    let summary = monitor.stop();
    assert_eq!(summary.missed_ticks, 0);
    let due = summary.duration_s / interval.as_secs_f64();
    assert!((summary.samples as f64 - due).abs() <= 2.0, "{} of {due}", summary.samples);
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
