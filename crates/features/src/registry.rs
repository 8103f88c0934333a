//! Every indicator, declared once: name, inputs, parameters with their ranges, outputs, source.
//!
//! The command line, the table of the docs, the feature sets and the optimiser take their lists
//! from here.
//!
//! ```
//! let rsi = features::registry::find("rsi").expect("it is there");
//! let close: Vec<f64> = (0..100).map(|i| 100.0 + (i as f64 * 0.3).sin()).collect();
//! let mut out = vec![0.0; close.len()];
//! rsi.compute(&[&close], &[14.0], &mut [&mut out])?;
//! assert_eq!(out.iter().take_while(|v| v.is_nan()).count(), rsi.warm_up(&[14.0])?);
//! # Ok::<(), features::FeatureError>(())
//! ```
//!
#![doc = include_str!("../INDICATORS.md")]

use crate::engine::graph::{Graph, Series};
use crate::engine::machine::Program;
use crate::error::FeatureError;
use crate::indicator;
use crate::sample::{self, Sample};

/// A column of the bars that an indicator reads.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[non_exhaustive]
pub enum Column {
    /// First price.
    Open,
    /// Highest price.
    High,
    /// Lowest price.
    Low,
    /// Last price.
    Close,
    /// Traded quantity.
    Volume,
    /// Number of the UTC day, counted from the Unix epoch: where sessions begin.
    Day,
}

impl Column {
    /// All columns, in their order.
    pub const ALL: [Self; 6] =
        [Self::Open, Self::High, Self::Low, Self::Close, Self::Volume, Self::Day];

    /// The name in feature sets.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Open => "open",
            Self::High => "high",
            Self::Low => "low",
            Self::Close => "close",
            Self::Volume => "volume",
            Self::Day => "day",
        }
    }

    /// The column of that name.
    #[must_use]
    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|c| c.name() == name)
    }
}

/// A parameter of an indicator.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Param {
    /// Name in feature sets and on the command line.
    pub name: &'static str,
    /// Value where none is given.
    pub default: f64,
    /// Smallest value.
    pub min: f64,
    /// Largest value.
    pub max: f64,
    /// Whether only whole numbers are meant.
    pub integer: bool,
}

impl Param {
    /// A number of rows.
    pub(crate) const fn rows(name: &'static str, default: usize, min: usize) -> Self {
        Self { name, default: default as f64, min: min as f64, max: 1e6, integer: true }
    }

    /// A real number.
    pub(crate) const fn real(name: &'static str, default: f64, min: f64, max: f64) -> Self {
        Self { name, default, min, max, integer: false }
    }

    fn check(&self, indicator: &str, value: f64) -> Result<(), FeatureError> {
        let in_range = value >= self.min && value <= self.max;
        if in_range && (!self.integer || value.fract() == 0.0) {
            return Ok(());
        }
        let kind = if self.integer { "a whole number" } else { "a number" };
        let wanted = format!("{kind} from {} to {}", self.min, self.max);
        let (indicator, name) = (indicator.to_string(), self.name.to_string());
        Err(FeatureError::OutOfRange { indicator, name, value, wanted })
    }
}

/// An indicator: what it reads, what it is told, what it gives, and where its formula is from.
pub struct Indicator {
    /// Name in feature sets and on the command line: snake case.
    pub name: &'static str,
    /// Name in words.
    pub title: &'static str,
    /// The columns that it reads where nothing else is said.
    pub inputs: &'static [Column],
    /// Its parameters, in the order in which [`Indicator::compute`] takes them.
    pub params: &'static [Param],
    /// Names of its outputs, in order.
    pub outputs: &'static [&'static str],
    /// Where the formula is from, and which variant of it this is.
    pub source: &'static str,
    pub(crate) build: fn(&mut Graph, &[Series], &[f64]) -> Vec<Series>,
}

impl std::fmt::Debug for Indicator {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Indicator").field("name", &self.name).finish_non_exhaustive()
    }
}

impl Indicator {
    /// How it is called, with the defaults: `rsi(close; window = 14)`.
    #[must_use]
    pub fn signature(&self) -> String {
        let inputs: Vec<&str> = self.inputs.iter().map(|c| c.name()).collect();
        let params: Vec<String> =
            self.params.iter().map(|p| format!("{} = {}", p.name, p.default)).collect();
        let gap = if params.is_empty() { "" } else { "; " };
        format!("{}({}{gap}{})", self.name, inputs.join(", "), params.join(", "))
    }

    /// The default of each parameter, in order.
    #[must_use]
    pub fn defaults(&self) -> Vec<f64> {
        self.params.iter().map(|p| p.default).collect()
    }

