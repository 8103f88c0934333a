//! The probe: every section in turn, watched, into one report.

use std::time::Instant;

use crate::compute::{self, Computed};
use crate::gemm::{Backend, Element};
use crate::kernels::StreamKernels;
use crate::machine::machine;
use crate::measure::Timer;
use crate::memory::{self, Bank, Case, Kernel, Stores, Streamed};
use crate::placement::Placement;
use crate::plan::Plan;
use crate::report::{
    ComputeRow, CoreToCoreRow, LatencyRow, LoadedLatencyRow, MemoryRow, Noise, ProbeReport,
    ScalarRow,
};
use crate::storage::transfer::Op;
use crate::storage::{self, Scratch};
use crate::sys::{self, Pages};
use crate::watch::{Signs, Watch};
use crate::{ProbeError, ProbeOptions, Progress, Section, latency};

/// Measures what `options` ask for, tells `progress`, and reports.
///
/// What cannot be measured on this machine is named in the report with its reason, and the rest
/// runs: a probe of any machine that can run this program succeeds.
///
/// # Errors
/// None at present; the type leaves room for options that make no sense together.
pub fn probe(
    options: &ProbeOptions,
    progress: &mut dyn Progress,
) -> Result<ProbeReport, ProbeError> {
    let begin = Instant::now();
    progress.section(Section::Machine);
    let machine = machine();
    let plan = Plan::new(options, &machine);
    let mut run = Run {
        watch: Watch::new(plan.spare),
        report: ProbeReport::empty(machine),
        steps: Steps::new(options, progress),
        plan,
    };
    run.note_threads(options);
    for section in Section::ALL.into_iter().filter(|&section| options.wants(section)) {
        run.section(section);
    }
    run.finish(begin);
    Ok(run.report)
}

/// Counts the steps of the sections that were asked for.
struct Steps<'a> {
    progress: &'a mut dyn Progress,
    done: f64,
    all: f64,
}

impl<'a> Steps<'a> {
    fn new(options: &ProbeOptions, progress: &'a mut dyn Progress) -> Self {
        let wanted = Section::ALL.into_iter().filter(|&section| options.wants(section));
        Self { progress, done: 0.0, all: wanted.map(share).sum::<f64>().max(1.0) }
    }

    /// A step that is `part` of its section is about to run.
    fn step(&mut self, section: Section, part: f64, what: &str) {
        self.progress.step(what, (self.done / self.all).min(1.0));
        self.done += share(section) * part;
    }
}

/// About how long a section takes, in parts of a hundred.
fn share(section: Section) -> f64 {
    match section {
        Section::Machine => 0.0,
        Section::Memory => 35.0,
        Section::Latency => 20.0,
        Section::Compute => 20.0,
        Section::Storage => 25.0,
    }
}

struct Run<'a> {
    plan: Plan,
    report: ProbeReport,
    watch: Watch,
    steps: Steps<'a>,
}

