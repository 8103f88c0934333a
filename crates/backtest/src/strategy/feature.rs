//! What a strategy reads.

use std::cmp::Ordering;
use std::fmt;

use features::FeatureError;
use features::registry::{self, Column};
use market_data::BarsView;

use super::columns::FeatureColumns;
use super::expression::Arithmetic;

/// A number per bar that a strategy reads. Ordered, so that a sweep can tell the distinct ones.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
#[non_exhaustive]
pub enum Feature {
    /// A column of the bars.
    Price(Column),
    /// An output of an indicator of the registry.
    Indicator {
        /// The indicator with its inputs and parameters, which give all its outputs.
        call: Call,
        /// The place of the output.
        output: usize,
    },
    /// Another feature some bars earlier; NaN before the first bar.
    Shift {
        /// The feature.
        of: Box<Feature>,
        /// Bars by which it comes later.
        bars: usize,
    },
    /// Two numbers made one, bar by bar.
    Arithmetic {
        /// How.
        operator: Arithmetic,
        /// The two.
        sides: Box<[Side; 2]>,
    },
}

/// An indicator with its inputs and parameters.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Call {
    /// Its name in the registry.
    pub indicator: &'static str,
    /// What it reads, in the order of its declaration.
    pub inputs: Vec<Feature>,
    /// Its parameters, in the order of its declaration.
    pub params: Vec<Number>,
}

/// A side of [`Feature::Arithmetic`].
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Side {
    /// The same at every bar.
    Level(Number),
    /// A number per bar.
    Series(Feature),
}

/// A number with a total order, that of [`f64::total_cmp`].
#[derive(Debug, Clone, Copy)]
pub struct Number(pub f64);

impl PartialEq for Number {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other) == Ordering::Equal
    }
}

impl Eq for Number {}

impl PartialOrd for Number {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Number {
    fn cmp(&self, other: &Self) -> Ordering {
        self.0.total_cmp(&other.0)
    }
}

impl Feature {
    /// The first output of an indicator over its own columns of the bars.
    ///
    /// # Errors
    /// [`FeatureError`] where the registry has no such indicator or the parameters do not fit.
    pub fn new(indicator: &str, params: &[f64]) -> Result<Self, FeatureError> {
        let indicator = registry::get(indicator)?;
        indicator.check(params)?;
        let inputs = indicator.inputs.iter().map(|&column| Self::Price(column)).collect();
        let params = params.iter().copied().map(Number).collect();
        Ok(Self::Indicator { call: Call { indicator: indicator.name, inputs, params }, output: 0 })
    }

    /// Checks that the registry has its indicators, that their parameters are in range and that
    /// `bars` bars give it a value.
    ///
    /// # Errors
    /// [`FeatureError`] saying what would be right.
    pub fn check(&self, bars: usize) -> Result<(), FeatureError> {
        let first = self.first()?;
        if first < bars {
            return Ok(());
        }
        Err(FeatureError::WindowLong { what: self.to_string(), needed: first + 1, rows: bars })
    }

    /// The first bar at which it has a value.
    pub(super) fn first(&self) -> Result<usize, FeatureError> {
        let mut first = match self {
            Self::Indicator { call, .. } => {
                registry::get(call.indicator)?.warm_up(&call.params())?
            }
            Self::Shift { bars, .. } => *bars,
            Self::Price(_) | Self::Arithmetic { .. } => 0,
        };
        let inputs = self.inputs().into_iter().map(Self::first);
        first += inputs.collect::<Result<Vec<_>, _>>()?.into_iter().max().unwrap_or(0);
        Ok(first)
    }

