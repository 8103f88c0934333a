//! Order statistics of windows.

use crate::engine::graph::{Graph, Series};
use crate::engine::{Across, Block, Kernel, stateless};
use crate::kernel::driver::{self, Statistic};
use crate::kernel::simd;

/// Quantiles of a window, by linear interpolation between the two nearest rows.
///
/// The window is kept sorted. Replacing the row `a` that leaves by the row `b` that comes is one
/// pass without a branch: with `t` the rows without `a`, each place becomes
/// `max(t[k-1], min(t[k], b))`. Sorted anew at each block, so that nothing is carried.
/// Constants: the window, then one probability per output. O(window) a row, eight places at once.
pub(crate) static QUANTILE: Kernel = Kernel {
    name: "quantile",
    outputs: 1,
    state: stateless,
    run: quantile,
    across: Across::OneByOne,
};

/// Two quantiles of one window.
pub(crate) static QUANTILES: Kernel = Kernel {
    name: "quantiles",
    outputs: 2,
    state: stateless,
    run: quantile,
    across: Across::OneByOne,
};

simd! {
    fn quantile(block: &mut Block<'_, '_>) {
        let window = block.consts[0] as usize;
        driver::windows(block.inputs[0], window, |i, sorted: Option<&Sorted>| {
            for (out, &p) in block.outputs.iter_mut().zip(&block.consts[1..]) {
                out[i] = sorted.map_or(f64::NAN, |sorted| interpolate(sorted.rows(), p));
            }
        });
    }
}

/// A sorted window between two sentinels.
struct Sorted {
    from: Vec<f64>,
    to: Vec<f64>,
}

impl Sorted {
    #[inline(always)]
    fn rows(&self) -> &[f64] {
        &self.from[1..self.from.len() - 1]
    }
}

impl Statistic for Sorted {
    fn new(window: &[f64]) -> Self {
        let mut from = vec![f64::INFINITY; window.len() + 2];
        from[0] = f64::NEG_INFINITY;
        let to = from.clone();
        let rows = &mut from[1..=window.len()];
        rows.copy_from_slice(window);
        rows.sort_unstable_by(f64::total_cmp);
        Self { from, to }
    }

    #[inline(always)]
    fn update(&mut self, window: &[f64], left: f64) {
        let newest = window[window.len() - 1];
        replace(&self.from, &mut self.to[1..=window.len()], left, newest);
        std::mem::swap(&mut self.from, &mut self.to);
    }

    /// The median.
    fn get(&self) -> f64 {
        interpolate(self.rows(), 0.5)
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
pub(crate) static RANK: Kernel = Kernel {
    name: "rank",
    outputs: 1,
    state: stateless,
    run: rank,
    across: Across::Symbols(rank_across),
};

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
                    twice[l] += below(x[l], now[l]);
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

simd! {
    fn rank_across(block: &mut Block<'_, '_>) -> bool {
        let (x, out) = (block.inputs[0], &mut *block.outputs[0]);
        let symbols = out.len();
        let (_, now) = x.split_at(x.len() - symbols);
        out.fill(0.0);
        for x in x.chunks_exact(symbols) {
            for s in 0..symbols {
                out[s] += below(x[s], now[s]);
            }
        }
        for s in 0..symbols {
            out[s] = share(out[s], x.len() / symbols);
        }
        true
    }
}

/// 2 where `x` is smaller than `now`, 1 where it is equal, NaN where it is NaN.
#[inline(always)]
fn below(x: f64, now: f64) -> f64 {
    let less = if x < now { 1.0 } else { 0.0 };
    let most = if x <= now { 1.0 } else { 0.0 };
    less + most + x * 0.0
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
        twice += below(x, now);
    }
    share(twice, rows.len())
}

/// Quantile `p` of the last `window` rows.
pub(crate) fn quantile_of(g: &mut Graph, x: Series, window: usize, p: f64) -> Series {
    g.node(&QUANTILE, &[x.window(window)], &[window as f64, p])
}
