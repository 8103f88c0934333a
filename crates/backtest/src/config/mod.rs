//! Everything that decides how signals become orders. The defaults are VectorBT's.
//!
//! ```
//! use backtest::config::{Accumulate, Config, SizeType};
//!
//! let half_of_it_with_a_stop = Config {
//!     size: 0.5.into(),
//!     size_type: SizeType::Percent.into(),
//!     accumulate: Accumulate::Off.into(),
//!     fees: 0.001.into(),
//!     sl_stop: 0.02.into(),
//!     ..Config::default()
//! };
//! assert!(half_of_it_with_a_stop.has_stops());
//! ```

pub(crate) mod check;
mod per_bar;
mod words;

use std::ops::Range;

pub use per_bar::PerBar;
pub use words::{
    Accumulate, Conflict, Direction, DirectionConflict, OppositeEntry, SizeType, StopEntryPrice,
    StopExit, StopExitPrice, StopUpdate,
};

/// A step of a schedule of fees by the value traded.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct FeeTier {
    /// Value traded in the month so far, in cash, from which on the step holds.
    pub from: f64,
    /// Fees as a share of the order's value.
    pub fees: f64,
}

/// How signals become orders. `Config::default()` is VectorBT's `from_signals` without arguments.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Config<'a> {
    /// Cash at the start; above 0.
    pub init_cash: f64,
    /// Order size in the unit of `size_type`; infinity takes all cash, NaN skips the order.
    pub size: PerBar<'a>,
    /// Unit of `size`.
    pub size_type: PerBar<'a, SizeType>,
    /// Order price; infinity means the close.
    pub price: PerBar<'a>,
    /// Fees as a share of the order's value.
    pub fees: PerBar<'a>,
    /// Fees per order in cash.
    pub fixed_fees: PerBar<'a>,
    /// Shares that replace `fees`, by the value traded since the calendar month (UTC) began: the
    /// whole order pays the step that the orders before it have reached. From 0 on and ascending;
    /// empty is none.
    pub fee_tiers: &'a [FeeTier],
    /// Fees per unit of the asset in cash, beside the others.
    pub fees_per_unit: f64,
    /// The least that the fees of an order come to, in cash.
    pub min_fees: f64,
    /// Slippage as a share of the price.
    pub slippage: PerBar<'a>,
    /// An order below this size is rejected.
    pub min_size: PerBar<'a>,
    /// An order above this size is cut to it.
    pub max_size: PerBar<'a>,
    /// Sizes are cut to a multiple of this; NaN leaves them.
    pub size_granularity: PerBar<'a>,
    /// Whether an order that cash does not cover fills in part (else it is rejected).
    pub allow_partial: PerBar<'a, bool>,
    /// Whether shorts may only use cash that no other short has tied up.
    pub lock_cash: PerBar<'a, bool>,
    /// What a position and the fees of its order may come to, in multiples of the account's worth
    /// at the order's price: what cash does not cover is lent, and cash falls below 0. 1 lends
    /// nothing. Above 1 it bounds shorts of a finite size, too, which VectorBT does not bound.
    pub leverage: f64,
    /// A margin call closes the whole position, as a market order with slippage, where a bar takes
    /// the account's worth to this share of the position's value. From the bar after a fill on, and
    /// at the open where that is beyond; a stop loss that is met before it comes first. NaN is 0
    /// with `leverage` above 1, and else never.
    pub maintenance_margin: f64,
    /// What a short costs a year, as a share of its value: charged for every day (UTC) at the first
    /// bar of the next, on the last close before, as a [`crate::engine::Fill`] of size 0.
    pub borrow_rate: f64,
    /// What lent cash (`cash` below 0) costs a year, charged as `borrow_rate` is.
    pub margin_rate: f64,
    /// Which positions `entry` and `exit` may open.
    pub direction: Direction,
    /// Whether signals add and reduce.
    pub accumulate: PerBar<'a, Accumulate>,
    /// Long entry and long exit in one bar.
    pub upon_long_conflict: PerBar<'a, Conflict>,
    /// Short entry and short exit in one bar.
    pub upon_short_conflict: PerBar<'a, Conflict>,
    /// Long entry and short entry in one bar.
    pub upon_dir_conflict: PerBar<'a, DirectionConflict>,
    /// Entry against the open position.
    pub upon_opposite_entry: PerBar<'a, OppositeEntry>,
    /// An entry waits at a price better than the order price by this share: lower for a long,
    /// higher for a short. It fills at that price, or at the open where that is better still,
    /// without slippage, from the next bar on. Exits do not wait. NaN fills entries at once.
    pub limit_entry: PerBar<'a>,
    /// Bars after that of its signal in which such an order may fill; infinity is any. Another
    /// entry replaces it; an exit of its direction or a stop that is hit cancels it.
    pub limit_bars: f64,
    /// Stop loss as a share of the base price; NaN is none.
    pub sl_stop: PerBar<'a>,
    /// Whether the stop loss trails the best price since entry.
    pub sl_trail: PerBar<'a, bool>,
    /// The trail begins once the price has gone this share of the base price in the position's
    /// favour; before, the stop loss stays where it was. NaN trails from the start.
    pub trail_after: f64,
    /// Once the price has gone this share of the base price in the position's favour, the stop
    /// loss is no worse than the base price itself, from the next bar on. NaN is never.
    pub breakeven_after: f64,
    /// Bars after which a position is closed at the close, where no other stop was hit in the same
    /// bar; infinity is never.
    pub time_stop: f64,
    /// Take profit as a share of the base price; NaN is none.
    pub tp_stop: PerBar<'a>,
    /// Base price of stops.
    pub stop_entry_price: PerBar<'a, StopEntryPrice>,
    /// Fill price of stops.
    pub stop_exit_price: PerBar<'a, StopExitPrice>,
    /// What a stop does.
    pub upon_stop_exit: PerBar<'a, StopExit>,
    /// What adding to a position does to its stops.
    pub upon_stop_update: PerBar<'a, StopUpdate>,
}

