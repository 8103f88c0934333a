//! Systems without a module of their own: what the standard library tells, and nothing invented.

use std::fs::File;
use std::io;
use std::path::Path;

use super::CpuTimes;
use crate::machine::{Limits, Machine, Theoretical};

const WHY: &str = "this system has no module here";

pub(crate) fn describe() -> Machine {
    let threads = std::thread::available_parallelism().map_or(1, usize::from);
    Machine {
        cpu_model: format!("{} processor", std::env::consts::ARCH),
        cores: threads,
        performance_cores: None,
        efficiency_cores: None,
        threads,
        governor: None,
        caches: Vec::new(),
        memory_bytes: None,
        page_bytes: None,
        huge_page_bytes: Vec::new(),
        numa_nodes: None,
        os: std::env::consts::OS.to_owned(),
        kernel: None,
        hypervisor: None,
        cgroup: Limits::default(),
        isa: Vec::new(),
        gpu: Vec::new(),
        neural_engine: None,
        fingerprint: String::new(),
        theoretical: Theoretical { memory_gb_per_s: None, source: format!("not available: {WHY}") },
        unavailable: vec![format!("caches, memory and kernel: {WHY}")],
    }
}

pub(crate) fn allowed_cpus() -> Vec<usize> {
    Vec::new()
}

pub(crate) fn pin(_: usize) -> bool {
    false
}

pub(crate) fn prefer_fast_cores() {}

pub(crate) fn available_memory() -> Option<u64> {
    None
}

pub(crate) fn cpu_times() -> Option<CpuTimes> {
    None
}

pub(crate) fn own_cpu_seconds() -> Option<f64> {
    None
}

pub(crate) fn open_direct(_: &Path) -> io::Result<File> {
    Err(io::Error::new(io::ErrorKind::Unsupported, WHY))
}

pub(crate) fn drop_cache(_: &File) -> io::Result<()> {
    Err(io::Error::new(io::ErrorKind::Unsupported, WHY))
}

/// No file system in memory is known here.
pub(crate) fn in_memory(_: &File) -> bool {
    false
}
