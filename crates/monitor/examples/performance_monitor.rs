//! What a backtest costs, and what this process and its machine use now.
//!
//!     cargo run --release -p monitor --example performance_monitor

use monitor::{MonitorError, PerformanceMonitor};

struct Params {
    fast_ma: usize,
    slow_ma: usize,
}

fn main() -> Result<(), MonitorError> {
    let closes = walk(525_600);
    let monitor = PerformanceMonitor::new();

    // What a backtest costs. Any function of data and parameters will do for a strategy.
    let params = Params { fast_ma: 20, slow_ma: 50 };
    let (growth, metrics) = monitor.monitor_backtest(crossover, &closes[..], &params);
    println!("{} bars in {:.1} ms", closes.len(), metrics.wall_seconds * 1e3);
    println!("bars a second: {}", told(metrics.bars_per_s.map(|rate| rate / 1e6), " M"));
    println!("CPU time: {}", told(metrics.user_seconds.map(|s| s * 1e3), " ms"));
    println!("the account is worth {growth:.2} times what it was");

    // What is used now; it takes 200 ms, as a CPU share is a difference.
    let resources = monitor.monitor_resource_usage()?;
    println!("Memory: {}", told(resources.process_memory_rss_gb, "GB"));
    println!("CPU: {}", told(resources.cpu_percent, "%"));
    println!("Machine's memory: {}", told(resources.system_memory_percent, "%"));
    println!("Free disk: {}", told(resources.disk_free_gb, "GB"));
    Ok(())
}

/// A figure and its unit. What the system does not say is no 0.
fn told(value: Option<f64>, unit: &str) -> String {
    value.map_or_else(|| "not available".to_owned(), |value| format!("{value:.3}{unit}"))
}

/// A year of minutes of a random walk.
fn walk(bars: usize) -> Vec<f64> {
    let (mut state, mut price) = (1_u64, 100.0);
    let mut step = || {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
        price *= 1.0 + ((state >> 33) as f64 / (1_u64 << 31) as f64 - 0.5) * 1e-3;
        price
    };
    (0..bars).map(|_| step()).collect()
}

/// What 1 grows to where it is held while the fast average lies above the slow one.
fn crossover(closes: &[f64], params: &Params) -> f64 {
    let (mut fast, mut slow, mut growth) = (0.0, 0.0, 1.0);
    for bar in 0..closes.len() {
        let is_long =
            bar > params.slow_ma && fast / params.fast_ma as f64 > slow / params.slow_ma as f64;
        if is_long {
            growth *= closes[bar] / closes[bar - 1];
        }
        fast += closes[bar] - if bar < params.fast_ma { 0.0 } else { closes[bar - params.fast_ma] };
        slow += closes[bar] - if bar < params.slow_ma { 0.0 } else { closes[bar - params.slow_ma] };
    }
    growth
}
