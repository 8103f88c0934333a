//! Watching over a measurement: what others did to the machine while it ran.

use std::time::{Duration, Instant};

use crate::kernels::scalar;
use crate::{sys, team};

/// What happened beside a measurement.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub(crate) struct Disturbance {
    /// Time that the hypervisor gave to other guests, percent of all processors' time.
    pub(crate) steal_percent: Option<f64>,
    /// Processor time of other programs, percent of one processor.
    pub(crate) others_percent: Option<f64>,
    /// Change of the core's speed from before to after, percent.
    pub(crate) drift_percent: f64,
    /// How far the measurement's own repeats disagree, percent.
    pub(crate) spread_percent: f64,
}

/// Above these a measurement counts as disturbed.
const STEAL_PERCENT: f64 = 1.0;
const OTHERS_PERCENT: f64 = 6.0;
const DRIFT_PERCENT: f64 = 5.0;
const SPREAD_PERCENT: f64 = 10.0;

/// Less than this of others' time is within what ticks of 10 ms can tell.
const OTHERS_SECONDS: f64 = 0.04;

/// Which signs count: file transfers keep the kernel's own threads busy for us.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Signs {
    All,
    WithoutOthers,
}

impl Disturbance {
    /// What speaks against the measurement; empty when nothing does.
    pub(crate) fn reasons(&self, signs: Signs) -> Vec<String> {
        let mut reasons = Vec::new();
        if let Some(steal) = self.steal_percent.filter(|&steal| steal > STEAL_PERCENT) {
            reasons.push(format!("{steal:.1} % stolen by the hypervisor"));
        }
        let others = self.others_percent.filter(|&others| others > OTHERS_PERCENT);
        if let (Some(others), Signs::All) = (others, signs) {
            reasons.push(format!("other programs took {others:.0} % of a processor"));
        }
        if self.drift_percent.abs() > DRIFT_PERCENT {
            reasons.push(format!("the core's speed moved by {:+.1} %", self.drift_percent));
        }
        if self.spread_percent > SPREAD_PERCENT {
            reasons.push(format!("its repeats spread over {:.1} %", self.spread_percent));
        }
        reasons
    }

    /// One figure to compare two attempts by; smaller is calmer.
    fn weight(&self, signs: Signs) -> f64 {
        let others = self.others_percent.filter(|_| signs == Signs::All);
        self.steal_percent.unwrap_or(0.0) / STEAL_PERCENT
            + others.unwrap_or(0.0) / OTHERS_PERCENT
            + self.drift_percent.abs() / DRIFT_PERCENT
            + self.spread_percent / SPREAD_PERCENT
    }
}

/// State of the machine at the beginning of a measurement.
struct Before {
    times: Option<sys::CpuTimes>,
    own: Option<f64>,
    clock: Instant,
    loop_seconds: f64,
}

impl Before {
    fn now() -> Self {
        // The loop first: its own time belongs to neither side.
        let loop_seconds = fixed_loop_seconds();
        Self {
            times: sys::cpu_times(),
            own: sys::own_cpu_seconds(),
            clock: Instant::now(),
            loop_seconds,
        }
    }

    fn until_now(&self) -> Disturbance {
        let wall = self.clock.elapsed().as_secs_f64();
        let (times, own) = (sys::cpu_times(), sys::own_cpu_seconds());
        let processors = sys::allowed_cpus().len().max(1) as f64;
        let steal = self.times.zip(times).map(|(from, to)| (to.steal - from.steal).max(0.0));
        let others = self.times.zip(times).zip(self.own.zip(own)).map(|((from, to), own)| {
            ((to.busy - from.busy) - (own.1 - own.0) - OTHERS_SECONDS).max(0.0)
        });
        Disturbance {
            steal_percent: steal.map(|seconds| 100.0 * seconds / (wall * processors)),
            others_percent: others.map(|seconds| 100.0 * seconds / wall),
            drift_percent: 100.0 * (self.loop_seconds / fixed_loop_seconds() - 1.0),
            spread_percent: 0.0,
        }
    }
}

/// The fastest of a few runs of a loop that takes a fixed number of cycles, on the core that measures alone: its
/// time moves with that core's frequency and nothing else.
fn fixed_loop_seconds() -> f64 {
    const LINKS: usize = 100_000;
    let run = || {
        let begin = Instant::now();
        std::hint::black_box(scalar::integer_chain(LINKS, 3));
        begin.elapsed().as_secs_f64()
    };
    let fastest = team::run(1, |_| (0..8).map(|_| run()).fold(f64::MAX, f64::min));
    fastest.into_iter().fold(f64::MAX, f64::min)
}

