//! Oscillators: how fast and how far the price has gone.

use super::{mix, one, rows, three, two};
use crate::engine::graph::{Graph, Series};
use crate::indicator::average::{ema, ema_after, emas};
use crate::kernel::{map, recur, tree, window};
use crate::registry::{Column, Indicator, Param};

const CLOSE: &[Column] = &[Column::Close];
const BAR: &[Column] = &[Column::High, Column::Low, Column::Close];
const WINDOW_14: &[Param] = &[Param::rows("window", 14, 1)];

pub(crate) static INDICATORS: &[Indicator] = &[
    Indicator {
        name: "rsi",
        title: "Relative strength index",
        inputs: CLOSE,
        params: WINDOW_14,
        outputs: &["rsi"],
        source: "100 times the smoothed gains over smoothed gains and losses, Wilder 1978; \
                 TA-Lib RSI; 0 where nothing has moved",
        build: |g, x, p| vec![rsi(g, x[0], rows(p[0]))],
    },
    Indicator {
        name: "macd",
        title: "Moving average convergence divergence",
        inputs: CLOSE,
        params: &[
            Param::rows("fast", 12, 2),
            Param::rows("slow", 26, 2),
            Param::rows("signal", 9, 1),
        ],
        outputs: &["macd", "signal", "histogram"],
        source: "EMA(fast) - EMA(slow), both seeded at the slow one's first row, its EMA, and the \
                 difference of the two, Appel 1979; TA-Lib MACD",
        build: |g, x, p| {
            let (short, long) = (rows(p[0].min(p[1])), rows(p[0].max(p[1])));
            let fast = ema_after(g, x[0], short, long - short);
            let slow = ema(g, x[0], long);
            let macd = two(g, &map::SUB, fast, slow);
            let signal = ema(g, macd, rows(p[2]));
            vec![macd, signal, two(g, &map::SUB, macd, signal)]
        },
    },
    Indicator {
        name: "ppo",
        title: "Percentage price oscillator",
        inputs: CLOSE,
        params: &[Param::rows("fast", 12, 2), Param::rows("slow", 26, 2)],
        outputs: &["ppo"],
        source: "100 (EMA(fast) / EMA(slow) - 1); TA-Lib PPO with exponential averages",
        build: |g, x, p| {
            let (fast, slow) = (ema(g, x[0], rows(p[0])), ema(g, x[0], rows(p[1])));
            vec![two(g, &map::RATE, fast, slow)]
        },
    },
    Indicator {
        name: "roc",
        title: "Rate of change",
        inputs: CLOSE,
        params: &[Param::rows("window", 10, 1)],
        outputs: &["roc"],
        source: "100 (x / x[window rows ago] - 1); TA-Lib ROC",
        build: |g, x, p| vec![two(g, &map::RATE, x[0], x[0].lag(rows(p[0])))],
    },
    Indicator {
        name: "mom",
        title: "Momentum",
        inputs: CLOSE,
        params: &[Param::rows("window", 10, 1)],
        outputs: &["mom"],
        source: "x - x[window rows ago]; TA-Lib MOM",
        build: |g, x, p| vec![two(g, &map::SUB, x[0], x[0].lag(rows(p[0])))],
    },
    Indicator {
        name: "trix",
        title: "Triple smoothed rate of change",
        inputs: CLOSE,
        params: &[Param::rows("window", 30, 1)],
        outputs: &["trix"],
        source: "one-row rate of change of EMA(EMA(EMA)), Hutson 1983; TA-Lib TRIX",
        build: |g, x, p| {
            let [_, _, smooth] = emas(g, x[0], rows(p[0]));
            vec![two(g, &map::RATE, smooth, smooth.lag(1))]
        },
    },
    Indicator {
        name: "stoch",
        title: "Stochastic oscillator",
        inputs: BAR,
        params: &[
            Param::rows("window", 14, 1),
            Param::rows("slow_k", 3, 1),
            Param::rows("slow_d", 3, 1),
        ],
        outputs: &["k", "d"],
        source: "where the close lies in the window's range in percent, and two simple means of \
                 it, Lane; TA-Lib STOCH; 0 where the range is 0",
        build: |g, x, p| {
            let fast = stochastic(g, [x[0], x[1], x[2]], rows(p[0]));
            let k = tree::mean(g, fast, rows(p[1]));
            vec![k, tree::mean(g, k, rows(p[2]))]
        },
    },
    Indicator {
        name: "stoch_rsi",
        title: "Stochastic RSI",
        inputs: CLOSE,
        params: &[
            Param::rows("window", 14, 1),
            Param::rows("fast_k", 5, 1),
            Param::rows("fast_d", 3, 1),
        ],
        outputs: &["k", "d"],
        source: "the stochastic of the RSI, Chande and Kroll 1994; TA-Lib STOCHRSI",
        build: |g, x, p| {
            let rsi = rsi(g, x[0], rows(p[0]));
            let k = stochastic(g, [rsi; 3], rows(p[1]));
            vec![k, tree::mean(g, k, rows(p[2]))]
        },
    },
    Indicator {
        name: "willr",
        title: "Williams %R",
        inputs: BAR,
        params: WINDOW_14,
        outputs: &["willr"],
        source: "-100 (highest high - close) / (highest high - lowest low); TA-Lib WILLR; 0 where \
                 the range is 0",
        build: |g, x, p| {
            let (high, low) = (tree::max(g, x[0], rows(p[0])), tree::min(g, x[1], rows(p[0])));
            vec![three(g, &map::WILLIAMS, [x[2], low, high])]
        },
    },
    Indicator {
        name: "cci",
        title: "Commodity channel index",
        inputs: BAR,
        params: &[Param::rows("window", 20, 2)],
        outputs: &["cci"],
        source: "deviation of the typical price from its mean over 0.015 mean deviations, Lambert \
                 1980; TA-Lib CCI; 0 where there is no deviation",
        build: |g, x, p| {
            let n = rows(p[0]);
            let typical = three(g, &map::TYPICAL, [x[0], x[1], x[2]]);
            let mean = tree::mean(g, typical, n);
            let deviation = window::mean_deviation(g, typical, mean, n);
            vec![three(g, &map::CCI, [typical, mean, deviation])]
        },
    },
    Indicator {
        name: "ultosc",
        title: "Ultimate oscillator",
        inputs: BAR,
        params: &[
            Param::rows("short", 7, 1),
            Param::rows("middle", 14, 1),
            Param::rows("long", 28, 1),
        ],
        outputs: &["ultosc"],
        source: "buying pressure over true range in three windows, weighted 4, 2, 1, Williams 1985; \
                 TA-Lib ULTOSC",
        build: |g, x, p| {
            let range = g.node(&map::TRUE_RANGE, &[x[0].into(), x[1].into(), x[2].lag(1)], &[]);
            let floor = two(g, &map::MIN, x[1], x[2].lag(1));
            let pressure = two(g, &map::SUB, x[2], floor);
            let mut share = |window: f64| {
                let bought = tree::sum(g, pressure, rows(window));
                let ranged = tree::sum(g, range, rows(window));
                two(g, &map::RATIO_OR_0, bought, ranged)
            };
            let [a, b, c] = [share(p[0]), share(p[1]), share(p[2])];
            let ab = mix(g, a, 400.0 / 7.0, b, 200.0 / 7.0);
            vec![mix(g, ab, 1.0, c, 100.0 / 7.0)]
        },
    },
];

fn rsi(g: &mut Graph, x: Series, window: usize) -> Series {
    let change = two(g, &map::SUB, x, x.lag(1));
    let (gain, loss) = (one(g, &map::POSITIVE, change), one(g, &map::NEGATIVE, change));
    let (gain, loss) = (recur::wilder(g, gain, window, 0), recur::wilder(g, loss, window, 0));
    g.node(&map::SHARE, &[gain.into(), loss.into()], &[100.0])
}

/// Where the third series lies between the lowest of the second and the highest of the first.
fn stochastic(g: &mut Graph, [high, low, close]: [Series; 3], window: usize) -> Series {
    let (high, low) = (tree::max(g, high, window), tree::min(g, low, window));
    g.node(&map::WITHIN, &[close.into(), low.into(), high.into()], &[100.0, 0.0])
}
