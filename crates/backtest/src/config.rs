//! Everything that decides how signals become orders. The defaults are VectorBT's.

use std::ops::Range;

use serde::{Deserialize, Serialize};

use crate::BacktestError;

/// A number for all bars, or one number per bar.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum PerBar<'a> {
    /// The same number at every bar.
    Scalar(f64),
    /// One number per bar; as long as the bars.
    Array(&'a [f64]),
}

impl<'a> PerBar<'a> {
    /// The numbers of the bars in `range`.
    fn slice(self, range: Range<usize>) -> Self {
        match self {
            Self::Scalar(_) => self,
            Self::Array(values) => Self::Array(&values[range]),
        }
    }
}

impl PerBar<'_> {
    /// The number at `bar`.
    #[inline]
    #[must_use]
    pub fn at(&self, bar: usize) -> f64 {
        match self {
            Self::Scalar(value) => *value,
            Self::Array(values) => values[bar],
        }
    }

    /// Whether it is NaN at every bar, which switches a stop off.
    #[must_use]
    pub fn is_off(&self) -> bool {
        match self {
            Self::Scalar(value) => value.is_nan(),
            Self::Array(values) => values.iter().all(|value| value.is_nan()),
        }
    }

    fn values(&self) -> &[f64] {
        match self {
            Self::Scalar(value) => std::slice::from_ref(value),
            Self::Array(values) => values,
        }
    }
}

impl From<f64> for PerBar<'_> {
    fn from(value: f64) -> Self {
        Self::Scalar(value)
    }
}

/// Which positions the plain `entry` and `exit` signals may open.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Direction {
    /// Entries open longs, exits close them.
    #[default]
    LongOnly,
    /// Entries open shorts, exits close them.
    ShortOnly,
    /// Entries open longs, exits open shorts.
    Both,
}

/// The unit of an order's size.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum SizeType {
    /// Units of the asset.
    #[default]
    Amount,
    /// Units of cash at the order's unslipped price.
    Value,
    /// Share of the resources at hand: 1 is all cash.
    Percent,
}

/// Whether a repeated signal in the position's direction adds to it, and an opposite one reduces it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Accumulate {
    /// One entry opens, one exit closes.
    #[default]
    Off,
    /// Entries add, exits reduce, each by the order size.
    Both,
    /// Entries add; an exit closes all.
    AddOnly,
    /// Exits reduce; a second entry is ignored.
    RemoveOnly,
}

/// What an entry and an exit of one direction in one bar mean.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Conflict {
    /// Neither counts.
    #[default]
    Ignore,
    /// The entry counts.
    Entry,
    /// The exit counts.
    Exit,
    /// In a position of either direction the entry counts; flat, neither.
    Adjacent,
    /// In a position of either direction the exit counts; flat, neither.
    Opposite,
}

/// What a long entry and a short entry in one bar mean.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum DirectionConflict {
    /// Neither counts.
    #[default]
    Ignore,
    /// The long entry counts.
    Long,
    /// The short entry counts.
    Short,
    /// The entry in the position's direction counts; flat, neither.
    Adjacent,
    /// The entry against the position's direction counts; flat, neither.
    Opposite,
}

/// What an entry against the open position does.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum OppositeEntry {
    /// Nothing.
    Ignore,
    /// Closes the position.
    Close,
    /// Closes it, or reduces it where accumulation is on.
    CloseReduce,
    /// Reverses it.
    Reverse,
    /// Reverses it, or reduces it where accumulation is on.
    #[default]
    ReverseReduce,
}

/// The price from which stop distances are measured.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum StopEntryPrice {
    /// The order price before slippage.
    Price,
    /// The order price after slippage.
    FillPrice,
    /// The close of the entry bar.
    #[default]
    Close,
}

/// The price at which a stop that was hit fills.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum StopExitPrice {
    /// The stop's price (or the open, where the bar opened beyond it), without slippage.
    #[default]
    StopLimit,
    /// The same price, with slippage.
    StopMarket,
    /// The bar's order price, with slippage.
    Price,
    /// The bar's close, with slippage.
    Close,
}

