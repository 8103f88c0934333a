//! Every grid point through the engine.
//!
//! Each distinct feature of the whole grid is computed once. Trials then run in parallel, each
//! worker with one set of buffers: signals, fills. Memory is O(bars x distinct features + trials),
//! never bars x trials.

use std::sync::atomic::{AtomicUsize, Ordering};

use backtest::statistics::{Run, Stat, StatSet, Statistics, price_returns};
use backtest::strategy::{EntryExit, Feature, Strategy, check_values, parameter_index};
use backtest::{Config, Signals, engine};
use market_data::BarsView;
use rayon::prelude::*;

use crate::{Axis, Condition, OptimizerError, deflated_sharpe_ratio};

/// What to search, on what, and by which measure.
pub struct Sweep<'a> {
    /// The bars; closes without NaN.
    pub bars: BarsView<'a>,
    /// Length of a bar in nanoseconds.
    pub freq_ns: i64,
    /// The rule.
    pub strategy: &'a dyn Strategy,
    /// The values to combine; parameters without an axis keep their default.
    pub axes: &'a [Axis],
    /// What grid points must pass.
    pub condition: Option<&'a str>,
    /// How signals become orders.
    pub config: Config<'a>,
    /// What is best.
    pub objective: Stat,
    /// Worker threads; 0 is all cores.
    pub threads: usize,
}

/// One grid point and its statistics.
#[derive(Debug, Clone, PartialEq)]
pub struct Trial {
    /// A value per parameter of the strategy.
    pub values: Vec<f64>,
    /// What [`StatSet::streaming`] holds.
    pub statistics: Statistics,
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

/// Hears of finished trials, from any thread: how many, of how many.
pub type Progress<'a> = &'a (dyn Fn(usize, usize) + Sync);

/// Buffers of one worker, reused from trial to trial.
#[derive(Default)]
struct Scratch {
    masks: EntryExit,
    fills: Vec<engine::Fill>,
}

impl Sweep<'_> {
    /// Runs every permitted grid point and calls `progress` with the number of finished trials and
    /// of all. The outcome does not depend on the number of threads.
    ///
    /// # Errors
    /// [`OptimizerError`] for a space, condition, parameter or option that is wrong.
    pub fn run(&self, progress: Progress<'_>) -> Result<Outcome, OptimizerError> {
        backtest::check(&self.bars, &Signals::default(), &self.config)?;
        check_objective(self.objective)?;
        let (points, refused) = self.points()?;
        let pool = rayon::ThreadPoolBuilder::new()
            .num_threads(self.threads)
            .build()
            .map_err(|source| OptimizerError::Threads { threads: self.threads, source })?;
        pool.install(|| {
            let started = std::time::Instant::now();
            let plan = Plan::new(self.strategy, &points, self.bars.close)?;
            let features_ns = started.elapsed().as_nanos() as u64;
            let done = AtomicUsize::new(0);
            let count = points.len();
            let trials = points
                .into_par_iter()
                .map_init(Scratch::default, |scratch, values| {
                    let trial = self.trial(&plan, values, scratch);
                    progress(done.fetch_add(1, Ordering::Relaxed) + 1, count);
                    trial
                })
                .collect::<Result<Vec<_>, _>>()?;
            let best = best(&trials, self.objective);
            let deflated_sharpe = best.and_then(|at| self.deflate(&plan, &trials, at));
            let search_ns = started.elapsed().as_nanos() as u64 - features_ns;
            Ok(Outcome { trials, best, refused, deflated_sharpe, features_ns, search_ns })
        })
    }

    /// The grid's points that the condition and the strategy permit, last axis fastest.
    fn points(&self) -> Result<(Vec<Vec<f64>>, u64), OptimizerError> {
        let parameters = self.strategy.parameters();
        let names: Vec<&str> = parameters.iter().map(|parameter| parameter.name).collect();
        let condition = self.condition.map(|text| Condition::parse(text, &names)).transpose()?;
        let mut places = Vec::with_capacity(self.axes.len());
        for axis in self.axes {
            let place = parameter_index(self.strategy, &axis.name)?;
            if places.contains(&place) {
                return Err(OptimizerError::DoubleAxis { name: axis.name.clone() });
            }
            for &value in &axis.values {
                parameters[place].check(value)?;
            }
            places.push(place);
        }
        let size = self.axes.iter().map(|axis| axis.values.len() as u64).product();
        if size > crate::MAX_POINTS {
            return Err(OptimizerError::TooLarge { points: size, limit: crate::MAX_POINTS });
        }
        let mut points = Vec::new();
        let mut why = "an axis has no values".to_owned();
        for point in 0..size {
            let values = self.values_at(point, &places);
            if condition.as_ref().is_some_and(|condition| !condition.holds(&values)) {
                why = format!("the condition '{}' refuses all", self.condition.unwrap_or_default());
            } else if let Err(error) = check_values(self.strategy, &values) {
                why = error.to_string();
            } else {
                points.push(values);
            }
        }
        if points.is_empty() {
            return Err(OptimizerError::EmptySpace { points: size, why });
        }
        let refused = size - points.len() as u64;
        Ok((points, refused))
    }

