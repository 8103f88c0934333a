//! Every recursion and every kernel of single rows against a loop that says what it is, with rows missing.

use features::indicator;
use proptest::prelude::*;

/// `y += weight * (x - y)`, seeded by the mean of `seed` rows; anew after a row that is missing.
fn smoothed(input: &[f64], weight: f64, seed: usize) -> Vec<f64> {
    let (mut rows, mut total, mut y) = (0, 0.0, f64::NAN);
    let mut next = |x: f64| {
        if x.is_nan() {
            (rows, total, y) = (0, 0.0, f64::NAN);
        } else if rows < seed {
            (rows, total) = (rows + 1, total + x);
            y = if rows == seed { total / seed as f64 } else { f64::NAN };
        } else {
            y += weight * (x - y);
        }
        y
    };
    input.iter().map(|&x| next(x)).collect()
}

/// The mean of the rows since the last that is missing, each weighing `decay` times the next.
fn weighted(input: &[f64], decay: f64) -> Vec<f64> {
    let (mut above, mut below) = (0.0, 0.0);
    let mut next = |x: f64| {
        (above, below) =
            if x.is_nan() { (0.0, 0.0) } else { (x + decay * above, 1.0 + decay * below) };
        if x.is_nan() { x } else { above / below }
    };
    input.iter().map(|&x| next(x)).collect()
}

fn total(input: &[f64]) -> Vec<f64> {
    let mut sum = f64::NAN;
    let mut next = |(row, &x): (usize, &f64)| {
        let is_first = input[..row].iter().all(|x| x.is_nan());
        sum = if is_first { x } else { sum + x };
        sum
    };
    input.iter().enumerate().map(&mut next).collect()
}

/// Of each row and the one `window` rows before.
fn beside(input: &[f64], window: usize, of: fn(f64, f64) -> f64) -> Vec<f64> {
    let row =
        |row: usize| row.checked_sub(window).map_or(f64::NAN, |old| of(input[row], input[old]));
    (0..input.len()).map(row).collect()
}

/// Kaufman's average: from the row `window - 1` on.
fn kama(input: &[f64], window: usize) -> Vec<f64> {
    let mut last = f64::NAN;
    let mut next = |row: usize| {
        let x = input[row];
        let Some(rows) = row.checked_sub(window).map(|from| &input[from..=row]) else {
            last = x;
            return f64::NAN;
        };
        let moved: f64 = rows.windows(2).map(|pair| (pair[1] - pair[0]).abs()).sum();
        let net = x - rows[0];
        if moved.is_nan() {
            last = x;
            return f64::NAN;
        }
        let efficiency = if moved <= net || moved == 0.0 { 1.0 } else { (net / moved).abs() };
        let weight = efficiency * (2.0 / 3.0 - 2.0 / 31.0) + 2.0 / 31.0;
        last += weight * weight * (x - last);
        last
    };
    (0..input.len()).map(&mut next).collect()
}

fn assert_close(name: &str, actual: &[f64], expected: &[f64]) {
    for (row, (actual, expected)) in actual.iter().zip(expected).enumerate() {
        let close = (actual - expected).abs() <= 1e-9 * expected.abs().max(1e-3);
        let both_missing = actual.is_nan() && expected.is_nan();
        assert!(close || both_missing, "{name} row {row}: {actual} instead of {expected}");
    }
}

type OfWindow = fn(&[f64], usize, &mut [f64]) -> Result<(), features::FeatureError>;

/// Name, kernel, the loop.
type Recursion = (&'static str, OfWindow, fn(&[f64], usize) -> Vec<f64>);

const RECURSIONS: [Recursion; 8] = [
    ("ema", indicator::ema, |x, n| smoothed(x, 2.0 / (n as f64 + 1.0), n)),
    ("ema_first", indicator::ema_first, |x, n| smoothed(x, 2.0 / (n as f64 + 1.0), 1)),
    ("ema_adjusted", indicator::ema_adjusted, |x, n| weighted(x, 1.0 - 2.0 / (n as f64 + 1.0))),
    ("wilder", indicator::wilder, |x, n| smoothed(x, 1.0 / n as f64, n)),
    ("mom", indicator::mom, |x, n| beside(x, n, |new, old| new - old)),
    ("ratio", indicator::ratio, |x, n| beside(x, n, |new, old| new / old)),
    ("log_return", indicator::log_return, |x, n| beside(x, n, |new, old| (new / old).ln())),
    ("roc", indicator::roc, |x, n| beside(x, n, |new, old| (new / old - 1.0) * 100.0)),
];

proptest! {
    #[test]
    fn recursions_are_their_loops(
        input in prop::collection::vec(90.0..110.0, 2..700),
        window in 1usize..120,
        missing in prop::collection::vec(0usize..700, 0..4),
    ) {
        let mut input = input;
        for row in missing {
            if let Some(value) = input.get_mut(row) {
                *value = f64::NAN;
            }
        }
        prop_assume!(window < input.len());
        let mut out = vec![0.0; input.len()];
        for (name, kernel, of_loop) in RECURSIONS {
            kernel(&input, window, &mut out).expect("a window that fits");
            assert_close(name, &out, &of_loop(&input, window));
        }
        indicator::total(&input, &mut out).expect("rows");
        assert_close("total", &out, &total(&input));
        if window > 1 {
            indicator::kama(&input, window, &mut out).expect("a window that fits");
            assert_close("kama", &out, &kama(&input, window));
        }
    }
}
