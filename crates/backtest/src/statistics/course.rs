//! How a run went in the course of time, from its equity.

use jiff::Timestamp;
use jiff::tz::TimeZone;

/// What a calendar month (UTC) brought.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct MonthlyReturn {
    /// The year.
    pub year: i16,
    /// The month, from 1.
    pub month: i8,
    /// Equity at the month's last bar over that of the month before, less 1.
    pub return_share: f64,
}

const DAY_NS: i64 = 86_400_000_000_000;

/// The return of every month that has a bar; the first is against `init_cash`. `timestamps` are
/// nanoseconds since the epoch, sorted. O(bars).
///
/// # Panics
/// When the columns differ in length.
#[must_use]
pub fn monthly_returns(timestamps: &[i64], equity: &[f64], init_cash: f64) -> Vec<MonthlyReturn> {
    assert_eq!(timestamps.len(), equity.len(), "one value per bar");
    let mut months = Vec::new();
    let mut before = init_cash;
    let days = timestamps.chunk_by(|a, b| a.div_euclid(DAY_NS) == b.div_euclid(DAY_NS));
    let mut end = 0;
    let mut days = days.map(|day| (month_of(day[0]), day.len())).peekable();
    while let Some((month, bars)) = days.next() {
        end += bars;
        if days.peek().is_some_and(|(next, _)| *next == month) {
            continue;
        }
        let (year, month) = month;
        months.push(MonthlyReturn { year, month, return_share: equity[end - 1] / before - 1.0 });
        before = equity[end - 1];
    }
    months
}

fn month_of(ns: i64) -> (i16, i8) {
    let time = Timestamp::from_nanosecond(i128::from(ns)).unwrap_or_default();
    let date = time.to_zoned(TimeZone::UTC).date();
    (date.year(), date.month())
}

/// Root mean square of the drawdowns in percent (P. G. Martin 1987): how deep and how long the
/// equity was below its peak. 0 where it never was. O(bars).
#[must_use]
pub fn ulcer_index(equity: &[f64]) -> f64 {
    let mut peak = f64::NEG_INFINITY;
    let square = |&value: &f64| {
        peak = peak.max(value);
        ((value - peak) / peak * 100.0).powi(2)
    };
    (equity.iter().map(square).sum::<f64>() / equity.len() as f64).sqrt()
}

/// Writes the Sharpe ratio of the last `window` returns to `out`: their mean over their standard
/// deviation (one degree of freedom removed), times the root of `bars_per_year`. NaN before the
/// window is full and where the deviation is 0.
///
/// O(bars): sums slide along, and start anew every so often so that rounding does not add up.
///
/// # Panics
/// When `out` is not as long as `returns` or `window` is below 2.
pub fn rolling_sharpe(returns: &[f64], window: usize, bars_per_year: f64, out: &mut [f64]) {
    assert_eq!(returns.len(), out.len(), "one value per bar");
    assert!(window >= 2, "a deviation needs 2 returns");
    let n = window as f64;
    let (mut sum, mut squares) = (0.0, 0.0);
    out[..(window - 1).min(returns.len())].fill(f64::NAN);
    for end in window..=returns.len() {
        let last = &returns[end - window..end];
        if (end - window).is_multiple_of(window) {
            sum = last.iter().sum();
            squares = last.iter().map(|r| r * r).sum();
        } else {
            let (new, old) = (returns[end - 1], returns[end - window - 1]);
            sum += new - old;
            squares += new * new - old * old;
        }
        let mean = sum / n;
        // What rounding leaves of equal returns is no deviation.
        let spread = squares - mean * sum;
        let is_flat = spread <= squares * 1e-12;
        let deviation = (spread / (n - 1.0)).sqrt();
        out[end - 1] = if is_flat { f64::NAN } else { mean / deviation * bars_per_year.sqrt() };
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn months_end_at_their_last_bar() {
        let time = |text: &str| text.parse::<Timestamp>().unwrap().as_nanosecond() as i64;
        let timestamps = [
            "2023-12-30T00:00:00Z",
            "2023-12-31T23:59:00Z",
            "2024-01-01T00:00:00Z",
            "2024-02-29T12:00:00Z",
            "2024-02-29T12:01:00Z",
        ]
        .map(time);
        let months = monthly_returns(&timestamps, &[90.0, 110.0, 121.0, 1.0, 60.5], 100.0);
        let rows: Vec<_> = months.iter().map(|m| (m.year, m.month)).collect();
        assert_eq!(rows, [(2023, 12), (2024, 1), (2024, 2)]);
        for (month, expected) in months.iter().zip([0.1, 0.1, -0.5]) {
            assert!((month.return_share - expected).abs() < 1e-12, "{month:?}");
        }
    }

    #[test]
    fn the_ulcer_index_is_the_root_mean_square() {
        // Drawdowns of 0, 10, 20 and 0 percent.
        let index = ulcer_index(&[100.0, 90.0, 80.0, 100.0]);
        assert!((index - (500.0_f64 / 4.0).sqrt()).abs() < 1e-12, "{index}");
        assert_eq!(ulcer_index(&[1.0, 2.0, 3.0]), 0.0);
    }

    #[test]
    fn sliding_sums_are_those_of_each_window() {
        let returns: Vec<f64> = (0..500).map(|i| (i as f64 * 0.7).sin() * 0.01).collect();
        let mut out = vec![0.0; returns.len()];
        rolling_sharpe(&returns, 30, 365.0, &mut out);
        assert!(out[..29].iter().all(|v| v.is_nan()));
        for end in 30..=500 {
            let window = &returns[end - 30..end];
            let mean = window.iter().sum::<f64>() / 30.0;
            let variance = window.iter().map(|r| (r - mean).powi(2)).sum::<f64>() / 29.0;
            let expected = mean / variance.sqrt() * 365.0_f64.sqrt();
            assert!((out[end - 1] - expected).abs() < 1e-9, "bar {end}");
        }
        rolling_sharpe(&[0.1; 5], 3, 365.0, &mut out[..5]);
        assert!(out[..5].iter().all(|v| v.is_nan()), "no deviation");
    }
}
