//! Recursions: exponential smoothing.
//!
//! `y[i] = decay * y[i-1] + gain * x[i]` taken literally waits for a multiplication and an
//! addition on each row. Here eight rows are one step: with `y` the value before them,
//! `y[k] = sum(gain * decay^(k-j) * x[j], j <= k) + decay^(k+1) * y`. The sums do not need `y`, so
//! that only one multiplication and addition per eight rows is on the critical path, and the rest
//! is vector code. Groups begin at row numbers divisible by eight; the first may be shorter.

use crate::engine::graph::{Graph, Series};
use crate::engine::{Across, Block, Kernel};
use crate::kernel::lanes::{self, Group, LANES, Lanes, Work};
use crate::kernel::simd;

/// The state: rows seen while seeding, their sum, the value before the current group, rows in the
/// group, the group.
const SEEN: usize = 0;
const TOTAL: usize = 1;
const Y: usize = 2;
const FILL: usize = 3;
const GROUP: usize = 4;
const STATE: usize = GROUP + LANES;

/// `y = decay * y + gain * x`, seeded by the sum of `seed` rows over `divisor`, the first
/// `skip` rows left out.
///
/// A NaN starts it anew: NaN until the seed is full again.
pub(crate) static SMOOTH: Kernel = Kernel {
    name: "smooth",
    outputs: 1,
    state: |_| STATE,
    run: smooth,
    across: Across::Symbols(smooth_across),
};

fn smooth(block: &mut Block<'_, '_>) {
    let weights = Weights::of(block.consts);
    let (x, out) = (block.inputs[0], &mut *block.outputs[0]);
    let mut state = Smooth::load(block.state);
    let mut i = 0;
    while i < x.len() {
        if state.seeded(&weights) && (block.row + i).is_multiple_of(LANES) {
            i += state.groups(&weights, &x[i..], &mut out[i..]);
        }
        // Then row by row to the next group's beginning.
        let end = (i + LANES - (block.row + i) % LANES).min(x.len());
        for i in i..end {
            out[i] = state.row(&weights, x[i], (block.row + i + 1).is_multiple_of(LANES));
        }
        i = end;
    }
    state.store(block.state);
}

/// Symbols that are smoothed at once where all are alike.
const ABREAST: usize = 32;

simd! {
    fn smooth_across(block: &mut Block<'_, '_>) -> bool {
        let weights = Weights::of(block.consts);
        let ends = (block.row + 1).is_multiple_of(LANES);
        let (x, out) = (block.inputs[0], &mut *block.outputs[0]);
        let state = &mut *block.state;
        let symbols = x.len();
        for from in (0..symbols).step_by(ABREAST) {
            let to = symbols.min(from + ABREAST);
            let (x, out) = (&x[from..to], &mut out[from..to]);
            let row = |place: usize| place * symbols + from..place * symbols + to;
            let fill = state[FILL * symbols + from];
            let mut alike = true;
            for (seen, other) in state[row(SEEN)].iter().zip(&state[row(FILL)]) {
                alike &= *seen >= weights.seed && *other == fill;
            }
            for x in x {
                alike &= !x.is_nan();
            }
            if !alike {
                for s in 0..x.len() {
                    out[s] = smooth_one(&weights, state, from + s, x[s], ends);
                }
                continue;
            }
            // As `Smooth::row` for each of them.
            let fill = fill as usize % LANES;
            state[row(GROUP + fill)].copy_from_slice(x);
            let mut sums = [0.0; ABREAST];
            for j in 0..=fill {
                let weight = weights.of[j][lane(fill)];
                for (sum, x) in sums.iter_mut().zip(&state[row(GROUP + j)]) {
                    *sum += x * weight;
                }
            }
            let carry = weights.carry[lane(fill)];
            for ((out, sum), y) in out.iter_mut().zip(&sums).zip(&state[row(Y)]) {
                *out = sum + carry * y;
            }
            if ends {
                state[row(Y)].copy_from_slice(out);
            }
            state[row(FILL)].fill(if ends { 0.0 } else { (fill + 1) as f64 });
        }
        true
    }
}

/// One row of symbol `s`.
fn smooth_one(weights: &Weights<'_>, states: &mut [f64], s: usize, x: f64, ends: bool) -> f64 {
    let symbols = states.len() / STATE;
    let mut own: [f64; STATE] = std::array::from_fn(|place| states[place * symbols + s]);
    let mut state = Smooth::load(&own);
    let y = state.row(weights, x, ends);
    state.store(&mut own);
    for (place, value) in own.into_iter().enumerate() {
        states[place * symbols + s] = value;
    }
    y
}

