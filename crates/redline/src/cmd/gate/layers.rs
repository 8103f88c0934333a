//! Layer after layer over both sides.

use std::process::Command;
use std::time::{Duration, Instant};

use anyhow::{Context, Result};
use indicatif::ProgressBar;
use perf_gate::RunRecord;
use perf_gate::gate::wall::{Anchor, Case, Executor, Outcome, Plan, Side, Status, measure as time};
use perf_gate::gate::{
    self, Allowance, BenchSpec, Harness, Layer, Layers, Missing, Row, RowVerdict, Unit, WallPolicy,
};

use super::anchor::Loops;
use super::harness::{Bench, Counts, Harnesses, Instrument};
use super::process::Runner;
use super::sides::{Prepared, Sides};
use super::{Question, code};

/// Rows, and layers that could not be run.
#[derive(Default)]
pub(super) struct Found {
    pub(super) layers: Layers,
    pub(super) missing: Vec<Missing>,
}

struct Gate<'a> {
    question: &'a Question<'a>,
    sides: &'a Sides,
    harnesses: Harnesses<'a>,
    bar: &'a ProgressBar,
    found: Found,
}

/// A bench that both sides have, by different code.
struct Pair {
    base: Bench,
    head: Bench,
}

pub(super) fn measure(
    question: &Question<'_>,
    sides: &Sides,
    runner: &Runner,
    bar: &ProgressBar,
) -> Result<Found> {
    let harnesses = Harnesses { runner, scratch: sides.scratch.path() };
    let mut gate = Gate { question, sides, harnesses, bar, found: Found::default() };
    gate.counts(Layer::Instructions)?;
    gate.counts(Layer::Heap)?;
    gate.wall()?;
    gate.kpis(runner)?;
    Ok(gate.found)
}

