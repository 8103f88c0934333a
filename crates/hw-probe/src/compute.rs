//! Floating-point peaks, matrix products and the cost of single operations.

use std::hint::black_box;
use std::time::{Duration, Instant};

use ndarray::Array2;

use crate::Dtype;
use crate::gemm::{self, Backend, Element};
use crate::kernels::{Chains, FmaKernels, scalar};
use crate::measure::{Summary, calibrate, quantile, summarise};
use crate::team;

/// A measured floating-point rate.
pub(crate) struct Computed {
    pub(crate) gflops: Summary,
    pub(crate) verified: bool,
}

/// The FMA peak of one element type on `threads` pinned cores, in samples of about `sample`.
pub(crate) fn fma(
    chains: &dyn Chains,
    threads: usize,
    repeats: usize,
    sample: Duration,
) -> Computed {
    const LINKS: usize = 100_000;
    let calls = calibrate(sample, || {
        black_box(chains.run(LINKS));
    });
    let (times, verified) = chain_rounds(chains, threads, repeats, calls, LINKS);
    let work = chains.flops(LINKS) * (calls * threads) as f64 * 1e-9;
    let rates: Vec<f64> = times.iter().map(|time| work / time.as_secs_f64()).collect();
    Computed { gflops: summarise(&rates), verified }
}

/// The wall times of `repeats` rounds of `calls` calls on `threads` pinned cores, and whether
/// every chain ended where it should.
pub(crate) fn chain_rounds(
    chains: &dyn Chains,
    threads: usize,
    repeats: usize,
    calls: usize,
    links: usize,
) -> (Vec<Duration>, bool) {
    let expected = chains.expected(links);
    let workers = team::run(threads, |worker| {
        let mut right = true;
        let mut round = || {
            let (span, values) = worker.timed(|| (0..calls).all(|_| chains.run(links) == expected));
            right &= values;
            span
        };
        // The first round warms the core up to the clock that it keeps under wide vectors.
        round();
        let spans: Vec<_> = (0..repeats).map(|_| round()).collect();
        (spans, right)
    });
    let wall = |repeat: usize| team::wall(workers.iter().map(|(spans, _)| spans[repeat]));
    ((0..repeats).map(wall).collect(), workers.iter().all(|(_, right)| *right))
}

