//! One core for everything that is timed.

/// This thread, and so the processes it starts, on one core until dropped.
pub(super) struct Pinned(#[cfg(target_os = "linux")] Option<rustix::thread::CpuSet>);

impl Pinned {
    #[cfg(target_os = "linux")]
    pub(super) fn to(core: Option<usize>) -> Self {
        use rustix::thread::{CpuSet, sched_getaffinity, sched_setaffinity};
        let Ok(before) = sched_getaffinity(None) else { return Self(None) };
        let last = (0..CpuSet::MAX_CPU).rev().find(|cpu| before.is_set(*cpu));
        let Some(core) = core.or(last) else { return Self(None) };
        let mut one = CpuSet::new();
        one.set(core);
        Self(sched_setaffinity(None, &one).is_ok().then_some(before))
    }

    #[cfg(not(target_os = "linux"))]
    pub(super) fn to(_: Option<usize>) -> Self {
        Self()
    }
}

#[cfg(target_os = "linux")]
impl Drop for Pinned {
    fn drop(&mut self) {
        if let Some(before) = &self.0 {
            let _ = rustix::thread::sched_setaffinity(None, before);
        }
    }
}
