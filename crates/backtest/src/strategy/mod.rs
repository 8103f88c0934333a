//! Strategies: parameters in, features needed, signals out.
//!
//! A [`Strategy`] never computes a feature itself. It names the features that its parameters need,
//! so that a sweep computes each distinct one once, and turns their columns into signals.

mod compare;
mod cross;
mod ma_cross;
mod rsi_reversion;

pub use cross::{Last, Operand, cross_above, cross_below, crossings};
pub use ma_cross::MaCross;
pub use rsi_reversion::RsiReversion;

use crate::error::suggest;
use crate::{BacktestError, Mask};

/// A parameter of a strategy.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Parameter {
    /// Name, as in `--param name=value`.
    pub name: &'static str,
    /// Value where none is given.
    pub default: f64,
    /// Smallest permitted value.
    pub min: f64,
    /// Largest permitted value.
    pub max: f64,
    /// Whether only whole numbers are permitted.
    pub is_integer: bool,
}

impl Parameter {
    /// Checks `value` against the range.
    ///
    /// # Errors
    /// [`BacktestError::Parameter`] saying what would be right.
    pub fn check(&self, value: f64) -> Result<(), BacktestError> {
        let Self { min, max, is_integer, .. } = *self;
        if (min..=max).contains(&value) && (!is_integer || value.fract() == 0.0) {
            return Ok(());
        }
        let kind = if is_integer { "a whole number" } else { "a number" };
        Err(BacktestError::Parameter {
            parameter: self.name.to_owned(),
            value,
            expected: format!("{kind} from {min} to {max}"),
        })
    }
}

/// A feature of the close that a strategy needs: an indicator of the registry and its parameters.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Feature {
    /// Name in the feature registry.
    pub indicator: &'static str,
    /// Its one parameter, a window in bars.
    pub window: usize,
}

/// Entry and exit masks, to be read as [`crate::Direction`] says.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct EntryExit {
    /// Entries.
    pub entry: Mask,
    /// Exits.
    pub exit: Mask,
}

/// A rule that turns features into entries and exits.
pub trait Strategy: Sync {
    /// Name, as in `--strategy name`.
    fn name(&self) -> &'static str;

    /// Its parameters, in the order in which values are given.
    fn parameters(&self) -> &'static [Parameter];

    /// Checks values against each other; each is within its own range already.
    ///
    /// # Errors
    /// [`BacktestError::Parameter`] saying what would be right.
    fn check(&self, values: &[f64]) -> Result<(), BacktestError>;

    /// The features that `values` need.
    fn features(&self, values: &[f64]) -> Vec<Feature>;

    /// Crossings that its signals watch, each of which remembers a side from span to span.
    fn crossings(&self) -> usize;

    /// Writes the signals of a span of bars to `out`, reusing its allocations. `columns` are the
    /// span of each feature, in the order of [`Strategy::features`]; `memory` has a side per
    /// crossing, as the span before left it ([`Last::Unknown`] at the start).
    fn signals(&self, columns: &[&[f64]], values: &[f64], memory: &mut [Last], out: &mut EntryExit);
}

/// The strategies built in.
pub const BUILT_IN: &[&dyn Strategy] = &[&MaCross, &RsiReversion];

/// The strategy called `name`.
///
/// # Errors
/// [`BacktestError::UnknownStrategy`] with the nearest name.
pub fn find(name: &str) -> Result<&'static dyn Strategy, BacktestError> {
    let names = || BUILT_IN.iter().map(|strategy| strategy.name());
    BUILT_IN.iter().copied().find(|strategy| strategy.name() == name).ok_or_else(|| {
        BacktestError::UnknownStrategy {
            name: name.to_owned(),
            suggestion: suggest(name, names()),
            known: names().collect::<Vec<_>>().join(", "),
        }
    })
}

/// The place of the parameter called `name` in `strategy`.
///
/// # Errors
/// [`BacktestError::UnknownParameter`] with the nearest name.
pub fn parameter_index(strategy: &dyn Strategy, name: &str) -> Result<usize, BacktestError> {
    let names = || strategy.parameters().iter().map(|parameter| parameter.name);
    names().position(|known| known == name).ok_or_else(|| BacktestError::UnknownParameter {
        strategy: strategy.name().to_owned(),
        name: name.to_owned(),
        suggestion: suggest(name, names()),
        known: names().collect::<Vec<_>>().join(", "),
    })
}

/// Checks `values` (one per parameter) against their ranges and each other.
///
/// # Errors
/// [`BacktestError::Parameter`] saying what would be right.
pub fn check_values(strategy: &dyn Strategy, values: &[f64]) -> Result<(), BacktestError> {
    for (parameter, &value) in strategy.parameters().iter().zip(values) {
        parameter.check(value)?;
    }
    strategy.check(values)
}

/// `values` given by name over the strategy's defaults, checked.
///
/// # Errors
/// [`BacktestError::UnknownParameter`] or [`BacktestError::Parameter`].
pub fn resolve_values(
    strategy: &dyn Strategy,
    given: &[(String, f64)],
) -> Result<Vec<f64>, BacktestError> {
    let mut values: Vec<f64> = strategy.parameters().iter().map(|p| p.default).collect();
    for (name, value) in given {
        values[parameter_index(strategy, name)?] = *value;
    }
    check_values(strategy, &values)?;
    Ok(values)
}

impl Feature {
    /// Checks that the registry has the indicator, that its window is in range and that `bars` bars
    /// give it a value.
    ///
    /// # Errors
    /// [`features::FeatureError`] saying what would be right.
    pub fn check(&self, bars: usize) -> Result<(), features::FeatureError> {
        let indicator = features::registry::get(self.indicator)?;
        let first = indicator.warm_up(&[self.window as f64])?;
        if first < bars {
            return Ok(());
        }
        let what = self.indicator.to_owned();
        Err(features::FeatureError::WindowLong { what, needed: first + 1, rows: bars })
    }

    /// The feature of bars that come span by span, to the same bits as [`Self::compute`].
    ///
    /// # Errors
    /// As [`Self::compute`], but for the length of the data.
    pub fn stream(&self) -> Result<features::Stream, features::FeatureError> {
        let indicator = features::registry::get(self.indicator)?;
        let set = features::FeatureSet::single(indicator, &[self.window as f64])?;
        Ok(features::Stream::new(&set))
    }

    /// Writes the feature of `close` to `out`, NaN while it warms up. O(bars).
    ///
    /// # Errors
    /// [`features::FeatureError`] where the registry has no such indicator, or the window is out of
    /// range or longer than the data.
    pub fn compute(&self, close: &[f64], out: &mut [f64]) -> Result<(), features::FeatureError> {
        let indicator = features::registry::get(self.indicator)?;
        indicator.compute(&[close], &[self.window as f64], &mut [out])
    }
}
