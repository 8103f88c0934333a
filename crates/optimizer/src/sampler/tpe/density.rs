//! A density along one axis of the unit cube.

use statrs::distribution::{ContinuousCDF, Normal};

use super::super::rng::Rng;
use crate::space::Domain;

/// Kernels are never narrower than the interval over this, so that a cluster of points does not
/// become a trap.
const MAX_KERNELS_ACROSS: f64 = 100.0;

/// Of points along an axis.
pub(super) enum Density {
    /// A normal per point and one in the middle, cut to the unit interval.
    Parzen { kernels: Vec<Kernel>, log_mass: f64 },
    /// The share of each value of a choice.
    Choice { shares: Vec<f64> },
}

/// A normal, as wide as its farther neighbour is away.
pub(super) struct Kernel {
    mean: f64,
    width: f64,
}

impl Density {
    /// Of coordinates along an axis of `domain`. O(points log points).
    pub(super) fn new(domain: &Domain, points: impl Iterator<Item = f64>) -> Self {
        match domain {
            Domain::Choice(values) => Self::choice(values.len(), points),
            _ => Self::parzen(points),
        }
    }

    fn choice(values: usize, points: impl Iterator<Item = f64>) -> Self {
        let mut counts = vec![1.0; values];
        for point in points {
            counts[place(point, values)] += 1.0;
        }
        let sum: f64 = counts.iter().sum();
        Self::Choice { shares: counts.iter().map(|count| count / sum).collect() }
    }

    fn parzen(points: impl Iterator<Item = f64>) -> Self {
        let mut means: Vec<f64> = points.chain([0.5]).collect();
        means.sort_by(f64::total_cmp);
        let n = means.len();
        let narrowest = 1.0 / (n as f64).min(MAX_KERNELS_ACROSS);
        let kernel = |at: usize| {
            let before = if at > 0 { means[at - 1] } else { 0.0 };
            let after = means.get(at + 1).copied().unwrap_or(1.0);
            // At either end the neighbour counts, not the edge, which is nobody's neighbour.
            let gap = match at {
                0 if n > 1 => after - means[at],
                last if last + 1 == n && n > 1 => means[at] - before,
                _ => (means[at] - before).max(after - means[at]),
            };
            Kernel { mean: means[at], width: gap.clamp(narrowest, 1.0) }
        };
        let kernels: Vec<Kernel> = (0..n).map(kernel).collect();
        let normal = Normal::standard();
        let inside =
            |k: &Kernel| normal.cdf((1.0 - k.mean) / k.width) - normal.cdf(-k.mean / k.width);
        let log_mass = kernels.iter().map(inside).sum::<f64>().ln();
        Self::Parzen { kernels, log_mass }
    }

    /// A coordinate from 0 to 1.
    pub(super) fn draw(&self, rng: &mut Rng) -> f64 {
        match self {
            Self::Choice { shares } => {
                let mut left = rng.uniform();
                let at = shares.iter().position(|share| {
                    left -= share;
                    left < 0.0
                });
                (at.unwrap_or(0) as f64 + 0.5) / shares.len() as f64
            }
            Self::Parzen { kernels, .. } => loop {
                // A kernel's mean is inside, so that at least every third draw is.
                let kernel = &kernels[(rng.uniform() * kernels.len() as f64) as usize];
                let draw = kernel.mean + kernel.width * rng.normal();
                if (0.0..=1.0).contains(&draw) {
                    return draw;
                }
            },
        }
    }

    /// Logarithm of the density at `unit`. O(points).
    pub(super) fn log_at(&self, unit: f64) -> f64 {
        match self {
            Self::Choice { shares } => {
                (shares[place(unit, shares.len())] * shares.len() as f64).ln()
            }
            Self::Parzen { kernels, log_mass } => {
                let kernel = |k: &Kernel| {
                    let z = (unit - k.mean) / k.width;
                    (-0.5 * z * z).exp() / k.width
                };
                let sum: f64 = kernels.iter().map(kernel).sum();
                sum.ln() - std::f64::consts::TAU.sqrt().ln() - log_mass
            }
        }
    }
}

fn place(unit: f64, values: usize) -> usize {
    ((unit * values as f64) as usize).min(values - 1)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Axis;

    #[test]
    fn they_are_densities_and_draws_follow_them() {
        for text in ["0:1", "5,6,7"] {
            let domain = Axis::parse("a", text).unwrap().domain;
            let density = Density::new(&domain, [0.02, 0.45, 0.46, 0.47, 0.9].into_iter());
            let n = 30_000;
            let at = |i: i32| density.log_at((f64::from(i) + 0.5) / f64::from(n)).exp();
            let mass = (0..n).map(at).sum::<f64>() / f64::from(n);
            assert!((mass - 1.0).abs() < 1e-6, "{text}: {mass}");
            let middle = (n / 3..n * 2 / 3).map(at).sum::<f64>() / f64::from(n);
            let mut rng = Rng::new(1);
            let is_middle = |draw: f64| (1.0 / 3.0..2.0 / 3.0).contains(&draw);
            let draws = (0..n).filter(|_| is_middle(density.draw(&mut rng))).count();
            let share = draws as f64 / f64::from(n);
            assert!((share - middle).abs() < 0.01, "{text}: {share} {middle}");
        }
    }
}
