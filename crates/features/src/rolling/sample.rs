//! The two precisions of a column.

use crate::compute::run_columns_in;
use crate::engine::machine::{BLOCK_ROWS, Program, State};

/// A column's element: `f64`, or `f32`, which is widened block by block, computed in `f64` and
/// rounded once.
pub trait Sample: Copy + sealed::Convert {}

impl Sample for f64 {}
impl Sample for f32 {}

mod sealed {
    pub trait Convert: Sized {
        fn widen(self) -> f64;
        fn narrow(value: f64) -> Self;
        /// The slice itself, where it needs no conversion.
        fn wide(slice: &[Self]) -> Option<&[f64]>;
        fn wide_mut(slice: &mut [Self]) -> Option<&mut [f64]>;
    }

    impl Convert for f64 {
        fn widen(self) -> f64 {
            self
        }
        fn narrow(value: f64) -> Self {
            value
        }
        fn wide(slice: &[Self]) -> Option<&[f64]> {
            Some(slice)
        }
        fn wide_mut(slice: &mut [Self]) -> Option<&mut [f64]> {
            Some(slice)
        }
    }

    impl Convert for f32 {
        fn widen(self) -> f64 {
            f64::from(self)
        }
        fn narrow(value: f64) -> Self {
            value as f32
        }
        fn wide(_: &[Self]) -> Option<&[f64]> {
            None
        }
        fn wide_mut(_: &mut [Self]) -> Option<&mut [f64]> {
            None
        }
    }
}

/// The most inputs of a rolling statistic.
const INPUTS: usize = 2;

/// Runs a program of one output over whole columns of either precision.
pub(super) fn run<T: Sample>(program: &Program, state: &mut State, inputs: &[&[T]], out: &mut [T]) {
    let mut wide: [&[f64]; INPUTS] = Default::default();
    for (wide, input) in wide.iter_mut().zip(inputs) {
        *wide = T::wide(input).unwrap_or(&[]);
    }
    match T::wide_mut(out) {
        Some(out) => run_columns_in(program, state, &wide[..inputs.len()], &mut [out]),
        None => run_blocks(program, state, inputs, out),
    }
}

fn run_blocks<T: Sample>(program: &Program, state: &mut State, inputs: &[&[T]], out: &mut [T]) {
    let mut wide = [[0.0; BLOCK_ROWS]; INPUTS];
    for (start, out) in (0..).step_by(BLOCK_ROWS).zip(out.chunks_mut(BLOCK_ROWS)) {
        let rows = out.len();
        for (wide, input) in wide.iter_mut().zip(inputs) {
            for (wide, value) in wide.iter_mut().zip(&input[start..start + rows]) {
                *wide = value.widen();
            }
        }
        let sources = [&wide[0][..rows], &wide[1][..rows]];
        program.push(state, &sources[..inputs.len()], |_, values| {
            for (out, &value) in out.iter_mut().zip(values) {
                *out = T::narrow(value);
            }
        });
    }
}
