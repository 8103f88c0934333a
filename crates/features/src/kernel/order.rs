//! Order statistics of windows.

use crate::engine::graph::{Graph, Series};
use crate::engine::{Block, Kernel, stateless};
use crate::kernel::simd;

/// Quantiles of a window, by linear interpolation between the two nearest rows.
///
/// The window is kept sorted. Replacing the row `a` that leaves by the row `b` that comes is one
/// pass without a branch: with `t` the rows without `a`, each place becomes
/// `max(t[k-1], min(t[k], b))`. Sorted anew at each block, so that nothing is carried.
/// Constants: the window, then one probability per output. O(window) a row, eight places at once.
pub(crate) static QUANTILE: Kernel =
    Kernel { name: "quantile", outputs: 1, state: stateless, run: quantile };

/// Two quantiles of one window.
pub(crate) static QUANTILES: Kernel =
    Kernel { name: "quantiles", outputs: 2, state: stateless, run: quantile };

simd! {
    fn quantile(block: &mut Block<'_, '_>) {
        let x = block.inputs[0];
        let rows = block.outputs[0].len();
        let window = block.consts[0] as usize;
        let mut sorted = Sorted::new(window);
        for i in 0..rows {
            let full = sorted.update(&x[i..i + window]);
            for (out, &p) in block.outputs.iter_mut().zip(&block.consts[1..]) {
                out[i] = if full { sorted.quantile(p) } else { f64::NAN };
            }
        }
    }
}

/// A sorted window between two sentinels.
struct Sorted {
    from: Vec<f64>,
    to: Vec<f64>,
    window: usize,
    /// The row that leaves next; NaN while there is no sorted window.
    oldest: f64,
}

impl Sorted {
    fn new(window: usize) -> Self {
        let empty = vec![f64::INFINITY; window + 2];
        Self { from: empty.clone(), to: empty, window, oldest: f64::NAN }
    }

    /// Moves to the next window; whether it holds no NaN.
    #[inline(always)]
    fn update(&mut self, rows: &[f64]) -> bool {
        let newest = rows[self.window - 1];
        if newest.is_nan() {
            self.oldest = f64::NAN;
            return false;
        }
        if self.oldest.is_nan() {
            if rows.iter().any(|r| r.is_nan()) {
                return false;
            }
            self.from[0] = f64::NEG_INFINITY;
            self.to[0] = f64::NEG_INFINITY;
            self.from[1..=self.window].copy_from_slice(rows);
            self.from[1..=self.window].sort_unstable_by(f64::total_cmp);
        } else {
            replace(&self.from, &mut self.to[1..=self.window], self.oldest, newest);
            std::mem::swap(&mut self.from, &mut self.to);
        }
        self.oldest = rows[0];
        true
    }

    #[inline(always)]
    fn quantile(&self, p: f64) -> f64 {
        interpolate(&self.from[1..=self.window], p)
    }
}

/// The quantile of sorted rows.
#[inline(always)]
pub(crate) fn interpolate(sorted: &[f64], p: f64) -> f64 {
    let place = p * (sorted.len() - 1) as f64;
    let below = place as usize;
    let (low, high) = (sorted[below], sorted[(below + 1).min(sorted.len() - 1)]);
    if low == high { low } else { low + (high - low) * (place - below as f64) }
}

#[inline(always)]
fn replace(from: &[f64], to: &mut [f64], old: f64, new: f64) {
    let n = to.len();
    let (before, at, after) = (&from[..n], &from[1..][..n], &from[2..][..n]);
    for k in 0..n {
        let low = if before[k] < old { before[k] } else { at[k] };
        let high = if at[k] < old { at[k] } else { after[k] };
        let capped = if high < new { high } else { new };
        to[k] = if low > capped { low } else { capped };
    }
}

/// Rank of the newest row among its window, as a share; equal rows take their mean rank.
pub(crate) static RANK: Kernel = Kernel { name: "rank", outputs: 1, state: stateless, run: rank };

const LANES: usize = 32;

simd! {
    fn rank(block: &mut Block<'_, '_>) {
        let (x, out) = (block.inputs[0], &mut *block.outputs[0]);
        let depth = x.len() - out.len();
        let whole = out.len() / LANES * LANES;
        for i in (0..whole).step_by(LANES) {
            let now: [f64; LANES] = x[i + depth..][..LANES].try_into().expect("LANES rows");
            // Twice the number of smaller rows, plus the number of equal ones.
            let mut twice = [0.0; LANES];
            for j in 0..=depth {
                let x: &[f64; LANES] = x[i + j..][..LANES].try_into().expect("LANES rows");
                for l in 0..LANES {
                    let less = if x[l] < now[l] { 1.0 } else { 0.0 };
                    let most = if x[l] <= now[l] { 1.0 } else { 0.0 };
                    twice[l] += less + most + x[l] * 0.0;
                }
            }
            for l in 0..LANES {
                out[i + l] = share(twice[l], depth + 1);
            }
        }
        for i in whole..out.len() {
            out[i] = rank_of(&x[i..=i + depth]);
        }
    }
}

#[inline(always)]
fn share(twice: f64, rows: usize) -> f64 {
    (twice + 1.0) * 0.5 / rows as f64
}

/// The rank of the last row, as a share.
#[inline(always)]
pub(crate) fn rank_of(rows: &[f64]) -> f64 {
    let now = rows[rows.len() - 1];
    let mut twice = 0.0;
    for &x in rows {
        let less = if x < now { 1.0 } else { 0.0 };
        let most = if x <= now { 1.0 } else { 0.0 };
        twice += less + most + x * 0.0;
    }
    share(twice, rows.len())
}

/// Quantile `p` of the last `window` rows.
pub(crate) fn quantile_of(g: &mut Graph, x: Series, window: usize, p: f64) -> Series {
    g.node(&QUANTILE, &[x.window(window)], &[window as f64, p])
}
