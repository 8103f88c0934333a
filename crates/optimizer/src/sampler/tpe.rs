//! TPE: points that are likely among the good ones and unlikely among the others.
//!
//! Bergstra et al., "Algorithms for Hyper-Parameter Optimization" (2011), section 4: along each
//! axis, of some draws from the density of the good, the one that is likeliest against the density
//! of the others. A point that is refused or was tried is drawn again.
//!
//! Own code: the crate `tpe` 0.3, sound and light, builds the densities of all trials anew for
//! every number it is asked for, which took 18.7 s for 3,000 trials of two axes; here they are
//! built once a batch, from a bounded number of trials (2.0 s). `optimizer` 1.0 samples one parameter
//! after another under a lock, without constraints.

mod density;

use std::collections::HashSet;

use density::Density;

use super::rng::Rng;
use super::{Sampler, Sobol, best_first};
use crate::space::Domain;
use crate::{OptimizerError, ParamSpace};

/// Points asked for before any of them is told: enough for a few threads, few enough to learn.
const BATCH: usize = 8;

/// Draws along each axis of which the likeliest is taken.
const CANDIDATES: usize = 24;

/// Draws for a point that is permitted and new: the likeliest, and then any from among the good,
/// which cost next to nothing.
const LIKELIEST_TRIES: usize = 4;
const GOOD_TRIES: usize = 100;

/// The good are this share of all trials, up to [`MAX_GOOD`].
const GOOD: f64 = 0.06;
const MAX_GOOD: usize = 64;

/// Others that a density is made of: every so many of them, so that a draw's cost is bounded.
const MAX_OTHERS: usize = 1024;

/// Tree-structured Parzen estimator.
pub struct Tpe<'a> {
    space: &'a ParamSpace<'a>,
    rng: Rng,
    start: Sobol<'a>,
    /// Points that still come from the start.
    start_left: usize,
    /// Asked for, not told yet.
    pending: usize,
    /// Told, not learnt yet: learning waits for the whole batch.
    told: Vec<(Vec<f64>, f64)>,
    /// Coordinates and scores, best first.
    trials: Vec<(Vec<f64>, f64)>,
    seen: HashSet<Vec<u64>>,
    /// Along each axis: of the good, of the others.
    densities: Vec<(Density, Density)>,
}

impl<'a> Tpe<'a> {
    /// A search of `space`.
    #[must_use]
    pub fn new(space: &'a ParamSpace<'a>, seed: u64) -> Self {
        Self {
            space,
            rng: Rng::new(seed),
            start: Sobol::new(space, seed),
            start_left: usize::next_multiple_of(4 * space.axes().len(), BATCH).max(2 * BATCH),
            pending: 0,
            told: Vec::new(),
            trials: Vec::new(),
            seen: HashSet::new(),
            densities: Vec::new(),
        }
    }

    fn draw(&mut self) -> Result<Vec<f64>, OptimizerError> {
        if self.start_left > 0 {
            self.start_left -= 1;
            return self.start.draw();
        }
        let mut known = None;
        for attempt in 0..LIKELIEST_TRIES + GOOD_TRIES {
            let candidates = if attempt < LIKELIEST_TRIES { CANDIDATES } else { 1 };
            let point = self.space.point_at(&self.likeliest(candidates));
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

    /// Coordinates from among the good: along each axis, of some candidates the one that is least
    /// likely among the others.
    fn likeliest(&mut self, candidates: usize) -> Vec<f64> {
        let Self { rng, densities, .. } = self;
        let along = |(good, others): &(Density, Density)| {
            if candidates == 1 {
                return good.draw(rng);
            }
            let mut best = (f64::NEG_INFINITY, 0.5);
            for _ in 0..candidates {
                let draw = good.draw(rng);
                let gain = good.log_at(draw) - others.log_at(draw);
                if gain > best.0 {
                    best = (gain, draw);
                }
            }
            best.1
        };
        densities.iter().map(along).collect()
    }

    fn learn(&mut self) {
        let told = self.told.drain(..);
        self.trials.extend(told.map(|(values, score)| (self.space.unit_of(&values), score)));
        self.trials.sort_by(|a, b| best_first(a.1, b.1));
        let count = (self.trials.len() as f64 * GOOD).ceil() as usize;
        let (good, others) = self.trials.split_at(count.min(MAX_GOOD));
        let every = others.len().div_ceil(MAX_OTHERS).max(1);
        let along = |at: usize, domain: &Domain| {
            let good = Density::new(domain, good.iter().map(|(unit, _)| unit[at]));
            let others = others.iter().step_by(every).map(|(unit, _)| unit[at]);
            (good, Density::new(domain, others))
        };
        let axes = self.space.axes().iter().enumerate();
        self.densities = axes.map(|(at, axis)| along(at, &axis.domain)).collect();
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
