//! Two quantiles of a series in one pass, without a column of it and without sorting it.
//!
//! A sample says between which two values each quantile must lie; the pass counts what is below and
//! collects the few that are between. The answer is exact: where the sample was wrong, which of
//! independent values it is less than once in a million series, the caller is told.

use crate::compare::{With, compare, equal};

/// Values in the sample.
pub(super) const SAMPLE: usize = 2048;

/// How far, in standard deviations of a sample's quantile, the bracket reaches.
const REACH: f64 = 5.0;

/// Values looked at together.
const GROUP: usize = 512;

/// The quantile `share` (of the way, within 0 and 1) of `values`, linear between ranks; reorders.
/// NaN counts as larger than all numbers. O(n).
///
/// # Panics
/// Without values.
pub(super) fn quantile(values: &mut [f64], share: f64) -> f64 {
    let (rank, part) = rank(values.len(), share);
    let (_, &mut low, above) = values.select_nth_unstable_by(rank, f64::total_cmp);
    between(low, above.iter().copied().fold(f64::INFINITY, f64::min), part)
}

/// The rank at or below a quantile, and the way from it to the next.
fn rank(count: usize, share: f64) -> (usize, f64) {
    let rank = (count - 1) as f64 * share;
    (rank as usize, rank.fract())
}

fn between(low: f64, high: f64, part: f64) -> f64 {
    if part == 0.0 { low } else { low + (high - low) * part }
}

/// [`SAMPLE`] places of a series of `count`, ascending: one in each of as many equal parts, at
/// places in them that no period of the series can follow.
pub(super) fn places(count: usize) -> impl Iterator<Item = usize> {
    // The golden ratio of 2^64: its multiples are as even as can be.
    const STEP: u64 = 0x9e37_79b9_7f4a_7c15;
    let edge = move |part: usize| (part as u128 * count as u128 / SAMPLE as u128) as usize;
    (0..SAMPLE).map(move |part| {
        let (from, to) = (edge(part), edge(part + 1));
        let way = (part as u64).wrapping_mul(STEP);
        from + ((u128::from(way) * (to - from) as u128) >> 64) as usize
    })
}

/// Two values that a quantile lies between, and what the pass has found about them.
#[derive(Clone)]
pub(super) struct Bracket {
    share: f64,
    low: f64,
    high: f64,
    /// How many values are below, at `low`, and at `high`.
    below: usize,
    at_low: usize,
    at_high: usize,
    /// What lies between the two.
    inside: Vec<f64>,
}

impl Bracket {
    /// Around the quantile `share`, by a sorted sample of the series.
    pub(super) fn new(share: f64, sample: &[f64]) -> Self {
        let last = (sample.len() - 1) as f64;
        let reach = REACH * (share * (1.0 - share) * sample.len() as f64).sqrt();
        let place = |at: f64| sample[at.clamp(0.0, last) as usize];
        Self::of(share, place(last * share - reach), place(last * share + reach + 1.0))
    }

    fn of(share: f64, low: f64, high: f64) -> Self {
        Self { share, low, high, below: 0, at_low: 0, at_high: 0, inside: Vec::new() }
    }

    /// Counts and collects values of the series.
    pub(super) fn note(&mut self, values: &[f64]) {
        values.chunks(GROUP).for_each(|group| self.note_group(group));
    }

    /// By masks: few values are inside, and a branch for each would be missed too often.
    fn note_group(&mut self, values: &[f64]) {
        let (mut low, mut high) = ([[0; GROUP / 64]; 2], [[0; GROUP / 64]; 2]);
        let words = values.len().div_ceil(64);
        for (level, [above, below]) in [(self.low, &mut low), (self.high, &mut high)] {
            compare(values, With::Level(level), &mut above[..words], &mut below[..words]);
        }
        for word in 0..words {
            let from = word * 64;
            let all = u64::MAX >> (64 - (values.len() - from).min(64));
            // Neither above nor below are ties and NaN.
            let ties = |[above, below]: [&[u64]; 2], level| {
                let is_other = above[word] | below[word];
                if is_other == all {
                    0
                } else {
                    equal(values, With::Level(level), from).count_ones()
                }
            };
            self.below += low[1][word].count_ones() as usize;
            self.at_low += ties([&low[0], &low[1]], self.low) as usize;
            self.at_high += ties([&high[0], &high[1]], self.high) as usize;
            let mut inside = low[0][word] & high[1][word];
            while inside != 0 {
                self.inside.push(values[from + inside.trailing_zeros() as usize]);
                inside &= inside - 1;
            }
        }
    }

