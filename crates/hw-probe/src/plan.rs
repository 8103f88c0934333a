//! How much to measure: sizes and repeats that fit the machine, its limits and the user's time.

use std::time::Duration;

use crate::latency::Effort;
use crate::machine::Machine;
use crate::measure::Timer;
use crate::storage::Plan as StoragePlan;
use crate::{ProbeOptions, sys};

/// Sizes and repeats of every section.
pub(crate) struct Plan {
    /// Threads of the all-core figures.
    pub(crate) threads: usize,
    pub(crate) quick: bool,
    /// Bytes of each main-memory array, over all threads.
    pub(crate) array_bytes: usize,
    /// Why the arrays have that size.
    pub(crate) array_why: String,
    pub(crate) stream_repeats: usize,
    pub(crate) points_per_octave: u32,
    pub(crate) sweep_repeats: usize,
    /// Bytes that one sample of the sweep moves at least, so that the clock can see it.
    pub(crate) sample_bytes: usize,
    pub(crate) chase: Effort,
    pub(crate) fma_repeats: usize,
    pub(crate) fma_sample: Duration,
    pub(crate) gemm_sizes: Vec<usize>,
    pub(crate) gemm_budget: Duration,
    pub(crate) storage: StoragePlan,
    /// Bytes of the columns saved as Parquet.
    pub(crate) column_bytes: usize,
    /// Time for repeating what was disturbed.
    pub(crate) spare: Duration,
}

/// Arrays at least this many times the last-level cache, as STREAM asks.
const CACHE_TIMES: u64 = 4;
/// A machine that hides its caches: beyond any cache of its time but the largest servers'.
const UNKNOWN_CACHE: u64 = 64 << 20;
/// Apple's system-level cache has no name in sysctl; the Max chips' is 48 MiB.
const HIDDEN_CACHE_FLOOR: u64 = 512 << 20;

impl Plan {
    /// The plan for a machine, by what it has now.
    pub(crate) fn new(options: &ProbeOptions, machine: &Machine) -> Self {
        let room = sys::available_memory().unwrap_or(1 << 30);
        let quick = options.quick;
        let (array_bytes, array_why) = array_bytes(machine, room, quick);
        let dir = options.dir.clone().unwrap_or_else(std::env::temp_dir);
        Self {
            threads: threads(options, machine),
            quick,
            array_bytes,
            array_why,
            stream_repeats: if quick { 5 } else { 10 },
            points_per_octave: if quick { 1 } else { 4 },
            sweep_repeats: 3,
            sample_bytes: sample_bytes(Timer::measure(), machine.threads),
            chase: Effort { loads: if quick { 5_000 } else { 12_000 }, samples: 5 },
            fma_repeats: if quick { 5 } else { 11 },
            fma_sample: Duration::from_millis(if quick { 10 } else { 20 }),
            gemm_sizes: gemm_sizes(room, quick),
            gemm_budget: Duration::from_millis(if quick { 80 } else { 120 }),
            storage: storage(dir, quick),
            column_bytes: (room / 8).min(if quick { 20_000_000 } else { 100_000_000 }) as usize,
            spare: Duration::from_secs(if quick { 1 } else { 4 }),
        }
    }
}

/// What the fastest first-level caches move in the shortest sample that the clock can time.
fn sample_bytes(timer: Timer, threads: usize) -> usize {
    /// No core of today reads faster from its first-level cache.
    const BYTES_PER_NS_AND_CORE: f64 = 800.0;
    let bytes = timer.shortest_sample_ns() * BYTES_PER_NS_AND_CORE * threads as f64;
    (bytes as usize).clamp(16 << 20, 1 << 30)
}

fn threads(options: &ProbeOptions, machine: &Machine) -> usize {
    let all = machine.threads.max(1);
    options.threads.filter(|&threads| (1..=all).contains(&threads)).unwrap_or(all)
}

/// Bytes of one of three arrays, and why.
fn array_bytes(machine: &Machine, room: u64, quick: bool) -> (usize, String) {
    let cache = machine.last_level_cache_bytes();
    let known = cache.unwrap_or(UNKNOWN_CACHE);
    let floor = if cfg!(target_vendor = "apple") { HIDDEN_CACHE_FLOOR } else { 0 };
    let least = if quick { 2 } else { CACHE_TIMES };
    let times = least.max(cache_times_of_guest(machine, known));
    let wanted = (known * times).max(floor).max(64 << 20);
    // Three arrays take at most half of what is free: nothing is ever killed for this.
    let bound = room / 6;
    let bytes = wanted.min(bound).max(1 << 20) >> 20 << 20;
    let mib = |bytes: u64| bytes >> 20;
    let named = match cache {
        Some(_) => format!("{} MiB last-level cache reported", mib(known)),
        None => "no cache reported, 64 MiB assumed".to_owned(),
    };
    let why = if bytes < wanted {
        format!("{named}; {} MiB wanted, memory leaves {} MiB", mib(wanted), mib(bytes))
    } else {
        format!("{times} x the {named}")
    };
    (bytes as usize, why)
}

