//! A row of a sweep is the single backtest of its point.

use backtest::statistics::{Moments, Run, Stat, StatSet, Statistics, equity, returns};
use backtest::strategy::{self, EntryExit, Last, Strategy};
use backtest::{Config, Direction, Signals, SizeType, engine};
use market_data::{Bars, BarsView, SynthOptions};
use optimizer::{Evaluate, Evaluator, SEGMENTS};
use proptest::prelude::*;

const MINUTE: i64 = 60_000_000_000;

/// What the single backtest of `values` says, by the plain path: one mask, fills, one pass.
fn single(
    bars: &Bars,
    strategy: &dyn Strategy,
    values: &[f64],
    config: &Config<'_>,
) -> (Statistics, Vec<Moments>) {
    with_run(bars, strategy, values, config, |run| {
        (run.statistics(StatSet::streaming()), segments(run))
    })
}

fn with_run<T>(
    bars: &Bars,
    strategy: &dyn Strategy,
    values: &[f64],
    config: &Config<'_>,
    judge: impl FnOnce(&Run<'_>) -> T,
) -> T {
    let columns: Vec<Vec<f64>> = strategy
        .features(values)
        .iter()
        .map(|feature| {
            let mut column = vec![0.0; bars.len()];
            feature.compute(bars.view(), &mut column).unwrap();
            column
        })
        .collect();
    let columns: Vec<&[f64]> = columns.iter().map(Vec::as_slice).collect();
    let mut memory = vec![Last::default(); strategy.crossings()];
    let mut masks = EntryExit::default();
    strategy.signals(&columns, values, &mut memory, &mut masks);
    let signals = Signals::of(masks, config.direction);
    let mut fills = Vec::new();
    engine::simulate(&bars.view(), &signals, config, &mut fills).unwrap();
    let run = Run {
        bars: bars.view(),
        fills: &fills,
        init_cash: config.init_cash,
        freq_ns: MINUTE,
        returns: None,
    };
    judge(&run)
}

/// Moments of each segment of the returns, by a column of them.
fn segments(run: &Run<'_>) -> Vec<Moments> {
    let bars = run.bars.len();
    let mut values = vec![0.0; bars];
    equity(run.bars.close, run.fills, run.init_cash, &mut values);
    returns(run.init_cash, &mut values);
    let cut = |segment: usize| segment * bars / SEGMENTS;
    (0..SEGMENTS).map(|at| Moments::of(&values[cut(at)..cut(at + 1)])).collect()
}

/// What follows from orders and trades alone: the same to the last bit.
const EXACT: [Stat; 17] = [
    Stat::EndValue,
    Stat::TotalReturn,
    Stat::TotalFeesPaid,
    Stat::MaxGrossExposure,
    Stat::MaxDrawdownDuration,
    Stat::TotalTrades,
    Stat::TotalClosedTrades,
    Stat::TotalOpenTrades,
    Stat::OpenTradePnl,
    Stat::WinRate,
    Stat::BestTrade,
    Stat::WorstTrade,
    Stat::AvgWinningTrade,
    Stat::AvgLosingTrade,
    Stat::AvgWinningTradeDuration,
    Stat::ProfitFactor,
    Stat::Expectancy,
];

fn assert_same(row: &Statistics, alone: &Statistics, what: &str) {
    for stat in StatSet::streaming().iter() {
        let (a, b) = (row.get(stat), alone.get(stat));
        if EXACT.contains(&stat) {
            assert_eq!(a, b, "{what}: {}", stat.name());
            continue;
        }
        match (a, b) {
            (Some(a), Some(b)) => {
                let scale = a.abs().max(b.abs()).max(1.0) * condition(alone, stat);
                assert!((a - b).abs() <= 1e-12 * scale, "{what}: {} {a} {b}", stat.name());
            }
            // Missing where nothing is lost: its inverse is 0 then, and on the other side next to it.
            (Some(ratio), None) | (None, Some(ratio)) if TO_LOSS.contains(&stat) => {
                assert!((1.0 / ratio).abs() <= 1e-12, "{what}: {} {a:?} {b:?}", stat.name());
            }
            _ => assert_eq!(a, b, "{what}: {}", stat.name()),
        }
    }
}

/// Ratios to what was lost. That may be one bit on one side and nothing on the other: cash over a price times
/// the price may be one bit less cash.
const TO_LOSS: [Stat; 2] = [Stat::SortinoRatio, Stat::OmegaRatio];

/// By how much the error of the sums grows in a ratio. Where nearly nothing falls, the falling returns
/// are known beside the others and not beside themselves: a bar that loses 2e-5 of the equity is
/// known to 1e-16 of that, not to 1e-16 of its loss.
fn condition(alone: &Statistics, stat: Stat) -> f64 {
    let growth = match (stat, alone.get(Stat::SortinoRatio), alone.get(Stat::SharpeRatio)) {
        // The deviation of all returns over that of the falling ones.
        (Stat::SortinoRatio, Some(sortino), Some(sharpe)) => sortino / sharpe,
        // All that was gained over all that was lost.
        (Stat::OmegaRatio, ..) => alone.get(stat).unwrap_or(1.0),
        _ => 1.0,
    };
    growth.abs().max(1.0)
}

/// Every point of `points`, in a sweep and alone.
fn check(bars: &Bars, name: &str, points: &[Vec<f64>], config: Config<'_>) {
    let strategy = strategy::find(name).unwrap();
    let evaluator = Evaluator { bars: bars.view(), freq_ns: MINUTE, strategy, config, threads: 2 };
    let sweep = evaluator.evaluate(points, 0..bars.len(), &|_, _| {}).unwrap();
    assert_eq!(sweep.trials.len(), points.len());
    for (trial, values) in sweep.trials.iter().zip(points) {
        assert_eq!(&trial.values, values);
        let (alone, segments) = single(bars, strategy, values, &config);
        assert_same(&trial.statistics, &alone, &format!("{name} {values:?}"));
        for (a, b) in trial.segments.iter().zip(&segments) {
            assert_eq!(a.count, b.count);
            assert!((a.sum - b.sum).abs() < 1e-12, "{a:?} {b:?}");
            assert!((a.sum_squares - b.sum_squares).abs() < 1e-12, "{a:?} {b:?}");
        }
    }
}

fn pairs() -> Vec<Vec<f64>> {
    let windows = [2.0, 3.0, 5.0, 8.0, 21.0, 55.0];
    let pair = |fast| windows.iter().filter(move |&&s| s > fast).map(move |&s| vec![fast, s]);
    windows.iter().flat_map(|&fast| pair(fast)).collect()
}

fn bands() -> Vec<Vec<f64>> {
    let mut points = Vec::new();
    for period in [3.0, 14.0] {
        for lower in [20.0, 35.0, 49.0] {
            points.extend([51.0, 70.0].map(|upper| vec![period, lower, upper]));
        }
    }
    points
}

/// A walk of the price with the given share of up-moves, so that some accounts thrive.
fn walk(moves: &[f64]) -> Bars {
    let mut price = 100.0;
    let close: Vec<f64> = moves
        .iter()
        .map(|step| {
            price *= 1.0 + step;
            (price * 100.0_f64).round() / 100.0
        })
        .collect();
    let timestamp = (0..close.len() as i64).map(|minute| minute * MINUTE).collect();
    let volume = vec![1.0; close.len()];
    let (open, high, low) = (close.clone(), close.clone(), close.clone());
    Bars { timestamp, open, high, low, close, volume }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 300, ..ProptestConfig::default() })]

    #[test]
    fn fully_invested_longs(
        moves in prop::collection::vec(-0.01_f64..0.0102, 60..6_000),
        fees in prop_oneof![Just(0.0), 0.0_f64..0.01],
        fixed_fees in prop_oneof![Just(0.0), 0.0_f64..2.0],
        slippage in prop_oneof![Just(0.0), 0.0_f64..0.001],
        min_size in prop_oneof![Just(1e-8), 0.0_f64..1.0],
    ) {
        let bars = walk(&moves);
        let config = Config {
            fees: fees.into(),
            fixed_fees: fixed_fees.into(),
            slippage: slippage.into(),
            min_size: min_size.into(),
            ..Config::default()
        };
        check(&bars, "ma-cross", &pairs(), config);
        check(&bars, "rsi-reversion", &bands(), config);
    }

    #[test]
    fn other_accounts(
        moves in prop::collection::vec(-0.01_f64..0.0102, 60..1_000),
        fees in 0.0_f64..0.01,
        direction in prop_oneof![
            Just(Direction::LongOnly), Just(Direction::ShortOnly), Just(Direction::Both)
        ],
        sl_stop in prop_oneof![Just(f64::NAN), 0.001_f64..0.1],
        half in any::<bool>(),
    ) {
        let size = if half && direction != Direction::Both {
            (0.5.into(), SizeType::Percent)
        } else {
            (f64::INFINITY.into(), SizeType::Amount)
        };
        let config = Config {
            fees: fees.into(),
            direction,
            sl_stop: sl_stop.into(),
            size: size.0,
            size_type: size.1.into(),
            ..Config::default()
        };
        check(&walk(&moves), "ma-cross", &pairs(), config);
    }
}