    /// Adds what another bracket between the same two values has noted.
    pub(super) fn absorb(&mut self, other: &Self) {
        self.below += other.below;
        self.at_low += other.at_low;
        self.at_high += other.at_high;
        self.inside.extend_from_slice(&other.inside);
    }

    /// The quantile of the `count` values noted; `None` where it is outside the bracket.
    pub(super) fn quantile(mut self, count: usize) -> Option<f64> {
        let (rank, part) = rank(count, self.share);
        let low = self.ranked(rank)?;
        Some(if part == 0.0 { low } else { between(low, self.ranked(rank + 1)?, part) })
    }

    fn ranked(&mut self, rank: usize) -> Option<f64> {
        let rank = rank.checked_sub(self.below)?;
        if rank < self.at_low {
            return Some(self.low);
        }
        let rank = rank - self.at_low;
        if rank < self.inside.len() {
            return Some(*self.inside.select_nth_unstable_by(rank, f64::total_cmp).1);
        }
        // A bracket of one value has counted it once already.
        let at_high = if self.high > self.low { self.at_high } else { 0 };
        (rank - self.inside.len() < at_high).then_some(self.high)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn quantiles_lie_between_ranks() {
        let mut values = [4.0, 1.0, 3.0, 2.0];
        assert_eq!(quantile(&mut values, 0.5), 2.5);
        assert_eq!(quantile(&mut values, 0.0), 1.0);
        assert_eq!(quantile(&mut values, 1.0), 4.0);
    }

    #[test]
    fn places_ascend_within_the_series() {
        for count in [SAMPLE, 5 * SAMPLE + 7, 525_600] {
            let places: Vec<usize> = places(count).collect();
            assert!(places.is_sorted() && places.len() == SAMPLE && places[SAMPLE - 1] < count);
        }
    }

    /// A series of `kind`: without ties, one value at most places, few values, sorted, one value.
    fn series(kind: usize, count: usize, seed: u64) -> Vec<f64> {
        let mut state = seed;
        let mut draw = || {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
            (state >> 11) as f64 / (1_u64 << 53) as f64 - 0.5
        };
        let mut values: Vec<f64> = (0..count)
            .map(|_| match (kind, draw(), draw()) {
                (0, x, y) => x * y,
                (1, _, y) if y > -0.42 => 0.0,
                (1 | 3, x, _) => x,
                (2, x, _) => (x * 7.0).round(),
                _ => 1.5,
            })
            .collect();
        if kind == 3 {
            values.sort_by(f64::total_cmp);
        }
        values
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(60))]

        #[test]
        fn are_those_of_the_sorted_series(
            kind in 0_usize..5,
            count in 4 * SAMPLE..40_000,
            seed: u64,
            nans in 0_usize..3,
            share in prop::sample::select(vec![0.05, 0.95, 0.0, 1.0, 0.5, 0.999_9]),
            cut in 1_usize..999,
        ) {
            let mut values = series(kind, count, seed);
            for nan in 0..nans * count / 80 {
                values[nan * 17 % count] = f64::NAN;
            }
            let mut sample: Vec<f64> = places(count).map(|at| values[at]).collect();
            sample.sort_by(f64::total_cmp);
            let mut bracket = Bracket::new(share, &sample);
            values.chunks(cut).for_each(|values| bracket.note(values));
            let of_bracket = bracket.quantile(count);
            let expected = quantile(&mut values, share);
            // The end of a series with NaN is one, which no bracket holds.
            prop_assert!(of_bracket.is_none_or(|found| found == expected), "{of_bracket:?}, {expected}");
            let is_extreme = !(0.05..=0.95).contains(&share);
            prop_assert!(of_bracket.is_some() || nans > 0 || is_extreme);
        }
    }

    #[test]
    fn what_is_outside_the_bracket_is_not_told() {
        let found = |rank: f64, low: f64, high: f64| {
            let values: Vec<f64> = (0..=20_000).map(f64::from).collect();
            let mut bracket = Bracket::of(rank / 20_000.0, low, high);
            bracket.note(&values);
            bracket.quantile(values.len())
        };
        assert_eq!(found(4.0, 5.0, 9.0), None);
        assert_eq!(found(5.0, 5.0, 9.0), Some(5.0));
        assert_eq!(found(9.0, 5.0, 9.0), Some(9.0));
        assert_eq!(found(10.0, 5.0, 9.0), None);
    }
}
