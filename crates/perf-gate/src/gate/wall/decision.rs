//! What the cycles of one bench say so far.

use serde::Serialize;

use super::cycle::Cycle;
use crate::gate::signed_rank::SignedRank;

/// Two-sided, so that the lower bound alone errs one time in forty.
pub(super) const ALPHA: f64 = 0.05;

/// How a bench stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Decision {
    /// The whole interval lies above the threshold.
    Slower,
    /// The whole interval lies below the threshold.
    NotSlower,
    /// The threshold lies within the interval.
    Open,
}

/// The cycles of one bench, judged. Everything is a share: 0.03 is 3 percent.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Judged {
    /// How it stands.
    pub decision: Decision,
    /// Change of the time from base to head.
    pub change: f64,
    /// Its 95 percent interval.
    pub interval: [f64; 2],
    /// What the control, at 95 percent, can reach with equal sides.
    pub noise_floor: f64,
    /// What the interval's lower bound must be beyond: the larger of the bench's minimum effect and
    /// its noise floor.
    pub threshold: f64,
    /// One-sided p of "no slower than the threshold".
    pub p_value: f64,
}

impl Judged {
    /// Judges `cycles`; `None` with fewer than six, which give no 95 percent interval.
    #[must_use]
    pub fn of(cycles: &[Cycle], minimum_effect: f64) -> Option<Self> {
        let effects: Vec<f64> = cycles.iter().map(Cycle::effect).collect();
        let controls: Vec<f64> = cycles.iter().map(Cycle::control).collect();
        let effect = SignedRank::of(&effects)?;
        let [below, above] = SignedRank::of(&controls)?.interval(ALPHA);
        let floor = above.max(-below);
        let threshold = minimum_effect.ln_1p().max(floor);
        let [low, high] = effect.interval(ALPHA);
        let decision = match (low > threshold, high < threshold) {
            (true, _) => Decision::Slower,
            (_, true) => Decision::NotSlower,
            _ => Decision::Open,
        };
        Some(Self {
            decision,
            change: effect.centre().exp_m1(),
            interval: [low.exp_m1(), high.exp_m1()],
            noise_floor: floor.exp_m1(),
            threshold: threshold.exp_m1(),
            p_value: effect.p_at_most(threshold),
        })
    }

    pub(super) fn is_slower(self) -> bool {
        self.decision == Decision::Slower
    }

    /// Whether the interval is too wide, or the control too lively, to see `minimum_effect` at all.
    pub(super) fn is_blind_to(&self, minimum_effect: f64) -> bool {
        let [low, high] = self.interval;
        self.noise_floor > minimum_effect || (high - low) / 2.0 > minimum_effect
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::gate::wall::Order;

    /// Cycles whose head is `ratio` times the base, with `noise` of alternating sign on the first
    /// base process.
    fn cycles(ratio: f64, noise: f64, count: usize) -> Vec<Cycle> {
        (0..count)
            .map(|i| {
                let sign = [1.0, -1.0, 0.5, -0.5][i % 4];
                let first = 100.0 * (1.0 + sign * noise);
                Cycle::new(Order::Abba, [first, 100.0 * ratio, 100.0 * ratio, 100.0])
            })
            .collect()
    }

    fn decision(ratio: f64, noise: f64) -> Decision {
        Judged::of(&cycles(ratio, noise, 12), 0.03).unwrap().decision
    }

    #[test]
    fn the_whole_interval_decides() {
        assert_eq!(decision(1.0, 0.01), Decision::NotSlower);
        assert_eq!(decision(1.1, 0.01), Decision::Slower);
        assert_eq!(decision(1.03, 0.01), Decision::Open);
        assert_eq!(decision(0.9, 0.01), Decision::NotSlower);
    }

    #[test]
    fn a_lively_control_raises_the_threshold() {
        let calm = Judged::of(&cycles(1.06, 0.004, 12), 0.03).unwrap();
        assert_eq!(calm.decision, Decision::Slower);
        assert!((calm.threshold - 0.03).abs() < 1e-12 && !calm.is_blind_to(0.03), "{calm:?}");
        let lively = Judged::of(&cycles(1.06, 0.2, 12), 0.03).unwrap();
        assert!(lively.threshold > 0.03 && lively.is_blind_to(0.03), "{lively:?}");
        assert_eq!(lively.decision, Decision::Open);
    }
}
