//! A monitor in the background of whatever runs, with the built-in alert rules.
//!
//!     cargo run --release -p monitor --example continuous_monitor

use std::time::{Duration, Instant};

use monitor::{ContinuousMonitor, MonitorError, Options, built_in_rules};

fn main() -> Result<(), MonitorError> {
    // A minute is enough for a service; this example ends within a second.
    let interval = Duration::from_millis(50);
    let options = Options { rules: built_in_rules()?, ..Options::default() };
    let mut monitor = ContinuousMonitor::with_options(interval, options)?;
    monitor.start()?;

    run_your_backtests();

    let summary = monitor.stop();
    println!("{} samples over {:.2} s", summary.samples, summary.duration_s);
    if let Some(rss) = summary.process.rss_bytes {
        println!("Memory: {:.1} MB, at most {:.1} MB", rss.mean / 1e6, rss.peak / 1e6);
    }
    if let Some(cpu) = summary.process.cpu_percent {
        println!("CPU: {:.0} %, at most {:.0} % of a core", cpu.mean, cpu.peak);
    }
    println!("the monitor itself took {:.2} % of a core", summary.overhead_percent);
    for alert in &summary.alerts {
        println!("{}: {:?}", alert.rule, alert.state);
    }
    Ok(())
}

/// Half a second in which memory grows to 64 MB.
fn run_your_backtests() {
    let started = Instant::now();
    let mut kept = Vec::new();
    while started.elapsed() < Duration::from_millis(500) {
        if kept.len() < 64 {
            kept.push(vec![1_u8; 1_000_000]);
        }
        std::hint::black_box(kept.iter().flatten().map(|&byte| u64::from(byte)).sum::<u64>());
    }
}