/// Watches measurements, repeats the disturbed ones while there is time for it, and remembers
/// what could not be had in peace.
pub(crate) struct Watch {
    spare: Duration,
    seen: Vec<(Disturbance, f64)>,
    /// What stayed disturbed and why.
    pub(crate) disturbed: Vec<String>,
    /// How many measurements were made again.
    pub(crate) repeated: usize,
}

impl Watch {
    /// May spend `spare` on repeats in all.
    pub(crate) fn new(spare: Duration) -> Self {
        Self { spare, seen: Vec::new(), disturbed: Vec::new(), repeated: 0 }
    }

    /// Runs `measure`, again if it was disturbed and time is left; keeps the calmest attempt.
    pub(crate) fn over<R>(&mut self, what: &str, signs: Signs, measure: impl FnMut() -> R) -> R {
        self.over_repeats(what, signs, measure, |_| 0.0)
    }

    /// As [`over`](Self::over), where the result tells how far its own repeats disagree.
    pub(crate) fn over_repeats<R>(
        &mut self,
        what: &str,
        signs: Signs,
        mut measure: impl FnMut() -> R,
        spread: impl Fn(&R) -> f64,
    ) -> R {
        let mut attempt = || {
            let before = Before::now();
            let result = measure();
            let mut disturbance = before.until_now();
            disturbance.spread_percent = spread(&result);
            (result, disturbance, before.clock.elapsed().as_secs_f64())
        };
        let (mut kept, mut calm, mut seconds) = attempt();
        while !calm.reasons(signs).is_empty() && self.may_repeat(seconds) {
            let (again, disturbance, took) = attempt();
            seconds = took;
            if disturbance.weight(signs) < calm.weight(signs) {
                (kept, calm) = (again, disturbance);
            }
        }
        self.keep(what, signs, calm, seconds);
        kept
    }

    /// Takes the time of a repeat, where it is left.
    pub(crate) fn may_repeat(&mut self, seconds: f64) -> bool {
        // No measurement may spend more than half of the time: others may need it too.
        let may = self.spare.as_secs_f64() >= 2.0 * seconds;
        if may {
            self.spare = self.spare.saturating_sub(Duration::from_secs_f64(seconds));
            self.repeated += 1;
        }
        may
    }

    /// Remembers what happened beside a measurement of so many seconds that is kept.
    pub(crate) fn keep(&mut self, what: &str, signs: Signs, seen: Disturbance, seconds: f64) {
        let reasons = seen.reasons(signs);
        if !reasons.is_empty() {
            self.disturbed.push(format!("{what}: {}", reasons.join(", ")));
        }
        self.seen.push((seen, seconds));
    }

    /// The mean of a figure over all that was kept, weighted by time; `None` where the system
    /// does not tell.
    pub(crate) fn mean(&self, figure: impl Fn(&Disturbance) -> Option<f64>) -> Option<f64> {
        let known = self.seen.iter().filter_map(|(seen, took)| Some((figure(seen)?, took)));
        let (sum, time) =
            known.fold((0.0, 0.0), |(sum, time), (value, took)| (sum + value * took, time + took));
        (time > 0.0).then(|| sum / time)
    }

    /// The widest spread of a measurement's own repeats.
    pub(crate) fn spread_percent(&self) -> f64 {
        self.seen.iter().map(|(seen, _)| seen.spread_percent).fold(0.0, f64::max)
    }

    /// The largest drift either way.
    pub(crate) fn drift_percent(&self) -> f64 {
        self.seen.iter().map(|(seen, _)| seen.drift_percent.abs()).fold(0.0, f64::max)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reasons_name_what_passed_its_threshold() {
        let calm = Disturbance {
            steal_percent: Some(0.5),
            others_percent: Some(2.0),
            drift_percent: -1.0,
            spread_percent: 4.0,
        };
        assert!(calm.reasons(Signs::All).is_empty());
        let loud = Disturbance { others_percent: Some(80.0), ..calm };
        assert_eq!(loud.reasons(Signs::All).len(), 1);
        assert!(loud.reasons(Signs::WithoutOthers).is_empty());
        assert!(loud.weight(Signs::All) > 10.0 * calm.weight(Signs::All));
        assert_eq!(loud.weight(Signs::WithoutOthers), calm.weight(Signs::WithoutOthers));
        let moved = Disturbance { drift_percent: -9.0, steal_percent: Some(3.0), ..calm };
        assert_eq!(moved.reasons(Signs::WithoutOthers).len(), 2);
    }

    #[test]
    fn a_watched_measurement_keeps_its_result() {
        let mut watch = Watch::new(Duration::ZERO);
        assert_eq!(watch.over("nothing", Signs::All, || 7), 7);
        assert_eq!(watch.repeated, 0);
        assert!(watch.drift_percent() >= 0.0);
    }
}
