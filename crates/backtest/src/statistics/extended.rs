//! Statistics that need every return at once.

/// Moments and quantiles of a series of returns, and its regression on the benchmark's.
#[derive(Debug, Clone, Copy)]
pub(super) struct Extended {
    /// Adjusted Fisher-Pearson skewness (Joanes and Gill 1998, G1), as pandas.
    pub(super) skew: f64,
    /// Adjusted excess kurtosis (Joanes and Gill 1998, G2), as pandas.
    pub(super) kurtosis: f64,
    /// Returns at the 5th and 95th percentile, linear between ranks.
    pub(super) p5: f64,
    pub(super) p95: f64,
    /// Mean of what the regression on the benchmark leaves, per bar.
    pub(super) alpha_per_bar: f64,
    pub(super) beta: f64,
}

impl Extended {
    /// Of `returns` (reordered on the way) against the returns of `close`, whose first is 0.
    pub(super) fn of(returns: &mut [f64], close: &[f64]) -> Self {
        let n = returns.len() as f64;
        let mean = returns.iter().sum::<f64>() / n;
        let (mut m2, mut m3, mut m4) = (0.0, 0.0, 0.0);
        for r in returns.iter() {
            let d = r - mean;
            m2 += d * d;
            m3 += d * d * d;
            m4 += d * d * d * d;
        }
        let benchmark_at = |bar: usize| {
            if bar == 0 { 0.0 } else { (close[bar] - close[bar - 1]) / close[bar - 1] }
        };
        let benchmark_mean = (0..close.len()).map(benchmark_at).sum::<f64>() / n;
        let (mut covariance, mut variance) = (0.0, 0.0);
        for (bar, r) in returns.iter().enumerate() {
            let d = benchmark_at(bar) - benchmark_mean;
            covariance += (r - mean) * d;
            variance += d * d;
        }
        let beta = covariance / variance;
        Self {
            skew: (n * (n - 1.0)).sqrt() / (n - 2.0) * (m3 / n) / (m2 / n).powf(1.5),
            kurtosis: (n - 1.0) / ((n - 2.0) * (n - 3.0))
                * ((n + 1.0) * (m4 / n) / (m2 / n).powi(2) - 3.0 * (n - 1.0)),
            p5: quantile(returns, 0.05),
            p95: quantile(returns, 0.95),
            alpha_per_bar: mean - beta * benchmark_mean,
            beta,
        }
    }
}

/// The quantile `q` of `values`, linear between ranks. O(n), reorders.
fn quantile(values: &mut [f64], q: f64) -> f64 {
    let rank = (values.len() - 1) as f64 * q;
    let (_, &mut low, above) = values.select_nth_unstable_by(rank as usize, f64::total_cmp);
    let high = above.iter().copied().fold(f64::INFINITY, f64::min);
    let share = rank.fract();
    if share == 0.0 { low } else { low + (high - low) * share }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quantiles_lie_between_ranks() {
        let mut values = [4.0, 1.0, 3.0, 2.0];
        assert_eq!(quantile(&mut values, 0.5), 2.5);
        assert_eq!(quantile(&mut values, 0.0), 1.0);
        assert_eq!(quantile(&mut values, 1.0), 4.0);
    }
}