/// What a stop that was hit does.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum StopExit {
    /// Closes the position.
    #[default]
    Close,
    /// Closes it, or reduces it where accumulation is on.
    CloseReduce,
    /// Reverses it.
    Reverse,
    /// Reverses it, or reduces it where accumulation is on.
    ReverseReduce,
}

/// Whether an order that adds to a position moves its stops.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum StopUpdate {
    /// The first stop stays.
    Keep,
    /// The new stop replaces the old one where it is not NaN.
    #[default]
    Override,
    /// The new stop replaces the old one even where it is NaN.
    OverrideNan,
}

/// How signals become orders. `Config::default()` is VectorBT's `from_signals` without arguments.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Config<'a> {
    /// Cash at the start; above 0.
    pub init_cash: f64,
    /// Order size in the unit of `size_type`; infinity takes all cash, NaN skips the order.
    pub size: PerBar<'a>,
    /// Unit of `size`.
    pub size_type: SizeType,
    /// Order price; infinity means the close.
    pub price: PerBar<'a>,
    /// Fees as a share of the order's value.
    pub fees: PerBar<'a>,
    /// Fees per order in cash.
    pub fixed_fees: PerBar<'a>,
    /// Fees per unit of the asset in cash, beside the others.
    pub fees_per_unit: f64,
    /// The least that the fees of an order come to, in cash.
    pub min_fees: f64,
    /// Slippage as a share of the price.
    pub slippage: PerBar<'a>,
    /// An order below this size is rejected.
    pub min_size: f64,
    /// An order above this size is cut to it.
    pub max_size: f64,
    /// Sizes are cut to a multiple of this; NaN leaves them.
    pub size_granularity: f64,
    /// Whether an order that cash does not cover fills in part (else it is rejected).
    pub allow_partial: bool,
    /// Whether shorts may only use cash that no other short has tied up.
    pub lock_cash: bool,
    /// Which positions `entry` and `exit` may open.
    pub direction: Direction,
    /// Whether signals add and reduce.
    pub accumulate: Accumulate,
    /// Long entry and long exit in one bar.
    pub upon_long_conflict: Conflict,
    /// Short entry and short exit in one bar.
    pub upon_short_conflict: Conflict,
    /// Long entry and short entry in one bar.
    pub upon_dir_conflict: DirectionConflict,
    /// Entry against the open position.
    pub upon_opposite_entry: OppositeEntry,
    /// Stop loss as a share of the base price; NaN is none.
    pub sl_stop: PerBar<'a>,
    /// Whether the stop loss trails the best price since entry.
    pub sl_trail: bool,
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
    pub stop_entry_price: StopEntryPrice,
    /// Fill price of stops.
    pub stop_exit_price: StopExitPrice,
    /// What a stop does.
    pub upon_stop_exit: StopExit,
    /// What adding to a position does to its stops.
    pub upon_stop_update: StopUpdate,
}

impl Config<'_> {
    /// The same for the bars in `range`: numbers per bar are cut to it.
    ///
    /// # Panics
    /// When an array is shorter than `range` reaches.
    #[must_use]
    pub fn slice(mut self, range: Range<usize>) -> Self {
        for option in [
            &mut self.size,
            &mut self.price,
            &mut self.fees,
            &mut self.fixed_fees,
            &mut self.slippage,
            &mut self.sl_stop,
            &mut self.tp_stop,
        ] {
            *option = option.slice(range.clone());
        }
        self
    }
}

impl Default for Config<'_> {
    fn default() -> Self {
        Self {
            init_cash: 100.0,
            size: f64::INFINITY.into(),
            size_type: SizeType::Amount,
            price: f64::INFINITY.into(),
            fees: 0.0.into(),
            fixed_fees: 0.0.into(),
            fees_per_unit: 0.0,
            min_fees: 0.0,
            slippage: 0.0.into(),
            min_size: 1e-8,
            max_size: f64::INFINITY,
            size_granularity: f64::NAN,
            allow_partial: true,
            lock_cash: false,
            direction: Direction::default(),
            accumulate: Accumulate::default(),
            upon_long_conflict: Conflict::default(),
            upon_short_conflict: Conflict::default(),
            upon_dir_conflict: DirectionConflict::default(),
            upon_opposite_entry: OppositeEntry::default(),
            sl_stop: f64::NAN.into(),
            sl_trail: false,
            trail_after: f64::NAN,
            breakeven_after: f64::NAN,
            time_stop: f64::INFINITY,
            tp_stop: f64::NAN.into(),
            stop_entry_price: StopEntryPrice::default(),
            stop_exit_price: StopExitPrice::default(),
            upon_stop_exit: StopExit::default(),
            upon_stop_update: StopUpdate::default(),
        }
    }
}

