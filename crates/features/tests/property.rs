//! Every kernel against a plain statement of it and against the driver; the promises about outliers, missing
//! values, large prices and single precision.

mod common;

use std::collections::BTreeMap;

use common::{assert_same_bits, walk};
use features::{registry, rolling};
use proptest::prelude::*;

type Rolling = fn(&[f64], usize, &mut [f64]) -> Result<(), features::FeatureError>;

fn mean(x: &[f64]) -> f64 {
    x.iter().sum::<f64>() / x.len() as f64
}

/// Sum of products around the means, of rows that were shifted near zero first.
fn centred(x: &[f64], y: &[f64]) -> f64 {
    let (x0, y0) = (x[0], y[0]);
    let x: Vec<f64> = x.iter().map(|v| v - x0).collect();
    let y: Vec<f64> = y.iter().map(|v| v - y0).collect();
    let (mx, my) = (mean(&x), mean(&y));
    x.iter().zip(&y).map(|(a, b)| (a - mx) * (b - my)).sum()
}

fn time(x: &[f64]) -> Vec<f64> {
    (0..x.len()).map(|i| i as f64).collect()
}

fn sorted(x: &[f64]) -> Vec<f64> {
    let mut x = x.to_vec();
    x.sort_by(f64::total_cmp);
    x
}