impl Config<'_> {
    /// The same for the bars in `range`: numbers per bar are cut to it.
    ///
    /// # Panics
    /// When an array is shorter than `range` reaches.
    #[must_use]
    pub fn slice(mut self, range: Range<usize>) -> Self {
        macro_rules! cut {
            ($($option:ident)*) => { $(self.$option = self.$option.slice(range.clone());)* };
        }
        cut!(size size_type price fees fixed_fees slippage min_size max_size size_granularity);
        cut!(allow_partial lock_cash accumulate limit_entry sl_stop sl_trail tp_stop);
        cut!(upon_long_conflict upon_short_conflict upon_dir_conflict upon_opposite_entry);
        cut!(stop_entry_price stop_exit_price upon_stop_exit upon_stop_update);
        self
    }
}

impl Default for Config<'_> {
    fn default() -> Self {
        Self {
            init_cash: 100.0,
            size: f64::INFINITY.into(),
            size_type: PerBar::default(),
            price: f64::INFINITY.into(),
            fees: 0.0.into(),
            fixed_fees: 0.0.into(),
            fee_tiers: &[],
            fees_per_unit: 0.0,
            min_fees: 0.0,
            slippage: 0.0.into(),
            min_size: 1e-8.into(),
            max_size: f64::INFINITY.into(),
            size_granularity: f64::NAN.into(),
            allow_partial: true.into(),
            lock_cash: false.into(),
            leverage: 1.0,
            maintenance_margin: f64::NAN,
            borrow_rate: 0.0,
            margin_rate: 0.0,
            direction: Direction::default(),
            accumulate: PerBar::default(),
            upon_long_conflict: PerBar::default(),
            upon_short_conflict: PerBar::default(),
            upon_dir_conflict: PerBar::default(),
            upon_opposite_entry: PerBar::default(),
            limit_entry: f64::NAN.into(),
            limit_bars: f64::INFINITY,
            sl_stop: f64::NAN.into(),
            sl_trail: false.into(),
            trail_after: f64::NAN,
            breakeven_after: f64::NAN,
            time_stop: f64::INFINITY,
            tp_stop: f64::NAN.into(),
            stop_entry_price: PerBar::default(),
            stop_exit_price: PerBar::default(),
            upon_stop_exit: PerBar::default(),
            upon_stop_update: PerBar::default(),
        }
    }
}

impl Config<'_> {
    /// Whether any stop may arm, a margin call included.
    #[must_use]
    pub fn has_stops(&self) -> bool {
        !self.sl_stop.is_off()
            || !self.tp_stop.is_off()
            || !self.breakeven_after.is_nan()
            || self.time_stop.is_finite()
            || !self.margin_share().is_nan()
    }

    /// Whether opens, highs and lows count: for stops, and for entries that wait.
    pub(crate) fn reads_candles(&self) -> bool {
        self.has_stops() || !self.limit_entry.is_off()
    }

    /// Whether fees are more than a share and a fixed amount.
    #[must_use]
    pub fn has_schedule(&self) -> bool {
        self.fees_per_unit != 0.0 || self.min_fees != 0.0 || !self.fee_tiers.is_empty()
    }

    /// The share of the position's value at which a margin call comes; NaN is never.
    pub(crate) fn margin_share(&self) -> f64 {
        if self.maintenance_margin.is_nan() && self.leverage > 1.0 {
            0.0
        } else {
            self.maintenance_margin
        }
    }
}
