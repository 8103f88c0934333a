//! Eight accounts side by side.
//!
//! Every field has a place per trial and every operation works on all places, so that eight chains
//! of divisions run at once where one account alone waits for its own. What is rare (a new peak
//! within a position, an order that is rejected) is done for one place at a time.

use super::tile::Tile;
use super::vector::{Bars, Bits, LANES, Rows, Vector, each};
use crate::engine::float::{ABSOLUTE, RELATIVE};
use crate::engine::{AllIn, next_bit};
use crate::records;
use crate::statistics::{Path, Side, TradeSums};

/// Accounts, their equity's path and their trades so far. Bars and counts are numbers, too: whole
/// ones, which are exact.
#[derive(Debug, Clone, Copy)]
pub(super) struct Lanes<V> {
    cash: V,
    units: V,
    is_open: Bits,
    entry_price: V,
    entry_fees: V,
    entry_bar: V,
    /// The bar of the tile from which on the open position is not yet counted.
    start: Bars,
    pub(super) path: Paths<V>,
    pub(super) trades: Trades<V>,
}

/// Sums over returns r.
#[derive(Debug, Clone, Copy)]
pub(super) struct Sums<V> {
    pub(super) all: V,
    /// Of max(r, 0).
    pub(super) gains: V,
    /// Of min(r, 0).
    pub(super) losses: V,
    pub(super) squares: V,
    /// Of min(r, 0)^2.
    pub(super) downside_squares: V,
}

/// What [`crate::statistics`] calls a path, a place per trial.
#[derive(Debug, Clone, Copy)]
pub(super) struct Paths<V> {
    /// Of the tiles before this one.
    pub(super) past: Sums<V>,
    /// Of this tile: added up apart, so that small terms never meet a large sum.
    present: Sums<V>,
    pub(super) equity: V,
    peak: V,
    pub(super) peak_bar: V,
    pub(super) is_below_peak: Bits,
    pub(super) max_drawdown: V,
    pub(super) longest: V,
}

/// Sums over closed trades.
#[derive(Debug, Clone, Copy)]
pub(super) struct Trades<V> {
    pub(super) fees: V,
    pub(super) closed: V,
    pub(super) pnl: V,
    pub(super) best: V,
    pub(super) worst: V,
    pub(super) wins: Sides<V>,
    pub(super) losses: Sides<V>,
}

/// The winners or the losers.
#[derive(Debug, Clone, Copy)]
pub(super) struct Sides<V> {
    pub(super) count: V,
    pub(super) pnl: V,
    pub(super) return_share: V,
    pub(super) bars: V,
}

/// A buy: what [`AllIn::buy`] gives, a place per trial.
struct Bought<V> {
    price: V,
    size: V,
    fees: V,
}

/// A sale: what [`AllIn::sell`] gives, a place per trial.
struct Sold<V> {
    price: V,
    received: V,
    fees: V,
}

impl<V: Vector> Sums<V> {
    fn none() -> Self {
        let zero = V::all(0.0);
        Self { all: zero, gains: zero, losses: zero, squares: zero, downside_squares: zero }
    }

    #[inline(always)]
    fn add(&mut self, r: V) {
        let loss = r.lower(V::all(0.0));
        self.all += r;
        self.gains += r.higher(V::all(0.0));
        self.losses += loss;
        self.squares += r * r;
        self.downside_squares += loss * loss;
    }

    /// Adds the sums of `rows` times `sign`.
    #[inline(always)]
    fn add_rows(&mut self, rows: &Rows<V>, sign: V) {
        self.all += sign * rows.sum;
        self.gains += sign * rows.gains;
        self.losses += sign * rows.losses;
        self.squares += sign * rows.squares;
        self.downside_squares += sign * rows.downside_squares;
    }
}

impl<V: Vector> Sides<V> {
    fn none() -> Self {
        let zero = V::all(0.0);
        Self { count: zero, pnl: zero, return_share: zero, bars: zero }
    }

    #[inline(always)]
    fn add(&mut self, on: Bits, pnl: V, return_share: V, bars: V) {
        self.count += V::keep(on, V::all(1.0));
        self.pnl += V::keep(on, pnl);
        self.return_share += V::keep(on, return_share);
        self.bars += V::keep(on, bars);
    }
}

impl<V: Vector> Paths<V> {
    /// Ends a tile.
    pub(super) fn fold(&mut self) {
        self.past.all += self.present.all;
        self.past.gains += self.present.gains;
        self.past.losses += self.present.losses;
        self.past.squares += self.present.squares;
        self.past.downside_squares += self.present.downside_squares;
        self.present = Sums::none();
    }

