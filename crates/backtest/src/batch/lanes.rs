//! Eight accounts side by side.
//!
//! Every field has a place per trial and every operation works on all places, so that eight chains
//! of divisions run at once where one account alone waits for its own. What is rare (a new peak
//! within a position, an order that is rejected) is done for one place at a time.

use super::tile::{Row, Tile};
use super::vector::{LANES, Mask, Reals};
use crate::engine::{AllIn, next_bit};

/// Accounts, their equity's path and their trades so far. Bars and counts are numbers, too: whole
/// ones, which are exact.
#[derive(Debug, Clone, Copy)]
pub(super) struct Lanes {
    cash: Reals,
    units: Reals,
    is_open: Mask,
    entry_price: Reals,
    entry_fees: Reals,
    entry_bar: Reals,
    /// The row from which on the open position is not yet counted, and the lowest close from there
    /// to the end of its block.
    start: [usize; LANES],
    suffix_low: Reals,
    pub(super) path: Paths,
    pub(super) trades: Trades,
}

/// Sums over returns r.
#[derive(Debug, Clone, Copy)]
pub(super) struct Sums {
    pub(super) all: Reals,
    /// Of max(r, 0).
    pub(super) gains: Reals,
    /// Of min(r, 0).
    pub(super) losses: Reals,
    pub(super) squares: Reals,
    /// Of min(r, 0)^2.
    pub(super) downside_squares: Reals,
}

/// What [`crate::statistics`] calls a path, a place per trial.
#[derive(Debug, Clone, Copy)]
pub(super) struct Paths {
    /// Of the tiles before this one.
    pub(super) past: Sums,
    /// Of this tile: added up apart, so that small terms never meet a large sum.
    present: Sums,
    pub(super) equity: Reals,
    peak: Reals,
    pub(super) peak_bar: Reals,
    pub(super) is_below_peak: Mask,
    pub(super) max_drawdown: Reals,
    pub(super) longest: Reals,
}

/// Sums over closed trades.
#[derive(Debug, Clone, Copy)]
pub(super) struct Trades {
    pub(super) fees: Reals,
    pub(super) closed: Reals,
    pub(super) pnl: Reals,
    pub(super) best: Reals,
    pub(super) worst: Reals,
    pub(super) wins: Sides,
    pub(super) losses: Sides,
}

/// The winners or the losers.
#[derive(Debug, Clone, Copy)]
pub(super) struct Sides {
    pub(super) count: Reals,
    pub(super) pnl: Reals,
    pub(super) return_share: Reals,
    pub(super) bars: Reals,
}

/// A buy: what [`AllIn::buy`] gives, a place per trial.
struct Bought {
    price: Reals,
    size: Reals,
    fees: Reals,
}

/// A sale: what [`AllIn::sell`] gives, a place per trial.
struct Sold {
    price: Reals,
    received: Reals,
    fees: Reals,
}

impl Sums {
    const NONE: Self = Self {
        all: Reals::ZERO,
        gains: Reals::ZERO,
        losses: Reals::ZERO,
        squares: Reals::ZERO,
        downside_squares: Reals::ZERO,
    };

    #[inline(always)]
    fn add(&mut self, r: Reals) {
        let loss = r.lower(Reals::ZERO);
        self.all += r;
        self.gains += r.higher(Reals::ZERO);
        self.losses += loss;
        self.squares += r * r;
        self.downside_squares += loss * loss;
    }

    /// Adds the sums of `rows` times `sign`.
    #[inline(always)]
    fn add_rows(&mut self, rows: &Rows, sign: Reals) {
        self.all += sign * rows.sum;
        self.gains += sign * rows.gains;
        self.losses += sign * rows.losses;
        self.squares += sign * rows.squares;
        self.downside_squares += sign * rows.downside_squares;
    }
}

/// A row per trial, turned: a place per trial for each of its numbers.
struct Rows {
    last: Reals,
    sum: Reals,
    gains: Reals,
    losses: Reals,
    squares: Reals,
    downside_squares: Reals,
    suffix_low: Reals,
    prefix_low: Reals,
}

