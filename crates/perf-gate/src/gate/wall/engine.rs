//! The two rounds of measuring, over anything that runs processes.

use std::time::Duration;

use serde::Serialize;

use super::cycle::{Anchor, Cycle, Order, Side, spread};
use super::decision::{ALPHA, Decision, Judged};
use crate::gate::holm::holm;
use crate::random::Random;

/// Share of the budget after which the first round ends; the rest is the confirmation's,
/// which measures the few suspects only.
const FIRST_ROUND: f64 = 0.6;
/// Attempts per wanted cycle, where the machine moves in most of them.
const ATTEMPTS: usize = 3;

/// What runs the processes: the gate's seam, so that all of it is tested without any.
pub trait Executor {
    /// Why a process gave no time.
    type Error;

    /// Runs one whole process of `side` over the case of that index; nanoseconds per iteration.
    ///
    /// # Errors
    /// Ends the measuring.
    fn run(&mut self, side: Side, case: usize) -> Result<f64, Self::Error>;

    /// Times the fixed loops.
    fn anchor(&mut self) -> Anchor;

    /// Time since the measuring began.
    fn elapsed(&self) -> Duration;
}

/// How long and how often.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Plan {
    /// Cycles before anything is decided.
    pub cycles_min: usize,
    /// Cycles after which a round gives up.
    pub cycles_max: usize,
    /// Spread of the anchors beyond which a cycle is thrown away, as a share.
    pub anchor_tolerance: f64,
    /// For all cases and both rounds.
    pub budget: Duration,
    /// Of the coin that orders cycles.
    pub seed: u64,
}

/// A bench to measure.
#[derive(Debug, Clone, PartialEq)]
pub struct Case {
    /// Its name.
    pub metric: String,
    /// The smallest slowdown that matters, as a share.
    pub minimum_effect: f64,
}

/// What is known of a bench in the end.
#[derive(Debug, Clone, PartialEq)]
pub enum Status {
    /// Beyond its threshold in both rounds.
    Slower,
    /// Faster by more than the minimum effect.
    Faster,
    /// Neither, and measured well enough to say so.
    Same,
    /// Not known, and why.
    Unstable(String),
}

/// The cycles of a bench in one round.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
pub struct Tally {
    /// Those that count.
    pub cycles: Vec<Cycle>,
    /// How many were thrown away because the machine moved in them.
    pub discarded: usize,
}

/// A bench, measured.
#[derive(Debug, Clone, PartialEq)]
pub struct Outcome {
    /// What is known.
    pub status: Status,
    /// The round that the status rests on, judged: the confirmation where there was one.
    pub judged: Option<Judged>,
    /// The first round.
    pub first: Tally,
    /// The confirmation, where the first round asked for one.
    pub confirmation: Option<Tally>,
}

/// Measures every case: a first round over all, ending early where they are decided; then fresh
/// cycles for those that seem slower. Told of each cycle through `progress(done, at most)`.
///
/// # Errors
/// The executor's.
pub fn measure<E: Executor>(
    cases: &[Case],
    plan: &Plan,
    executor: &mut E,
    progress: &mut dyn FnMut(usize, usize),
) -> Result<Vec<Outcome>, E::Error> {
    let mut bench = Bench { cases, plan, executor, progress, random: Random::new(plan.seed) };
    let everything: Vec<usize> = (0..cases.len()).collect();
    let first = bench.round(&everything, plan.budget.mul_f64(FIRST_ROUND))?;
    let judged = judge(cases, &first);
    let suspects: Vec<usize> =
        (0..cases.len()).filter(|case| judged[*case].is_some_and(Judged::is_slower)).collect();
    let second = bench.round(&suspects, plan.budget)?;
    let twice = slower_twice(&judged, &judge(cases, &second));
    let mut outcomes = Vec::with_capacity(cases.len());
    for (index, ((case, first), judged)) in cases.iter().zip(first).zip(judged).enumerate() {
        let outcome = if suspects.contains(&index) {
            confirmed(case, plan, twice[index], first, second[index].clone())
        } else {
            Outcome {
                status: settled(case, plan, judged, &first),
                judged,
                first,
                confirmation: None,
            }
        };
        outcomes.push(outcome);
    }
    Ok(outcomes)
}

fn judge(cases: &[Case], tallies: &[Tally]) -> Vec<Option<Judged>> {
    let judge = |(case, tally): (&Case, &Tally)| Judged::of(&tally.cycles, case.minimum_effect);
    cases.iter().zip(tallies).map(judge).collect()
}

/// Which benches are slower in both rounds, after Holm's correction over all that were measured.
/// The rounds are independent: with equal sides, the larger of both p is at most `p` one time in
/// `1 / p^2`.
fn slower_twice(first: &[Option<Judged>], second: &[Option<Judged>]) -> Vec<bool> {
    let p = |judged: &Option<Judged>| judged.map_or(1.0, |judged| judged.p_value);
    let both: Vec<f64> = first.iter().zip(second).map(|(a, b)| p(a).max(p(b)).powi(2)).collect();
    let rejected = holm(&both, ALPHA / 2.0);
    let is_slower = |judged: &Option<Judged>| judged.is_some_and(Judged::is_slower);
    second.iter().zip(rejected).map(|(judged, rejected)| rejected && is_slower(judged)).collect()
}

