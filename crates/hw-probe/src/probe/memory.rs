//! Bandwidth of memory and caches.

use std::io;
use std::time::Instant;

use super::Run;
use crate::arrays::ArraySize;
use crate::memory::{self, Bank, Case, Kernel, Stores, Streamed};
use crate::placement::Placement;
use crate::plan::Plan;
use crate::report::MemoryRow;
use crate::report::display::in_threads;
use crate::watch::{Disturbance, Signs};
use crate::{Machine, Section};

/// What is measured on one number of threads.
struct Series {
    threads: usize,
    /// One, or all: the figures that are quoted, and the staircases.
    is_quoted: bool,
    size: ArraySize,
    /// How many times at least: what others do to memory lasts seconds, and one visit would take it for the machine.
    visits: usize,
    /// Time that the last visit took, seconds.
    seconds: f64,
    mains: Vec<Streamed>,
    sweeps: Vec<Streamed>,
    refused: Option<io::Error>,
}

impl Series {
    fn new(plan: &Plan, machine: &Machine, threads: usize) -> Self {
        let is_quoted = threads == 1 || threads == plan.threads;
        Self {
            threads,
            is_quoted,
            size: plan.arrays(machine, threads),
            visits: if is_quoted { plan.stream_visits } else { 1 },
            seconds: 0.0,
            mains: Vec::new(),
            sweeps: Vec::new(),
            refused: None,
        }
    }

    fn name(&self) -> String {
        format!("memory on {}", in_threads(self.threads))
    }

    /// How far the repeats of the least steady kernel disagree, percent.
    fn spread(&self) -> Option<(&'static str, f64)> {
        let spreads = self
            .mains
            .iter()
            .map(|main| (main.case.kernel.name(main.case.stores), main.summary().spread_percent));
        spreads.max_by(|(_, a), (_, b)| a.total_cmp(b))
    }

    fn rows<'a>(
        &self,
        of: &'a [Streamed],
        series: &'a str,
    ) -> impl Iterator<Item = MemoryRow> + 'a {
        let threads = self.threads;
        of.iter().map(move |streamed| row(streamed, threads, series))
    }
}

