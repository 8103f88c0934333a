//! The names of the statistics.

use crate::BacktestError;
use crate::error::suggest;

macro_rules! stats {
    ($($variant:ident $name:literal $title:literal;)*) => {
        /// A statistic. Shares are given in percent, durations in seconds.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
        #[repr(u8)]
        pub enum Stat {
            $(#[doc = $title] $variant,)*
        }

        impl Stat {
            /// Every statistic, in the order of a report.
            pub const ALL: &'static [Self] = &[$(Self::$variant,)*];

            /// Name in documents and options.
            #[must_use]
            pub const fn name(self) -> &'static str {
                match self { $(Self::$variant => $name,)* }
            }

            /// Name in tables.
            #[must_use]
            pub const fn title(self) -> &'static str {
                match self { $(Self::$variant => $title,)* }
            }
        }
    };
}

stats! {
    Start "start" "Start";
    End "end" "End";
    Period "period" "Period";
    StartValue "start_value" "Start Value";
    EndValue "end_value" "End Value";
    TotalReturn "total_return_percent" "Total Return [%]";
    BenchmarkReturn "benchmark_return_percent" "Benchmark Return [%]";
    MaxGrossExposure "max_gross_exposure_percent" "Max Gross Exposure [%]";
    TotalFeesPaid "total_fees_paid" "Total Fees Paid";
    MaxDrawdown "max_drawdown_percent" "Max Drawdown [%]";
    MaxDrawdownDuration "max_drawdown_duration" "Max Drawdown Duration";
    TotalTrades "total_trades" "Total Trades";
    TotalClosedTrades "total_closed_trades" "Total Closed Trades";
    TotalOpenTrades "total_open_trades" "Total Open Trades";
    OpenTradePnl "open_trade_pnl" "Open Trade PnL";
    WinRate "win_rate_percent" "Win Rate [%]";
    BestTrade "best_trade_percent" "Best Trade [%]";
    WorstTrade "worst_trade_percent" "Worst Trade [%]";
    AvgWinningTrade "avg_winning_trade_percent" "Avg Winning Trade [%]";
    AvgLosingTrade "avg_losing_trade_percent" "Avg Losing Trade [%]";
    AvgWinningTradeDuration "avg_winning_trade_duration" "Avg Winning Trade Duration";
    AvgLosingTradeDuration "avg_losing_trade_duration" "Avg Losing Trade Duration";
    ProfitFactor "profit_factor" "Profit Factor";
    Expectancy "expectancy" "Expectancy";
    SharpeRatio "sharpe_ratio" "Sharpe Ratio";
    CalmarRatio "calmar_ratio" "Calmar Ratio";
    OmegaRatio "omega_ratio" "Omega Ratio";
    SortinoRatio "sortino_ratio" "Sortino Ratio";
    AnnualizedReturn "annualized_return_percent" "Annualized Return [%]";
    AnnualizedVolatility "annualized_volatility_percent" "Annualized Volatility [%]";
    Skew "skew" "Skew";
    Kurtosis "kurtosis" "Kurtosis";
    TailRatio "tail_ratio" "Tail Ratio";
    CommonSenseRatio "common_sense_ratio" "Common Sense Ratio";
    ValueAtRisk "value_at_risk" "Value at Risk";
    Alpha "alpha" "Alpha";
    Beta "beta" "Beta";
}

impl Stat {
    /// The statistic called `name`.
    ///
    /// # Errors
    /// [`BacktestError::UnknownStatistic`] with the nearest name.
    pub fn find(name: &str) -> Result<Self, BacktestError> {
        let names = || Self::ALL.iter().map(|stat| stat.name());
        Self::ALL.iter().copied().find(|stat| stat.name() == name).ok_or_else(|| {
            BacktestError::UnknownStatistic {
                name: name.to_owned(),
                suggestion: suggest(name, names()),
                known: names().collect::<Vec<_>>().join(", "),
            }
        })
    }

    /// Whether a search for the best looks for its lowest value.
    #[must_use]
    pub fn is_lower_better(self) -> bool {
        matches!(
            self,
            Self::MaxGrossExposure
                | Self::TotalFeesPaid
                | Self::MaxDrawdown
                | Self::MaxDrawdownDuration
                | Self::AnnualizedVolatility
        )
    }

    /// Whether it needs every return at once, and so memory for them.
    #[must_use]
    pub fn needs_returns(self) -> bool {
        StatSet::NEED_RETURNS.contains(self)
    }
}

/// A set of statistics.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct StatSet(u64);

impl StatSet {
    const NEED_RETURNS: Self = Self::of(&[
        Stat::Skew,
        Stat::Kurtosis,
        Stat::TailRatio,
        Stat::CommonSenseRatio,
        Stat::ValueAtRisk,
        Stat::Alpha,
        Stat::Beta,
    ]);

    /// The 28 rows of `Portfolio.stats`.
    #[must_use]
    pub const fn portfolio() -> Self {
        Self((1 << (Stat::SortinoRatio as u8 + 1)) - 1)
    }

    /// Everything but what needs all returns at once: what a sweep keeps per trial.
    #[must_use]
    pub const fn streaming() -> Self {
        Self(Self::all().0 & !Self::NEED_RETURNS.0)
    }

    /// Every statistic.
    #[must_use]
    pub const fn all() -> Self {
        Self((1 << Stat::ALL.len()) - 1)
    }

    /// Just `stats`.
    #[must_use]
    pub const fn of(stats: &[Stat]) -> Self {
        let mut bits = 0;
        let mut i = 0;
        while i < stats.len() {
            bits |= 1 << stats[i] as u8;
            i += 1;
        }
        Self(bits)
    }

    /// Whether `stat` is in the set.
    #[must_use]
    pub const fn contains(self, stat: Stat) -> bool {
        self.0 >> stat as u8 & 1 == 1
    }

    /// Whether the sets share a statistic.
    pub(super) const fn meets(self, other: Self) -> bool {
        self.0 & other.0 != 0
    }

    pub(super) const fn needs_returns(self) -> bool {
        self.meets(Self::NEED_RETURNS)
    }

    /// The statistics of the set, in the order of a report.
    pub fn iter(self) -> impl Iterator<Item = Stat> {
        Stat::ALL.iter().copied().filter(move |&stat| self.contains(stat))
    }
}
