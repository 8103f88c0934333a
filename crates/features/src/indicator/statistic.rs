//! Rolling statistics as indicators.

use super::{affine, rows, three};
use crate::indicator::average::stddev;
use crate::kernel::{map, tree};
use crate::registry::{Column, Indicator, Param};

const CLOSE: &[Column] = &[Column::Close];
const WINDOW_20: &[Param] = &[Param::rows("window", 20, 1)];
const PAIR_20: &[Param] = &[Param::rows("window", 20, 2)];

pub(crate) static INDICATORS: &[Indicator] = &[
    Indicator {
        name: "sum",
        title: "Rolling sum",
        inputs: CLOSE,
        params: WINDOW_20,
        outputs: &["sum"],
        source: "sum of the last `window` rows; TA-Lib SUM",
        build: |g, x, p| vec![tree::sum(g, x[0], rows(p[0]))],
    },
    Indicator {
        name: "stddev",
        title: "Standard deviation",
        inputs: CLOSE,
        params: PAIR_20,
        outputs: &["stddev"],
        source: "population standard deviation; TA-Lib STDDEV with nbdev 1",
        build: |g, x, p| vec![stddev(g, x[0], rows(p[0]))],
    },
    Indicator {
        name: "var",
        title: "Variance",
        inputs: CLOSE,
        params: PAIR_20,
        outputs: &["var"],
        source: "population variance; TA-Lib VAR",
        build: |g, x, p| {
            let squares = tree::squares(g, x[0], rows(p[0]));
            vec![affine(g, squares, 1.0 / p[0], 0.0)]
        },
    },
    Indicator {
        name: "max",
        title: "Highest value",
        inputs: CLOSE,
        params: WINDOW_20,
        outputs: &["max"],
        source: "largest of the last `window` rows; TA-Lib MAX",
        build: |g, x, p| vec![tree::max(g, x[0], rows(p[0]))],
    },
    Indicator {
        name: "min",
        title: "Lowest value",
        inputs: CLOSE,
        params: WINDOW_20,
        outputs: &["min"],
        source: "smallest of the last `window` rows; TA-Lib MIN",
        build: |g, x, p| vec![tree::min(g, x[0], rows(p[0]))],
    },
    Indicator {
        name: "linearreg_slope",
        title: "Slope of the linear regression",
        inputs: CLOSE,
        params: PAIR_20,
        outputs: &["slope"],
        source: "least-squares slope per row; TA-Lib LINEARREG_SLOPE",
        build: |g, x, p| {
            let trend = tree::trend(g, x[0], rows(p[0]));
            vec![affine(g, trend, 12.0 / (p[0] * (p[0] * p[0] - 1.0)), 0.0)]
        },
    },
    Indicator {
        name: "correl",
        title: "Correlation",
        inputs: &[Column::High, Column::Low],
        params: PAIR_20,
        outputs: &["correl"],
        source: "Pearson's correlation of two series; TA-Lib CORREL; 0 where one is constant",
        build: |g, x, p| {
            let n = rows(p[0]);
            let of = tree::pair(g, x[0], x[1], n);
            vec![three(g, &map::CORRELATION, of)]
        },
    },
];
