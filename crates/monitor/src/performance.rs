//! What one run costs.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::sys::{self, Counters, Machine, Reading};
use crate::{Handle, Metric, MonitorError, Sampler, watch};

/// How many bars a run goes over.
pub trait Bars {
    /// The count.
    fn bars(&self) -> usize;
}

impl<T> Bars for [T] {
    fn bars(&self) -> usize {
        self.len()
    }
}

impl<T> Bars for Vec<T> {
    fn bars(&self) -> usize {
        self.len()
    }
}

/// What a run cost; `None` where the system does not say. Counts are the whole process's.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct RunMetrics {
    /// What was run.
    pub name: String,
    /// Wall clock.
    pub wall_seconds: f64,
    /// Time in user code, over all threads.
    pub user_seconds: Option<f64>,
    /// Time in the kernel, over all threads.
    pub system_seconds: Option<f64>,
    /// Bars gone over.
    pub bars: Option<u64>,
    /// Bars a second of wall clock.
    pub bars_per_s: Option<f64>,
    /// Highest memory, sampled every 10 ms.
    pub peak_rss_bytes: Option<u64>,
    /// Mean of the sampled memory.
    pub mean_rss_bytes: Option<u64>,
    /// Fetched from storage.
    pub read_bytes: Option<u64>,
    /// Sent to storage.
    pub written_bytes: Option<u64>,
    /// Page faults answered without storage.
    pub minor_faults: Option<u64>,
    /// Page faults that read storage.
    pub major_faults: Option<u64>,
    /// Context switches, wanted and forced.
    pub context_switches: Option<u64>,
    /// Allocations, where a counter was given.
    pub allocations: Option<u64>,
    /// Loads that the data cache answered, where a counter was given.
    pub cache_hits: Option<u64>,
    /// Loads from storage, where a counter was given.
    pub cache_misses: Option<u64>,
    /// Last-level cache references, where the machine counts them.
    pub hardware_cache_references: Option<u64>,
    /// Last-level cache misses, where the machine counts them.
    pub hardware_cache_misses: Option<u64>,
    /// Wall clock over the baseline's, where one was given.
    pub baseline_ratio: Option<f64>,
}

impl RunMetrics {
    /// Whether the run took more than twice its baseline.
    #[must_use]
    pub fn is_slow(&self) -> bool {
        self.baseline_ratio.is_some_and(|ratio| ratio > 2.0)
    }
}

/// What this process and its machine use now; `None` where the system does not say.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Resources {
    /// Resident memory in units of 10^9 bytes.
    pub process_memory_rss_gb: Option<f64>,
    /// Address space in units of 10^9 bytes.
    pub process_memory_virtual_gb: Option<f64>,
    /// Percent of one core that this process used while it was looked at.
    pub cpu_percent: Option<f64>,
    /// Percent of all cores in use while it was looked at.
    pub system_cpu_percent: Option<f64>,
    /// Threads of this process.
    pub threads: Option<f64>,
    /// Open files of this process.
    pub open_files: Option<f64>,
    /// Fetched from storage so far.
    pub read_bytes: Option<f64>,
    /// Sent to storage so far.
    pub written_bytes: Option<f64>,
    /// Memory in use in units of 10^9 bytes, of the control group where it has a limit.
    pub system_memory_used_gb: Option<f64>,
    /// That, of what may be used.
    pub system_memory_percent: Option<f64>,
    /// Free space of the current folder in units of 10^9 bytes.
    pub disk_free_gb: Option<f64>,
    /// Runnable and waiting tasks, one-minute mean.
    pub load_1m: Option<f64>,
}

/// A counter that the caller keeps: the count so far.
type Counter = Box<dyn Fn() -> u64 + Send + Sync>;

/// Measures runs.
///
/// ```
/// let monitor = monitor::PerformanceMonitor::new();
/// let closes = vec![1.0; 1_000];
/// let (sum, metrics) =
///     monitor.monitor_backtest(|data: &Vec<f64>, k: &f64| data.iter().sum::<f64>() * k, &closes, &2.0);
/// assert_eq!((sum, metrics.bars), (2_000.0, Some(1_000)));
/// ```
#[derive(Default)]
pub struct PerformanceMonitor {
    baseline: Option<Duration>,
    allocations: Option<Counter>,
    cache: Option<[Counter; 2]>,
    told: Option<Handle>,
}

