//! CMA-ES: a normal distribution that learns the shape of the objective.
//!
//! Hansen, "The CMA Evolution Strategy: A Tutorial" (2016), with its default settings, and
//! restarts with a doubled population (IPOP: Auger and Hansen, 2005). It works in the unit cube of
//! the axes. A draw outside the cube, or one that the space refuses, is drawn again; after
//! [`RESAMPLES`] tries it is replaced by a random permitted point, whose step is then shortened as
//! Hansen, "Injecting External Solutions Into CMA-ES" (2011) does. Whole numbers and choices are
//! drawn as numbers and rounded, and the distribution keeps enough spread to reach the next one.
//!
//! Own code, since no crate has all of: points asked and scores told, constraints between
//! parameters, restarts, a seed. `cmaes` 0.2 calls the objective itself and brings plotting,
//! `nalgebra` 0.33 and an older `rand`; `optimizer` 1.0 samples one parameter after another under
//! a lock, without constraints; `argmin` 0.11 has no CMA-ES.

use super::jacobi::eigen;
use super::rng::Rng;
use super::{Sampler, best_first, first_permitted};
use crate::{OptimizerError, ParamSpace};

/// Tries for a permitted draw before a random point takes its place.
const RESAMPLES: usize = 50;

/// Standard deviation at the start, in the unit cube.
const SIGMA: f64 = 0.3;

/// A population does not double beyond this.
const MAX_POPULATION: usize = 256;

/// Covariance matrix adaptation. Its asks come in generations.
pub struct CmaEs<'a> {
    space: &'a ParamSpace<'a>,
    rng: Rng,
    search: Distribution,
    /// Asked for and not told yet.
    pending: Vec<Vec<f64>>,
    /// Told in this generation.
    told: Vec<(Vec<f64>, f64)>,
    /// Best score of each generation since the last restart.
    history: Vec<f64>,
}

impl<'a> CmaEs<'a> {
    /// A search of `space` from its middle.
    #[must_use]
    pub fn new(space: &'a ParamSpace<'a>, seed: u64) -> Self {
        let dimensions = space.axes().len();
        let population = 4 + (3.0 * (dimensions as f64).ln()).floor() as usize;
        let search = Distribution::new(vec![0.5; dimensions], population);
        let (pending, told, history) = (Vec::new(), Vec::new(), Vec::new());
        Self { space, rng: Rng::new(seed), search, pending, told, history }
    }

    fn left(&self) -> usize {
        self.search.settings.population - self.pending.len() - self.told.len()
    }

    /// A point of the unit cube that the space permits.
    fn draw(&mut self) -> Result<Vec<f64>, OptimizerError> {
        let Self { space, rng, search, .. } = self;
        for _ in 0..RESAMPLES {
            let unit = search.draw(rng);
            let inside = unit.iter().all(|x| (0.0..=1.0).contains(x));
            if inside && space.permits(&space.point_at(&unit)) {
                return Ok(unit);
            }
        }
        random_permitted(space, rng)
    }

    fn end_generation(&mut self) -> Result<(), OptimizerError> {
        self.told.sort_by(|a, b| best_first(a.1, b.1));
        self.history.push(self.told[0].1);
        let points: Vec<Vec<f64>> = self.told.drain(..).map(|(unit, _)| unit).collect();
        self.search.update(&points);
        self.search.keep_spread(&smallest_deviations(self.space));
        if self.search.is_spent() || self.is_flat() {
            let mean = random_permitted(self.space, &mut self.rng)?;
            let population = (2 * self.search.settings.population).min(MAX_POPULATION);
            self.search = Distribution::new(mean, population);
            self.history.clear();
        }
        Ok(())
    }

    /// Whether the best score of the last generations has stayed the same.
    fn is_flat(&self) -> bool {
        let Settings { n, population, .. } = self.search.settings;
        let window = 10 + (30.0 * n / population as f64).ceil() as usize;
        let Some(start) = self.history.len().checked_sub(window) else { return false };
        let last = &self.history[start..];
        let (min, max) =
            last.iter().fold((f64::INFINITY, f64::NEG_INFINITY), |(a, b), &x| (x.min(a), x.max(b)));
        // Where all are undefined, max is below min: flat as well.
        max - min <= 1e-12 * max.abs().max(1e-12)
    }
}

