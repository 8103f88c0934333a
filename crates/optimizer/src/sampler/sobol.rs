//! Even coverage: a scrambled Sobol sequence.
//!
//! The points are those of `sobol_burley`: Owen-scrambled, seeded, without dependencies. It has
//! 2^16 points of 24 bits in 256 dimensions; beyond either, another seed begins another sequence,
//! independent of the first.

use sobol_burley::{NUM_DIMENSIONS, sample};

use super::{Sampler, first_permitted};
use crate::{OptimizerError, ParamSpace};

const BLOCK: u64 = 1 << 16;

/// The permitted ones of a scrambled Sobol sequence.
pub struct Sobol<'a> {
    space: &'a ParamSpace<'a>,
    seed: u64,
    next: u64,
}

impl<'a> Sobol<'a> {
    /// Points of `space`, scrambled by `seed`.
    #[must_use]
    pub fn new(space: &'a ParamSpace<'a>, seed: u64) -> Self {
        Self { space, seed, next: 0 }
    }

    pub(super) fn draw(&mut self) -> Result<Vec<f64>, OptimizerError> {
        let Self { space, seed, next } = self;
        first_permitted(space, "Sobol", || {
            let unit = point(*next, *seed, space.axes().len());
            *next += 1;
            space.point_at(&unit)
        })
    }
}

impl Sampler for Sobol<'_> {
    fn ask(&mut self, n: usize) -> Result<Vec<Vec<f64>>, OptimizerError> {
        (0..n).map(|_| self.draw()).collect()
    }

    fn tell(&mut self, _told: &[(Vec<f64>, f64)]) {}
}

/// Point `index` of the sequence of `seed` in the unit cube.
fn point(index: u64, seed: u64, dimensions: usize) -> Vec<f64> {
    let coordinate = |dimension: usize| {
        let dimension = dimension as u32;
        let sequence = mix(seed ^ mix(index / BLOCK) ^ u64::from(dimension / NUM_DIMENSIONS));
        f64::from(sample((index % BLOCK) as u32, dimension % NUM_DIMENSIONS, sequence as u32))
    };
    (0..dimensions).map(coordinate).collect()
}

/// Spreads near numbers over all bits: the finaliser of SplitMix64.
fn mix(mut bits: u64) -> u64 {
    bits = (bits ^ bits >> 30).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    bits = (bits ^ bits >> 27).wrapping_mul(0x94d0_49bb_1331_11eb);
    bits ^ bits >> 31
}

#[cfg(test)]
mod tests {
    use super::super::rng::Rng;
    use super::*;

    /// Centred L2 discrepancy, Hickernell, "A generalized discrepancy and quadrature error bound"
    /// (1998), equation 5.1c. O(n^2).
    fn discrepancy(points: &[Vec<f64>]) -> f64 {
        let n = points.len() as f64;
        let dimensions = points[0].len() as i32;
        let off = |x: f64| (x - 0.5).abs();
        let single: f64 = points
            .iter()
            .map(|p| p.iter().map(|&x| 1.0 + 0.5 * off(x) - 0.5 * off(x).powi(2)).product::<f64>())
            .sum();
        let pair = |(a, b): (&f64, &f64)| 1.0 + 0.5 * (off(*a) + off(*b) - (a - b).abs());
        let double: f64 = points
            .iter()
            .flat_map(|p| points.iter().map(move |q| p.iter().zip(q).map(pair).product::<f64>()))
            .sum();
        ((13.0_f64 / 12.0).powi(dimensions) - 2.0 / n * single + double / n / n).sqrt()
    }

    #[test]
    fn its_discrepancy_is_far_below_that_of_random_points() {
        for seed in 0..5 {
            let sobol: Vec<_> = (0..512).map(|at| point(at, seed, 4)).collect();
            let mut rng = Rng::new(seed);
            let random: Vec<_> = (0..512).map(|_| rng.unit(4)).collect();
            let (sobol, random) = (discrepancy(&sobol), discrepancy(&random));
            assert!(sobol * 4.0 < random, "seed {seed}: {sobol} against {random}");
        }
    }

    #[test]
    fn seeds_and_blocks_differ_and_repeat() {
        assert_eq!(point(3, 1, 300), point(3, 1, 300));
        assert_ne!(point(3, 1, 2), point(3, 2, 2));
        assert_ne!(point(3, 1, 2), point(3 + BLOCK, 1, 2));
        let wide = point(3, 1, 300);
        assert_ne!(wide[0], wide[256], "more dimensions than the sequence has do not repeat it");
    }
}
