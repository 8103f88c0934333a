//! The two precisions of a column.

use crate::compute::run_columns;
use crate::engine::machine::{BLOCK_ROWS, Program};

/// A column's element: `f64`, or `f32`, which is widened block by block, computed in `f64` and
/// rounded once.
pub trait Sample: Copy + sealed::Run {}

impl Sample for f64 {}
impl Sample for f32 {}

pub(super) mod sealed {
    use super::Program;

    pub trait Run: Sized {
        #[doc(hidden)]
        fn run(program: &Program, inputs: &[&[Self]], out: &mut [Self]);
    }
}

impl sealed::Run for f64 {
    fn run(program: &Program, inputs: &[&[f64]], out: &mut [f64]) {
        run_columns(program, inputs, &mut [out]);
    }
}

impl sealed::Run for f32 {
    fn run(program: &Program, inputs: &[&[f32]], out: &mut [f32]) {
        let mut state = program.start(0);
        let mut wide = [[0.0; BLOCK_ROWS]; 2];
        for start in (0..out.len()).step_by(BLOCK_ROWS) {
            let rows = BLOCK_ROWS.min(out.len() - start);
            for (wide, input) in wide.iter_mut().zip(inputs) {
                for (wide, &value) in wide.iter_mut().zip(&input[start..start + rows]) {
                    *wide = f64::from(value);
                }
            }
            let sources = [&wide[0][..rows], &wide[1][..rows]];
            program.push(&mut state, &sources[..inputs.len()]);
            let values = program.latest(&state, program.outputs()[0], rows);
            for (out, &value) in out[start..start + rows].iter_mut().zip(values) {
                *out = value as f32;
            }
        }
    }
}
