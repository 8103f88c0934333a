//! Ranges and volatilities.

use super::{affine, mix, one, rows, two};
use crate::engine::graph::{Graph, Series};
use crate::kernel::{map, recur, tree};
use crate::registry::{Column, Indicator, Param};

const BAR: &[Column] = &[Column::High, Column::Low, Column::Close];
const WINDOW_14: &[Param] = &[Param::rows("window", 14, 1)];
const OHLC: &[Column] = &[Column::Open, Column::High, Column::Low, Column::Close];
const VOLATILITY: &[Param] =
    &[Param::rows("window", 20, 2), Param::real("periods", 1.0, 1e-9, 1e9)];

pub(crate) static INDICATORS: &[Indicator] = &[
    Indicator {
        name: "true_range",
        title: "True range",
        inputs: BAR,
        params: &[],
        outputs: &["true_range"],
        source: "largest of the bar's range and its reaches from the previous close, Wilder 1978; \
                 TA-Lib TRANGE",
        build: |g, x, _| vec![true_range(g, x[0], x[1], x[2])],
    },
    Indicator {
        name: "atr",
        title: "Average true range",
        inputs: BAR,
        params: WINDOW_14,
        outputs: &["atr"],
        source: "the true range smoothed after Wilder 1978; TA-Lib ATR",
        build: |g, x, p| vec![atr(g, x, rows(p[0]))],
    },
    Indicator {
        name: "natr",
        title: "Normalised average true range",
        inputs: BAR,
        params: WINDOW_14,
        outputs: &["natr"],
        source: "average true range in percent of the close, Forman 2006; TA-Lib NATR",
        build: |g, x, p| {
            let atr = atr(g, x, rows(p[0]));
            let share = two(g, &map::RATIO_OR_0, atr, x[2]);
            vec![one(g, &map::PERCENT, share)]
        },
    },
    Indicator {
        name: "vol_close",
        title: "Realised volatility, close to close",
        inputs: &[Column::Close],
        params: VOLATILITY,
        outputs: &["volatility"],
        source: "sample standard deviation of log returns times the root of `periods`",
        build: |g, x, p| {
            let change = two(g, &map::LOG_RATIO, x[0], x[0].lag(1));
            let variance = sample_variance(g, change, rows(p[0]));
            vec![annual(g, variance, p[1])]
        },
    },
    Indicator {
        name: "vol_parkinson",
        title: "Realised volatility from the range",
        inputs: &[Column::High, Column::Low],
        params: VOLATILITY,
        outputs: &["volatility"],
        source: "mean of squared log ranges over 4 ln 2, Parkinson 1980",
        build: |g, x, p| {
            let range = two(g, &map::LOG_RATIO, x[0], x[1]);
            let square = g.node(&map::SQUARE, &[range.into()], &[1.0]);
            let mean = tree::mean(g, square, rows(p[0]));
            let variance = affine(g, mean, 0.25 / std::f64::consts::LN_2, 0.0);
            vec![annual(g, variance, p[1])]
        },
    },
    Indicator {
        name: "vol_garman_klass",
        title: "Realised volatility from the whole bar",
        inputs: OHLC,
        params: VOLATILITY,
        outputs: &["volatility"],
        source: "mean of ln(h/l)^2 / 2 - (2 ln 2 - 1) ln(c/o)^2, Garman and Klass 1980",
        build: |g, x, p| {
            let range = two(g, &map::LOG_RATIO, x[1], x[2]);
            let body = two(g, &map::LOG_RATIO, x[3], x[0]);
            let weight = 2.0 * std::f64::consts::LN_2 - 1.0;
            let of_bar = g.node(&map::GARMAN_KLASS, &[range.into(), body.into()], &[weight]);
            let variance = tree::mean(g, of_bar, rows(p[0]));
            vec![annual(g, variance, p[1])]
        },
    },
    Indicator {
        name: "vol_yang_zhang",
        title: "Realised volatility with opening jumps",
        inputs: OHLC,
        params: VOLATILITY,
        outputs: &["volatility"],
        source: "variance of the jump to the open, and of the open to close and Rogers-Satchell's \
                 in the shares that disturb least, Yang and Zhang 2000",
        build: |g, x, p| {
            let n = p[0];
            let jump = two(g, &map::LOG_RATIO, x[0], x[3].lag(1));
            let body = two(g, &map::LOG_RATIO, x[3], x[0]);
            let bar = [x[1], x[2], x[0], x[3]].map(Into::into);
            let inner = g.node(&map::ROGERS_SATCHELL, &bar, &[]);
            let jump = sample_variance(g, jump, rows(n));
            let body = sample_variance(g, body, rows(n));
            let inner = tree::mean(g, inner, rows(n));
            let k = 0.34 / (1.34 + (n + 1.0) / (n - 1.0));
            let both = mix(g, body, k, inner, 1.0 - k);
            let variance = two(g, &map::ADD, jump, both);
            vec![annual(g, variance, p[1])]
        },
    },
];

pub(crate) fn true_range(g: &mut Graph, high: Series, low: Series, close: Series) -> Series {
    g.node(&map::TRUE_RANGE, &[high.into(), low.into(), close.lag(1)], &[])
}

pub(crate) fn atr(g: &mut Graph, x: &[Series], window: usize) -> Series {
    let range = true_range(g, x[0], x[1], x[2]);
    recur::wilder(g, range, window, 0)
}

fn sample_variance(g: &mut Graph, x: Series, window: usize) -> Series {
    let squares = tree::squares(g, x, window);
    affine(g, squares, 1.0 / (window as f64 - 1.0), 0.0)
}

fn annual(g: &mut Graph, variance: Series, periods: f64) -> Series {
    let variance = affine(g, variance, periods, 0.0);
    one(g, &map::SQRT, variance)
}