    /// Whether `params` has one value per parameter, each in its range.
    ///
    /// # Errors
    /// [`FeatureError::Arity`], [`FeatureError::OutOfRange`], [`FeatureError::WindowZero`].
    pub fn check(&self, params: &[f64]) -> Result<(), FeatureError> {
        self.arity("parameters", self.params.len(), params.len())?;
        for (param, &value) in self.params.iter().zip(params) {
            if value == 0.0 && param.integer && param.min >= 1.0 {
                return Err(FeatureError::WindowZero { least: param.min as usize });
            }
            param.check(self.name, value)?;
        }
        Ok(())
    }

    /// Rows before the first value: the first `warm_up` rows of every output are NaN or belong to
    /// the warm-up of a part of it.
    ///
    /// # Errors
    /// As [`Indicator::check`].
    pub fn warm_up(&self, params: &[f64]) -> Result<usize, FeatureError> {
        self.check(params)?;
        let (graph, outputs) = self.graph(params);
        Ok(outputs.iter().map(|&s| graph.first(s)).max().unwrap_or(0))
    }

    /// Computes whole columns: `inputs` in the order of [`Indicator::inputs`] (any series may
    /// stand for a column), `params` in the order of [`Indicator::params`], `outputs` in the order
    /// of [`Indicator::outputs`]; all columns are equally long. Rows of the warm-up become NaN, and
    /// so does each row whose window holds a NaN; a recursion starts anew after one, and a running total is NaN from it on.
    ///
    /// Columns are f64, or f32: those are computed in f64 and each value rounded once.
    ///
    /// O(rows). Allocates a few cache-sized blocks, whatever the number of rows.
    ///
    /// # Errors
    /// [`FeatureError::Arity`], [`FeatureError::UnequalLengths`], [`FeatureError::WindowLong`], and
    /// as [`Indicator::check`].
    pub fn compute<T: Sample>(
        &self,
        inputs: &[&[T]],
        params: &[f64],
        outputs: &mut [&mut [T]],
    ) -> Result<(), FeatureError> {
        self.arity("inputs", self.inputs.len(), inputs.len())?;
        self.arity("outputs", self.outputs.len(), outputs.len())?;
        self.check(params)?;
        let rows = inputs[0].len();
        let names = self.inputs.iter().map(|c| c.name()).chain(self.outputs.iter().copied());
        let lengths = inputs.iter().map(|i| i.len()).chain(outputs.iter().map(|o| o.len()));
        for (name, found) in names.zip(lengths) {
            same_length(|| format!("{}: column `{name}`", self.name), found, rows)?;
        }
        let (graph, series) = self.graph(params);
        let first = series.iter().map(|&s| graph.first(s)).min().unwrap_or(0);
        enough_rows(self.name, first, rows)?;
        let program = Program::new(graph, series);
        sample::run(&program, &mut program.start(0), inputs, outputs);
        Ok(())
    }

    fn graph(&self, params: &[f64]) -> (Graph, Vec<Series>) {
        let mut graph = Graph::new(self.inputs.len());
        let inputs: Vec<Series> = (0..self.inputs.len()).map(Series).collect();
        let outputs = (self.build)(&mut graph, &inputs, params);
        (graph, outputs)
    }

    fn arity(&self, what: &'static str, expected: usize, found: usize) -> Result<(), FeatureError> {
        if expected == found {
            return Ok(());
        }
        Err(FeatureError::Arity { indicator: self.name.to_string(), what, expected, found })
    }
}

pub(crate) fn same_length(
    what: impl FnOnce() -> String,
    found: usize,
    expected: usize,
) -> Result<(), FeatureError> {
    if found == expected {
        return Ok(());
    }
    Err(FeatureError::UnequalLengths { what: what(), found, expected })
}

pub(crate) fn enough_rows(what: &str, first: usize, rows: usize) -> Result<(), FeatureError> {
    if first < rows {
        return Ok(());
    }
    Err(FeatureError::WindowLong { what: what.to_string(), needed: first + 1, rows })
}

/// Every indicator, by family.
pub fn all() -> impl Iterator<Item = &'static Indicator> {
    indicator::FAMILIES.iter().flat_map(|family| family.iter())
}

/// The indicator of that name.
#[must_use]
pub fn find(name: &str) -> Option<&'static Indicator> {
    all().find(|i| i.name == name)
}

/// The indicator of that name.
///
/// # Errors
/// [`FeatureError::Unknown`] with the nearest name.
pub fn get(name: &str) -> Result<&'static Indicator, FeatureError> {
    find(name).ok_or_else(|| FeatureError::unknown("indicator", name, all().map(|i| i.name)))
}
