//! Stops that VectorBT has not, worked by hand.

use backtest::engine::{Side, simulate};
use backtest::{Config, Direction, Mask, Signals};
use market_data::Bars;

/// Bars of `(high, low, close)`; each opens where the last closed.
fn bars(rows: &[(f64, f64, f64)]) -> Bars {
    let closes = rows.iter().map(|row| row.2);
    Bars {
        timestamp: (0..rows.len() as i64).collect(),
        open: std::iter::once(rows[0].2).chain(closes.clone()).take(rows.len()).collect(),
        high: rows.iter().map(|row| row.0).collect(),
        low: rows.iter().map(|row| row.1).collect(),
        close: closes.collect(),
        volume: vec![1.0; rows.len()],
    }
}

/// Bar and price of the order that ends the position of the first bar.
fn exit(
    rows: &[(f64, f64, f64)],
    direction: Direction,
    config: &Config<'_>,
) -> Option<(usize, f64)> {
    let bars = bars(rows);
    let mut entry = Mask::new(rows.len());
    entry.set(0);
    let signals = Signals::new(entry, Mask::new(rows.len()), direction);
    let config = Config { direction, ..*config };
    backtest::check(&bars.view(), &signals, &config).unwrap();
    let mut fills = Vec::new();
    simulate(&bars.view(), &signals, &config, &mut fills).unwrap();
    assert!(fills.len() <= 2);
    let opens = if direction == Direction::LongOnly { Side::Buy } else { Side::Sell };
    assert_eq!(fills[0].order.side, opens);
    fills.get(1).map(|fill| (fill.order.bar, fill.order.price))
}

const LONG: Direction = Direction::LongOnly;
const SHORT: Direction = Direction::ShortOnly;

/// The same course upside down about 100, for a short.
fn mirrored(rows: &[(f64, f64, f64)]) -> Vec<(f64, f64, f64)> {
    rows.iter().map(|(high, low, close)| (200.0 - low, 200.0 - high, 200.0 - close)).collect()
}

fn near(found: Option<(usize, f64)>, expected: Option<(usize, f64)>) {
    let is_near = match (found, expected) {
        (Some(a), Some(b)) => a.0 == b.0 && (a.1 - b.1).abs() < 1e-9,
        (None, None) => true,
        _ => false,
    };
    assert!(is_near, "{found:?}, not {expected:?}");
}

#[test]
fn a_trail_waits_for_its_profit() {
    let config = Config { sl_stop: 0.10.into(), sl_trail: true.into(), ..Config::default() };
    // In at 100. At once trailing: the high of 104 lifts the stop to 93.6, which 93 reaches.
    let rows = [(100.0, 100.0, 100.0), (104.0, 99.0, 103.0), (103.0, 93.0, 94.0)];
    near(exit(&rows, LONG, &config), Some((2, 93.6)));
    // From 105 on only: the stop stays at 90.
    let config = Config { trail_after: 0.05, ..config };
    near(exit(&rows, LONG, &config), None);
    // 106 begins the trail, from the next bar on: stop 95.4.
    let rows = [
        (100.0, 100.0, 100.0),
        (104.0, 99.0, 103.0),
        (106.0, 95.0, 105.0),
        (105.0, 96.0, 97.0),
        (97.0, 95.0, 96.0),
    ];
    near(exit(&rows, LONG, &config), Some((4, 95.4)));
    // Upside down: a low of 94 begins it, stop 94 x 1.1 = 103.4.
    let rows = [
        (100.0, 100.0, 100.0),
        (101.0, 96.0, 97.0),
        (105.0, 94.0, 95.0),
        (103.0, 95.0, 103.0),
        (104.0, 103.0, 104.0),
    ];
    near(exit(&rows, SHORT, &config), Some((4, 103.4)));
}

#[test]
fn a_breakeven_stop_moves_to_the_entry() {
    let config = Config { breakeven_after: 0.02, ..Config::default() };
    // Without a loss of its own: none until 102 was seen, then 100, from the next bar on.
    let rows = [
        (100.0, 100.0, 100.0),
        (101.0, 80.0, 100.5),
        (102.0, 99.0, 101.0),
        (101.5, 100.5, 101.0),
        (101.0, 99.5, 100.0),
    ];
    near(exit(&rows, LONG, &config), Some((4, 100.0)));
    near(exit(&mirrored(&rows), SHORT, &config), Some((4, 100.0)));
    // With one at 95: it holds before, and 100 afterwards.
    let config = Config { sl_stop: 0.05.into(), ..config };
    near(exit(&rows, LONG, &config), Some((1, 95.0)));
    let rows = [(100.0, 100.0, 100.0), (102.0, 96.0, 101.0), (101.0, 99.5, 100.5)];
    near(exit(&rows, LONG, &config), Some((2, 100.0)));
    near(exit(&mirrored(&rows), SHORT, &config), Some((2, 100.0)));
    // Beside a trail the better of the two holds: 110 x 0.95 = 104.5.
    let config = Config { sl_trail: true.into(), ..config };
    let rows = [(100.0, 100.0, 100.0), (110.0, 100.0, 109.0), (109.0, 104.0, 105.0)];
    near(exit(&rows, LONG, &config), Some((2, 104.5)));
}

#[test]
fn a_breakeven_stop_outlasts_signals_that_do_nothing() {
    let rows = [(100.0, 100.0, 100.0), (102.0, 99.0, 101.0), (101.5, 100.5, 101.0)];
    let bars = bars(&[&rows[..], &[(101.0, 99.5, 100.0)]].concat());
    let mut entry = Mask::new(bars.len());
    entry.set(0);
    // An entry while in position, after the stop has moved.
    entry.set(2);
    let signals = Signals::new(entry, Mask::new(bars.len()), LONG);
    let config = Config { breakeven_after: 0.02, ..Config::default() };
    let mut fills = Vec::new();
    simulate(&bars.view(), &signals, &config, &mut fills).unwrap();
    let exit = fills.get(1).map(|fill| (fill.order.bar, fill.order.price));
    near(exit, Some((3, 100.0)));
}

#[test]
fn a_time_stop_counts_bars_from_the_entry() {
    let rows = [(100.0, 100.0, 100.0), (102.0, 99.0, 101.0), (103.0, 98.0, 102.0)];
    let config = Config { time_stop: 2.0, ..Config::default() };
    near(exit(&rows, LONG, &config), Some((2, 102.0)));
    near(exit(&rows, SHORT, &config), Some((2, 102.0)));
    near(exit(&rows, LONG, &Config { time_stop: 3.0, ..config }), None);
    // A loss in the same bar comes first.
    near(exit(&rows, LONG, &Config { sl_stop: 0.02.into(), ..config }), Some((2, 98.0)));
    // A bar without a close waits.
    let rows = [(100.0, 100.0, 100.0), (f64::NAN, f64::NAN, f64::NAN), (101.0, 99.0, 100.0)];
    near(exit(&rows, LONG, &Config { time_stop: 1.0, ..config }), Some((2, 100.0)));
}

#[test]
fn numbers_out_of_range_are_refused() {
    let error = |config: Config<'_>| config.check(5).unwrap_err().to_string();
    assert!(error(Config { time_stop: 0.0, ..Config::default() }).contains("time_stop is 0"));
    assert!(error(Config { time_stop: 1.5, ..Config::default() }).contains("whole number"));
    assert!(error(Config { trail_after: -0.1, ..Config::default() }).contains("trail_after"));
    let zero = Config { breakeven_after: 0.0, ..Config::default() };
    assert!(error(zero).contains("breakeven_after is 0"));
}
