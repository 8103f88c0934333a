//! What each system says of processes and of itself. Each answer is a value or why there is none.

#[cfg(target_os = "linux")]
#[path = "linux.rs"]
mod imp;
#[cfg(not(target_os = "linux"))]
#[path = "fallback.rs"]
mod imp;
#[cfg(target_os = "linux")]
mod perf;
#[cfg(unix)]
mod unix;

#[cfg(not(target_os = "linux"))]
pub(crate) use imp::Counters;
pub(crate) use imp::{Machine, machine, peak_rss_bytes, process, rss_bytes};
#[cfg(target_os = "linux")]
pub(crate) use perf::Counters;
#[cfg(unix)]
pub(crate) use unix::{disk_free_bytes, own_usage, thread_cpu};

/// A value, or why there is none.
pub(crate) type Reading<T> = Result<T, &'static str>;

/// What one process holds and has used; sums of these describe a tree.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Process {
    /// Tells a process from a later one with its id.
    pub(crate) started: u64,
    pub(crate) is_zombie: bool,
    pub(crate) rss_bytes: u64,
    pub(crate) virtual_bytes: Reading<u64>,
    pub(crate) cpu_seconds: f64,
    pub(crate) threads: Reading<u64>,
    pub(crate) minor_faults: Reading<u64>,
    pub(crate) major_faults: Reading<u64>,
}

/// What this process has used, and how.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct OwnUsage {
    pub(crate) user_seconds: f64,
    pub(crate) system_seconds: f64,
    pub(crate) minor_faults: u64,
    pub(crate) major_faults: u64,
    pub(crate) context_switches: u64,
}
