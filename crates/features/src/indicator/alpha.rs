//! Qlib's Alpha158: 9 features of one bar, 4 prices and 29 rolling ones.
//!
//! Rolling features answer from the first row on (`min_periods = 1`), as Qlib's do. Quotients by
//! the close are products with its inverse. `vwap`, which bars do not hold, is the typical price.

use super::{affine, one, rows, two};
use crate::engine::Kernel;
use crate::engine::graph::{Graph, Series};
use crate::kernel::expand::{self, expand};
use crate::kernel::map::{self, map};
use crate::kernel::{order, tree};
use crate::registry::{Column, Indicator, Param};

map! {
    INVERSE = |a;| 1.0 / a;
    /// `a - max(b, c)`.
    OVER = |a, b, c;| a - if b > c { b } else { c };
    /// `min(a, b) - c`.
    UNDER = |a, b, c;| (if a < b { a } else { b }) - c;
    /// `(2 a - b - c) * scale`.
    SHIFTED = |a, b, c, scale;| (2.0 * a - b - c) * scale;
    /// `(a - b) * scale`.
    SPREAD = |a, b, scale;| (a - b) * scale;
    /// 1 where `a` is above `b`, else 0, also where one is missing.
    ABOVE = |a, b;| if a > b { 1.0 } else { 0.0 };
    LOG_1 = |a;| (a + 1.0).ln();
    LOG_RATIO_1 = |a, b;| (a / b + 1.0).ln();
    /// `|a / b - 1| * volume`.
    WEIGHTED_MOVE = |a, b, volume;| (a / b - 1.0).abs() * volume;
    R_SQUARED = |trend, squares; time, least| {
        if squares <= least { f64::NAN } else { trend * trend / (time * squares) }
    };
    /// Distance of the newest row from the regression line.
    RESIDUAL = |x, mean, trend; scale| (x - mean) - trend * scale;
    CORRELATION = |xx, yy, xy; least| {
        if xx <= least || yy <= least { f64::NAN } else { xy / (xx * yy).sqrt() }
    };
    /// Where `x` lies between `low` and `high`.
    RSV = |x, low, high;| (x - low) / (high - low + 1e-12);
    /// `a / (b + 1e-12)`.
    OVER_SUM = |a, b;| a / (b + 1e-12);
    /// `(a - b) / (c + 1e-12)`.
    DIFFERENCE_OVER_SUM = |a, b, c;| (a - b) / (c + 1e-12);
}

const CLOSE: &[Column] = &[Column::Close];
const VOLUME: &[Column] = &[Column::Volume];
const BAR: &[Column] = &[Column::Open, Column::High, Column::Low, Column::Close];
const HIGH_CLOSE: &[Column] = &[Column::High, Column::Close];
const LOW_CLOSE: &[Column] = &[Column::Low, Column::Close];
const RANGE_CLOSE: &[Column] = &[Column::High, Column::Low, Column::Close];
const CLOSE_VOLUME: &[Column] = &[Column::Close, Column::Volume];
const WINDOW: &[Param] = &[Param::rows("window", 20, 2)];

macro_rules! alpha {
    ($($name:ident, $title:literal, $inputs:expr, $params:expr, |$g:ident, $x:ident, $n:ident| $build:expr;)+) => {
        pub(crate) static INDICATORS: &[Indicator] = &[$(Indicator {
            name: stringify!($name),
            title: $title,
            inputs: $inputs,
            params: $params,
            outputs: &["value"],
            source: "Qlib Alpha158",
            build: |$g, $x, p| {
                let $n = p.first().map_or(0, |&p| rows(p));
                vec![$build]
            },
        },)+];
    };
}