    /// An equity of `value` at `bar` of all bars.
    #[inline(always)]
    fn point(&mut self, on: Bits, bar: V, value: V) {
        self.present.add(V::keep(on, (value - self.equity) / self.equity));
        self.equity = V::select(on, value, self.equity);
        let is_peak = on & value.at_least(self.peak);
        let lasted = self.longest.higher(bar - self.peak_bar - V::all(1.0));
        self.longest = V::select(is_peak & self.is_below_peak, lasted, self.longest);
        self.peak = V::select(is_peak, value, self.peak);
        self.peak_bar = V::select(is_peak, bar, self.peak_bar);
        self.fall(on & !is_peak, value);
        self.is_below_peak = self.is_below_peak & !is_peak;
    }

    /// A value below the peak.
    #[inline(always)]
    fn fall(&mut self, on: Bits, value: V) {
        let drawdown = (value - self.peak) / self.peak;
        self.max_drawdown = V::select(on, drawdown, self.max_drawdown).lower(self.max_drawdown);
        self.is_below_peak = self.is_below_peak | on;
    }

    /// The bars since the last point had the same equity: where that is the peak, it goes on.
    #[inline(always)]
    fn stay_flat(&mut self, on: Bits, bar: V) {
        let extends = on & !self.is_below_peak & bar.above(V::all(0.0));
        self.peak_bar = V::select(extends, bar - V::all(1.0), self.peak_bar);
    }

    /// Bar by bar through a position of `units` at place `l` that may hold a new peak.
    #[inline(always)]
    fn rescan(&mut self, l: usize, units: f64, from: usize, close: &[f64]) {
        let mut peak = self.peak.get(l);
        let mut peak_bar = self.peak_bar.get(l);
        let mut longest = self.longest.get(l);
        let mut max_drawdown = self.max_drawdown.get(l);
        let mut is_below = self.is_below_peak.get(l);
        for (at, price) in close.iter().enumerate() {
            let (bar, value) = ((from + at) as f64, units * price);
            if value >= peak {
                if is_below {
                    longest = longest.max(bar - peak_bar - 1.0);
                    is_below = false;
                }
                (peak, peak_bar) = (value, bar);
            } else {
                is_below = true;
                max_drawdown = max_drawdown.min((value - peak) / peak);
            }
        }
        self.peak.set(l, peak);
        self.peak_bar.set(l, peak_bar);
        self.longest.set(l, longest);
        self.max_drawdown.set(l, max_drawdown);
        self.is_below_peak.set(l, is_below);
    }
}

impl<V: Vector> Lanes<V> {
    pub(super) fn new(init_cash: f64) -> Self {
        Self {
            cash: V::all(init_cash),
            units: V::all(0.0),
            is_open: Bits::NONE,
            entry_price: V::all(0.0),
            entry_fees: V::all(0.0),
            entry_bar: V::all(0.0),
            start: [0; LANES],
            path: Paths {
                past: Sums::none(),
                present: Sums::none(),
                equity: V::all(init_cash),
                peak: V::all(f64::NEG_INFINITY),
                peak_bar: V::all(0.0),
                is_below_peak: Bits::NONE,
                max_drawdown: V::all(0.0),
                longest: V::all(0.0),
            },
            trades: Trades {
                fees: V::all(0.0),
                closed: V::all(0.0),
                pnl: V::all(0.0),
                best: V::all(f64::NEG_INFINITY),
                worst: V::all(f64::INFINITY),
                wins: Sides::none(),
                losses: Sides::none(),
            },
        }
    }

    pub(super) fn is_open(&self, l: usize) -> bool {
        self.is_open.get(l)
    }

    pub(super) fn cash(&self, l: usize) -> f64 {
        self.cash.get(l)
    }

    /// The open positions go on into the tile.
    #[inline(always)]
    pub(super) fn enter(&mut self) {
        self.start = [0; LANES];
    }

    /// The open positions are held to the end of `tile`, whose sums are complete then.
    #[inline(always)]
    pub(super) fn leave(&mut self, tile: &Tile<'_>) {
        self.hold(tile, &[tile.len() as u32; LANES], self.is_open);
        self.path.fold();
    }

    /// Buys at the bars `at` of `tile` where `on`. Gives the places at which the order core might
    /// not accept the order, where nothing was done.
    #[inline(always)]
    pub(super) fn buy(&mut self, all_in: &AllIn, tile: &Tile<'_>, at: &Bars, on: Bits) -> Bits {
        let rows = rows_at::<V>(tile, &each!(|l| at[l] + 1, 0));
        let after_fixed = self.cash - V::all(all_in.fixed_fees());
        let affordable = after_fixed / V::all(1.0 + all_in.fees());
        let price = rows.last * V::all(1.0 + all_in.slippage());
        let size = affordable / price;
        let is_certain = is_clear(after_fixed, self.cash) & is_clearly_enough(all_in, size);
        let bought = Bought { price, size, fees: self.cash - affordable };
        self.book_buy(on & is_certain, tile, at, &bought, &rows);
        on & !is_certain
    }

