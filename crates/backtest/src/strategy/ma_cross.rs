//! Two moving averages that cross.

use super::{EntryExit, Feature, Last, Operand, Parameter, Strategy, crossings};
use crate::BacktestError;

/// Enters where the fast simple moving average of the close crosses above the slow one, exits
/// where it crosses below.
#[derive(Debug, Clone, Copy)]
pub struct MaCross;

const fn window(name: &'static str, default: f64) -> Parameter {
    Parameter { name, default, min: 1.0, max: 1e9, is_integer: true }
}

impl Strategy for MaCross {
    fn name(&self) -> &'static str {
        "ma-cross"
    }

    fn parameters(&self) -> &'static [Parameter] {
        const { &[window("fast", 20.0), window("slow", 50.0)] }
    }

    fn check(&self, values: &[f64]) -> Result<(), BacktestError> {
        let &[fast, slow] = values else { unreachable!("two parameters") };
        if fast < slow {
            return Ok(());
        }
        Err(BacktestError::Parameter {
            parameter: "fast".to_owned(),
            value: fast,
            expected: format!("a window below slow = {slow}"),
        })
    }

    fn features(&self, values: &[f64]) -> Vec<Feature> {
        values.iter().map(|&window| Feature { indicator: "sma", window: window as usize }).collect()
    }

    fn crossings(&self) -> usize {
        1
    }

    fn signals(
        &self,
        columns: &[&[f64]],
        _values: &[f64],
        memory: &mut [Last],
        out: &mut EntryExit,
    ) {
        crossings(columns[0], Operand::Column(columns[1]), &mut memory[0], out);
    }
}
