//! Moving averages and the bands around them.

use super::{affine, mix, rows, two};
use crate::engine::graph::{Graph, Series};
use crate::kernel::{map, path, recur, tree};
use crate::registry::{Column, Indicator, Param};

const CLOSE: &[Column] = &[Column::Close];
const WINDOW_20: &[Param] = &[Param::rows("window", 20, 1)];
const BANDS: &[Param] = &[Param::rows("window", 20, 2), Param::real("width", 2.0, 0.0, 1e3)];

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
        name: "kama",
        title: "Kaufman's adaptive moving average",
        inputs: CLOSE,
        params: &[Param::rows("window", 30, 2)],
        outputs: &["kama"],
        source: "weight between those of EMAs of 2 and 30 rows by the efficiency ratio, Kaufman \
                 1995; TA-Lib KAMA",
        build: |g, x, p| {
            let net = two(g, &map::SUB, x[0], x[0].lag(rows(p[0])));
            let step = two(g, &map::SUB, x[0], x[0].lag(1));
            let step = g.node(&map::ABS, &[step.into()], &[]);
            let total = tree::sum(g, step, rows(p[0]));
            let efficiency = two(g, &map::EFFICIENCY, net, total);
            let taps = [x[0].into(), efficiency.into()];
            vec![g.node(&path::KAMA, &taps, &[2.0 / 3.0, 2.0 / 31.0])]
        },
    },
    Indicator {
        name: "ema_first",
        title: "Exponential moving average seeded by the first value",
        inputs: CLOSE,
        params: WINDOW_20,
        outputs: &["ema"],
        source: "weight 2 / (window + 1), seeded by the first row, as TradingView does and pandas' \
                 ewm(adjust=False)",
        build: |g, x, p| vec![recur::ema(g, x[0], 2.0 / (p[0] + 1.0), 1, 0)],
    },
    Indicator {
        name: "ema_adjusted",
        title: "Exponential moving average with adjusted weights",
        inputs: CLOSE,
        params: WINDOW_20,
        outputs: &["ema"],
        source: "weights that add up to 1 from the first row on; pandas' ewm(adjust=True)",
        build: |g, x, p| {
            let decay = 1.0 - 2.0 / (p[0] + 1.0);
            let one = affine(g, x[0], 0.0, 1.0);
            let above = recur::decayed_sum(g, x[0], decay);
            let below = recur::decayed_sum(g, one, decay);
            vec![two(g, &map::DIV, above, below)]
        },
    },
    Indicator {
        name: "wilder",
        title: "Wilder's smoothing",
        inputs: CLOSE,
        params: WINDOW_20,
        outputs: &["wilder"],
        source: "weight 1 / window, seeded by the mean of the first `window` rows, Wilder 1978; \
                 TA-Lib RMA",
        build: |g, x, p| vec![recur::wilder(g, x[0], rows(p[0]), 0)],
    },
    Indicator {
        name: "keltner",
        title: "Keltner channel",
        inputs: &[Column::High, Column::Low, Column::Close],
        params: &[
            Param::rows("window", 20, 1),
            Param::rows("atr_window", 10, 1),
            Param::real("width", 2.0, 0.0, 1e3),
        ],
        outputs: &["upper", "middle", "lower"],
        source: "EMA of the typical price and `width` average true ranges around it, Raschke 1990s \
                 after Keltner 1960",
        build: |g, x, p| {
            let typical = super::three(g, &map::TYPICAL, [x[0], x[1], x[2]]);
            let middle = ema(g, typical, rows(p[0]));
            let range = super::volatility::atr(g, x, rows(p[1]));
            let upper = mix(g, middle, 1.0, range, p[2]);
            vec![upper, middle, mix(g, middle, 1.0, range, -p[2])]
        },
    },
    Indicator {
        name: "donchian",
        title: "Donchian channel",
        inputs: &[Column::High, Column::Low],
        params: WINDOW_20,
        outputs: &["upper", "middle", "lower"],
        source: "highest high, lowest low and their mean, Donchian 1960; TA-Lib DONCHIAN",
        build: |g, x, p| {
            let upper = tree::max(g, x[0], rows(p[0]));
            let lower = tree::min(g, x[1], rows(p[0]));
            vec![upper, mix(g, upper, 0.5, lower, 0.5), lower]
        },
    },
    Indicator {
        name: "bbands",
        title: "Bollinger bands",
        inputs: CLOSE,
        params: BANDS,
        outputs: &["upper", "middle", "lower"],
        source: "mean and `width` population standard deviations around it; TA-Lib BBANDS",
        build: |g, x, p| bands(g, x[0], p).to_vec(),
    },
    Indicator {
        name: "bbands_percent",
        title: "Bollinger %b",
        inputs: CLOSE,
        params: BANDS,
        outputs: &["percent_b"],
        source: "(x - lower band) / (upper band - lower band), Bollinger 2001; 0 where the bands \
                 meet",
        build: |g, x, p| {
            let [upper, _, lower] = bands(g, x[0], p);
            vec![g.node(&map::WITHIN, &[x[0].into(), lower.into(), upper.into()], &[1.0, 0.0])]
        },
    },
    Indicator {
        name: "bbands_width",
        title: "Bollinger bandwidth",
        inputs: CLOSE,
        params: BANDS,
        outputs: &["bandwidth"],
        source: "(upper band - lower band) / middle band, Bollinger 2001",
        build: |g, x, p| {
            let [upper, middle, lower] = bands(g, x[0], p);
            let spread = two(g, &map::SUB, upper, lower);
            vec![two(g, &map::RATIO_OR_0, spread, middle)]
        },
    },
];

/// Exponential moving average with the usual weight, seeded by the mean of its first window.
pub(crate) fn ema(g: &mut Graph, x: Series, window: usize) -> Series {
    ema_after(g, x, window, 0)
}

/// As [`ema`], seeded by the window after the first `skip` rows.
pub(crate) fn ema_after(g: &mut Graph, x: Series, window: usize, skip: usize) -> Series {
    recur::ema(g, x, 2.0 / (window as f64 + 1.0), window, skip)
}

/// The average, the average of that, and the average of that again.
pub(crate) fn emas(g: &mut Graph, x: Series, window: usize) -> [Series; 3] {
    let a = ema(g, x, window);
    let b = ema(g, a, window);
    [a, b, ema(g, b, window)]
}

/// Mean with weights 1 to `window`.
pub(crate) fn wma(g: &mut Graph, x: Series, window: usize) -> Series {
    let n = window as f64;
    let total = tree::weighted(g, x, window);
    affine(g, total, 2.0 / (n * (n + 1.0)), 0.0)
}

/// Upper, middle and lower Bollinger band.
fn bands(g: &mut Graph, x: Series, p: &[f64]) -> [Series; 3] {
    let middle = tree::mean(g, x, rows(p[0]));
    let deviation = stddev(g, x, rows(p[0]));
    let upper = mix(g, middle, 1.0, deviation, p[1]);
    [upper, middle, mix(g, middle, 1.0, deviation, -p[1])]
}

/// Population standard deviation.
pub(crate) fn stddev(g: &mut Graph, x: Series, window: usize) -> Series {
    let squares = tree::squares(g, x, window);
    let variance = affine(g, squares, 1.0 / window as f64, 0.0);
    g.node(&map::SQRT, &[variance.into()], &[])
}
