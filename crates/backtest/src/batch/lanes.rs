//! Eight accounts side by side.
//!
//! Every field is an array with a place per trial, and every operation a loop over the places
//! without branches, which the compiler turns into vector instructions: eight chains of divisions
//! run at once where one account alone waits for its own. What is rare (a new peak within a
//! position, an order that is rejected) is done for one place at a time.

use super::tile::{Row, Tile};
use crate::engine::AllIn;

/// Trials of a batch.
pub const LANES: usize = 8;

/// A number per trial.
pub(super) type Reals = [f64; LANES];
/// A count or bar per trial.
pub(super) type Counts = [u64; LANES];
/// A yes or no per trial.
pub(super) type Flags = [bool; LANES];

/// Accounts, their equity's path and their trades so far.
#[derive(Debug, Clone, Copy)]
pub(super) struct Lanes {
    pub(super) cash: Reals,
    pub(super) units: Reals,
    pub(super) is_open: Flags,
    entry_price: Reals,
    entry_fees: Reals,
    pub(super) entry_bar: Counts,
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
    pub(super) peak_bar: Counts,
    pub(super) is_below_peak: Flags,
    pub(super) max_drawdown: Reals,
    pub(super) longest: Counts,
}

/// Sums over closed trades.
#[derive(Debug, Clone, Copy)]
pub(super) struct Trades {
    pub(super) fees: Reals,
    pub(super) closed: Counts,
    pub(super) pnl: Reals,
    pub(super) best: Reals,
    pub(super) worst: Reals,
    pub(super) wins: Sides,
    pub(super) losses: Sides,
}

/// The winners or the losers.
#[derive(Debug, Clone, Copy)]
pub(super) struct Sides {
    pub(super) count: Counts,
    pub(super) pnl: Reals,
    pub(super) return_share: Reals,
    pub(super) bars: Counts,
}

impl Sides {
    const NONE: Self =
        Self { count: [0; LANES], pnl: [0.0; LANES], return_share: [0.0; LANES], bars: [0; LANES] };

    #[inline(always)]
    fn add(&mut self, l: usize, on: bool, pnl: f64, return_share: f64, bars: u64) {
        self.count[l] += u64::from(on);
        self.pnl[l] += if on { pnl } else { 0.0 };
        self.return_share[l] += if on { return_share } else { 0.0 };
        self.bars[l] += if on { bars } else { 0 };
    }
}

impl Sums {
    const NONE: Self = Self {
        all: [0.0; LANES],
        gains: [0.0; LANES],
        losses: [0.0; LANES],
        squares: [0.0; LANES],
        downside_squares: [0.0; LANES],
    };

    #[inline(always)]
    fn add(&mut self, l: usize, r: f64) {
        let (gain, loss) = (if r > 0.0 { r } else { 0.0 }, if r < 0.0 { r } else { 0.0 });
        self.all[l] += r;
        self.gains[l] += gain;
        self.losses[l] += loss;
        self.squares[l] += r * r;
        self.downside_squares[l] += loss * loss;
    }

    /// Adds the sums of `row`, or with a sign of -1 takes them away.
    #[inline(always)]
    fn add_row(&mut self, l: usize, row: &Row, sign: f64) {
        self.all[l] += sign * row.sum;
        self.gains[l] += sign * row.gains;
        self.losses[l] += sign * row.losses;
        self.squares[l] += sign * row.squares;
        self.downside_squares[l] += sign * row.downside_squares;
    }

    fn add_all(&mut self, other: &Self) {
        for l in 0..LANES {
            self.all[l] += other.all[l];
            self.gains[l] += other.gains[l];
            self.losses[l] += other.losses[l];
            self.squares[l] += other.squares[l];
            self.downside_squares[l] += other.downside_squares[l];
        }
    }
}

impl Paths {
    /// Ends a tile.
    pub(super) fn fold(&mut self) {
        self.past.add_all(&self.present);
        self.present = Sums::NONE;
    }

    /// An equity of `value` at `bar` of all bars.
    #[inline(always)]
    fn point(&mut self, l: usize, on: bool, bar: u64, value: f64) {
        let before = self.equity[l];
        let r = if on { (value - before) / before } else { 0.0 };
        self.present.add(l, r);
        self.equity[l] = if on { value } else { before };
        self.peak_or_drawdown(l, on, bar, value);
    }

    #[inline(always)]
    fn peak_or_drawdown(&mut self, l: usize, on: bool, bar: u64, value: f64) {
        let peak = self.peak[l];
        let is_peak = on & (value >= peak);
        let lasted = bar.wrapping_sub(self.peak_bar[l]).wrapping_sub(1);
        let recovers = is_peak & self.is_below_peak[l] & (lasted > self.longest[l]);
        self.longest[l] = if recovers { lasted } else { self.longest[l] };
        self.peak[l] = if is_peak { value } else { peak };
        self.peak_bar[l] = if is_peak { bar } else { self.peak_bar[l] };
        self.fall(l, on & !is_peak, value);
        self.is_below_peak[l] &= !is_peak;
    }