/// What p each round must reach to be sure of a bench among `benches`, whatever Holm makes of it.
fn level(benches: usize) -> f64 {
    (ALPHA / 2.0 / benches as f64).sqrt().min(ALPHA / 2.0)
}

/// The status of a bench that the first round did not suspect.
fn settled(case: &Case, plan: &Plan, judged: Option<Judged>, tally: &Tally) -> Status {
    let Some(judged) = judged.filter(|_| tally.cycles.len() >= plan.cycles_min) else {
        return too_few(plan, tally);
    };
    if judged.is_blind_to(case.minimum_effect) {
        let [low, high] = judged.interval;
        return Status::Unstable(format!(
            "too noisy to see {:.1} %: equal sides differ by up to {:.1} %",
            case.minimum_effect * 100.0,
            judged.noise_floor.max((high - low) / 2.0) * 100.0,
        ));
    }
    if judged.interval[1] < 1.0 / (1.0 + judged.threshold) - 1.0 {
        Status::Faster
    } else if judged.decision != Decision::NotSlower && judged.change > judged.threshold {
        let cycles = tally.cycles.len();
        Status::Unstable(format!("seems slower, but {cycles} cycles do not prove it"))
    } else {
        Status::Same
    }
}

/// The status of a bench that seemed slower, from fresh cycles alone.
fn confirmed(case: &Case, plan: &Plan, is_slower: bool, first: Tally, second: Tally) -> Outcome {
    let judged = Judged::of(&second.cycles, case.minimum_effect);
    let status = match judged {
        Some(_) if second.cycles.len() < plan.cycles_min => too_few(plan, &second),
        None => too_few(plan, &second),
        Some(_) if is_slower => Status::Slower,
        Some(_) => Status::Unstable("slower in the first round, not in the second".to_owned()),
    };
    Outcome { status, judged, first, confirmation: Some(second) }
}

fn too_few(plan: &Plan, tally: &Tally) -> Status {
    Status::Unstable(format!(
        "{} cycles in the time budget, {} are needed; {} thrown away because the machine moved",
        tally.cycles.len(),
        plan.cycles_min,
        tally.discarded
    ))
}

struct Bench<'a, E> {
    cases: &'a [Case],
    plan: &'a Plan,
    executor: &'a mut E,
    progress: &'a mut dyn FnMut(usize, usize),
    random: Random,
}

impl<E: Executor> Bench<'_, E> {
    /// Cycles of `open` in turn, so that each is spread over the whole time, until all are decided
    /// or `deadline` has passed. A tally per case, empty for those not asked for.
    fn round(&mut self, open: &[usize], deadline: Duration) -> Result<Vec<Tally>, E::Error> {
        let mut tallies = vec![Tally::default(); self.cases.len()];
        let mut open = open.to_vec();
        let (mut done, most) = (0, open.len() * self.plan.cycles_max);
        while !open.is_empty() {
            self.random.shuffle(&mut open);
            for case in &open {
                if self.executor.elapsed() >= deadline {
                    return Ok(tallies);
                }
                self.cycle(*case, &mut tallies[*case])?;
                done += 1;
                (self.progress)(done, most);
            }
            let judged = judge(self.cases, &tallies);
            open.retain(|case| self.goes_on(*case, &tallies[*case], judged[*case]));
        }
        Ok(tallies)
    }

    fn goes_on(&self, case: usize, tally: &Tally, judged: Option<Judged>) -> bool {
        let (count, plan) = (tally.cycles.len(), self.plan);
        let is_spent =
            count >= plan.cycles_max || count + tally.discarded >= ATTEMPTS * plan.cycles_max;
        let minimum = self.cases[case].minimum_effect;
        let is_clear = judged.is_some_and(|judged| match judged.decision {
            Decision::Slower => judged.p_value <= level(self.cases.len()),
            // Not by luck: with an interval that could have shown the effect.
            Decision::NotSlower => !judged.is_blind_to(minimum),
            Decision::Open => false,
        });
        !is_spent && (count < plan.cycles_min || !is_clear)
    }

    fn cycle(&mut self, case: usize, tally: &mut Tally) -> Result<(), E::Error> {
        let order = if self.random.below(2) == 0 { Order::Abba } else { Order::Baab };
        let mut anchors = vec![self.executor.anchor()];
        let mut times = [0.0; 4];
        for (time, side) in times.iter_mut().zip(order.sides()) {
            *time = self.executor.run(side, case)?;
            anchors.push(self.executor.anchor());
        }
        let is_sound = times.iter().all(|time| time.is_finite() && *time > 0.0);
        if is_sound && spread(&anchors) <= self.plan.anchor_tolerance {
            tally.cycles.push(Cycle::new(order, times));
        } else {
            tally.discarded += 1;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests;
