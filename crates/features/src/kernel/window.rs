//! Kernels that look at each row of a window.

use crate::engine::graph::{Graph, Series};
use crate::engine::{Across, Block, Kernel, stateless};
use crate::kernel::driver::{self, Statistic};
use crate::kernel::simd;

/// Mean absolute deviation of the window's rows from its mean: taps are the window and the mean,
/// the constant is 1 over the window. Eight windows at a time, each row of them in turn.
pub(crate) static MEAN_DEVIATION: Kernel = Kernel {
    name: "mean_deviation",
    outputs: 1,
    state: stateless,
    run: deviations,
    across: Across::Symbols(deviations_across),
};

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

simd! {
    fn deviations_across(block: &mut Block<'_, '_>) -> bool {
        let [x, mean] = [block.inputs[0], block.inputs[1]];
        let out = &mut *block.outputs[0];
        let symbols = out.len();
        out.fill(0.0);
        for x in x.chunks_exact(symbols) {
            for s in 0..symbols {
                out[s] += (x[s] - mean[s]).abs();
            }
        }
        for sum in out {
            *sum *= block.consts[0];
        }
        true
    }
}

/// Mean absolute deviation from `mean` of the last `window` rows of `x`.
pub(crate) fn mean_deviation(g: &mut Graph, x: Series, mean: Series, window: usize) -> Series {
    g.node(&MEAN_DEVIATION, &[x.window(window), mean.into()], &[1.0 / window as f64])
}

/// Means of the second, third and fourth power of the deviation from the mean: taps are the window
/// and the mean.
pub(crate) static POWERS: Kernel = Kernel {
    name: "powers",
    outputs: 3,
    state: stateless,
    run: powers,
    across: Across::Symbols(powers_across),
};

simd! {
    fn powers(block: &mut Block<'_, '_>) {
        let [x, mean] = [block.inputs[0], block.inputs[1]];
        let [second, third, fourth] = block.outputs else { return };
        let depth = x.len() - second.len();
        let share = 1.0 / (depth + 1) as f64;
        for i in 0..second.len() {
            let mut sums = [0.0; 3];
            for v in &x[i..=i + depth] {
                let d = v - mean[i];
                let square = d * d;
                sums[0] += square;
                sums[1] += square * d;
                sums[2] += square * square;
            }
            (second[i], third[i], fourth[i]) = (sums[0] * share, sums[1] * share, sums[2] * share);
        }
    }
}

simd! {
    fn powers_across(block: &mut Block<'_, '_>) -> bool {
        let [x, mean] = [block.inputs[0], block.inputs[1]];
        let [second, third, fourth] = block.outputs else { return false };
        let symbols = second.len();
        let share = 1.0 / (x.len() / symbols) as f64;
        for sums in [&mut *second, third, fourth] {
            sums.fill(0.0);
        }
        for x in x.chunks_exact(symbols) {
            for s in 0..symbols {
                let d = x[s] - mean[s];
                let square = d * d;
                second[s] += square;
                third[s] += square * d;
                fourth[s] += square * square;
            }
        }
        for sums in [&mut *second, third, fourth] {
            for sum in &mut **sums {
                *sum *= share;
            }
        }
        true
    }
}

/// The Hurst exponent of the window's rows from their rescaled range: `ln(R/S) / ln(window / 2)`.
pub(crate) static HURST: Kernel =
    Kernel { name: "hurst", outputs: 1, state: stateless, run: hurst, across: Across::OneByOne };

fn hurst(block: &mut Block<'_, '_>) {
    let (x, out) = (block.inputs[0], &mut *block.outputs[0]);
    let window = x.len() - out.len() + 1;
    let scale = (window as f64 / 2.0).ln();
    driver::windows(x, window, |i, range: Option<&RescaledRange>| {
        out[i] = range.map_or(f64::NAN, |range| range.get().ln() / scale);
    });
}

/// The range of the running sum of deviations from the mean, in standard deviations.
struct RescaledRange(f64);

impl Statistic for RescaledRange {
    fn new(window: &[f64]) -> Self {
        let n = window.len() as f64;
        let mean = window.iter().sum::<f64>() / n;
        let (mut sum, mut high, mut low, mut squares) = (0.0, 0.0f64, 0.0f64, 0.0);
        for v in window {
            let d = v - mean;
            sum += d;
            squares += d * d;
            high = high.max(sum);
            low = low.min(sum);
        }
        // A range of 0 over a deviation of 0 is NaN.
        Self((high - low) / (squares / n).sqrt())
    }

    fn update(&mut self, window: &[f64], _left: f64) {
        *self = Self::new(window);
    }

    fn get(&self) -> f64 {
        self.0
    }
}