impl Rows {
    #[inline(always)]
    fn load(tile: &Tile<'_>, at: &[usize; LANES]) -> Self {
        let rows: [Row; LANES] = at.map(|bar| tile.row(bar));
        Self {
            last: Reals::of(|l| rows[l].last),
            sum: Reals::of(|l| rows[l].sum),
            gains: Reals::of(|l| rows[l].gains),
            losses: Reals::of(|l| rows[l].losses),
            squares: Reals::of(|l| rows[l].squares),
            downside_squares: Reals::of(|l| rows[l].downside_squares),
            suffix_low: Reals::of(|l| rows[l].suffix_low),
            prefix_low: Reals::of(|l| rows[l].prefix_low),
        }
    }
}

impl Sides {
    const NONE: Self =
        Self { count: Reals::ZERO, pnl: Reals::ZERO, return_share: Reals::ZERO, bars: Reals::ZERO };

    #[inline(always)]
    fn add(&mut self, on: Mask, pnl: Reals, return_share: Reals, bars: Reals) {
        self.count += on.keep(ONE);
        self.pnl += on.keep(pnl);
        self.return_share += on.keep(return_share);
        self.bars += on.keep(bars);
    }
}

const ONE: Reals = Reals::all(1.0);

impl Paths {
    /// Ends a tile.
    pub(super) fn fold(&mut self) {
        self.past.all += self.present.all;
        self.past.gains += self.present.gains;
        self.past.losses += self.present.losses;
        self.past.squares += self.present.squares;
        self.past.downside_squares += self.present.downside_squares;
        self.present = Sums::NONE;
    }

    /// An equity of `value` at `bar` of all bars.
    #[inline(always)]
    fn point(&mut self, on: Mask, bar: Reals, value: Reals) {
        self.present.add(on.keep((value - self.equity) / self.equity));
        self.equity = on.select(value, self.equity);
        let is_peak = on & value.at_least(self.peak);
        let lasted = self.longest.higher(bar - self.peak_bar - ONE);
        self.longest = (is_peak & self.is_below_peak).select(lasted, self.longest);
        self.peak = is_peak.select(value, self.peak);
        self.peak_bar = is_peak.select(bar, self.peak_bar);
        self.fall(on & !is_peak, value);
        self.is_below_peak = self.is_below_peak & !is_peak;
    }

    /// A value below the peak.
    #[inline(always)]
    fn fall(&mut self, on: Mask, value: Reals) {
        let drawdown = (value - self.peak) / self.peak;
        self.max_drawdown = on.select(drawdown, self.max_drawdown).lower(self.max_drawdown);
        self.is_below_peak = self.is_below_peak | on;
    }

    /// The bars since the last point had the same equity: where that is the peak, it goes on.
    #[inline(always)]
    fn stay_flat(&mut self, on: Mask, bar: Reals) {
        let extends = on & !self.is_below_peak & bar.above(Reals::ZERO);
        self.peak_bar = extends.select(bar - ONE, self.peak_bar);
    }

    /// Bar by bar through a position of `units` at place `l` that may hold a new peak.
    fn rescan(&mut self, l: usize, units: f64, from: usize, close: &[f64]) {
        let mut peak = self.peak.0[l];
        let mut peak_bar = self.peak_bar.0[l];
        let mut is_below = self.is_below_peak.get(l);
        for (at, price) in close.iter().enumerate() {
            let (bar, value) = ((from + at) as f64, units * price);
            if value >= peak {
                if is_below {
                    self.longest.0[l] = self.longest.0[l].max(bar - peak_bar - 1.0);
                    is_below = false;
                }
                (peak, peak_bar) = (value, bar);
            } else {
                is_below = true;
                let drawdown = (value - peak) / peak;
                self.max_drawdown.0[l] = self.max_drawdown.0[l].min(drawdown);
            }
        }
        (self.peak.0[l], self.peak_bar.0[l]) = (peak, peak_bar);
        self.is_below_peak.set(l, is_below);
    }
}

