//! Searches of a function whose best point is known.

use std::ops::Range;
use std::sync::Mutex;

use backtest::statistics::{Moments, Statistics};

use super::*;
use crate::sampler::SamplerKind;
use crate::study::tests::header;
use crate::{Axis, Evaluate, ParamSpace, Progress};

/// The Sharpe ratio is -(x - target)^2, and a little more on more bars.
struct Bowl {
    target: f64,
    asked: Mutex<Vec<(usize, Range<usize>)>>,
}

impl Bowl {
    fn new(target: f64) -> Self {
        Self { target, asked: Mutex::default() }
    }
}

impl Evaluate for Bowl {
    fn bars(&self) -> usize {
        810
    }

    fn evaluate(
        &self,
        points: &[Vec<f64>],
        range: Range<usize>,
        progress: Progress<'_>,
    ) -> Result<Evaluation, OptimizerError> {
        self.asked.lock().unwrap().push((points.len(), range.clone()));
        let trial = |values: &Vec<f64>| {
            let score = range.len() as f64 * 1e-6 - (values[0] - self.target).powi(2);
            let statistics =
                Statistics::from_fn(|stat| (stat == Stat::SharpeRatio).then_some(score));
            let moments = Moments { count: 1, sum: f64::INFINITY, sum_squares: score };
            Trial { values: values.clone(), statistics, segments: vec![moments].into() }
        };
        let trials = points.iter().map(trial).collect();
        points.iter().for_each(|_| progress(1, 1));
        Ok(Evaluation { trials, features_ns: 1, search_ns: 1 })
    }
}

fn members<'a>(bowls: &'a [Bowl]) -> Vec<Member<'a>> {
    let member =
        |bowl: &'a Bowl| Member { name: String::new(), evaluate: bowl, range: 0..bowl.bars() };
    bowls.iter().map(member).collect()
}

fn search(kind: SamplerKind, bowls: &[Bowl], rule: Rule, journal: Option<&mut Journal>) -> Found {
    let axes = vec![Axis::parse("x", "0:20:1").unwrap()];
    let space = ParamSpace::new(axes, None).unwrap();
    let (mut sampler, trials) = kind.build(&space, 50, 7, 100).unwrap();
    let members = members(bowls);
    let search = Search { members: &members, rule, objective: Stat::SharpeRatio, trials };
    search.run(&mut *sampler, journal, &|_| {}).unwrap()
}

fn points(found: &Found) -> Vec<f64> {
    found.trials[0].iter().map(|trial| trial.values[0]).collect()
}

#[test]
fn every_sampler_finds_the_lowest_of_the_bowl() {
    for kind in SamplerKind::ALL {
        let found = search(kind, &[Bowl::new(13.0)], Rule::Mean, None);
        let best = found.best.unwrap();
        let distance = (points(&found)[best] - 13.0).abs();
        let is_near = if kind == SamplerKind::Random { distance <= 1.0 } else { distance == 0.0 };
        assert!(is_near && found.shares[best] == 1.0, "{kind}: {distance}");
        assert_eq!(found.scores.len(), found.trials[0].len());
    }
}

#[test]
fn undefined_scores_are_never_best_and_stop_no_sampler() {
    for kind in SamplerKind::ALL {
        let found = search(kind, &[Bowl::new(f64::NAN)], Rule::Mean, None);
        assert_eq!(found.best, None, "{kind}");
        assert!(found.scores.len() >= 21 && found.scores.iter().all(|score| score.is_nan()));
    }
}

#[test]
fn no_point_is_tried_twice_by_a_sampler_that_learns() {
    for kind in [SamplerKind::Tpe, SamplerKind::CmaEs] {
        let bowl = [Bowl::new(3.0)];
        let found = search(kind, &bowl, Rule::Mean, None);
        let tried: usize = bowl[0].asked.lock().unwrap().iter().map(|(n, _)| n).sum();
        let mut distinct = points(&found);
        assert_eq!(distinct.len(), 50);
        distinct.sort_by(f64::total_cmp);
        distinct.dedup();
        assert_eq!(tried, distinct.len(), "{kind}");
    }
}

#[test]
fn halving_sees_growing_spans_that_end_with_the_data() {
    let bowl = [Bowl::new(3.0)];
    search(SamplerKind::Halving, &bowl, Rule::Mean, None);
    let asked = bowl[0].asked.lock().unwrap();
    let lengths: Vec<_> = asked.iter().map(|(_, range)| range.len()).collect();
    assert_eq!(lengths, [30, 90, 270, 810]);
    assert!(asked.iter().all(|(_, range)| range.end == 810));
}

#[test]
fn members_are_judged_by_the_rule() {
    let bowls = || [Bowl::new(2.0), Bowl::new(8.0)];
    let best = |rule| {
        let found = search(SamplerKind::Grid, &bowls(), rule, None);
        (found.best.map(|at| points(&found)[at]), found.scores[found.best.unwrap()])
    };
    let (point, score) = best(Rule::Mean);
    assert_eq!(point, Some(5.0));
    assert!((score + 9.0).abs() < 0.01);
    assert_eq!(best(Rule::Worst).0, Some(5.0));
    let (_, rank) = best(Rule::Rank);
    assert!(rank > 1.0, "a rank counts from 1: {rank}");
}

#[test]
fn ranks_and_learning_do_not_go_together() {
    let space = ParamSpace::new(vec![Axis::parse("x", "0:1").unwrap()], None).unwrap();
    let (mut tpe, trials) = SamplerKind::Tpe.build(&space, 50, 7, 100).unwrap();
    let bowls = [Bowl::new(2.0)];
    let members = members(&bowls);
    let objective = Stat::SharpeRatio;
    let search = Search { members: &members, rule: Rule::Rank, objective, trials };
    let error = search.run(&mut *tpe, None, &|_| {}).unwrap_err();
    assert!(matches!(error, OptimizerError::RankOfSome));
}

#[test]
fn a_resumed_search_is_the_uninterrupted_one() {
    let folder = tempfile::tempdir().unwrap();
    for kind in SamplerKind::ALL {
        let path = folder.path().join(kind.name());
        let bowls = || [Bowl::new(2.5), Bowl::new(8.0)];
        let open = || Journal::open(&path, &header("1/1")).unwrap().0;
        let whole = search(kind, &bowls(), Rule::Mean, Some(&mut open()));
        let text = std::fs::read(&path).unwrap();
        for share in [0.3, 0.75, 0.99] {
            std::fs::write(&path, &text[..(text.len() as f64 * share) as usize]).unwrap();
            let resumed = search(kind, &bowls(), Rule::Mean, Some(&mut open()));
            assert!(resumed.resumed > 0, "{kind}");
            assert_eq!(resumed.scores, whole.scores, "{kind} {share}");
            assert_eq!((resumed.best, &resumed.shares), (whole.best, &whole.shares));
            assert_eq!(points(&resumed), points(&whole));
            assert_eq!(std::fs::read(&path).unwrap(), text, "{kind} {share}");
        }
    }
}