alpha! {
    alpha_kmid, "(close - open) / open", BAR, &[], |g, x, _n| spread(g, x[3], x[0], Per::Open, x);
    alpha_klen, "(high - low) / open", BAR, &[], |g, x, _n| spread(g, x[1], x[2], Per::Open, x);
    alpha_kmid2, "(close - open) / (high - low)", BAR, &[],
        |g, x, _n| spread(g, x[3], x[0], Per::Range, x);
    alpha_kup, "(high - max(open, close)) / open", BAR, &[], |g, x, _n| upper(g, Per::Open, x);
    alpha_kup2, "(high - max(open, close)) / (high - low)", BAR, &[],
        |g, x, _n| upper(g, Per::Range, x);
    alpha_klow, "(min(open, close) - low) / open", BAR, &[], |g, x, _n| lower(g, Per::Open, x);
    alpha_klow2, "(min(open, close) - low) / (high - low)", BAR, &[],
        |g, x, _n| lower(g, Per::Range, x);
    alpha_ksft, "(2 close - high - low) / open", BAR, &[], |g, x, _n| shifted(g, Per::Open, x);
    alpha_ksft2, "(2 close - high - low) / (high - low)", BAR, &[],
        |g, x, _n| shifted(g, Per::Range, x);
    alpha_open0, "open / close", &[Column::Open, Column::Close], &[],
        |g, x, _n| per(g, x[0], x[1]);
    alpha_high0, "high / close", HIGH_CLOSE, &[], |g, x, _n| per(g, x[0], x[1]);
    alpha_low0, "low / close", LOW_CLOSE, &[], |g, x, _n| per(g, x[0], x[1]);
    alpha_vwap0, "typical price / close", RANGE_CLOSE, &[], |g, x, _n| {
        let typical = super::three(g, &map::TYPICAL, [x[0], x[1], x[2]]);
        per(g, typical, x[2])
    };
    alpha_roc, "close `window` rows ago / close", CLOSE, WINDOW, |g, x, n| {
        let inverse = one(g, &INVERSE, x[0]);
        two(g, &map::MUL, x[0].lag(n), inverse)
    };
    alpha_ma, "mean of the close / close", CLOSE, WINDOW, |g, x, n| {
        let m = mean(g, x[0], n);
        per(g, m, x[0])
    };
    alpha_std, "standard deviation of the close / close", CLOSE, WINDOW, |g, x, n| {
        let s = std(g, x[0], n);
        per(g, s, x[0])
    };
    alpha_beta, "slope of the close / close", CLOSE, WINDOW, |g, x, n| {
        let w = n as f64;
        let trend = tree::trend(g, x[0], n);
        let slope = affine(g, trend, 12.0 / (w * (w * w - 1.0)), 0.0);
        let slope = expand(g, &expand::SLOPE, slope, &[x[0]], n);
        per(g, slope, x[0])
    };
    alpha_rsqr, "R-squared of the close on time", CLOSE, WINDOW, |g, x, n| {
        let w = n as f64;
        let (trend, squares) = (tree::trend(g, x[0], n), tree::squares(g, x[0], n));
        let consts = [w * (w * w - 1.0) / 12.0, least(n)];
        let r = g.node(&R_SQUARED, &[trend.into(), squares.into()], &consts);
        expand(g, &expand::R_SQUARED, r, &[x[0]], n)
    };
    alpha_resi, "residual of the close on time / close", CLOSE, WINDOW, |g, x, n| {
        let w = n as f64;
        let (trend, mean) = (tree::trend(g, x[0], n), tree::mean(g, x[0], n));
        let taps = [x[0].into(), mean.into(), trend.into()];
        let r = g.node(&RESIDUAL, &taps, &[6.0 / (w * (w + 1.0))]);
        let r = expand(g, &expand::RESIDUAL, r, &[x[0]], n);
        per(g, r, x[0])
    };
    alpha_max, "highest high / close", HIGH_CLOSE, WINDOW, |g, x, n| {
        let m = highest(g, x[0], n);
        per(g, m, x[1])
    };
    alpha_min, "lowest low / close", LOW_CLOSE, WINDOW, |g, x, n| {
        let m = lowest(g, x[0], n);
        per(g, m, x[1])
    };
    alpha_qtlu, "0.8 quantile of the close / close", CLOSE, WINDOW, |g, x, n| {
        let q = quantiles(g, x[0], n);
        let q = expand(g, &expand::QUANTILE_80, q, &[x[0]], n);
        per(g, q, x[0])
    };
    alpha_qtld, "0.2 quantile of the close / close", CLOSE, WINDOW, |g, x, n| {
        let q = Series(quantiles(g, x[0], n).0 + 1);
        let q = expand(g, &expand::QUANTILE_20, q, &[x[0]], n);
        per(g, q, x[0])
    };
    alpha_rank, "rank of the close in its window", CLOSE, WINDOW, |g, x, n| {
        let r = g.node(&order::RANK, &[x[0].window(n)], &[]);
        expand(g, &expand::RANK, r, &[x[0]], n)
    };
    alpha_rsv, "place of the close in the window's range", RANGE_CLOSE, WINDOW, |g, x, n| {
        let (high, low) = (highest(g, x[0], n), lowest(g, x[1], n));
        super::three(g, &RSV, [x[2], low, high])
    };
    alpha_imax, "place of the highest high in its window", &[Column::High], WINDOW, |g, x, n| {
        let place = place(g, tree::Extreme::MaxOldest, &expand::PLACE_MAX, x[0], n);
        affine(g, place, 1.0 / n as f64, 0.0)
    };
    alpha_imin, "place of the lowest low in its window", &[Column::Low], WINDOW, |g, x, n| {
        let place = place(g, tree::Extreme::MinOldest, &expand::PLACE_MIN, x[0], n);
        affine(g, place, 1.0 / n as f64, 0.0)
    };
    alpha_imxd, "distance between the two places", &[Column::High, Column::Low], WINDOW,
        |g, x, n| {
            let high = place(g, tree::Extreme::MaxOldest, &expand::PLACE_MAX, x[0], n);
            let low = place(g, tree::Extreme::MinOldest, &expand::PLACE_MIN, x[1], n);
            super::mix(g, high, 1.0 / n as f64, low, -1.0 / n as f64)
        };
    alpha_corr, "correlation of the close and the volume's logarithm", CLOSE_VOLUME, WINDOW,
        |g, x, n| {
            let log = one(g, &LOG_1, x[1]);
            correlation(g, x[0], log, n)
        };
    alpha_cord, "correlation of the changes of close and volume", CLOSE_VOLUME, WINDOW,
        |g, x, n| {
            let price = two(g, &map::DIV, x[0], x[0].lag(1));
            let volume = two(g, &LOG_RATIO_1, x[1], x[1].lag(1));
            correlation(g, price, volume, n)
        };
    alpha_cntp, "share of rising rows", CLOSE, WINDOW, |g, x, n| {
        let up = g.undelayed(&ABOVE, &[x[0].into(), x[0].lag(1)], &[]);
        mean(g, up, n)
    };
    alpha_cntn, "share of falling rows", CLOSE, WINDOW, |g, x, n| {
        let down = g.undelayed(&ABOVE, &[x[0].lag(1), x[0].into()], &[]);
        mean(g, down, n)
    };
    alpha_cntd, "share of rising less share of falling rows", CLOSE, WINDOW, |g, x, n| {
        let up = g.undelayed(&ABOVE, &[x[0].into(), x[0].lag(1)], &[]);
        let down = g.undelayed(&ABOVE, &[x[0].lag(1), x[0].into()], &[]);
        let (up, down) = (mean(g, up, n), mean(g, down, n));
        two(g, &map::SUB, up, down)
    };
    alpha_sump, "sum of gains over sum of moves", CLOSE, WINDOW,
        |g, x, n| moves(g, x[0], n, Side::Up);
    alpha_sumn, "sum of losses over sum of moves", CLOSE, WINDOW,
        |g, x, n| moves(g, x[0], n, Side::Down);
    alpha_sumd, "gains less losses over sum of moves", CLOSE, WINDOW,
        |g, x, n| moves(g, x[0], n, Side::Both);
    alpha_vma, "mean of the volume / volume", VOLUME, WINDOW, |g, x, n| {
        let m = mean(g, x[0], n);
        per_volume(g, m, x[0])
    };
    alpha_vstd, "standard deviation of the volume / volume", VOLUME, WINDOW, |g, x, n| {
        let s = std(g, x[0], n);
        per_volume(g, s, x[0])
    };
    alpha_wvma, "relative deviation of the volume-weighted moves", CLOSE_VOLUME, WINDOW,
        |g, x, n| {
            let moved =
                g.node(&WEIGHTED_MOVE, &[x[0].into(), x[0].lag(1), x[1].into()], &[]);
            let (s, m) = (std(g, moved, n), mean(g, moved, n));
            two(g, &OVER_SUM, s, m)
        };
    alpha_vsump, "sum of the volume's gains over sum of its moves", VOLUME, WINDOW,
        |g, x, n| moves(g, x[0], n, Side::Up);
    alpha_vsumn, "sum of the volume's losses over sum of its moves", VOLUME, WINDOW,
        |g, x, n| moves(g, x[0], n, Side::Down);
    alpha_vsumd, "volume's gains less losses over sum of its moves", VOLUME, WINDOW,
        |g, x, n| moves(g, x[0], n, Side::Both);
}

