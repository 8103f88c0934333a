//! Everything that differs between systems, behind one small interface.
//!
//! Each system's module has the same functions: what the machine is, pinning, pages, the state of
//! the processors while a section runs, and files without the page cache.

mod region;
#[cfg(unix)]
mod unix;

#[cfg(target_os = "linux")]
mod linux;
#[cfg(target_os = "linux")]
use linux as platform;

#[cfg(target_os = "macos")]
mod macos;
#[cfg(target_os = "macos")]
use macos as platform;

#[cfg(not(any(target_os = "linux", target_os = "macos")))]
mod fallback;
#[cfg(not(any(target_os = "linux", target_os = "macos")))]
use fallback as platform;

pub(crate) use platform::{
    allowed_cpus, available_memory, cpu_times, describe, drop_cache, in_memory, open_direct,
    own_cpu_seconds, pin, prefer_fast_cores,
};
pub(crate) use region::{Pages, Region};

#[cfg(target_os = "linux")]
pub(crate) use linux::uring;

/// Processor time of the whole machine since it started, in seconds over all cores.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct CpuTimes {
    /// Time in which some process ran.
    pub(crate) busy: f64,
    /// Time in which the hypervisor ran something else.
    pub(crate) steal: f64,
}
