//! Random numbers whose sequence is part of a study.
//!
//! xoshiro256++ of `rand_xoshiro`: its output is fixed by its definition, where a general
//! generator such as `rand`'s `StdRng` may change between versions.

use rand_xoshiro::Xoshiro256PlusPlus;
use rand_xoshiro::rand_core::{Rng as _, SeedableRng};
use statrs::distribution::{ContinuousCDF, Normal};

/// A seeded generator.
pub(crate) struct Rng(Xoshiro256PlusPlus);

impl Rng {
    pub(crate) fn new(seed: u64) -> Self {
        Self(Xoshiro256PlusPlus::seed_from_u64(seed))
    }

    /// From 0 (included) to 1 (excluded), 53 bits.
    pub(crate) fn uniform(&mut self) -> f64 {
        (self.0.next_u64() >> 11) as f64 / (1_u64 << 53) as f64
    }

    /// Standard normal, by inversion: one draw a number.
    pub(crate) fn normal(&mut self) -> f64 {
        let half_step = 0.5 / (1_u64 << 53) as f64;
        Normal::standard().inverse_cdf(self.uniform() + half_step)
    }

    /// A point of the unit cube.
    pub(crate) fn unit(&mut self, dimensions: usize) -> Vec<f64> {
        (0..dimensions).map(|_| self.uniform()).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn moments_are_those_of_the_distributions() {
        let mut rng = Rng::new(7);
        let n = 20_000;
        let mean = (0..n).map(|_| rng.uniform()).sum::<f64>() / f64::from(n);
        assert!((mean - 0.5).abs() < 0.01, "{mean}");
        let normals: Vec<f64> = (0..n).map(|_| rng.normal()).collect();
        let mean = normals.iter().sum::<f64>() / f64::from(n);
        let variance = normals.iter().map(|x| x * x).sum::<f64>() / f64::from(n);
        assert!(mean.abs() < 0.03 && (variance - 1.0).abs() < 0.05, "{mean} {variance}");
    }
}
