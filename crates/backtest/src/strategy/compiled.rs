//! A strategy that a file describes.

use super::expression::{Condition, Given, Pair, Scalar, Template, Term};
use super::feature::{Call, Feature, Number, Side};
use super::{EntryExit, Last, Parameter, Strategy};
use crate::BacktestError;

/// A strategy read from text (see [`super::file`]): its features, and the steps that make signals
/// of them.
#[derive(Debug, Clone)]
pub struct Compiled {
    pub(super) name: String,
    pub(super) description: String,
    pub(super) parameters: Vec<Parameter>,
    pub(super) check: Option<(String, Condition)>,
    pub(super) columns: Vec<Template>,
    pub(super) crossings: usize,
    pub(super) long: Pair,
    pub(super) short: Option<Pair>,
}

impl Compiled {
    /// What its file says of it in words; empty where it says nothing.
    #[must_use]
    pub fn description(&self) -> &str {
        &self.description
    }

    /// Each parameter and its value, such as `fast = 20, slow = 50`.
    fn assignments(&self, values: &[f64]) -> String {
        let pairs = self.parameters.iter().zip(values);
        let pairs: Vec<String> =
            pairs.map(|(parameter, value)| format!("{} = {value}", parameter.name)).collect();
        pairs.join(", ")
    }
}

impl Strategy for Compiled {
    fn name(&self) -> &str {
        &self.name
    }

    fn parameters(&self) -> &[Parameter] {
        &self.parameters
    }

    fn check(&self, values: &[f64]) -> Result<(), BacktestError> {
        if let Some((text, condition)) = &self.check
            && condition.of_values(values) != Some(true)
        {
            return Err(BacktestError::Values {
                strategy: self.name.clone(),
                check: text.clone(),
                values: self.assignments(values),
            });
        }
        self.columns.iter().try_for_each(|template| template.check(values))
    }

    fn features(&self, values: &[f64]) -> Vec<Feature> {
        self.columns.iter().map(|template| template.feature(values)).collect()
    }

    fn crossings(&self) -> usize {
        self.crossings
    }

    fn has_shorts(&self) -> bool {
        self.short.is_some()
    }

    fn signals(
        &self,
        columns: &[&[f64]],
        values: &[f64],
        memory: &mut [Last],
        out: &mut EntryExit,
    ) {
        let bars = columns.first().map_or(0, |column| column.len());
        let given = Given { columns, values, bars };
        self.long.run(given, memory, &mut out.entry, &mut out.exit);
        match &self.short {
            Some(pair) => pair.run(given, memory, &mut out.short_entry, &mut out.short_exit),
            None => {
                out.short_entry.reset(0);
                out.short_exit.reset(0);
            }
        }
    }
}

impl Template {
    /// The feature for `values`, which [`Template::check`] has passed.
    pub(super) fn feature(&self, values: &[f64]) -> Feature {
        match self {
            Self::Price(column) => Feature::Price(*column),
            Self::Indicator { of, inputs, params, output } => {
                let inputs = inputs.iter().map(|input| input.feature(values)).collect();
                let params = params.iter().map(|param| Number(param.value(values))).collect();
                Feature::Indicator { call: Call { indicator: of, inputs, params }, output: *output }
            }
            Self::Shift { of, bars } => {
                let bars = bars.value(values) as usize;
                Feature::Shift { of: Box::new(of.feature(values)), bars }
            }
            Self::Arithmetic(operator, sides) => Feature::Arithmetic {
                operator: *operator,
                sides: Box::new(sides.each_ref().map(|side| match side {
                    Term::Scalar(scalar) => Side::Level(Number(scalar.value(values))),
                    Term::Series(template) => Side::Series(template.feature(values)),
                })),
            },
        }
    }

    /// Whether every indicator takes what the parameters come to, and shifts are whole.
    fn check(&self, values: &[f64]) -> Result<(), BacktestError> {
        match self {
            Self::Price(_) => Ok(()),
            Self::Indicator { of, inputs, params, .. } => {
                let params: Vec<f64> = params.iter().map(|param| param.value(values)).collect();
                features::registry::get(of)?.check(&params)?;
                inputs.iter().try_for_each(|input| input.check(values))
            }
            Self::Shift { of, bars } => {
                check_shift(bars, values)?;
                of.check(values)
            }
            Self::Arithmetic(_, sides) => sides.iter().try_for_each(|side| match side {
                Term::Scalar(_) => Ok(()),
                Term::Series(template) => template.check(values),
            }),
        }
    }
}

fn check_shift(bars: &Scalar, values: &[f64]) -> Result<(), BacktestError> {
    let value = bars.value(values);
    if value >= 0.0 && value.fract() == 0.0 && value <= u32::MAX.into() {
        return Ok(());
    }
    Err(BacktestError::Parameter {
        parameter: "shift".to_owned(),
        value,
        expected: "a whole number of bars of at least 0".to_owned(),
    })
}
