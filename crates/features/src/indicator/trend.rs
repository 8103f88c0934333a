//! Direction: whether there is a trend, and how strong.

use super::{one, rows, two};
use crate::engine::graph::{Graph, Series};
use crate::kernel::{map, path, recur, tree};
use crate::registry::{Column, Indicator, Param};

const BAR: &[Column] = &[Column::High, Column::Low, Column::Close];

pub(crate) static INDICATORS: &[Indicator] = &[
    Indicator {
        name: "adx",
        title: "Average directional index",
        inputs: &[Column::High, Column::Low],
        params: &[Param::rows("window", 14, 2)],
        outputs: &["adx"],
        source: "smoothed imbalance of the two directional indicators, Wilder 1978; TA-Lib ADX",
        build: |g, x, p| {
            // The true range divides both movements, and so leaves their imbalance alone.
            let [up, down] = movements(g, [x[0], x[1]], rows(p[0]));
            let imbalance = two(g, &map::IMBALANCE, up, down);
            // The movements have a value one row before the indicator begins to average.
            vec![recur::wilder(g, imbalance, rows(p[0]), 1)]
        },
    },
    Indicator {
        name: "di",
        title: "Directional indicators",
        inputs: BAR,
        params: &[Param::rows("window", 14, 2)],
        outputs: &["plus", "minus"],
        source: "smoothed directional movement over smoothed true range in percent, Wilder 1978; \
                 TA-Lib PLUS_DI and MINUS_DI",
        build: |g, x, p| directional(g, [x[0], x[1], x[2]], rows(p[0])).to_vec(),
    },
    Indicator {
        name: "aroon",
        title: "Aroon",
        inputs: &[Column::High, Column::Low],
        params: &[Param::rows("window", 25, 2)],
        outputs: &["down", "up"],
        source: "how recent the lowest low and the highest high of `window + 1` rows are, in \
                 percent, the newest of equals, Chande 1995; TA-Lib AROON",
        build: |g, x, p| {
            let n = rows(p[0]);
            let up = tree::age(g, tree::Extreme::MaxNewest, x[0], n + 1);
            let down = tree::age(g, tree::Extreme::MinNewest, x[1], n + 1);
            [down, up].map(|age| g.node(&map::AROON, &[age.into()], &[1.0 / n as f64])).to_vec()
        },
    },
    Indicator {
        name: "psar",
        title: "Parabolic stop and reverse",
        inputs: &[Column::High, Column::Low],
        params: &[
            Param::real("acceleration", 0.02, 0.0, 1.0),
            Param::real("maximum", 0.2, 0.0, 1.0),
        ],
        outputs: &["psar"],
        source: "stop that accelerates towards the trend's extreme, Wilder 1978; TA-Lib SAR",
        build: |g, x, p| {
            vec![g.delayed(&path::PSAR, &[x[0].into(), x[1].into()], &[p[0], p[1]], 1)]
        },
    },
];

/// The directional indicators, up and down.
fn directional(g: &mut Graph, [high, low, close]: [Series; 3], window: usize) -> [Series; 2] {
    let range = g.node(&map::TRUE_RANGE, &[high.into(), low.into(), close.lag(1)], &[]);
    let range = recur::wilder_short(g, range, window);
    movements(g, [high, low], window).map(|moved| {
        let share = two(g, &map::RATIO_OR_0, moved, range);
        one(g, &map::PERCENT, share)
    })
}

/// The smoothed directional movements, up and down.
fn movements(g: &mut Graph, [high, low]: [Series; 2], window: usize) -> [Series; 2] {
    let bars = [high.into(), low.into(), high.lag(1), low.lag(1)];
    [&map::MOVE_UP, &map::MOVE_DOWN].map(|kernel| {
        let moved = g.node(kernel, &bars, &[]);
        recur::wilder_short(g, moved, window)
    })
}
