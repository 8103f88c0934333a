//! One pass over the equity: between two orders it is `cash + position * close`.

use multiversion::multiversion;

use super::Moments;
use super::lanes::{Extremes, Source, Sums, scan};
use super::returns::share;
use crate::engine::{Account, Fill};
use crate::records::drawdowns;

/// Bars between two looks at the drawdown: small enough to stay in L1 for the second look that a
/// new peak needs, large enough that peaks are rare.
const BLOCK: usize = 128;

/// What one pass over the equity says.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Path {
    /// Sums over the returns r: r, max(r, 0), min(r, 0), r^2, min(r, 0)^2.
    pub(crate) sum: f64,
    pub(crate) gains: f64,
    pub(crate) losses: f64,
    pub(crate) sum_squares: f64,
    pub(crate) sum_downside_squares: f64,
    pub(crate) final_equity: f64,
    /// Deepest fall below the running peak, as a share; at most 0.
    pub(crate) max_drawdown: f64,
    /// Bars of the longest drawdown.
    pub(crate) longest_drawdown: usize,
    pub(crate) max_gross_exposure: f64,
    /// Whether equity was ever 0 or below, from where growth is no longer end over start.
    pub(crate) is_ruined: bool,
}

/// Bars whose returns are added up before they join the sum of all: the square root of a few
/// hundred thousand, which loses least.
const SUMMED: usize = 1024;

/// The running state of the pass.
struct Walk<'a> {
    close: &'a [f64],
    returns: Option<&'a [f64]>,
    /// Of the bars before `summed`.
    past: Sums,
    /// Of those since: added up apart, so that small terms never meet a large sum.
    sums: Sums,
    summed: usize,
    segments: Segments,
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

impl Path {
    /// Walks `fills` over `close` (no NaN) from an account of `init_cash`, and gives the moments of
    /// as many equal `segments` of it. `returns` are the close's own, where the caller has them:
    /// they save the division, not a bit.
    pub(crate) fn of(
        close: &[f64],
        returns: Option<&[f64]>,
        fills: &[Fill],
        init_cash: f64,
        segments: usize,
    ) -> (Self, Vec<Moments>) {
        walk(close, returns, fills, init_cash, segments)
    }

    /// Of an account whose `equity` was 0 or below: takes the deepest drawdown from its records, and
    /// gives what the running product of the returns says, its end and its deepest drawdown. As long
    /// as equity stays above 0 both are the equity's own; below, they are shares of negative values.
    pub(super) fn ruin(&mut self, mut equity: Vec<f64>, init_cash: f64) -> (f64, f64) {
        let depths = drawdowns(&equity).into_iter().map(|drawdown| drawdown.depth());
        self.max_drawdown = depths.reduce(f64::min).unwrap_or(0.0);
        returns(init_cash, &mut equity);
        let (mut growth, mut peak, mut deepest) = (1.0, f64::NEG_INFINITY, 0.0_f64);
        for r in equity {
            growth *= 1.0 + r;
            peak = peak.max(growth);
            deepest = deepest.min(growth / peak - 1.0);
        }
        (growth, deepest)
    }
}

/// Cuts the walk into equal spans and keeps what each added to the sums.
struct Segments {
    bars: usize,
    count: usize,
    /// The first bar that is not in the present segment.
    next: usize,
    /// Sums up to the present segment.
    seen: Moments,
    moments: Vec<Moments>,
}

impl Segments {
    fn new(bars: usize, count: usize) -> Self {
        let next = bars.checked_div(count).unwrap_or(usize::MAX);
        let (seen, moments) = (Moments::default(), Vec::with_capacity(count));
        Self { bars, count, next, seen, moments }
    }

    /// Ends the present segment, at whose end the sums are `all` and `squares`.
    fn cut(&mut self, all: f64, squares: f64) {
        self.moments.push(Moments {
            count: self.next - self.seen.count,
            sum: all - self.seen.sum,
            sum_squares: squares - self.seen.sum_squares,
        });
        self.seen = Moments { count: self.next, sum: all, sum_squares: squares };
        let done = self.moments.len();
        self.next =
            if done == self.count { usize::MAX } else { (done + 1) * self.bars / self.count };
    }
}

#[multiversion(targets("x86_64+avx512f+avx512vl+avx512dq", "x86_64+avx2", "aarch64+neon"))]
fn walk(
    close: &[f64],
    returns: Option<&[f64]>,
    fills: &[Fill],
    init_cash: f64,
    segments: usize,
) -> (Path, Vec<Moments>) {
    let mut walk = Walk::new(close, returns, init_cash, segments);
    let first = fills.first().map_or(close.len(), |fill| fill.order.bar);
    walk.flat(0, first, init_cash);
    for (at, fill) in fills.iter().enumerate() {
        let from = fill.order.bar;
        let to = fills.get(at + 1).map_or(close.len(), |next| next.order.bar);
        if fill.account.position == 0.0 {
            walk.flat(from, to, fill.account.cash);
        } else {
            walk.invested(from, to, &fill.account);
        }
    }
    walk.finish()
}

