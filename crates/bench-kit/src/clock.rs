//! Wall time as criterion takes it, and what a profile must know of it: how long a call takes, and
//! which calls are the first in a steady state.
//!
//! Under `--profile-time`, criterion runs a case once, twice, four times and so on until a second
//! has passed, then as often as fills the time that is left. It tells nobody how often; the clock,
//! started before each of these runs and stopped after it, can count.

use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use criterion::measurement::{Measurement, ValueFormatter, WallTime};

/// Criterion's wall clock. While a profile is taken, it counts.
#[derive(Debug, Clone, Copy, Default)]
pub struct Clock;

impl Measurement for Clock {
    type Intermediate = Instant;
    type Value = Duration;

    fn start(&self) -> Instant {
        if PROFILING.load(Ordering::Relaxed) {
            with_runs(Runs::start);
        }
        WallTime.start()
    }

    fn end(&self, started: Instant) -> Duration {
        let took = WallTime.end(started);
        if PROFILING.load(Ordering::Relaxed) {
            with_runs(|runs| runs.end(took));
        }
        took
    }

    fn add(&self, a: &Duration, b: &Duration) -> Duration {
        WallTime.add(a, b)
    }

    fn zero(&self) -> Duration {
        WallTime.zero()
    }

    fn to_f64(&self, value: &Duration) -> f64 {
        WallTime.to_f64(value)
    }

    fn formatter(&self) -> &dyn ValueFormatter {
        WallTime.formatter()
    }
}

static PROFILING: AtomicBool = AtomicBool::new(false);
static RUNS: Mutex<Option<Runs>> = Mutex::new(None);

/// Until a second has passed, each run has twice the calls of the one before.
const DOUBLING: Duration = Duration::from_secs(1);
/// Heap profiles are of this run: the first, 0, makes buffers as large as they get.
const STEADY: usize = 1;

/// Runs of the case that is being profiled.
struct Runs {
    count: usize,
    doubling_calls: u64,
    doubling: Duration,
    of_heap: bool,
    heap: Option<(String, u64)>,
    watch: Option<crate::heap::Watch>,
}

/// What the clock has counted.
pub(crate) struct Timed {
    /// Of the runs whose calls are known.
    pub(crate) ns_per_call: Option<f64>,
    /// What the steady calls took from the heap, and how many calls those were.
    pub(crate) heap: Option<(String, u64)>,
}

/// Counts from now on.
pub(crate) fn begin(of_heap: bool) {
    let runs = Runs {
        count: 0,
        doubling_calls: 0,
        doubling: Duration::ZERO,
        of_heap,
        heap: None,
        watch: None,
    };
    *lock() = Some(runs);
    PROFILING.store(true, Ordering::Relaxed);
}

/// What has been counted since [`begin`].
pub(crate) fn end() -> Timed {
    PROFILING.store(false, Ordering::Relaxed);
    let Some(runs) = lock().take() else { return Timed { ns_per_call: None, heap: None } };
    let calls = runs.doubling_calls;
    let ns_per_call = (calls > 0).then(|| runs.doubling.as_nanos() as f64 / calls as f64);
    Timed { ns_per_call, heap: runs.heap }
}

fn lock() -> std::sync::MutexGuard<'static, Option<Runs>> {
    RUNS.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
}

fn with_runs(work: impl FnOnce(&mut Runs)) {
    if let Some(runs) = lock().as_mut() {
        work(runs);
    }
}

impl Runs {
    fn start(&mut self) {
        if self.of_heap && self.count <= STEADY {
            self.watch = Some(crate::heap::start());
        }
    }

    fn end(&mut self, took: Duration) {
        let calls = 1_u64.checked_shl(self.count as u32).unwrap_or(u64::MAX);
        if let Some(watch) = self.watch.take() {
            self.heap = Some((watch.stop(), calls));
        }
        if self.doubling < DOUBLING {
            self.doubling += took;
            self.doubling_calls += calls;
        }
        self.count += 1;
    }
}
