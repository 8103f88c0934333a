//! Choosing on one part of time and judging on another, again and again.

use std::ops::Range;

use backtest::statistics::{Moments, Stat};
use rayon::prelude::*;

use super::spans::{sharpe, total};
use super::splits::{Gap, Split, Window, combinatorial, paths};
use crate::{Evaluate, OptimizerError, Progress, Trial};

/// One window of a walk.
#[derive(Debug, Clone, PartialEq)]
pub struct Fold {
    /// Bars of the choice.
    pub train: Range<usize>,
    /// Bars of the judgement.
    pub test: Range<usize>,
    /// The chosen point's trial on the training bars.
    pub chosen: Trial,
    /// The same point on the test bars, with an account of its own that starts there.
    pub judged: Trial,
}

/// What [`walk_forward`] gives.
#[derive(Debug, Clone, PartialEq)]
pub struct Walked {
    /// One per window in which the objective was defined for some point, in time order.
    pub folds: Vec<Fold>,
    /// Windows in which it was defined for none: nothing was chosen, and nothing earned.
    pub undecided: usize,
    /// Returns of all test bars, chained.
    pub moments: Moments,
    /// What 1 became over all test windows, each with all of the account.
    pub growth: f64,
}

impl Walked {
    /// The Sharpe ratio per return of the chained test bars; NaN where they are all equal.
    #[must_use]
    pub fn sharpe(&self) -> f64 {
        self.moments.sharpe()
    }

    /// Walk-forward efficiency: the mean Sharpe ratio of the test windows over that of the training
    /// windows. Well below 1: what was chosen did not last. NaN where training earned nothing.
    #[must_use]
    pub fn efficiency(&self) -> f64 {
        let mean = |of: fn(&Fold) -> &Trial| {
            self.folds.iter().map(|fold| sharpe(total(&of(fold).segments))).sum::<f64>()
        };
        let (before, after) = (mean(|fold| &fold.chosen), mean(|fold| &fold.judged));
        if before > 0.0 { after / before } else { f64::NAN }
    }

    /// The share of windows that did not lose.
    #[must_use]
    pub fn share_of_gains(&self) -> f64 {
        let gains = self.folds.iter().filter(|fold| total(&fold.judged.segments).sum >= 0.0);
        gains.count() as f64 / self.folds.len() as f64
    }
}

/// Chooses the first of the best `points` by `objective` on every window's training range, and
/// judges it on the test range that follows. Features see the bars before each range, never those
/// after it; an account starts with the range, so that no position crosses from one to the other.
///
/// `progress` hears of whole windows. O(points x training bars of all windows).
///
/// # Errors
/// [`OptimizerError`] of the evaluation.
pub fn walk_forward(
    evaluate: &dyn Evaluate,
    points: &[Vec<f64>],
    objective: Stat,
    windows: &[Window],
    progress: Progress<'_>,
) -> Result<Walked, OptimizerError> {
    let mut walked =
        Walked { folds: Vec::new(), undecided: 0, moments: Moments::default(), growth: 1.0 };
    for (done, Window { train, test }) in windows.iter().enumerate() {
        let trials = evaluate.evaluate(points, train.clone(), &|_, _| {})?.trials;
        match best(&trials, objective) {
            None => walked.undecided += 1,
            Some(at) => {
                let chosen = trials[at].clone();
                let point = std::slice::from_ref(&chosen.values);
                let judged = evaluate.evaluate(point, test.clone(), &|_, _| {})?.trials.remove(0);
                walked.moments = walked.moments + total(&judged.segments);
                let percent = judged.statistics.get(Stat::TotalReturn).unwrap_or(0.0);
                walked.growth *= 1.0 + percent / 100.0;
                walked.folds.push(Fold {
                    train: train.clone(),
                    test: test.clone(),
                    chosen,
                    judged,
                });
            }
        }
        progress(done + 1, windows.len());
    }
    Ok(walked)
}

