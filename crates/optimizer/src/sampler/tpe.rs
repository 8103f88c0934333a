//! TPE: points that are likely among the good ones and unlikely among the others.
//!
//! Bergstra et al., "Algorithms for Hyper-Parameter Optimization" (2011), section 4. The densities
//! are those of the crate `tpe`: maintained, generic over the generator, asked and told; one
//! estimator per axis. What it leaves to its caller is here: a start from Sobol points, conditions
//! between parameters (a refused point is drawn again), and no point twice as long as another can
//! be found.

use std::collections::HashSet;

use tpe::TpeOptimizer;
use tpe::density_estimation::DefaultEstimatorBuilder;

use super::rng::Rng;
use super::{Sampler, Sobol};
use crate::space::Domain;
use crate::{OptimizerError, ParamSpace};

/// Points asked for before any of them is told: enough for a few threads, few enough to learn.
const BATCH: usize = 8;

/// Draws for a point that is permitted and new; each costs O(trials told).
const TRIES: usize = 12;

/// A share of the good, small enough that few trials suffice.
const GAMMA: f64 = 0.1;

/// Tree-structured Parzen estimator.
pub struct Tpe<'a> {
    space: &'a ParamSpace<'a>,
    rng: Rng,
    start: Sobol<'a>,
    axes: Vec<TpeOptimizer<DefaultEstimatorBuilder>>,
    /// Points that still come from the start.
    start_left: usize,
    /// Asked for, not told yet.
    pending: usize,
    /// Told, not learnt yet: learning waits for the whole batch.
    told: Vec<(Vec<f64>, f64)>,
    seen: HashSet<Vec<u64>>,
}

impl<'a> Tpe<'a> {
    /// A search of `space`.
    #[must_use]
    pub fn new(space: &'a ParamSpace<'a>, seed: u64) -> Self {
        let axes: Vec<_> = space.axes().iter().map(|axis| estimator(&axis.domain)).collect();
        Self {
            space,
            rng: Rng::new(seed),
            start: Sobol::new(space, seed),
            start_left: usize::next_multiple_of(4 * axes.len(), BATCH).max(2 * BATCH),
            axes,
            pending: 0,
            told: Vec::new(),
            seen: HashSet::new(),
        }
    }

    fn draw(&mut self) -> Result<Vec<f64>, OptimizerError> {
        if self.start_left > 0 {
            self.start_left -= 1;
            return self.start.draw();
        }
        let mut known = None;
        for _ in 0..TRIES {
            let point = self.space.point_at(&self.candidate());
            if !self.space.permits(&point) {
                continue;
            }
            if !self.seen.contains(&bits(&point)) {
                return Ok(point);
            }
            known = Some(point);
        }
        known.map_or_else(|| self.start.draw(), Ok)
    }

    /// A point of the unit cube.
    fn candidate(&mut self) -> Vec<f64> {
        let Self { space, rng, axes, .. } = self;
        let draw = |(axis, domain): (&mut TpeOptimizer<_>, &Domain)| match axis.ask(&mut rng.0) {
            Ok(value) => from_estimator(domain, value),
            Err(never) => match never {},
        };
        axes.iter_mut().zip(space.axes().iter().map(|axis| &axis.domain)).map(draw).collect()
    }

    fn learn(&mut self) {
        for (values, score) in std::mem::take(&mut self.told) {
            let loss = if score.is_nan() { f64::INFINITY } else { -score };
            let units = self.space.unit_of(&values);
            for ((axis, unit), searched) in self.axes.iter_mut().zip(units).zip(self.space.axes()) {
                let told = axis.tell(to_estimator(&searched.domain, unit), loss);
                debug_assert!(told.is_ok(), "the unit is in range and the loss a number");
            }
        }
    }
}

impl Sampler for Tpe<'_> {
    fn ask(&mut self, n: usize) -> Result<Vec<Vec<f64>>, OptimizerError> {
        let mut points = Vec::new();
        for _ in 0..n.min(BATCH - self.pending - self.told.len()) {
            let point = self.draw()?;
            self.seen.insert(bits(&point));
            points.push(point);
            self.pending += 1;
        }
        Ok(points)
    }

    fn tell(&mut self, told: &[(Vec<f64>, f64)]) {
        self.pending -= told.len().min(self.pending);
        self.told.extend_from_slice(told);
        if self.told.len() >= BATCH {
            self.learn();
        }
    }

    fn batch(&self) -> Option<usize> {
        Some(BATCH - self.pending - self.told.len())
    }
}

fn bits(values: &[f64]) -> Vec<u64> {
    values.iter().map(|value| value.to_bits()).collect()
}

/// A histogram over the values of a choice, a Parzen estimator over the unit interval else.
fn estimator(domain: &Domain) -> TpeOptimizer<DefaultEstimatorBuilder> {
    let (builder, range) = match domain {
        Domain::Choice(values) => {
            (tpe::histogram_estimator(), tpe::categorical_range(values.len()))
        }
        _ => (tpe::parzen_estimator(), tpe::range(0.0, 1.0)),
    };
    let range = range.expect("a range from 0 to at least 1");
    tpe::TpeOptimizerBuilder::new().gamma(GAMMA).build(builder, range).expect("a share below 1")
}

fn from_estimator(domain: &Domain, value: f64) -> f64 {
    match domain {
        Domain::Choice(values) => (value.floor() + 0.5) / values.len() as f64,
        _ => value,
    }
}

/// Estimators exclude the end of their range.
fn to_estimator(domain: &Domain, unit: f64) -> f64 {
    match domain {
        Domain::Choice(values) => (unit * values.len() as f64).floor(),
        _ => unit.min(1.0 - f64::EPSILON),
    }
}
