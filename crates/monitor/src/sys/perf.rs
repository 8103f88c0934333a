//! Hardware counters through perf events.

use std::fs::{self, File};
use std::io::{self, Read};
use std::os::fd::{FromRawFd, OwnedFd};

use super::Reading;

/// `PERF_TYPE_HARDWARE` and its two events, from `linux/perf_event.h`.
const HARDWARE: u32 = 0;
const CACHE_REFERENCES: u64 = 2;
const CACHE_MISSES: u64 = 3;
/// Answer with the time that the event was wanted and the time that it was on a counter.
const READ_TIMES: u64 = 0b11;
/// Count children that come later; leave out the kernel and the hypervisor, which ordinary users
/// may not count.
const FLAGS: u64 = 1 << 1 | 1 << 5 | 1 << 6;

/// `struct perf_event_attr` in its first published size, which every kernel takes.
#[repr(C)]
#[derive(Default)]
struct Attributes {
    kind: u32,
    size: u32,
    config: u64,
    sample_period: u64,
    sample_type: u64,
    read_format: u64,
    flags: u64,
    wakeup_events: u32,
    breakpoint_kind: u32,
    config1: u64,
}

/// Last-level cache references and misses of every thread that a process had when this was opened,
/// and of the threads and processes that those start.
#[derive(Debug)]
pub(crate) struct Counters {
    references: Vec<File>,
    misses: Vec<File>,
}

impl Counters {
    /// Begins to count.
    pub(crate) fn open(pid: u32) -> Reading<Self> {
        let threads = fs::read_dir(format!("/proc/{pid}/task")).map_err(|_| "no such process")?;
        let mut counters = Self { references: Vec::new(), misses: Vec::new() };
        for thread in threads.flatten() {
            let Some(thread) = thread.file_name().to_str().and_then(|id| id.parse().ok()) else {
                continue;
            };
            counters.references.push(open(thread, CACHE_REFERENCES).map_err(|e| why(&e))?);
            counters.misses.push(open(thread, CACHE_MISSES).map_err(|e| why(&e))?);
        }
        Ok(counters)
    }

    /// References and misses since [`Self::open`].
    pub(crate) fn read(&self) -> Reading<(u64, u64)> {
        let sum = |files: &[File]| files.iter().map(count).sum::<io::Result<u64>>();
        sum(&self.references)
            .and_then(|references| Ok((references, sum(&self.misses)?)))
            .map_err(|_| "the hardware counters cannot be read")
    }
}

fn open(thread: i32, event: u64) -> io::Result<File> {
    let attributes = Attributes {
        kind: HARDWARE,
        size: size_of::<Attributes>() as u32,
        config: event,
        read_format: READ_TIMES,
        flags: FLAGS,
        ..Attributes::default()
    };
    const ANY_CORE: libc::c_int = -1;
    const NO_GROUP: libc::c_int = -1;
    const CLOSE_ON_EXEC: libc::c_ulong = 8;
    let pointer: *const Attributes = &raw const attributes;
    // SAFETY: the pointer is to a whole `Attributes` that says its size and outlives the call; the
    // other arguments are numbers.
    let fd = unsafe {
        libc::syscall(libc::SYS_perf_event_open, pointer, thread, ANY_CORE, NO_GROUP, CLOSE_ON_EXEC)
    };
    let fd = i32::try_from(fd).ok().filter(|fd| *fd >= 0).ok_or_else(io::Error::last_os_error)?;
    // SAFETY: the call has just made this descriptor, and nothing else owns it.
    Ok(File::from(unsafe { OwnedFd::from_raw_fd(fd) }))
}

/// The count, scaled up for the time in which other events had the counter.
fn count(mut file: &File) -> io::Result<u64> {
    let mut answer = [0; 24];
    file.read_exact(&mut answer)?;
    let word = |at: usize| answer[at * 8..].first_chunk().map_or(0, |w| u64::from_ne_bytes(*w));
    let (value, wanted, counted) = (word(0), word(1), word(2));
    Ok(match counted {
        0 => 0,
        counted => (value as f64 * wanted as f64 / counted as f64) as u64,
    })
}

fn why(error: &io::Error) -> &'static str {
    match error.raw_os_error() {
        Some(libc::ENOENT | libc::ENODEV | libc::EOPNOTSUPP) => {
            "this machine shows no hardware counters, as most virtual machines"
        }
        Some(libc::EACCES | libc::EPERM) => {
            "kernel.perf_event_paranoid forbids hardware counters to this user"
        }
        Some(libc::ENOSYS) => "this kernel has no perf events",
        Some(libc::EMFILE) => "too many open files for a hardware counter a thread",
        _ => "the kernel refuses hardware counters",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counters_count_or_say_why_not() {
        match Counters::open(std::process::id()) {
            Ok(counters) => {
                let before = counters.read().unwrap();
                // Four times any last-level cache's worth of lines, each touched once.
                std::hint::black_box(vec![1_u8; 64 << 20]);
                assert!(counters.read().unwrap() > before);
            }
            Err(why) => assert!(why.contains("counters") || why.contains("perf"), "{why}"),
        }
        assert!(Counters::open(u32::MAX >> 1).is_err());
    }
}
