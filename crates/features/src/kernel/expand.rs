//! Windows that answer before they are full (`min_periods = 1`).
//!
//! Each kernel passes on the full windows' answer and, for the rows before the first full window,
//! computes the statistic of the rows that there are, plainly. Taps: the answer, then the window of
//! each series; constants: the window and the series' first row.

use super::order::{interpolate, rank_of};
use crate::engine::graph::{Graph, Series, Tap};
use crate::engine::{Across, Block, Kernel, stateless};

macro_rules! expand {
    ($($(#[$doc:meta])* $name:ident = |$x:ident, $y:ident| $value:expr;)+) => {$(
        $(#[$doc])*
        pub(crate) static $name: Kernel = Kernel {
            name: concat!(module_path!(), "::", stringify!($name)),
            outputs: 1,
            state: stateless,
            run: |block| patch(block, |$x: &[f64], $y: &[f64]| $value),
            across: Across::Symbols(whole),
        };
    )+};
}

expand! {
    SUM = |x, _y| x.iter().sum();
    MEAN = |x, _y| mean(x);
    STD = |x, _y| (products(x, x) / (x.len() as f64 - 1.0)).sqrt();
    MAX = |x, _y| x.iter().copied().fold(f64::NEG_INFINITY, |a, b| if b > a { b } else { a });
    MIN = |x, _y| x.iter().copied().fold(f64::INFINITY, |a, b| if b < a { b } else { a });
    SLOPE = |x, _y| slope(x);
    /// Coefficient of determination; NaN where the rows hardly differ, as Qlib has it.
    R_SQUARED = |x, _y| {
        let (n, xx) = (x.len() as f64, products(x, x));
        let time = n * (n * n - 1.0) / 12.0;
        if flat(xx, x.len()) { f64::NAN } else { trend(x).powi(2) / (time * xx) }
    };
    RESIDUAL = |x, _y| {
        let last = x[x.len() - 1];
        last - mean(x) - slope(x) * (x.len() as f64 - 1.0) / 2.0
    };
    /// 0.8 and 0.2 quantile.
    QUANTILE_80 = |x, _y| quantile(x, 0.8);
    QUANTILE_20 = |x, _y| quantile(x, 0.2);
    RANK = |x, _y| rank_of(x);
    /// Place of the oldest largest row in its window, counted from 1.
    PLACE_MAX = |x, _y| place(x, |a, b| a > b);
    /// Place of the oldest smallest row in its window, counted from 1.
    PLACE_MIN = |x, _y| place(x, |a, b| a < b);
    /// Correlation; NaN where either series hardly differs, as Qlib has it.
    CORRELATION = |x, y| {
        let (xx, yy) = (products(x, x), products(y, y));
        if flat(xx, x.len()) || flat(yy, y.len()) {
            f64::NAN
        } else {
            products(x, y) / (xx * yy).sqrt()
        }
    };
}

fn patch(block: &mut Block<'_, '_>, value: impl Fn(&[f64], &[f64]) -> f64) {
    let out = &mut *block.outputs[0];
    out.copy_from_slice(block.inputs[0]);
    let (window, first) = (block.consts[0] as usize, block.consts[1] as usize);
    let partial = (first + window - 1).saturating_sub(block.row).min(out.len());
    for (i, out) in out.iter_mut().enumerate().take(partial) {
        let rows = (block.row + i + 1).saturating_sub(first);
        let end = i + window;
        let [x, y] = [1, 2].map(|tap| rows_of(block.inputs.get(tap), end, rows));
        *out = if rows == 0 { f64::NAN } else { value(x, y) };
    }
}

/// One row of many symbols: the full windows' answer, once they are full.
fn whole(block: &mut Block<'_, '_>) -> bool {
    let (window, first) = (block.consts[0] as usize, block.consts[1] as usize);
    let full = block.row + 1 >= first + window;
    if full {
        block.outputs[0].copy_from_slice(block.inputs[0]);
    }
    full
}

fn rows_of<'b>(tap: Option<&&'b [f64]>, end: usize, rows: usize) -> &'b [f64] {
    tap.map_or(&[], |x| &x[end - rows..end])
}

fn mean(x: &[f64]) -> f64 {
    x.iter().sum::<f64>() / x.len() as f64
}

fn products(x: &[f64], y: &[f64]) -> f64 {
    let (mx, my) = (mean(x), mean(y));
    x.iter().zip(y).map(|(a, b)| (a - mx) * (b - my)).sum()
}

fn trend(x: &[f64]) -> f64 {
    let (mean, middle) = (mean(x), (x.len() as f64 - 1.0) / 2.0);
    x.iter().enumerate().map(|(i, v)| (i as f64 - middle) * (v - mean)).sum()
}

fn slope(x: &[f64]) -> f64 {
    let n = x.len() as f64;
    trend(x) / (n * (n * n - 1.0) / 12.0)
}

/// Whether the sample standard deviation is within 2e-5 of 0.
fn flat(squares: f64, rows: usize) -> bool {
    rows > 1 && (squares / (rows as f64 - 1.0)).sqrt() <= FLAT || squares.is_nan()
}

/// The standard deviation up to which Qlib takes a window for constant.
pub(crate) const FLAT: f64 = 2e-5;

fn quantile(x: &[f64], p: f64) -> f64 {
    let mut sorted = x.to_vec();
    sorted.sort_unstable_by(f64::total_cmp);
    if x.iter().any(|v| v.is_nan()) { f64::NAN } else { interpolate(&sorted, p) }
}

fn place(x: &[f64], better: impl Fn(f64, f64) -> bool) -> f64 {
    let best = (1..x.len()).fold(0, |best, i| if better(x[i], x[best]) { i } else { best });
    best as f64 + 1.0
}

/// `full`, with partial windows of `of` before it.
pub(crate) fn expand(
    g: &mut Graph,
    kernel: &'static Kernel,
    full: Series,
    of: &[Series],
    window: usize,
) -> Series {
    let first = of.iter().map(|&s| g.first(s)).max().unwrap_or(0);
    let mut taps: Vec<Tap> = vec![full.into()];
    taps.extend(of.iter().map(|s| s.window(window)));
    g.node_from(kernel, &taps, &[window as f64, first as f64], first)
}