/// The first of the trials with the best objective; `None` where it is undefined for all.
fn best(trials: &[Trial], objective: Stat) -> Option<usize> {
    let sign = if objective.is_lower_better() { -1.0 } else { 1.0 };
    let score = |at: usize| Some(sign * trials[at].statistics.get(objective)?);
    let scores = (0..trials.len()).filter_map(|at| Some((at, score(at)?)));
    let better = |a: (usize, f64), b: (usize, f64)| if b.1 > a.1 { b } else { a };
    scores.reduce(better).map(|(at, _)| at)
}

/// What [`cross_validate`] gives. Ratios are Sharpe ratios per return.
#[derive(Debug, Clone, PartialEq)]
pub struct CrossValidation {
    /// The trial that each split chose.
    pub chosen: Vec<usize>,
    /// The mean of the chosen trials' ratios in training.
    pub train_sharpe: f64,
    /// Of each path through all of time, out of sample throughout.
    pub path_sharpes: Vec<f64>,
}

/// Combinatorial purged cross-validation of the choice by Sharpe ratio, over the spans of trials:
/// every choice of `tested` of `groups` parts of time is judged once, by the trial that is best in
/// the rest; `gap` is in spans. With one tested group it is k-fold cross-validation, of one path.
///
/// A span keeps the account that ran through all of time: what a split's test inherits from its
/// training is the open position at the edge, which a purge of one span removes.
/// O(trials x splits x spans).
///
/// # Errors
/// [`OptimizerError::Splits`] for groups that cannot be cut, or no trials.
pub fn cross_validate(
    trials: &[Box<[Moments]>],
    groups: usize,
    tested: usize,
    gap: Gap,
) -> Result<CrossValidation, OptimizerError> {
    let Some(first) = trials.first() else {
        return Err(OptimizerError::Splits { why: "there are no trials".to_owned() });
    };
    let splits = combinatorial(first.len(), groups, tested, gap)?;
    let over = |trial: &[Moments], ranges: &[Range<usize>]| {
        ranges.iter().fold(Moments::default(), |sum, range| sum + total(&trial[range.clone()]))
    };
    let choose = |split: &Split| {
        let ratios = trials.iter().map(|trial| sharpe(over(trial, &split.train))).enumerate();
        ratios.fold((0, f64::NEG_INFINITY), |best, next| if next.1 > best.1 { next } else { best })
    };
    let best: Vec<(usize, f64)> = splits.par_iter().map(choose).collect();
    let len = first.len();
    let part = |group: usize| group * len / groups..(group + 1) * len / groups;
    let path_sharpe = |path: Vec<usize>| {
        let earned = path.into_iter().enumerate().map(|(group, split)| {
            let (trial, _) = best[split];
            total(&trials[trial][part(group)])
        });
        sharpe(earned.fold(Moments::default(), |sum, part| sum + part))
    };
    Ok(CrossValidation {
        train_sharpe: best.iter().map(|(_, ratio)| ratio).sum::<f64>() / best.len() as f64,
        chosen: best.iter().map(|&(trial, _)| trial).collect(),
        path_sharpes: paths(groups, tested).into_iter().map(path_sharpe).collect(),
    })
}

#[cfg(test)]
mod tests {
    use backtest::statistics::Statistics;

    use super::*;
    use crate::sampler::rng::Rng;
    use crate::validation::spans::tests::noise;
    use crate::validation::splits::WalkForward;
    use crate::{Evaluation, SEGMENTS};

    /// A point `[x]` earns `1 - |x - bar / 100|` percent in every bar: the best x rises with time.
    struct Drift;

    impl Evaluate for Drift {
        fn bars(&self) -> usize {
            1_000
        }

