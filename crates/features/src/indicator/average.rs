//! Moving averages and the bands around them.

use super::{affine, mix, rows, two};
use crate::engine::graph::{Graph, Series};
use crate::kernel::{map, recur, tree};
use crate::registry::{Column, Indicator, Param};

const CLOSE: &[Column] = &[Column::Close];
const WINDOW_20: &[Param] = &[Param::rows("window", 20, 1)];

pub(crate) static INDICATORS: &[Indicator] = &[
    Indicator {
        name: "sma",
        title: "Simple moving average",
        inputs: CLOSE,
        params: WINDOW_20,
        outputs: &["sma"],
        source: "mean of the last `window` rows; TA-Lib SMA",
        build: |g, x, p| vec![tree::mean(g, x[0], rows(p[0]))],
    },
    Indicator {
        name: "ema",
        title: "Exponential moving average",
        inputs: CLOSE,
        params: WINDOW_20,
        outputs: &["ema"],
        source: "weight 2 / (window + 1) on the new row, seeded by the mean of the first `window` \
                 rows; TA-Lib EMA",
        build: |g, x, p| vec![ema(g, x[0], rows(p[0]))],
    },
    Indicator {
        name: "wma",
        title: "Weighted moving average",
        inputs: CLOSE,
        params: WINDOW_20,
        outputs: &["wma"],
        source: "weights 1 to `window`, the newest row the heaviest; TA-Lib WMA",
        build: |g, x, p| vec![wma(g, x[0], rows(p[0]))],
    },
    Indicator {
        name: "dema",
        title: "Double exponential moving average",
        inputs: CLOSE,
        params: WINDOW_20,
        outputs: &["dema"],
        source: "2 EMA - EMA(EMA), Mulloy 1994; TA-Lib DEMA",
        build: |g, x, p| {
            let [a, b, _] = emas(g, x[0], rows(p[0]));
            vec![mix(g, a, 2.0, b, -1.0)]
        },
    },
    Indicator {
        name: "tema",
        title: "Triple exponential moving average",
        inputs: CLOSE,
        params: WINDOW_20,
        outputs: &["tema"],
        source: "3 EMA - 3 EMA(EMA) + EMA(EMA(EMA)), Mulloy 1994; TA-Lib TEMA",
        build: |g, x, p| {
            let [a, b, c] = emas(g, x[0], rows(p[0]));
            let ab = mix(g, a, 3.0, b, -3.0);
            vec![two(g, &map::ADD, ab, c)]
        },
    },
    Indicator {
        name: "trima",
        title: "Triangular moving average",
        inputs: CLOSE,
        params: WINDOW_20,
        outputs: &["trima"],
        source: "mean of means whose windows add up to `window + 1`; TA-Lib TRIMA",
        build: |g, x, p| {
            let n = rows(p[0]);
            let inner = tree::mean(g, x[0], n.div_ceil(2));
            vec![tree::mean(g, inner, n / 2 + 1)]
        },
    },
    Indicator {
        name: "hma",
        title: "Hull moving average",
        inputs: CLOSE,
        params: &[Param::rows("window", 20, 2)],
        outputs: &["hma"],
        source: "WMA over sqrt(window) rows of 2 WMA(window / 2) - WMA(window), Hull 2005",
        build: |g, x, p| {
            let n = rows(p[0]);
            let (half, whole) = (wma(g, x[0], n / 2), wma(g, x[0], n));
            let lead = mix(g, half, 2.0, whole, -1.0);
            vec![wma(g, lead, (n as f64).sqrt() as usize)]
        },
    },
    Indicator {
        name: "bbands",
        title: "Bollinger bands",
        inputs: CLOSE,
        params: &[Param::rows("window", 20, 2), Param::real("width", 2.0, 0.0, 1e3)],
        outputs: &["upper", "middle", "lower", "percent_b", "bandwidth"],
        source: "mean and `width` population standard deviations around it; TA-Lib BBANDS; \
                 %b = (close - lower) / (upper - lower), bandwidth = (upper - lower) / middle",
        build: |g, x, p| {
            let n = rows(p[0]);
            let middle = tree::mean(g, x[0], n);
            let deviation = stddev(g, x[0], n);
            let upper = mix(g, middle, 1.0, deviation, p[1]);
            let lower = mix(g, middle, 1.0, deviation, -p[1]);
            let percent =
                g.node(&map::WITHIN, &[x[0].into(), lower.into(), upper.into()], &[1.0, 0.0]);
            let spread = two(g, &map::SUB, upper, lower);
            let bandwidth = two(g, &map::RATIO_OR_0, spread, middle);
            vec![upper, middle, lower, percent, bandwidth]
        },
    },
];

/// Exponential moving average with the usual weight, seeded by the mean of its first window.
pub(crate) fn ema(g: &mut Graph, x: Series, window: usize) -> Series {
    recur::ema(g, x, 2.0 / (window as f64 + 1.0), window)
}

/// The average, the average of that, and the average of that again.
pub(crate) fn emas(g: &mut Graph, x: Series, window: usize) -> [Series; 3] {
    let a = ema(g, x, window);
    let b = ema(g, a, window);
    [a, b, ema(g, b, window)]
}

/// Weighted mean: the mean, plus what the trend adds to it.
pub(crate) fn wma(g: &mut Graph, x: Series, window: usize) -> Series {
    if window == 1 {
        return x;
    }
    let n = window as f64;
    let (mean, trend) = (tree::mean(g, x, window), tree::trend(g, x, window));
    mix(g, mean, 1.0, trend, 2.0 / (n * (n + 1.0)))
}

/// Population standard deviation.
pub(crate) fn stddev(g: &mut Graph, x: Series, window: usize) -> Series {
    let squares = tree::squares(g, x, window);
    let variance = affine(g, squares, 1.0 / window as f64, 0.0);
    g.node(&map::SQRT, &[variance.into()], &[])
}
