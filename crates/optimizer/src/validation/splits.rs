//! Time cut into what a choice is made on and what it is judged on, as plain index ranges.
//!
//! Lopez de Prado, "Advances in Financial Machine Learning" (2018), chapters 7 and 12. The indices
//! are bars, or any other equal spans of time in order.

use std::ops::Range;

use crate::OptimizerError;

/// One choice on the past and its judgement on what follows at once.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Window {
    /// Where the choice is made.
    pub train: Range<usize>,
    /// Where it is judged.
    pub test: Range<usize>,
}

impl Window {
    /// The same window, `by` bars later.
    #[must_use]
    pub fn shifted(self, by: usize) -> Self {
        let later = |range: Range<usize>| range.start + by..range.end + by;
        Self { train: later(self.train), test: later(self.test) }
    }
}

/// One choice and its judgement, in any order of time. Both parts are in order and without overlap.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Split {
    /// Where the choice is made.
    pub train: Vec<Range<usize>>,
    /// Where it is judged.
    pub test: Vec<Range<usize>>,
}

/// Windows that walk through time: train on the past, test on what follows at once.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct WalkForward {
    /// Bars of a training window; of the first one, where the windows are anchored.
    pub train: usize,
    /// Bars of a test window.
    pub test: usize,
    /// Bars from one test window to the next; at least `test`.
    pub step: usize,
    /// Every training window starts with the first bar.
    pub anchored: bool,
}

impl WalkForward {
    /// The windows that fit into `bars`; a rest that is shorter than a test window is left out.
    ///
    /// # Errors
    /// [`OptimizerError::Splits`] for a length of 0, a step below `test` (a bar would be judged
    /// twice) or too few bars for one window.
    pub fn windows(&self, bars: usize) -> Result<Vec<Window>, OptimizerError> {
        let Self { train, test, step, anchored } = *self;
        if train == 0 || test == 0 {
            return Err(refuse("train and test need a bar at least".to_owned()));
        }
        if step < test {
            return Err(refuse(format!(
                "a step of {step} bars is less than a test of {test}: a bar would be judged twice"
            )));
        }
        if train.saturating_add(test) > bars {
            return Err(refuse(format!(
                "train and test of {train} + {test} bars do not fit into {bars}: shorten them"
            )));
        }
        let window = |start: usize| Window {
            train: if anchored { 0 } else { start }..start + train,
            test: start + train..start + train + test,
        };
        Ok((0..=bars - train - test).step_by(step).map(window).collect())
    }
}

/// What is kept between a training index and a test index.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Gap {
    /// Indices on either side of a test range that no training set has: what a position or a label
    /// that begins there may reach over.
    pub purge: usize,
    /// More of them after it, for what the test leaves behind in features.
    pub embargo: usize,
}

/// Each of `folds` equal parts of `0..len` once as the test, the rest as the training set.
///
/// # Errors
/// As [`combinatorial`].
pub fn k_fold(len: usize, folds: usize, gap: Gap) -> Result<Vec<Split>, OptimizerError> {
    combinatorial(len, folds, 1, gap)
}

/// Combinatorial cross-validation: every choice of `tested` of `groups` equal parts of `0..len` as
/// the test, the rest as the training set; in the lexical order of the choices.
///
/// # Errors
/// [`OptimizerError::Splits`] for no more groups than tested ones, fewer indices than groups, more
/// than 20 groups, or a gap that leaves some split without a training set.
pub fn combinatorial(
    len: usize,
    groups: usize,
    tested: usize,
    gap: Gap,
) -> Result<Vec<Split>, OptimizerError> {
    if tested == 0 || groups <= tested || groups > 20 || groups > len {
        return Err(refuse(format!(
            "{tested} of {groups} groups of {len}: test fewer groups than there are, of 20 at most"
        )));
    }
    let part = |group: usize| group * len / groups..(group + 1) * len / groups;
    let splits: Vec<Split> = choices(groups, tested)
        .into_iter()
        .map(|choice| {
            let test: Vec<Range<usize>> = choice.into_iter().map(part).collect();
            Split { train: around(len, &test, gap), test }
        })
        .collect();
    if splits.iter().any(|split| split.train.is_empty()) {
        let Gap { purge, embargo } = gap;
        return Err(refuse(format!(
            "a purge of {purge} and an embargo of {embargo} leave nothing of {len} to train on"
        )));
    }
    Ok(splits)
}

/// The paths through time that the splits of [`combinatorial`] make: on each, every group is tested
/// once. Path `p` takes for group `g` the split `paths[p][g]`, an index into the splits.
#[must_use]
pub fn paths(groups: usize, tested: usize) -> Vec<Vec<usize>> {
    let mut tests: Vec<Vec<usize>> = vec![Vec::new(); groups];
    for (split, choice) in choices(groups, tested).into_iter().enumerate() {
        choice.into_iter().for_each(|group| tests[group].push(split));
    }
    let count = tests.first().map_or(0, Vec::len);
    (0..count).map(|path| tests.iter().map(|splits| splits[path]).collect()).collect()
}

