//! Kernels that look at each row of a window.

use crate::engine::graph::{Graph, Series};
use crate::engine::{Block, Kernel, stateless};
use crate::kernel::simd;

/// Mean absolute deviation of the window's rows from its mean: taps are the window and the mean,
/// the constant is 1 over the window. Eight windows at a time, each row of them in turn.
pub(crate) static MEAN_DEVIATION: Kernel =
    Kernel { name: "mean_deviation", outputs: 1, state: stateless, run: deviations };

const LANES: usize = 32;

simd! {
    fn deviations(block: &mut Block<'_, '_>) {
        let [x, mean] = [block.inputs[0], block.inputs[1]];
        let out = &mut *block.outputs[0];
        let depth = x.len() - out.len();
        let share = block.consts[0];
        let whole = out.len() / LANES * LANES;
        for i in (0..whole).step_by(LANES) {
            let mut sums = [0.0; LANES];
            let mean: &[f64; LANES] = mean[i..i + LANES].try_into().expect("LANES rows");
            for j in 0..=depth {
                let x: &[f64; LANES] = x[i + j..i + j + LANES].try_into().expect("LANES rows");
                for l in 0..LANES {
                    sums[l] += (x[l] - mean[l]).abs();
                }
            }
            for l in 0..LANES {
                out[i + l] = sums[l] * share;
            }
        }
        for i in whole..out.len() {
            let mut sum = 0.0;
            for v in &x[i..=i + depth] {
                sum += (v - mean[i]).abs();
            }
            out[i] = sum * share;
        }
    }
}

/// Mean absolute deviation from `mean` of the last `window` rows of `x`.
pub(crate) fn mean_deviation(g: &mut Graph, x: Series, mean: Series, window: usize) -> Series {
    g.node(&MEAN_DEVIATION, &[x.window(window), mean.into()], &[1.0 / window as f64])
}
