//! A run beside its benchmark.

use crate::engine::{Account, Fill, Order, Side};

/// How a run's returns compare with those of a benchmark.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Versus {
    /// Standard deviation of the difference of the returns (one degree of freedom removed), times
    /// the root of the bars of a year.
    pub tracking_error: f64,
    /// Mean of that difference over its standard deviation, times the same root; NaN where there
    /// is no difference.
    pub information_ratio: f64,
    /// Pearson's correlation of the returns; NaN where one never moves.
    pub correlation: f64,
}

impl Versus {
    /// Compares returns bar by bar. O(bars).
    ///
    /// # Panics
    /// When the returns differ in length.
    #[must_use]
    pub fn of(returns: &[f64], benchmark: &[f64], bars_per_year: f64) -> Self {
        assert_eq!(returns.len(), benchmark.len(), "one return per bar");
        let pairs = || returns.iter().zip(benchmark);
        let n = returns.len() as f64;
        let mean = |of: &dyn Fn(f64, f64) -> f64| pairs().map(|(a, b)| of(*a, *b)).sum::<f64>() / n;
        let (of_run, of_benchmark) = (mean(&|a, _| a), mean(&|_, b| b));
        let excess = of_run - of_benchmark;
        let spread = mean(&|a, b| (a - b - excess).powi(2));
        let deviation = (spread * n / (n - 1.0)).sqrt();
        let together = mean(&|a, b| (a - of_run) * (b - of_benchmark));
        let alone = mean(&|a, _| (a - of_run).powi(2)) * mean(&|_, b| (b - of_benchmark).powi(2));
        Self {
            tracking_error: deviation * bars_per_year.sqrt(),
            information_ratio: excess / deviation * bars_per_year.sqrt(),
            correlation: together / alone.sqrt(),
        }
    }
}

/// All cash into the asset at the first close, without costs, and held.
#[must_use]
pub fn buy_and_hold(first_close: f64, init_cash: f64) -> Fill {
    let size = init_cash / first_close;
    let order = Order { bar: 0, side: Side::Buy, size, price: first_close, fees: 0.0 };
    Fill { order, account: Account { cash: 0.0, position: size, debt: 0.0, free_cash: 0.0 } }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn worked_by_hand() {
        // Differences 0.01, -0.01, 0.03: mean 0.01, sample deviation 0.02.
        let versus = Versus::of(&[0.02, 0.01, 0.03], &[0.01, 0.02, 0.0], 4.0);
        assert!((versus.tracking_error - 0.04).abs() < 1e-12, "{versus:?}");
        assert!((versus.information_ratio - 1.0).abs() < 1e-12, "{versus:?}");
        assert!((versus.correlation + 1.0).abs() < 1e-12, "{versus:?}");
        let same = Versus::of(&[0.1, 0.2], &[0.1, 0.2], 4.0);
        assert_eq!(same.tracking_error, 0.0);
        assert!(same.information_ratio.is_nan());
    }

    #[test]
    fn holding_follows_the_price() {
        let fill = buy_and_hold(50.0, 100.0);
        let mut equity = [0.0; 3];
        crate::statistics::equity(&[50.0, 75.0, 25.0], &[fill], 100.0, &mut equity);
        assert_eq!(equity, [100.0, 150.0, 50.0]);
    }
}
