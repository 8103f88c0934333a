//! What every Unix answers through its C library.

use std::mem::MaybeUninit;
use std::path::Path;
use std::time::Duration;

use super::{OwnUsage, Reading};

/// Space that an ordinary user may still fill under `path`.
pub(crate) fn disk_free_bytes(path: &Path) -> Reading<u64> {
    let found = rustix::fs::statvfs(path).map_err(|_| "the watched path cannot be read")?;
    Ok(found.f_bavail * found.f_frsize)
}

/// CPU time of the calling thread.
pub(crate) fn thread_cpu() -> Duration {
    let time = rustix::time::clock_gettime(rustix::time::ClockId::ThreadCPUTime);
    Duration::new(time.tv_sec as u64, time.tv_nsec as u32)
}

/// What this process has used, with the children that it waited for.
pub(crate) fn own_usage() -> Reading<OwnUsage> {
    let [own, children] = [libc::RUSAGE_SELF, libc::RUSAGE_CHILDREN].map(usage);
    let (own, children) = (own?, children?);
    Ok(OwnUsage {
        user_seconds: own.user_seconds + children.user_seconds,
        system_seconds: own.system_seconds + children.system_seconds,
        minor_faults: own.minor_faults + children.minor_faults,
        major_faults: own.major_faults + children.major_faults,
        context_switches: own.context_switches + children.context_switches,
    })
}

/// The most memory that this process ever held.
#[cfg(not(target_os = "linux"))]
pub(crate) fn peak_rss_bytes() -> Option<u64> {
    let mut usage = MaybeUninit::<libc::rusage>::zeroed();
    // SAFETY: as in `usage`.
    let usage = unsafe {
        if libc::getrusage(libc::RUSAGE_SELF, usage.as_mut_ptr()) != 0 {
            return None;
        }
        usage.assume_init()
    };
    // macOS counts bytes, the other systems KiB.
    let unit = if cfg!(target_os = "macos") { 1 } else { 1024 };
    Some(usage.ru_maxrss as u64 * unit)
}

fn usage(who: libc::c_int) -> Reading<OwnUsage> {
    let mut usage = MaybeUninit::<libc::rusage>::zeroed();
    // SAFETY: the pointer is to a writable `rusage`, which the call fills; all zeros are a valid one.
    let usage = unsafe {
        if libc::getrusage(who, usage.as_mut_ptr()) != 0 {
            return Err("the system does not give resource usage");
        }
        usage.assume_init()
    };
    let seconds = |time: libc::timeval| time.tv_sec as f64 + time.tv_usec as f64 * 1e-6;
    Ok(OwnUsage {
        user_seconds: seconds(usage.ru_utime),
        system_seconds: seconds(usage.ru_stime),
        minor_faults: usage.ru_minflt as u64,
        major_faults: usage.ru_majflt as u64,
        context_switches: (usage.ru_nvcsw + usage.ru_nivcsw) as u64,
    })
}
