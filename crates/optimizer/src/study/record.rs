//! A trial as a line of a journal.

use backtest::statistics::{Moments, Stat, StatSet, Statistics};
use serde::{Deserialize, Serialize};

use crate::Trial;

/// One point and what it came to on each symbol or period.
#[derive(Debug, Clone, PartialEq)]
pub struct Row {
    /// The share of the bars that it saw.
    pub share: f64,
    /// One trial per member, all of the same values.
    pub trials: Vec<Trial>,
}

impl Row {
    /// A value per parameter.
    #[must_use]
    pub fn values(&self) -> &[f64] {
        self.trials.first().map_or(&[], |trial| &trial.values)
    }

    /// What is not finite as NaN, which is all that a record keeps of it: so that a trial is the
    /// same whether it comes from a journal or not.
    pub(crate) fn canonical(mut self) -> Self {
        let moments = self.trials.iter_mut().flat_map(|trial| trial.segments.iter_mut());
        for number in moments.flat_map(|m| [&mut m.sum, &mut m.sum_squares]) {
            if !number.is_finite() {
                *number = f64::NAN;
            }
        }
        self
    }
}

/// What is not finite is `null`.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Record {
    /// Place of the trial, from 0.
    pub(super) trial: u64,
    values: Vec<f64>,
    share: f64,
    results: Vec<Outcome>,
}

#[derive(Debug, Serialize, Deserialize)]
struct Outcome {
    statistics: Vec<Option<f64>>,
    /// Count, sum and sum of squares.
    segments: Vec<(usize, Option<f64>, Option<f64>)>,
}

impl Record {
    pub(super) fn of(trial: u64, row: &Row) -> Self {
        Self {
            trial,
            values: row.values().to_vec(),
            share: row.share,
            results: row.trials.iter().map(Outcome::of).collect(),
        }
    }

    pub(super) fn into_row(self) -> Row {
        let Self { values, share, results, .. } = self;
        let trials = results.into_iter().map(|outcome| outcome.into_trial(&values)).collect();
        Row { share, trials }
    }
}

impl Outcome {
    fn of(trial: &Trial) -> Self {
        let finite = |value: f64| Some(value).filter(|value| value.is_finite());
        let segment = |m: &Moments| (m.count, finite(m.sum), finite(m.sum_squares));
        Self {
            statistics: StatSet::streaming().iter().map(|s| trial.statistics.get(s)).collect(),
            segments: trial.segments.iter().map(segment).collect(),
        }
    }

    fn into_trial(self, values: &[f64]) -> Trial {
        let number = |value: Option<f64>| value.unwrap_or(f64::NAN);
        let moments = |(count, sum, sum_squares)| Moments {
            count,
            sum: number(sum),
            sum_squares: number(sum_squares),
        };
        let place = |stat: Stat| StatSet::streaming().iter().position(|known| known == stat);
        let statistics = Statistics::from_fn(|stat| *self.statistics.get(place(stat)?)?);
        Trial {
            values: values.to_vec(),
            statistics,
            segments: self.segments.into_iter().map(moments).collect(),
        }
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;

    /// Doubles that decimal forms are apt to lose.
    const HARD: [f64; 8] = [
        0.1,
        -0.0,
        f64::MIN_POSITIVE,
        5e-324,
        f64::MAX,
        1.0 / 3.0,
        9_007_199_254_740_993.0,
        2.225_073_858_507_201e-308,
    ];

    pub(crate) fn row(seed: u64) -> Row {
        let number = |at: u64| HARD[((seed + at) % 8) as usize] / (1.0 + seed as f64 / 7.0);
        let trial = Trial {
            values: vec![seed as f64, number(1)],
            statistics: Statistics::from_fn(|stat| {
                let is_known = StatSet::streaming().contains(stat) && stat as u64 % 5 != seed % 5;
                is_known.then(|| number(stat as u64)).filter(|value| value.is_finite())
            }),
            segments: (0..3)
                .map(|at| Moments { count: 4, sum: number(at), sum_squares: f64::NAN })
                .collect(),
        };
        Row { share: 1.0, trials: vec![trial] }.canonical()
    }

    pub(crate) fn bits(row: &Row) -> Vec<u64> {
        let of_trial = |trial: &Trial| {
            let statistics = Stat::ALL.iter().map(|s| trial.statistics.get(*s).map(f64::to_bits));
            let moments = trial.segments.iter().flat_map(|m| [m.sum, m.sum_squares]);
            let values = trial.values.iter().copied().chain(moments).map(f64::to_bits);
            values.chain(statistics.map(|bits| bits.unwrap_or(1))).collect::<Vec<_>>()
        };
        row.trials.iter().flat_map(of_trial).chain([row.share.to_bits()]).collect()
    }

    #[test]
    fn every_bit_reads_back() {
        for seed in 0..50 {
            let row = row(seed);
            let line = serde_json::to_string(&Record::of(seed, &row)).unwrap();
            let again: Record = serde_json::from_str(&line).unwrap();
            assert_eq!(again.trial, seed);
            assert_eq!(bits(&again.into_row()), bits(&row), "{line}");
        }
    }
}
