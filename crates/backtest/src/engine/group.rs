//! Several assets at once: accounts of their own side by side, or one cash for all.

use market_data::BarsView;
use rayon::prelude::*;
use serde::{Deserialize, Serialize};

use super::book::Purse;
use super::column::{Column, Event, Planned, State};
use super::decide::Decision;
use super::{Fill, Side, simulate};
use crate::{BacktestError, Config, Signals};

/// An asset of a group.
#[derive(Debug, Clone, Copy)]
pub struct Asset<'a> {
    /// Its bars.
    pub bars: BarsView<'a>,
    /// Its signals.
    pub signals: &'a Signals,
    /// Its options; in a group with shared cash, `init_cash` is the group's.
    pub config: Config<'a>,
}

/// Which asset's order comes first in a bar, where several have one and share their cash.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum CallSequence {
    /// The first asset's, then the second's, and so on.
    #[default]
    Default,
    /// The last asset's first.
    Reversed,
    /// By value, the largest sale first and the largest purchase last, so that sales pay for
    /// purchases.
    Auto,
}

/// A fill of an asset in a group.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct GroupFill {
    /// The asset, counted from 0.
    pub asset: usize,
    /// The fill; the cash of its account is the group's.
    pub fill: Fill,
}

/// [`simulate`] for every asset with an account of its own, on all threads of the pool; fills are in
/// the order of the assets.
///
/// # Errors
/// As [`simulate`], of the first asset that fails.
pub fn simulate_columns(assets: &[Asset<'_>]) -> Result<Vec<Vec<Fill>>, BacktestError> {
    let run = |asset: &Asset<'_>| {
        let mut fills = Vec::new();
        simulate(&asset.bars, asset.signals, &asset.config, &mut fills).map(|()| fills)
    };
    assets.par_iter().map(run).collect::<Vec<_>>().into_iter().collect()
}

/// Runs assets that share the cash `init_cash` and writes their fills to `fills` (cleared first), in
/// the order in which they came.
///
/// Each asset has its own position, stops and waiting entries, and at most one order a bar; orders of
/// one bar come in `sequence`, each with the cash that those before it left. O(events x assets).
///
/// # Errors
/// As [`simulate`]; [`BacktestError::Length`] where assets differ in bars; and
/// [`BacktestError::Option`] where an option lends cash, which a group does not know.
pub fn simulate_group(
    assets: &[Asset<'_>],
    init_cash: f64,
    sequence: CallSequence,
    fills: &mut Vec<GroupFill>,
) -> Result<(), BacktestError> {
    fills.clear();
    assets.iter().try_for_each(|asset| check(asset, assets[0].bars.len()))?;
    let mut states = vec![State::new(init_cash); assets.len()];
    let columns = assets.iter().zip(&mut states);
    let mut columns: Vec<Column<'_>> =
        columns.map(|(a, state)| Column::new(&a.bars, a.signals, &a.config, state)).collect();
    let mut group = Group {
        next: columns.iter_mut().map(|column| column.next(0)).collect(),
        columns,
        purse: Purse::new(init_cash),
        fills,
    };
    let mut plans = Vec::new();
    while let Some(bar) = group.next.iter().flatten().map(|event| event.bar).min() {
        group.charge(bar);
        group.plan(bar, sequence, &mut plans)?;
        for (asset, planned) in plans.drain(..) {
            group.with_purse(asset, |column| column.fill(&planned));
        }
        group.step(bar);
    }
    Ok(())
}

fn check(asset: &Asset<'_>, bars: usize) -> Result<(), BacktestError> {
    let length = asset.bars.len();
    if length != bars {
        return Err(BacktestError::Length { what: "an asset of the group", length, bars });
    }
    let Config { leverage, maintenance_margin, .. } = asset.config;
    for (option, value, is_off) in [
        ("leverage", leverage, leverage == 1.0),
        ("maintenance_margin", maintenance_margin, maintenance_margin.is_nan()),
    ] {
        if !is_off {
            let expected = "none where assets share their cash";
            return Err(BacktestError::Option { option, value, bar: None, expected });
        }
    }
    Ok(())
}

/// A group in the middle of its run.
struct Group<'a, 'f> {
    columns: Vec<Column<'a>>,
    /// What comes next for each: only its own orders change that.
    next: Vec<Option<Event>>,
    purse: Purse,
    fills: &'f mut Vec<GroupFill>,
}

impl<'a> Group<'a, '_> {
    /// Lends the purse to `asset` for what `act` does, and keeps the fill.
    fn with_purse(&mut self, asset: usize, act: impl FnOnce(&mut Column<'a>) -> Option<Fill>) {
        let column = &mut self.columns[asset];
        column.book().take(self.purse);
        let fill = act(column);
        self.purse = column.book().purse();
        self.fills.extend(fill.map(|fill| GroupFill { asset, fill }));
    }

    /// Pays what assets owe at `bar`.
    fn charge(&mut self, bar: usize) {
        for asset in 0..self.columns.len() {
            while let Some(event) = self.next[asset].filter(|e| e.bar == bar && e.is_charge()) {
                self.with_purse(asset, |column| column.charge(&event));
                self.next[asset] = self.columns[asset].next(bar);
            }
        }
    }

    /// Collects the orders of `bar` in the order in which they are to be filled.
    fn plan(
        &mut self,
        bar: usize,
        sequence: CallSequence,
        plans: &mut Vec<(usize, Planned)>,
    ) -> Result<(), BacktestError> {
        for (asset, (column, next)) in self.columns.iter_mut().zip(&self.next).enumerate() {
            if let Some(event) = next.filter(|event| event.bar == bar) {
                column.book().take(self.purse);
                plans.extend(column.plan(&event)?.map(|planned| (asset, planned)));
            }
        }
        match sequence {
            CallSequence::Default => {}
            CallSequence::Reversed => plans.reverse(),
            CallSequence::Auto => plans.sort_by(|(a, first), (b, second)| {
                // A sum with 0 has no -0, which would come before a 0 that it equals.
                let value = |at: usize, planned| self.columns[at].value_of(planned) + 0.0;
                value(*a, first).total_cmp(&value(*b, second))
            }),
        }
        Ok(())
    }

    /// Finds what comes next for those that had something at `bar`.
    fn step(&mut self, bar: usize) {
        for (column, next) in self.columns.iter_mut().zip(&mut self.next) {
            if next.is_some_and(|event| event.bar == bar) {
                *next = column.next(bar + 1);
            }
        }
    }
}

impl Column<'_> {
    /// What `planned` would come to in cash, below 0 for a sale: a guess before fees and limits, by
    /// which orders are put in sequence.
    fn value_of(&self, planned: &Planned) -> f64 {
        let Planned { bar, decision, .. } = *planned;
        let Decision { side, size, percent, value, reduce_only } = decision;
        let account = self.state().book.account;
        let price = self.order_price(bar);
        let held = account.position * price;
        // Values that are equal must stay so: not by way of units.
        let worth = if value.is_nan() { size * price } else { value };
        match (percent.is_nan(), side, reduce_only) {
            (true, Side::Buy, _) => worth,
            (true, Side::Sell, _) => -worth,
            (false, Side::Buy, _) => percent * account.cash,
            (false, Side::Sell, true) => -percent * held,
            (false, Side::Sell, false) => {
                -percent * (2.0 * held.max(0.0) + account.free_cash.max(0.0))
            }
        }
    }
}