    /// Sells at the bars `at` of `tile` where `on`; as [`Self::buy`].
    #[inline(always)]
    pub(super) fn sell(&mut self, all_in: &AllIn, tile: &Tile<'_>, at: &Bars, on: Bits) -> Bits {
        let price = tile.close::<V>(at) * V::all(1.0 - all_in.slippage());
        let proceeds = self.units * price;
        let fees = proceeds * V::all(all_in.fees()) + V::all(all_in.fixed_fees());
        let received = proceeds - fees;
        let is_certain = is_clear(received, proceeds) & is_clearly_enough(all_in, self.units);
        self.hold(tile, at, on & is_certain);
        self.book_sale(on & is_certain, tile, at, &Sold { price, received, fees });
        on & !is_certain
    }

    /// Counts the bars from where the position is counted to before `to`.
    #[inline(always)]
    fn hold(&mut self, tile: &Tile<'_>, to: &Bars, on: Bits) {
        let rows = rows_at::<V>(tile, to);
        let on_bars = on & Bits::above(to, &self.start);
        let high = tile.high_bound::<V>(&self.start, to);
        let may_peak = on_bars & (self.units * high).at_least(self.path.peak);
        let low = tile.low::<V>(&self.start, to);
        self.path.fall(on_bars & !may_peak, self.units * low);
        self.path.present.add_rows(&rows, V::keep(on, V::all(1.0)));
        self.path.equity = V::select(on, self.units * rows.last, self.path.equity);
        if may_peak.any() {
            self.rescan(tile, to, may_peak);
        }
    }

    /// Bar by bar through the positions that may hold a new peak.
    #[inline(always)]
    fn rescan(&mut self, tile: &Tile<'_>, to: &Bars, on: Bits) {
        for l in (0..LANES).filter(|&l| on.get(l)) {
            let (from, to) = (self.start[l] as usize, to[l] as usize);
            let held = &tile.closes()[from..to];
            self.path.rescan(l, self.units.get(l), tile.from() + from, held);
        }
    }

    /// Books filled buys; `rows` are those of the bars after them.
    #[inline(always)]
    fn book_buy(
        &mut self,
        on: Bits,
        tile: &Tile<'_>,
        at: &Bars,
        bought: &Bought<V>,
        rows: &Rows<V>,
    ) {
        let bar = V::bars(tile.from(), at);
        let Bought { price, size, fees } = *bought;
        let unseen = self.path.peak.below(V::all(f64::MIN)) & bar.above(V::all(0.0));
        self.path.peak = V::select(on & unseen, self.cash, self.path.peak);
        self.path.stay_flat(on, bar);
        self.path.point(on, bar, size * rows.last);
        self.path.present.add_rows(rows, V::keep(on, V::all(-1.0)));
        self.trades.fees += V::keep(on, fees);
        self.cash = V::select(on, V::all(0.0), self.cash);
        self.units = V::select(on, size, self.units);
        // As the trade records have it: the average over entries, of which there is one.
        self.entry_price = V::select(on, size * price / size, self.entry_price);
        self.entry_fees = V::select(on, fees, self.entry_fees);
        self.entry_bar = V::select(on, bar, self.entry_bar);
        self.is_open = self.is_open | on;
        self.start = each!(|l| if on.get(l) { at[l] + 1 } else { self.start[l] }, 0);
    }

    /// Books filled sales.
    #[inline(always)]
    fn book_sale(&mut self, on: Bits, tile: &Tile<'_>, at: &Bars, sold: &Sold<V>) {
        let bar = V::bars(tile.from(), at);
        let Sold { price, received, fees } = *sold;
        self.path.point(on, bar, received);
        let size = self.units;
        let pnl = gain(size, self.entry_price, price) - self.entry_fees - fees;
        let share = pnl / (size * self.entry_price);
        let bars = bar - self.entry_bar;
        let trades = &mut self.trades;
        trades.fees += V::keep(on, fees);
        trades.closed += V::keep(on, V::all(1.0));
        trades.pnl += V::keep(on, pnl);
        trades.best = V::select(on, share, trades.best).higher(trades.best);
        trades.worst = V::select(on, share, trades.worst).lower(trades.worst);
        trades.wins.add(on & pnl.above(V::all(0.0)), pnl, share, bars);
        trades.losses.add(on & pnl.below(V::all(0.0)), pnl, share, bars);
        self.cash = V::select(on, received, self.cash);
        self.is_open = self.is_open & !on;
    }

