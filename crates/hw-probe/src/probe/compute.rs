//! Floating-point peaks, matrix products and single operations.

use std::time::Duration;

use super::Run;
use crate::compute::{self, Computed};
use crate::gemm::{Backend, Element};
use crate::kernels::CHAINS;
use crate::report::display::in_threads;
use crate::report::{ComputeRow, ScalarRow};
use crate::watch::Signs;
use crate::{Dtype, Section};

/// Who computed what, on how many threads.
struct Who<'a> {
    kernel: &'a str,
    backend: &'a str,
    dtype: Dtype,
    unit: &'a str,
    threads: usize,
    n: Option<usize>,
}

impl Run<'_> {
    pub(super) fn compute(&mut self) {
        self.fma();
        for (index, &backend) in Backend::ALL.iter().enumerate() {
            let longest = self.plan.gemm_longest[index.min(1)];
            self.gemm::<f64>(backend, longest);
            self.gemm::<f32>(backend, longest);
        }
        self.steps.step(Section::Compute, 0.2, "single operations");
        let samples = self.plan.sweep_repeats;
        let costs =
            self.watch.over("single operations", Signs::All, || compute::scalar_costs(samples));
        self.report.scalar.extend(costs.into_iter().map(|cost| ScalarRow {
            kernel: cost.kernel.to_owned(),
            measures: cost.measures.to_owned(),
            ns_per_op: cost.ns_per_op,
            verified: cost.verified,
        }));
        let fma = if self.report.compute.iter().any(|row| row.kernel == "fma") {
            let repeats = self.plan.fma_repeats;
            format!("FMA: best of {repeats} samples, {CHAINS} chains a core, {}; ", self.pinned())
        } else {
            String::new()
        };
        let text = format!(
            "{fma}GEMM: best of 2 to {} within {} ms each, on arrays of ndarray, sampled entries checked",
            self.plan.stream_repeats,
            self.plan.gemm_budget.as_millis()
        );
        self.report.rule(Section::Compute, text);
    }

    fn fma(&mut self) {
        self.steps.step(Section::Compute, 0.2, "FMA peak");
        let Some((isa, kernels)) = compute::fma_kernels() else {
            self.report.cannot("FMA peak", "this processor has no fused multiply-add");
            return;
        };
        for (dtype, chains) in kernels {
            for threads in self.thread_counts() {
                let what = format!("FMA {dtype} on {}", in_threads(threads));
                let (repeats, sample) = (self.plan.fma_repeats, self.plan.fma_sample);
                let measure = || compute::fma(chains, threads, repeats, sample);
                let spread = |found: &Computed| found.gflops.spread_percent;
                let found = self.watch.over_repeats(&what, Signs::All, measure, spread);
                let unit = "vector units";
                self.push(
                    Who { kernel: "fma", backend: isa, dtype, unit, threads, n: None },
                    found,
                );
            }
        }
    }

    /// Products of every size, those left out that would take longer than `longest`.
    fn gemm<T: Element>(&mut self, backend: Backend, longest: Duration) {
        let backends = Backend::ALL.len() as f64;
        let name = backend.name();
        self.steps.step(Section::Compute, 0.3 / backends, &format!("GEMM {}, {name}", T::DTYPE));
        for &n in self.plan.gemm_sizes {
            let what = format!("GEMM {} {n} by {name}", T::DTYPE);
            if !self.plan.has_room_for(n) {
                self.report.cannot(&what, "three such matrices would take too much of the memory");
                continue;
            }
            for threads in self.threads_of_product(backend, n) {
                match self.seconds_expected::<T>(backend, threads, n) {
                    Some(seconds) if seconds > longest.as_secs_f64() => {
                        let what = format!("{what} on {}", in_threads(threads));
                        let why = format!("a product would take about {seconds:.1} s");
                        self.report.cannot(&what, why);
                    }
                    _ => self.product::<T>(backend, threads, n),
                }
            }
        }
    }

    /// All cores at every size, and one at the size that is quoted.
    fn threads_of_product(&self, backend: Backend, n: usize) -> Vec<usize> {
        const QUOTED: usize = 2048;
        let all = backend.threads(self.plan.threads);
        let one = backend.threads(1);
        if n == QUOTED && one < all { vec![one, all] } else { vec![all] }
    }

    /// By the rate of the largest product before.
    fn seconds_expected<T: Element>(
        &self,
        backend: Backend,
        threads: usize,
        n: usize,
    ) -> Option<f64> {
        let before = self.report.compute.iter().rfind(|row| {
            row.backend == backend.name() && row.dtype == T::DTYPE && row.threads >= threads
        })?;
        let share = threads as f64 / before.threads as f64;
        Some(2e-9 * (n as f64).powi(3) / (before.gflops.best * share))
    }

    fn product<T: Element>(&mut self, backend: Backend, threads: usize, n: usize) {
        // Of smaller ones the threads' own waking up is what spreads.
        const STEADY_FROM: usize = 512;
        let (on, by) = (in_threads(threads), backend.name());
        let what = format!("GEMM {} {n} on {on} by {by}", T::DTYPE);
        let (repeats, budget) = (self.plan.stream_repeats, self.plan.gemm_budget);
        let measure = || compute::product::<T>(backend, threads, n, repeats, budget);
        let spread = |found: &Computed| {
            if n >= STEADY_FROM { found.gflops.spread_percent } else { 0.0 }
        };
        let found = self.watch.over_repeats(&what, Signs::All, measure, spread);
        let (backend, unit) = (backend.name(), backend.unit());
        let n = Some(n);
        self.push(Who { kernel: "gemm", backend, dtype: T::DTYPE, unit, threads, n }, found);
    }

    fn push(&mut self, who: Who<'_>, found: Computed) {
        let Who { kernel, backend, dtype, unit, threads, n } = who;
        let is_peak =
            |row: &&ComputeRow| row.kernel == "fma" && row.dtype == dtype && row.threads == threads;
        let peak = self.report.compute.iter().find(is_peak);
        self.report.compute.push(ComputeRow {
            kernel: kernel.to_owned(),
            backend: backend.to_owned(),
            dtype,
            threads,
            n,
            of_fma_peak_percent: peak.map(|peak| 100.0 * found.gflops.best / peak.gflops.best),
            gflops: found.gflops.into(),
            unit: unit.to_owned(),
            verified: found.verified,
        });
    }
}
