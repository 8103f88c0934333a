//! The whole of measuring over a machine made of numbers.

use super::*;

/// A machine whose processes take what is said of them, with seeded noise.
struct Fake {
    random: Random,
    clock: Duration,
    /// Nanoseconds of the base, and head over base, per case.
    cases: Vec<(f64, f64)>,
    /// Spread of the noise, as a share.
    noise: f64,
    /// Slows the whole machine from process to process, as a share.
    drift: f64,
    /// Every how many anchors the machine is found moved; 0 is never.
    moved_every: usize,
    anchors: usize,
    runs: usize,
    /// The head's slowness goes away after so many processes.
    heals_after: usize,
}

impl Fake {
    fn new(cases: &[(f64, f64)], noise: f64, seed: u64) -> Self {
        Self {
            random: Random::new(seed),
            clock: Duration::ZERO,
            cases: cases.to_vec(),
            noise,
            drift: 0.0,
            moved_every: 0,
            anchors: 0,
            runs: 0,
            heals_after: usize::MAX,
        }
    }

    /// Nearly normal, of deviation 1.
    fn normal(&mut self) -> f64 {
        (0..12).map(|_| self.random.next() as f64 / u64::MAX as f64).sum::<f64>() - 6.0
    }
}

impl Executor for Fake {
    type Error = String;

    fn run(&mut self, side: Side, case: usize) -> Result<f64, String> {
        let (base, ratio) = *self.cases.get(case).ok_or("no such case")?;
        self.clock += Duration::from_millis(200);
        self.runs += 1;
        let ratio = if side == Side::Head && self.runs <= self.heals_after { ratio } else { 1.0 };
        let drift = (1.0 + self.drift).powi(self.runs as i32);
        Ok(base * ratio * drift * (1.0 + self.noise * self.normal()))
    }

    fn anchor(&mut self) -> Anchor {
        self.anchors += 1;
        let is_moved = self.moved_every > 0 && self.anchors.is_multiple_of(self.moved_every);
        Anchor { compute_ns: 1e6, memory_ns: if is_moved { 1.4e6 } else { 1e6 } }
    }

    fn elapsed(&self) -> Duration {
        self.clock
    }
}

const PLAN: Plan = Plan {
    cycles_min: 8,
    cycles_max: 120,
    anchor_tolerance: 0.05,
    budget: Duration::from_secs(300),
    seed: 11,
};

fn run(fake: &mut Fake) -> Vec<Outcome> {
    let case = |i| Case { metric: format!("case{i}"), minimum_effect: 0.03 };
    let cases: Vec<Case> = (0..fake.cases.len()).map(case).collect();
    measure(&cases, &PLAN, fake, &mut |_, _| {}).unwrap()
}

fn count(ratio: f64, noise: f64, is: fn(&Status) -> bool) -> usize {
    (0..20).filter(|seed| is(&run(&mut Fake::new(&[(1e6, ratio)], noise, *seed))[0].status)).count()
}

const SLOWER: fn(&Status) -> bool = |status| *status == Status::Slower;

#[test]
fn equal_sides_are_never_called_slower() {
    assert_eq!(count(1.0, 0.01, |status| *status == Status::Same), 20);
    assert_eq!(count(1.0, 0.05, SLOWER), 0);
    assert_eq!(count(1.0, 0.3, SLOWER), 0);
}

#[test]
fn ten_and_five_percent_are_seen_through_noise() {
    assert_eq!(count(1.1, 0.02, SLOWER), 20);
    assert!(count(1.05, 0.01, SLOWER) >= 19);
    // Equal processes that differ by 4 %: forty cycles found 12.
    assert!(count(1.05, 0.04, SLOWER) >= 18);
}

#[test]
fn two_percent_is_below_what_matters() {
    assert_eq!(count(1.02, 0.005, |status| *status == Status::Same), 20);
}

#[test]
fn a_faster_head_is_said_to_be() {
    assert_eq!(count(0.9, 0.01, |status| *status == Status::Faster), 20);
}

#[test]
fn noise_that_hides_everything_is_unstable_and_never_same() {
    assert_eq!(count(1.0, 0.3, |status| matches!(status, Status::Unstable(_))), 20);
}

#[test]
fn a_drifting_machine_changes_nothing() {
    let mut fake = Fake::new(&[(1e6, 1.0)], 0.005, 3);
    fake.drift = 0.01;
    assert_eq!(run(&mut fake)[0].status, Status::Same);
}

#[test]
fn one_of_thirty_is_found_and_the_others_left_alone() {
    let mut cases = vec![(1e6, 1.0); 30];
    cases[17].1 = 1.1;
    let outcomes = run(&mut Fake::new(&cases, 0.01, 5));
    for (index, outcome) in outcomes.iter().enumerate() {
        assert_eq!(outcome.status == Status::Slower, index == 17, "{index}: {outcome:?}");
    }
    assert!(outcomes[17].confirmation.is_some() && outcomes[0].confirmation.is_none());
}

#[test]
fn what_the_second_round_does_not_see_is_no_regression() {
    let mut fake = Fake::new(&[(1e6, 1.1)], 0.005, 9);
    fake.heals_after = 4 * PLAN.cycles_min;
    let outcome = run(&mut fake).remove(0);
    let Status::Unstable(why) = outcome.status else { panic!("{outcome:?}") };
    assert!(why.contains("not in the second"), "{why}");
}

#[test]
fn decided_benches_end_early() {
    let mut fake = Fake::new(&[(1e6, 1.0)], 0.002, 1);
    run(&mut fake);
    assert_eq!(fake.runs, 4 * PLAN.cycles_min);
}

#[test]
fn moved_cycles_are_thrown_away_and_counted() {
    let mut fake = Fake::new(&[(1e6, 1.0)], 0.002, 1);
    // Five anchors a cycle: one of every three cycles has a moved one.
    fake.moved_every = 15;
    let outcome = run(&mut fake).remove(0);
    assert_eq!(outcome.status, Status::Same);
    assert!(outcome.first.discarded >= 3, "{}", outcome.first.discarded);
    fake = Fake::new(&[(1e6, 1.1)], 0.002, 1);
    fake.moved_every = 2;
    let outcome = run(&mut fake).remove(0);
    let Status::Unstable(why) = outcome.status else { panic!("{:?}", outcome.status) };
    assert!(why.contains("225 thrown away"), "{why}");
}

#[test]
fn the_budget_holds_and_is_never_a_pass() {
    // 40 benches of 0.8 s a cycle: 180 s are six cycles each at most, less than the eight needed.
    let mut fake = Fake::new(&[(1e6, 1.0); 40], 0.05, 2);
    let outcomes = run(&mut fake);
    assert!(fake.clock < Duration::from_secs(182), "{:?}", fake.clock);
    assert!(outcomes.iter().all(|outcome| matches!(outcome.status, Status::Unstable(_))));
}

#[test]
fn a_process_that_fails_ends_the_measuring() {
    let case = Case { metric: "none".to_owned(), minimum_effect: 0.03 };
    let error = measure(&[case], &PLAN, &mut Fake::new(&[], 0.0, 1), &mut |_, _| {});
    assert_eq!(error.unwrap_err(), "no such case");
}
