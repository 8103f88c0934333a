//! Threads that run one measurement together: pinned, started at one instant, timed as one.

use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::thread::Builder;
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
///
/// # Panics
/// Where a thread cannot be started, which [`startable`] asks beforehand, and where `work` panics.
pub(crate) fn run<R: Send>(threads: usize, work: impl Fn(&Worker<'_>) -> R + Sync) -> Vec<R> {
    let cpus = sys::allowed_cpus();
    let barrier = Barrier::default();
    let start = |index: usize| {
        // The others wait for this one: they must not if it panics.
        let _alarm = Alarm(&barrier);
        match cpus.get(index % cpus.len().max(1)) {
            Some(&cpu) => drop(sys::pin(cpu)),
            None => sys::prefer_fast_cores(),
        }
        work(&Worker { index, threads, barrier: &barrier })
    };
    std::thread::scope(|scope| {
        let (start, alarm) = (&start, Alarm(&barrier));
        let begin = |index| Builder::new().spawn_scoped(scope, move || start(index));
        let handles: Vec<_> = (0..threads)
            .map(|index| begin(index).unwrap_or_else(|error| panic!("thread {index}: {error}")))
            .collect();
        drop(alarm);
        let ends = handles.into_iter().map(|handle| match handle.join() {
            Ok(result) => result,
            Err(panic) => std::panic::resume_unwind(panic),
        });
        ends.collect()
    })
}

/// How many threads, of `wanted`, this process may have at once beside those it has.
pub(crate) fn startable(wanted: usize) -> usize {
    let done = AtomicBool::new(false);
    std::thread::scope(|scope| {
        let wait = || {
            while !done.load(Ordering::Relaxed) {
                std::thread::park_timeout(Duration::from_millis(1));
            }
        };
        let started: Vec<_> =
            (0..wanted).map_while(|_| Builder::new().spawn_scoped(scope, wait).ok()).collect();
        done.store(true, Ordering::Relaxed);
        started.iter().for_each(|thread| thread.thread().unpark());
        started.len()
    })
}

/// Binds the calling thread to the first processor that it may run on; whether that worked.
pub(crate) fn pin_to_first() -> bool {
    sys::allowed_cpus().first().is_some_and(|&cpu| sys::pin(cpu))
}

/// Whether this system binds threads to processors.
pub(crate) fn can_pin() -> bool {
    // A thread of its own: the caller's stays free.
    std::thread::scope(|scope| {
        let started = Builder::new().spawn_scoped(scope, pin_to_first);
        started.is_ok_and(|thread| thread.join().unwrap_or(false))
    })
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
    is_broken: AtomicBool,
}

/// Breaks the barrier when its thread panics, so that nobody waits for it.
struct Alarm<'a>(&'a Barrier);

impl Drop for Alarm<'_> {
    fn drop(&mut self) {
        if std::thread::panicking() {
            self.0.is_broken.store(true, Ordering::Release);
        }
    }
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
                assert!(!self.is_broken.load(Ordering::Acquire), "a thread of the team is gone");
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
    fn nobody_waits_for_a_worker_that_panicked() {
        let team = || {
            run(3, |worker| {
                assert!(worker.index != 1, "planted");
                worker.meet();
            })
        };
        assert!(std::panic::catch_unwind(team).is_err());
    }

    #[test]
    fn a_few_threads_can_be_started() {
        assert_eq!(startable(3), 3);
        assert_eq!(startable(0), 0);
    }

    #[test]
    fn the_wall_spans_all_workers() {
        let spans = run(2, |worker| worker.timed(std::thread::yield_now).0);
        let whole = wall(spans.iter().copied());
        assert!(spans.iter().all(|span| span.1 - span.0 <= whole));
    }
}