impl Run<'_> {
    fn note_threads(&mut self, options: &ProbeOptions) {
        if let Some(asked) = options.threads.filter(|&asked| asked != self.plan.threads) {
            let why = format!("this process may run 1 to {}: took all", self.plan.threads);
            self.report.cannot(&format!("{asked} threads"), why);
        }
        if sys::allowed_cpus().is_empty() {
            self.report.cannot("pinned threads", "this system binds no thread to a core");
        }
    }

    fn section(&mut self, section: Section) {
        self.steps.progress.section(section);
        match section {
            Section::Machine => {}
            Section::Memory => self.memory(),
            Section::Latency => self.latency(),
            Section::Compute => self.compute(),
            Section::Storage => self.storage(),
        }
    }

    /// 1, every count up to all; on large machines powers of two and all.
    fn thread_counts(&self) -> Vec<usize> {
        const EVERY_COUNT_UP_TO: usize = 8;
        let all = self.plan.threads;
        let wanted = |&threads: &usize| {
            all <= EVERY_COUNT_UP_TO || threads == all || threads.is_power_of_two()
        };
        (1..=all).filter(wanted).collect()
    }

    fn memory(&mut self) {
        let counts = self.thread_counts();
        let last = *counts.last().unwrap_or(&1);
        let part = 1.0 / counts.len() as f64;
        let (mut sweeps, mut apart) = (Vec::new(), None);
        // All cores first: they touch fresh memory side by side, and what they give back is warm.
        for threads in counts.into_iter().rev() {
            self.steps.step(Section::Memory, part, &format!("memory, {threads} threads"));
            let what = format!("memory on {threads} threads");
            let placement = Placement::now(&self.report.machine, threads);
            match Bank::new(threads, &Kernel::ALL, self.plan.array_bytes) {
                Ok(bank) => {
                    self.mains(&what, &bank);
                    if threads == 1 || threads == last {
                        self.sweeps(&what, &bank, &mut sweeps);
                    }
                }
                Err(error) => self.report.cannot(&what, error),
            }
            if let Some(placement) = placement {
                if placement.has_changed() {
                    self.watch.disturbed.push(format!("{what}: the hypervisor moved the cores"));
                }
                // Of all cores, which come first.
                apart.get_or_insert(format!(", {placement}"));
            }
        }
        self.report.memory.extend(sweeps);
        let apart = apart.unwrap_or_default();
        self.report.rule(
            Section::Memory,
            format!(
                "{}, best of {} after a warm-up, {} MiB per array ({}), samples over its parts in \
                 turn, threads pinned, first touch \
                 by the thread that streams, large pages where granted, bytes as STREAM counts{apart}",
                StreamKernels::detect().isa,
                self.plan.stream_repeats,
                self.plan.array_bytes >> 20,
                self.plan.array_why,
            ),
        );
        if Stores::of(Kernel::Write).len() == 1 {
            self.report.cannot("write_nt", "this processor has no non-temporal store");
        }
    }

    /// The kernels over main memory, watched one by one.
    fn mains(&mut self, what: &str, bank: &Bank) {
        let threads = bank.threads();
        for case in memory::main_cases(threads, self.plan.array_bytes, self.plan.stream_repeats) {
            let what = format!("{what}, {}", case.kernel.name(case.stores));
            let measure = || memory::stream(bank, &[case]);
            let rows = self.watch.over_repeats(&what, Signs::All, measure, |rows| {
                rows.iter().map(|row| row.gb_per_s.spread_percent).fold(0.0, f64::max)
            });
            self.report.memory.extend(rows.iter().map(|found| row(found, threads, "main")));
        }
    }

    /// The staircases of `read` and, on one core, of `triad`.
    fn sweeps(&mut self, what: &str, bank: &Bank, found: &mut Vec<MemoryRow>) {
        let (plan, threads) = (&self.plan, bank.threads());
        let kernels: &[Kernel] =
            if threads == 1 { &[Kernel::Read, Kernel::Triad] } else { &[Kernel::Read] };
        for &kernel in kernels {
            let cases = memory::sweep_cases(
                kernel,
                threads,
                plan.array_bytes,
                plan.points_per_octave,
                plan.sweep_repeats,
                plan.sample_bytes,
            );
            let what = format!("{what}, sweep of {}", kernel.name(Stores::Regular));
            let rows = self.watch.over(&what, Signs::All, || memory::stream(bank, &cases));
            found.extend(rows.iter().map(|found| row(found, threads, "sweep")));
        }
    }

    fn latency(&mut self) {
        let sets = memory::working_sets(self.plan.array_bytes, self.plan.points_per_octave);
        for (pages, name) in [(Pages::Ordinary, "ordinary"), (Pages::Huge, "large")] {
            self.steps.step(Section::Latency, 0.4, &format!("latency, {name} pages"));
            let what = format!("latency on {name} pages");
            let effort = self.plan.chase;
            match self.watch.over(&what, Signs::All, || latency::staircase(&sets, pages, effort)) {
                Ok(rows) if pages == Pages::Huge && rows.iter().all(|row| !row.huge_pages) => {
                    self.report.cannot(&what, "the system granted none");
                }
                Ok(rows) => self.report.latency.extend(rows.into_iter().map(|row| LatencyRow {
                    working_set_bytes: row.working_set_bytes as u64,
                    huge_pages: row.huge_pages,
                    ns_per_load: row.ns_per_load,
                })),
                Err(error) => self.report.cannot(&what, error),
            }
        }
        self.steps.step(Section::Latency, 0.2, "loaded latency");
        self.loaded_latency();
        self.core_to_core();
        self.report.see_caches();
        self.report.rule(
            Section::Latency,
            format!(
                "median of {} samples of {} dependent loads in random order, one core pinned",
                self.plan.chase.samples, self.plan.chase.loads
            ),
        );
    }

    fn loaded_latency(&mut self) {
        if self.plan.threads < 2 {
            self.report.cannot("loaded latency", "needs two cores");
            return;
        }
        let set = self.plan.array_bytes / 2;
        let effort = self.plan.chase;
        let mut counts = vec![1, self.plan.threads - 1];
        counts.dedup();
        for streaming in counts {
            let what = format!("loaded latency, {streaming} streaming");
            let duties: &[f64] =
                if self.plan.quick { &[0.0, 1.0] } else { &[0.0, 0.25, 0.5, 0.75, 1.0] };
            let measure = || latency::loaded(streaming, set, duties, effort);
            match self.watch.over(&what, Signs::All, measure) {
                Ok(rows) => {
                    self.report.loaded_latency.extend(rows.into_iter().map(|row| {
                        LoadedLatencyRow {
                            streaming_threads: row.streaming_threads,
                            duty_percent: row.duty_percent,
                            gb_per_s: row.gb_per_s,
                            ns_per_load: row.ns_per_load,
                        }
                    }));
                }
                Err(error) => self.report.cannot(&what, error),
            }
        }
    }

    fn core_to_core(&mut self) {
        /// Beyond this the pairs with the first core stand for all: a matrix grows with the square.
        const WHOLE_MATRIX_UP_TO: usize = 16;
        let mut cpus = sys::allowed_cpus();
        cpus.truncate(self.plan.threads);
        if cpus.len() < 2 {
            self.report
                .cannot("core-to-core latency", "needs two cores that threads can be bound to");
            return;
        }
        let from = if cpus.len() > WHOLE_MATRIX_UP_TO { &cpus[..1] } else { &cpus[..] };
        let pairs = from.iter().flat_map(|&from| {
            let after = cpus.iter().filter(move |&&to| to > from);
            after.map(move |&to| (from, to))
        });
        let rows = self.watch.over("core to core", Signs::All, || {
            let measured = pairs.clone().filter_map(|(from, to)| {
                let ns = latency::core_to_core(from, to, 1_000, 9)?;
                Some(CoreToCoreRow { from, to, ns })
            });
            measured.collect()
        });
        self.report.core_to_core = rows;
    }

    fn compute(&mut self) {
        self.fma();
        for &backend in Backend::ALL {
            self.gemm::<f64>(backend);
            self.gemm::<f32>(backend);
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
        self.report.rule(
            Section::Compute,
            format!(
                "FMA: best of {} samples, 14 chains a core, pinned; GEMM: best of 2 to {} within \
                 {} ms each, through ndarray, sampled entries checked",
                self.plan.fma_repeats,
                self.plan.stream_repeats,
                self.plan.gemm_budget.as_millis()
            ),
        );
    }

    fn fma(&mut self) {
        self.steps.step(Section::Compute, 0.2, "FMA peak");
        let Some((isa, kernels)) = compute::fma_kernels() else {
            self.report.cannot("FMA peak", "this processor has no fused multiply-add");
            return;
        };
        for (dtype, chains) in kernels {
            for threads in self.thread_counts() {
                let what = format!("FMA {dtype} on {threads} threads");
                let (repeats, sample) = (self.plan.fma_repeats, self.plan.fma_sample);
                let measure = || compute::fma(chains, threads, repeats, sample);
                let spread = |found: &Computed| found.gflops.spread_percent;
                let found = self.watch.over_repeats(&what, Signs::All, measure, spread);
                self.push_compute("fma", isa, dtype, threads, None, "vector units", found);
            }
        }
    }

    fn gemm<T: Element>(&mut self, backend: Backend) {
        let backends = Backend::ALL.len() as f64;
        self.steps.step(Section::Compute, 0.3 / backends, &format!("GEMM {}", T::DTYPE));
        let all = self.plan.threads;
        for n in self.plan.gemm_sizes.clone() {
            // One core at the size that is quoted, all cores at every size.
            let alone = all > 1 && n == 2048 && backend.threads_chosen();
            for threads in if alone { vec![1, all] } else { vec![all] } {
                let what = format!("GEMM {} {n} on {threads} threads", T::DTYPE);
                let (repeats, budget) = (self.plan.stream_repeats, self.plan.gemm_budget);
                let found = self.watch.over(&what, Signs::All, || {
                    compute::product::<T>(backend, threads, n, repeats, budget)
                });
                let (name, unit) = (backend.name(), backend.unit());
                self.push_compute("gemm", name, T::DTYPE, threads, Some(n), unit, found);
            }
        }
    }

    #[allow(clippy::too_many_arguments, reason = "the columns of one row, named at the call")]
    fn push_compute(
        &mut self,
        kernel: &str,
        backend: &str,
        dtype: &str,
        threads: usize,
        n: Option<usize>,
        unit: &str,
        found: Computed,
    ) {
        let peak = self
            .report
            .compute
            .iter()
            .find(|row| row.kernel == "fma" && row.dtype == dtype && row.threads == threads);
        self.report.compute.push(ComputeRow {
            kernel: kernel.to_owned(),
            backend: backend.to_owned(),
            dtype: dtype.to_owned(),
            threads,
            n,
            of_fma_peak_percent: peak.map(|peak| 100.0 * found.gflops.best / peak.gflops.best),
            gflops: found.gflops.into(),
            unit: unit.to_owned(),
            verified: found.verified,
        });
    }

    fn storage(&mut self) {
        self.steps.step(Section::Storage, 0.2, "storage, laying out the file");
        let scratch = match Scratch::new(&self.plan.storage) {
            Ok(scratch) => scratch,
            Err(why) => return self.report.cannot("storage", why),
        };
        self.direct(&scratch);
        self.steps.step(Section::Storage, 0.1, "storage through the page cache");
        let limit = 2 * self.plan.storage.limit;
        match self
            .watch
            .over("buffered storage", Signs::WithoutOthers, || storage::buffered(&scratch, limit))
        {
            Ok(rows) => self.report.storage.extend(rows),
            Err(error) => self.report.cannot("buffered storage", error),
        }
        self.steps.step(Section::Storage, 0.1, "fsync");
        match self.watch.over("fsync", Signs::WithoutOthers, || storage::fsync(&scratch, limit)) {
            Ok(row) => self.report.storage.push(row),
            Err(error) => self.report.cannot("fsync", error),
        }
        self.steps.step(Section::Storage, 0.1, "columns as Parquet");
        let bytes = self.plan.column_bytes.min(scratch.bytes() as usize);
        match storage::columns::parquet(&scratch, bytes) {
            Ok(rows) => self.report.storage.extend(rows),
            Err(why) => self.report.cannot("columns as Parquet", why),
        }
        self.report.rule(
            Section::Storage,
            format!(
                "{} MiB file in {}, already without a name; incompressible bytes, each page \
                 stamped and read back; direct cases {} ms each",
                scratch.bytes() >> 20,
                self.plan.storage.dir.display(),
                self.plan.storage.limit.as_millis()
            ),
        );
    }

    fn direct(&mut self, scratch: &Scratch) {
        if let Err(why) = scratch.direct() {
            return self.report.cannot("direct storage", why);
        }
        let plan = self.plan.storage.clone();
        let part = 0.5 / (2 * plan.sequential.len() + plan.random_depths.len()) as f64;
        for &(block, depth) in &plan.sequential {
            for op in [Op::Write, Op::Read] {
                let what = format!("storage {op:?}, {} KiB, depth {depth}", block >> 10);
                self.steps.step(Section::Storage, part, &what);
                let row = self.watch.over(&what, Signs::WithoutOthers, || {
                    storage::sequential(scratch, op, block, depth, plan.limit)
                });
                self.push_storage(&what, row);
            }
        }
        for &depth in &plan.random_depths {
            let what = format!("random reads, depth {depth}");
            self.steps.step(Section::Storage, part, &what);
            let row = self.watch.over(&what, Signs::WithoutOthers, || {
                storage::random_reads(scratch, depth, plan.limit)
            });
            self.push_storage(&what, row);
        }
    }

    fn push_storage(&mut self, what: &str, row: Result<crate::StorageRow, String>) {
        match row {
            Ok(row) => self.report.storage.push(row),
            Err(why) => self.report.cannot(what, why),
        }
    }

    fn finish(&mut self, begin: Instant) {
        let timer = Timer::measure();
        let watch = &mut self.watch;
        self.report.noise = Noise {
            steal_percent: watch.mean(|seen| seen.steal_percent),
            timer_ns: timer.resolution_ns,
            timer_overhead_ns: timer.overhead_ns,
            spread_percent: watch.spread_percent(),
            others_percent: watch.mean(|seen| seen.others_percent),
            drift_percent: watch.drift_percent(),
            repeated: watch.repeated,
            quiet: watch.disturbed.is_empty(),
            disturbed: std::mem::take(&mut watch.disturbed),
        };
        self.report.elapsed_s = begin.elapsed().as_secs_f64();
        self.steps.progress.step("done", 1.0);
    }
}

fn row(streamed: &Streamed, threads: usize, series: &str) -> MemoryRow {
    let Case { kernel, stores, .. } = streamed.case;
    // What an ordinary store adds on x86: one read for each line written.
    let arrays = kernel.arrays() as f64;
    let allocates = stores == Stores::Regular && series == "main" && cfg!(target_arch = "x86_64");
    let with_allocate = streamed.gb_per_s.best * (arrays + 1.0) / arrays;
    MemoryRow {
        kernel: kernel.name(stores).to_owned(),
        stores: stores.name().to_owned(),
        threads,
        working_set_bytes: streamed.case.bytes(threads) as u64,
        gb_per_s: streamed.gb_per_s.into(),
        with_write_allocate_gb_per_s: allocates.then_some(with_allocate),
        series: series.to_owned(),
        verified: streamed.verified,
    }
}
