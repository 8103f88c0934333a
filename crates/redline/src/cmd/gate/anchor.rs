//! The fixed loops that tell whether the machine moved.

use std::hint::black_box;
use std::time::Instant;

use perf_gate::gate::wall::Anchor;

/// Steps of arithmetic: about 2 ms.
const STEPS: u64 = 2_000_000;
/// Words of 32 MB, more than the second-level caches hold.
const WORDS: usize = 4 << 20;
/// The best of so many, so that one interruption is no movement.
const REPEATS: usize = 3;

/// Both loops and the memory that one walks through.
pub(super) struct Loops {
    words: Vec<u64>,
}

impl Loops {
    pub(super) fn new() -> Self {
        Self { words: (0..WORDS as u64).collect() }
    }

    pub(super) fn time(&self) -> Anchor {
        let best = |work: &dyn Fn() -> u64| {
            let time = || {
                let started = Instant::now();
                black_box(work());
                started.elapsed().as_nanos() as f64
            };
            (0..REPEATS).map(|_| time()).fold(f64::INFINITY, f64::min)
        };
        Anchor { compute_ns: best(&compute), memory_ns: best(&|| self.walk()) }
    }

    fn walk(&self) -> u64 {
        self.words.iter().fold(0, |sum, word| sum ^ black_box(*word))
    }
}

/// A chain of multiplications, each waiting for the last.
fn compute() -> u64 {
    (0..black_box(STEPS)).fold(1, |x: u64, i| x.wrapping_mul(6_364_136_223_846_793_005) ^ i)
}
