//! How large the arrays of main memory are, so that no cache answers for it.

use crate::machine::Machine;

/// The size of one of three arrays, over all threads that share it.
pub(crate) struct ArraySize {
    pub(crate) bytes: usize,
    /// Why it is that.
    pub(crate) why: String,
    /// Whether it is large enough to be memory's: twice what the caches hold.
    pub(crate) is_beyond_caches: bool,
}

/// Arrays at least this many times the last-level caches, as STREAM asks; half of it where time is short.
const CACHE_TIMES: u64 = 4;
const CACHE_TIMES_QUICK: u64 = 2;
/// A machine that hides its caches: beyond any cache of its time but the largest servers'.
const UNKNOWN_CACHE: u64 = 64 << 20;
/// Apple's system-level cache has no name in sysctl; the Max chips' is 48 MiB.
const HIDDEN_CACHE_FLOOR: u64 = 512 << 20;

impl ArraySize {
    /// For `threads` threads where `room` bytes of memory are free.
    pub(crate) fn new(machine: &Machine, threads: usize, room: u64, quick: bool) -> Self {
        let reported = machine.last_level_caches_bytes(threads);
        let caches = reported.unwrap_or(UNKNOWN_CACHE);
        let times = if quick { CACHE_TIMES_QUICK } else { CACHE_TIMES };
        let floor = if cfg!(target_vendor = "apple") { HIDDEN_CACHE_FLOOR } else { 0 };
        let (for_guest, least) = (for_guest(machine, threads, quick), caches * times);
        let wanted = least.max(for_guest).max(floor).max(64 << 20);
        let bytes = wanted.min(most(room)).max(1 << 20) >> 20 << 20;
        let mib = |bytes: u64| bytes >> 20;
        let named = match reported {
            Some(_) => format!("{} MiB of last-level cache reported", mib(caches)),
            None => "64 MiB of last-level cache assumed, as none is reported".to_owned(),
        };
        let why = if bytes < wanted {
            format!("{named}; {} MiB wanted, memory leaves {} MiB", mib(wanted), mib(bytes))
        } else if for_guest > least {
            format!("{named}, which the host of a guest may give each of its cores")
        } else {
            format!("{times} x the {named}")
        };
        Self { bytes: bytes as usize, why, is_beyond_caches: bytes >= 2 * caches }
    }
}

/// Three arrays take at most half of the `room` that is free: nothing is ever killed for this.
pub(crate) fn most(room: u64) -> u64 {
    room / 6
}

/// A guest is told of caches, but its host may move its cores to chips with a cache each: then every core's share
/// of an array must be twice the cache. Within bounds, as a host with many such chips has many cores.
fn for_guest(machine: &Machine, threads: usize, quick: bool) -> u64 {
    let bound = if quick { 512 << 20 } else { 2 << 30 };
    let one = machine.last_level_cache_bytes().filter(|_| machine.hypervisor.is_some());
    one.map_or(0, |one| (2 * one * threads as u64).min(bound))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Cache, machine};

    /// A machine of bare metal with `instances` last-level caches of `mib` MiB each.
    fn machine_with(mib: u64, instances: usize) -> Machine {
        let cpus = vec![0, 1];
        let kind = "unified".to_owned();
        let cache = Cache { level: 3, kind, bytes: mib << 20, shared_by: 2, instances, cpus };
        Machine { caches: vec![cache], hypervisor: None, ..machine() }
    }

    fn mib(machine: &Machine, threads: usize, quick: bool) -> usize {
        ArraySize::new(machine, threads, 48 << 30, quick).bytes >> 20
    }

    #[test]
    fn arrays_are_four_caches_where_memory_allows() {
        let size = ArraySize::new(&machine_with(260, 1), 2, 24 << 30, false);
        assert_eq!(size.bytes, 1040 << 20);
        assert_eq!(size.why, "4 x the 260 MiB of last-level cache reported");
        assert!(size.is_beyond_caches);
    }

    #[test]
    fn every_cache_that_threads_can_fill_counts() {
        let machine = machine_with(32, 24);
        assert_eq!(
            [1, 2, 24, 192].map(|threads| mib(&machine, threads, false)),
            [128, 256, 3072, 3072]
        );
        assert_eq!(mib(&machine, 192, true), 1536);
    }

    #[test]
    fn each_core_of_a_guest_may_have_a_cache_of_its_own() {
        let mut machine = machine_with(32, 1);
        assert_eq!(mib(&machine, 2, true), 64);
        machine.hypervisor = Some("KVM".to_owned());
        assert_eq!([1, 2, 4, 64].map(|threads| mib(&machine, threads, true)), [64, 128, 256, 512]);
        assert_eq!(
            [1, 2, 4, 64].map(|threads| mib(&machine, threads, false)),
            [128, 128, 256, 2048]
        );
        let why = ArraySize::new(&machine, 4, 24 << 30, false).why;
        assert!(why.contains("may give each of its cores"), "{why}");
    }

    #[test]
    fn a_small_container_gets_small_arrays_that_are_not_taken_for_memory() {
        let size = ArraySize::new(&machine_with(260, 1), 2, 200 << 20, false);
        assert!(3 * size.bytes <= 100 << 20, "{}", size.bytes);
        assert!(size.why.contains("memory leaves 33 MiB"), "{}", size.why);
        assert!(!size.is_beyond_caches);
        assert!(ArraySize::new(&machine_with(8, 1), 2, 200 << 20, false).is_beyond_caches);
        assert_eq!(ArraySize::new(&machine_with(8, 1), 2, 0, false).bytes, 1 << 20);
    }

    #[test]
    fn hidden_caches_are_assumed_and_named() {
        let mut machine = machine_with(32, 1);
        machine.caches.clear();
        let why = ArraySize::new(&machine, 2, 24 << 30, false).why;
        assert_eq!(why, "4 x the 64 MiB of last-level cache assumed, as none is reported");
    }
}
