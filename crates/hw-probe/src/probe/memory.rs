//! Bandwidth of memory and caches.

use super::Run;
use crate::Section;
use crate::arrays::ArraySize;
use crate::memory::{self, Bank, Case, Kernel, Stores, Streamed};
use crate::placement::Placement;
use crate::report::MemoryRow;
use crate::watch::Signs;

/// What was found on one number of threads.
struct Found {
    mains: Vec<MemoryRow>,
    sweeps: Vec<MemoryRow>,
    /// How far the cores were apart, and whether they stayed so.
    apart: Option<String>,
    has_moved: bool,
}

impl Run<'_> {
    pub(super) fn memory(&mut self) {
        let counts = self.thread_counts();
        let part = 1.0 / counts.len() as f64;
        let (mut sweeps, mut apart) = (Vec::new(), String::new());
        // All cores first: they touch fresh memory side by side, and what they give back is warm.
        for threads in counts.into_iter().rev() {
            self.steps.step(Section::Memory, part, &format!("memory, {threads} threads"));
            let what = format!("memory on {threads} threads");
            let size = self.plan.arrays(&self.report.machine, threads);
            if !size.is_beyond_caches {
                let why = format!("the arrays would lie in the caches: {}", size.why);
                self.report.cannot(&what, why);
            }
            let bank = match Bank::new(threads, &Kernel::ALL, size.bytes) {
                Ok(bank) => bank,
                Err(error) => {
                    self.report.cannot(&what, error);
                    continue;
                }
            };
            let mut found = self.on_threads(&what, &bank, &size);
            if found.has_moved {
                self.watch.repeated += 1;
                found = self.on_threads(&what, &bank, &size);
            }
            if found.has_moved {
                self.watch.disturbed.push(format!("{what}: the hypervisor moved the cores"));
            }
            self.report.memory.extend(found.mains);
            sweeps.extend(found.sweeps);
            // Of all cores, which come first.
            if apart.is_empty() {
                apart = found.apart.unwrap_or_default();
            }
        }
        self.report.memory.extend(sweeps);
        self.memory_rule(&apart);
        self.doubt_more_than_on_paper();
        if Stores::of(Kernel::Write).len() == 1 {
            self.report.cannot("write_nt", "no non-temporal store for this kind of processor");
        }
    }

    /// Kernels and staircases, and whether the cores stayed where they were.
    fn on_threads(&mut self, what: &str, bank: &Bank, size: &ArraySize) -> Found {
        let threads = bank.threads();
        let placement = Placement::now(&self.report.machine, threads);
        let mains =
            if size.is_beyond_caches { self.mains(what, bank, size.bytes) } else { Vec::new() };
        let is_swept = threads == 1 || threads == self.plan.threads;
        let sweeps = if is_swept { self.sweeps(what, bank, size.bytes) } else { Vec::new() };
        Found {
            mains,
            sweeps,
            has_moved: placement.as_ref().is_some_and(Placement::has_changed),
            apart: placement.map(|placement| format!(", {placement}")),
        }
    }

    /// The kernels over main memory, watched one by one.
    fn mains(&mut self, what: &str, bank: &Bank, array_bytes: usize) -> Vec<MemoryRow> {
        let threads = bank.threads();
        let mut found = Vec::new();
        for case in memory::main_cases(threads, array_bytes, self.plan.stream_repeats) {
            let case = memory::fastest(bank, case);
            let what = format!("{what}, {}", case.kernel.name(case.stores));
            let measure = || memory::stream(bank, &[case]);
            let rows = self.watch.over_repeats(&what, Signs::All, measure, |rows| {
                rows.iter().map(|row| row.gb_per_s.spread_percent).fold(0.0, f64::max)
            });
            found.extend(rows.iter().map(|found| row(found, threads, "main")));
        }
        found
    }

    /// The staircases of `read` and, on one core, of `triad`.
    fn sweeps(&mut self, what: &str, bank: &Bank, array_bytes: usize) -> Vec<MemoryRow> {
        let (plan, threads) = (&self.plan, bank.threads());
        let kernels: &[Kernel] =
            if threads == 1 { &[Kernel::Read, Kernel::Triad] } else { &[Kernel::Read] };
        let mut found = Vec::new();
        for &kernel in kernels {
            let cases = memory::sweep_cases(
                kernel,
                threads,
                array_bytes,
                plan.points_per_octave,
                plan.sweep_repeats,
                plan.sample_bytes,
            );
            let cases: Vec<Case> =
                cases.into_iter().map(|case| memory::fastest(bank, case)).collect();
            let what = format!("{what}, sweep of {}", kernel.name(Stores::Regular));
            let rows = self.watch.over(&what, Signs::All, || memory::stream(bank, &cases));
            found.extend(rows.iter().map(|found| row(found, threads, "sweep")));
        }
        found
    }

    fn memory_rule(&mut self, apart: &str) {
        let size = self.plan.arrays(&self.report.machine, self.plan.threads);
        let text = format!(
            "best of {} after a warm-up, by the instruction set that is fastest; {} MiB per array of all threads \
             ({}), samples over its parts in turn; threads {}, first touch on the core that streams, large pages \
             where granted; bytes as STREAM counts{apart}",
            self.plan.stream_repeats,
            size.bytes >> 20,
            size.why,
            self.pinned(),
        );
        self.report.rule(Section::Memory, text);
    }

    /// A figure above what the parts can do is an error, of ours or of the paper.
    fn doubt_more_than_on_paper(&mut self) {
        let Some(paper) = self.report.machine.theoretical.memory_gb_per_s else { return };
        let mains = self.report.memory.iter().filter(|row| row.series == "main");
        let above = mains.filter(|row| row.gb_per_s.best > paper).map(|row| {
            let (kernel, threads, best) = (&row.kernel, row.threads, row.gb_per_s.best);
            format!("{kernel} on {threads} threads: {best:.0} GB/s, and {paper:.0} on paper")
        });
        self.watch.disturbed.extend(above);
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
        isa: streamed.case.isa().to_owned(),
        threads,
        working_set_bytes: streamed.case.bytes(threads) as u64,
        gb_per_s: streamed.gb_per_s.into(),
        with_write_allocate_gb_per_s: allocates.then_some(with_allocate),
        series: series.to_owned(),
        verified: streamed.verified,
    }
}

