//! Indicators of traded quantity.

use super::{rows, three, two};
use crate::engine::graph::{Graph, Series};
use crate::kernel::{map, path, recur, total, tree};
use crate::registry::{Column, Indicator, Param};

const BAR_VOLUME: &[Column] = &[Column::High, Column::Low, Column::Close, Column::Volume];

pub(crate) static INDICATORS: &[Indicator] = &[
    Indicator {
        name: "mfi",
        title: "Money flow index",
        inputs: BAR_VOLUME,
        params: &[Param::rows("window", 14, 2)],
        outputs: &["mfi"],
        source: "share of the money that flowed while the typical price rose, Quong and Soudack \
                 1989; TA-Lib MFI; 0 where less than 1 unit of money flowed",
        build: |g, x, p| {
            let typical = three(g, &map::TYPICAL, [x[0], x[1], x[2]]);
            let flow = two(g, &map::MUL, typical, x[3]);
            let (now, last) = (typical.into(), typical.lag(1));
            let up = g.node(&map::WHERE_ABOVE, &[now, last, flow.into()], &[]);
            let down = g.node(&map::WHERE_ABOVE, &[last, now, flow.into()], &[]);
            let (up, down) = (tree::sum(g, up, rows(p[0])), tree::sum(g, down, rows(p[0])));
            vec![two(g, &map::MONEY_SHARE, up, down)]
        },
    },
    Indicator {
        name: "obv",
        title: "On-balance volume",
        inputs: &[Column::Close, Column::Volume],
        params: &[],
        outputs: &["obv"],
        source: "running total of the volume with the sign of the close's change, begun with the \
                 first volume, Granville 1963; TA-Lib OBV",
        build: |g, x, _| {
            let signed = g.undelayed(&map::SIGNED, &[x[0].into(), x[0].lag(1), x[1].into()], &[]);
            vec![g.node(&total::TOTAL, &[signed.into()], &[])]
        },
    },
    Indicator {
        name: "ad",
        title: "Accumulation and distribution",
        inputs: BAR_VOLUME,
        params: &[],
        outputs: &["ad"],
        source: "running total of the volume times where the close lies in the bar, Chaikin; TA-Lib \
                 AD",
        build: |g, x, _| vec![accumulation(g, x)],
    },
    Indicator {
        name: "chaikin",
        title: "Chaikin oscillator",
        inputs: BAR_VOLUME,
        params: &[Param::rows("fast", 3, 2), Param::rows("slow", 10, 2)],
        outputs: &["chaikin"],
        source: "difference of two EMAs of accumulation and distribution, both seeded by its first \
                 row; TA-Lib ADOSC",
        build: |g, x, p| {
            let total = accumulation(g, x);
            let [fast, slow] = [p[0], p[1]].map(|n| recur::ema(g, total, 2.0 / (n + 1.0), 1, 0));
            vec![two(g, &map::SUB, fast, slow)]
        },
    },
    Indicator {
        name: "cmf",
        title: "Chaikin money flow",
        inputs: BAR_VOLUME,
        params: &[Param::rows("window", 20, 1)],
        outputs: &["cmf"],
        source: "sum of the volume times where the close lies in the bar over the sum of the \
                 volume; TA-Lib CMF",
        build: |g, x, p| {
            let flow = g.node(&map::FLOW, &[x[0], x[1], x[2], x[3]].map(Into::into), &[]);
            let (flow, volume) = (tree::sum(g, flow, rows(p[0])), tree::sum(g, x[3], rows(p[0])));
            vec![two(g, &map::RATIO_OR_0, flow, volume)]
        },
    },
    Indicator {
        name: "vwap",
        title: "Volume-weighted average price of the session",
        inputs: &[Column::High, Column::Low, Column::Close, Column::Volume, Column::Day],
        params: &[],
        outputs: &["vwap"],
        source: "typical price weighted by volume since the session's first bar; sessions are UTC \
                 days; NaN until volume has been traded",
        build: |g, x, _| {
            let typical = three(g, &map::TYPICAL, [x[0], x[1], x[2]]);
            let money = two(g, &map::MUL, typical, x[3]);
            vec![three(g, &path::SESSION_QUOTIENT, [money, x[3], x[4]])]
        },
    },
    Indicator {
        name: "vwap_rolling",
        title: "Volume-weighted average price of a window",
        inputs: BAR_VOLUME,
        params: &[Param::rows("window", 20, 1)],
        outputs: &["vwap"],
        source: "typical price weighted by volume over the last `window` rows; NaN without volume",
        build: |g, x, p| {
            let typical = three(g, &map::TYPICAL, [x[0], x[1], x[2]]);
            let money = two(g, &map::MUL, typical, x[3]);
            let (money, volume) = (tree::sum(g, money, rows(p[0])), tree::sum(g, x[3], rows(p[0])));
            vec![two(g, &map::DIV, money, volume)]
        },
    },
];

fn accumulation(g: &mut Graph, x: &[Series]) -> Series {
    let flow = g.node(&map::FLOW, &[x[0], x[1], x[2], x[3]].map(Into::into), &[]);
    g.node(&total::TOTAL, &[flow.into()], &[])
}
