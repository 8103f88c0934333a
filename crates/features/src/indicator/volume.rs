//! Indicators of traded quantity.

use super::{rows, three, two};
use crate::kernel::{map, recur, tree};
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
            vec![g.node(&recur::TOTAL, &[signed.into()], &[])]
        },
    },
];
