//! A relative strength index that left its band.

use super::{EntryExit, Feature, Last, Operand, Parameter, Strategy, cross_above, cross_below};
use crate::BacktestError;

/// Enters where the RSI of the close crosses below `lower`, exits where it crosses above `upper`.
#[derive(Debug, Clone, Copy)]
pub struct RsiReversion;

const fn level(name: &'static str, default: f64) -> Parameter {
    Parameter { name, default, min: 0.0, max: 100.0, is_integer: false }
}

impl Strategy for RsiReversion {
    fn name(&self) -> &'static str {
        "rsi-reversion"
    }

    fn parameters(&self) -> &'static [Parameter] {
        const {
            &[
                Parameter { name: "period", default: 14.0, min: 2.0, max: 1e9, is_integer: true },
                level("lower", 30.0),
                level("upper", 70.0),
            ]
        }
    }

    fn check(&self, values: &[f64]) -> Result<(), BacktestError> {
        let &[_, lower, upper] = values else { unreachable!("three parameters") };
        if lower < upper {
            return Ok(());
        }
        Err(BacktestError::Parameter {
            parameter: "lower".to_owned(),
            value: lower,
            expected: format!("a level below upper = {upper}"),
        })
    }

    fn features(&self, values: &[f64]) -> Vec<Feature> {
        vec![Feature { indicator: "rsi", window: values[0] as usize }]
    }

    fn crossings(&self) -> usize {
        2
    }

    fn signals(
        &self,
        columns: &[&[f64]],
        values: &[f64],
        memory: &mut [Last],
        out: &mut EntryExit,
    ) {
        let [lower, upper] = [values[1], values[2]].map(Operand::Level);
        cross_below(columns[0], lower, &mut memory[0], &mut out.entry);
        cross_above(columns[0], upper, &mut memory[1], &mut out.exit);
    }
}
