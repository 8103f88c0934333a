//! All that is asked of the best trial, and what it comes to in plain words.

use backtest::statistics::Moments;

use super::{
    Bootstrap, CrossValidation, Gap, Pbo, Plateau, RealityCheck, cross_validate, deflated, pbo,
    plateau, reality_check, spans,
};

/// A finished search, as far as validation looks at it.
#[derive(Debug, Clone, Copy)]
pub struct Subject<'a> {
    /// Of each trial, a value per parameter.
    pub points: &'a [&'a [f64]],
    /// Of each trial, higher being better.
    pub scores: &'a [f64],
    /// Of each trial, its spans in time order ([`spans::pooled`]).
    pub spans: &'a [Box<[Moments]>],
    /// The best trial.
    pub best: usize,
    /// Skewness and raw kurtosis of the best trial's returns, where they are known.
    pub shape: Option<(f64, f64)>,
    /// Spans of buying and holding ([`super::buy_and_hold`]).
    pub hold: Option<&'a [Moments]>,
    /// Seed of the bootstrap.
    pub seed: u64,
}

/// What is known of the best trial; `None` where there is no answer.
#[derive(Debug, Clone, PartialEq)]
pub struct Verdict {
    /// The mean return of the best trial is above 0: where not, there is nothing to test.
    pub is_gain: bool,
    /// Deflated Sharpe ratio.
    pub dsr: Option<f64>,
    /// Probability that the true Sharpe ratio is above 0, had this been the only trial.
    pub psr: Option<f64>,
    /// Returns after which a ratio as good would be more than the luck of so many trials, at 95%.
    pub minimum_track_record: Option<f64>,
    /// Over-fitting by splits of time.
    pub pbo: Option<Pbo>,
    /// Against holding cash.
    pub against_cash: Option<RealityCheck>,
    /// Against buying and holding.
    pub against_hold: Option<RealityCheck>,
    /// The neighbours.
    pub plateau: Option<Plateau>,
    /// Combinatorial cross-validation: 8 parts of time, 2 tested, one span purged on either side.
    pub cross: Option<CrossValidation>,
}

impl Verdict {
    /// Asks everything. O(trials x (12,870 splits + 2 x 1,000 resamples x 64 spans)).
    #[must_use]
    pub fn new(subject: &Subject<'_>) -> Self {
        let Subject { points, scores, spans, best, shape, hold, seed } = *subject;
        let bootstrap = Bootstrap { seed, ..Bootstrap::default() };
        let finite = |value: f64| Some(value).filter(|value| value.is_finite());
        let own = spans::total(&spans[best]);
        let ratio = own.sharpe();
        let known = shape.filter(|_| ratio.is_finite());
        let luck = luck_of(spans);
        let psr = |above: f64| {
            let (skew, kurtosis) = known?;
            finite(deflated::probabilistic_sharpe_ratio(ratio, above, own.count, skew, kurtosis))
        };
        let minimum = || {
            let (skew, kurtosis) = known?;
            finite(deflated::minimum_track_record(ratio, luck?, 0.95, skew, kurtosis))
        };
        Self {
            is_gain: own.sum > 0.0,
            dsr: luck.and_then(psr),
            psr: psr(0.0),
            minimum_track_record: minimum(),
            pbo: pbo(spans),
            against_cash: reality_check(spans, None, bootstrap),
            against_hold: hold.and_then(|hold| reality_check(spans, Some(hold), bootstrap)),
            plateau: plateau(points, scores, best),
            cross: cross_validate(spans, 8, 2, Gap { purge: 1, embargo: 0 }).ok(),
        }
    }