/// The constants of one recursion.
struct Weights<'k> {
    skip: f64,
    /// Rows before the first value, the skipped ones and the first value's own included.
    seed: f64,
    divisor: f64,
    /// What the value before the group adds to the row in lane `k`, which is `ROWS[k]`.
    carry: &'k [f64; LANES],
    /// `of[j][k]`: what row `j` of a group adds to the row in lane `k`.
    of: &'k [[f64; LANES]; LANES],
}

/// The rows of a group in the order of their lanes. The last row, which the next group waits for, is in the
/// first: that one is read out of a register at no cost, while any other takes shuffles or a way through
/// memory, on which some processors wait until the whole register is stored.
const ROWS: [usize; LANES] = [7, 0, 1, 2, 3, 4, 5, 6];

/// The lane of a row.
fn lane(row: usize) -> usize {
    (row + 1) % LANES
}

/// The constants of `y = decay * y + gain * x`, as a node takes them: worked out once and not per block.
fn constants(decay: f64, gain: f64, seed: f64, divisor: f64, skip: f64) -> Vec<f64> {
    let mut power = [1.0; LANES + 1];
    for k in 0..LANES {
        power[k + 1] = power[k] * decay;
    }
    let mut constants = Vec::with_capacity(3 + LANES + LANES * LANES);
    constants.extend([skip, seed + skip, divisor]);
    constants.extend(ROWS.map(|row| power[row + 1]));
    for j in 0..LANES {
        constants.extend(ROWS.map(|row| if row < j { 0.0 } else { gain * power[row - j] }));
    }
    constants
}

impl<'k> Weights<'k> {
    fn of(constants: &'k [f64]) -> Self {
        let split = || {
            let (&[skip, seed, divisor], rows) = constants.split_first_chunk()?;
            let (carry, of) = rows.as_chunks().0.split_first()?;
            Some(Self { skip, seed, divisor, carry, of: of.first_chunk()? })
        };
        split().expect("the constants of a recursion")
    }
}

struct Smooth {
    seen: f64,
    total: f64,
    y: f64,
    fill: usize,
    group: [f64; LANES],
}

impl Smooth {
    #[inline(always)]
    fn load(state: &[f64]) -> Self {
        let mut group = [0.0; LANES];
        group.copy_from_slice(&state[GROUP..STATE]);
        Self {
            seen: state[SEEN],
            total: state[TOTAL],
            y: state[Y],
            fill: state[FILL] as usize % LANES,
            group,
        }
    }

    #[inline(always)]
    fn store(&self, state: &mut [f64]) {
        state[..GROUP].copy_from_slice(&[self.seen, self.total, self.y, self.fill as f64]);
        state[GROUP..STATE].copy_from_slice(&self.group);
    }

    #[inline(always)]
    fn seeded(&self, weights: &Weights<'_>) -> bool {
        self.seen >= weights.seed
    }

    /// As many whole groups as there are until a sum is not finite; returns their rows.
    fn groups(&mut self, weights: &Weights<'_>, x: &[f64], out: &mut [f64]) -> usize {
        let (x, _) = x.as_chunks();
        let (out, _) = out.as_chunks_mut();
        let (y, groups) = lanes::run(Groups { weights, x, out, y: self.y });
        self.y = y;
        groups * LANES
    }

    /// One row: the same operations in the same order as in a whole group.
    fn row(&mut self, weights: &Weights<'_>, x: f64, last_of_group: bool) -> f64 {
        if x.is_nan() {
            (self.seen, self.total, self.fill) = (0.0, 0.0, 0);
            return f64::NAN;
        }
        if !self.seeded(weights) {
            return self.seed(weights, x);
        }
        self.group[self.fill] = x;
        let mut sum = 0.0;
        for j in 0..=self.fill {
            sum += self.group[j] * weights.of[j][lane(self.fill)];
        }
        let y = sum + weights.carry[lane(self.fill)] * self.y;
        // A group is full where it ends; a state that was stored may say otherwise.
        self.fill = (self.fill + 1) % LANES;
        if last_of_group {
            (self.y, self.fill) = (y, 0);
        }
        y
    }

    #[inline(always)]
    fn seed(&mut self, weights: &Weights<'_>, x: f64) -> f64 {
        self.seen += 1.0;
        if self.seen > weights.skip {
            self.total += x;
        }
        if !self.seeded(weights) {
            return f64::NAN;
        }
        self.y = self.total / weights.divisor;
        self.y
    }
}

/// Whole groups, and the value before them.
struct Groups<'g> {
    weights: &'g Weights<'g>,
    x: &'g [[f64; LANES]],
    out: &'g mut [[f64; LANES]],
    y: f64,
}

