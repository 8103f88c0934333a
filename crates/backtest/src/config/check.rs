//! What options may be.

use super::{Config, PerBar};
use crate::BacktestError;

const SHARE: &str = "a finite share of at least 0 and below 1, such as 0.001";
const GAIN: &str = "a finite share above 0 (0.02 is 2 percent), or none";
const AMOUNT: &str = "a finite number of at least 0";

fn is_share(v: f64) -> bool {
    (0.0..1.0).contains(&v)
}

fn is_gain_or_none(v: f64) -> bool {
    v.is_nan() || v.is_finite() && v > 0.0
}

fn is_amount(v: f64) -> bool {
    v.is_finite() && v >= 0.0
}

fn is_count(v: f64) -> bool {
    v >= 1.0 && (v.is_infinite() || v.fract() == 0.0)
}

impl Config<'_> {
    /// Checks every number against its range and every array against the number of bars.
    ///
    /// # Errors
    /// [`BacktestError::Option`] naming the option, the value and what would be right.
    pub fn check(&self, bars: usize) -> Result<(), BacktestError> {
        check("init_cash", &self.init_cash.into(), bars, "a finite number above 0", |v| {
            v.is_finite() && v > 0.0
        })?;
        self.check_sizes(bars)?;
        self.check_costs(bars)?;
        self.check_lending(bars)?;
        self.check_entries_and_stops(bars)?;
        self.check_words(bars)
    }

    fn check_sizes(&self, bars: usize) -> Result<(), BacktestError> {
        check("size", &self.size, bars, "a number above 0, or inf for all cash", |v| {
            v.is_nan() && matches!(self.size, PerBar::Array(_)) || v > 0.0
        })?;
        check("price", &self.price, bars, "a price above 0, or inf for the close", |v| {
            v.is_nan() || v > 0.0
        })?;
        check("min_size", &self.min_size, bars, AMOUNT, is_amount)?;
        check("max_size", &self.max_size, bars, "a number above 0", |v| v > 0.0)?;
        let multiple = "a finite number above 0, or none";
        check("size_granularity", &self.size_granularity, bars, multiple, is_gain_or_none)
    }

    fn check_costs(&self, bars: usize) -> Result<(), BacktestError> {
        check("fees", &self.fees, bars, SHARE, is_share)?;
        check("slippage", &self.slippage, bars, SHARE, is_share)?;
        check("fixed_fees", &self.fixed_fees, bars, AMOUNT, is_amount)?;
        let locks = self.locks_cash();
        let expected = "a finite number of at least 0, and 0 with lock_cash";
        for (option, fees) in [("fees_per_unit", self.fees_per_unit), ("min_fees", self.min_fees)] {
            check(option, &fees.into(), bars, expected, |v| is_amount(v) && !(locks && v > 0.0))?;
        }
        let expected = "steps from 0 on, ascending, such as 0=0.001,100000=0.0008";
        let mut least = 0.0..=0.0;
        for tier in self.fee_tiers {
            check("fee_tiers", &tier.from.into(), bars, expected, |v| least.contains(&v))?;
            check("fee_tiers", &tier.fees.into(), bars, SHARE, is_share)?;
            least = tier.from.next_up()..=f64::MAX;
        }
        Ok(())
    }

    fn check_lending(&self, bars: usize) -> Result<(), BacktestError> {
        let locks = self.locks_cash();
        let times = "a finite number of at least 1, and 1 with lock_cash";
        check("leverage", &self.leverage.into(), bars, times, |v| {
            v.is_finite() && v >= 1.0 && !(locks && v > 1.0)
        })?;
        let expected = "a share of at least 0 and below 1 / leverage, or none";
        check("maintenance_margin", &self.maintenance_margin.into(), bars, expected, |v| {
            v.is_nan() || v >= 0.0 && v < 1.0 / self.leverage
        })?;
        let rate = "a finite share a year of at least 0, such as 0.03";
        check("borrow_rate", &self.borrow_rate.into(), bars, rate, is_amount)?;
        check("margin_rate", &self.margin_rate.into(), bars, rate, is_amount)
    }

    fn check_entries_and_stops(&self, bars: usize) -> Result<(), BacktestError> {
        let share = "a share of at least 0 and below 1 (0.01 is 1 percent), or none";
        check("limit_entry", &self.limit_entry, bars, share, |v| v.is_nan() || is_share(v))?;
        let count = "a whole number of bars above 0";
        check("limit_bars", &self.limit_bars.into(), bars, count, is_count)?;
        let stop = "a share above 0 and at most 1 (0.02 is 2 percent), or none";
        check("sl_stop", &self.sl_stop, bars, stop, |v| v.is_nan() || v > 0.0 && v <= 1.0)?;
        check("trail_after", &self.trail_after.into(), bars, GAIN, is_gain_or_none)?;
        check("breakeven_after", &self.breakeven_after.into(), bars, GAIN, is_gain_or_none)?;
        check("time_stop", &self.time_stop.into(), bars, count, is_count)?;
        check("tp_stop", &self.tp_stop, bars, GAIN, is_gain_or_none)
    }

    fn check_words(&self, bars: usize) -> Result<(), BacktestError> {
        macro_rules! lengths {
            ($($option:ident)*) => { $(length(stringify!($option), &self.$option, bars)?;)* };
        }
        lengths!(size_type allow_partial lock_cash accumulate sl_trail);
        lengths!(upon_long_conflict upon_short_conflict upon_dir_conflict upon_opposite_entry);
        lengths!(stop_entry_price stop_exit_price upon_stop_exit upon_stop_update);
        Ok(())
    }

    fn locks_cash(&self) -> bool {
        self.lock_cash.values().contains(&true)
    }
}

/// An array has a value per bar.
pub(crate) fn length<T: Copy>(
    option: &'static str,
    values: &PerBar<'_, T>,
    bars: usize,
) -> Result<(), BacktestError> {
    match values {
        PerBar::Array(array) if array.len() != bars => {
            Err(BacktestError::Length { what: option, length: array.len(), bars })
        }
        _ => Ok(()),
    }
}

fn check(
    option: &'static str,
    values: &PerBar<'_>,
    bars: usize,
    expected: &'static str,
    is_right: impl Fn(f64) -> bool,
) -> Result<(), BacktestError> {
    length(option, values, bars)?;
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