#[test]
fn a_long_series_and_any_number_of_threads() {
    let bars = market_data::synth(&SynthOptions { bars: 150_000, ..SynthOptions::default() });
    let config = Config { fees: 1e-5.into(), ..Config::default() };
    check(&bars, "ma-cross", &pairs(), config);
    let run = |threads| {
        let strategy = strategy::find("ma-cross").unwrap();
        let evaluator = Evaluator { bars: bars.view(), freq_ns: MINUTE, strategy, config, threads };
        evaluator.evaluate(&pairs(), 0..bars.len(), &|_, _| {}).unwrap().trials
    };
    let one = run(1);
    assert_eq!(run(2), one);
    assert_eq!(run(5), one);
}

#[test]
fn every_built_in_strategy() {
    let bars = market_data::synth(&SynthOptions { bars: 10_000, ..SynthOptions::default() });
    for strategy in strategy::built_in() {
        let values: Vec<f64> = strategy.parameters().iter().map(|p| p.default).collect();
        check(&bars, strategy.name(), &[values], Config { fees: 1e-5.into(), ..Config::default() });
    }
}

#[test]
fn a_span_knows_the_bars_before_it_and_none_after() {
    let bars = market_data::synth(&SynthOptions { bars: 5_000, ..SynthOptions::default() });
    let strategy = strategy::find("ma-cross").unwrap();
    let on = |bars: BarsView<'_>, range| {
        let config = Config::default();
        let evaluator = Evaluator { bars, freq_ns: MINUTE, strategy, config, threads: 1 };
        evaluator.evaluate(&pairs(), range, &|_, _| {}).unwrap().trials
    };
    let (all, cut) = (bars.view(), bars.view().slice(0..4_000));
    assert_eq!(on(all, 1_000..4_000), on(cut, 1_000..4_000));
    assert_ne!(on(all, 1_000..4_000), on(all, 1_100..4_000));
}

