//! Bandwidth of memory and caches.

use std::io;
use std::time::Instant;

use super::Run;
use crate::arrays::ArraySize;
use crate::memory::{self, Bank, Case, Kernel, Stores, Streamed};
use crate::placement::Placement;
use crate::plan::Plan;
use crate::report::MemoryRow;
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
        if has_moved {
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
                let what = format!("memory, {} threads", series.threads);
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
            series.sweeps = self.sweeps(&bank, series.size.bytes);
        }
    }

    /// The kernels over main memory.
    fn mains(&mut self, bank: &Bank, series: &mut Series) {
        let cases: Vec<Case> = if series.mains.is_empty() {
            let repeats = self.plan.stream_repeats.div_ceil(series.visits);
            let cases = memory::main_cases(series.threads, series.size.bytes, repeats);
            cases.into_iter().map(|case| memory::fastest(bank, case)).collect()
        } else {
            series.mains.iter().map(|main| main.case).collect()
        };
        let what = format!("memory on {} threads", series.threads);
        let found = self.watch.over(&what, Signs::All, || memory::stream(bank, &cases));
        if series.mains.is_empty() {
            series.mains = found;
        } else {
            series.mains.iter_mut().zip(found).for_each(|(main, more)| main.add(more));
        }
    }

    /// Visits again what disagrees with itself, while there is time for it.
    fn settle(&mut self, series: &mut Series) {
        while let Some((kernel, spread_percent)) = series.spread() {
            let seen = Disturbance { spread_percent, ..Disturbance::default() };
            if seen.reasons(Signs::All).is_empty() || !self.watch.may_repeat(series.seconds) {
                let what = format!("memory on {} threads, {kernel}", series.threads);
                return self.watch.keep(&what, Signs::All, seen, 0.0);
            }
            self.visit(series);
        }
    }

    fn note_what_lacks(&mut self, series: &Series) {
        let what = format!("memory on {} threads", series.threads);
        if !series.size.is_beyond_caches {
            let why = format!("the arrays would lie in the caches: {}", series.size.why);
            self.report.cannot(&what, why);
        }
        if let Some(error) = &series.refused {
            self.report.cannot(&what, error);
        }
    }

    /// The staircases of `read` and, on one core, of `triad`.
    fn sweeps(&mut self, bank: &Bank, array_bytes: usize) -> Vec<Streamed> {
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
            let kernel = kernel.name(Stores::Regular);
            let what = format!("memory on {threads} threads, sweep of {kernel}");
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
