//! A group of assets as one account.

use std::ops::Range;

use market_data::BarsView;

use super::summary::About;
use super::trades::TradeSums;
use super::{Path, Run, StatSet, Statistics, buy_and_hold, returns};
use crate::engine::{Fill, GroupFill};

/// What a group's simulation is judged by: its accounts as one.
#[derive(Debug, Clone, Copy)]
pub struct GroupRun<'a> {
    /// The assets' bars; closes without NaN (see [`crate::fill_close`]), as many for each.
    pub bars: &'a [BarsView<'a>],
    /// Fills in the order in which they came.
    pub fills: &'a [GroupFill],
    /// Cash of the group at the start.
    pub init_cash: f64,
    /// Whether the assets share it; else each has an equal part.
    pub shares_cash: bool,
    /// Length of a bar in nanoseconds.
    pub freq_ns: i64,
}

/// What each asset holds, and the cash.
struct Held {
    positions: Vec<f64>,
    /// Cash and free cash of each asset, or of all where they share it.
    purses: Vec<[f64; 2]>,
    shares_cash: bool,
}

impl Held {
    fn apply(&mut self, GroupFill { asset, fill }: &GroupFill) {
        self.positions[*asset] = fill.account.position;
        let purse = if self.shares_cash { 0 } else { *asset };
        self.purses[purse] = [fill.account.cash, fill.account.free_cash];
    }

    /// Cash and free cash of the group.
    fn cash(&self) -> [f64; 2] {
        [0, 1].map(|at| self.purses.iter().map(|purse| purse[at]).sum())
    }
}

/// The group's course: a value per bar each.
#[derive(Debug, Clone, PartialEq)]
pub struct Course {
    /// What the group is worth.
    pub equity: Vec<f64>,
    /// Size of its positions in cash, long or short, as a share of that and the free cash.
    pub exposure: Vec<f64>,
}

impl Run<'_> {
    /// Equity and exposure at every bar's close. O(bars).
    #[must_use]
    pub fn course(&self) -> Course {
        let fills: Vec<GroupFill> =
            self.fills.iter().map(|&fill| GroupFill { asset: 0, fill }).collect();
        let Self { bars, init_cash, freq_ns, .. } = *self;
        GroupRun { bars: &[bars], fills: &fills, init_cash, shares_cash: true, freq_ns }.course()
    }
}

impl GroupRun<'_> {
    fn len(&self) -> usize {
        self.bars[0].len()
    }

    /// Equity and exposure at every bar's close. O(bars x assets).
    #[must_use]
    pub fn course(&self) -> Course {
        let (bars, assets) = (self.len(), self.bars.len());
        let purses = if self.shares_cash { 1 } else { assets };
        let part = self.init_cash / purses as f64;
        let mut held = Held {
            positions: vec![0.0; assets],
            purses: vec![[part; 2]; purses],
            shares_cash: self.shares_cash,
        };
        let mut course = Course { equity: vec![0.0; bars], exposure: vec![0.0; bars] };
        let mut from = 0;
        for same_bar in self.fills.chunk_by(|a, b| a.fill.order.bar == b.fill.order.bar) {
            let to = same_bar[0].fill.order.bar;
            self.hold(from..to, &held, &mut course);
            same_bar.iter().for_each(|fill| held.apply(fill));
            from = to;
        }
        self.hold(from..bars, &held, &mut course);
        course
    }

    /// Writes what `held` is worth at the bars of `span`.
    fn hold(&self, span: Range<usize>, held: &Held, course: &mut Course) {
        let [cash, free] = held.cash();
        let (equity, size) = (&mut course.equity[span.clone()], &mut course.exposure[span.clone()]);
        equity.fill(cash);
        size.fill(0.0);
        for (bars, &position) in self.bars.iter().zip(&held.positions) {
            if position == 0.0 {
                continue;
            }
            for ((equity, size), close) in
                equity.iter_mut().zip(&mut *size).zip(&bars.close[span.clone()])
            {
                let value = position * close;
                *equity += value;
                *size += value.abs();
            }
        }
        for size in size {
            let is_all = free == 0.0 && *size > 0.0;
            *size = if is_all { 1.0 } else { *size / (*size + free) };
        }
    }

    /// Every asset bought with an equal part of the cash at its first close, and held.
    #[must_use]
    pub fn held(&self) -> Vec<f64> {
        let part = self.init_cash / self.bars.len() as f64;
        let mut equity = vec![0.0; self.len()];
        for bars in self.bars {
            let units = part / bars.close[0];
            equity.iter_mut().zip(bars.close).for_each(|(value, close)| *value += units * close);
        }
        equity
    }

    /// The fills of one asset.
    #[must_use]
    pub fn fills_of(&self, asset: usize) -> Vec<Fill> {
        self.fills.iter().filter(|fill| fill.asset == asset).map(|fill| fill.fill).collect()
    }

    /// The statistics in `set` of the accounts as one: trades are those of all assets, the benchmark
    /// is [`GroupRun::held`]. O(bars x assets) time, O(bars) memory.
    ///
    /// # Panics
    /// Without assets or bars.
    #[must_use]
    pub fn statistics(&self, set: StatSet) -> Statistics {
        let (course, held) = (self.course(), self.held());
        let last = self.len() - 1;
        let mut trades = TradeSums::new();
        for (asset, bars) in self.bars.iter().enumerate() {
            trades.add_all(&self.fills_of(asset), bars.close[last], self.len());
        }
        let fees = self.fills.iter().map(|fill| fill.fill.order.fees).sum();
        // To what follows, the group is an asset that is worth its equity, and held.
        let hold = [buy_and_hold(1.0, 1.0)];
        let mut moves = course.equity.clone();
        returns(self.init_cash, &mut moves);
        let (mut path, _) = Path::of(&course.equity, Some(&moves), &hold, self.init_cash, 0);
        path.max_gross_exposure = course.exposure.iter().copied().fold(f64::NEG_INFINITY, f64::max);
        let bars = BarsView { close: &held, ..self.bars[0] };
        let about = About { bars, init_cash: self.init_cash, freq_ns: self.freq_ns };
        about.of_equity(set, &trades, fees, path, course.equity)
    }
}
