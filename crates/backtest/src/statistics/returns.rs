//! The returns of an account, bar after bar, without a column of them.

use crate::engine::{Account, Fill};

/// Returns that are asked for bar after bar.
pub(super) trait Returns: Copy + Sync {
    /// Leaves out the bars before `bar`.
    fn seek(&mut self, bar: usize);

    /// That of `bar`, which is no bar before one that was asked for.
    fn at(&mut self, bar: usize) -> f64;

    /// Those from bar `from` on, the next that was not asked for. `out` holds the price's own for the
    /// same bars.
    fn block(&mut self, from: usize, out: &mut [f64]);
}

/// Those of a column.
#[derive(Clone, Copy)]
pub(super) struct Known<'a>(pub(super) &'a [f64]);

impl Returns for Known<'_> {
    fn seek(&mut self, _bar: usize) {}

    fn at(&mut self, bar: usize) -> f64 {
        self.0[bar]
    }

    #[inline(always)]
    fn block(&mut self, from: usize, out: &mut [f64]) {
        out.copy_from_slice(&self.0[from..from + out.len()]);
    }
}

/// Those that `fills` make from the closes: between two orders equity is `cash + position * close`.
#[derive(Clone, Copy)]
pub(super) struct OfFills<'a> {
    close: &'a [f64],
    fills: &'a [Fill],
    /// How many fills the present bar has behind it.
    done: usize,
    start: Account,
}

impl<'a> OfFills<'a> {
    pub(super) fn new(close: &'a [f64], fills: &'a [Fill], init_cash: f64) -> Self {
        let start = Account::new(init_cash);
        Self { close, fills, done: 0, start }
    }

    #[inline(always)]
    fn account(&self, done: usize) -> &'a Account
    where
        Self: 'a,
    {
        &self.fills[done - 1].account
    }

    /// Equity at the close of `bar`, after `done` fills.
    #[inline(always)]
    fn equity(&self, bar: usize, done: usize) -> f64 {
        let Account { cash, position, .. } =
            if done == 0 { self.start } else { *self.account(done) };
        cash + position * self.close[bar]
    }

    /// The bar of the next fill, or the end.
    #[inline(always)]
    fn next(&self) -> usize {
        self.fills.get(self.done).map_or(self.close.len(), |fill| fill.order.bar)
    }
}

impl Returns for OfFills<'_> {
    fn seek(&mut self, bar: usize) {
        self.done = self.fills.partition_point(|fill| fill.order.bar < bar);
    }

    #[inline(always)]
    fn at(&mut self, bar: usize) -> f64 {
        while self.next() < bar {
            self.done += 1;
        }
        let before = if bar == 0 { self.start.cash } else { self.equity(bar - 1, self.done) };
        while self.next() == bar && bar < self.close.len() {
            self.done += 1;
        }
        share(self.equity(bar, self.done), before)
    }

    #[inline(always)]
    fn block(&mut self, from: usize, out: &mut [f64]) {
        let (mut bar, end) = (from, from + out.len());
        while bar < end {
            if self.next() == bar || bar == 0 {
                out[bar - from] = self.at(bar);
                bar += 1;
                continue;
            }
            let to = self.next().min(end);
            let out = &mut out[bar - from..to - from];
            let Account { cash, position, .. } =
                if self.done == 0 { self.start } else { *self.account(self.done) };
            if position == 0.0 {
                out.fill(0.0);
            } else if cash != 0.0 || position < 0.0 {
                let closes = self.close[bar - 1..to].array_windows();
                for (out, [before, now]) in out.iter_mut().zip(closes) {
                    *out = share(cash + position * now, cash + position * before);
                }
            }
            // Else all is invested: equity moves as the price does, to rounding.
            bar = to;
        }
    }
}

/// The return from `b` to `a`, as a share of `b` without its sign; 0 where nothing changed.
#[inline(always)]
pub(super) fn share(a: f64, b: f64) -> f64 {
    if a == b { 0.0 } else { (a - b) / b.abs() }
}

#[cfg(test)]
mod tests {
    use market_data::{SynthOptions, synth};
    use proptest::prelude::*;

    use super::*;
    use crate::engine::simulate;
    use crate::statistics::{equity, price_returns, returns};
    use crate::{Config, Direction, Mask, Signals};

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(64))]

        #[test]
        fn are_those_of_the_equity(
            seed: u64,
            entries in prop::collection::vec(prop::bool::weighted(0.1), 700),
            exits in prop::collection::vec(prop::bool::weighted(0.1), 700),
            size in prop::sample::select(vec![f64::INFINITY, 3.0]),
            both: bool,
            cuts in prop::collection::vec(1_usize..200, 12),
        ) {
            let bars = synth(&SynthOptions { bars: 700, seed, ..SynthOptions::default() });
            let direction = if both { Direction::Both } else { Direction::LongOnly };
            let config = Config { size: size.into(), fees: 0.01.into(), direction, ..Config::default() };
            let masks = crate::strategy::EntryExit {
                entry: Mask::from_bools(&entries),
                exit: Mask::from_bools(&exits),
                ..Default::default()
            };
            let mut fills = Vec::new();
            simulate(&bars.view(), &Signals::of(masks, direction), &config, &mut fills).unwrap();
            let mut expected = vec![0.0; 700];
            equity(&bars.close, &fills, config.init_cash, &mut expected);
            returns(config.init_cash, &mut expected);
            let mut price = vec![0.0; 700];
            price_returns(&bars.close, &mut price);
            let is_close = |a: f64, b: f64| (a - b).abs() <= 1e-14;
            let mut blocks = OfFills::new(&bars.close, &fills, config.init_cash);
            let mut single = blocks;
            let mut from = 0;
            for cut in cuts.into_iter().chain([700]) {
                let to = (from + cut).min(700);
                let mut out = price[from..to].to_vec();
                if from % 2 == 0 {
                    blocks = OfFills::new(&bars.close, &fills, config.init_cash);
                    blocks.seek(from);
                }
                blocks.block(from, &mut out);
                for (bar, out) in (from..to).zip(out) {
                    prop_assert!(is_close(out, expected[bar]), "bar {bar}: {out}");
                }
                from = to;
            }
            for bar in (0..700).step_by(7) {
                prop_assert_eq!(single.at(bar), expected[bar], "bar {}", bar);
            }
        }
    }
}