impl<'a> Walk<'a> {
    fn new(close: &'a [f64], returns: Option<&'a [f64]>, init_cash: f64, segments: usize) -> Self {
        Self {
            close,
            returns,
            past: Sums::default(),
            sums: Sums::default(),
            summed: 0,
            segments: Segments::new(close.len(), segments),
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
    #[inline(always)]
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
    #[inline(always)]
    fn invested(&mut self, from: usize, to: usize, account: &Account) {
        if from == to {
            return;
        }
        let Account { cash, position, free_cash, .. } = *account;
        let source = match self.returns {
            Some(returns) if cash == 0.0 && position > 0.0 => Source::Known(returns),
            None if cash == 0.0 && position > 0.0 => Source::Price,
            _ => Source::Affine { cash, position },
        };
        let first = self.close[from];
        self.step(from, cash + position * first);
        let mut high = first;
        let mut start = from + 1;
        while start < to {
            self.reach(start);
            let end = (start + BLOCK).min(to).min(self.segments.next);
            let block = scan(self.close, start, end, source, &mut self.sums);
            high = if block.high > high { block.high } else { high };
            self.drawdown(start, end, cash, position, block);
            start = end;
            self.fold(end);
        }
        self.equity = cash + position * self.close[to - 1];
        if free_cash >= 0.0 {
            // Exposure grows with the price: its highest says it all.
            self.expose(high * position.abs(), free_cash);
        } else {
            (from..to).for_each(|bar| self.expose(self.close[bar] * position.abs(), free_cash));
        }
    }

    /// One bar, scalar: its return and its drawdown.
    #[inline(always)]
    fn step(&mut self, bar: usize, equity: f64) {
        self.reach(bar);
        self.sums.add(0, share(equity, self.equity));
        self.equity = equity;
        self.is_ruined |= equity <= 0.0;
        self.peak_or_drawdown(bar, equity);
        self.fold(bar);
    }

    /// Ends the segments that end before `bar`, the next to be looked at.
    #[inline(always)]
    fn reach(&mut self, bar: usize) {
        while self.segments.next <= bar {
            self.past.absorb(&mut self.sums);
            self.summed = bar;
            let totals = self.past.totals();
            self.segments.cut(totals.all, totals.squares);
        }
    }

    /// Puts the sums away once they hold enough bars.
    #[inline(always)]
    fn fold(&mut self, bar: usize) {
        if bar - self.summed > SUMMED {
            self.past.absorb(&mut self.sums);
            self.summed = bar;
        }
    }

    #[inline(always)]
    fn drawdown(
        &mut self,
        start: usize,
        end: usize,
        cash: f64,
        position: f64,
        Extremes { low, high }: Extremes,
    ) {
        let (low, high) = if position > 0.0 { (low, high) } else { (high, low) };
        let worst = cash + position * low;
        self.is_ruined |= worst <= 0.0;
        if cash + position * high < self.peak {
            self.is_below_peak = true;
            self.deepen(worst);
        } else {
            self.rescan(start, end, cash, position);
        }
    }

    /// Bar by bar through a block that holds a new peak.
    fn rescan(&mut self, start: usize, end: usize, cash: f64, position: f64) {
        for bar in start..end {
            self.peak_or_drawdown(bar, cash + position * self.close[bar]);
        }
    }

    #[inline(always)]
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

    #[inline(always)]
    fn deepen(&mut self, equity: f64) {
        let drawdown = (equity - self.peak) / self.peak;
        self.max_drawdown = if drawdown < self.max_drawdown { drawdown } else { self.max_drawdown };
    }

    /// Ends the drawdown that `bar` recovers from.
    #[inline(always)]
    fn recover(&mut self, bar: usize) {
        if self.is_below_peak {
            self.longest = self.longest.max(bar - self.peak_bar - 1);
            self.is_below_peak = false;
        }
    }

    #[inline(always)]
    fn expose(&mut self, value: f64, free_cash: f64) {
        let exposure = if free_cash == 0.0 { 1.0 } else { value / (value + free_cash) };
        if exposure > self.max_exposure {
            self.max_exposure = exposure;
        }
    }

    fn finish(mut self) -> (Path, Vec<Moments>) {
        self.recover(self.close.len());
        self.reach(self.close.len());
        self.past.absorb(&mut self.sums);
        let totals = self.past.totals();
        let path = Path {
            sum: totals.all,
            gains: totals.gains,
            losses: totals.losses,
            sum_squares: totals.squares,
            sum_downside_squares: totals.downside_squares,
            final_equity: self.equity,
            max_drawdown: self.max_drawdown,
            longest_drawdown: self.longest,
            max_gross_exposure: self.max_exposure,
            is_ruined: self.is_ruined,
        };
        (path, self.segments.moments)
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

/// Turns the equity in `values` into returns, the first against `init_cash`.
pub fn returns(init_cash: f64, values: &mut [f64]) {
    let mut before = init_cash;
    for value in values {
        (before, *value) = (*value, share(*value, before));
    }
}

/// The returns of the price itself, the first 0: what [`super::Run::returns`] takes.
///
/// # Panics
/// When `out` is not as long as `close`.
#[multiversion(targets("x86_64+avx512f+avx512vl+avx512dq", "x86_64+avx2", "aarch64+neon"))]
pub fn price_returns(close: &[f64], out: &mut [f64]) {
    assert_eq!(close.len(), out.len(), "one value per bar");
    let Some((first, rest)) = out.split_first_mut() else { return };
    *first = 0.0;
    for ((r, now), before) in rest.iter_mut().zip(&close[1..]).zip(close) {
        *r = (now - before) / before;
    }
}