#[cfg(test)]
mod tests {
    use crate::plan::Plan;
    use crate::probe::progress::Steps;
    use crate::report::{ProbeReport, Rates};
    use crate::watch::Watch;
    use crate::{MemoryRow, ProbeOptions, machine};

    #[test]
    fn a_figure_above_the_paper_is_doubted() {
        let options = ProbeOptions::default();
        let plan = Plan::new(&options, &machine());
        let mut nobody = ();
        let mut run = super::Run {
            watch: Watch::new(plan.spare),
            report: ProbeReport::empty(machine()),
            steps: Steps::new(&options, &mut nobody),
            is_pinned: true,
            plan,
        };
        run.report.machine.theoretical.memory_gb_per_s = Some(68.0);
        let row = |kernel: &str, best: f64| MemoryRow {
            kernel: kernel.to_owned(),
            stores: "none".to_owned(),
            isa: "any".to_owned(),
            threads: 4,
            working_set_bytes: 1 << 30,
            gb_per_s: Rates { best, median: best, spread_percent: 0.0 },
            with_write_allocate_gb_per_s: None,
            series: "main".to_owned(),
            verified: true,
        };
        run.report.memory = vec![row("read", 67.0), row("copy", 144.0)];
        run.doubt_more_than_on_paper();
        assert_eq!(run.watch.disturbed, ["copy on 4 threads: 144 GB/s, and 68 on paper"]);
    }
}