#[derive(Clone, Copy)]
enum Per {
    Open,
    Range,
}

/// 1 over the open, or 1 over the bar's range, of open, high, low, close.
fn scale(g: &mut Graph, per: Per, bar: &[Series]) -> Series {
    match per {
        Per::Open => one(g, &INVERSE, bar[0]),
        Per::Range => {
            let range = two(g, &map::SUB, bar[1], bar[2]);
            let range = affine(g, range, 1.0, 1e-12);
            one(g, &INVERSE, range)
        }
    }
}

fn spread(g: &mut Graph, a: Series, b: Series, per: Per, bar: &[Series]) -> Series {
    let scale = scale(g, per, bar);
    super::three(g, &SPREAD, [a, b, scale])
}

fn upper(g: &mut Graph, per: Per, bar: &[Series]) -> Series {
    let shadow = super::three(g, &OVER, [bar[1], bar[0], bar[3]]);
    let scale = scale(g, per, bar);
    two(g, &map::MUL, shadow, scale)
}

fn lower(g: &mut Graph, per: Per, bar: &[Series]) -> Series {
    let shadow = super::three(g, &UNDER, [bar[0], bar[3], bar[2]]);
    let scale = scale(g, per, bar);
    two(g, &map::MUL, shadow, scale)
}

fn shifted(g: &mut Graph, per: Per, bar: &[Series]) -> Series {
    let scale = scale(g, per, bar);
    g.node(&SHIFTED, &[bar[3].into(), bar[1].into(), bar[2].into(), scale.into()], &[])
}