/// An element type and its chains.
pub(crate) type TypedChains = (Dtype, &'static dyn Chains);

/// The instruction set's name, with the chains of `f64` and `f32`.
pub(crate) fn fma_kernels() -> Option<(&'static str, [TypedChains; 2])> {
    let kernels = FmaKernels::detect()?;
    Some((kernels.isa, [(Dtype::F64, &kernels.f64), (Dtype::F32, &kernels.f32)]))
}

/// The product of two square matrices of `n` rows: after a warm-up, as many repeats as `budget`
/// holds, at least two and at most `repeats`.
pub(crate) fn product<T: Element>(
    backend: Backend,
    threads: usize,
    n: usize,
    repeats: usize,
    budget: Duration,
) -> Computed {
    let (a, b) = (gemm::filled::<T>(n, 1), gemm::filled::<T>(n, 2));
    let mut c = Array2::from_elem((n, n), T::of(0.0));
    let mut multiply = || T::product(backend, threads, a.view(), b.view(), black_box(&mut c));
    let begin = Instant::now();
    multiply();
    let first = begin.elapsed();
    // Small products are called several times to a sample, so that the clock has something to see.
    const SAMPLE: Duration = Duration::from_millis(2);
    let calls = if first < SAMPLE { calibrate(SAMPLE, &mut multiply) } else { 1 };
    let work = 2.0 * (n as f64).powi(3) * calls as f64 * 1e-9;
    // A product as long as the whole budget is warm by itself: its first run counts.
    let mut rates = Vec::new();
    if first > budget {
        rates.push(work / first.as_secs_f64());
    }
    while rates.len() < 2 || (rates.len() < repeats && begin.elapsed() < budget) {
        let start = Instant::now();
        for _ in 0..calls {
            multiply();
        }
        rates.push(work / start.elapsed().as_secs_f64());
    }
    Computed { gflops: summarise(&rates), verified: gemm::verify(&a, &b, &c) }
}

/// The cost of one operation.
pub(crate) struct Cost {
    pub(crate) kernel: &'static str,
    pub(crate) measures: &'static str,
    pub(crate) ns_per_op: f64,
    pub(crate) verified: bool,
}

/// Integer chains, a mispredicted branch, `exp` and `ln`, on one pinned core.
pub(crate) fn scalar_costs(samples: usize) -> Vec<Cost> {
    let mut found = team::run(1, |_| {
        vec![
            integer("integer_multiply_add", samples, |links| {
                scalar::integer_chain(links, black_box(3))
            }),
            integer("integer_divide", samples, |links| scalar::division_chain(links, black_box(3))),
            branch_miss(samples),
            function("exp", samples, f64::exp, &[(0.0, 1.0), (1.0, std::f64::consts::E)]),
            function("ln", samples, f64::ln, &[(1.0, 0.0), (std::f64::consts::E, 1.0)]),
        ]
    });
    found.pop().unwrap_or_default()
}

/// Median nanoseconds of `run` over `ops` operations, after one warm-up.
fn time(samples: usize, ops: usize, mut run: impl FnMut()) -> f64 {
    run();
    let mut sample = || {
        let begin = Instant::now();
        run();
        begin.elapsed().as_nanos() as f64 / ops as f64
    };
    let mut times: Vec<f64> = (0..samples).map(|_| sample()).collect();
    times.sort_by(f64::total_cmp);
    quantile(&times, 0.5)
}

fn integer(kernel: &'static str, samples: usize, chain: impl Fn(usize) -> u64) -> Cost {
    const LINKS: usize = 200_000;
    let first = chain(LINKS);
    let mut verified = true;
    let ns_per_op = time(samples, LINKS, || verified &= chain(LINKS) == first);
    Cost { kernel, measures: "latency", ns_per_op, verified }
}

/// Half of random branches are mispredicted: twice the difference from branches all alike, the median
/// of samples in turn, so that a machine that slows down meanwhile slows both.
fn branch_miss(samples: usize) -> Cost {
    const BRANCHES: usize = 400_000;
    let (random, alike) = (scalar::random_flags(BRANCHES, 42), vec![true; BRANCHES]);
    let set = random.iter().filter(|&&flag| flag).count() as u64;
    let mut verified = true;
    let mut seconds = |flags: &[bool], set: u64| {
        let begin = Instant::now();
        verified &= scalar::branch_on(black_box(flags)) == set;
        begin.elapsed().as_secs_f64()
    };
    let mut differences: Vec<f64> = (0..=samples)
        .map(|_| seconds(&random, set) - seconds(&alike, BRANCHES as u64))
        .skip(1)
        .collect();
    differences.sort_by(f64::total_cmp);
    let ns_per_op = 2e9 * quantile(&differences, 0.5).max(0.0) / BRANCHES as f64;
    Cost { kernel: "branch_miss", measures: "penalty", ns_per_op, verified }
}

/// `f` over a slice in the first-level cache, checked at `known` points.
fn function(
    kernel: &'static str,
    samples: usize,
    f: impl Fn(f64) -> f64,
    known: &[(f64, f64)],
) -> Cost {
    const LEN: usize = 1_000;
    const ROUNDS: usize = 50;
    let from: Vec<f64> = (0..LEN).map(|i| 0.01 + i as f64 * 0.005).collect();
    let mut to = vec![0.0; LEN];
    let ns_per_op = time(samples, LEN * ROUNDS, || {
        for _ in 0..ROUNDS {
            scalar::map(black_box(&from), black_box(&mut to), &f);
        }
    });
    let is_right = |(&x, &y): (&f64, &f64)| f(black_box(x)) == y;
    let verified = from.iter().zip(&to).all(is_right)
        && known.iter().all(|&(x, y)| (f(black_box(x)) - y).abs() <= 1e-15);
    Cost { kernel, measures: "throughput", ns_per_op, verified }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn peaks_are_positive_and_checked() {
        let Some((_, kernels)) = fma_kernels() else { return };
        for (_, chains) in kernels {
            let found = fma(chains, 2, 2, Duration::from_millis(1));
            assert!(found.verified && found.gflops.best > 0.1);
        }
    }

    #[test]
    fn products_are_timed_and_checked() {
        for n in [16, 200] {
            let found = product::<f64>(Backend::ALL[0], 2, n, 3, Duration::from_millis(20));
            assert!(found.verified && found.gflops.median > 0.0);
        }
    }

    #[test]
    fn every_cost_is_positive_and_checked() {
        for cost in scalar_costs(9) {
            assert!(cost.verified, "{}", cost.kernel);
            // A build that counts every branch spends more on the counts than on a missed one.
            let may_be_nothing = cfg!(coverage) && cost.measures == "penalty";
            assert!(cost.ns_per_op > 0.0 || may_be_nothing, "{}", cost.kernel);
            assert!(cost.ns_per_op < 10_000.0, "{}", cost.kernel);
        }
    }
}
