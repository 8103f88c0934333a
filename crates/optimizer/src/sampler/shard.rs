//! A slice of the points, for one of several machines.

use super::Sampler;
use crate::OptimizerError;

/// Shard `index` of `of`, counted from 1: it has the points whose place, from 0, leaves the
/// remainder `index - 1`, so that neighbours, which cost alike, are spread over all shards.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Shard {
    /// Which, from 1.
    pub index: u64,
    /// Of how many.
    pub of: u64,
}

impl Shard {
    /// All points.
    pub const WHOLE: Self = Self { index: 1, of: 1 };

    /// How many of `points` points it has.
    #[must_use]
    pub const fn share_of(self, points: u64) -> u64 {
        (points + self.of - self.index) / self.of
    }
}

impl std::fmt::Display for Shard {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}/{}", self.index, self.of)
    }
}

impl std::str::FromStr for Shard {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let read = || {
            let (index, of) = text.split_once('/')?;
            Some(Self { index: index.parse().ok()?, of: of.parse().ok()? })
        };
        match read() {
            Some(shard) if (1..=shard.of).contains(&shard.index) => Ok(shard),
            _ => Err(format!("'{text}' is not I/N with I from 1 to N, such as 2/8")),
        }
    }
}

/// The points of `inner` that a shard has. Only for samplers that need no scores.
pub struct Sharded<'a> {
    inner: Box<dyn Sampler + 'a>,
    shard: Shard,
    passed: u64,
    /// Points of the unsharded sampler; it may have fewer.
    limit: u64,
}

impl<'a> Sharded<'a> {
    /// `shard` of the first `limit` points of `inner`.
    ///
    /// # Errors
    /// [`OptimizerError::NoShards`] for a sampler that needs scores: its points depend on those
    /// of all other shards.
    pub fn new(
        inner: Box<dyn Sampler + 'a>,
        shard: Shard,
        limit: u64,
    ) -> Result<Self, OptimizerError> {
        if inner.batch().is_some() && shard != Shard::WHOLE {
            return Err(OptimizerError::NoShards);
        }
        Ok(Self { inner, shard, passed: 0, limit })
    }
}

impl Sampler for Sharded<'_> {
    fn ask(&mut self, n: usize) -> Result<Vec<Vec<f64>>, OptimizerError> {
        if self.shard == Shard::WHOLE {
            let left = usize::try_from(self.limit - self.passed).unwrap_or(usize::MAX);
            let points = self.inner.ask(n.min(left))?;
            self.passed += points.len() as u64;
            return Ok(points);
        }
        let mut kept = Vec::new();
        while kept.len() < n && self.passed < self.limit {
            let Some(point) = self.inner.ask(1)?.pop() else { break };
            if self.passed % self.shard.of == self.shard.index - 1 {
                kept.push(point);
            }
            self.passed += 1;
        }
        Ok(kept)
    }

    fn tell(&mut self, told: &[(Vec<f64>, f64)]) {
        self.inner.tell(told);
    }

    fn batch(&self) -> Option<usize> {
        self.inner.batch()
    }

    fn share(&self) -> f64 {
        self.inner.share()
    }
}

#[cfg(test)]
mod tests {
    use super::super::{Grid, Random, Tpe};
    use super::*;
    use crate::{Axis, ParamSpace};

    #[test]
    fn shards_are_read() {
        assert_eq!("2/8".parse(), Ok(Shard { index: 2, of: 8 }));
        for text in ["0/8", "9/8", "1", "a/b", "1/0", ""] {
            assert!(text.parse::<Shard>().unwrap_err().contains("such as 2/8"));
        }
    }

    #[test]
    fn shards_part_the_points() {
        let axes = ["a", "b"].map(|name| Axis::parse(name, "1:7:1").unwrap()).to_vec();
        let space = ParamSpace::new(axes, Some("a < b")).unwrap();
        let make = |is_grid: bool| -> Box<dyn Sampler + '_> {
            if is_grid {
                Box::new(Grid::new(&space, 100).unwrap())
            } else {
                Box::new(Random::new(&space, 3))
            }
        };
        for is_grid in [true, false] {
            let all = Sharded::new(make(is_grid), Shard::WHOLE, 17).unwrap().ask(99).unwrap();
            assert_eq!(all.len(), 17);
            for index in 1..=3 {
                let shard = Shard { index, of: 3 };
                let part = Sharded::new(make(is_grid), shard, 17).unwrap().ask(99).unwrap();
                let expected: Vec<_> =
                    all.iter().skip(index as usize - 1).step_by(3).cloned().collect();
                assert_eq!(part, expected);
                assert_eq!(part.len() as u64, shard.share_of(17));
            }
        }
        let tpe = Box::new(Tpe::new(&space, 1));
        assert!(Sharded::new(tpe, Shard { index: 1, of: 2 }, 9).is_err());
    }
}
