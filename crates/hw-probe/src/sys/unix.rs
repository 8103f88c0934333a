//! What Linux and macOS share.

use rustix::time::{ClockId, clock_gettime};

/// Processor time of this process over all its threads, seconds.
pub(crate) fn own_cpu_seconds() -> Option<f64> {
    let time = clock_gettime(ClockId::ProcessCPUTime);
    Some(time.tv_sec as f64 + time.tv_nsec as f64 * 1e-9)
}
