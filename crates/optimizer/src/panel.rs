//! Several symbols or periods at once: each point is tried on every one of them, and a rule makes
//! one score of their objectives.

use std::fmt;
use std::ops::Range;
use std::str::FromStr;

use crate::Evaluate;

/// One symbol or period.
#[derive(Clone)]
pub struct Member<'a> {
    /// Name in columns and documents.
    pub name: String,
    /// Its bars.
    pub evaluate: &'a dyn Evaluate,
    /// Those of them that count.
    pub range: Range<usize>,
}

impl Member<'_> {
    /// The last `share` of the range: indicators have the bars before it to warm up on, so that a
    /// small share refuses no window.
    #[must_use]
    pub fn last(&self, share: f64) -> Range<usize> {
        let bars = (self.range.len() as f64 * share).ceil() as usize;
        self.range.end - bars.clamp(1, self.range.len().max(1))..self.range.end
    }
}

/// How the objectives of all members become one score.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Rule {
    /// Their mean; undefined where one is.
    #[default]
    Mean,
    /// The worst of them; undefined where one is.
    Worst,
    /// The mean of the places that the point takes among all points on each member, 1 being the
    /// best; equal scores share the mean of their places, and undefined ones the last.
    Rank,
}

impl Rule {
    /// Every rule.
    pub const ALL: [Self; 3] = [Self::Mean, Self::Worst, Self::Rank];

    /// Name in options and documents.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Mean => "mean",
            Self::Worst => "worst",
            Self::Rank => "rank",
        }
    }

    /// One score per point, higher being better, from the scores of each member (one per point,
    /// higher being better). A rank is negated. O(points log points) a member.
    #[must_use]
    pub fn scores(self, members: &[Vec<f64>]) -> Vec<f64> {
        let points = members.first().map_or(0, Vec::len);
        let ranked: Vec<Vec<f64>>;
        let columns = if self == Self::Rank {
            ranked = members.iter().map(|scores| negated_ranks(scores)).collect();
            &ranked
        } else {
            members
        };
        let of_point = |at: usize| self.of_point(columns.iter().map(|column| column[at]));
        (0..points).map(of_point).collect()
    }

    fn of_point(self, scores: impl ExactSizeIterator<Item = f64>) -> f64 {
        match self {
            Self::Mean | Self::Rank => {
                let n = scores.len() as f64;
                scores.sum::<f64>() / n
            }
            Self::Worst => scores.fold(f64::INFINITY, |worst, score| {
                if score.is_nan() || worst.is_nan() { f64::NAN } else { worst.min(score) }
            }),
        }
    }
}

fn negated_ranks(scores: &[f64]) -> Vec<f64> {
    let key = |at: usize| if scores[at].is_nan() { f64::NEG_INFINITY } else { scores[at] };
    let mut order: Vec<usize> = (0..scores.len()).collect();
    order.sort_by(|&a, &b| key(b).total_cmp(&key(a)));
    let mut ranks = vec![0.0; scores.len()];
    let mut place = 0;
    for equal in order.chunk_by(|&a, &b| key(a) == key(b)) {
        let mean = place as f64 + (equal.len() as f64 + 1.0) / 2.0;
        for &at in equal {
            ranks[at] = -mean;
        }
        place += equal.len();
    }
    ranks
}

impl fmt::Display for Rule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl FromStr for Rule {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        Self::ALL.into_iter().find(|rule| rule.name() == text).ok_or_else(|| {
            format!("'{text}' is none of {}", crate::nearest(text, &Self::ALL.map(Self::name)))
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rules_make_one_score_of_many() {
        let members = [vec![3.0, 1.0, 1.0, f64::NAN], vec![0.0, 5.0, 1.0, 9.0]];
        let scores = |rule: Rule| rule.scores(&members);
        assert_eq!(scores(Rule::Mean)[..3], [1.5, 3.0, 1.0]);
        assert!(scores(Rule::Mean)[3].is_nan());
        assert_eq!(scores(Rule::Worst)[..3], [0.0, 1.0, 1.0]);
        assert!(scores(Rule::Worst)[3].is_nan());
        assert_eq!(scores(Rule::Rank), [-2.5, -2.25, -2.75, -2.5]);
        assert!(Rule::Mean.scores(&[]).is_empty());
        assert_eq!("worst".parse(), Ok(Rule::Worst));
        assert!("wurst".parse::<Rule>().unwrap_err().contains("did you mean 'worst'"));
    }
}
