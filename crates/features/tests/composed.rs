//! Indicators that no peer has, against their formulas, worked out from parts that peers do have.

#[path = "common/walk.rs"]
mod walk;

use features::{indicator, registry};
use walk::Walk;

const WALK: Walk = Walk { price: 100.0, step: 0.01, reach: 0.002, minutes: 7 };

const ROWS: usize = 700;

/// The outputs of an indicator for `inputs` with `params`.
fn outputs(name: &str, inputs: &[&[f64]], params: &[f64]) -> Vec<Vec<f64>> {
    let indicator = registry::get(name).expect("of the registry");
    let mut columns = vec![vec![0.0; ROWS]; indicator.outputs.len()];
    let mut slices: Vec<&mut [f64]> = columns.iter_mut().map(Vec::as_mut_slice).collect();
    indicator.compute(inputs, params, &mut slices).expect("enough rows");
    columns
}

/// Each row from `from` on is what `expected` says; those before are NaN.
fn assert_rows(name: &str, actual: &[f64], from: usize, expected: impl Fn(usize) -> f64) {
    assert!(actual[..from].iter().all(|value| value.is_nan()), "{name}: a value before row {from}");
    for (row, &value) in actual.iter().enumerate().skip(from) {
        let expected = expected(row);
        let error = (value - expected).abs() / expected.abs().max(1e-3);
        assert!(error <= 1e-9, "{name} row {row}: {value} instead of {expected}");
    }
}

#[test]
fn bands_and_channels() {
    let bars = WALK.bars(ROWS, 41);
    let (high, low, close) = (&bars.high[..], &bars.low[..], &bars.close[..]);
    let typical: Vec<f64> = (0..ROWS).map(|i| (high[i] + low[i] + close[i]) / 3.0).collect();
    let (mut middle, mut range) = (vec![0.0; ROWS], vec![0.0; ROWS]);
    indicator::ema(&typical, 20, &mut middle).expect("enough rows");
    indicator::atr(high, low, close, 10, &mut range).expect("enough rows");
    let keltner = outputs("keltner", &[high, low, close], &[20.0, 10.0, 1.5]);
    assert_rows("keltner", &keltner[0], 19, |i| middle[i] + 1.5 * range[i]);
    assert_rows("keltner", &keltner[1], 19, |i| middle[i]);
    assert_rows("keltner", &keltner[2], 19, |i| middle[i] - 1.5 * range[i]);

    let bands = outputs("bbands", &[close], &[20.0, 2.0]);
    let percent = outputs("bbands_percent", &[close], &[20.0, 2.0]);
    let width = outputs("bbands_width", &[close], &[20.0, 2.0]);
    let spread = |i: usize| bands[0][i] - bands[2][i];
    assert_rows("bbands_percent", &percent[0], 19, |i| (close[i] - bands[2][i]) / spread(i));
    assert_rows("bbands_width", &width[0], 19, |i| spread(i) / bands[1][i]);

    let line = outputs("linearreg", &[close], &[20.0]);
    let slope = outputs("linearreg_slope", &[close], &[20.0]);
    let channel = outputs("linearreg_channel", &[close], &[20.0, 2.0]);
    let error = |i: usize| {
        let squares =
            |back: usize| (close[i - back] - line[0][i] + slope[0][i] * back as f64).powi(2);
        ((0..20).map(squares).sum::<f64>() / 18.0).sqrt()
    };
    assert_rows("linearreg_channel", &channel[0], 19, |i| line[0][i] + 2.0 * error(i));
    assert_rows("linearreg_channel", &channel[1], 19, |i| line[0][i]);
    assert_rows("linearreg_channel", &channel[2], 19, |i| line[0][i] - 2.0 * error(i));
}

#[test]
fn prices_weighted_by_volume() {
    let bars = WALK.bars(ROWS, 43);
    let (high, low, close) = (&bars.high[..], &bars.low[..], &bars.close[..]);
    let traded = |i: usize| (high[i] + low[i] + close[i]) / 3.0 * bars.volume[i];
    let mean = |rows: std::ops::RangeInclusive<usize>| {
        rows.clone().map(traded).sum::<f64>() / bars.volume[rows].iter().sum::<f64>()
    };
    let rolling = outputs("vwap_rolling", &[high, low, close, &bars.volume], &[20.0]);
    assert_rows("vwap_rolling", &rolling[0], 19, |i| mean(i - 19..=i));
    // Sessions of 150 rows.
    let day: Vec<f64> = (0..ROWS).map(|i| (i / 150) as f64).collect();
    let anchored = outputs("vwap", &[high, low, close, &bars.volume, &day], &[]);
    assert_rows("vwap", &anchored[0], 0, |i| mean(i / 150 * 150..=i));
}

#[test]
fn rescaled_ranges() {
    let bars = WALK.bars(ROWS, 47);
    let change = |i: usize| (bars.close[i] / bars.close[i - 1]).ln();
    let hurst = outputs("hurst", &[&bars.close], &[64.0]);
    assert_rows("hurst", &hurst[0], 64, |row| {
        let changes: Vec<f64> = (row - 63..=row).map(change).collect();
        let mean = changes.iter().sum::<f64>() / 64.0;
        let deviation = (changes.iter().map(|c| (c - mean).powi(2)).sum::<f64>() / 64.0).sqrt();
        let mut walked = vec![0.0];
        for c in &changes {
            walked.push(walked[walked.len() - 1] + c - mean);
        }
        let most = walked.iter().copied().fold(f64::MIN, f64::max);
        let least = walked.iter().copied().fold(f64::MAX, f64::min);
        ((most - least) / deviation).ln() / 32.0_f64.ln()
    });
}