impl Run<'_> {
    pub(super) fn memory(&mut self) {
        let (mut found, mut placement, mut has_moved) = self.all_series();
        // A quick probe has no time for all of it once more.
        if has_moved && !self.plan.quick {
            self.watch.repeated += 1;
            (found, placement, has_moved) = self.all_series();
        }
        if has_moved {
            self.watch.disturbed.push("memory: the hypervisor moved the cores".to_owned());
        }
        for series in &found {
            self.report.memory.extend(series.rows(&series.mains, "main"));
            self.note_what_lacks(series);
        }
        for series in &found {
            self.report.memory.extend(series.rows(&series.sweeps, "sweep"));
        }
        self.memory_rule(placement.as_ref());
        self.doubt_more_than_on_paper();
        if Stores::of(Kernel::Write).len() == 1 {
            self.report.cannot("write_nt", "no non-temporal store for this kind of processor");
        }
    }

    /// Every number of threads, visited in turn, and whether the cores moved meanwhile.
    fn all_series(&mut self) -> (Vec<Series>, Option<Placement>, bool) {
        let placement = Placement::now(&self.report.machine, self.plan.threads);
        // All cores first: they touch fresh memory side by side, and what they give back is warm.
        let counts = self.thread_counts().into_iter().rev();
        let mut all: Vec<Series> =
            counts.map(|threads| Series::new(&self.plan, &self.report.machine, threads)).collect();
        let part = 1.0 / all.iter().map(|series| series.visits).sum::<usize>() as f64;
        for visit in 0..self.plan.stream_visits {
            for series in all.iter_mut().filter(|series| visit < series.visits) {
                let what = format!("memory, {}", in_threads(series.threads));
                self.steps.step(Section::Memory, part, &what);
                self.visit(series);
            }
        }
        all.iter_mut().for_each(|series| self.settle(series));
        let has_moved = placement.as_ref().is_some_and(Placement::has_changed);
        (all, placement, has_moved)
    }

    /// Every kernel a few times more; at the first visit the staircases too.
    fn visit(&mut self, series: &mut Series) {
        let is_first = series.mains.is_empty() && series.sweeps.is_empty();
        if series.refused.is_some() || !(is_first || series.size.is_beyond_caches) {
            return;
        }
        let begin = Instant::now();
        let bank = match Bank::new(series.threads, &Kernel::ALL, series.size.bytes) {
            Ok(bank) => bank,
            Err(error) => return series.refused = Some(error),
        };
        if series.size.is_beyond_caches {
            self.mains(&bank, series);
        }
        series.seconds = begin.elapsed().as_secs_f64();
        if is_first && series.is_quoted {
            series.sweeps = self.sweeps(&bank, series);
        }
    }

    /// The kernels over main memory.
    fn mains(&mut self, bank: &Bank, series: &mut Series) {
        if series.mains.is_empty() {
            let repeats = self.plan.stream_repeats.div_ceil(series.visits);
            let cases = memory::main_cases(series.threads, series.size.bytes, repeats).into_iter();
            series.mains = cases.map(|case| Streamed::none(memory::fastest(bank, case))).collect();
        }
        let cases: Vec<Case> = series.mains.iter().map(|main| main.case).collect();
        let measure = || memory::stream(bank, &cases);
        let found = self.watch.over(&series.name(), Signs::All, measure);
        series.mains.iter_mut().zip(found).for_each(|(main, more)| main.add(more));
    }

    /// Visits again what disagrees with itself, while there is time for it.
    fn settle(&mut self, series: &mut Series) {
        while let Some((kernel, spread_percent)) = series.spread() {
            let seen = Disturbance { spread_percent, ..Disturbance::default() };
            if seen.reasons(Signs::All).is_empty() || !self.watch.may_repeat(series.seconds) {
                let what = format!("{}, {kernel}", series.name());
                return self.watch.keep(&what, Signs::All, seen, 0.0);
            }
            self.visit(series);
        }
    }

    fn note_what_lacks(&mut self, series: &Series) {
        let what = series.name();
        if !series.size.is_beyond_caches {
            let why = format!("the arrays would lie in the caches: {}", series.size.why);
            self.report.cannot(&what, why);
        }
        if let Some(error) = &series.refused {
            self.report.cannot(&what, error);
        }
    }

    /// The staircases of `read` and, on one core, of `triad`.
    fn sweeps(&mut self, bank: &Bank, series: &Series) -> Vec<Streamed> {
        let (plan, threads) = (&self.plan, series.threads);
        let kernels: &[Kernel] =
            if threads == 1 { &[Kernel::Read, Kernel::Triad] } else { &[Kernel::Read] };
        let mut found = Vec::new();
        for &kernel in kernels {
            let cases = memory::sweep_cases(
                kernel,
                threads,
                series.size.bytes,
                plan.points_per_octave,
                plan.sweep_repeats,
                plan.sample_bytes,
            );
            let cases: Vec<Case> =
                cases.into_iter().map(|case| memory::fastest(bank, case)).collect();
            let kernel = kernel.name(Stores::Regular);
            let what = format!("{}, sweep of {kernel}", series.name());
            found.extend(self.watch.over(&what, Signs::All, || memory::stream(bank, &cases)));
        }
        found
    }

    fn memory_rule(&mut self, placement: Option<&Placement>) {
        let apart = placement.map_or_else(String::new, |placement| format!(", {placement}"));
        let size = self.plan.arrays(&self.report.machine, self.plan.threads);
        let text = format!(
            "best of {} in {} visits, each after a warm-up, by the instruction set that is fastest; {} MiB per array \
             of all threads ({}), samples over its parts in turn; threads {}, first touch on the core that streams, \
             large pages where granted; bytes as STREAM counts{apart}",
            self.plan.stream_repeats,
            self.plan.stream_visits,
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
            format!("{kernel} on {}: {best:.0} GB/s, and {paper:.0} on paper", in_threads(threads))
        });
        self.watch.disturbed.extend(above);
    }
}

