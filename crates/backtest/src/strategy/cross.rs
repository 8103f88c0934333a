//! Where one series crosses another, as a mask.

use multiversion::multiversion;

use crate::Mask;

/// A series, or one level at every bar.
#[derive(Debug, Clone, Copy)]
pub enum Operand<'a> {
    /// One value per bar.
    Column(&'a [f64]),
    /// The same value at every bar.
    Constant(f64),
}

/// Sets the bars at which `a` rises above `b`: `a > b` there, and `a < b` at the last bar at which
/// they were not equal. NaN on either side forgets what was before.
///
/// 64 bars at a time: two compares give two words, and a crossing is a shifted `and`; only words in
/// which the series touch are walked bit by bit. Bound by reading the two columns.
///
/// # Panics
/// When both are columns of different length, or both are constants.
pub fn cross_above(a: Operand<'_>, b: Operand<'_>, out: &mut Mask) {
    match (a, b) {
        (Operand::Column(a), Operand::Column(b)) => {
            assert_eq!(a.len(), b.len(), "one value per bar");
            cross(a.len(), |at| compare(&a[at.clone()], &b[at]), out);
        }
        (Operand::Column(a), Operand::Constant(level)) => {
            cross(a.len(), |at| compare_level(&a[at], level), out);
        }
        (Operand::Constant(level), Operand::Column(b)) => {
            cross(b.len(), |at| compare_level(&b[at], level).swap(), out);
        }
        (Operand::Constant(_), Operand::Constant(_)) => panic!("a crossing needs a series"),
    }
}

/// Sets the bars at which `a` falls below `b`: [`cross_above`] with the sides exchanged.
///
/// # Panics
/// As [`cross_above`].
pub fn cross_below(a: Operand<'_>, b: Operand<'_>, out: &mut Mask) {
    cross_above(b, a, out);
}

/// 64 bars of `a > b` and `a < b`; neither bit where they are equal or one is NaN.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Order {
    above: u64,
    below: u64,
    unordered: u64,
}

impl Order {
    fn swap(self) -> Self {
        Self { above: self.below, below: self.above, unordered: self.unordered }
    }
}

fn cross(bars: usize, order_at: impl Fn(std::ops::Range<usize>) -> Order, out: &mut Mask) {
    out.reset(bars);
    let mut was_below = false;
    for (word, from) in out.words_mut().iter_mut().zip((0..bars).step_by(64)) {
        let to = (from + 64).min(bars);
        let order = order_at(from..to);
        let filled = u64::MAX >> (64 - (to - from));
        if (order.above | order.below | order.unordered) == filled {
            *word = order.above & (order.below << 1 | u64::from(was_below));
            was_below = order.below >> (to - from - 1) & 1 == 1;
        } else {
            (*word, was_below) = with_touches(order, was_below, to - from);
        }
    }
}

/// A word in which the series are equal somewhere, which leaves the memory of who was below.
fn with_touches(order: Order, mut was_below: bool, bars: usize) -> (u64, bool) {
    let mut word = 0;
    for bit in 0..bars {
        let is = |bits: u64| bits >> bit & 1 == 1;
        if is(order.above) {
            word |= u64::from(was_below) << bit;
            was_below = false;
        } else if is(order.below) {
            was_below = true;
        } else if is(order.unordered) {
            was_below = false;
        }
    }
    (word, was_below)
}

#[multiversion(targets("x86_64+avx512f+avx512vl+avx512dq+avx512bw", "x86_64+avx2"))]
fn compare(a: &[f64], b: &[f64]) -> Order {
    let (mut above, mut below, mut unordered) = (0, 0, 0);
    for (bit, (a, b)) in a.iter().zip(b).enumerate() {
        above |= u64::from(a > b) << bit;
        below |= u64::from(a < b) << bit;
        unordered |= u64::from(a.is_nan() | b.is_nan()) << bit;
    }
    Order { above, below, unordered }
}

#[multiversion(targets("x86_64+avx512f+avx512vl+avx512dq+avx512bw", "x86_64+avx2"))]
fn compare_level(a: &[f64], level: f64) -> Order {
    let (mut above, mut below, mut unordered) = (0, 0, 0);
    for (bit, &a) in a.iter().enumerate() {
        above |= u64::from(a > level) << bit;
        below |= u64::from(a < level) << bit;
        unordered |= u64::from(a.is_nan()) << bit;
    }
    Order { above, below, unordered }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn crossings(a: &[f64], b: &[f64]) -> Vec<usize> {
        let mut mask = Mask::default();
        cross_above(Operand::Column(a), Operand::Column(b), &mut mask);
        (0..a.len()).filter(|&bar| mask.get(bar)).collect()
    }

    #[test]
    fn touching_is_not_crossing_and_is_remembered() {
        assert_eq!(crossings(&[1.0, 2.0, 3.0], &[2.0, 2.0, 2.0]), [2]);
        assert_eq!(crossings(&[1.0, 2.0, 1.0], &[2.0, 2.0, 2.0]), [] as [usize; 0]);
        assert_eq!(crossings(&[3.0, 2.0, 3.0], &[2.0, 2.0, 2.0]), [] as [usize; 0]);
        assert_eq!(crossings(&[1.0, f64::NAN, 3.0], &[2.0, 2.0, 2.0]), [] as [usize; 0]);
    }

    #[test]
    fn words_agree_with_a_walk_over_bars() {
        // A coarse grid, so that the series touch often.
        let mut state = 7_u64;
        let mut next = || {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
            match state >> 60 {
                0 => f64::NAN,
                level => (level % 4) as f64,
            }
        };
        let a: Vec<f64> = (0..1_000).map(|_| next()).collect();
        let b: Vec<f64> = (0..1_000).map(|_| next()).collect();
        let mut was_below = false;
        let mut expected = Vec::new();
        for (bar, (a, b)) in a.iter().zip(&b).enumerate() {
            if was_below && a > b {
                expected.push(bar);
            }
            was_below = a < b || (was_below && a == b);
        }
        assert_eq!(crossings(&a, &b), expected);
    }
}
