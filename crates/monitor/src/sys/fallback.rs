//! Through `sysinfo`, and the C library for the peak of memory, which `sysinfo` does not know.

use std::cell::RefCell;
use std::time::Instant;

use sysinfo::{
    Components, DiskRefreshKind, Disks, Pid, ProcessRefreshKind, ProcessStatus, ProcessesToUpdate,
    System,
};

use super::{Process, Reading};

const NOT_GIVEN: &str = "this system does not give it";

pub(crate) fn peak_rss_bytes() -> Option<u64> {
    super::unix::peak_rss_bytes()
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

/// CPU time of the machine, added up from shares: what the system gives is the share of the time
/// since it was last asked.
struct CpuTime {
    asked: Instant,
    busy_ticks: f64,
    all_ticks: f64,
}

/// Ticks of a core in a second; any number does, as only ratios are used.
const TICKS_PER_S: f64 = 1_000.0;

thread_local! {
    static CPU_TIME: RefCell<Option<CpuTime>> = const { RefCell::new(None) };
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

    pub(crate) fn open_files(&self, pid: u32) -> Reading<u64> {
        with_system(|system| {
            let pid = Pid::from_u32(pid);
            let what = ProcessRefreshKind::nothing();
            system.refresh_processes_specifics(ProcessesToUpdate::Some(&[pid]), false, what);
            let process = system.process(pid).ok_or("the process is gone")?;
            process.open_files().map(|files| files as u64).ok_or(NOT_GIVEN)
        })
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

    /// Busy and all ticks of all cores since the first call.
    pub(crate) fn cpu_ticks(&self) -> Reading<(u64, u64)> {
        let share = with_system(|system| {
            system.refresh_cpu_usage();
            Ok(f64::from(system.global_cpu_usage()) / 100.0)
        })?;
        let cores = self.cores() as f64;
        CPU_TIME.with_borrow_mut(|time| {
            let now = Instant::now();
            let time = time.get_or_insert(CpuTime { asked: now, busy_ticks: 0.0, all_ticks: 0.0 });
            let ticks = (now - time.asked).as_secs_f64() * TICKS_PER_S * cores;
            time.asked = now;
            time.busy_ticks += ticks * share;
            time.all_ticks += ticks;
            Ok((time.busy_ticks as u64, time.all_ticks as u64))
        })
    }

    pub(crate) fn load(&self) -> Reading<f64> {
        System::load_average().map(|load| load.one).map_err(|_| NOT_GIVEN)
    }

    /// Bytes read and written by all disks.
    pub(crate) fn disk_bytes(&self) -> Reading<(u64, u64)> {
        let what = DiskRefreshKind::nothing().with_io_usage();
        let disks = Disks::new_with_refreshed_list_specifics(what).map_err(|_| NOT_GIVEN)?;
        let usage = disks.iter().map(sysinfo::Disk::usage);
        let (read, written) = usage.fold((0, 0), |(read, written), usage| {
            (read + usage.total_read_bytes, written + usage.total_written_bytes)
        });
        Ok((read, written))
    }

    pub(crate) fn pressure(&self, _resource: &str) -> Reading<f64> {
        Err(NOT_GIVEN)
    }

    /// The hottest sensor.
    pub(crate) fn temperature_celsius(&self) -> Reading<f64> {
        let components = Components::new_with_refreshed_list().map_err(|_| NOT_GIVEN)?;
        let hottest = components.iter().filter_map(sysinfo::Component::temperature);
        hottest.reduce(f32::max).map(f64::from).ok_or("this machine has no sensor")
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
