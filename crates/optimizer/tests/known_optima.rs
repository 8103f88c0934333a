//! Samplers find optima that are known: of Rosenbrock's and Ackley's functions, and of a strategy
//! planted in the bars.

use backtest::statistics::Stat;
use backtest::{Config, strategy};
use market_data::{Bars, BarsView};
use optimizer::sampler::SamplerKind;
use optimizer::{Axis, Evaluate, Evaluator, MAX_POINTS, ParamSpace};

const MINUTE_NS: i64 = 60_000_000_000;

fn space(axes: &[(&str, &str)], condition: Option<&str>) -> ParamSpace<'static> {
    let axes = axes.iter().map(|(name, text)| Axis::parse(name, text).unwrap()).collect();
    ParamSpace::new(axes, condition).unwrap()
}

/// The points of a search of `trials`, in order, and their scores.
fn search(
    kind: SamplerKind,
    space: &ParamSpace<'_>,
    trials: u64,
    seed: u64,
    score: &mut dyn FnMut(&[Vec<f64>]) -> Vec<f64>,
) -> Vec<(Vec<f64>, f64)> {
    let (mut sampler, _) = kind.build(space, trials, seed, u64::MAX).unwrap();
    let mut all = Vec::new();
    while (all.len() as u64) < trials {
        let points = sampler.ask(sampler.batch().unwrap_or(64)).unwrap();
        assert!(!points.is_empty() && points.iter().all(|point| space.permits(point)));
        let scores = score(&points);
        let told: Vec<_> = points.into_iter().zip(scores).collect();
        sampler.tell(&told);
        all.extend(told);
    }
    all.truncate(trials as usize);
    all
}

/// The lowest value that each of seeds 0 to 9 found, from low to high.
fn lowest(
    kind: SamplerKind,
    space: &ParamSpace<'_>,
    trials: u64,
    function: fn(&[f64]) -> f64,
) -> Vec<f64> {
    let of_seed = |seed| {
        let mut scores = |points: &[Vec<f64>]| points.iter().map(|p| -function(p)).collect();
        let all = search(kind, space, trials, seed, &mut scores);
        all.iter().map(|(_, score)| -score).fold(f64::INFINITY, f64::min)
    };
    let mut lowest: Vec<f64> = (0..10).map(of_seed).collect();
    lowest.sort_by(f64::total_cmp);
    lowest
}

/// 0 at (1, 1, ...), at the end of a bent valley.
fn rosenbrock(x: &[f64]) -> f64 {
    x.windows(2).map(|p| 100.0 * (p[1] - p[0] * p[0]).powi(2) + (1.0 - p[0]).powi(2)).sum()
}

/// 0 at the origin, among a local minimum per whole number.
fn ackley(x: &[f64]) -> f64 {
    let n = x.len() as f64;
    let squares = x.iter().map(|x| x * x).sum::<f64>() / n;
    let waves = x.iter().map(|x| (std::f64::consts::TAU * x).cos()).sum::<f64>() / n;
    20.0 + std::f64::consts::E - 20.0 * (-0.2 * squares.sqrt()).exp() - waves.exp()
}

const PLANE: [(&str, &str); 2] = [("x", "-2:2"), ("y", "-2:2")];
const CUBE: [(&str, &str); 3] = [("x", "-4:5"), ("y", "-4:5"), ("z", "-4:5")];

#[test]
fn cma_es_finds_rosenbrock_within_800_trials() {
    let found = lowest(SamplerKind::CmaEs, &space(&PLANE, None), 800, rosenbrock);
    assert!(found.iter().all(|&low| low < 1e-6), "{found:?}");
}

#[test]
fn cma_es_finds_ackley_within_2000_trials() {
    let found = lowest(SamplerKind::CmaEs, &space(&CUBE, None), 2_000, ackley);
    assert!(found.iter().all(|&low| low < 1e-4), "{found:?}");
}

#[test]
fn tpe_finds_rosenbrock_within_600_trials() {
    let found = lowest(SamplerKind::Tpe, &space(&PLANE, None), 600, rosenbrock);
    assert!(found.iter().all(|&low| low < 0.2), "{found:?}");
}

#[test]
fn tpe_finds_ackley_within_600_trials() {
    let found = lowest(SamplerKind::Tpe, &space(&CUBE, None), 600, ackley);
    assert!(found.iter().all(|&low| low < 0.6), "{found:?}");
    let random = lowest(SamplerKind::Random, &space(&CUBE, None), 600, ackley);
    assert!(found[9] < random[0], "the worst of TPE beats the best of chance");
}