impl Lanes {
    pub(super) fn new(init_cash: f64) -> Self {
        Self {
            cash: Reals::all(init_cash),
            units: Reals::ZERO,
            is_open: Mask::NONE,
            entry_price: Reals::ZERO,
            entry_fees: Reals::ZERO,
            entry_bar: Reals::ZERO,
            start: [0; LANES],
            suffix_low: Reals::ZERO,
            path: Paths {
                past: Sums::NONE,
                present: Sums::NONE,
                equity: Reals::all(init_cash),
                peak: Reals::all(f64::NEG_INFINITY),
                peak_bar: Reals::ZERO,
                is_below_peak: Mask::NONE,
                max_drawdown: Reals::ZERO,
                longest: Reals::ZERO,
            },
            trades: Trades {
                fees: Reals::ZERO,
                closed: Reals::ZERO,
                pnl: Reals::ZERO,
                best: Reals::all(f64::NEG_INFINITY),
                worst: Reals::all(f64::INFINITY),
                wins: Sides::NONE,
                losses: Sides::NONE,
            },
        }
    }

    pub(super) fn is_open(&self, l: usize) -> bool {
        self.is_open.get(l)
    }

    /// The open positions go on into `tile`.
    pub(super) fn enter(&mut self, tile: &Tile<'_>) {
        self.start = [0; LANES];
        self.suffix_low = Reals::all(tile.row(0).suffix_low);
    }

    /// The open positions are held to the end of `tile`, whose sums are complete then.
    pub(super) fn leave(&mut self, tile: &Tile<'_>) {
        self.hold(tile, &[tile.len(); LANES], self.is_open);
        self.path.fold();
    }

    /// Buys at the bars `at` of `tile` where `on`. Gives the places at which the order core might
    /// not accept the order, where nothing was done.
    #[inline(always)]
    pub(super) fn buy(
        &mut self,
        all_in: &AllIn,
        tile: &Tile<'_>,
        at: &[usize; LANES],
        on: Mask,
    ) -> Mask {
        let rows = Rows::load(tile, &at.map(|bar| bar + 1));
        let likely = std::array::from_fn::<_, LANES, _>(|l| {
            all_in.likely_buy(self.cash.0[l], rows.last.0[l])
        });
        let is_certain = Mask::of(|l| likely[l].is_certain);
        let bought = Bought {
            price: Reals::of(|l| likely[l].price),
            size: Reals::of(|l| likely[l].size),
            fees: Reals::of(|l| likely[l].fees),
        };
        self.book_buy(on & is_certain, tile, at, &bought, &rows);
        on & !is_certain
    }

    /// Sells at the bars `at` of `tile` where `on`; as [`Self::buy`].
    #[inline(always)]
    pub(super) fn sell(
        &mut self,
        all_in: &AllIn,
        tile: &Tile<'_>,
        at: &[usize; LANES],
        on: Mask,
    ) -> Mask {
        let close = Reals::of(|l| tile.close(at[l]));
        let likely =
            std::array::from_fn::<_, LANES, _>(|l| all_in.likely_sell(self.units.0[l], close.0[l]));
        let is_certain = Mask::of(|l| likely[l].is_certain);
        let sold = Sold {
            price: Reals::of(|l| likely[l].price),
            received: Reals::of(|l| likely[l].received),
            fees: Reals::of(|l| likely[l].fees),
        };
        self.hold(tile, at, on & is_certain);
        self.book_sale(on & is_certain, tile, at, &sold);
        on & !is_certain
    }

    /// Counts the bars from where the position is counted to before `to`.
    #[inline(always)]
    fn hold(&mut self, tile: &Tile<'_>, to: &[usize; LANES], on: Mask) {
        let rows = Rows::load(tile, to);
        let (start, suffix, prefix) = (&self.start, &self.suffix_low.0, &rows.prefix_low.0);
        let low = Reals::of(|l| tile.low(start[l], to[l], suffix[l], prefix[l]));
        let high = Reals::of(|l| tile.high_bound(start[l], to[l]));
        let on_bars = on & Mask::of(|l| start[l] < to[l]);
        let may_peak = on_bars & (self.units * high).at_least(self.path.peak);
        self.path.fall(on_bars & !may_peak, self.units * low);
        self.path.present.add_rows(&rows, on.keep(ONE));
        self.path.equity = on.select(self.units * rows.last, self.path.equity);
        if may_peak.any() {
            for l in (0..LANES).filter(|&l| may_peak.get(l)) {
                let held = tile.closes(self.start[l]..to[l]);
                self.path.rescan(l, self.units.0[l], tile.from() + self.start[l], held);
            }
        }
    }

