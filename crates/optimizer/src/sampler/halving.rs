//! Successive halving and Hyperband: bad points are dropped on few bars.
//!
//! Jamieson and Talwalkar, "Non-stochastic Best Arm Identification and Hyperparameter
//! Optimization" (2016); Li et al., "Hyperband" (2018). A bracket tries many points on a small
//! share of the bars, keeps the best third, triples the share, and so on up to all bars. Hyperband
//! runs brackets that start at different shares, for the case that few bars tell little.
//!
//! Own code of a hundred lines: what crates offer prunes by the steps of a training run, inside
//! their own study.

use super::{Sampler, Sobol, best_first};
use crate::{OptimizerError, ParamSpace};

/// One in so many is kept, and the share of the bars grows by as much.
const ETA: usize = 3;

/// Rungs below all bars at most: a first share of 1/81.
const MAX_RUNGS: u32 = 4;

/// Brackets of Sobol points, one after the other.
pub struct Halving<'a> {
    start: Sobol<'a>,
    /// Still to come: points at the start and rungs below all bars.
    brackets: Vec<Bracket>,
    /// Rungs that the running bracket still has above the present one.
    rungs_left: u32,
    /// Points of the present rung that are still to be given, in reverse.
    rung: Vec<Vec<f64>>,
    /// Points given and not told yet.
    pending: usize,
    told: Vec<(Vec<f64>, f64)>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Bracket {
    points: usize,
    rungs: u32,
}

impl<'a> Halving<'a> {
    /// One bracket of `points` points.
    #[must_use]
    pub fn successive(space: &'a ParamSpace<'a>, points: usize, seed: u64) -> Self {
        Self::new(space, vec![Bracket { points, rungs: rungs(points) }], seed)
    }

    /// Hyperband with `points` points in all its brackets together.
    #[must_use]
    pub fn hyperband(space: &'a ParamSpace<'a>, points: usize, seed: u64) -> Self {
        Self::new(space, hyperband(points), seed)
    }

    fn new(space: &'a ParamSpace<'a>, mut brackets: Vec<Bracket>, seed: u64) -> Self {
        brackets.reverse();
        let start = Sobol::new(space, seed);
        let (rung, told) = (Vec::new(), Vec::new());
        Self { start, brackets, rungs_left: 0, rung, pending: 0, told }
    }

    /// Trials on any share of the bars that all brackets together make.
    #[must_use]
    pub fn trials(&self) -> u64 {
        let of_bracket = |bracket: &Bracket| {
            let kept = |points: &usize| Some(keep(*points));
            let rungs = std::iter::successors(Some(bracket.points), kept);
            rungs.take(bracket.rungs as usize + 1).sum::<usize>() as u64
        };
        self.brackets.iter().map(of_bracket).sum()
    }

    /// Begins the next rung or bracket once the present one is told.
    fn advance(&mut self) -> Result<(), OptimizerError> {
        if !self.rung.is_empty() || self.pending > 0 {
            return Ok(());
        }
        let mut told = std::mem::take(&mut self.told);
        if self.rungs_left > 0 {
            self.rungs_left -= 1;
            let kept = keep(told.len());
            told.sort_by(|a, b| best_first(a.1, b.1));
            self.rung = told.into_iter().take(kept).map(|(values, _)| values).collect();
        } else if let Some(Bracket { points, rungs }) = self.brackets.pop() {
            self.rungs_left = rungs;
            self.rung = (0..points).map(|_| self.start.draw()).collect::<Result<_, _>>()?;
        }
        self.rung.reverse();
        Ok(())
    }
}

impl Sampler for Halving<'_> {
    fn ask(&mut self, n: usize) -> Result<Vec<Vec<f64>>, OptimizerError> {
        self.advance()?;
        let left = self.rung.len().saturating_sub(n);
        let mut points = self.rung.split_off(left);
        points.reverse();
        self.pending += points.len();
        Ok(points)
    }

    fn tell(&mut self, told: &[(Vec<f64>, f64)]) {
        self.pending -= told.len().min(self.pending);
        self.told.extend_from_slice(told);
    }

    /// A whole rung, whatever its size.
    fn batch(&self) -> Option<usize> {
        Some(usize::MAX)
    }

    fn share(&self) -> f64 {
        1.0 / (ETA.pow(self.rungs_left) as f64)
    }
}