impl Work for Groups<'_> {
    /// The last value, and how many groups it took until one was not finite.
    type Result = (f64, usize);

    #[inline(always)]
    fn on<L: Lanes>(self) -> (f64, usize) {
        const { assert!(L::ROWS == LANES) };
        let all = Group::<L>::last(LANES).expect("as many rows as lanes");
        let (mut y, mut done) = (self.y, 0);
        let mut of = [L::all(0.0); LANES];
        for (of, weights) in of.iter_mut().zip(self.weights.of) {
            *of = L::load(weights, all);
        }
        let carry = L::load(self.weights.carry, all);
        for (x, out) in self.x.iter().zip(self.out) {
            let mut sums = L::all(0.0);
            for (&x, &of) in x.iter().zip(&of) {
                sums = sums + L::all(x) * of;
            }
            let last = sums.first() + self.weights.carry[0] * y;
            // A product with 0 carries an infinite row back to the rows before it; no row that is
            // not finite leaves the last sum finite.
            if !last.is_finite() {
                break;
            }
            (sums + carry * L::all(y)).turned().store(out, all);
            y = last;
            done += 1;
        }
        (y, done)
    }
}

/// Exponential smoothing with weight `alpha` on the new row, seeded by the mean of `seed` rows
/// after the first `skip`.
pub(crate) fn ema(g: &mut Graph, x: Series, alpha: f64, seed: usize, skip: usize) -> Series {
    let consts = constants(1.0 - alpha, alpha, seed as f64, seed as f64, skip as f64);
    g.delayed(&SMOOTH, &[x.into()], &consts, seed + skip - 1)
}

/// Wilder's smoothing over `window` rows, seeded by their mean, after the first `skip`.
pub(crate) fn wilder(g: &mut Graph, x: Series, window: usize, skip: usize) -> Series {
    let n = window as f64;
    let consts = constants((n - 1.0) / n, 1.0 / n, n, n, skip as f64);
    g.delayed(&SMOOTH, &[x.into()], &consts, window + skip - 1)
}

/// Wilder's smoothing as the directional indicators start it: by the sum of `window - 1` rows over
/// `window`.
pub(crate) fn wilder_short(g: &mut Graph, x: Series, window: usize) -> Series {
    let n = window as f64;
    let consts = constants((n - 1.0) / n, 1.0 / n, n - 1.0, n, 0.0);
    g.delayed(&SMOOTH, &[x.into()], &consts, window - 2)
}

/// `y = decay * y + x` from the first row on.
pub(crate) fn decayed_sum(g: &mut Graph, x: Series, decay: f64) -> Series {
    g.node(&SMOOTH, &[x.into()], &constants(decay, 1.0, 1.0, 1.0, 0.0))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Groups of `x` after the value `y`, into a vector of their own.
    struct Collected<'g> {
        weights: &'g Weights<'g>,
        x: &'g [[f64; LANES]],
        y: f64,
    }

    impl Work for Collected<'_> {
        type Result = Vec<u64>;

        #[inline(always)]
        fn on<L: Lanes>(self) -> Vec<u64> {
            let mut out = vec![[f64::NAN; LANES]; self.x.len()];
            let Self { weights, x, y } = self;
            let (last, done) = Groups { weights, x, out: &mut out, y }.on::<L>();
            assert_eq!(last, if done == 0 { y } else { out[done - 1][LANES - 1] });
            out[..done].as_flattened().iter().map(|value| value.to_bits()).collect()
        }
    }

    #[test]
    fn every_width_smooths_as_single_rows_do() {
        let constants = constants(13.0 / 14.0, 1.0 / 14.0, 14.0, 14.0, 0.0);
        let weights = Weights::of(&constants);
        let mut x: Vec<[f64; LANES]> = (0..40)
            .map(|group| std::array::from_fn(|row| f64::from(group * group) + row as f64 * 0.3))
            .collect();
        let mut rows =
            Smooth { seen: weights.seed, total: 0.0, y: 7.0, fill: 0, group: [0.0; LANES] };
        let single: Vec<u64> = x
            .as_flattened()
            .iter()
            .enumerate()
            .map(|(i, &x)| rows.row(&weights, x, (i + 1).is_multiple_of(LANES)).to_bits())
            .collect();
        let collect = |x: &[[f64; LANES]]| {
            lanes::on_every_width(|| Collected { weights: &weights, x, y: 7.0 })
        };
        assert!(collect(&x).iter().all(|bits| *bits == single));
        // A group that is not finite is left to single rows, with all behind it.
        x[11][3] = f64::INFINITY;
        assert!(collect(&x).iter().all(|bits| *bits == single[..11 * LANES]));
    }
}