impl Sampler for CmaEs<'_> {
    fn ask(&mut self, n: usize) -> Result<Vec<Vec<f64>>, OptimizerError> {
        let mut points = Vec::new();
        for _ in 0..n.min(self.left()) {
            let unit = self.draw()?;
            points.push(self.space.point_at(&unit));
            self.pending.push(unit);
        }
        Ok(points)
    }

    fn tell(&mut self, told: &[(Vec<f64>, f64)]) {
        let scores = told.iter().map(|(_, score)| *score);
        self.told.extend(self.pending.drain(..told.len().min(self.pending.len())).zip(scores));
        if self.told.len() == self.search.settings.population && self.end_generation().is_err() {
            // A permitted point has been found before: only a space with next to none gets here,
            // and its search goes on from where it is.
            self.history.clear();
        }
    }

    fn batch(&self) -> Option<usize> {
        Some(self.left())
    }
}

fn random_permitted(space: &ParamSpace<'_>, rng: &mut Rng) -> Result<Vec<f64>, OptimizerError> {
    let mut unit = Vec::new();
    first_permitted(space, "random", || {
        unit = rng.unit(space.axes().len());
        space.point_at(&unit)
    })?;
    Ok(unit)
}

/// A third of the way to the next value of what can be counted, 0 for numbers.
fn smallest_deviations(space: &ParamSpace<'_>) -> Vec<f64> {
    let counts = space.axes().iter().map(|axis| axis.domain.count());
    counts.map(|count| count.map_or(0.0, |count| (0.3 / count as f64).min(SIGMA))).collect()
}

/// Settings that follow from the dimensions and the population; names as in the tutorial.
struct Settings {
    n: f64,
    population: usize,
    weights: Vec<f64>,
    mu_eff: f64,
    c_c: f64,
    c_s: f64,
    c_1: f64,
    c_mu: f64,
    damping: f64,
    /// Expected length of a standard normal vector.
    chi: f64,
}

impl Settings {
    /// Table 1 of the tutorial, without negative weights.
    fn new(dimensions: usize, population: usize) -> Self {
        let n = dimensions as f64;
        let middle = (population as f64 + 1.0) / 2.0;
        let raw: Vec<f64> =
            (1..=population / 2).map(|rank| middle.ln() - (rank as f64).ln()).collect();
        let sum: f64 = raw.iter().sum();
        let weights: Vec<f64> = raw.iter().map(|w| w / sum).collect();
        let mu_eff = 1.0 / weights.iter().map(|w| w * w).sum::<f64>();
        let c_c = (4.0 + mu_eff / n) / (n + 4.0 + 2.0 * mu_eff / n);
        let c_s = (mu_eff + 2.0) / (n + mu_eff + 5.0);
        let c_1 = 2.0 / ((n + 1.3).powi(2) + mu_eff);
        let c_mu = (2.0 * (mu_eff - 2.0 + 1.0 / mu_eff) / ((n + 2.0).powi(2) + mu_eff))
            .clamp(0.0, 1.0 - c_1);
        let damping = 1.0 + 2.0 * (((mu_eff - 1.0) / (n + 1.0)).sqrt() - 1.0).max(0.0) + c_s;
        let chi = n.sqrt() * (1.0 - 1.0 / (4.0 * n) + 1.0 / (21.0 * n * n));
        Self { n, population, weights, mu_eff, c_c, c_s, c_1, c_mu, damping, chi }
    }
}

/// The normal distribution N(mean, sigma^2 C) and its evolution paths.
struct Distribution {
    settings: Settings,
    mean: Vec<f64>,
    sigma: f64,
    covariance: Vec<f64>,
    path_c: Vec<f64>,
    path_s: Vec<f64>,
    generation: i32,
    /// Eigenvectors of C in columns, and the roots of its eigenvalues.
    vectors: Vec<f64>,
    roots: Vec<f64>,
}

impl Distribution {
    fn new(mean: Vec<f64>, population: usize) -> Self {
        let n = mean.len();
        let identity: Vec<f64> =
            (0..n * n).map(|at| if at % (n + 1) == 0 { 1.0 } else { 0.0 }).collect();
        Self {
            settings: Settings::new(n, population),
            mean,
            sigma: SIGMA,
            covariance: identity.clone(),
            path_c: vec![0.0; n],
            path_s: vec![0.0; n],
            generation: 0,
            vectors: identity,
            roots: vec![1.0; n],
        }
    }

    fn draw(&self, rng: &mut Rng) -> Vec<f64> {
        let n = self.mean.len();
        let z: Vec<f64> = self.roots.iter().map(|root| root * rng.normal()).collect();
        let step = |i: usize| (0..n).map(|k| self.vectors[i * n + k] * z[k]).sum::<f64>();
        (0..n).map(|i| self.mean[i] + self.sigma * step(i)).collect()
    }

    /// C^(-1/2) y.
    fn whiten(&self, y: &[f64]) -> Vec<f64> {
        let n = y.len();
        let along = |k: usize| (0..n).map(|i| self.vectors[i * n + k] * y[i]).sum::<f64>();
        let z: Vec<f64> = (0..n).map(|k| along(k) / self.roots[k].max(1e-300)).collect();
        (0..n).map(|i| (0..n).map(|k| self.vectors[i * n + k] * z[k]).sum()).collect()
    }