    /// Books filled buys; `rows` are those of the bars after them.
    #[inline(always)]
    fn book_buy(
        &mut self,
        on: Mask,
        tile: &Tile<'_>,
        at: &[usize; LANES],
        bought: &Bought,
        rows: &Rows,
    ) {
        let bar = Reals::of(|l| (tile.from() + at[l]) as f64);
        let Bought { price, size, fees } = *bought;
        let unseen = self.path.peak.below(Reals::all(f64::MIN)) & bar.above(Reals::ZERO);
        self.path.peak = (on & unseen).select(self.cash, self.path.peak);
        self.path.stay_flat(on, bar);
        self.path.point(on, bar, size * rows.last);
        self.path.present.add_rows(rows, on.keep(Reals::all(-1.0)));
        self.suffix_low = on.select(rows.suffix_low, self.suffix_low);
        self.trades.fees += on.keep(fees);
        self.cash = on.select(Reals::ZERO, self.cash);
        self.units = on.select(size, self.units);
        // As the trade records have it: the average over entries, of which there is one.
        self.entry_price = on.select(size * price / size, self.entry_price);
        self.entry_fees = on.select(fees, self.entry_fees);
        self.entry_bar = on.select(bar, self.entry_bar);
        self.is_open = self.is_open | on;
        self.start = std::array::from_fn(|l| if on.get(l) { at[l] + 1 } else { self.start[l] });
    }

    /// Books filled sales.
    #[inline(always)]
    fn book_sale(&mut self, on: Mask, tile: &Tile<'_>, at: &[usize; LANES], sold: &Sold) {
        let bar = Reals::of(|l| (tile.from() + at[l]) as f64);
        let Sold { price, received, fees } = *sold;
        self.path.point(on, bar, received);
        let size = self.units;
        let pnl = (price - self.entry_price) * size - self.entry_fees - fees;
        let share = pnl / (size * self.entry_price);
        let bars = bar - self.entry_bar;
        let trades = &mut self.trades;
        trades.fees += on.keep(fees);
        trades.closed += on.keep(ONE);
        trades.pnl += on.keep(pnl);
        trades.best = on.select(share, trades.best).higher(trades.best);
        trades.worst = on.select(share, trades.worst).lower(trades.worst);
        trades.wins.add(on & pnl.above(Reals::ZERO), pnl, share, bars);
        trades.losses.add(on & pnl.below(Reals::ZERO), pnl, share, bars);
        self.cash = on.select(received, self.cash);
        self.is_open = self.is_open & !on;
    }

    /// Goes on from bar `from` of `tile` for one account as the order core would, rejections
    /// included: an order it rejects leaves the next signal to try.
    pub(super) fn walk(
        &mut self,
        l: usize,
        all_in: &AllIn,
        tile: &Tile<'_>,
        (entry, exit): (&[u64], &[u64]),
        mut from: usize,
    ) {
        let one = Mask::of(|place| place == l);
        loop {
            let is_open = self.is_open.get(l);
            let (wanted, unless) = if is_open { (exit, entry) } else { (entry, exit) };
            let Some(bar) = next_bit(wanted, unless, from) else { return };
            from = bar + 1;
            let at = [bar; LANES];
            if is_open {
                let Some(filled) = all_in.sell(self.units.0[l], tile.close(bar)) else { continue };
                let [price, received, fees] = [filled.0, filled.1, filled.2].map(Reals::all);
                self.hold(tile, &at, one);
                self.book_sale(one, tile, &at, &Sold { price, received, fees });
            } else {
                let Some(filled) = all_in.buy(self.cash.0[l], tile.close(bar)) else { continue };
                let [price, size, fees] = [filled.0, filled.1, filled.2].map(Reals::all);
                let rows = Rows::load(tile, &[bar + 1; LANES]);
                self.book_buy(one, tile, &at, &Bought { price, size, fees }, &rows);
            }
        }
    }

    /// What the open trade at `l` would bring at `last_close`, without exit fees.
    pub(super) fn open_pnl(&self, l: usize, last_close: f64) -> f64 {
        (last_close - self.entry_price.0[l]) * self.units.0[l] - self.entry_fees.0[l]
    }
}