    fn values_at(&self, mut point: u64, places: &[usize]) -> Vec<f64> {
        let mut values: Vec<f64> =
            self.strategy.parameters().iter().map(|parameter| parameter.default).collect();
        for (axis, &place) in self.axes.iter().zip(places).rev() {
            let count = axis.values.len() as u64;
            values[place] = axis.values[(point % count) as usize];
            point /= count;
        }
        values
    }

    fn trial(
        &self,
        plan: &Plan,
        values: Vec<f64>,
        scratch: &mut Scratch,
    ) -> Result<Trial, OptimizerError> {
        self.simulate(plan, &values, scratch)?;
        let statistics = self.judge(plan, &scratch.fills, StatSet::streaming());
        Ok(Trial { values, statistics })
    }

    fn simulate(
        &self,
        plan: &Plan,
        values: &[f64],
        scratch: &mut Scratch,
    ) -> Result<(), OptimizerError> {
        let columns = plan.columns(&self.strategy.features(values));
        self.strategy.signals(&columns, values, &mut scratch.masks);
        let EntryExit { entry, exit } = std::mem::take(&mut scratch.masks);
        let signals = Signals::new(entry, exit, self.config.direction);
        engine::simulate(&self.bars, &signals, &self.config, &mut scratch.fills)?;
        scratch.masks = signals.into_entry_exit(self.config.direction);
        Ok(())
    }

    fn judge(&self, plan: &Plan, fills: &[engine::Fill], set: StatSet) -> Statistics {
        let run = Run {
            bars: self.bars,
            fills,
            init_cash: self.config.init_cash,
            freq_ns: self.freq_ns,
            returns: Some(&plan.returns),
        };
        run.statistics(set)
    }

    /// Runs the best trial once more for the moments that the deflated Sharpe ratio needs.
    fn deflate(&self, plan: &Plan, trials: &[Trial], best: usize) -> Option<f64> {
        const MOMENTS: StatSet = StatSet::of(&[Stat::SharpeRatio, Stat::Skew, Stat::Kurtosis]);
        let bars_per_year = 365.0 * 86_400e9 / self.freq_ns as f64;
        let ratios: Vec<f64> = trials
            .iter()
            .filter_map(|trial| trial.statistics.get(Stat::SharpeRatio))
            .map(|annual| annual / bars_per_year.sqrt())
            .collect();
        let n = ratios.len() as f64;
        let mean = ratios.iter().sum::<f64>() / n;
        let variance = ratios.iter().map(|r| (r - mean).powi(2)).sum::<f64>() / (n - 1.0);
        let mut scratch = Scratch::default();
        self.simulate(plan, &trials[best].values, &mut scratch).ok()?;
        let moments = self.judge(plan, &scratch.fills, MOMENTS);
        let dsr = deflated_sharpe_ratio(
            moments.get(Stat::SharpeRatio)? / bars_per_year.sqrt(),
            variance,
            ratios.len(),
            self.bars.len(),
            moments.get(Stat::Skew)?,
            moments.get(Stat::Kurtosis)? + 3.0,
        );
        Some(dsr).filter(|dsr| dsr.is_finite())
    }
}

/// What all trials share: the distinct features of all points, and the price's returns.
struct Plan {
    features: Vec<Feature>,
    columns: Vec<Vec<f64>>,
    returns: Vec<f64>,
}

impl Plan {
    fn new(
        strategy: &dyn Strategy,
        points: &[Vec<f64>],
        close: &[f64],
    ) -> Result<Self, OptimizerError> {
        let mut features: Vec<Feature> =
            points.iter().flat_map(|values| strategy.features(values)).collect();
        features.sort_unstable();
        features.dedup();
        let columns = features
            .par_iter()
            .map(|feature| {
                let mut column = vec![0.0; close.len()];
                feature.compute(close, &mut column)?;
                Ok(column)
            })
            .collect::<Result<_, features::FeatureError>>()?;
        let mut returns = vec![0.0; close.len()];
        price_returns(close, &mut returns);
        Ok(Self { features, columns, returns })
    }

    fn columns(&self, wanted: &[Feature]) -> Vec<&[f64]> {
        let column = |feature| match self.features.binary_search(feature) {
            Ok(at) => self.columns[at].as_slice(),
            Err(_) => unreachable!("every feature of every point was planned"),
        };
        wanted.iter().map(column).collect()
    }
}

fn check_objective(objective: Stat) -> Result<(), OptimizerError> {
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
