//! Through `sysinfo`, which knows the current memory only.

use sysinfo::{ProcessRefreshKind, ProcessesToUpdate, System, get_current_pid};

pub(crate) fn peak_rss_bytes() -> Option<u64> {
    None
}

pub(crate) fn rss_bytes() -> Option<u64> {
    let pid = get_current_pid().ok()?;
    let mut system = System::new();
    let what = ProcessRefreshKind::nothing().with_memory();
    system.refresh_processes_specifics(ProcessesToUpdate::Some(&[pid]), false, what);
    Some(system.process(pid)?.memory())
}
