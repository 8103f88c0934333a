//! Where one series crosses another, as masks.

use super::EntryExit;
use crate::Mask;
use crate::compare::{With, compare, equal};

/// A series, or one level at every bar.
#[derive(Debug, Clone, Copy)]
pub enum Operand<'a> {
    /// One value per bar.
    Column(&'a [f64]),
    /// The same value at every bar.
    Level(f64),
}

/// Sets in `out.entry` the bars at which `a` rises above `b`, and in `out.exit` those at which it
/// falls below: `a > b` there, and `a < b` at the last bar at which they were not equal. NaN on
/// either side forgets what was before.
///
/// Two compares give two words, and a crossing is a shifted `and` of them. Bound by reading the
/// columns.
///
/// # Panics
/// When `b` is a column of another length.
pub fn crossings(a: &[f64], b: Operand<'_>, last: &mut Last, out: &mut EntryExit) {
    out.entry.reset(a.len());
    out.exit.reset(a.len());
    cross_words(a, b, last, out.entry.words_mut(), out.exit.words_mut());
}

/// As [`crossings`], into words: one for every 64 bars begun.
pub(super) fn cross_words(
    a: &[f64],
    b: Operand<'_>,
    last: &mut Last,
    rises: &mut [u64],
    falls: &mut [u64],
) {
    let with = match b {
        Operand::Column(column) => With::Column(column),
        Operand::Level(level) => With::Level(level),
    };
    compare(a, with, rises, falls);
    let words = rises.iter_mut().zip(falls);
    for (at, (above, below)) in words.enumerate() {
        let bars = (a.len() - at * 64).min(64);
        let is_untied = *above | *below == u64::MAX >> (64 - bars);
        let ties = if is_untied { 0 } else { equal(a, with, at * 64) };
        (*above, *below) = crossed(*above, *below, ties, bars, last);
    }
}

/// The rises and falls of one word, whose `ties` keep the memory of the side.
#[inline(always)]
fn crossed(above: u64, below: u64, ties: u64, bars: usize, last: &mut Last) -> (u64, u64) {
    let (was_above, was_below) = (*last == Last::Above, *last == Last::Below);
    // The side after each bar, ties filled from the bar before them.
    let on_top = above | fill(above, ties, was_above);
    let underneath = below | fill(below, ties, was_below);
    let is_last = |side: u64| side >> (bars - 1) & 1 == 1;
    *last = if is_last(on_top) {
        Last::Above
    } else if is_last(underneath) {
        Last::Below
    } else {
        Last::Unknown
    };
    let before = |side: u64, was: bool| side << 1 | u64::from(was);
    (above & before(underneath, was_below), below & before(on_top, was_above))
}

/// The bits of those runs of `ties` that follow a bit of `side`, or the bit before the word.
///
/// Adding a bit to the lowest of a run carries through it and leaves it all zero.
#[inline(always)]
fn fill(side: u64, ties: u64, before: bool) -> u64 {
    let starts = (side << 1 | u64::from(before)) & ties;
    ties & !ties.wrapping_add(starts)
}

/// Sets the bars at which `a` rises above `b`, as [`crossings`] does.
///
/// # Panics
/// When `b` is a column of another length.
pub fn cross_above(a: &[f64], b: Operand<'_>, last: &mut Last, out: &mut Mask) {
    let mut both = EntryExit { entry: std::mem::take(out), ..EntryExit::default() };
    crossings(a, b, last, &mut both);
    *out = both.entry;
}

/// Sets the bars at which `a` falls below `b`, as [`crossings`] does.
///
/// # Panics
/// When `b` is a column of another length.
pub fn cross_below(a: &[f64], b: Operand<'_>, last: &mut Last, out: &mut Mask) {
    let mut both = EntryExit { exit: std::mem::take(out), ..EntryExit::default() };
    crossings(a, b, last, &mut both);
    *out = both.exit;
}

/// Which side `a` was on at the last bar at which the two were not equal.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Last {
    /// There was none, or NaN came after it.
    #[default]
    Unknown,
    /// `a > b`.
    Above,
    /// `a < b`.
    Below,
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rises(a: &[f64], b: &[f64]) -> Vec<usize> {
        let mut mask = Mask::default();
        cross_above(a, Operand::Column(b), &mut Last::default(), &mut mask);
        (0..a.len()).filter(|&bar| mask.get(bar)).collect()
    }

    #[test]
    fn touching_is_not_crossing_and_is_remembered() {
        assert_eq!(rises(&[1.0, 2.0, 3.0], &[2.0, 2.0, 2.0]), [2]);
        assert_eq!(rises(&[1.0, 2.0, 1.0], &[2.0, 2.0, 2.0]), [] as [usize; 0]);
        assert_eq!(rises(&[3.0, 2.0, 3.0], &[2.0, 2.0, 2.0]), [] as [usize; 0]);
        assert_eq!(rises(&[1.0, f64::NAN, 3.0], &[2.0, 2.0, 2.0]), [] as [usize; 0]);
    }

    /// Levels of a coarse grid, so that two series touch often; or a fine one, so that they do not.
    fn series(seed: u64, levels: u64) -> Vec<f64> {
        let mut state = seed;
        let mut next = || {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
            let draw = state >> 33;
            if draw.is_multiple_of(50) { f64::NAN } else { (draw / 50 % levels) as f64 }
        };
        (0..1_000).map(|_| next()).collect()
    }

    #[test]
    fn words_agree_with_a_walk_over_bars() {
        for levels in [3, 1_000_000] {
            let (a, b) = (series(7, levels), series(8, levels));
            let mut was_below = false;
            let mut expected = Vec::new();
            for (bar, (a, b)) in a.iter().zip(&b).enumerate() {
                if was_below && a > b {
                    expected.push(bar);
                }
                was_below = a < b || (was_below && a == b);
            }
            assert_eq!(rises(&a, &b), expected);
            let mut falls = Mask::default();
            cross_below(&b, Operand::Column(&a), &mut Last::default(), &mut falls);
            assert_eq!((0..a.len()).filter(|&bar| falls.get(bar)).collect::<Vec<_>>(), expected);
        }
    }

    #[test]
    fn spans_give_what_the_whole_gives() {
        for levels in [3, 1_000_000] {
            let (a, b) = (series(7, levels), series(8, levels));
            let whole = rises(&a, &b);
            let (mut last, mut mask, mut found) = (Last::default(), Mask::default(), Vec::new());
            for from in (0..1_000).step_by(77) {
                let to = (from + 77).min(1_000);
                cross_above(&a[from..to], Operand::Column(&b[from..to]), &mut last, &mut mask);
                found.extend((from..to).filter(|&bar| mask.get(bar - from)));
            }
            assert_eq!(found, whole);
        }
    }
}
