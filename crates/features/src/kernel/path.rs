//! Kernels that follow a path row by row: each row's step depends on the last one's outcome.

use crate::engine::{Across, Block, Kernel};
use crate::kernel::simd;

/// Kaufman's adaptive average: taps are the series and its efficiency ratio, constants the fastest
/// and the slowest weight. State: the last value.
pub(crate) static KAMA: Kernel = Kernel {
    name: "kama",
    outputs: 1,
    state: |_| 1,
    run: kama,
    across: Across::Symbols(kama_across),
};

fn kama(block: &mut Block<'_, '_>) {
    let [x, efficiency] = [block.inputs[0], block.inputs[1]];
    let weights = [block.consts[0], block.consts[1]];
    let mut last = block.state[0];
    for (out, (&x, &e)) in block.outputs[0].iter_mut().zip(x.iter().zip(efficiency)) {
        (last, *out) = kama_row(last, x, e, weights);
    }
    block.state[0] = last;
}

simd! {
    fn kama_across(block: &mut Block<'_, '_>) -> bool {
        let [x, efficiency] = [block.inputs[0], block.inputs[1]];
        let weights = [block.consts[0], block.consts[1]];
        let (last, out) = (&mut *block.state, &mut *block.outputs[0]);
        for s in 0..out.len() {
            (last[s], out[s]) = kama_row(last[s], x[s], efficiency[s], weights);
        }
        true
    }
}

/// What the next row follows, and the row's value.
#[inline(always)]
fn kama_row(last: f64, x: f64, efficiency: f64, [fast, slow]: [f64; 2]) -> (f64, f64) {
    let weight = efficiency * (fast - slow) + slow;
    let next = last + weight * weight * (x - last);
    if efficiency.is_nan() { (x, f64::NAN) } else { (next, next) }
}

/// Wilder's parabolic stop and reverse: taps are high and low, constants the acceleration and its
/// maximum.
pub(crate) static PSAR: Kernel =
    Kernel { name: "psar", outputs: 1, state: |_| 7, run: psar, across: Across::OneByOne };

/// The parabola: whether it is followed upwards, its extreme, stop and acceleration, the last bar.
struct Parabola {
    rows: f64,
    long: bool,
    extreme: f64,
    stop: f64,
    acceleration: f64,
    high: f64,
    low: f64,
}

fn psar(block: &mut Block<'_, '_>) {
    let [highs, lows] = [block.inputs[0], block.inputs[1]];
    let (step, most) = (block.consts[0], block.consts[1]);
    let s = &*block.state;
    let mut p = Parabola {
        rows: s[0],
        long: s[1] > 0.0,
        extreme: s[2],
        stop: s[3],
        acceleration: s[4],
        high: s[5],
        low: s[6],
    };
    for (out, (&high, &low)) in block.outputs[0].iter_mut().zip(highs.iter().zip(lows)) {
        *out = p.row(high, low, step, most);
    }
    let long = if p.long { 1.0 } else { 0.0 };
    block.state.copy_from_slice(&[p.rows, long, p.extreme, p.stop, p.acceleration, p.high, p.low]);
}

impl Parabola {
    fn row(&mut self, high: f64, low: f64, step: f64, most: f64) -> f64 {
        if high.is_nan() || low.is_nan() {
            self.rows = 0.0;
            return f64::NAN;
        }
        self.rows += 1.0;
        let stop = if self.rows == 1.0 {
            f64::NAN
        } else {
            if self.rows == 2.0 {
                self.begin(high, low, step);
            }
            self.follow(high, low, step, most)
        };
        (self.high, self.low) = (high, low);
        stop
    }

    /// Upwards unless the second bar moves down; the second bar stands in for the first.
    fn begin(&mut self, high: f64, low: f64, step: f64) {
        let fall = self.low - low;
        self.long = !(fall > 0.0 && fall > high - self.high);
        (self.extreme, self.stop) = if self.long { (high, self.low) } else { (low, self.high) };
        self.acceleration = step;
        (self.high, self.low) = (high, low);
    }

    fn follow(&mut self, high: f64, low: f64, step: f64, most: f64) -> f64 {
        let crossed = if self.long { low <= self.stop } else { high >= self.stop };
        if crossed {
            self.long = !self.long;
            self.stop = self.bounded(self.extreme, high, low);
            self.extreme = if self.long { high } else { low };
            self.acceleration = step;
            let now = self.stop;
            let next = now + self.acceleration * (self.extreme - now);
            self.stop = self.bounded(next, high, low);
            return now;
        }
        let now = self.stop;
        let further = if self.long { high > self.extreme } else { low < self.extreme };
        if further {
            self.extreme = if self.long { high } else { low };
            self.acceleration = (self.acceleration + step).min(most);
        }
        let next = now + self.acceleration * (self.extreme - now);
        self.stop = self.bounded(next, high, low);
        now
    }

    /// A stop never lies within the last two bars.
    fn bounded(&self, stop: f64, high: f64, low: f64) -> f64 {
        if self.long { stop.min(self.low).min(low) } else { stop.max(self.high).max(high) }
    }
}

/// Running quotient of two totals that begin anew with each session: taps are the numerator, the
/// denominator and the session's number. State: session, totals, whether one has begun.
pub(crate) static SESSION_QUOTIENT: Kernel = Kernel {
    name: "session_quotient",
    outputs: 1,
    state: |_| 4,
    run: session_quotient,
    across: Across::Symbols(session_quotient_across),
};

fn session_quotient(block: &mut Block<'_, '_>) {
    let [above, below, session] = [block.inputs[0], block.inputs[1], block.inputs[2]];
    let mut running = [block.state[0], block.state[1], block.state[2], block.state[3]];
    for (i, out) in block.outputs[0].iter_mut().enumerate() {
        (running, *out) = quotient_row(running, above[i], below[i], session[i]);
    }
    block.state.copy_from_slice(&running);
}

simd! {
    fn session_quotient_across(block: &mut Block<'_, '_>) -> bool {
        let [above, below, session] = [block.inputs[0], block.inputs[1], block.inputs[2]];
        let out = &mut *block.outputs[0];
        let symbols = out.len();
        let (now, rest) = block.state.split_at_mut(symbols);
        let (a, rest) = rest.split_at_mut(symbols);
        let (b, begun) = rest.split_at_mut(symbols);
        for s in 0..symbols {
            let running = [now[s], a[s], b[s], begun[s]];
            let row = quotient_row(running, above[s], below[s], session[s]);
            ([now[s], a[s], b[s], begun[s]], out[s]) = row;
        }
        true
    }
}

/// The state after a row, and the row's quotient.
#[inline(always)]
fn quotient_row(
    [now, a, b, begun]: [f64; 4],
    above: f64,
    below: f64,
    session: f64,
) -> ([f64; 4], f64) {
    let begins = begun == 0.0 || session != now;
    let a = if begins { 0.0 } else { a } + above;
    let b = if begins { 0.0 } else { b } + below;
    let quotient = if b == 0.0 { f64::NAN } else { a / b };
    ([if begins { session } else { now }, a, b, 1.0], quotient)
}