    /// Writes the feature's value at every bar to `out`, NaN while it warms up. O(bars).
    ///
    /// # Errors
    /// [`FeatureError`] where an indicator is unknown, a parameter is out of range, or a window is
    /// longer than the data.
    ///
    /// # Panics
    /// When `out` is not as long as the bars.
    pub fn compute(&self, bars: BarsView<'_>, out: &mut [f64]) -> Result<(), FeatureError> {
        if let Self::Indicator { call, output: 0 } = self
            && let Some(inputs) = call.prices(bars)
            && let indicator = registry::get(call.indicator)?
            && indicator.outputs.len() == 1
        {
            return indicator.compute(&inputs, &call.params(), &mut [out]);
        }
        let columns = FeatureColumns::compute(bars, [self.clone()])?;
        out.copy_from_slice(columns.get(self));
        Ok(())
    }

    /// What it reads itself.
    pub(super) fn inputs(&self) -> Vec<&Self> {
        match self {
            Self::Price(_) => Vec::new(),
            Self::Indicator { call, .. } => call.inputs.iter().collect(),
            Self::Shift { of, .. } => vec![of],
            Self::Arithmetic { sides, .. } => sides.iter().filter_map(Side::series).collect(),
        }
    }

    /// Steps from the bars to the feature.
    pub(super) fn depth(&self) -> usize {
        self.inputs().into_iter().map(|input| input.depth() + 1).max().unwrap_or(0)
    }

    /// Whether one computation gives both.
    #[must_use]
    pub fn comes_with(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Indicator { call: a, .. }, Self::Indicator { call: b, .. }) => a == b,
            _ => self == other,
        }
    }
}

impl Side {
    fn series(&self) -> Option<&Feature> {
        match self {
            Self::Level(_) => None,
            Self::Series(feature) => Some(feature),
        }
    }
}

impl Call {
    pub(super) fn params(&self) -> Vec<f64> {
        self.params.iter().map(|param| param.0).collect()
    }

    /// Its inputs, where they are columns that the bars have.
    fn prices<'b>(&self, bars: BarsView<'b>) -> Option<Vec<&'b [f64]>> {
        let price = |input: &Feature| match input {
            Feature::Price(column) => price(bars, *column),
            _ => None,
        };
        self.inputs.iter().map(price).collect()
    }
}

pub(super) fn price(bars: BarsView<'_>, column: Column) -> Option<&[f64]> {
    match column {
        Column::Open => Some(bars.open),
        Column::High => Some(bars.high),
        Column::Low => Some(bars.low),
        Column::Close => Some(bars.close),
        Column::Volume => Some(bars.volume),
        _ => None,
    }
}

/// As it is written in a strategy file.
impl fmt::Display for Feature {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Price(column) => f.write_str(column.name()),
            Self::Indicator { call, output } => {
                let inputs = call.inputs.iter().map(ToString::to_string);
                let words: Vec<String> =
                    inputs.chain(call.params.iter().map(|param| param.0.to_string())).collect();
                write!(f, "{}({})", call.indicator, words.join(", "))?;
                let outputs = registry::find(call.indicator).map_or(&[][..], |of| of.outputs);
                if outputs.len() > 1 { write!(f, ".{}", outputs[*output]) } else { Ok(()) }
            }
            Self::Shift { of, bars } => write!(f, "shift({of}, {bars})"),
            Self::Arithmetic { operator, sides } => {
                let [left, right] = &**sides;
                write!(f, "({left} {} {right})", operator.symbol())
            }
        }
    }
}

impl fmt::Display for Side {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Level(number) => number.0.fmt(f),
            Self::Series(feature) => feature.fmt(f),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn features_print_as_they_are_written() {
        let sma = Feature::new("sma", &[20.0]).unwrap();
        let late = Feature::Shift { of: Box::new(sma), bars: 2 };
        assert_eq!(late.to_string(), "shift(sma(close, 20), 2)");
        let bands = Feature::new("bbands", &[20.0, 2.5]).unwrap();
        assert_eq!(bands.to_string(), "bbands(close, 20, 2.5).upper");
        assert!(Feature::new("smaa", &[1.0]).unwrap_err().to_string().contains("`sma`"));
    }
}
