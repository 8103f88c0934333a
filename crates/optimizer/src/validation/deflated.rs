//! How likely a Sharpe ratio, and the best of many, is luck.
//!
//! Ratios are per observation, not annualised; kurtosis is the raw fourth standardised moment, 3
//! for a normal.

use statrs::distribution::{ContinuousCDF, Normal};

/// Euler-Mascheroni constant.
const EULER: f64 = 0.577_215_664_901_532_9;

/// The deflated Sharpe ratio: the probability that the true Sharpe ratio of the best trial is above
/// what the best of as many skill-less trials would show.
///
/// Bailey and Lopez de Prado, "The Deflated Sharpe Ratio" (2014), equations 1 and 2. `sharpe` is
/// per observation, not annualised; `sharpe_variance` is that of all trials' ratios; `kurtosis` is
/// the raw fourth standardised moment, 3 for a normal. NaN where there are fewer than 2 trials or
/// the moments permit no answer.
#[must_use]
pub fn deflated_sharpe_ratio(
    sharpe: f64,
    sharpe_variance: f64,
    trials: usize,
    observations: usize,
    skew: f64,
    kurtosis: f64,
) -> f64 {
    if trials < 2 || observations < 2 {
        return f64::NAN;
    }
    let luck = expected_maximum(sharpe_variance, trials);
    probabilistic_sharpe_ratio(sharpe, luck, observations, skew, kurtosis)
}

/// The Sharpe ratio that the best of as many skill-less trials is expected to show, where their
/// ratios have the variance `sharpe_variance`. Bailey and Lopez de Prado (2014), equation 1.
#[must_use]
pub fn expected_maximum(sharpe_variance: f64, trials: usize) -> f64 {
    let normal = Normal::standard();
    let n = trials as f64;
    sharpe_variance.sqrt()
        * ((1.0 - EULER) * normal.inverse_cdf(1.0 - 1.0 / n)
            + EULER * normal.inverse_cdf(1.0 - 1.0 / (n * std::f64::consts::E)))
}

/// The probability that the true Sharpe ratio is above `benchmark`.
///
/// Bailey and Lopez de Prado, "The Sharpe Ratio Efficient Frontier" (2012), equation 11. NaN where
/// there are fewer than 2 observations or the moments permit no answer.
#[must_use]
pub fn probabilistic_sharpe_ratio(
    sharpe: f64,
    benchmark: f64,
    observations: usize,
    skew: f64,
    kurtosis: f64,
) -> f64 {
    if observations < 2 {
        return f64::NAN;
    }
    let spread = variance_factor(sharpe, skew, kurtosis).sqrt();
    let z = (sharpe - benchmark) * ((observations - 1) as f64).sqrt() / spread;
    if z.is_nan() { f64::NAN } else { Normal::standard().cdf(z) }
}

/// Observations after which a true Sharpe ratio above `benchmark` is as probable as `confidence`.
///
/// Bailey and Lopez de Prado (2012), equation 13. Infinite where `sharpe` is not above
/// `benchmark`; NaN where the moments permit no answer.
#[must_use]
pub fn minimum_track_record(
    sharpe: f64,
    benchmark: f64,
    confidence: f64,
    skew: f64,
    kurtosis: f64,
) -> f64 {
    if sharpe <= benchmark {
        return f64::INFINITY;
    }
    let z = Normal::standard().inverse_cdf(confidence);
    1.0 + variance_factor(sharpe, skew, kurtosis) * (z / (sharpe - benchmark)).powi(2)
}

/// The variance of an estimated ratio, times the observations less 1.
fn variance_factor(sharpe: f64, skew: f64, kurtosis: f64) -> f64 {
    1.0 - skew * sharpe + (kurtosis - 1.0) / 4.0 * sharpe * sharpe
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The worked example of the paper's "A numerical example": 100 trials, 1,250 daily
    /// observations, an annualised ratio of 2.5, a variance of annualised ratios of 1/2, skewness
    /// -3 and kurtosis 10 give 0.9004.
    #[test]
    fn the_papers_example() {
        let dsr =
            deflated_sharpe_ratio(2.5 / 250.0_f64.sqrt(), 0.5 / 250.0, 100, 1_250, -3.0, 10.0);
        assert!((dsr - 0.9004).abs() < 5e-5, "{dsr}");
    }

    #[test]
    fn one_trial_has_no_answer() {
        assert!(deflated_sharpe_ratio(0.1, 0.0, 1, 100, 0.0, 3.0).is_nan());
    }

    /// The papers' two measures are each other's inverse.
    #[test]
    fn after_the_minimum_track_record_it_is_as_probable_as_asked() {
        let n = minimum_track_record(0.12, 0.05, 0.95, -0.7, 6.0);
        let at = |n| probabilistic_sharpe_ratio(0.12, 0.05, n, -0.7, 6.0);
        assert!(at(n.floor() as usize) < 0.95 && at(n.ceil() as usize) >= 0.95, "{n}");
        assert_eq!(minimum_track_record(0.1, 0.1, 0.95, 0.0, 3.0), f64::INFINITY);
        assert_eq!(probabilistic_sharpe_ratio(0.1, 0.1, 50, 0.0, 3.0), 0.5);
    }

    /// 1,000 draws of a standard normal show 3.26 at most, on average.
    #[test]
    fn the_expected_maximum_is_that_of_normals() {
        let expected = expected_maximum(1.0, 1_000);
        assert!((expected - 3.26).abs() < 0.01, "{expected}");
    }
}