/// The optimum lies on the edge of what the condition permits.
#[test]
fn conditions_hold_and_do_not_hinder() {
    let space = space(&PLANE, Some("x <= 0.5 and y < x"));
    for (kind, limit) in [(SamplerKind::CmaEs, 0.26), (SamplerKind::Tpe, 0.3)] {
        let found = lowest(kind, &space, 600, rosenbrock);
        // Where it is permitted, the function's lowest is 0.25, at (0.5, 0.25).
        assert!(found.iter().all(|&low| (0.25..limit).contains(&low)), "{kind}: {found:?}");
    }
}

#[test]
fn whole_numbers_and_choices_are_searched() {
    fn bowl(x: &[f64]) -> f64 {
        (x[0] - 37.0).powi(2) / 100.0 + (x[1] - 3.0).abs() + (x[2] - 0.01).abs().sqrt()
    }
    let axes = [("a", "1:100:1"), ("b", "8,3,5,1"), ("c", "log:0.0001:1")];
    for kind in [SamplerKind::CmaEs, SamplerKind::Tpe] {
        let found = lowest(kind, &space(&axes, None), 400, bowl);
        assert!(found[8] < 0.1, "{kind}: {found:?}");
    }
}

#[test]
fn a_seed_repeats_every_bit() {
    let space = space(&CUBE, Some("x < y"));
    for kind in SamplerKind::ALL.into_iter().filter(|kind| *kind != SamplerKind::Grid) {
        let run = |seed| {
            let mut scores = |points: &[Vec<f64>]| points.iter().map(|p| -ackley(p)).collect();
            let trials = search(kind, &space, 60, seed, &mut scores);
            trials.iter().flat_map(|(p, _)| p.iter().map(|x| x.to_bits())).collect::<Vec<_>>()
        };
        assert_eq!(run(5), run(5), "{kind}");
        assert_ne!(run(5), run(6), "{kind}");
    }
}

/// Bars whose next return follows the cross of the averages of 12 and 40 bars, in noise.
fn planted() -> Bars {
    let n = 6_000;
    let noise = market_data::synth(&market_data::SynthOptions {
        bars: n,
        seed: 11,
        ..market_data::SynthOptions::default()
    });
    let mut close = vec![100.0];
    for at in 1..n {
        let mean = |window: usize| {
            let from = at.saturating_sub(window);
            close[from..at].iter().sum::<f64>() / (at - from) as f64
        };
        let drift = if mean(12) > mean(40) { 4e-4 } else { -4e-4 };
        let shock = 5.0 * (noise.close[at] / noise.close[at - 1] - 1.0);
        close.push(close[at - 1] * (1.0 + drift + shock));
    }
    Bars {
        timestamp: noise.timestamp,
        open: close.clone(),
        high: close.clone(),
        low: close.clone(),
        volume: noise.volume,
        close,
    }
}

fn sharpe(evaluator: &Evaluator<'_>, points: &[Vec<f64>]) -> Vec<f64> {
    let trials = evaluator.evaluate(points, 0..evaluator.bars(), &|_, _| {}).unwrap().trials;
    trials.iter().map(|t| t.statistics.get(Stat::SharpeRatio).unwrap_or(f64::NAN)).collect()
}

fn evaluator(bars: BarsView<'_>) -> Evaluator<'_> {
    Evaluator {
        bars,
        freq_ns: MINUTE_NS,
        strategy: strategy::find("ma-cross").unwrap(),
        config: Config { fees: 0.0002.into(), ..Config::default() },
        threads: 1,
    }
}

#[test]
fn a_planted_strategy_is_found_within_160_of_2_002_points() {
    const POINTS: usize = 2_002;
    let bars = planted();
    let evaluator = evaluator(bars.view());
    let axes = [("fast", "2:36:1"), ("slow", "10:77:1")]
        .map(|(name, text)| Axis::parse(name, text).unwrap());
    let space = ParamSpace::of_strategy(evaluator.strategy, &axes, None).unwrap();
    let mut scores = |points: &[Vec<f64>]| sharpe(&evaluator, points);
    let (mut all, count) = SamplerKind::Grid.build(&space, 0, 0, MAX_POINTS).unwrap();
    let mut every = scores(&all.ask(count as usize).unwrap());
    every.sort_by(|a, b| b.total_cmp(a));
    let [planted] = scores(&[vec![12.0, 40.0]])[..] else { unreachable!("one score") };
    let rank = every.iter().filter(|&&score| score > planted).count();
    assert_eq!(every.len(), POINTS);
    assert!(rank < POINTS / 100, "the bars pay for the strategy planted in them: place {rank}");
    for kind in [SamplerKind::CmaEs, SamplerKind::Tpe] {
        for seed in 0..5 {
            let found = search(kind, &space, 160, seed, &mut scores);
            let best = found.iter().map(|(_, score)| *score).fold(f64::MIN, f64::max);
            assert!(
                best >= every[POINTS / 100],
                "{kind} {seed}: {best} is not among the best percent"
            );
        }
    }
}
