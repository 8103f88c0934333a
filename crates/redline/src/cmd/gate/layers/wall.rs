//! Wall clock: the engine's cycles, run as real processes.

use std::time::{Duration, Instant};

use anyhow::Result;
use perf_gate::gate::wall::{Anchor, Case, Executor, Outcome, Plan, Side, Status, measure as time};
use perf_gate::gate::{self, BenchSpec, Layer, Row, RowVerdict, WallPolicy};

use super::super::anchor::Loops;
use super::super::harness::{Bench, Harnesses};
use super::super::pinned::Pinned;
use super::{Gate, selected};

impl Gate<'_> {
    pub(super) fn wall(&mut self) -> Result<()> {
        let Some(policy) = self.question.policy.wall else { return Ok(()) };
        let specs: Vec<&BenchSpec> = self.question.policy.benches_of(Layer::Wall).collect();
        let (mut cases, mut benches) = (Vec::new(), Vec::new());
        for spec in specs {
            let Some(pair) = self.pair(Layer::Wall, spec)? else { continue };
            let old = selected(spec, self.harnesses.cases(&pair.base)?);
            for metric in selected(spec, self.harnesses.cases(&pair.head)?) {
                if !old.contains(&metric) {
                    let row = Row::bare(&metric, "ns", RowVerdict::New);
                    self.found.layers.wall.push(row);
                    continue;
                }
                let own = self.question.policy.threshold(Layer::Wall, &metric);
                let minimum_effect = own.unwrap_or(policy.minimum_effect_percent) / 100.0;
                cases.push(Case { metric, minimum_effect });
                benches.push([pair.base.clone(), pair.head.clone()]);
            }
        }
        if cases.is_empty() {
            return Ok(());
        }
        let outcomes = self.time(&policy, &cases, &benches)?;
        let rows = cases.iter().zip(outcomes).map(|(case, outcome)| wall_row(case, outcome));
        self.found.layers.wall.extend(rows);
        Ok(())
    }

    fn time(
        &self,
        policy: &WallPolicy,
        cases: &[Case],
        benches: &[[Bench; 2]],
    ) -> Result<Vec<Outcome>> {
        let [cycles_min, cycles_max] = policy.cycles;
        let plan = Plan {
            cycles_min,
            cycles_max,
            anchor_tolerance: policy.anchor_tolerance_percent / 100.0,
            budget: Duration::from_secs_f64(policy.budget_s),
            seed: gate::key(self.question.head.as_bytes()),
        };
        let _pinned = Pinned::to(policy.core);
        let mut executor = Processes {
            harnesses: &self.harnesses,
            cases,
            benches,
            loops: Loops::new(),
            started: Instant::now(),
        };
        self.bar.set_message("gate: wall clock");
        let mut progress = |done: usize, most: usize| {
            self.bar.set_length(most as u64);
            self.bar.set_position(done as u64);
        };
        time(cases, &plan, &mut executor, &mut progress)
    }
}

fn wall_row(case: &Case, outcome: Outcome) -> Row {
    let (verdict, note) = match outcome.status {
        Status::Slower => (RowVerdict::Regressed, None),
        Status::Faster => (RowVerdict::Improved, None),
        Status::Same => (RowVerdict::Same, None),
        Status::Unstable(why) => (RowVerdict::Unstable, Some(why)),
    };
    let tally = outcome.confirmation.as_ref().unwrap_or(&outcome.first);
    let both = |of: fn(&perf_gate::gate::wall::Cycle) -> [f64; 2]| {
        let times: Vec<f64> = tally.cycles.iter().flat_map(of).collect();
        perf_gate::median(&times)
    };
    let percent = |share: f64| share * 100.0;
    Row {
        base: both(|cycle| cycle.base_ns),
        head: both(|cycle| cycle.head_ns),
        change_percent: outcome.judged.map(|judged| percent(judged.change)),
        interval_percent: outcome.judged.map(|judged| judged.interval.map(percent)),
        threshold_percent: outcome.judged.map(|judged| percent(judged.threshold)),
        note,
        noise_floor_percent: outcome.judged.map(|judged| percent(judged.noise_floor)),
        first_round: Some(outcome.first),
        confirmation: outcome.confirmation,
        ..Row::bare(&case.metric, "ns", verdict)
    }
}

/// Real processes, pinned as this one is.
struct Processes<'a> {
    harnesses: &'a Harnesses<'a>,
    cases: &'a [Case],
    benches: &'a [[Bench; 2]],
    loops: Loops,
    started: Instant,
}

impl Executor for Processes<'_> {
    type Error = anyhow::Error;

    fn run(&mut self, side: Side, case: usize) -> Result<f64> {
        let [base, head] = &self.benches[case];
        let bench = if side == Side::Base { base } else { head };
        self.harnesses.time(bench, &self.cases[case].metric)
    }

    fn anchor(&mut self) -> Anchor {
        self.loops.time()
    }

    fn elapsed(&self) -> Duration {
        self.started.elapsed()
    }
}
