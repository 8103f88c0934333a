//! How much to measure: sizes and repeats that fit the machine, its limits and the user's time.

use std::time::Duration;

use crate::arrays::ArraySize;
use crate::latency::Effort;
use crate::machine::Machine;
use crate::measure::Timer;
use crate::storage::Plan as StoragePlan;
use crate::{ProbeOptions, sys, team};

/// Sizes and repeats of every section.
pub(crate) struct Plan {
    /// Threads of the all-core figures.
    pub(crate) threads: usize,
    pub(crate) quick: bool,
    /// Memory that can be taken, bytes.
    room: u64,
    pub(crate) stream_repeats: usize,
    /// In how many visits the repeats of main memory's figures are made.
    pub(crate) stream_visits: usize,
    pub(crate) points_per_octave: u32,
    pub(crate) sweep_repeats: usize,
    /// Bytes that one sample of the sweep moves at least, so that the clock can see it.
    pub(crate) sample_bytes: usize,
    pub(crate) chase: Effort,
    pub(crate) fma_repeats: usize,
    pub(crate) fma_sample: Duration,
    pub(crate) gemm_sizes: &'static [usize],
    pub(crate) gemm_budget: Duration,
    /// A product that would take longer is left out; of the default backend, and of the others.
    pub(crate) gemm_longest: [Duration; 2],
    pub(crate) storage: StoragePlan,
    /// Bytes of the columns saved as Parquet.
    pub(crate) column_bytes: usize,
    /// Time for repeating what was disturbed.
    pub(crate) spare: Duration,
}

/// What differs between the whole probe and its quick form.
struct Amounts {
    stream_repeats: usize,
    stream_visits: usize,
    points_per_octave: u32,
    chase_loads: usize,
    fma_repeats: usize,
    fma_sample_ms: u64,
    gemm_sizes: &'static [usize],
    gemm_budget_ms: u64,
    gemm_longest_ms: [u64; 2],
    column_bytes: u64,
    spare_s: u64,
}

const WHOLE: Amounts = Amounts {
    stream_repeats: 12,
    stream_visits: 4,
    points_per_octave: 4,
    chase_loads: 12_000,
    fma_repeats: 11,
    fma_sample_ms: 20,
    gemm_sizes: &[64, 128, 256, 512, 1024, 2048, 4096],
    gemm_budget_ms: 120,
    gemm_longest_ms: [2000, 500],
    column_bytes: 100_000_000,
    spare_s: 4,
};

const QUICK: Amounts = Amounts {
    stream_repeats: 6,
    stream_visits: 3,
    points_per_octave: 1,
    chase_loads: 5_000,
    fma_repeats: 5,
    fma_sample_ms: 10,
    gemm_sizes: &[256, 1024, 2048],
    gemm_budget_ms: 80,
    gemm_longest_ms: [800, 100],
    column_bytes: 20_000_000,
    spare_s: 1,
};

impl Plan {
    /// The plan for a machine, by what it has now.
    pub(crate) fn new(options: &ProbeOptions, machine: &Machine) -> Self {
        let room = room();
        let (quick, timer) = (options.quick, Timer::measure());
        let amounts = if quick { QUICK } else { WHOLE };
        let dir = options.dir.clone().unwrap_or_else(std::env::temp_dir);
        Self {
            threads: threads(options, machine),
            quick,
            room,
            stream_repeats: amounts.stream_repeats,
            stream_visits: amounts.stream_visits,
            points_per_octave: amounts.points_per_octave,
            sweep_repeats: 3,
            sample_bytes: sample_bytes(timer, machine.threads),
            chase: Effort {
                loads: amounts.chase_loads,
                samples: 5,
                shortest_ns: timer.shortest_sample_ns(),
            },
            fma_repeats: amounts.fma_repeats,
            fma_sample: Duration::from_millis(amounts.fma_sample_ms),
            gemm_sizes: amounts.gemm_sizes,
            gemm_budget: Duration::from_millis(amounts.gemm_budget_ms),
            gemm_longest: amounts.gemm_longest_ms.map(Duration::from_millis),
            storage: storage(dir, quick),
            column_bytes: (room / 8).min(amounts.column_bytes) as usize,
            spare: Duration::from_secs(amounts.spare_s),
        }
    }

    /// The arrays of main memory that `threads` threads share.
    pub(crate) fn arrays(&self, machine: &Machine, threads: usize) -> ArraySize {
        ArraySize::new(machine, threads, self.room, self.quick)
    }

    /// Bytes of the array of each of `threads` threads in the loaded latency: beyond one core's caches, where
    /// all together leave half of the room.
    pub(crate) fn loaded_set(&self, machine: &Machine, threads: usize) -> usize {
        const LEAST: usize = 256 << 10;
        let each = (self.room / 2) as usize / threads;
        (self.arrays(machine, 1).bytes / 2).min(each).max(LEAST)
    }

    /// Whether three matrices of `n` rows of `f64` fit into a quarter of the room.
    pub(crate) fn has_room_for(&self, n: usize) -> bool {
        (n * n * 24) as u64 <= self.room / 4
    }
}

/// What the fastest first-level caches move in the shortest sample that the clock can time.
fn sample_bytes(timer: Timer, threads: usize) -> usize {
    /// No core of today reads faster from its first-level cache.
    const BYTES_PER_NS_AND_CORE: f64 = 800.0;
    let bytes = timer.shortest_sample_ns() * BYTES_PER_NS_AND_CORE * threads as f64;
    (bytes as usize).clamp(16 << 20, 1 << 30)
}

/// As many as are asked for, where the machine has them and the system starts them, beside those that matrix
/// products keep: one for each processor, once they take more than one.
fn threads(options: &ProbeOptions, machine: &Machine) -> usize {
    let all = machine.threads.max(1);
    let wanted = options.threads.filter(|&threads| (1..=all).contains(&threads)).unwrap_or(all);
    team::startable(all + wanted).saturating_sub(all).max(1)
}

/// Memory that can be taken, bytes; a GiB where the system does not tell.
pub(crate) fn room() -> u64 {
    sys::available_memory().unwrap_or(1 << 30)
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

    #[test]
    fn thread_counts_out_of_range_mean_all() {
        let mut machine = machine();
        machine.threads = 4;
        let with = |threads| ProbeOptions { threads, ..ProbeOptions::default() };
        for (asked, taken) in [(None, 4), (Some(0), 4), (Some(3), 3), (Some(99), 4)] {
            assert_eq!(threads(&with(asked), &machine), taken);
        }
    }

    #[test]
    fn what_many_threads_take_together_leaves_half_of_the_room() {
        let machine = machine();
        let plan = |room| Plan { room, ..Plan::new(&ProbeOptions::default(), &machine) };
        for threads in [2, 32, 300] {
            let set = plan(512 << 20).loaded_set(&machine, threads);
            assert!(set * threads <= 256 << 20, "{threads}: {set}");
        }
        assert_eq!(plan(0).loaded_set(&machine, 2), 256 << 10);
        assert!(plan(512 << 20).has_room_for(2048) && !plan(200 << 20).has_room_for(2048));
    }
}
