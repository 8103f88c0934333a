//! The probe: every section in turn, watched, into one report.

mod compute;
mod latency;
mod memory;
mod progress;
mod storage;

use std::time::Instant;

use progress::Steps;

use crate::machine::machine;
use crate::measure::Timer;
use crate::plan::Plan;
use crate::report::{Noise, ProbeReport};
use crate::watch::Watch;
use crate::{ProbeOptions, Progress, Section, team};

/// Measures what `options` ask for, tells `progress`, and reports.
///
/// What cannot be measured on this machine is named in the report with its reason, and the rest
/// runs: a probe of any machine that can run this program succeeds.
pub fn probe(options: &ProbeOptions, progress: &mut dyn Progress) -> ProbeReport {
    let begin = Instant::now();
    let machine = machine();
    let plan = Plan::new(options, &machine);
    let mut run = Run {
        watch: Watch::new(plan.spare),
        report: ProbeReport::empty(machine),
        steps: Steps::new(options, progress),
        is_pinned: team::can_pin(),
        plan,
    };
    run.note_threads(options);
    let wanted = |&section: &Section| section == Section::Machine || options.wants(section);
    Section::ALL.into_iter().filter(wanted).for_each(|section| run.section(section));
    run.finish(begin);
    run.report
}

struct Run<'a> {
    plan: Plan,
    report: ProbeReport,
    watch: Watch,
    steps: Steps<'a>,
    /// Whether threads are bound to processors.
    is_pinned: bool,
}

impl Run<'_> {
    fn note_threads(&mut self, options: &ProbeOptions) {
        let (taken, all) = (self.plan.threads, self.report.machine.threads);
        if let Some(asked) = options.threads.filter(|asked| !(1..=all).contains(asked)) {
            let why = format!("this process may run 1 to {all}: took {taken}");
            self.report.cannot(&format!("{asked} threads"), why);
        }
        if taken < options.threads.unwrap_or(all).min(all) {
            let why = format!("the system starts no more than {taken}");
            self.report.cannot("a thread for each processor", why);
        }
        if !self.is_pinned {
            self.report.cannot("pinned threads", "this system binds no thread to a core");
        }
    }

    /// How threads run, in the words of a rule.
    fn pinned(&self) -> &'static str {
        if self.is_pinned { "pinned" } else { "not pinned" }
    }

    fn section(&mut self, section: Section) {
        self.steps.progress.section(section);
        if section != Section::Machine && team::startable(1) == 0 {
            return self
                .report
                .cannot(section.name(), "the system lets this process start no thread");
        }
        match section {
            // Described already: the plan was made for it.
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