fn per(g: &mut Graph, a: Series, close: Series) -> Series {
    let inverse = one(g, &INVERSE, close);
    two(g, &map::MUL, a, inverse)
}

fn per_volume(g: &mut Graph, a: Series, volume: Series) -> Series {
    let volume = affine(g, volume, 1.0, 1e-12);
    per(g, a, volume)
}

fn mean(g: &mut Graph, x: Series, window: usize) -> Series {
    let full = tree::mean(g, x, window);
    expand(g, &expand::MEAN, full, &[x], window)
}

fn std(g: &mut Graph, x: Series, window: usize) -> Series {
    let squares = tree::squares(g, x, window);
    let variance = affine(g, squares, 1.0 / (window as f64 - 1.0), 0.0);
    let full = one(g, &map::SQRT, variance);
    expand(g, &expand::STD, full, &[x], window)
}

fn highest(g: &mut Graph, x: Series, window: usize) -> Series {
    let full = tree::max(g, x, window);
    expand(g, &expand::MAX, full, &[x], window)
}

fn lowest(g: &mut Graph, x: Series, window: usize) -> Series {
    let full = tree::min(g, x, window);
    expand(g, &expand::MIN, full, &[x], window)
}

fn quantiles(g: &mut Graph, x: Series, window: usize) -> Series {
    g.node(&order::QUANTILES, &[x.window(window)], &[window as f64, 0.8, 0.2])
}

fn place(
    g: &mut Graph,
    extreme: tree::Extreme,
    partial: &'static Kernel,
    x: Series,
    window: usize,
) -> Series {
    let age = tree::age(g, extreme, x, window);
    let full = affine(g, age, -1.0, window as f64);
    expand(g, partial, full, &[x], window)
}

/// The sum of squares up to which Qlib takes a window for constant.
fn least(window: usize) -> f64 {
    expand::FLAT * expand::FLAT * (window as f64 - 1.0)
}

fn correlation(g: &mut Graph, x: Series, y: Series, window: usize) -> Series {
    let of = tree::pair(g, x, y, window);
    let full = g.node(&CORRELATION, &of.map(Into::into), &[least(window)]);
    expand(g, &expand::CORRELATION, full, &[x, y], window)
}

#[derive(Clone, Copy, PartialEq)]
enum Side {
    Up,
    Down,
    Both,
}

fn moves(g: &mut Graph, x: Series, window: usize, side: Side) -> Series {
    let change = two(g, &map::SUB, x, x.lag(1));
    let gain = one(g, &map::POSITIVE, change);
    let loss = one(g, &map::NEGATIVE, change);
    let size = one(g, &map::ABS, change);
    let mut sum = |x: Series| {
        let full = tree::sum(g, x, window);
        expand(g, &expand::SUM, full, &[x], window)
    };
    let total = sum(size);
    match side {
        Side::Up => {
            let gain = sum(gain);
            two(g, &OVER_SUM, gain, total)
        }
        Side::Down => {
            let loss = sum(loss);
            two(g, &OVER_SUM, loss, total)
        }
        Side::Both => {
            let (gain, loss) = (sum(gain), sum(loss));
            super::three(g, &DIFFERENCE_OVER_SUM, [gain, loss, total])
        }
    }
}