/// A guest is told of one cache, but its host may move its cores to chips with a cache each: then every core's
/// share of an array must be twice the cache. Within bounds, as a host with many such chips has many cores.
fn cache_times_of_guest(machine: &Machine, cache: u64) -> u64 {
    const BOUND: u64 = 512 << 20;
    let caches = if machine.hypervisor.is_some() { machine.threads as u64 } else { 1 };
    (2 * caches).min(BOUND / cache.max(1))
}

/// Sizes whose three matrices of `f64` fit into a quarter of the room.
fn gemm_sizes(room: u64, quick: bool) -> Vec<usize> {
    let wanted: &[usize] =
        if quick { &[256, 1024, 2048] } else { &[64, 128, 256, 512, 1024, 2048, 4096] };
    let fits = |n: &usize| (n * n * 24) as u64 <= room / 4;
    wanted.iter().copied().filter(fits).collect()
}

/// A plan for one file and nothing else.
pub(crate) fn scratch(dir: std::path::PathBuf, file_bytes: u64) -> StoragePlan {
    StoragePlan { file_bytes, ..storage(dir, true) }
}

fn storage(dir: std::path::PathBuf, quick: bool) -> StoragePlan {
    let (sequential, random_depths) = if quick {
        (vec![(1 << 20, 1), (1 << 20, 8)], vec![1, 32])
    } else {
        let alone = [4 << 10, 64 << 10, 1 << 20, 16 << 20].map(|block| (block, 1));
        let together = [(4 << 10, 32), (64 << 10, 8), (1 << 20, 4), (1 << 20, 32)];
        ([alone, together].concat(), vec![1, 4, 8, 16, 32])
    };
    StoragePlan {
        dir,
        file_bytes: if quick { 128 << 20 } else { 512 << 20 },
        limit: Duration::from_millis(if quick { 80 } else { 120 }),
        sequential,
        random_depths,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::machine;

    fn machine_with(cache: Option<u64>) -> Machine {
        let mut machine = machine();
        machine.caches = cache
            .map(|bytes| crate::Cache {
                level: 3,
                kind: "unified".into(),
                bytes,
                shared_by: 2,
                cpus: vec![0, 1],
            })
            .into_iter()
            .collect();
        machine
    }

    #[test]
    fn arrays_are_four_caches_where_memory_allows() {
        let machine = machine_with(Some(260 << 20));
        let (bytes, why) = array_bytes(&machine, 24 << 30, false);
        assert!(bytes as u64 >= 1040 << 20);
        assert_eq!(why, "4 x the 260 MiB last-level cache reported");
    }

    #[test]
    fn each_core_of_a_guest_may_have_a_cache_of_its_own() {
        let mut machine = machine_with(Some(32 << 20));
        machine.threads = 2;
        let bytes = |machine: &Machine| array_bytes(machine, 24 << 30, true).0 >> 20;
        machine.hypervisor = None;
        assert_eq!(bytes(&machine), 64);
        machine.hypervisor = Some("KVM".to_owned());
        assert_eq!(bytes(&machine), 128);
        machine.threads = 64;
        assert_eq!(bytes(&machine), 512);
        assert_eq!(array_bytes(&machine_with(Some(260 << 20)), 24 << 30, true).0 >> 20, 520);
    }

    #[test]
    fn a_small_container_gets_small_arrays_and_says_so() {
        let machine = machine_with(Some(260 << 20));
        let (bytes, why) = array_bytes(&machine, 200 << 20, false);
        assert!(3 * bytes <= 100 << 20, "{bytes}");
        assert!(why.contains("memory leaves 33 MiB"), "{why}");
        assert!(gemm_sizes(200 << 20, false).iter().all(|n| n * n * 24 <= 50 << 20));
    }

    #[test]
    fn hidden_caches_are_assumed_and_named() {
        let (_, why) = array_bytes(&machine_with(None), 24 << 30, false);
        assert!(why.contains("no cache reported"), "{why}");
    }

    #[test]
    fn thread_counts_out_of_range_mean_all() {
        let mut machine = machine();
        machine.threads = 4;
        let with = |threads| ProbeOptions { threads, ..ProbeOptions::default() };
        for (asked, taken) in [(None, 4), (Some(0), 4), (Some(3), 3), (Some(99), 4)] {
            assert_eq!(threads(&with(asked), &machine), taken);
        }
    }
}
