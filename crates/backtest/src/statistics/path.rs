//! One pass over the equity: between two orders it is `cash + position * close`.

use multiversion::multiversion;

use crate::engine::{Account, Fill};

/// Lanes of every sum. Fixed, so that each instruction set adds in the same order.
const LANES: usize = 8;
/// Bars between two looks at the drawdown: small enough to stay in L1 for the second look that a
/// new peak needs, large enough that peaks are rare.
const BLOCK: usize = 128;

/// What one pass over the equity says.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Path {
    /// Sums over the returns r: r, r^2, min(r, 0)^2, max(r, 0), min(r, 0).
    pub(super) sum: f64,
    pub(super) sum_squares: f64,
    pub(super) sum_downside_squares: f64,
    pub(super) gains: f64,
    pub(super) losses: f64,
    pub(super) final_equity: f64,
    /// Deepest fall below the running peak, as a share; at most 0.
    pub(super) max_drawdown: f64,
    /// Bars of the longest drawdown.
    pub(super) longest_drawdown: usize,
    pub(super) max_gross_exposure: f64,
    /// Whether equity was ever 0 or below, from where growth is no longer end over start.
    pub(super) is_ruined: bool,
}

/// The running state of the pass.
struct Walk {
    lanes: Lanes,
    /// Equity of the last bar seen.
    equity: f64,
    peak: f64,
    peak_bar: usize,
    is_below_peak: bool,
    max_drawdown: f64,
    longest: usize,
    max_exposure: f64,
    is_ruined: bool,
}

#[derive(Clone, Copy)]
struct Lanes {
    sum: [f64; LANES],
    sum_squares: [f64; LANES],
    sum_downside_squares: [f64; LANES],
    gains: [f64; LANES],
    losses: [f64; LANES],
}

/// Lowest and highest close of a block.
#[derive(Clone, Copy)]
struct Extremes {
    low: f64,
    high: f64,
}

impl Path {
    /// Walks `fills` over `close` (no NaN) from an account of `init_cash`.
    pub(super) fn of(close: &[f64], fills: &[Fill], init_cash: f64) -> Self {
        let mut walk = Walk::new(init_cash);
        let first = fills.first().map_or(close.len(), |fill| fill.order.bar);
        walk.flat(0, first, init_cash);
        for (at, fill) in fills.iter().enumerate() {
            let from = fill.order.bar;
            let to = fills.get(at + 1).map_or(close.len(), |next| next.order.bar);
            if fill.account.position == 0.0 {
                walk.flat(from, to, fill.account.cash);
            } else {
                walk.invested(close, from, to, &fill.account);
            }
        }
        walk.finish(close.len())
    }
}

impl Walk {
    fn new(init_cash: f64) -> Self {
        let zero = [0.0; LANES];
        Self {
            lanes: Lanes {
                sum: zero,
                sum_squares: zero,
                sum_downside_squares: zero,
                gains: zero,
                losses: zero,
            },
            equity: init_cash,
            peak: f64::NEG_INFINITY,
            peak_bar: 0,
            is_below_peak: false,
            max_drawdown: 0.0,
            longest: 0,
            max_exposure: f64::NEG_INFINITY,
            is_ruined: false,
        }
    }

    /// Bars `from..to` without a position: one return, then none.
    fn flat(&mut self, from: usize, to: usize, cash: f64) {
        if from == to {
            return;
        }
        self.step(from, cash);
        self.max_exposure = self.max_exposure.max(0.0);
        if !self.is_below_peak {
            self.peak_bar = to - 1;
        }
    }

    /// Bars `from..to` with a position.
    fn invested(&mut self, close: &[f64], from: usize, to: usize, account: &Account) {
        if from == to {
            return;
        }
        let Account { cash, position, free_cash, .. } = *account;
        self.step(from, cash + position * close[from]);
        let mut extremes = Extremes { low: close[from], high: close[from] };
        let mut start = from + 1;
        while start < to {
            let end = (start + BLOCK).min(to);
            let block = block(&close[start - 1..end], cash, position, &mut self.lanes);
            extremes.low = extremes.low.min(block.low);
            extremes.high = extremes.high.max(block.high);
            self.drawdown(close, start, end, cash, position, block);
            start = end;
        }
        self.equity = cash + position * close[to - 1];
        if free_cash >= 0.0 {
            // Exposure grows with the price: its extremes say it all.
            self.expose(extremes.high * position.abs(), free_cash);
        } else {
            close[from..to].iter().for_each(|c| self.expose(c * position.abs(), free_cash));
        }
    }

    /// One bar, scalar: its return and its drawdown.
    fn step(&mut self, bar: usize, equity: f64) {
        self.lanes.add(bar % LANES, share(equity, self.equity));
        self.equity = equity;
        self.is_ruined |= equity <= 0.0;
        self.peak_or_drawdown(bar, equity);
    }

    fn drawdown(
        &mut self,
        close: &[f64],
        start: usize,
        end: usize,
        cash: f64,
        position: f64,
        block: Extremes,
    ) {
        let (low, high) =
            if position > 0.0 { (block.low, block.high) } else { (block.high, block.low) };
        let worst = cash + position * low;
        self.is_ruined |= worst <= 0.0;
        if cash + position * high < self.peak {
            self.is_below_peak = true;
            self.deepen(worst);
        } else {
            for (bar, &price) in (start..end).zip(&close[start..end]) {
                self.peak_or_drawdown(bar, cash + position * price);
            }
        }
    }

