//! Statistics put together from the three passes.

use market_data::BarsView;

use super::extended::{Extended, PART};
use super::path::{Path, equity, returns};
use super::returns::{Known, OfFills};
use super::trades::TradeSums;
use super::{Stat, StatSet};
use crate::engine::Fill;

const YEAR_NS: f64 = 365.0 * 86_400.0 * 1e9;

/// What a finished simulation is judged by.
#[derive(Debug, Clone, Copy)]
pub struct Run<'a> {
    /// The bars; closes without NaN (see [`crate::fill_close`]).
    pub bars: BarsView<'a>,
    /// Its fills, in order.
    pub fills: &'a [Fill],
    /// Cash at the start.
    pub init_cash: f64,
    /// Length of a bar in nanoseconds.
    pub freq_ns: i64,
    /// [`super::price_returns`] of the closes, where many runs share them: they save a division a
    /// bar and change no bit.
    pub returns: Option<&'a [f64]>,
}

/// Sums from which the mean and deviation of any union of spans follow.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Moments {
    /// Returns.
    pub count: usize,
    /// Their sum.
    pub sum: f64,
    /// The sum of their squares.
    pub sum_squares: f64,
}

impl Moments {
    /// Of `returns`.
    #[must_use]
    pub fn of(returns: &[f64]) -> Self {
        let sum = returns.iter().sum();
        let sum_squares = returns.iter().map(|r| r * r).sum();
        Self { count: returns.len(), sum, sum_squares }
    }

    /// Mean over standard deviation (one degree of freedom removed), per return; NaN where the
    /// deviation is 0 or there are fewer than 2.
    #[must_use]
    pub fn sharpe(&self) -> f64 {
        let n = self.count as f64;
        let mean = self.sum / n;
        let variance = (self.sum_squares - mean * self.sum) / (n - 1.0);
        if variance > 0.0 { mean / variance.sqrt() } else { f64::NAN }
    }
}

impl std::ops::Add for Moments {
    type Output = Self;

    fn add(self, other: Self) -> Self {
        Self {
            count: self.count + other.count,
            sum: self.sum + other.sum,
            sum_squares: self.sum_squares + other.sum_squares,
        }
    }
}

/// The statistics of one run. What was not asked for, and what is undefined, is `None`.
#[derive(Debug, Clone, Copy)]
pub struct Statistics {
    values: [f64; Stat::ALL.len()],
}

/// Two are equal where every value is, and what one leaves undefined the other does.
impl PartialEq for Statistics {
    fn eq(&self, other: &Self) -> bool {
        Stat::ALL.iter().all(|&stat| self.get(stat) == other.get(stat))
    }
}

impl Statistics {
    const NONE: Self = Self { values: [f64::NAN; Stat::ALL.len()] };

    /// Statistics that were kept elsewhere, such as in a file: `value` says each, `None` what is
    /// undefined.
    #[must_use]
    pub fn from_fn(value: impl Fn(Stat) -> Option<f64>) -> Self {
        let mut out = Self::NONE;
        for &stat in Stat::ALL {
            out.set(stat, value(stat).unwrap_or(f64::NAN));
        }
        out
    }

    /// The value of `stat`, `None` where it was not asked for or is undefined (a win rate without
    /// trades, a profit factor without losses).
    ///
    /// [`Stat::Start`] and [`Stat::End`] are seconds since the Unix epoch.
    #[must_use]
    pub fn get(&self, stat: Stat) -> Option<f64> {
        Some(self.values[stat as usize]).filter(|value| value.is_finite())
    }

    /// The same without what is not in `set`.
    fn only(mut self, set: StatSet) -> Self {
        for stat in Stat::ALL.iter().filter(|&&stat| !set.contains(stat)) {
            self.set(*stat, f64::NAN);
        }
        self
    }

    fn set(&mut self, stat: Stat, value: f64) {
        self.values[stat as usize] = value;
    }
}

impl<'a> Run<'a> {
    /// Computes the statistics in `set`; O(orders), O(bars in a position) or O(bars) by what was
    /// asked, and memory only for [`Stat::needs_returns`].
    ///
    /// # Panics
    /// Without bars.
    #[must_use]
    pub fn statistics(&self, set: StatSet) -> Statistics {
        self.judge(set, 0).0
    }

