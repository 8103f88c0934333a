//! A sampler's points, tried on every member, scored, and kept in a journal.

use std::collections::HashMap;
use std::time::{Duration, Instant};

use backtest::statistics::Stat;

use crate::panel::{Member, Rule};
use crate::sampler::Sampler;
use crate::study::{Journal, Row};
use crate::{Evaluation, OptimizerError, Trial};

/// What to try points on, and what is best.
pub struct Search<'a> {
    /// Symbols and periods; at least one.
    pub members: &'a [Member<'a>],
    /// How their objectives become one score.
    pub rule: Rule,
    /// The statistic that is searched for.
    pub objective: Stat,
    /// Trials to make; the sampler may have fewer.
    pub trials: u64,
}

/// How far a search is.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Tick {
    /// Finished trials.
    pub done: u64,
    /// Of how many.
    pub of: u64,
    /// The best score so far, in the objective's own sense; a rank is known only at the end.
    pub best: Option<f64>,
}

/// All trials of a search, in the order of the sampler's points.
#[derive(Debug, Clone, Default)]
pub struct Found {
    /// Of each member: one trial per point.
    pub trials: Vec<Vec<Trial>>,
    /// The share of the bars that each point saw.
    pub shares: Vec<f64>,
    /// The score of each point: the objective by the rule, in the objective's own sense, or the
    /// mean rank; NaN where it is undefined.
    pub scores: Vec<f64>,
    /// The first of the best points that saw all bars; `None` where all are undefined.
    pub best: Option<usize>,
    /// Trials that came from the journal.
    pub resumed: u64,
    /// Time spent on features.
    pub features_ns: u64,
    /// Time spent on trials.
    pub search_ns: u64,
}

/// Points of the first batch, where the sampler leaves it open.
const FIRST_BATCH: usize = 1024;
/// A batch should take about this long: what a kill may lose, and so long that the features, which
/// every batch computes anew, are a small part of it.
const BATCH_TIME: Duration = Duration::from_secs(5);
/// Bounds the memory of a batch: some 40 kB a trial while it runs, 3 kB for its journal's text.
const MAX_BATCH: usize = 1 << 13;

impl Search<'_> {
    /// Tries the points of `sampler`. What `journal` holds already is not tried again, and what
    /// is tried is appended to it. The outcome does not depend on the number of threads, nor on
    /// how often the search was interrupted.
    ///
    /// # Errors
    /// [`OptimizerError`] for what the sampler, the evaluation or the journal refuse;
    /// [`OptimizerError::RankOfSome`] for ranks and a sampler that learns from scores.
    pub fn run(
        &self,
        sampler: &mut dyn Sampler,
        mut journal: Option<&mut Journal>,
        progress: &(dyn Fn(Tick) + Sync),
    ) -> Result<Found, OptimizerError> {
        if self.rule == Rule::Rank && sampler.batch().is_some() {
            return Err(OptimizerError::RankOfSome);
        }
        let mut run = Run::new(self, progress);
        let mut pace = FIRST_BATCH;
        while run.done() < self.trials {
            let left = usize::try_from(self.trials - run.done()).unwrap_or(usize::MAX);
            let points = sampler.ask(sampler.batch().unwrap_or(pace).min(left))?;
            if points.is_empty() {
                break;
            }
            let started = Instant::now();
            let is_memo = sampler.batch().is_some();
            run.batch(&points, sampler.share(), is_memo, journal.as_deref_mut())?;
            pace = next_pace(pace, started.elapsed());
            let scores = run.scores_of_last(points.len());
            sampler.tell(&points.into_iter().zip(scores).collect::<Vec<_>>());
        }
        Ok(run.finish())
    }

    fn scoring(&self) -> Scoring {
        Scoring { rule: self.rule, objective: self.objective }
    }
}

impl Found {
    /// The trials of `rows`, which a study kept, scored as [`Search::run`] does.
    #[must_use]
    pub fn of_rows(rows: Vec<Row>, rule: Rule, objective: Stat) -> Self {
        let members = rows.first().map_or(0, |row| row.trials.len());
        let resumed = rows.len() as u64;
        let mut found = Self { trials: vec![Vec::new(); members], resumed, ..Self::default() };
        rows.into_iter().for_each(|row| found.push(row));
        found.score(Scoring { rule, objective });
        found
    }

    fn push(&mut self, row: Row) {
        self.shares.push(row.share);
        for (trials, trial) in self.trials.iter_mut().zip(row.trials) {
            trials.push(trial);
        }
    }

    fn score(&mut self, scoring: Scoring) {
        let scores = scoring.of_last(&self.trials, self.shares.len());
        let mut best: Option<(usize, f64)> = None;
        for (at, &score) in scores.iter().enumerate() {
            let is_whole = self.shares[at] == 1.0 && !score.is_nan();
            if is_whole && best.is_none_or(|(_, highest)| score > highest) {
                best = Some((at, score));
            }
        }
        self.best = best.map(|(at, _)| at);
        // Ranks were negated so that higher is better.
        let sign = if scoring.rule == Rule::Rank { -1.0 } else { scoring.sign() };
        self.scores = scores.into_iter().map(|score| sign * score).collect();
    }
}

/// How trials become scores.
#[derive(Debug, Clone, Copy)]
struct Scoring {
    rule: Rule,
    objective: Stat,
}

impl Scoring {
    fn sign(self) -> f64 {
        if self.objective.is_lower_better() { -1.0 } else { 1.0 }
    }