/// Name, kernel, smallest window, the plain statement.
type Statistic = (&'static str, Rolling, usize, fn(&[f64]) -> f64);

const STATISTICS: [Statistic; 18] = [
    ("sum", rolling::sum, 1, |x| x.iter().sum()),
    ("mean", rolling::mean, 1, mean),
    ("var", rolling::var, 2, |x| centred(x, x) / (x.len() as f64 - 1.0)),
    ("std", rolling::std, 2, |x| (centred(x, x) / (x.len() as f64 - 1.0)).sqrt()),
    ("max", rolling::max, 1, |x| x.iter().copied().fold(f64::MIN, f64::max)),
    ("min", rolling::min, 1, |x| x.iter().copied().fold(f64::MAX, f64::min)),
    ("median", rolling::median, 1, |x| {
        let (s, n) = (sorted(x), x.len());
        (s[(n - 1) / 2] + s[n / 2]) / 2.0
    }),
    ("rank", rolling::rank, 1, |x| {
        let last = x[x.len() - 1];
        let less = x.iter().filter(|&&v| v < last).count() as f64;
        let equal = x.iter().filter(|&&v| v == last).count() as f64;
        (less + (equal + 1.0) / 2.0) / x.len() as f64
    }),
    ("argmax", rolling::argmax, 1, |x| {
        let best = (0..x.len()).max_by(|&a, &b| x[a].total_cmp(&x[b]).then(a.cmp(&b)));
        (x.len() - 1 - best.expect("a row")) as f64
    }),
    ("argmin", rolling::argmin, 1, |x| {
        let best = (0..x.len()).max_by(|&a, &b| x[b].total_cmp(&x[a]).then(a.cmp(&b)));
        (x.len() - 1 - best.expect("a row")) as f64
    }),
    ("weighted_mean", rolling::weighted_mean, 1, |x| {
        let n = x.len() as f64;
        x.iter().enumerate().map(|(i, v)| (i + 1) as f64 * v).sum::<f64>() / (n * (n + 1.0) / 2.0)
    }),
    ("slope", rolling::slope, 2, slope),
    ("intercept", rolling::intercept, 2, |x| mean(x) - slope(x) * mean(&time(x))),
    ("residual", rolling::residual, 2, |x| {
        let last = (x.len() - 1) as f64;
        x[x.len() - 1] - (mean(x) + slope(x) * (last - mean(&time(x))))
    }),
    ("r_squared", rolling::r_squared, 2, |x| {
        let of_line: Vec<f64> = time(x).iter().map(|t| slope(x) * t).collect();
        let all = centred(x, x);
        if all == 0.0 { 0.0 } else { centred(&of_line, &of_line) / all }
    }),
    ("skew", rolling::skew, 3, |x| {
        let n = x.len() as f64;
        let moments = moment(x, 3) / moment(x, 2).powf(1.5);
        if equal(x) { f64::NAN } else { moments * (n * (n - 1.0)).sqrt() / (n - 2.0) }
    }),
    ("kurtosis", rolling::kurtosis, 4, |x| {
        let n = x.len() as f64;
        let excess = (n + 1.0) * moment(x, 4) / moment(x, 2).powi(2) - 3.0 * (n - 1.0);
        if equal(x) { f64::NAN } else { excess * (n - 1.0) / ((n - 2.0) * (n - 3.0)) }
    }),
    (
        "quantile",
        |x, window, out| rolling::quantile(x, window, 0.3, out),
        1,
        |x| {
            let (s, place) = (sorted(x), 0.3 * (x.len() - 1) as f64);
            let (below, above) = (s[place.floor() as usize], s[place.ceil() as usize]);
            below + (above - below) * place.fract()
        },
    ),
];

fn slope(x: &[f64]) -> f64 {
    centred(x, &time(x)) / centred(&time(x), &time(x))
}

/// The mean of the deviations' `power`.
fn moment(x: &[f64], power: i32) -> f64 {
    let mean = x[0] + mean(&x.iter().map(|v| v - x[0]).collect::<Vec<_>>());
    x.iter().map(|v| (v - mean).powi(power)).sum::<f64>() / x.len() as f64
}

fn equal(x: &[f64]) -> bool {
    x.iter().all(|&v| v == x[0])
}

fn assert_close(name: &str, row: usize, actual: f64, expected: f64, scale: f64) {
    let error = (actual - expected).abs() / expected.abs().max(scale);
    let both_undefined = actual.is_nan() && expected.is_nan();
    assert!(error <= 1e-9 || both_undefined, "{name} row {row}: {actual} instead of {expected}");
}

proptest! {
    #[test]
    fn kernels_agree_with_their_definition(
        input in prop::collection::vec((-50i32..50).prop_map(|v| f64::from(v) * 0.25 + 100.0), 1..700),
        window in 1usize..260,
    ) {
        for (name, kernel, least, oracle) in STATISTICS {
            let window = window.max(least);
            if window > input.len() {
                continue;
            }
            let mut out = vec![0.0; input.len()];
            kernel(&input, window, &mut out).expect("a valid window");
            prop_assert!(out[..window - 1].iter().all(|v| v.is_nan()));
            for row in window - 1..input.len() {
                assert_close(name, row, out[row], oracle(&input[row + 1 - window..=row]), 1e-3);
            }
        }
    }

    #[test]
    fn covariance_and_correlation_agree_with_their_definition(
        rows in prop::collection::vec((90.0..110.0, -1.0..1.0), 2..600),
        window in 2usize..260,
    ) {
        prop_assume!(window <= rows.len());
        let (x, y): (Vec<f64>, Vec<f64>) = rows.into_iter().unzip();
        let (mut cov, mut corr) = (vec![0.0; x.len()], vec![0.0; x.len()]);
        rolling::cov(&x, &y, window, &mut cov).expect("a valid window");
        rolling::corr(&x, &y, window, &mut corr).expect("a valid window");
        for row in window - 1..x.len() {
            let (a, b) = (&x[row + 1 - window..=row], &y[row + 1 - window..=row]);
            assert_close("cov", row, cov[row], centred(a, b) / (window as f64 - 1.0), 1e-3);
            let both = (centred(a, a) * centred(b, b)).sqrt();
            assert_close("corr", row, corr[row], centred(a, b) / both, 1e-3);
        }
    }

    /// The driver is told of every row that comes and goes: what it is told must add up to the window.
    #[test]
    fn the_driver_gives_what_the_fast_kernels_give(
        input in prop::collection::vec((-50i32..50).prop_map(|v| f64::from(v) * 0.25 + 100.0), 1..700),
        window in 2usize..260,
        missing in prop::option::of(0usize..700),
    ) {
        prop_assume!(window <= input.len());
        let mut input = input;
        if let Some(value) = missing.and_then(|row| input.get_mut(row)) {
            *value = f64::NAN;
        }
        let mut out = vec![0.0; input.len()];
        let mut check = |name: &str, fast: Rolling, driven: &[f64]| {
            fast(&input, window, &mut out).expect("a valid window");
            for (row, (&fast, &driven)) in out.iter().zip(driven).enumerate() {
                assert_close(name, row, fast, driven, 1e-3);
            }
        };
        check("sum", rolling::sum, &driven::<Quarters<0>>(&input, window));
        check("mean", rolling::mean, &driven::<Quarters<1>>(&input, window));
        check("var", rolling::var, &driven::<Quarters<2>>(&input, window));
        check("min", rolling::min, &driven::<Counted<0>>(&input, window));
        check("median", rolling::median, &driven::<Counted<50>>(&input, window));
        check("max", rolling::max, &driven::<Counted<100>>(&input, window));
    }

    /// A thread remembers its plans: what an earlier call ran through one leaves no trace.
    #[test]
    fn a_remembered_plan_gives_the_bits_of_a_new_one(
        seed in any::<u64>(),
        window in 4usize..260,
        rows in 260usize..900,
        missing in 0usize..260,
    ) {
        let (mut earlier, input) = (walk(rows, !seed).close, walk(900, seed).close);
        earlier[missing] = f64::NAN;
        let narrow: Vec<f32> = input.iter().map(|&value| value as f32).collect();
        for (name, kernel, ..) in STATISTICS {
            let of = |input: &[f64]| {
                let mut out = vec![0.0; input.len()];
                kernel(input, window, &mut out).expect("a valid window");
                out.into_iter().map(f64::to_bits).collect::<Vec<_>>()
            };
            let new = std::thread::scope(|scope| scope.spawn(|| of(&input)).join());
            of(&earlier);
            prop_assert_eq!(of(&input), new.expect("no panic"), "{}", name);
        }
        let mean = || {
            let mut out = vec![0.0_f32; narrow.len()];
            rolling::mean(&narrow, window, &mut out).expect("a valid window");
            out.into_iter().map(f32::to_bits).collect::<Vec<_>>()
        };
        prop_assert_eq!(mean(), mean());
    }
}

fn driven<S: rolling::Statistic>(input: &[f64], window: usize) -> Vec<f64> {
    let mut out = vec![0.0; input.len()];
    rolling::apply::<S, f64>(input, window, &mut out).expect("a valid window");
    out
}

/// Sum, mean or variance from exact totals of whole quarters: what has left is gone.
struct Quarters<const MOMENT: usize> {
    rows: i64,
    sum: i64,
    squares: i64,
}

impl<const MOMENT: usize> Quarters<MOMENT> {
    fn add(&mut self, row: f64, sign: i64) {
        let quarters = (row * 4.0) as i64;
        self.rows += sign;
        self.sum += sign * quarters;
        self.squares += sign * quarters * quarters;
    }
}

impl<const MOMENT: usize> rolling::Statistic for Quarters<MOMENT> {
    fn new(window: &[f64]) -> Self {
        let mut totals = Self { rows: 0, sum: 0, squares: 0 };
        window.iter().for_each(|&row| totals.add(row, 1));
        totals
    }

    fn update(&mut self, window: &[f64], left: f64) {
        self.add(window[window.len() - 1], 1);
        self.add(left, -1);
    }

    fn get(&self) -> f64 {
        let Self { rows, sum, squares } = *self;
        match MOMENT {
            0 => sum as f64 / 4.0,
            1 => sum as f64 / 4.0 / rows as f64,
            _ => (squares * rows - sum * sum) as f64 / 16.0 / (rows * (rows - 1)) as f64,
        }
    }
}

/// A percentile from how often each value is there.
struct Counted<const PERCENT: usize>(BTreeMap<u64, usize>);

impl<const PERCENT: usize> rolling::Statistic for Counted<PERCENT> {
    fn new(window: &[f64]) -> Self {
        let mut counts = BTreeMap::new();
        // The bits of numbers above 0 are in the numbers' order.
        window.iter().for_each(|row| *counts.entry(row.to_bits()).or_default() += 1);
        Self(counts)
    }

    fn update(&mut self, window: &[f64], left: f64) {
        *self.0.entry(window[window.len() - 1].to_bits()).or_default() += 1;
        *self.0.get_mut(&left.to_bits()).expect("a row that was there") -= 1;
    }

    fn get(&self) -> f64 {
        let rows: Vec<f64> = self
            .0
            .iter()
            .flat_map(|(&bits, &count)| std::iter::repeat_n(f64::from_bits(bits), count))
            .collect();
        let last = (rows.len() - 1) * PERCENT;
        (rows[last / 100] + rows[last.div_ceil(100)]) / 2.0
    }
}

#[test]
fn an_outlier_leaves_no_trace() {
    let clean = walk(3000, 11).close;
    let mut dirty = clean.clone();
    dirty[1000] = 1e12;
    for (name, kernel, least, _) in STATISTICS {
        for window in [2, 7, 20, 61, 200].into_iter().filter(|&w| w >= least) {
            let (mut a, mut b) = (vec![0.0; 3000], vec![0.0; 3000]);
            kernel(&clean, window, &mut a).expect("a valid window");
            kernel(&dirty, window, &mut b).expect("a valid window");
            let after = 1000 + window;
            assert_same_bits(&[a[after..].to_vec()], &[b[after..].to_vec()], name);
        }
    }
}

#[test]
fn a_missing_value_marks_exactly_the_windows_that_hold_it() {
    let mut input = walk(1500, 13).close;
    input[700] = f64::NAN;
    for (name, kernel, least, _) in STATISTICS {
        for window in [2, 7, 20, 61, 200].into_iter().filter(|&w| w >= least) {
            let mut out = vec![0.0; 1500];
            kernel(&input, window, &mut out).expect("a valid window");
            for (row, value) in out.iter().enumerate() {
                let holds = row + 1 < window || (700..700 + window).contains(&row);
                assert_eq!(value.is_nan(), holds, "{name} window {window} row {row}");
            }
        }
    }
}

#[test]
fn equal_rows_have_no_deviation_and_their_own_mean() {
    for value in [0.1, 123.456, 98_765_432.1] {
        let input = vec![value; 1000];
        for window in 2..300 {
            let mut out = vec![0.0; 1000];
            rolling::std(&input, window, &mut out).expect("a valid window");
            assert!(out[window - 1..].iter().all(|&v| v == 0.0), "{value} window {window}");
            rolling::mean(&input, window, &mut out).expect("a valid window");
            assert!(out[window - 1..].iter().all(|&v| v == value), "{value} window {window}");
        }
    }
}

/// Prices near 1e8 in steps of 1e-2 are whole numbers of hundredths: exact sums in integers.
#[test]
fn large_prices_with_small_moves_stay_exact() {
    const ROWS: usize = 1_000_000;
    // Steps of 1/128 are exact in f64 at this size, so that the oracle's integers are the input.
    let mut level = 12_800_000_000i64;
    let walk = walk(ROWS, 17);
    let steps: Vec<i64> = (0..ROWS)
        .map(|i| {
            level += if walk.close[i] > walk.open[i] { 1 } else { -1 };
            level
        })
        .collect();
    let input: Vec<f64> = steps.iter().map(|&s| s as f64 / 128.0).collect();
    for window in [5usize, 20, 60, 250] {
        let (mut std, mut mean) = (vec![0.0; ROWS], vec![0.0; ROWS]);
        rolling::std(&input, window, &mut std).expect("a valid window");
        rolling::mean(&input, window, &mut mean).expect("a valid window");
        for row in (window - 1..ROWS).step_by(997) {
            let rows = &steps[row + 1 - window..=row];
            let (n, first) = (window as i128, i128::from(rows[0]));
            let sum: i128 = rows.iter().map(|&r| i128::from(r) - first).sum();
            let squares: i128 = rows.iter().map(|&r| (i128::from(r) - first).pow(2)).sum();
            let variance = (squares * n - sum * sum) as f64 / (n * (n - 1)) as f64;
            assert_close("std", row, std[row], variance.sqrt() / 128.0, 1e-3);
            let exact = first as f64 / 128.0 + sum as f64 / n as f64 / 128.0;
            assert_close("mean", row, mean[row], exact, 1.0);
        }
    }
}

#[test]
fn every_indicator_takes_single_precision_and_computes_in_double() {
    let bars = walk(2000, 23);
    let day: Vec<f64> = (0..bars.len()).map(|row| (row / 300) as f64).collect();
    let column = |column: &features::Column| match column.name() {
        "open" => &bars.open,
        "high" => &bars.high,
        "low" => &bars.low,
        "close" => &bars.close,
        "volume" => &bars.volume,
        _ => &day,
    };
    for indicator in registry::all() {
        let narrow: Vec<Vec<f32>> = indicator
            .inputs
            .iter()
            .map(|c| column(c).iter().map(|&value| value as f32).collect())
            .collect();
        let wide: Vec<Vec<f64>> =
            narrow.iter().map(|c| c.iter().map(|&value| f64::from(value)).collect()).collect();
        let outputs = indicator.outputs.len();
        let (mut of_narrow, mut of_wide) =
            (vec![vec![0.0f32; 2000]; outputs], vec![vec![0.0; 2000]; outputs]);
        run(indicator, &narrow, &mut of_narrow);
        run(indicator, &wide, &mut of_wide);
        let rounded: Vec<Vec<f64>> = of_wide
            .iter()
            .map(|c| c.iter().map(|&value| f64::from(value as f32)).collect())
            .collect();
        let narrow: Vec<Vec<f64>> =
            of_narrow.iter().map(|c| c.iter().map(|&value| f64::from(value)).collect()).collect();
        assert_same_bits(&narrow, &rounded, indicator.name);
        assert!(narrow.iter().all(|c| c.iter().any(|v| !v.is_nan())), "{}", indicator.name);
    }
}

fn run<T: features::Sample>(
    indicator: &registry::Indicator,
    inputs: &[Vec<T>],
    outputs: &mut [Vec<T>],
) {
    let inputs: Vec<&[T]> = inputs.iter().map(Vec::as_slice).collect();
    let mut outputs: Vec<&mut [T]> = outputs.iter_mut().map(Vec::as_mut_slice).collect();
    indicator.compute(&inputs, &indicator.defaults(), &mut outputs).expect("enough rows");
}

#[test]
fn single_precision_accumulates_in_double() {
    let input: Vec<f32> = walk(2000, 19).close.iter().map(|&v| v as f32).collect();
    let wide: Vec<f64> = input.iter().map(|&v| f64::from(v)).collect();
    let (mut narrow, mut out) = (vec![0.0f32; 2000], vec![0.0; 2000]);
    rolling::std(&input, 20, &mut narrow).expect("a valid window");
    rolling::std(&wide, 20, &mut out).expect("a valid window");
    for (row, (&a, &b)) in narrow.iter().zip(&out).enumerate().skip(19) {
        assert_eq!(a, b as f32, "row {row}");
    }
}