impl PerformanceMonitor {
    /// Without a baseline and without the caller's counters.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Sets the wall clock that runs are held against.
    #[must_use]
    pub fn with_baseline(mut self, wall: Duration) -> Self {
        self.baseline = Some(wall);
        self
    }

    /// Holds runs against a record of an earlier one.
    #[must_use]
    pub fn with_baseline_record(self, record: &RunMetrics) -> Self {
        let wall = Duration::try_from_secs_f64(record.wall_seconds).unwrap_or_default();
        self.with_baseline(wall)
    }

    /// Tells a running [`crate::ContinuousMonitor`] of every run's ratio to its baseline and of the
    /// data cache, so that its rules, such as the built-in `backtest_slow`, see them.
    #[must_use]
    pub fn reporting_to(mut self, handle: Handle) -> Self {
        self.told = Some(handle);
        self
    }

    /// Reads allocations from a counting allocator.
    #[must_use]
    pub fn with_allocations(mut self, count: impl Fn() -> u64 + Send + Sync + 'static) -> Self {
        self.allocations = Some(Box::new(count));
        self
    }

    /// Reads hits and misses of a data cache.
    #[must_use]
    pub fn with_cache(
        mut self,
        hits: impl Fn() -> u64 + Send + Sync + 'static,
        misses: impl Fn() -> u64 + Send + Sync + 'static,
    ) -> Self {
        self.cache = Some([Box::new(hits), Box::new(misses)]);
        self
    }

    /// Runs `work` and tells what it cost.
    pub fn monitor<T>(&self, name: &str, work: impl FnOnce() -> T) -> (T, RunMetrics) {
        let pid = std::process::id();
        let (machine, counters) = (sys::machine(pid), Counters::open(pid));
        let before = self.counts(&machine, &counters);
        let (result, usage) = watch(work);
        let after = self.counts(&machine, &counters);
        let wall_seconds = usage.wall.as_secs_f64();
        let grown = |of: usize| Some(after[of]?.saturating_sub(before[of]?));
        let seconds = |of: usize| grown(of).map(|nanoseconds| nanoseconds as f64 * 1e-9);
        let metrics = RunMetrics {
            name: name.to_owned(),
            wall_seconds,
            user_seconds: seconds(0),
            system_seconds: seconds(1),
            bars: None,
            bars_per_s: None,
            peak_rss_bytes: usage.peak_rss_bytes,
            mean_rss_bytes: usage.mean_rss_bytes,
            minor_faults: grown(2),
            major_faults: grown(3),
            context_switches: grown(4),
            read_bytes: grown(5),
            written_bytes: grown(6),
            allocations: grown(7),
            cache_hits: grown(8),
            cache_misses: grown(9),
            hardware_cache_references: grown(10),
            hardware_cache_misses: grown(11),
            baseline_ratio: self
                .baseline
                .filter(|baseline| !baseline.is_zero())
                .map(|baseline| wall_seconds / baseline.as_secs_f64()),
        };
        self.tell(&metrics, [after[8], after[9]]);
        (result, metrics)
    }

    /// Runs a strategy over data with its parameters and tells what that cost, with bars a second.
    pub fn monitor_backtest<D: Bars + ?Sized, P: ?Sized, T>(
        &self,
        strategy: impl FnOnce(&D, &P) -> T,
        data: &D,
        params: &P,
    ) -> (T, RunMetrics) {
        let (result, mut metrics) = self.monitor("backtest", || strategy(data, params));
        let bars = data.bars();
        metrics.bars = Some(bars as u64);
        metrics.bars_per_s = Some(bars as f64 / metrics.wall_seconds);
        (result, metrics)
    }

    /// What this process and its machine use now. Takes 200 ms, as CPU time is a difference.
    ///
    /// # Errors
    /// [`MonitorError::Process`] where the system hides this process from itself.
    pub fn monitor_resource_usage(&self) -> Result<Resources, MonitorError> {
        monitor_resource_usage()
    }