/// Points come a few at a time, ranges change, and more features than fit: the same trials.
#[test]
fn a_cache_of_features_changes_no_bit() {
    let bars = market_data::synth(&SynthOptions { bars: 5_000, ..SynthOptions::default() });
    let strategy = strategy::find("ma-cross").unwrap();
    for sl_stop in [f64::NAN, 0.01] {
        let config = Config { fees: 1e-5.into(), sl_stop: sl_stop.into(), ..Config::default() };
        let (freq_ns, threads) = (MINUTE, 2);
        let plain = Evaluator { bars: bars.view(), freq_ns, strategy, config, threads };
        let cached = plain.cached();
        for (few, range) in pairs().chunks(4).zip([0..5_000, 0..3_000, 1_000..5_000, 70..71]) {
            for points in [few, &pairs()] {
                let run = |evaluate: &dyn Evaluate| {
                    evaluate.evaluate(points, range.clone(), &|_, _| {}).unwrap().trials
                };
                assert_eq!(run(&cached), run(&plain));
            }
        }
    }
}

/// Costs eat the accounts until they can buy nothing; a fall of the price lets some buy again.
#[test]
fn accounts_that_costs_have_eaten() {
    let mut price = 100.0;
    let moves: Vec<f64> = (0..12_000)
        .map(|bar| {
            let fall = if bar > 9_000 { 0.998 } else { 1.0 };
            price *= fall * if bar % 7 < 3 { 1.001 } else { 0.9993 };
            price
        })
        .collect();
    let steps: Vec<f64> = moves.windows(2).map(|pair| pair[1] / pair[0] - 1.0).collect();
    for min_size in [1e-8, 1e-3, 0.5] {
        let config = Config { fees: 0.01.into(), min_size: min_size.into(), ..Config::default() };
        check(&walk(&steps), "ma-cross", &pairs(), config);
    }
}

#[test]
fn the_shape_of_a_point_is_that_of_its_single_backtest() {
    let bars = market_data::synth(&SynthOptions { bars: 70_000, ..SynthOptions::default() });
    let strategy = strategy::find("ma-cross").unwrap();
    let config = Config { fees: 1e-5.into(), ..Config::default() };
    let (freq_ns, values) = (MINUTE, vec![20.0, 50.0]);
    let shape = |threads| {
        let evaluator = Evaluator { bars: bars.view(), freq_ns, strategy, config, threads };
        evaluator.shape(&values, 0..bars.len()).unwrap().unwrap()
    };
    let set = StatSet::of(&[Stat::Skew, Stat::Kurtosis]);
    let alone = with_run(&bars, strategy, &values, &config, |run| run.statistics(set));
    let near = |a: f64, b: f64| (a - b).abs() <= 1e-11 * b.abs();
    assert!(near(shape(1).skew, alone.get(Stat::Skew).unwrap()));
    assert!(near(shape(1).kurtosis, alone.get(Stat::Kurtosis).unwrap() + 3.0));
    assert_eq!(shape(1), shape(3));
}
