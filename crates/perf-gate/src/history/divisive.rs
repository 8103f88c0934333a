//! Change points of a series: E-divisive (Matteson and James 2014) with its permutation test, as
//! Apache Otava uses it. Of the crates that have it one is of 2021 and the others have no test of
//! significance; it is little code.

use crate::random::Random;

/// Fewest values between two change points: less says nothing of a level.
const LEAST: usize = 4;
/// Shuffles of the permutation test.
const SHUFFLES: usize = 999;
/// A level that came and went hides a part of each of its ends from the other: the series is divided
/// wherever at most this share of shuffled ones divides as well,
const WEAK: f64 = 0.1;
/// and of those places the ones are kept that stand between their neighbours at this level.
const LEVEL: f64 = 0.01;

/// A change point: values from `at` on are of another distribution than those before.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Split {
    pub(super) at: usize,
    /// How often a series without order splits as well.
    pub(super) p_value: f64,
}

/// The change points of `values`, in order; O(n^2) for each, times the shuffles. Deterministic.
pub(super) fn splits(values: &[f64]) -> Vec<Split> {
    let mut random = Random::new(0x5eed);
    let mut found = Vec::new();
    let mut open = vec![(0, values.len())];
    while let Some((from, to)) = open.pop() {
        if let Some(Split { at, .. }) = split(&values[from..to], WEAK, &mut random) {
            found.push(from + at);
            open.extend([(from, from + at), (from + at, to)]);
        }
    }
    found.sort_unstable();
    kept(values, found, &mut random)
}

/// Drops the least clear of the places until every one stands between its neighbours.
fn kept(values: &[f64], mut places: Vec<usize>, random: &mut Random) -> Vec<Split> {
    loop {
        let ends = [&[0], &places[..], &[values.len()]].concat();
        let judge = |around: &[usize]| {
            let [from, at, to] = [around[0], around[1], around[2]];
            let between = split(&values[from..to], 1.0, random);
            between
                .map_or(Split { at, p_value: 1.0 }, |split| Split { at: from + split.at, ..split })
        };
        let splits: Vec<Split> = ends.windows(3).map(judge).collect();
        let least = splits.iter().enumerate().max_by(|a, b| a.1.p_value.total_cmp(&b.1.p_value));
        match least {
            Some((index, split)) if split.p_value > LEVEL => places.remove(index),
            _ => return splits,
        };
    }
}

fn split(values: &[f64], level: f64, random: &mut Random) -> Option<Split> {
    let (at, found) = best(values)?;
    let mut shuffled = values.to_vec();
    let as_well = (0..SHUFFLES)
        .filter(|_| {
            random.shuffle(&mut shuffled);
            best(&shuffled).is_some_and(|(_, other)| other >= found)
        })
        .count();
    let p_value = (as_well + 1) as f64 / (SHUFFLES + 1) as f64;
    (p_value <= level && found > 0.0).then_some(Split { at, p_value })
}

/// The split with the largest energy distance between its sides, and that distance. Sums of the
/// distances within both sides and between them follow the split from value to value.
fn best(values: &[f64]) -> Option<(usize, f64)> {
    let n = values.len();
    let distance = |i: usize, j: usize| (values[i] - values[j]).abs();
    let all: f64 =
        (0..n).flat_map(|i| (0..i).map(move |j| (i, j))).map(|(i, j)| distance(i, j)).sum();
    let (mut left, mut between) = (0.0, 0.0);
    let mut best = None;
    for at in 1..n {
        // The value before the split goes from the right side to the left.
        let moved = at - 1;
        let to_left: f64 = (0..moved).map(|i| distance(i, moved)).sum();
        let to_right: f64 = (at..n).map(|i| distance(i, moved)).sum();
        left += to_left;
        between += to_right - to_left;
        let right = all - left - between;
        if at < LEAST || n - at < LEAST {
            continue;
        }
        let (a, b) = (at as f64, (n - at) as f64);
        let pairs = |count: f64| count * (count - 1.0) / 2.0;
        let energy = 2.0 * between / (a * b) - left / pairs(a) - right / pairs(b);
        let found = a * b / (a + b) * energy;
        if best.is_none_or(|(_, most)| found > most) {
            best = Some((at, found));
        }
    }
    best
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Seeded noise of +-1 percent about `level`.
    fn noise(seed: u64, level: f64, count: usize) -> Vec<f64> {
        let mut random = Random::new(seed);
        let mut share = || random.next() as f64 / u64::MAX as f64 - 0.5;
        (0..count).map(|_| level * (1.0 + 0.02 * share())).collect()
    }

    fn places(parts: &[Vec<f64>]) -> Vec<usize> {
        splits(&parts.concat()).into_iter().map(|split| split.at).collect()
    }

    #[test]
    fn a_step_is_found_where_it_is() {
        assert_eq!(places(&[noise(1, 10.0, 15), noise(2, 10.5, 12)]), [15]);
        assert_eq!(places(&[noise(3, 10.0, 12), noise(4, 11.0, 9), noise(5, 10.0, 14)]), [12, 21]);
        assert_eq!(places(&[vec![1.0; 8], vec![2.0; 8]]), [8]);
    }

    #[test]
    fn noise_alone_and_too_short_a_series_have_none() {
        let with_any = (0..100).filter(|seed| !splits(&noise(*seed, 10.0, 30)).is_empty()).count();
        assert!(with_any <= 4, "{with_any} of 100");
        assert_eq!(places(&[vec![1.0; 20]]), Vec::<usize>::new());
        assert_eq!(places(&[vec![1.0, 1.0, 2.0, 2.0]]), Vec::<usize>::new());
        assert_eq!(splits(&[]), []);
    }

    /// By hand, from the definition: sides 1 1 1 1 and 3 3 3 3 are at distance 2 from each other and
    /// 0 within; 4 * 4 / 8 * 2 * 2 = 8.
    #[test]
    fn the_statistic_is_the_definition_s() {
        assert_eq!(best(&[1.0, 1.0, 1.0, 1.0, 3.0, 3.0, 3.0, 3.0]), Some((4, 8.0)));
    }
}
