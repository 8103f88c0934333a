//! Ranges and volatilities.

use super::{rows, two};
use crate::engine::graph::{Graph, Series};
use crate::kernel::{map, recur};
use crate::registry::{Column, Indicator, Param};

const BAR: &[Column] = &[Column::High, Column::Low, Column::Close];
const WINDOW_14: &[Param] = &[Param::rows("window", 14, 1)];

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
            vec![super::one(g, &map::PERCENT, share)]
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
