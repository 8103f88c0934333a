//! How likely the best of many trials is luck.

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
    let normal = Normal::standard();
    let n = trials as f64;
    let expected_maximum = sharpe_variance.sqrt()
        * ((1.0 - EULER) * normal.inverse_cdf(1.0 - 1.0 / n)
            + EULER * normal.inverse_cdf(1.0 - 1.0 / (n * std::f64::consts::E)));
    let spread = (1.0 - skew * sharpe + (kurtosis - 1.0) / 4.0 * sharpe * sharpe).sqrt();
    let z = (sharpe - expected_maximum) * ((observations - 1) as f64).sqrt() / spread;
    if z.is_nan() { f64::NAN } else { normal.cdf(z) }
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
}
