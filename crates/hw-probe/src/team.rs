//! Threads that run one measurement together: pinned, started at one instant, timed as one.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use crate::sys;

/// One thread of a team.
pub(crate) struct Worker<'a> {
    /// Its number, from 0.
    pub(crate) index: usize,
    /// How many there are.
    pub(crate) threads: usize,
    barrier: &'a Barrier,
}

/// When a worker's part of a repeat began and ended.
pub(crate) type Span = (Instant, Instant);

impl Worker<'_> {
    /// Waits until all are here, then times `work`.
    pub(crate) fn timed<R>(&self, work: impl FnOnce() -> R) -> (Span, R) {
        self.barrier.wait(self.threads);
        let begin = Instant::now();
        let result = work();
        ((begin, Instant::now()), result)
    }

    /// Waits until all are here.
    pub(crate) fn meet(&self) {
        self.barrier.wait(self.threads);
    }
}

/// Runs `work` on `threads` threads, each bound to its own processor where the system can; the
/// results are in the order of the workers.
pub(crate) fn run<R: Send>(threads: usize, work: impl Fn(&Worker<'_>) -> R + Sync) -> Vec<R> {
    let cpus = sys::allowed_cpus();
    let barrier = Barrier::default();
    let start = |index: usize| {
        if let Some(&cpu) = cpus.get(index % cpus.len().max(1)) {
            sys::pin(cpu);
        }
        work(&Worker { index, threads, barrier: &barrier })
    };
    std::thread::scope(|scope| {
        let start = &start;
        let handles: Vec<_> = (0..threads).map(|index| scope.spawn(move || start(index))).collect();
        let ends = handles.into_iter().map(|handle| match handle.join() {
            Ok(result) => result,
            Err(panic) => std::panic::resume_unwind(panic),
        });
        ends.collect()
    })
}

/// Binds the calling thread to the first processor that it may run on; whether that worked.
pub(crate) fn pin_to_first() -> bool {
    sys::allowed_cpus().first().is_some_and(|&cpu| sys::pin(cpu))
}

/// From the first worker's beginning to the last one's end.
pub(crate) fn wall(spans: impl IntoIterator<Item = Span>) -> Duration {
    let joined = spans.into_iter().reduce(|a, b| (a.0.min(b.0), a.1.max(b.1)));
    joined.map_or(Duration::ZERO, |(begin, end)| end - begin)
}

/// A barrier that spins: `std`'s sleeps, and waking would spread the start over microseconds.
#[derive(Default)]
struct Barrier {
    arrived: AtomicUsize,
    round: AtomicUsize,
}

impl Barrier {
    fn wait(&self, threads: usize) {
        let round = self.round.load(Ordering::Acquire);
        if self.arrived.fetch_add(1, Ordering::AcqRel) + 1 == threads {
            self.arrived.store(0, Ordering::Relaxed);
            self.round.fetch_add(1, Ordering::Release);
            return;
        }
        let mut spins = 0_u32;
        while self.round.load(Ordering::Acquire) == round {
            spins += 1;
            // Where others hold the processor of a late worker, spinning on would starve it.
            if spins.is_multiple_of(4096) {
                std::thread::yield_now();
            }
            std::hint::spin_loop();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::atomic::AtomicU64;

    #[test]
    fn workers_meet_in_every_round() {
        let total = AtomicU64::new(0);
        let seen = run(4, |worker| {
            let mut seen = Vec::new();
            for round in 1..=50_u64 {
                total.fetch_add(1, Ordering::SeqCst);
                worker.meet();
                seen.push(total.load(Ordering::SeqCst) == 4 * round);
                worker.meet();
            }
            seen
        });
        assert!(seen.iter().flatten().all(|&whole| whole));
    }

    #[test]
    fn the_wall_spans_all_workers() {
        let spans = run(2, |worker| worker.timed(std::thread::yield_now).0);
        let whole = wall(spans.iter().copied());
        assert!(spans.iter().all(|span| span.1 - span.0 <= whole));
    }
}