impl Gate<'_> {
    /// Both sides of a bench, where there is something to measure; else the row that says why not.
    fn pair(&mut self, layer: Layer, spec: &BenchSpec) -> Result<Option<Pair>> {
        let name = format!("{}/{}", spec.package, spec.target);
        let Sides { base, head, .. } = self.sides;
        let mut bare = |verdict| {
            self.found.layers.of_mut(layer).push(Row::bare(&name, "", verdict));
            Ok(None)
        };
        match (base.bench(spec), head.bench(spec)) {
            (None, None) => bare(RowVerdict::NotAvailable),
            (None, Some(_)) => bare(RowVerdict::New),
            (Some(_), None) => bare(RowVerdict::Removed),
            (Some(old), Some(new)) => {
                let is_same = code::is_identical(
                    (&old.executable, base.tree()),
                    (&new.executable, head.tree()),
                )?;
                if is_same && !self.question.measure_unchanged {
                    return bare(RowVerdict::Unchanged);
                }
                Ok(Some(Pair { base: old, head: new }))
            }
        }
    }

    fn counts(&mut self, layer: Layer) -> Result<()> {
        let policy = self.question.policy;
        let (instrument, required) = match (layer, policy.instructions, policy.heap) {
            (Layer::Instructions, Some(counts), _) => (Instrument::Callgrind, counts.required),
            (Layer::Heap, _, Some(heap)) => (Instrument::Dhat, heap.required),
            _ => return Ok(()),
        };
        let specs: Vec<&BenchSpec> = policy.benches_of(layer).collect();
        let mut pairs = Vec::new();
        for spec in specs {
            if let Some(pair) = self.pair(layer, spec)? {
                pairs.push((spec, pair));
            }
        }
        if !pairs.is_empty() && !has_valgrind() {
            let why = "no valgrind on this machine".to_owned();
            self.found.missing.push(Missing { layer, why, required });
            return Ok(());
        }
        for (spec, pair) in pairs {
            self.bar.set_message(if layer == Layer::Heap {
                "gate: heap"
            } else {
                "gate: instructions"
            });
            let base = self.side(spec, &pair.base, instrument)?;
            let head = self.side(spec, &pair.head, instrument)?;
            self.judge_counts(layer, &base, &head);
        }
        Ok(())
    }

    fn side(&self, spec: &BenchSpec, bench: &Bench, instrument: Instrument) -> Result<Vec<Counts>> {
        let cases = match bench.harness {
            Harness::Gungraun => Vec::new(),
            _ => selected(spec, self.harnesses.cases(bench)?),
        };
        let mut counts = self.harnesses.count(bench, instrument, &cases)?;
        counts.retain(|count| spec.cases.iter().any(|pattern| gate::matches(pattern, &count.case)));
        Ok(counts)
    }

    fn judge_counts(&mut self, layer: Layer, base: &[Counts], head: &[Counts]) {
        let units: &[Unit] = match layer {
            Layer::Heap => &[Unit::Blocks, Unit::Bytes],
            _ => &[Unit::Instructions],
        };
        let of = |side: &[Counts], case: &str, at: usize| {
            side.iter().find(|counts| counts.case == case)?.values.get(at).copied()
        };
        let gone = base.iter().filter(|old| head.iter().all(|new| new.case != old.case));
        let cases: Vec<&str> = head.iter().chain(gone).map(|counts| counts.case.as_str()).collect();
        for case in cases {
            for (at, unit) in units.iter().enumerate() {
                let allowance = self.allowance(layer, case, *unit);
                let row = gate::judge_count(
                    case,
                    *unit,
                    of(base, case, at),
                    of(head, case, at),
                    allowance,
                );
                self.found.layers.of_mut(layer).push(row);
            }
        }
    }

    fn allowance(&self, layer: Layer, case: &str, unit: Unit) -> Allowance {
        let policy = self.question.policy;
        let own = policy.threshold(layer, case);
        let counts = policy.instructions.unwrap_or_default();
        let heap = policy.heap.unwrap_or_default();
        match unit {
            Unit::Instructions => {
                Allowance { percent: own.unwrap_or(counts.threshold_percent), floor: counts.floor }
            }
            Unit::Blocks => Allowance { percent: own.unwrap_or(0.0), floor: heap.blocks },
            Unit::Bytes => Allowance { percent: own.unwrap_or(0.0), floor: heap.bytes },
        }
    }

    fn wall(&mut self) -> Result<()> {
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

    fn kpis(&mut self, runner: &Runner) -> Result<()> {
        let Some(policy) = &self.question.policy.kpi else { return Ok(()) };
        self.bar.set_message("gate: KPIs");
        let record = |side: &Prepared, name: &str| -> Result<RunRecord> {
            let out = self.sides.scratch.path().join(format!("kpi-{name}.json"));
            let words: Vec<String> = policy
                .command
                .iter()
                .map(|word| word.replace("{out}", &out.to_string_lossy()))
                .collect();
            let (program, arguments) = words.split_first().context("kpi.command is empty")?;
            let mut command = Command::new(program);
            command.args(arguments).current_dir(side.tree());
            command.env("CARGO_TARGET_DIR", self.question.cache.join("target"));
            // Exit code 1 is a critical KPI, which the record says.
            let finished = runner.run(&mut command, self.sides.scratch.path())?;
            RunRecord::read(&out).with_context(|| format!("{name}: {}", finished.last_line()))
        };
        let base = record(&self.sides.base, "base").ok();
        match record(&self.sides.head, "head") {
            Ok(head) => {
                let rows = gate::judge_kpis(base.as_ref(), &head, policy.ceiling_loss_percent);
                self.found.layers.kpi.extend(rows);
            }
            Err(error) => self.found.missing.push(Missing {
                layer: Layer::Kpi,
                why: format!("{error:#}"),
                required: policy.required,
            }),
        }
        Ok(())
    }
}

fn selected(spec: &BenchSpec, cases: Vec<String>) -> Vec<String> {
    let is_asked = |case: &String| spec.cases.iter().any(|pattern| gate::matches(pattern, case));
    cases.into_iter().filter(is_asked).collect()
}

fn has_valgrind() -> bool {
    let version = Command::new("valgrind").arg("--version").output();
    version.is_ok_and(|output| output.status.success())
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

/// This thread, and so the processes it starts, on one core until dropped.
struct Pinned(#[cfg(target_os = "linux")] Option<rustix::thread::CpuSet>);

impl Pinned {
    #[cfg(target_os = "linux")]
    fn to(core: Option<usize>) -> Self {
        use rustix::thread::{CpuSet, sched_getaffinity, sched_setaffinity};
        let Ok(before) = sched_getaffinity(None) else { return Self(None) };
        let last = (0..CpuSet::MAX_CPU).rev().find(|cpu| before.is_set(*cpu));
        let Some(core) = core.or(last) else { return Self(None) };
        let mut one = CpuSet::new();
        one.set(core);
        Self(sched_setaffinity(None, &one).is_ok().then_some(before))
    }

    #[cfg(not(target_os = "linux"))]
    fn to(_: Option<usize>) -> Self {
        Self()
    }
}

#[cfg(target_os = "linux")]
impl Drop for Pinned {
    fn drop(&mut self) {
        if let Some(before) = &self.0 {
            let _ = rustix::thread::sched_setaffinity(None, before);
        }
    }
}
