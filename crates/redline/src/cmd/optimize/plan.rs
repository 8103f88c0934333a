//! From the options: the points to try, and the study to keep them in.

use anyhow::{Result, bail};
use backtest::statistics::Stat;
use optimizer::sampler::{Sampler, SamplerKind, Shard, Sharded};
use optimizer::study::{Header, Journal, Resumed, fingerprint_text};
use optimizer::{Axis, MAX_POINTS, Member, ParamSpace};

use super::inputs::Inputs;
use super::{OptimizeArgs, SearchArgs};

const DEFAULT_TRIALS: u64 = 100;

pub(super) fn axes(given: &[(String, String)]) -> Result<Vec<Axis>> {
    given.iter().map(|(name, values)| Ok(Axis::parse(name, values)?)).collect()
}

/// Which points are tried.
pub(super) struct Plan<'a> {
    pub(super) sampler: Box<dyn Sampler + 'a>,
    /// Trials of the whole search.
    pub(super) trials: u64,
    /// Of them, those of this shard.
    pub(super) of_shard: u64,
    /// Points of the grid that the condition or the strategy refuse.
    pub(super) left_out: u64,
}

impl<'a> Plan<'a> {
    pub(super) fn new(args: &SearchArgs, space: &'a ParamSpace<'a>) -> Result<Self> {
        if args.sampler == SamplerKind::Grid && args.trials.is_some() {
            bail!("--trials: a grid tries all of its points; choose another --sampler for some");
        }
        let limit = if args.yes { u64::MAX } else { MAX_POINTS };
        let trials = args.trials.unwrap_or(DEFAULT_TRIALS);
        let (inner, trials) = args.sampler.build(space, trials, args.seed, limit)?;
        let shard = args.shard.unwrap_or(Shard::WHOLE);
        let sampler = Box::new(Sharded::new(inner, shard, trials)?);
        let is_grid = args.sampler == SamplerKind::Grid;
        let left_out = if is_grid { space.grid_len()? - trials } else { 0 };
        Ok(Self { sampler, trials, of_shard: shard.share_of(trials), left_out })
    }
}

/// Of what the study is.
pub(super) struct Study<'a> {
    pub(super) strategy_name: &'a str,
    pub(super) space: &'a ParamSpace<'a>,
    pub(super) objective: Stat,
    pub(super) trials: u64,
}

impl Study<'_> {
    /// Opens the journal, where one is wanted, and says on standard error what it held.
    pub(super) fn open(
        &self,
        args: &OptimizeArgs,
        inputs: &Inputs<'_>,
        members: &[Member<'_>],
    ) -> Result<Option<Journal>> {
        let SearchArgs { study, sampler, seed, shard, .. } = &args.search;
        let Some(path) = study else { return Ok(None) };
        let header = Header {
            schema: Header::schema(),
            version: Header::version(),
            data: inputs.sources(members),
            strategy: strategy_identity(self.strategy_name),
            parameters: self.space.names().to_vec(),
            space: self.space.to_string(),
            orders: fingerprint_text(&format!("{:?}", args.orders)),
            objective: self.objective.name().to_owned(),
            aggregate: args.inputs.aggregate.to_string(),
            sampler: sampler.to_string(),
            seed: *seed,
            trials: self.trials,
            shard: shard.unwrap_or(Shard::WHOLE).to_string(),
            statistics: Header::statistics(),
        };
        let (journal, Resumed { trials, cut_bytes }) = Journal::open(path, &header)?;
        let path = path.display();
        if cut_bytes > 0 {
            eprintln!(
                "redline: {path}: dropped a record that was cut in its middle ({cut_bytes} bytes)"
            );
        }
        if trials > 0 || cut_bytes > 0 {
            eprintln!("redline: {path}: resuming after {trials} whole records");
        }
        Ok(Some(journal))
    }
}

/// A strategy in a file is its text, wherever it lies.
fn strategy_identity(name: &str) -> String {
    match std::fs::read_to_string(name) {
        Ok(text) => format!("file {}", fingerprint_text(&text)),
        Err(_) => name.to_owned(),
    }
}