    /// One generation: `points` from best to worst.
    fn update(&mut self, points: &[Vec<f64>]) {
        self.generation += 1;
        let steps: Vec<Vec<f64>> =
            points[..self.settings.weights.len()].iter().map(|point| self.step_to(point)).collect();
        let n = self.mean.len();
        let weighted = |i: usize| -> f64 {
            self.settings.weights.iter().zip(&steps).map(|(w, step)| w * step[i]).sum()
        };
        let mean_step: Vec<f64> = (0..n).map(weighted).collect();
        for (mean, step) in self.mean.iter_mut().zip(&mean_step) {
            *mean += self.sigma * step;
        }
        let is_steady = self.lengthen_paths(&mean_step);
        self.adapt_covariance(&steps, is_steady);
        let Settings { c_s, damping, chi, .. } = self.settings;
        let exponent = c_s / damping * (length(&self.path_s) / chi - 1.0);
        self.sigma = (self.sigma * exponent.min(1.0).exp()).min(1.0);
        self.decompose();
    }

    /// The step from the mean in units of sigma, not longer than a draw may be expected to be.
    fn step_to(&self, point: &[f64]) -> Vec<f64> {
        let step: Vec<f64> =
            point.iter().zip(&self.mean).map(|(x, mean)| (x - mean) / self.sigma).collect();
        let n = self.settings.n;
        let longest = n.sqrt() + 2.0 * n / (n + 2.0);
        let shrink = (longest / length(&self.whiten(&step)).max(1e-300)).min(1.0);
        step.iter().map(|y| y * shrink).collect()
    }

    /// Updates both evolution paths; false where the step size grows so fast that the path of the
    /// covariance must wait (the tutorial's h_sigma).
    fn lengthen_paths(&mut self, mean_step: &[f64]) -> bool {
        let white = self.whiten(mean_step);
        let Settings { n, mu_eff, c_c, c_s, chi, .. } = self.settings;
        let grow = (c_s * (2.0 - c_s) * mu_eff).sqrt();
        for (path, white) in self.path_s.iter_mut().zip(white) {
            *path = (1.0 - c_s) * *path + grow * white;
        }
        let warm_up = (1.0 - (1.0 - c_s).powi(2 * self.generation)).sqrt();
        let is_steady = length(&self.path_s) / warm_up < (1.4 + 2.0 / (n + 1.0)) * chi;
        let grow = if is_steady { (c_c * (2.0 - c_c) * mu_eff).sqrt() } else { 0.0 };
        for (path, step) in self.path_c.iter_mut().zip(mean_step) {
            *path = (1.0 - c_c) * *path + grow * step;
        }
        is_steady
    }

    fn adapt_covariance(&mut self, steps: &[Vec<f64>], is_steady: bool) {
        let Settings { ref weights, c_c, c_1, c_mu, .. } = self.settings;
        let lost = if is_steady { 0.0 } else { c_1 * c_c * (2.0 - c_c) };
        let n = self.mean.len();
        for i in 0..n {
            for j in 0..n {
                let rank_mu: f64 =
                    weights.iter().zip(steps).map(|(w, step)| w * step[i] * step[j]).sum();
                let c = &mut self.covariance[i * n + j];
                *c = (1.0 - c_1 - c_mu + lost) * *c
                    + c_1 * self.path_c[i] * self.path_c[j]
                    + c_mu * rank_mu;
            }
        }
    }

    /// Widens axes that would no longer reach their next value.
    fn keep_spread(&mut self, smallest: &[f64]) {
        let n = self.mean.len();
        for (i, smallest) in smallest.iter().enumerate() {
            let wanted = (smallest / self.sigma).powi(2);
            let variance = &mut self.covariance[i * n + i];
            *variance = variance.max(wanted);
        }
        self.decompose();
    }

    fn decompose(&mut self) {
        let (values, vectors) = eigen(&self.covariance, self.mean.len());
        self.roots = values.iter().map(|value| value.max(0.0).sqrt()).collect();
        self.vectors = vectors;
    }

    /// Whether nothing more is to be gained: too narrow, or too flat an ellipsoid.
    fn is_spent(&self) -> bool {
        let widest = self.roots.iter().fold(0.0, |a: f64, &b| a.max(b));
        let narrowest = self.roots.iter().fold(f64::INFINITY, |a, &b| a.min(b));
        let is_sound = self.sigma * widest > 1e-9 && narrowest > 1e-7 * widest;
        !is_sound
    }
}

fn length(vector: &[f64]) -> f64 {
    vector.iter().map(|x| x * x).sum::<f64>().sqrt()
}