    /// A value below the peak.
    #[inline(always)]
    fn fall(&mut self, l: usize, on: bool, value: f64) {
        let drawdown = (value - self.peak[l]) / self.peak[l];
        let is_deeper = on & (drawdown < self.max_drawdown[l]);
        self.max_drawdown[l] = if is_deeper { drawdown } else { self.max_drawdown[l] };
        self.is_below_peak[l] |= on;
    }

    /// The bars since the last point had the same equity: where that is the peak, it goes on.
    #[inline(always)]
    fn stay_flat(&mut self, l: usize, on: bool, bar: u64) {
        let extends = on & !self.is_below_peak[l] & (bar > 0);
        self.peak_bar[l] = if extends { bar.wrapping_sub(1) } else { self.peak_bar[l] };
    }
}

impl Lanes {
    pub(super) fn new(init_cash: f64) -> Self {
        Self {
            cash: [init_cash; LANES],
            units: [0.0; LANES],
            is_open: [false; LANES],
            entry_price: [0.0; LANES],
            entry_fees: [0.0; LANES],
            entry_bar: [0; LANES],
            start: [0; LANES],
            suffix_low: [0.0; LANES],
            path: Paths {
                past: Sums::NONE,
                present: Sums::NONE,
                equity: [init_cash; LANES],
                peak: [f64::NEG_INFINITY; LANES],
                peak_bar: [0; LANES],
                is_below_peak: [false; LANES],
                max_drawdown: [0.0; LANES],
                longest: [0; LANES],
            },
            trades: Trades {
                fees: [0.0; LANES],
                closed: [0; LANES],
                pnl: [0.0; LANES],
                best: [f64::NEG_INFINITY; LANES],
                worst: [f64::INFINITY; LANES],
                wins: Sides::NONE,
                losses: Sides::NONE,
            },
        }
    }

    /// The open positions go on into `tile`.
    pub(super) fn enter(&mut self, tile: &Tile<'_>) {
        self.start = [0; LANES];
        self.suffix_low = [tile.rows[0].suffix_low; LANES];
    }

    /// Buys at the bars `at` of `tile` where `on`. Gives the places at which the order core might
    /// not accept the order, where nothing was done.
    #[inline(always)]
    pub(super) fn buy(
        &mut self,
        all_in: &AllIn,
        tile: &Tile<'_>,
        at: &[usize; LANES],
        on: &Flags,
    ) -> Flags {
        let rows: [Row; LANES] = at.map(|bar| tile.rows[bar + 1]);
        let mut is_doubtful = [false; LANES];
        for l in 0..LANES {
            let bought = all_in.likely_buy(self.cash[l], rows[l].last);
            is_doubtful[l] = on[l] & !bought.is_certain;
            let fill = (bought.price, bought.size, bought.fees);
            self.bought(l, on[l] & bought.is_certain, (tile.from + at[l]) as u64, fill, &rows[l]);
        }
        for l in 0..LANES {
            let is_done = on[l] & !is_doubtful[l];
            self.start[l] = if is_done { at[l] + 1 } else { self.start[l] };
        }
        is_doubtful
    }

    /// Sells at the bars `at` of `tile` where `on`; as [`Self::buy`].
    #[inline(always)]
    pub(super) fn sell(
        &mut self,
        all_in: &AllIn,
        tile: &Tile<'_>,
        at: &[usize; LANES],
        on: &Flags,
    ) -> Flags {
        let mut is_doubtful = [false; LANES];
        let sold: [_; LANES] =
            std::array::from_fn(|l| all_in.likely_sell(self.units[l], tile.close[at[l]]));
        let mut done = [false; LANES];
        for l in 0..LANES {
            is_doubtful[l] = on[l] & !sold[l].is_certain;
            done[l] = on[l] & sold[l].is_certain;
        }
        self.hold(tile, at, &done);
        for l in 0..LANES {
            let fill = (sold[l].price, sold[l].received, sold[l].fees);
            self.sold(l, done[l], (tile.from + at[l]) as u64, fill);
        }
        is_doubtful
    }

