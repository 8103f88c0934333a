//! The spans of trials' returns, put together in time.

use backtest::statistics::Moments;

use crate::Trial;

/// One row of spans per point from the trials of each member (one per point), the members' spans
/// added place by place: pooled returns, as of an account in each.
///
/// # Panics
/// Where members have different numbers of trials.
#[must_use]
pub fn pooled(members: &[Vec<Trial>]) -> Vec<Box<[Moments]>> {
    let [first, rest @ ..] = members else { return Vec::new() };
    let mut rows: Vec<Box<[Moments]>> = first.iter().map(|trial| trial.segments.clone()).collect();
    for trials in rest {
        assert_eq!(trials.len(), rows.len(), "every member has a trial of every point");
        for (row, trial) in rows.iter_mut().zip(trials) {
            row.iter_mut().zip(&trial.segments).for_each(|(sum, &span)| *sum = *sum + span);
        }
    }
    rows
}

/// The sum of spans.
#[must_use]
pub fn total(spans: &[Moments]) -> Moments {
    spans.iter().fold(Moments::default(), |sum, &span| sum + span)
}

/// The Sharpe ratio of spans per return, not annualised; 0 where all returns are equal (an account
/// that never traded), so that every trial has a rank.
#[must_use]
pub fn sharpe(moments: Moments) -> f64 {
    let ratio = moments.sharpe();
    if ratio.is_nan() { 0.0 } else { ratio }
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;
    use crate::SEGMENTS;
    use crate::sampler::rng::Rng;

    /// Spans of a trial whose returns are normal with `mean` and deviation 1.
    pub(crate) fn noise(rng: &mut Rng, mean: f64) -> Box<[Moments]> {
        let span = |_| Moments::of(&[0; 20].map(|_| mean + rng.normal()));
        (0..SEGMENTS).map(span).collect()
    }

    #[test]
    fn pooled_spans_are_sums() {
        let trial = |r: f64| Trial {
            values: vec![],
            statistics: backtest::statistics::Statistics::from_fn(|_| None),
            segments: Box::new([Moments::of(&[r, 2.0]), Moments::of(&[r])]),
        };
        let rows = pooled(&[vec![trial(1.0)], vec![trial(3.0)]]);
        assert_eq!(&*rows[0], [Moments::of(&[1.0, 2.0, 3.0, 2.0]), Moments::of(&[1.0, 3.0])]);
        assert_eq!(total(&rows[0]).count, 6);
        assert_eq!(sharpe(Moments::of(&[0.0, 0.0])), 0.0);
    }
}