impl Config<'_> {
    /// Whether any stop may arm.
    #[must_use]
    pub fn has_stops(&self) -> bool {
        !self.sl_stop.is_off()
            || !self.tp_stop.is_off()
            || !self.breakeven_after.is_nan()
            || self.time_stop.is_finite()
    }

    /// Whether fees are more than a share and a fixed amount.
    #[must_use]
    pub fn has_schedule(&self) -> bool {
        self.fees_per_unit != 0.0 || self.min_fees != 0.0
    }

    /// Checks every number against its range and every array against the number of bars.
    ///
    /// # Errors
    /// [`BacktestError::Option`] naming the option, the value and what would be right.
    pub fn check(&self, bars: usize) -> Result<(), BacktestError> {
        let finite = |v: f64| v.is_finite();
        check("init_cash", &self.init_cash.into(), bars, "a finite number above 0", |v| {
            finite(v) && v > 0.0
        })?;
        check("size", &self.size, bars, "a number above 0, or inf for all cash", |v| {
            v.is_nan() && matches!(self.size, PerBar::Array(_)) || v > 0.0
        })?;
        check("price", &self.price, bars, "a price above 0, or inf for the close", |v| {
            v.is_nan() || v > 0.0
        })?;
        let share = "a finite share of at least 0 and below 1, such as 0.001";
        check("fees", &self.fees, bars, share, |v| (0.0..1.0).contains(&v))?;
        check("slippage", &self.slippage, bars, share, |v| (0.0..1.0).contains(&v))?;
        check("fixed_fees", &self.fixed_fees, bars, "a finite number of at least 0", |v| {
            finite(v) && v >= 0.0
        })?;
        for (option, fees) in [("fees_per_unit", self.fees_per_unit), ("min_fees", self.min_fees)] {
            let expected = "a finite number of at least 0, and 0 with lock_cash";
            check(option, &fees.into(), bars, expected, |v| {
                finite(v) && v >= 0.0 && !(self.lock_cash && v > 0.0)
            })?;
        }
        check("min_size", &self.min_size.into(), bars, "a finite number of at least 0", |v| {
            finite(v) && v >= 0.0
        })?;
        check("max_size", &self.max_size.into(), bars, "a number above 0", |v| v > 0.0)?;
        let stop = "a share above 0 and at most 1 (0.02 is 2 percent), or none";
        check("sl_stop", &self.sl_stop, bars, stop, |v| v.is_nan() || v > 0.0 && v <= 1.0)?;
        let gain = "a finite share above 0 (0.02 is 2 percent), or none";
        let is_gain = |v: f64| v.is_nan() || finite(v) && v > 0.0;
        check("trail_after", &self.trail_after.into(), bars, gain, is_gain)?;
        check("breakeven_after", &self.breakeven_after.into(), bars, gain, is_gain)?;
        check("time_stop", &self.time_stop.into(), bars, "a whole number of bars above 0", |v| {
            v >= 1.0 && (v.is_infinite() || v.fract() == 0.0)
        })?;
        let profit = "a share above 0 (0.02 is 2 percent), or none";
        check("tp_stop", &self.tp_stop, bars, profit, |v| v.is_nan() || finite(v) && v > 0.0)
    }
}

fn check(
    option: &'static str,
    values: &PerBar<'_>,
    bars: usize,
    expected: &'static str,
    is_right: impl Fn(f64) -> bool,
) -> Result<(), BacktestError> {
    if let PerBar::Array(array) = values
        && array.len() != bars
    {
        return Err(BacktestError::Length { what: option, length: array.len(), bars });
    }
    match values.values().iter().position(|&value| !is_right(value)) {
        None => Ok(()),
        Some(at) => Err(BacktestError::Option {
            option,
            value: values.values()[at],
            bar: matches!(values, PerBar::Array(_)).then_some(at),
            expected,
        }),
    }
}