    /// Counts the bars from where the position is counted to before `to`.
    #[inline(always)]
    pub(super) fn hold(&mut self, tile: &Tile<'_>, to: &[usize; LANES], on: &Flags) {
        let rows: [Row; LANES] = to.map(|bar| tile.rows[bar]);
        let mut low = [0.0; LANES];
        let mut high = [0.0; LANES];
        for l in 0..LANES {
            low[l] = tile.low(self.start[l], to[l], self.suffix_low[l], rows[l].prefix_low);
            high[l] = tile.high_bound(self.start[l], to[l]);
        }
        let mut may_peak = [false; LANES];
        for l in 0..LANES {
            let holds_bars = on[l] & (self.start[l] < to[l]);
            may_peak[l] = holds_bars & (self.units[l] * high[l] >= self.path.peak[l]);
            self.path.fall(l, holds_bars & !may_peak[l], self.units[l] * low[l]);
            self.path.present.add_row(l, &rows[l], if on[l] { 1.0 } else { 0.0 });
            let equity = self.units[l] * rows[l].last;
            self.path.equity[l] = if on[l] { equity } else { self.path.equity[l] };
        }
        if may_peak != [false; LANES] {
            self.rescan(tile, to, &may_peak);
        }
    }

    /// Bar by bar through positions that may hold a new peak.
    #[cold]
    fn rescan(&mut self, tile: &Tile<'_>, to: &[usize; LANES], on: &Flags) {
        for l in (0..LANES).filter(|&l| on[l]) {
            for bar in self.start[l]..to[l] {
                let value = self.units[l] * tile.close[bar];
                self.path.peak_or_drawdown(l, true, (tile.from + bar) as u64, value);
            }
        }
    }

    /// Books a filled buy at `bar` of all bars; `row` is that of the bar after it.
    #[inline(always)]
    fn bought(
        &mut self,
        l: usize,
        on: bool,
        bar: u64,
        (price, size, fees): (f64, f64, f64),
        row: &Row,
    ) {
        let is_first = on & (self.path.peak[l] == f64::NEG_INFINITY) & (bar > 0);
        self.path.peak[l] = if is_first { self.cash[l] } else { self.path.peak[l] };
        self.path.stay_flat(l, on, bar);
        self.path.point(l, on, bar, size * row.last);
        self.path.present.add_row(l, row, if on { -1.0 } else { 0.0 });
        self.suffix_low[l] = if on { row.suffix_low } else { self.suffix_low[l] };
        self.trades.fees[l] += if on { fees } else { 0.0 };
        self.cash[l] = if on { 0.0 } else { self.cash[l] };
        self.units[l] = if on { size } else { self.units[l] };
        // As the trade records have it: the average over entries, of which there is one.
        self.entry_price[l] = if on { size * price / size } else { self.entry_price[l] };
        self.entry_fees[l] = if on { fees } else { self.entry_fees[l] };
        self.entry_bar[l] = if on { bar } else { self.entry_bar[l] };
        self.is_open[l] |= on;
    }

    /// Books a filled sale at `bar` of all bars.
    #[inline(always)]
    fn sold(&mut self, l: usize, on: bool, bar: u64, (price, received, fees): (f64, f64, f64)) {
        self.path.point(l, on, bar, received);
        let size = self.units[l];
        let pnl = (price - self.entry_price[l]) * size - self.entry_fees[l] - fees;
        let share = pnl / (size * self.entry_price[l]);
        let bars = bar.wrapping_sub(self.entry_bar[l]);
        let trades = &mut self.trades;
        trades.fees[l] += if on { fees } else { 0.0 };
        trades.closed[l] += u64::from(on);
        trades.pnl[l] += if on { pnl } else { 0.0 };
        trades.best[l] = if on & (share > trades.best[l]) { share } else { trades.best[l] };
        trades.worst[l] = if on & (share < trades.worst[l]) { share } else { trades.worst[l] };
        trades.wins.add(l, on & (pnl > 0.0), pnl, share, bars);
        trades.losses.add(l, on & (pnl < 0.0), pnl, share, bars);
        self.cash[l] = if on { received } else { self.cash[l] };
        self.is_open[l] &= !on;
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
        loop {
            let (wanted, unless) = if self.is_open[l] { (exit, entry) } else { (entry, exit) };
            let Some(at) = crate::engine::next_bit(wanted, unless, from) else { return };
            from = at + 1;
            let bar = (tile.from + at) as u64;
            if self.is_open[l] {
                if let Some((price, received, fees)) = all_in.sell(self.units[l], tile.close[at]) {
                    self.hold_one(l, tile, at);
                    self.sold(l, true, bar, (price, received, fees));
                }
            } else if let Some(fill) = all_in.buy(self.cash[l], tile.close[at]) {
                self.bought(l, true, bar, fill, &tile.rows[at + 1]);
                self.start[l] = at + 1;
            }
        }
    }

    fn hold_one(&mut self, l: usize, tile: &Tile<'_>, to: usize) {
        let mut on = [false; LANES];
        on[l] = true;
        self.hold(tile, &[to; LANES], &on);
    }

    /// What the open trade at `l` would bring at `last_close`, without exit fees.
    pub(super) fn open_pnl(&self, l: usize, last_close: f64) -> f64 {
        (last_close - self.entry_price[l]) * self.units[l] - self.entry_fees[l]
    }
}
