//! The two precisions of a column.

use std::borrow::Cow;

use crate::compute::run_columns;
use crate::engine::machine::{BLOCK_ROWS, Program, State};
use crate::registry::Column;

/// A column's element: `f64`, or `f32`, which is widened block by block, computed in `f64` and
/// rounded once.
pub trait Sample: Copy + sealed::Convert {}

impl Sample for f64 {}
impl Sample for f32 {}

mod sealed {
    /// Inputs and outputs.
    pub(super) type Wide<'s, 'i, 'o> = (&'s [&'i [f64]], &'s mut [&'o mut [f64]]);

    pub trait Convert: Sized {
        fn widen(self) -> f64;
        fn narrow(value: f64) -> Self;
        /// The columns themselves, where they need no conversion.
        fn wide<'s, 'i, 'o>(
            inputs: &'s [&'i [Self]],
            outputs: &'s mut [&'o mut [Self]],
        ) -> Option<Wide<'s, 'i, 'o>>;
    }

    impl Convert for f64 {
        fn widen(self) -> f64 {
            self
        }
        fn narrow(value: f64) -> Self {
            value
        }
        fn wide<'s, 'i, 'o>(
            inputs: &'s [&'i [Self]],
            outputs: &'s mut [&'o mut [Self]],
        ) -> Option<Wide<'s, 'i, 'o>> {
            Some((inputs, outputs))
        }
    }

    impl Convert for f32 {
        fn widen(self) -> f64 {
            f64::from(self)
        }
        fn narrow(value: f64) -> Self {
            value as f32
        }
        fn wide<'s, 'i, 'o>(
            _: &'s [&'i [Self]],
            _: &'s mut [&'o mut [Self]],
        ) -> Option<Wide<'s, 'i, 'o>> {
            None
        }
    }
}

/// Runs a program over whole columns of either precision, from the state before their first row.
pub(crate) fn run<T: Sample>(
    program: &Program,
    state: &mut State,
    inputs: &[&[T]],
    outputs: &mut [&mut [T]],
) {
    match T::wide(inputs, outputs) {
        Some((inputs, outputs)) => run_columns(program, state, inputs, outputs),
        None => run_blocks(program, state, inputs, outputs),
    }
}

/// A column in double precision: itself, or widened.
pub(crate) fn widened<T: Sample>(column: &[T]) -> Cow<'_, [f64]> {
    match T::wide(&[column], &mut []) {
        Some((columns, _)) => Cow::Borrowed(columns[0]),
        None => column.iter().map(|value| value.widen()).collect(),
    }
}

/// Rows that are widened at a time: those of every input stay in a core's nearest cache.
const ROWS: usize = BLOCK_ROWS / 3;

fn run_blocks<T: Sample>(
    program: &Program,
    state: &mut State,
    inputs: &[&[T]],
    outputs: &mut [&mut [T]],
) {
    let mut wide = [[0.0; ROWS]; Column::ALL.len()];
    let all = inputs.first().map_or(0, |input| input.len());
    for start in (0..all).step_by(ROWS) {
        let end = all.min(start + ROWS);
        let mut sources: [&[f64]; Column::ALL.len()] = Default::default();
        for ((source, wide), input) in sources.iter_mut().zip(&mut wide).zip(inputs) {
            for (wide, value) in wide.iter_mut().zip(&input[start..end]) {
                *wide = value.widen();
            }
            *source = &wide[..end - start];
        }
        program.push(state, &sources[..inputs.len()], |k, values| {
            for (out, &value) in outputs[k][start..end].iter_mut().zip(values) {
                *out = T::narrow(value);
            }
        });
    }
}