/// Every choice of `k` of `n`, in lexical order.
fn choices(n: usize, k: usize) -> Vec<Vec<usize>> {
    if k == 0 {
        return vec![Vec::new()];
    }
    let with_last = |mut choice: Vec<usize>| {
        let from = choice.last().map_or(0, |last| last + 1);
        (from..n).map(move |next| {
            choice.truncate(k - 1);
            choice.push(next);
            choice.clone()
        })
    };
    choices(n, k - 1).into_iter().flat_map(with_last).collect()
}

/// What of `0..len` is neither in `test` nor in the gaps around it.
fn around(len: usize, test: &[Range<usize>], gap: Gap) -> Vec<Range<usize>> {
    let mut train = Vec::new();
    let mut from = 0;
    for range in test {
        let to = range.start.saturating_sub(gap.purge);
        if from < to {
            train.push(from..to);
        }
        from = range.end + gap.purge + gap.embargo;
    }
    if from < len {
        train.push(from..len);
    }
    train
}

fn refuse(why: String) -> OptimizerError {
    OptimizerError::Splits { why }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn all(ranges: &[Range<usize>]) -> Vec<usize> {
        ranges.iter().cloned().flatten().collect()
    }

    #[test]
    fn windows_walk_by_their_step() {
        let windows = WalkForward { train: 4, test: 2, step: 2, anchored: false };
        let window = |train, test| Window { train, test };
        assert_eq!(
            windows.windows(9).unwrap(),
            [window(0..4, 4..6), window(2..6, 6..8)],
            "the ninth bar is no whole test"
        );
        let anchored = WalkForward { anchored: true, ..windows };
        assert_eq!(anchored.windows(8).unwrap(), [window(0..4, 4..6), window(0..6, 6..8)]);
    }

    #[test]
    fn what_makes_no_windows_is_refused() {
        let windows = |train, test, step| WalkForward { train, test, step, anchored: false };
        for (windows, why) in [
            (windows(0, 2, 2), "a bar at least"),
            (windows(4, 3, 2), "judged twice"),
            (windows(8, 3, 3), "8 + 3 bars do not fit into 10"),
        ] {
            let error = windows.windows(10).unwrap_err().to_string();
            assert!(error.contains(why), "{error}");
        }
        assert!(combinatorial(10, 3, 3, Gap::default()).is_err());
        assert!(k_fold(2, 3, Gap::default()).is_err());
        let error = k_fold(10, 2, Gap { purge: 5, embargo: 0 }).unwrap_err().to_string();
        assert!(error.contains("purge of 5"), "{error}");
    }

    #[test]
    fn six_groups_of_which_two_are_tested() {
        // Lopez de Prado's figure 12.1: 15 splits, 5 paths.
        let splits = combinatorial(60, 6, 2, Gap::default()).unwrap();
        assert_eq!(splits.len(), 15);
        let paths = paths(6, 2);
        assert_eq!(paths.len(), 5);
        let mut used: Vec<(usize, usize)> =
            paths.iter().flat_map(|path| path.iter().copied().enumerate()).collect();
        used.sort_unstable();
        used.dedup();
        assert_eq!(used.len(), 30, "every tested group of every split is on one path");
        for (group, split) in used {
            assert!(splits[split].test.contains(&(group * 10..group * 10 + 10)));
        }
    }

    proptest! {
        #[test]
        fn windows_neither_overlap_nor_look_ahead(
            train in 1_usize..40, test in 1_usize..20, more in 0_usize..10, bars in 60_usize..300,
            anchored: bool,
        ) {
            let windows = WalkForward { train, test, step: test + more, anchored };
            let windows = windows.windows(bars).unwrap();
            let mut judged_to = 0;
            for Window { train: past, test: future } in windows {
                prop_assert!(past.end == future.start && future.end <= bars);
                prop_assert!(past.len() >= train && future.len() == test);
                prop_assert!(future.start >= judged_to);
                prop_assert!(!anchored || past.start == 0);
                judged_to = future.end;
            }
            prop_assert!(judged_to + test + more > bars - test, "a window is missing");
        }

        #[test]
        fn training_keeps_its_distance(
            groups in 2_usize..9, tested in 1_usize..8, len in 20_usize..200,
            purge in 0_usize..5, embargo in 0_usize..5,
        ) {
            prop_assume!(tested < groups);
            let Ok(splits) = combinatorial(len, groups, tested, Gap { purge, embargo }) else {
                return Ok(());
            };
            let mut times_tested = vec![0; len];
            for Split { train, test } in &splits {
                let (train, test) = (all(train), all(test));
                test.iter().for_each(|&at| times_tested[at] += 1);
                let is_kept = |at: usize| test.iter().all(|&t| {
                    if at < t { t - at > purge } else { at != t && at - t > purge + embargo }
                });
                let kept: Vec<usize> = (0..len).filter(|&at| is_kept(at)).collect();
                prop_assert_eq!(train, kept, "all that may be trained on, and nothing else");
            }
            let paths = paths(groups, tested);
            prop_assert!(times_tested.iter().all(|&times| times == paths.len()));
            prop_assert_eq!(paths.len() * groups, splits.len() * tested);
        }
    }
}
