//! Rolling statistics as indicators.

use super::{affine, mix, one, rows, three, two};
use crate::engine::graph::{Graph, Series};
use crate::indicator::average::stddev;
use crate::kernel::{map, order, total, tree, window};
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
    Indicator {
        name: "ratio",
        title: "Ratio",
        inputs: CLOSE,
        params: &[Param::rows("window", 1, 1)],
        outputs: &["ratio"],
        source: "x / x[window rows ago]; TA-Lib ROCR",
        build: |g, x, p| vec![two(g, &map::DIV, x[0], x[0].lag(rows(p[0])))],
    },
    Indicator {
        name: "log_return",
        title: "Log return",
        inputs: CLOSE,
        params: &[Param::rows("window", 1, 1)],
        outputs: &["log_return"],
        source: "ln(x / x[window rows ago])",
        build: |g, x, p| vec![two(g, &map::LOG_RATIO, x[0], x[0].lag(rows(p[0])))],
    },
    Indicator {
        name: "total",
        title: "Running total",
        inputs: CLOSE,
        params: &[],
        outputs: &["total"],
        source: "sum of all rows from the first that is not NaN; TA-Lib CUMSUM",
        build: |g, x, p| {
            let _ = p;
            vec![one(g, &total::TOTAL, x[0])]
        },
    },
    Indicator {
        name: "skew",
        title: "Skewness",
        inputs: CLOSE,
        params: &[Param::rows("window", 20, 3)],
        outputs: &["skew"],
        source: "sample skewness (Fisher and Pearson's, adjusted); pandas rolling skew; NaN where all rows are equal",
        build: |g, x, p| {
            let n = p[0];
            let [second, third, _] = powers(g, x[0], rows(n));
            let scale = (n * (n - 1.0)).sqrt() / (n - 2.0);
            vec![g.node(&map::SKEW, &[second.into(), third.into()], &[scale])]
        },
    },
    Indicator {
        name: "kurtosis",
        title: "Excess kurtosis",
        inputs: CLOSE,
        params: &[Param::rows("window", 20, 4)],
        outputs: &["kurtosis"],
        source: "sample excess kurtosis (adjusted); pandas rolling kurt; NaN where all rows are equal",
        build: |g, x, p| {
            let n = p[0];
            let [second, _, fourth] = powers(g, x[0], rows(n));
            let scale = (n - 1.0) / ((n - 2.0) * (n - 3.0));
            let consts = [scale * (n + 1.0), scale * 3.0 * (n - 1.0)];
            vec![g.node(&map::KURTOSIS, &[second.into(), fourth.into()], &consts)]
        },
    },
    Indicator {
        name: "median",
        title: "Median",
        inputs: CLOSE,
        params: WINDOW_20,
        outputs: &["median"],
        source: "middle of the sorted window",
        build: |g, x, p| vec![order::quantile_of(g, x[0], rows(p[0]), 0.5)],
    },
    Indicator {
        name: "quantile",
        title: "Quantile",
        inputs: CLOSE,
        params: &[Param::rows("window", 20, 1), Param::real("q", 0.5, 0.0, 1.0)],
        outputs: &["quantile"],
        source: "quantile `q` by linear interpolation; pandas rolling quantile",
        build: |g, x, p| vec![order::quantile_of(g, x[0], rows(p[0]), p[1])],
    },
    Indicator {
        name: "rank",
        title: "Rank",
        inputs: CLOSE,
        params: WINDOW_20,
        outputs: &["rank"],
        source: "rank of the row among its window over the window, equal rows at their mean rank; pandas rolling rank(pct=True)",
        build: |g, x, p| vec![g.node(&order::RANK, &[x[0].window(rows(p[0]))], &[])],
    },
    Indicator {
        name: "argmax",
        title: "Rows since the highest",
        inputs: CLOSE,
        params: WINDOW_20,
        outputs: &["age"],
        source: "0 is the current row; the newest of equals",
        build: |g, x, p| vec![tree::age(g, tree::Extreme::MaxNewest, x[0], rows(p[0]))],
    },
    Indicator {
        name: "argmin",
        title: "Rows since the lowest",
        inputs: CLOSE,
        params: WINDOW_20,
        outputs: &["age"],
        source: "0 is the current row; the newest of equals",
        build: |g, x, p| vec![tree::age(g, tree::Extreme::MinNewest, x[0], rows(p[0]))],
    },
    Indicator {
        name: "covar",
        title: "Covariance",
        inputs: &[Column::High, Column::Low],
        params: PAIR_20,
        outputs: &["covar"],
        source: "sample covariance of two series; pandas rolling cov",
        build: |g, x, p| {
            let [_, _, products] = tree::pair(g, x[0], x[1], rows(p[0]));
            vec![affine(g, products, 1.0 / (p[0] - 1.0), 0.0)]
        },
    },
    Indicator {
        name: "linearreg",
        title: "End of the linear regression",
        inputs: CLOSE,
        params: PAIR_20,
        outputs: &["linearreg"],
        source: "value of the least-squares line at the current row; TA-Lib LINEARREG",
        build: |g, x, p| vec![line_at(g, x[0], p[0], 0.5 * (p[0] - 1.0))],
    },
    Indicator {
        name: "linearreg_intercept",
        title: "Start of the linear regression",
        inputs: CLOSE,
        params: PAIR_20,
        outputs: &["intercept"],
        source: "value of the least-squares line at the window's first row; TA-Lib LINEARREG_INTERCEPT",
        build: |g, x, p| vec![line_at(g, x[0], p[0], -0.5 * (p[0] - 1.0))],
    },
    Indicator {
        name: "tsf",
        title: "Time series forecast",
        inputs: CLOSE,
        params: PAIR_20,
        outputs: &["tsf"],
        source: "value of the least-squares line one row ahead; TA-Lib TSF",
        build: |g, x, p| vec![line_at(g, x[0], p[0], 0.5 * (p[0] + 1.0))],
    },
    Indicator {
        name: "linearreg_r2",
        title: "R-squared of the linear regression",
        inputs: CLOSE,
        params: PAIR_20,
        outputs: &["r2"],
        source: "share of the squares that the line explains; 0 where all rows are equal",
        build: |g, x, p| {
            let (squares, trend) = moments(g, x[0], p[0]);
            let time = 12.0 / (p[0] * (p[0] * p[0] - 1.0));
            vec![g.node(&map::EXPLAINED, &[squares.into(), trend.into()], &[time])]
        },
    },
    Indicator {
        name: "linearreg_residual",
        title: "Residual of the linear regression",
        inputs: CLOSE,
        params: PAIR_20,
        outputs: &["residual"],
        source: "the current row less the least-squares line",
        build: |g, x, p| {
            let line = line_at(g, x[0], p[0], 0.5 * (p[0] - 1.0));
            vec![two(g, &map::SUB, x[0], line)]
        },
    },
    Indicator {
        name: "linearreg_channel",
        title: "Linear regression channel",
        inputs: CLOSE,
        params: &[Param::rows("window", 20, 3), Param::real("width", 2.0, 0.0, 1e3)],
        outputs: &["upper", "middle", "lower"],
        source: "the line's end and `width` standard errors sqrt(squares / (window - 2)) around it, Raff 1991",
        build: |g, x, p| {
            let (squares, trend) = moments(g, x[0], p[0]);
            let time = 12.0 / (p[0] * (p[0] * p[0] - 1.0));
            let around = g.node(&map::AROUND_LINE, &[squares.into(), trend.into()], &[time]);
            let variance = affine(g, around, 1.0 / (p[0] - 2.0), 0.0);
            let error = one(g, &map::SQRT, variance);
            let middle = line_at(g, x[0], p[0], 0.5 * (p[0] - 1.0));
            let upper = mix(g, middle, 1.0, error, p[1]);
            vec![upper, middle, mix(g, middle, 1.0, error, -p[1])]
        },
    },
    Indicator {
        name: "hurst",
        title: "Hurst exponent",
        inputs: CLOSE,
        params: &[Param::rows("window", 100, 8)],
        outputs: &["hurst"],
        source: "ln(R/S) / ln(window / 2) of the log returns, Hurst 1951; NaN where all are equal",
        build: |g, x, p| {
            let change = two(g, &map::LOG_RATIO, x[0], x[0].lag(1));
            vec![g.node(&window::HURST, &[change.window(rows(p[0]))], &[])]
        },
    },
];

/// Centred squares and products with time.
fn moments(g: &mut Graph, x: Series, window: f64) -> (Series, Series) {
    (tree::squares(g, x, rows(window)), tree::trend(g, x, rows(window)))
}

/// The least-squares line, `ahead` rows from the window's middle.
fn line_at(g: &mut Graph, x: Series, window: f64, ahead: f64) -> Series {
    let (mean, trend) = (tree::mean(g, x, rows(window)), tree::trend(g, x, rows(window)));
    let slope = 12.0 / (window * (window * window - 1.0));
    mix(g, mean, 1.0, trend, slope * ahead)
}

/// The second, third and fourth central moment.
fn powers(g: &mut Graph, x: Series, n: usize) -> [Series; 3] {
    let mean = tree::mean(g, x, n);
    let second = g.node(&window::POWERS, &[x.window(n), mean.into()], &[]);
    [second, Series(second.0 + 1), Series(second.0 + 2)]
}