    /// [`StatSet::streaming`], and [`Moments`] of the returns of each of `count` spans of the bars,
    /// as equal as whole bars permit, in time order. O(bars in a position), and no memory but for
    /// the moments.
    ///
    /// # Panics
    /// Without bars.
    #[must_use]
    pub fn with_segments(&self, count: usize) -> (Statistics, Vec<Moments>) {
        self.judge(StatSet::streaming(), count)
    }

    fn judge(&self, set: StatSet, segments: usize) -> (Statistics, Vec<Moments>) {
        let mut moments = Vec::new();
        let mut out = Statistics::NONE;
        let about = self.about();
        let close = self.bars.close;
        let last_close = close[close.len() - 1];
        about.data(self.final_equity(last_close), &mut out);
        let fees = self.fills.iter().map(|fill| fill.order.fees).sum();
        about.trades(&TradeSums::of(self.fills, last_close, close.len()), fees, &mut out);
        if set.meets(OF_PATH) || set.needs_returns() {
            let walk = || Path::of(close, self.returns, self.fills, self.init_cash, segments);
            let extended = || {
                let returns = OfFills::new(close, self.fills, self.init_cash);
                Extended::of(returns, self.final_equity(last_close) / self.init_cash, close)
            };
            // Short of a part, another thread takes longer to wake than to work.
            let (walked, extended) = if !set.needs_returns() {
                (walk(), None)
            } else if close.len() > PART {
                let (walked, extended) = rayon::join(walk, extended);
                (walked, Some(extended))
            } else {
                (walk(), Some(extended()))
            };
            let mut path;
            (path, moments) = walked;
            let growth = if path.is_ruined {
                let mut values = vec![0.0; close.len()];
                equity(close, self.fills, self.init_cash, &mut values);
                path.ruin(values, self.init_cash)
            } else {
                about.growth(&path)
            };
            let annual_return = about.path(&path, growth, &mut out);
            if let Some(extended) = extended {
                about.extended(extended, annual_return, &mut out);
            }
        }
        (out.only(set), moments)
    }

    fn about(&self) -> About<'a> {
        About { bars: self.bars, init_cash: self.init_cash, freq_ns: self.freq_ns }
    }

    fn final_equity(&self, last_close: f64) -> f64 {
        let held = self.fills.last().map(|fill| fill.account);
        held.map_or(self.init_cash, |account| account.cash + account.position * last_close)
    }
}

/// What statistics need to know beside orders and equity.
pub(crate) struct About<'a> {
    pub(crate) bars: BarsView<'a>,
    pub(crate) init_cash: f64,
    pub(crate) freq_ns: i64,
}

