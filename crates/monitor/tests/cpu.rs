//! CPU time against the thread's own clock. Alone in its process: other tests would spin too.
#![cfg(target_os = "linux")]

use std::time::Duration;

use monitor::{ContinuousMonitor, Metric};
use rustix::time::{ClockId, clock_gettime};

#[test]
fn three_seconds_of_a_core_are_three_seconds() {
    let own_time = || {
        let time = clock_gettime(ClockId::ThreadCPUTime);
        time.tv_sec as f64 + time.tv_nsec as f64 * 1e-9
    };
    let mut monitor = ContinuousMonitor::new(Duration::from_millis(100)).unwrap();
    monitor.start().unwrap();
    let handle = monitor.handle();
    let before = own_time();
    while own_time() - before < 3.0 {
        std::hint::spin_loop();
    }
    let summary = monitor.stop();
    let seconds = handle.latest().and_then(|s| s.get(Metric::ProcessCpuSeconds)).unwrap();
    assert!((seconds / 3.0 - 1.0).abs() < 0.03, "{seconds} s of 3 s");
    let percent = summary.process.cpu_percent.unwrap().mean;
    // Of the time it watched: on a busy machine it may be stopped a tick after the load ended.
    let expected = 300.0 / summary.duration_s;
    assert!((percent / expected - 1.0).abs() < 0.03, "{percent} % of {expected} %");
    assert!(summary.overhead_percent < 2.0, "{}", summary.overhead_percent);
}