        fn evaluate(
            &self,
            points: &[Vec<f64>],
            range: Range<usize>,
            _: Progress<'_>,
        ) -> Result<Evaluation, OptimizerError> {
            let trial = |values: &Vec<f64>| {
                let earned = |bar: usize| 0.01 * (1.0 - (values[0] - bar as f64 / 100.0).abs());
                let returns: Vec<f64> = range.clone().map(earned).collect();
                let growth: f64 = returns.iter().map(|r| 1.0 + r).product();
                let sum: f64 = returns.iter().sum();
                let cut = |at: usize| at * returns.len() / SEGMENTS;
                Trial {
                    values: values.clone(),
                    statistics: Statistics::from_fn(|stat| match stat {
                        Stat::TotalReturn => Some(100.0 * (growth - 1.0)),
                        Stat::SharpeRatio => (values[0] >= 0.0).then_some(sum),
                        _ => None,
                    }),
                    segments: (0..SEGMENTS)
                        .map(|at| Moments::of(&returns[cut(at)..cut(at + 1)]))
                        .collect(),
                }
            };
            let trials = points.iter().map(trial).collect();
            Ok(Evaluation { trials, features_ns: 0, search_ns: 0 })
        }
    }

    #[test]
    fn each_window_is_judged_by_what_was_best_before_it() {
        let points: Vec<Vec<f64>> = (0..10).map(|x| vec![f64::from(x) + 0.5]).collect();
        let windows = WalkForward { train: 100, test: 100, step: 100, anchored: false };
        let windows = windows.windows(1_000).unwrap();
        let walked =
            walk_forward(&Drift, &points, Stat::SharpeRatio, &windows, &|_, _| {}).unwrap();
        let chosen: Vec<f64> = walked.folds.iter().map(|fold| fold.judged.values[0]).collect();
        assert_eq!(chosen, [0.5, 1.5, 2.5, 3.5, 4.5, 5.5, 6.5, 7.5, 8.5]);
        assert_eq!(walked.moments.count, 900);
        // One late, the mean loss of a bar is that of the distance 1: 0.01 x (1 - 1) = 0.
        assert!(walked.moments.sum.abs() < 0.05, "{}", walked.moments.sum);
        let growth: f64 = walked
            .folds
            .iter()
            .map(|fold| 1.0 + fold.judged.statistics.get(Stat::TotalReturn).unwrap() / 100.0)
            .product();
        assert_eq!(walked.growth, growth);
        assert!(walked.efficiency() < 0.1, "{}", walked.efficiency());
    }

    #[test]
    fn a_window_without_a_choice_is_told() {
        let windows = WalkForward { train: 400, test: 100, step: 500, anchored: true };
        let windows = windows.windows(1_000).unwrap();
        let walked =
            walk_forward(&Drift, &[vec![-1.0]], Stat::SharpeRatio, &windows, &|_, _| {}).unwrap();
        assert_eq!((walked.folds.len(), walked.undecided), (0, 2));
    }

    #[test]
    fn skill_lasts_through_every_path_and_luck_through_none() {
        let mut rng = Rng::new(6);
        let mut trials: Vec<_> = (0..50).map(|_| noise(&mut rng, 0.0)).collect();
        let gap = Gap { purge: 1, embargo: 1 };
        let luck = cross_validate(&trials, 8, 2, gap).unwrap();
        assert_eq!((luck.chosen.len(), luck.path_sharpes.len()), (28, 7));
        let mean = |cv: &CrossValidation| cv.path_sharpes.iter().sum::<f64>() / 7.0;
        assert!(luck.train_sharpe > 0.04 && mean(&luck) < 0.03, "{luck:?}");
        trials[9] = noise(&mut rng, 0.4);
        let skill = cross_validate(&trials, 8, 2, gap).unwrap();
        assert!(skill.chosen.iter().all(|&trial| trial == 9));
        assert!(skill.path_sharpes.iter().all(|&ratio| ratio > 0.3), "{skill:?}");
        assert_eq!(cross_validate(&trials, 5, 1, gap).unwrap().path_sharpes.len(), 1);
        assert!(cross_validate(&[], 5, 1, gap).is_err());
    }
}