    /// Reasons to take the best trial for luck, a sentence each; none where nothing speaks for it.
    #[must_use]
    pub fn warnings(&self) -> Vec<String> {
        if !self.is_gain {
            return vec!["even the best trial does not earn more than holding cash".to_owned()];
        }
        let mut warnings = Vec::new();
        if let Some(dsr) = self.dsr.filter(|&dsr| dsr < 0.95) {
            warnings.push(format!(
                "its Sharpe ratio is above the luck of so many trials with a probability of {:.0}% \
                 only; 95% is the usual bar",
                100.0 * dsr
            ));
        }
        if let Some(pbo) = self.pbo.as_ref().filter(|pbo| pbo.probability > 0.2) {
            warnings.push(format!(
                "the best in one half of time is in the lower half of all trials in the other in \
                 {:.0}% of cases; luck alone gives 50%",
                100.0 * pbo.probability
            ));
        }
        if let Some(check) = self.against_cash.filter(|check| check.spa > 0.05) {
            warnings.push(format!(
                "if no trial were better than holding cash, the best would look as good in {:.0}% \
                 of cases",
                100.0 * check.spa
            ));
        }
        if let Some(plateau) = self.plateau.filter(|plateau| plateau.score < 0.5) {
            warnings.push(format!(
                "it is a spike: the {} points next to it are nearer to the median trial than to it",
                plateau.neighbours
            ));
        }
        warnings
    }

    /// Whether the tests of luck (not the plateau alone) speak against the best trial.
    #[must_use]
    pub fn is_suspect(&self) -> bool {
        !self.is_gain
            || self.dsr.is_some_and(|dsr| dsr < 0.95)
            || self.pbo.as_ref().is_some_and(|pbo| pbo.probability > 0.2)
            || self.against_cash.is_some_and(|check| check.spa > 0.05)
    }

    /// Whether there is a test of luck that answered.
    #[must_use]
    pub fn is_tested(&self) -> bool {
        self.dsr.is_some() || self.pbo.is_some() || self.against_cash.is_some()
    }
}

/// The ratio per return that the best of as many skill-less trials would show; trials that never
/// traded have none.
fn luck_of(spans: &[Box<[Moments]>]) -> Option<f64> {
    let ratios: Vec<f64> = spans
        .iter()
        .map(|spans| spans::total(spans).sharpe())
        .filter(|ratio| ratio.is_finite())
        .collect();
    let n = ratios.len() as f64;
    let mean = ratios.iter().sum::<f64>() / n;
    let variance = ratios.iter().map(|ratio| (ratio - mean).powi(2)).sum::<f64>() / (n - 1.0);
    (ratios.len() > 1).then(|| deflated::expected_maximum(variance, ratios.len()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sampler::rng::Rng;
    use crate::validation::spans::tests::noise;

    fn verdict(skill: f64) -> Verdict {
        let mut rng = Rng::new(2);
        let axis: Vec<[f64; 1]> = (0..60).map(|at| [f64::from(at)]).collect();
        // A hill of skill around the thirtieth value.
        let hill = |at: f64| skill * (1.0 - (at - 30.0).abs() / 15.0).max(0.0);
        let spans: Vec<_> = axis.iter().map(|&[at]| noise(&mut rng, hill(at))).collect();
        let scores: Vec<f64> = spans.iter().map(|row| spans::total(row).sharpe()).collect();
        let best = (0..60).max_by(|&a, &b| scores[a].total_cmp(&scores[b])).unwrap();
        let points: Vec<&[f64]> = axis.iter().map(|point| &point[..]).collect();
        let shape = Some((0.0, 3.0));
        let (points, scores, spans) = (&points, &scores, &spans);
        Verdict::new(&Subject { points, scores, spans, best, shape, hold: None, seed: 1 })
    }

    #[test]
    fn noise_is_called_luck() {
        let luck = verdict(0.0);
        assert!(luck.is_tested() && luck.is_suspect());
        assert!(luck.warnings().len() >= 3, "{:?}", luck.warnings());
        assert!(luck.psr.unwrap() > 0.9, "alone it would have looked good");
    }

    #[test]
    fn skill_is_not() {
        let skill = verdict(0.4);
        assert!(!skill.is_suspect(), "{:?}", skill.warnings());
        assert_eq!(skill.warnings(), Vec::<String>::new());
        assert!(skill.minimum_track_record.unwrap() < 1_280.0);
    }
}
