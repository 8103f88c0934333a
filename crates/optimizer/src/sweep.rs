//! Every point of a grid.

use backtest::statistics::{Stat, StatSet};

use crate::evaluate::{Evaluate, Evaluation, Progress, Trial};
use crate::sampler::{Grid, Sampler};
use crate::{
    Axis, Evaluator, MAX_POINTS, OptimizerError, ParamSpace, Shape, deflated_sharpe_ratio,
};

/// What to search and by which measure.
pub struct Sweep<'a> {
    /// The strategy on its bars.
    pub evaluator: Evaluator<'a>,
    /// The values to combine; parameters without an axis keep their default.
    pub axes: &'a [Axis],
    /// What grid points must pass.
    pub condition: Option<&'a str>,
    /// What is best.
    pub objective: Stat,
}

/// All trials, in the order of the grid.
#[derive(Debug, Clone)]
pub struct Outcome {
    /// One per grid point that was permitted.
    pub trials: Vec<Trial>,
    /// Place of the best trial; `None` where the objective is undefined for all.
    pub best: Option<usize>,
    /// Grid points that the condition or the strategy refused.
    pub refused: u64,
    /// [`deflated_sharpe_ratio`] of the best trial.
    pub deflated_sharpe: Option<f64>,
    /// Time spent on features.
    pub features_ns: u64,
    /// Time spent on trials.
    pub search_ns: u64,
}

impl Sweep<'_> {
    /// Runs every permitted grid point and calls `progress` with the number of finished trials and
    /// of all. The outcome does not depend on the number of threads.
    ///
    /// # Errors
    /// [`OptimizerError`] for a space, condition, parameter or option that is wrong.
    pub fn run(&self, progress: Progress<'_>) -> Result<Outcome, OptimizerError> {
        check_objective(self.objective)?;
        let (points, refused) = self.points()?;
        let range = 0..self.evaluator.bars.len();
        let Evaluation { trials, features_ns, search_ns } =
            self.evaluator.evaluate(&points, range, progress)?;
        let best = best(&trials, self.objective);
        let deflated_sharpe = best.and_then(|at| deflate(&self.evaluator, &trials, at));
        Ok(Outcome { trials, best, refused, deflated_sharpe, features_ns, search_ns })
    }

    /// The grid's points that the condition and the strategy permit, last axis fastest.
    fn points(&self) -> Result<(Vec<Vec<f64>>, u64), OptimizerError> {
        let strategy = self.evaluator.strategy;
        let space = ParamSpace::of_strategy(strategy, self.axes, self.condition)?;
        let mut grid = Grid::new(&space, MAX_POINTS)?;
        let points = grid.ask(usize::MAX)?;
        Ok((points, grid.refused()))
    }
}

/// [`deflated_sharpe_ratio`] of trial `best` among `trials` over all bars; the best runs once more
/// for its [`Shape`]. `None` where it is undefined.
#[must_use]
pub fn deflate(evaluator: &Evaluator<'_>, trials: &[Trial], best: usize) -> Option<f64> {
    let bars = evaluator.bars.len();
    let bars_per_year = 365.0 * 86_400e9 / evaluator.freq_ns as f64;
    let ratios: Vec<f64> = trials
        .iter()
        .filter_map(|trial| trial.statistics.get(Stat::SharpeRatio))
        .map(|annual| annual / bars_per_year.sqrt())
        .collect();
    let n = ratios.len() as f64;
    let mean = ratios.iter().sum::<f64>() / n;
    let variance = ratios.iter().map(|r| (r - mean).powi(2)).sum::<f64>() / (n - 1.0);
    let Shape { skew, kurtosis } = evaluator.shape(&trials[best].values, 0..bars).ok()??;
    let ratio = trials[best].statistics.get(Stat::SharpeRatio)? / bars_per_year.sqrt();
    let dsr = deflated_sharpe_ratio(ratio, variance, ratios.len(), bars, skew, kurtosis);
    Some(dsr).filter(|dsr| dsr.is_finite())
}

/// Whether trials hold `objective`.
///
/// # Errors
/// [`OptimizerError::Objective`] for a statistic that needs every return of every trial.
pub fn check_objective(objective: Stat) -> Result<(), OptimizerError> {
    if !objective.needs_returns() {
        return Ok(());
    }
    let known: Vec<&str> = StatSet::streaming().iter().map(Stat::name).collect();
    Err(OptimizerError::Objective { name: objective.name().to_owned(), known: known.join(", ") })
}

/// The first of the best trials; trials whose objective is undefined are never best.
fn best(trials: &[Trial], objective: Stat) -> Option<usize> {
    let sign = if objective.is_lower_better() { -1.0 } else { 1.0 };
    let score = |trial: &Trial| trial.statistics.get(objective).map(|value| sign * value);
    let mut best: Option<(usize, f64)> = None;
    for (at, score) in trials.iter().enumerate().filter_map(|(at, t)| Some((at, score(t)?))) {
        if best.is_none_or(|(_, highest)| score > highest) {
            best = Some((at, score));
        }
    }
    best.map(|(at, _)| at)
}
