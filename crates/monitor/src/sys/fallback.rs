//! Through `sysinfo`, which knows the current memory only, not its peak.

use std::cell::RefCell;

use sysinfo::{Pid, ProcessRefreshKind, ProcessStatus, ProcessesToUpdate, System};

use super::{Process, Reading};

const NOT_GIVEN: &str = "this system does not give it";

pub(crate) fn peak_rss_bytes() -> Option<u64> {
    None
}

pub(crate) fn rss_bytes() -> Option<u64> {
    process(std::process::id()).map(|process| process.rss_bytes)
}

thread_local! {
    /// Kept between samples: a fresh one costs many times as much.
    static SYSTEM: RefCell<Option<System>> = RefCell::new(System::new().ok());
}

/// `look` at the system, where it lets itself be looked at.
fn with_system<T>(look: impl FnOnce(&mut System) -> Reading<T>) -> Reading<T> {
    SYSTEM.with_borrow_mut(|system| look(system.as_mut().ok_or(NOT_GIVEN)?))
}

pub(crate) fn process(pid: u32) -> Option<Process> {
    let found = with_system(|system| {
        let pid = Pid::from_u32(pid);
        let what = ProcessRefreshKind::nothing().with_memory().with_cpu();
        system.refresh_processes_specifics(ProcessesToUpdate::Some(&[pid]), true, what);
        let process = system.process(pid).ok_or(NOT_GIVEN)?;
        Ok(Process {
            started: process.start_time(),
            is_zombie: process.status() == ProcessStatus::Zombie,
            rss_bytes: process.memory(),
            virtual_bytes: Ok(process.virtual_memory()),
            cpu_seconds: process.accumulated_cpu_time() as f64 / 1e3,
            threads: Err(NOT_GIVEN),
            minor_faults: Err(NOT_GIVEN),
            major_faults: Err(NOT_GIVEN),
        })
    });
    found.ok()
}

/// Machine-wide figures.
#[derive(Debug)]
pub(crate) struct Machine;

pub(crate) fn machine(_pid: u32) -> Machine {
    Machine
}

impl Machine {
    pub(crate) fn cores(&self) -> u64 {
        std::thread::available_parallelism().map_or(1, |cores| cores.get() as u64)
    }

    /// A process's living children: all processes are asked for their parent.
    pub(crate) fn children(&self, pid: u32) -> Vec<u32> {
        let found = with_system(|system| {
            let what = ProcessRefreshKind::nothing();
            system.refresh_processes_specifics(ProcessesToUpdate::All, true, what);
            let parent = Some(Pid::from_u32(pid));
            let of_it = system.processes().values().filter(|process| process.parent() == parent);
            Ok(of_it.map(|process| process.pid().as_u32()).collect())
        });
        found.unwrap_or_default()
    }

    pub(crate) fn process_io(&self, pid: u32) -> Reading<(u64, u64)> {
        with_system(|system| {
            let pid = Pid::from_u32(pid);
            let what = ProcessRefreshKind::nothing().with_disk_usage();
            system.refresh_processes_specifics(ProcessesToUpdate::Some(&[pid]), false, what);
            let usage = system.process(pid).ok_or("the process is gone")?.disk_usage();
            Ok((usage.total_read_bytes, usage.total_written_bytes))
        })
    }

    pub(crate) fn open_files(&self, _pid: u32) -> Reading<u64> {
        Err(NOT_GIVEN)
    }

    pub(crate) fn pss_bytes(&self, _pid: u32) -> Reading<u64> {
        Err(NOT_GIVEN)
    }

    pub(crate) fn memory(&self) -> Reading<(u64, u64)> {
        with_system(|system| {
            system.refresh_memory();
            Ok((system.used_memory(), system.total_memory()))
        })
    }

    pub(crate) fn cpu_ticks(&self) -> Reading<(u64, u64)> {
        Err(NOT_GIVEN)
    }

    pub(crate) fn load(&self) -> Reading<f64> {
        System::load_average().map(|load| load.one).map_err(|_| NOT_GIVEN)
    }

    pub(crate) fn disk_bytes(&self) -> Reading<(u64, u64)> {
        Err(NOT_GIVEN)
    }

    pub(crate) fn pressure(&self, _resource: &str) -> Reading<f64> {
        Err(NOT_GIVEN)
    }

    pub(crate) fn temperature_celsius(&self) -> Reading<f64> {
        Err(NOT_GIVEN)
    }

    pub(crate) fn energy_joules(&self) -> Reading<f64> {
        Err(NOT_GIVEN)
    }
}

/// Hardware counters, which this system keeps to itself.
#[derive(Debug)]
pub(crate) struct Counters;

impl Counters {
    pub(crate) fn open(_pid: u32) -> Reading<Self> {
        Err(NOT_GIVEN)
    }

    pub(crate) fn read(&self) -> Reading<(u64, u64)> {
        Err(NOT_GIVEN)
    }
}