    #[inline]
    fn peak_or_drawdown(&mut self, bar: usize, equity: f64) {
        if equity >= self.peak {
            self.recover(bar);
            self.peak = equity;
            self.peak_bar = bar;
        } else {
            self.is_below_peak = true;
            self.deepen(equity);
        }
    }

    #[inline]
    fn deepen(&mut self, equity: f64) {
        self.max_drawdown = self.max_drawdown.min((equity - self.peak) / self.peak);
    }

    /// Ends the drawdown that `bar` recovers from.
    #[inline]
    fn recover(&mut self, bar: usize) {
        if self.is_below_peak {
            self.longest = self.longest.max(bar - self.peak_bar - 1);
            self.is_below_peak = false;
        }
    }

    fn expose(&mut self, value: f64, free_cash: f64) {
        let exposure = value / (value + free_cash);
        if exposure > self.max_exposure {
            self.max_exposure = exposure;
        }
    }

    fn finish(mut self, bars: usize) -> Path {
        self.recover(bars);
        let Lanes { sum, sum_squares, sum_downside_squares, gains, losses } = self.lanes;
        Path {
            sum: sum.iter().sum(),
            sum_squares: sum_squares.iter().sum(),
            sum_downside_squares: sum_downside_squares.iter().sum(),
            gains: gains.iter().sum(),
            losses: losses.iter().sum(),
            final_equity: self.equity,
            max_drawdown: self.max_drawdown,
            longest_drawdown: self.longest,
            max_gross_exposure: self.max_exposure,
            is_ruined: self.is_ruined,
        }
    }
}

impl Lanes {
    #[inline(always)]
    fn add(&mut self, lane: usize, r: f64) {
        let loss = r.min(0.0);
        self.sum[lane] += r;
        self.sum_squares[lane] += r * r;
        self.sum_downside_squares[lane] += loss * loss;
        self.gains[lane] += r.max(0.0);
        self.losses[lane] += loss;
    }
}

/// The return from `b` to `a`, as a share of `b` without its sign;
/// 0 where nothing changed.
#[inline(always)]
fn share(a: f64, b: f64) -> f64 {
    if a == b { 0.0 } else { (a - b) / b.abs() }
}

/// Adds the returns of `close[1..]` and gives its extremes. Bound by the division.
#[multiversion(targets("x86_64+avx512f+avx512vl+avx512dq", "x86_64+avx2", "aarch64+neon"))]
fn block(close: &[f64], cash: f64, position: f64, lanes: &mut Lanes) -> Extremes {
    let mut sums = *lanes;
    let mut low = [f64::INFINITY; LANES];
    let mut high = [f64::NEG_INFINITY; LANES];
    let (now, before) = (&close[1..], &close[..close.len() - 1]);
    let (now_chunks, now_rest) = now.as_chunks::<LANES>();
    let (before_chunks, before_rest) = before.as_chunks::<LANES>();
    for (now, before) in now_chunks.iter().zip(before_chunks) {
        for lane in 0..LANES {
            let earlier = cash + position * before[lane];
            let r = (cash + position * now[lane] - earlier) / earlier.abs();
            sums.add(lane, r);
            low[lane] = if now[lane] < low[lane] { now[lane] } else { low[lane] };
            high[lane] = if now[lane] > high[lane] { now[lane] } else { high[lane] };
        }
    }
    for (lane, (&now, &before)) in now_rest.iter().zip(before_rest).enumerate() {
        sums.add(lane, share(cash + position * now, cash + position * before));
        low[lane] = low[lane].min(now);
        high[lane] = high[lane].max(now);
    }
    *lanes = sums;
    Extremes {
        low: low.into_iter().fold(f64::INFINITY, f64::min),
        high: high.into_iter().fold(f64::NEG_INFINITY, f64::max),
    }
}

/// The account's value at every bar's close, written to `out`.
///
/// # Panics
/// When `out` is not as long as `close`.
pub fn equity(close: &[f64], fills: &[Fill], init_cash: f64, out: &mut [f64]) {
    assert_eq!(close.len(), out.len(), "one value per bar");
    let first = fills.first().map_or(close.len(), |fill| fill.order.bar);
    out[..first].fill(init_cash);
    for (at, Fill { order, account }) in fills.iter().enumerate() {
        let to = fills.get(at + 1).map_or(close.len(), |next| next.order.bar);
        for (value, price) in out[order.bar..to].iter_mut().zip(&close[order.bar..to]) {
            *value = account.cash + account.position * price;
        }
    }
}

/// What the running product of returns says: its end and its deepest drawdown. As long as equity
/// stays above 0 that is the equity's own; below, a product over shares of negative values.
pub(super) fn compounded(close: &[f64], fills: &[Fill], init_cash: f64) -> (f64, f64) {
    let mut values = vec![0.0; close.len()];
    equity(close, fills, init_cash, &mut values);
    returns(init_cash, &mut values);
    let (mut growth, mut peak, mut deepest) = (1.0, f64::NEG_INFINITY, 0.0_f64);
    for r in values {
        growth *= 1.0 + r;
        peak = peak.max(growth);
        deepest = deepest.min(growth / peak - 1.0);
    }
    (growth, deepest)
}

/// Turns the equity in `values` into returns, the first against `init_cash`.
pub fn returns(init_cash: f64, values: &mut [f64]) {
    let mut before = init_cash;
    for value in values {
        (before, *value) = (*value, share(*value, before));
    }
}
