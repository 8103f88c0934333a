//! Samplers by name.

use std::fmt;
use std::str::FromStr;

use super::{CmaEs, Grid, Halving, Random, Sampler, Sobol, Tpe};
use crate::{OptimizerError, ParamSpace};

/// A sampler's name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SamplerKind {
    /// [`Grid`].
    Grid,
    /// [`Random`].
    Random,
    /// [`Sobol`].
    Sobol,
    /// [`Tpe`].
    Tpe,
    /// [`CmaEs`].
    CmaEs,
    /// [`Halving::successive`].
    Halving,
    /// [`Halving::hyperband`].
    Hyperband,
}

impl SamplerKind {
    /// Every sampler.
    pub const ALL: [Self; 7] = [
        Self::Grid,
        Self::Random,
        Self::Sobol,
        Self::Tpe,
        Self::CmaEs,
        Self::Halving,
        Self::Hyperband,
    ];

    /// Name in options and documents.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Grid => "grid",
            Self::Random => "random",
            Self::Sobol => "sobol",
            Self::Tpe => "tpe",
            Self::CmaEs => "cma-es",
            Self::Halving => "halving",
            Self::Hyperband => "hyperband",
        }
    }

    /// Whether its points depend on the scores of earlier ones: such a search has no shards.
    #[must_use]
    pub const fn is_adaptive(self) -> bool {
        !matches!(self, Self::Grid | Self::Random | Self::Sobol)
    }

    /// The sampler over `space`, and how many trials it makes: those of the grid (up to `limit`
    /// points) or `trials`, and for halving those on all shares of the bars that `trials` points
    /// lead to.
    ///
    /// # Errors
    /// [`OptimizerError`] for a space that the sampler cannot search.
    pub fn build<'a>(
        self,
        space: &'a ParamSpace<'a>,
        trials: u64,
        seed: u64,
        limit: u64,
    ) -> Result<(Box<dyn Sampler + 'a>, u64), OptimizerError> {
        let points = usize::try_from(trials).unwrap_or(usize::MAX);
        Ok(match self {
            Self::Grid => {
                let mut grid = Grid::new(space, limit)?;
                let count = grid.count();
                if count == 0 {
                    grid.ask(1)?;
                }
                (Box::new(grid), count)
            }
            Self::Random => (Box::new(Random::new(space, seed)), trials),
            Self::Sobol => (Box::new(Sobol::new(space, seed)), trials),
            Self::Tpe => (Box::new(Tpe::new(space, seed)), trials),
            Self::CmaEs => (Box::new(CmaEs::new(space, seed)), trials),
            Self::Halving => counted(Halving::successive(space, points, seed)),
            Self::Hyperband => counted(Halving::hyperband(space, points, seed)),
        })
    }
}

fn counted(halving: Halving<'_>) -> (Box<dyn Sampler + '_>, u64) {
    let trials = halving.trials();
    (Box::new(halving), trials)
}

impl fmt::Display for SamplerKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl FromStr for SamplerKind {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        Self::ALL.into_iter().find(|kind| kind.name() == text).ok_or_else(|| {
            let known = Self::ALL.map(Self::name);
            format!("'{text}' is none of {}", crate::nearest(text, &known))
        })
    }
}