fn keep(points: usize) -> usize {
    points.div_ceil(ETA)
}

/// Rungs below all bars that leave at least one point for the last.
fn rungs(points: usize) -> u32 {
    points.checked_ilog(ETA).unwrap_or(0).min(MAX_RUNGS)
}

/// Brackets of about equal cost, the deepest first; their points add up to `points`.
fn hyperband(points: usize) -> Vec<Bracket> {
    let deepest = rungs(points);
    let weight = |rungs: u32| ETA.pow(rungs) as f64 * f64::from(deepest + 1) / f64::from(rungs + 1);
    let sum: f64 = (0..=deepest).map(weight).sum();
    let mut left = points;
    let mut brackets = Vec::new();
    for rungs in (1..=deepest).rev() {
        let share = (points as f64 * weight(rungs) / sum).round() as usize;
        let points = share.clamp(1, left.saturating_sub(1).max(1)).min(left);
        left -= points;
        brackets.push(Bracket { points, rungs });
    }
    brackets.push(Bracket { points: left, rungs: 0 });
    brackets.retain(|bracket| bracket.points > 0);
    brackets
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Axis;

    /// Runs to the end with `n` asked at once; the (share, points) of each rung.
    fn rungs_of(mut halving: Halving<'_>, n: usize) -> Vec<(f64, Vec<Vec<f64>>)> {
        let mut rungs: Vec<(f64, Vec<Vec<f64>>)> = Vec::new();
        loop {
            let points = halving.ask(n).unwrap();
            if points.is_empty() {
                return rungs;
            }
            let share = halving.share();
            match rungs.last_mut() {
                Some((last, known)) if *last == share => known.extend(points.clone()),
                _ => rungs.push((share, points.clone())),
            }
            let told: Vec<_> = points.into_iter().map(|p| (p.clone(), -p[0])).collect();
            halving.tell(&told);
        }
    }

    fn space() -> ParamSpace<'static> {
        ParamSpace::new(vec![Axis::parse("a", "0:1").unwrap()], None).unwrap()
    }

    #[test]
    fn the_best_third_goes_on() {
        let space = space();
        let rungs = rungs_of(Halving::successive(&space, 30, 1), 1_000);
        let shape: Vec<_> = rungs.iter().map(|(share, points)| (*share, points.len())).collect();
        assert_eq!(shape, [(1.0 / 27.0, 30), (1.0 / 9.0, 10), (1.0 / 3.0, 4), (1.0, 2)]);
        assert_eq!(Halving::successive(&space, 30, 1).trials(), 46);
        let mut first: Vec<f64> = rungs[0].1.iter().map(|p| p[0]).collect();
        first.sort_by(f64::total_cmp);
        let last: Vec<f64> = rungs[3].1.iter().map(|p| p[0]).collect();
        assert_eq!(last, first[..2]);
        assert_eq!(rungs, rungs_of(Halving::successive(&space, 30, 1), 7), "any size of asks");
    }

    #[test]
    fn hyperband_spreads_its_points_over_brackets() {
        let space = space();
        for points in [1, 2, 3, 9, 100, 1_000] {
            let brackets = hyperband(points);
            assert_eq!(brackets.iter().map(|b| b.points).sum::<usize>(), points, "{brackets:?}");
            let rungs = rungs_of(Halving::hyperband(&space, points, 1), 1_000_000);
            let trials: usize = rungs.iter().map(|(_, points)| points.len()).sum();
            assert_eq!(trials as u64, Halving::hyperband(&space, points, 1).trials());
            assert_eq!(rungs.last().unwrap().0, 1.0, "the last rung sees all bars");
        }
        assert_eq!(hyperband(100).len(), 5);
    }
}
