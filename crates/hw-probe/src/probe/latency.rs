//! Latency of memory, alone and loaded, and between cores.

use super::Run;
use crate::report::{CoreToCoreRow, LatencyRow, LoadedLatencyRow};
use crate::sys::{self, Pages};
use crate::watch::Signs;
use crate::{Section, latency, memory};

impl Run<'_> {
    pub(super) fn latency(&mut self) {
        let arrays = self.plan.arrays(&self.report.machine, 1);
        let sets = memory::working_sets(arrays.bytes, self.plan.points_per_octave);
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
        let text = format!(
            "median of {} samples of {} dependent loads or more in random order, one core, {}",
            self.plan.chase.samples,
            self.plan.chase.loads,
            self.pinned()
        );
        self.report.rule(Section::Latency, text);
    }

    fn loaded_latency(&mut self) {
        if self.plan.threads < 2 {
            self.report.cannot("loaded latency", "needs two cores");
            return;
        }
        let effort = self.plan.chase;
        let mut counts = vec![1, self.plan.threads - 1];
        counts.dedup();
        for streaming in counts {
            let set = self.plan.loaded_set(&self.report.machine, streaming + 1);
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
        let froms = if cpus.len() > WHOLE_MATRIX_UP_TO { 1 } else { cpus.len() };
        let rows = self.watch.over("core to core", Signs::All, || {
            let mut rows = Vec::new();
            for (at, &from) in cpus[..froms].iter().enumerate() {
                rows.extend(cpus[at + 1..].iter().filter_map(|&to| {
                    let ns = latency::core_to_core(from, to, 1_000, 9)?;
                    Some(CoreToCoreRow { from, to, ns })
                }));
            }
            rows
        });
        self.report.core_to_core = rows;
    }
}
