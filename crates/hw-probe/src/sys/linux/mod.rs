//! Linux, by its `/proc` and `/sys`.

mod cgroup;
mod describe;
mod files;
mod memory_modules;
mod topology;
pub(crate) mod uring;

use std::fs::{File, OpenOptions};
use std::io;
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;
use std::sync::{Mutex, PoisonError};

use rustix::fs::{Advice, FsWord, OFlags, fadvise, fstatfs};
use rustix::thread::{CpuSet, sched_getaffinity, sched_setaffinity};

use super::CpuTimes;
use crate::machine::Machine;

pub(crate) use super::unix::own_cpu_seconds;

/// Describes the machine from the real root.
pub(crate) fn describe() -> Machine {
    describe::describe(Path::new("/"), &allowed_cpus())
}

/// Logical processors that this thread may run on, in the order in which threads should take them: one of each
/// core before a second one of any, fast cores before slow ones.
pub(crate) fn allowed_cpus() -> Vec<usize> {
    /// The last answer and its question: a machine's processors stay as they are.
    static ORDERED: Mutex<(Vec<usize>, Vec<usize>)> = Mutex::new((Vec::new(), Vec::new()));
    let Ok(set) = sched_getaffinity(None) else { return Vec::new() };
    let cpus: Vec<usize> = (0..CpuSet::MAX_CPU).filter(|&cpu| set.is_set(cpu)).collect();
    let mut known = ORDERED.lock().unwrap_or_else(PoisonError::into_inner);
    if known.0 != cpus {
        *known = (cpus.clone(), topology::cores_first(Path::new("/"), &cpus));
    }
    known.1.clone()
}

/// Binds the calling thread to one processor; whether it worked.
pub(crate) fn pin(cpu: usize) -> bool {
    if cpu >= CpuSet::MAX_CPU {
        return false;
    }
    let mut set = CpuSet::new();
    set.set(cpu);
    sched_setaffinity(None, &set).is_ok()
}

/// Threads are bound to cores here: there is nothing to ask for.
pub(crate) fn prefer_fast_cores() {}

/// Memory that can be taken without anything being killed: what the kernel calls available, and
/// what the control groups leave. Bytes.
pub(crate) fn available_memory() -> Option<u64> {
    let system = meminfo(Path::new("/"), "MemAvailable:");
    [system, cgroup::memory_room(Path::new("/"))].into_iter().flatten().min()
}

/// One line of `/proc/meminfo`, bytes.
fn meminfo(root: &Path, key: &str) -> Option<u64> {
    let text = std::fs::read_to_string(root.join("proc/meminfo")).ok()?;
    let line = text.lines().find_map(|line| line.strip_prefix(key))?;
    let kib: u64 = line.trim().trim_end_matches(" kB").parse().ok()?;
    Some(kib << 10)
}

/// Times of the processors that this process may run on.
pub(crate) fn cpu_times() -> Option<CpuTimes> {
    parse_cpu_times(&std::fs::read_to_string("/proc/stat").ok()?, &allowed_cpus())
}

/// The lines of `cpus` in `/proc/stat`, summed: user nice system idle iowait irq softirq steal, in ticks, which
/// are hundredths of a second in this file on every Linux.
fn parse_cpu_times(stat: &str, cpus: &[usize]) -> Option<CpuTimes> {
    let mut sum = None;
    for line in stat.lines() {
        let mut words = line.split_whitespace();
        let cpu = words.next().and_then(|word| word.strip_prefix("cpu")?.parse().ok());
        if !cpu.is_some_and(|cpu| cpus.contains(&cpu)) {
            continue;
        }
        let ticks: Vec<f64> = words.map_while(|word| word.parse().ok()).collect();
        let &[user, nice, system, _idle, _iowait, irq, soft_irq, steal, ..] = ticks.as_slice()
        else {
            continue;
        };
        let CpuTimes { busy, steal: stolen } = sum.unwrap_or_default();
        let ran = (user + nice + system + irq + soft_irq) / 100.0;
        sum = Some(CpuTimes { busy: busy + ran, steal: stolen + steal / 100.0 });
    }
    sum
}

/// Opens a file for reading and writing past the page cache. The open may succeed where the
/// transfer is refused: callers try one.
pub(crate) fn open_direct(path: &Path) -> io::Result<File> {
    let file = OpenOptions::new()
        .read(true)
        .write(true)
        .custom_flags(OFlags::DIRECT.bits() as i32)
        .open(path)?;
    if in_memory(&file) {
        // Linux 6.6 and later accept the flag there and ignore it.
        let why = "a file system in memory: there is no disk below it";
        return Err(io::Error::new(io::ErrorKind::Unsupported, why));
    }
    Ok(file)
}

/// Whether the file lies in memory (tmpfs, ramfs), whatever is asked of it.
pub(crate) fn in_memory(file: &File) -> bool {
    const TMPFS: FsWord = 0x0102_1994;
    const RAMFS: FsWord = 0x8584_58F6;
    fstatfs(file).is_ok_and(|found| [TMPFS, RAMFS].contains(&found.f_type))
}

/// Drops a file's clean pages from the page cache.
pub(crate) fn drop_cache(file: &File) -> io::Result<()> {
    file.sync_all()?;
    Ok(fadvise(file, 0, None, Advice::DontNeed)?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn processor_times_are_those_of_the_allowed_processors() {
        let stat = "cpu  600 10 40 1800 14 2 4 600 0 0\ncpu0 100 5 20 900 7 1 2 300 0 0\n\
                    cpu1 50 0 0 9 0 0 0 100\ncpu10 450 5 20 900 7 1 2 200 0 0\nintr 5\n";
        let of =
            |cpus: &[usize]| parse_cpu_times(stat, cpus).map(|times| (times.busy, times.steal));
        assert_eq!(of(&[0]), Some((1.28, 3.0)));
        assert_eq!(of(&[1, 0]), Some((1.78, 4.0)));
        assert_eq!(of(&[7]), None);
        assert!(parse_cpu_times("cpu0  1 2\n", &[0]).is_none());
        assert!(parse_cpu_times("", &[0]).is_none());
    }

    #[test]
    fn a_thread_can_be_pinned_where_it_may_run() {
        let cpus = allowed_cpus();
        assert!(!cpus.is_empty());
        std::thread::spawn(move || {
            assert!(pin(cpus[0]));
            assert_eq!(allowed_cpus(), [cpus[0]]);
        })
        .join()
        .unwrap();
    }

    #[test]
    fn available_memory_is_below_the_memory() {
        let all = meminfo(Path::new("/"), "MemTotal:").unwrap();
        assert!(available_memory().unwrap() <= all);
    }
}