impl About<'_> {
    /// [`StatSet::streaming`], put together; `path` is of an account that was never ruined.
    pub(crate) fn statistics(&self, trades: &TradeSums, fees: f64, path: &Path) -> Statistics {
        let mut out = Statistics::NONE;
        self.data(path.final_equity, &mut out);
        self.trades(trades, fees, &mut out);
        self.path(path, self.growth(path), &mut out);
        out
    }

    /// The statistics in `set` of an account whose worth at every bar is `equity`.
    pub(super) fn of_equity(
        &self,
        set: StatSet,
        trades: &TradeSums,
        fees: f64,
        mut path: Path,
        equity: Vec<f64>,
    ) -> Statistics {
        let mut out = Statistics::NONE;
        self.data(path.final_equity, &mut out);
        self.trades(trades, fees, &mut out);
        let growth = if path.is_ruined {
            path.ruin(equity.clone(), self.init_cash)
        } else {
            self.growth(&path)
        };
        let annual_return = self.path(&path, growth, &mut out);
        if set.needs_returns() {
            let mut values = equity;
            returns(self.init_cash, &mut values);
            let extended =
                Extended::of(Known(&values), path.final_equity / self.init_cash, self.bars.close);
            self.extended(extended, annual_return, &mut out);
        }
        out.only(set)
    }

    /// What needs all returns at once.
    fn extended(&self, extended: Extended, annual_return: f64, out: &mut Statistics) {
        let tail = extended.p95.abs() / extended.p5.abs();
        out.set(Stat::Skew, extended.skew);
        out.set(Stat::Kurtosis, extended.kurtosis);
        out.set(Stat::ValueAtRisk, extended.p5);
        out.set(Stat::TailRatio, tail);
        out.set(Stat::CommonSenseRatio, tail * (1.0 + annual_return));
        out.set(Stat::Beta, extended.beta);
        out.set(Stat::Alpha, (extended.alpha_per_bar + 1.0).powf(self.bars_per_year()) - 1.0);
    }

    /// Growth of the account, and its deepest drawdown.
    fn growth(&self, path: &Path) -> (f64, f64) {
        (path.final_equity / self.init_cash, path.max_drawdown)
    }

    fn bar_seconds(&self) -> f64 {
        self.freq_ns as f64 / 1e9
    }

    fn bars_per_year(&self) -> f64 {
        YEAR_NS / self.freq_ns as f64
    }

    fn data(&self, end: f64, out: &mut Statistics) {
        let (close, time) = (self.bars.close, self.bars.timestamp);
        let (first, last) = (close[0], close[close.len() - 1]);
        out.set(Stat::Start, time[0] as f64 / 1e9);
        out.set(Stat::End, time[time.len() - 1] as f64 / 1e9);
        out.set(Stat::Period, close.len() as f64 * self.bar_seconds());
        out.set(Stat::BenchmarkReturn, (last / first - 1.0) * 100.0);
        out.set(Stat::StartValue, self.init_cash);
        out.set(Stat::EndValue, end);
        out.set(Stat::TotalReturn, (end / self.init_cash - 1.0) * 100.0);
    }

    fn trades(&self, sums: &TradeSums, fees: f64, out: &mut Statistics) {
        let (wins, losses) = (sums.wins, sums.losses);
        let closed = sums.closed as f64;
        out.set(Stat::TotalFeesPaid, fees);
        out.set(Stat::TotalTrades, (sums.closed + sums.open) as f64);
        out.set(Stat::TotalClosedTrades, closed);
        out.set(Stat::TotalOpenTrades, sums.open as f64);
        out.set(Stat::OpenTradePnl, sums.open_pnl);
        out.set(Stat::WinRate, wins.count as f64 / closed * 100.0);
        out.set(Stat::BestTrade, sums.best * 100.0);
        out.set(Stat::WorstTrade, sums.worst * 100.0);
        out.set(Stat::AvgWinningTrade, wins.return_share / wins.count as f64 * 100.0);
        out.set(Stat::AvgLosingTrade, losses.return_share / losses.count as f64 * 100.0);
        let seconds = self.bar_seconds();
        out.set(Stat::AvgWinningTradeDuration, wins.bars as f64 / wins.count as f64 * seconds);
        out.set(Stat::AvgLosingTradeDuration, losses.bars as f64 / losses.count as f64 * seconds);
        out.set(Stat::ProfitFactor, wins.pnl / losses.pnl.abs());
        // Win rate x mean win - loss rate x mean loss is the mean profit of a closed trade.
        out.set(Stat::Expectancy, sums.pnl / closed);
    }

    /// Gives the annualised return as a share, which percent might overflow.
    fn path(&self, path: &Path, (growth, drawdown): (f64, f64), out: &mut Statistics) -> f64 {
        let n = self.bars.len() as f64;
        let year = self.bars_per_year();
        let mean = path.sum / n;
        let deviation = ((path.sum_squares - mean * path.sum).max(0.0) / (n - 1.0)).sqrt();
        let downside = (path.sum_downside_squares / n).sqrt();
        out.set(Stat::MaxGrossExposure, path.max_gross_exposure * 100.0);
        if path.longest_drawdown > 0 {
            out.set(Stat::MaxDrawdown, -path.max_drawdown * 100.0);
            out.set(Stat::MaxDrawdownDuration, path.longest_drawdown as f64 * self.bar_seconds());
        }
        out.set(Stat::SharpeRatio, mean / deviation * year.sqrt());
        out.set(Stat::SortinoRatio, mean * year / (downside * year.sqrt()));
        out.set(Stat::OmegaRatio, path.gains / -path.losses);
        let annual = growth.powf(year / n) - 1.0;
        out.set(Stat::AnnualizedReturn, annual * 100.0);
        out.set(Stat::CalmarRatio, annual / drawdown.abs());
        out.set(Stat::AnnualizedVolatility, deviation * year.sqrt() * 100.0);
        annual
    }
}

/// What the pass over the equity gives.
const OF_PATH: StatSet = StatSet::of(&[
    Stat::MaxGrossExposure,
    Stat::MaxDrawdown,
    Stat::MaxDrawdownDuration,
    Stat::SharpeRatio,
    Stat::CalmarRatio,
    Stat::OmegaRatio,
    Stat::SortinoRatio,
    Stat::AnnualizedReturn,
    Stat::AnnualizedVolatility,
]);