fn row(streamed: &Streamed, threads: usize, series: &str) -> MemoryRow {
    let Case { kernel, stores, .. } = streamed.case;
    // What an ordinary store adds on x86: one read for each line written.
    let arrays = kernel.arrays() as f64;
    let allocates = stores == Stores::Regular && series == "main" && cfg!(target_arch = "x86_64");
    let gb_per_s = streamed.summary();
    let with_allocate = gb_per_s.best * (arrays + 1.0) / arrays;
    MemoryRow {
        kernel: kernel.name(stores).to_owned(),
        stores: stores.name().to_owned(),
        isa: streamed.case.isa().to_owned(),
        threads,
        working_set_bytes: streamed.case.bytes(threads) as u64,
        gb_per_s: gb_per_s.into(),
        with_write_allocate_gb_per_s: allocates.then_some(with_allocate),
        series: series.to_owned(),
        verified: streamed.verified,
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::{Bank, Case, Kernel, Run, Series, Streamed, memory};
    use crate::plan::Plan;
    use crate::probe::progress::Steps;
    use crate::report::{ProbeReport, Rates};
    use crate::watch::Watch;
    use crate::{MemoryRow, ProbeOptions, machine};

    /// What `check` finds in a probe of which nothing has run, that may spend `spare` on repeats.
    fn with_run<R>(spare: Duration, check: impl FnOnce(&mut Run<'_>) -> R) -> R {
        let options = ProbeOptions { quick: true, ..ProbeOptions::default() };
        let plan = Plan::new(&options, &machine());
        let mut nobody = ();
        check(&mut Run {
            watch: Watch::new(spare),
            report: ProbeReport::empty(machine()),
            steps: Steps::new(&options, &mut nobody),
            is_pinned: true,
            plan,
        })
    }

    /// One core's small arrays, of which `read` came to `rates`.
    fn series(run: &Run<'_>, rates: &[f64]) -> Series {
        let mut series = Series::new(&run.plan, &run.report.machine, 1);
        series.size.bytes = 1 << 20;
        series.size.is_beyond_caches = true;
        series.seconds = 0.01;
        let case: Case = memory::main_cases(1, series.size.bytes, rates.len())[0];
        series.mains = vec![Streamed { case, rates: rates.to_vec(), verified: true }];
        series
    }

    #[test]
    fn visits_that_disagree_are_made_again_while_there_is_time() {
        with_run(Duration::from_millis(20), |run| {
            let mut found = series(run, &[10.0, 10.0, 30.0, 30.0]);
            run.settle(&mut found);
            assert!(found.mains[0].rates.len() > 4 && run.watch.repeated > 0);
        });
    }

    #[test]
    fn visits_that_disagree_are_named() {
        with_run(Duration::ZERO, |run| {
            let mut found = series(run, &[10.0, 10.0, 30.0, 30.0]);
            run.settle(&mut found);
            assert_eq!(found.mains[0].rates.len(), 4);
            let named = "memory on 1 thread, read: its repeats spread over 100.0 %";
            assert_eq!(run.watch.disturbed, [named]);
            run.settle(&mut series(run, &[10.0, 10.2, 10.1, 10.3]));
            assert_eq!(run.watch.disturbed.len(), 1);
        });
    }

    #[test]
    fn a_visit_adds_samples_of_every_kernel() {
        with_run(Duration::ZERO, |run| {
            let mut found = Series { mains: Vec::new(), ..series(run, &[1.0]) };
            let bank = Bank::new(1, &Kernel::ALL, found.size.bytes).unwrap();
            for visit in 1..=3 {
                run.mains(&bank, &mut found);
                let repeats = run.plan.stream_repeats / run.plan.stream_visits;
                assert!(found.mains.iter().all(|main| main.verified));
                assert!(found.mains.iter().all(|main| main.rates.len() == visit * repeats));
            }
        });
    }

    #[test]
    fn a_figure_above_the_paper_is_doubted() {
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
        with_run(Duration::ZERO, |run| {
            run.report.machine.theoretical.memory_gb_per_s = Some(68.0);
            run.report.memory = vec![row("read", 67.0), row("copy", 144.0)];
            run.doubt_more_than_on_paper();
            assert_eq!(run.watch.disturbed, ["copy on 4 threads: 144 GB/s, and 68 on paper"]);
        });
    }
}