    /// Scores of the last `n` points, higher being better; ranks are those among these points.
    fn of_last(self, trials: &[Vec<Trial>], n: usize) -> Vec<f64> {
        let sign = self.sign();
        let score = |trial: &Trial| sign * trial.statistics.get(self.objective).unwrap_or(f64::NAN);
        let of_member =
            |trials: &Vec<Trial>| trials[trials.len() - n..].iter().map(score).collect();
        let members: Vec<Vec<f64>> = trials.iter().map(of_member).collect();
        self.rule.scores(&members)
    }
}

/// Points of the next batch after one of `pace` points took `elapsed`.
fn next_pace(pace: usize, elapsed: Duration) -> usize {
    let fitting = BATCH_TIME.as_secs_f64() / elapsed.as_secs_f64().max(1e-6);
    ((pace as f64 * fitting.clamp(0.25, 4.0)) as usize).clamp(64, MAX_BATCH)
}

struct Run<'a> {
    search: &'a Search<'a>,
    progress: &'a (dyn Fn(Tick) + Sync),
    found: Found,
    best: Option<f64>,
    /// Points that were tried before, where a sampler may ask for one again.
    seen: HashMap<Vec<u64>, usize>,
}

impl<'a> Run<'a> {
    fn new(search: &'a Search<'a>, progress: &'a (dyn Fn(Tick) + Sync)) -> Self {
        let trials = vec![Vec::new(); search.members.len()];
        let found = Found { trials, ..Found::default() };
        Self { search, progress, found, best: None, seen: HashMap::new() }
    }

    fn done(&self) -> u64 {
        self.found.shares.len() as u64
    }

    /// Adds the trials of `points`, from the journal or by evaluation.
    fn batch(
        &mut self,
        points: &[Vec<f64>],
        share: f64,
        is_memo: bool,
        mut journal: Option<&mut Journal>,
    ) -> Result<(), OptimizerError> {
        let known = match &mut journal {
            Some(journal) => journal.take(points, share)?,
            None => Vec::new(),
        };
        let fresh = &points[known.len()..];
        self.found.resumed += known.len() as u64;
        self.push(known);
        if !fresh.is_empty() {
            let rows = self.evaluate(fresh, share, is_memo)?;
            if let Some(journal) = &mut journal {
                journal.append(&rows)?;
            }
            self.push(rows);
        }
        if is_memo {
            let first = self.found.shares.len() - points.len();
            for (at, point) in points.iter().enumerate() {
                self.seen.entry(key(point, share)).or_insert(first + at);
            }
        }
        (self.progress)(Tick { done: self.done(), of: self.search.trials, best: self.best });
        Ok(())
    }

    /// One row per point; each distinct point that was not tried before is tried once.
    fn evaluate(
        &mut self,
        points: &[Vec<f64>],
        share: f64,
        is_memo: bool,
    ) -> Result<Vec<Row>, OptimizerError> {
        if !is_memo {
            return self.evaluate_all(points, share);
        }
        let mut new: Vec<Vec<f64>> = Vec::new();
        let mut places: HashMap<Vec<u64>, usize> = HashMap::new();
        for point in points {
            let key = key(point, share);
            if !self.seen.contains_key(&key) && !places.contains_key(&key) {
                places.insert(key, new.len());
                new.push(point.clone());
            }
        }
        let rows = if new.is_empty() { Vec::new() } else { self.evaluate_all(&new, share)? };
        let row = |point: &Vec<f64>| {
            let key = key(point, share);
            self.seen.get(&key).map_or_else(|| rows[places[&key]].clone(), |&at| self.row(at))
        };
        Ok(points.iter().map(row).collect())
    }

    fn evaluate_all(
        &mut self,
        points: &[Vec<f64>],
        share: f64,
    ) -> Result<Vec<Row>, OptimizerError> {
        let members = self.search.members;
        let mut rows = vec![Row { share, trials: Vec::with_capacity(members.len()) }; points.len()];
        let (before, of, best) = (self.done(), self.search.trials, self.best);
        for (earlier, member) in members.iter().enumerate() {
            let tick = |done: usize, _: usize| {
                let done = before + ((earlier * points.len() + done) / members.len()) as u64;
                (self.progress)(Tick { done, of, best });
            };
            let Evaluation { trials, features_ns, search_ns } =
                member.evaluate.evaluate(points, member.last(share), &tick)?;
            self.found.features_ns += features_ns;
            self.found.search_ns += search_ns;
            rows.iter_mut().zip(trials).for_each(|(row, trial)| row.trials.push(trial));
        }
        Ok(rows.into_iter().map(Row::canonical).collect())
    }

    fn row(&self, at: usize) -> Row {
        let trials = self.found.trials.iter().map(|trials| trials[at].clone()).collect();
        Row { share: self.found.shares[at], trials }
    }

    fn push(&mut self, rows: Vec<Row>) {
        let (first, added) = (self.found.shares.len(), rows.len());
        rows.into_iter().for_each(|row| self.found.push(row));
        if self.search.rule == Rule::Rank {
            return;
        }
        let sign = self.search.scoring().sign();
        let scores = self.scores_of_last(added);
        for (score, share) in scores.into_iter().zip(&self.found.shares[first..]) {
            let is_better = self.best.is_none_or(|best| score > sign * best);
            if *share == 1.0 && !score.is_nan() && is_better {
                self.best = Some(sign * score);
            }
        }
    }

    fn scores_of_last(&self, n: usize) -> Vec<f64> {
        self.search.scoring().of_last(&self.found.trials, n)
    }

    fn finish(mut self) -> Found {
        self.found.score(self.search.scoring());
        self.found
    }
}

fn key(point: &[f64], share: f64) -> Vec<u64> {
    point.iter().chain([&share]).map(|value| value.to_bits()).collect()
}

#[cfg(test)]
mod tests;