    /// Goes on from bar `from` of `tile` for one account as the order core would, rejections
    /// included: an order it rejects leaves the next signal to try.
    ///
    /// Inlined, as all that works on vectors must be: elsewhere each of their operations is a call.
    #[inline(always)]
    pub(super) fn walk(
        &mut self,
        l: usize,
        all_in: &AllIn,
        tile: &Tile<'_>,
        (entry, exit): (&[u64], &[u64]),
        mut from: usize,
    ) {
        let one = Bits(1 << l);
        loop {
            let is_open = self.is_open.get(l);
            let (wanted, unless) = if is_open { (exit, entry) } else { (entry, exit) };
            let Some(bar) = next_bit(wanted, unless, from) else { return };
            from = bar + 1;
            let (at, close) = ([bar as u32; LANES], tile.closes()[bar]);
            if is_open {
                let Some(filled) = all_in.sell(self.units.get(l), close) else { continue };
                let [price, received, fees] = [filled.0, filled.1, filled.2].map(V::all);
                self.hold(tile, &at, one);
                self.book_sale(one, tile, &at, &Sold { price, received, fees });
            } else {
                let Some(filled) = all_in.buy(self.cash.get(l), close) else { continue };
                let [price, size, fees] = [filled.0, filled.1, filled.2].map(V::all);
                let rows = rows_at(tile, &[bar as u32 + 1; LANES]);
                self.book_buy(one, tile, &at, &Bought { price, size, fees }, &rows);
            }
        }
    }

    /// The places with an open position.
    #[inline(always)]
    pub(super) fn open(&self) -> Bits {
        self.is_open
    }

    /// The path of account `l` after `bars` bars.
    pub(super) fn path(&self, l: usize, bars: usize) -> Path {
        let path = &self.path;
        let since_peak = bars as f64 - path.peak_bar.get(l) - 1.0;
        let lasts = if path.is_below_peak.get(l) { since_peak } else { 0.0 };
        let has_traded = self.trades.closed.get(l) > 0.0 || self.is_open.get(l);
        Path {
            sum: path.past.all.get(l),
            gains: path.past.gains.get(l),
            losses: path.past.losses.get(l),
            sum_squares: path.past.squares.get(l),
            sum_downside_squares: path.past.downside_squares.get(l),
            final_equity: path.equity.get(l),
            max_drawdown: path.max_drawdown.get(l),
            longest_drawdown: path.longest.get(l).max(lasts) as usize,
            max_gross_exposure: if has_traded { 1.0 } else { 0.0 },
            is_ruined: false,
        }
    }

    /// The trades of account `l`, the open one at `last_close`, and all fees.
    pub(super) fn trades(&self, l: usize, last_close: f64) -> (TradeSums, f64) {
        let trades = &self.trades;
        let side = |sides: &Sides<V>| Side {
            count: sides.count.get(l) as usize,
            pnl: sides.pnl.get(l),
            return_share: sides.return_share.get(l),
            bars: sides.bars.get(l) as usize,
        };
        let is_open = self.is_open.get(l);
        let gain = records::gain(self.units.get(l), self.entry_price.get(l), last_close);
        let sums = TradeSums {
            closed: trades.closed.get(l) as usize,
            open: usize::from(is_open),
            open_pnl: if is_open { gain - self.entry_fees.get(l) } else { 0.0 },
            best: trades.best.get(l),
            worst: trades.worst.get(l),
            pnl: trades.pnl.get(l),
            wins: side(&trades.wins),
            losses: side(&trades.losses),
        };
        (sums, trades.fees.get(l))
    }
}

#[inline(always)]
fn rows_at<V: Vector>(tile: &Tile<'_>, bars: &Bars) -> Rows<V> {
    let mut rows = [tile.row(0); LANES];
    for l in 0..LANES {
        rows[l] = tile.row(bars[l]);
    }
    V::turn(rows)
}

/// [`records::gain`] of eight accounts.
#[inline(always)]
fn gain<V: Vector>(size: V, entry_price: V, exit_price: V) -> V {
    let (paid, received) = (size * entry_price, size * exit_price);
    let rounding = (paid.higher(received) * V::all(RELATIVE)).higher(V::all(ABSOLUTE));
    let moves = (received - paid).above(rounding) | (paid - received).above(rounding);
    V::keep(moves, (exit_price - entry_price) * size)
}

/// Ten times the tolerances of the order core: a share of a number, and a number.
const CLEAR_SHARE: f64 = 1e-8;
const CLEAR: f64 = 1e-11;

/// Whether costs leave so much of `before` that rounding needs no forgiving.
#[inline(always)]
fn is_clear<V: Vector>(left: V, before: V) -> Bits {
    left.above(before * V::all(CLEAR_SHARE)) & left.above(V::all(CLEAR))
}

/// Whether an order of `size` is accepted without a look at rounding.
#[inline(always)]
fn is_clearly_enough<V: Vector>(all_in: &AllIn, size: V) -> Bits {
    size.above(V::all(CLEAR)) & size.at_least(V::all(all_in.min_size()))
}
