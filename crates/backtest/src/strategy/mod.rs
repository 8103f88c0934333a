//! Strategies: parameters in, features needed, signals out.
//!
//! A [`Strategy`] never computes a feature itself. It names the features that its parameters need,
//! so that a sweep computes each distinct one once, and turns their columns into signals.
//!
//! Most strategies are data: a TOML file ([`mod@file`]) with expressions over prices, indicators and
//! parameters, compiled once ([`Compiled`]). Those built in are such files as well, in
//! `strategies/`. What an expression cannot say, a type that implements the trait can.
//!
//! ```
//! use backtest::strategy::{self, Strategy};
//!
//! let text = r#"
//! entry = "cross_above(close, sma(close, window)) and rsi(close, 14) < 70"
//! exit = "cross_below(close, sma(close, window))"
//! [parameters]
//! window = { default = 50, min = 1, max = 1000, integer = true }
//! "#;
//! let strategy = strategy::parse(text, "mine.toml", "mine")?;
//! let values = strategy::resolve_values(&strategy, &[("window".to_owned(), 20.0)])?;
//! let features = strategy.features(&values);
//! let names: Vec<String> = features.iter().map(ToString::to_string).collect();
//! assert_eq!(names, ["close", "sma(close, 20)", "rsi(close, 14)"]);
//!
//! let error = strategy::parse(r#"entry = "clsoe > 3""#, "mine.toml", "mine").unwrap_err();
//! assert_eq!(
//!     error.to_string(),
//!     r#"mine.toml:1:10: unknown name 'clsoe': did you mean 'close'?
//! 1 | entry = "clsoe > 3"
//!   |          ^^^^^"#
//! );
//! # Ok::<(), backtest::BacktestError>(())
//! ```

mod columns;
mod compiled;
mod cross;
mod expression;
mod feature;
pub mod file;
mod lookahead;
mod next_bar;
mod signals;
mod stream;
#[cfg(test)]
mod tests;

use std::borrow::Cow;
use std::sync::LazyLock;

pub use columns::{FeatureColumns, Job};
pub use compiled::Compiled;
pub use cross::{Last, Operand, cross_above, cross_below, crossings};
pub use expression::Arithmetic;
pub use feature::{Call, Feature, Number, Side};
pub use file::parse;
pub use lookahead::{Lookahead, lookahead};
pub use next_bar::NextBar;
pub use signals::{SignalsElapsed, signals_of};
pub use stream::FeatureStream;

use crate::error::suggest;
use crate::{BacktestError, Mask};

/// A parameter of a strategy.
#[derive(Debug, Clone, PartialEq)]
pub struct Parameter {
    /// Name, as in `--param name=value`.
    pub name: Cow<'static, str>,
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
            parameter: self.name.clone().into_owned(),
            value,
            expected: match (min > f64::MIN, max < f64::MAX) {
                (true, true) => format!("{kind} from {min} to {max}"),
                (true, false) => format!("{kind} of at least {min}"),
                (false, true) => format!("{kind} of at most {max}"),
                (false, false) => kind.to_owned(),
            },
        })
    }
}

/// The signals of a strategy. Without masks for shorts, entries and exits are read as
/// [`crate::Direction`] says; with them, they are a long's.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct EntryExit {
    /// Entries.
    pub entry: Mask,
    /// Exits.
    pub exit: Mask,
    /// Entries of shorts; empty where the strategy has none of its own.
    pub short_entry: Mask,
    /// Exits of shorts; empty where the strategy has none of its own.
    pub short_exit: Mask,
}

impl EntryExit {
    fn masks(&mut self) -> [&mut Mask; 4] {
        [&mut self.entry, &mut self.exit, &mut self.short_entry, &mut self.short_exit]
    }

    /// Forgets all bars, with room for `bars` of them.
    fn clear(&mut self, bars: usize) {
        self.masks().into_iter().for_each(|mask| mask.clear(bars));
    }

    /// Puts the signals of the bars that follow behind these, which fill their words.
    fn append(&mut self, later: &Self) {
        self.entry.append(&later.entry);
        self.exit.append(&later.exit);
        self.short_entry.append(&later.short_entry);
        self.short_exit.append(&later.short_exit);
    }
}

/// A rule that turns features into entries and exits.
pub trait Strategy: Send + Sync {
    /// Name, as in `--strategy name`.
    fn name(&self) -> &str;

    /// Its parameters, in the order in which values are given.
    fn parameters(&self) -> &[Parameter];

    /// Checks values against each other; each is within its own range already.
    ///
    /// # Errors
    /// [`BacktestError`] saying what would be right.
    fn check(&self, values: &[f64]) -> Result<(), BacktestError>;

    /// The features that `values` need; at least one.
    fn features(&self, values: &[f64]) -> Vec<Feature>;

    /// Crossings that its signals watch, each of which remembers a side from span to span.
    fn crossings(&self) -> usize;

    /// Whether it has signals of its own for shorts.
    fn has_shorts(&self) -> bool {
        false
    }

    /// Writes the signals of a span of bars to `out`, reusing its allocations. `columns` are the
    /// span of each feature, in the order of [`Strategy::features`]; `memory` has a side per
    /// crossing, as the span before left it ([`Last::Unknown`] at the start).
    fn signals(&self, columns: &[&[f64]], values: &[f64], memory: &mut [Last], out: &mut EntryExit);
}

/// The strategies built in.
pub fn built_in() -> &'static [Compiled] {
    static ALL: LazyLock<Vec<Compiled>> = LazyLock::new(|| {
        let read = |(name, text): (&str, &str)| {
            parse(text, name, name).expect("a built-in strategy parses: a test reads them all")
        };
        BUILT_IN.map(read).into()
    });
    &ALL
}

macro_rules! built_in {
    ($($name:literal),+ $(,)?) => {
        [$(($name, include_str!(concat!("../../strategies/", $name, ".toml")))),+]
    };
}

/// Name and text of each.
const BUILT_IN: [(&str, &str); 7] = built_in![
    "ma-cross",
    "ema-cross",
    "rsi-reversion",
    "bollinger-breakout",
    "donchian-breakout",
    "macd",
    "momentum",
];

/// The built-in strategy called `name`.
///
/// # Errors
/// [`BacktestError::UnknownStrategy`] with the nearest name.
pub fn find(name: &str) -> Result<&'static Compiled, BacktestError> {
    let names = || built_in().iter().map(Compiled::name);
    built_in().iter().find(|strategy| strategy.name() == name).ok_or_else(|| {
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
    let names = || strategy.parameters().iter().map(|parameter| &*parameter.name);
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