    fn tell(&self, metrics: &RunMetrics, [hits, misses]: [Option<u64>; 2]) {
        let Some(handle) = &self.told else { return };
        let counts = [(Metric::DataCacheHits, hits), (Metric::DataCacheMisses, misses)];
        let counts = counts.into_iter().map(|(metric, count)| (metric, count.map(|n| n as f64)));
        let ratio = (Metric::BacktestRatio, metrics.baseline_ratio);
        for (metric, value) in counts.chain([ratio]) {
            if let Some(value) = value {
                handle.push(metric, value);
            }
        }
    }

    /// User and system nanoseconds, faults, switches, I/O, the caller's counters, the hardware's.
    fn counts(&self, machine: &Machine, counters: &Reading<Counters>) -> [Option<u64>; 12] {
        let usage = sys::own_usage().ok();
        let io = machine.process_io(std::process::id()).ok();
        let counted = counters.as_ref().ok().and_then(|counters| counters.read().ok());
        let nanoseconds = |seconds: f64| (seconds * 1e9) as u64;
        let [hits, misses] = match &self.cache {
            Some([hits, misses]) => [Some(hits()), Some(misses())],
            None => [None, None],
        };
        [
            usage.map(|usage| nanoseconds(usage.user_seconds)),
            usage.map(|usage| nanoseconds(usage.system_seconds)),
            usage.map(|usage| usage.minor_faults),
            usage.map(|usage| usage.major_faults),
            usage.map(|usage| usage.context_switches),
            io.map(|(read, _)| read),
            io.map(|(_, written)| written),
            self.allocations.as_ref().map(|count| count()),
            hits,
            misses,
            counted.map(|(references, _)| references),
            counted.map(|(_, misses)| misses),
        ]
    }
}

/// Between the two looks that a CPU share needs; sysinfo asks for as much.
const LOOK: Duration = Duration::from_millis(200);

/// What this process and its machine use now. Takes 200 ms, as CPU time is a difference.
///
/// # Errors
/// [`MonitorError::Process`] where the system hides this process from itself.
pub fn monitor_resource_usage() -> Result<Resources, MonitorError> {
    let mut sampler = Sampler::new(std::process::id(), vec![".".into()])?.without_delays();
    sampler.sample();
    std::thread::sleep(LOOK);
    let sample = sampler.sample();
    let giga = |metric| sample.get(metric).map(|bytes| bytes / 1e9);
    Ok(Resources {
        process_memory_rss_gb: giga(Metric::ProcessRss),
        process_memory_virtual_gb: giga(Metric::ProcessVirtual),
        cpu_percent: sample.get(Metric::ProcessCpu),
        system_cpu_percent: sample.get(Metric::SystemCpu),
        threads: sample.get(Metric::ProcessThreads),
        open_files: sample.get(Metric::ProcessOpenFiles),
        read_bytes: sample.get(Metric::ProcessRead),
        written_bytes: sample.get(Metric::ProcessWritten),
        system_memory_used_gb: giga(Metric::MemoryUsed),
        system_memory_percent: sample.get(Metric::MemoryPercent),
        disk_free_gb: giga(Metric::DiskFree),
        load_1m: sample.get(Metric::Load),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Instant;

    #[test]
    fn a_busy_run_is_told_from_an_idle_one() {
        let monitor = PerformanceMonitor::new().with_baseline(Duration::from_millis(100));
        let work = || {
            let end = Instant::now() + Duration::from_millis(300);
            while Instant::now() < end {
                std::hint::spin_loop();
            }
        };
        let ((), busy) = monitor.monitor("spin", work);
        assert!(busy.wall_seconds >= 0.3 && busy.is_slow(), "{busy:?}");
        let ((), idle) = monitor.monitor("idle", || ());
        assert!(!idle.is_slow());
        assert_eq!((idle.allocations, idle.cache_hits), (None, None));
    }

    #[test]
    #[cfg(target_os = "linux")]
    fn resources_are_all_there() {
        let resources = monitor_resource_usage().unwrap();
        assert!(resources.process_memory_rss_gb.unwrap() > 0.0);
        assert!(resources.cpu_percent.is_some() && resources.system_memory_percent.is_some());
        assert!(resources.disk_free_gb.unwrap() > 0.0);
    }
}
