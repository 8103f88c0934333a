//! Entries that wait at a price, worked by hand.

use backtest::config::{Accumulate, OppositeEntry};
use backtest::engine::simulate;
use backtest::{Config, Direction, Mask, PerBar, Signals};
use market_data::Bars;

/// Bars of `[open, high, low, close]`.
fn bars(rows: &[[f64; 4]]) -> Bars {
    let column = |at: usize| rows.iter().map(|row| row[at]).collect();
    Bars {
        timestamp: (0..rows.len() as i64).collect(),
        open: column(0),
        high: column(1),
        low: column(2),
        close: column(3),
        volume: vec![1.0; rows.len()],
    }
}

/// Bar, price and position after it of every order, for signals at the given bars.
fn orders(
    rows: &[[f64; 4]],
    [entries, exits]: [&[usize]; 2],
    config: &Config<'_>,
) -> Vec<(usize, f64, f64)> {
    let bars = bars(rows);
    let mask = |at: &[usize]| {
        let mut mask = Mask::new(bars.len());
        at.iter().for_each(|&bar| mask.set(bar));
        mask
    };
    let signals = Signals::new(mask(entries), mask(exits), config.direction);
    backtest::check(&bars.view(), &signals, config).unwrap();
    let mut fills = Vec::new();
    simulate(&bars.view(), &signals, config, &mut fills).unwrap();
    fills.iter().map(|fill| (fill.order.bar, fill.order.price, fill.account.position)).collect()
}

/// Waits 1 percent away for two bars; slippage is for market orders.
fn config() -> Config<'static> {
    Config {
        init_cash: 990.0,
        limit_entry: 0.01.into(),
        limit_bars: 2.0,
        slippage: 0.5.into(),
        ..Config::default()
    }
}

const FLAT: [f64; 4] = [100.0, 100.5, 99.5, 100.0];
const DIP: [f64; 4] = [100.0, 100.5, 98.0, 99.0];

#[test]
fn it_fills_at_its_price_within_its_bars() {
    assert_eq!(orders(&[FLAT, FLAT, DIP, DIP], [&[0], &[]], &config()), [(2, 99.0, 10.0)]);
    assert_eq!(orders(&[FLAT, FLAT, FLAT, DIP], [&[0], &[]], &config()), []);
    let forever = Config { limit_bars: f64::INFINITY, ..config() };
    assert_eq!(orders(&[FLAT, FLAT, FLAT, DIP], [&[0], &[]], &forever), [(3, 99.0, 10.0)]);
    // Not in the bar of its signal, whose close it waits for.
    assert_eq!(orders(&[DIP, FLAT], [&[0], &[]], &config()), []);
    // An open that is better is taken.
    let gap = [90.0, 95.0, 89.0, 94.0];
    assert_eq!(orders(&[FLAT, gap], [&[0], &[]], &config()), [(1, 90.0, 11.0)]);
    // At a distance of 0 it waits for the price itself.
    let near = Config { limit_entry: 0.0.into(), ..config() };
    assert_eq!(orders(&[FLAT, FLAT], [&[0], &[]], &near), [(1, 100.0, 9.9)]);
}

#[test]
fn a_short_waits_above() {
    let short = Config { direction: Direction::ShortOnly, ..config() };
    let rise = [100.0, 102.0, 99.5, 100.0];
    let found = orders(&[FLAT, rise], [&[0], &[]], &short);
    assert_eq!((found[0].0, found[0].1), (1, 101.0));
    assert!(found[0].2 < 0.0);
}

#[test]
fn another_entry_replaces_it_and_an_exit_cancels_it() {
    let low = [98.0, 98.5, 97.5, 98.0];
    // The second entry waits at 97.02, which the third bar reaches.
    let rows = [FLAT, low, [98.0, 98.0, 96.0, 97.0]];
    let below = Config { limit_entry: PerBar::Array(&[0.05, 0.01, 0.01]), ..config() };
    assert_eq!(orders(&rows, [&[0, 1], &[]], &below)[0].1, 98.0 * 0.99);
    assert_eq!(orders(&[FLAT, FLAT, DIP], [&[0], &[1]], &config()), []);
    // It was filled before the close at which the exit comes: one order a bar, the exit is lost.
    assert_eq!(orders(&[FLAT, DIP, FLAT], [&[0], &[1]], &config()), [(1, 99.0, 10.0)]);
}

#[test]
fn exits_do_not_wait() {
    let plain = Config { slippage: 0.0.into(), ..config() };
    let found = orders(&[FLAT, DIP, FLAT, FLAT], [&[0], &[2]], &plain);
    assert_eq!(found, [(1, 99.0, 10.0), (2, 100.0, 0.0)]);
    // Nor does an entry that closes; one that reverses waits.
    let both = Config { direction: Direction::Both, ..plain };
    let rise = [100.0, 102.0, 99.5, 100.0];
    let close = Config { upon_opposite_entry: OppositeEntry::Close.into(), ..both };
    assert_eq!(orders(&[FLAT, DIP, FLAT, rise], [&[0], &[2]], &close)[1], (2, 100.0, 0.0));
    let reversed = orders(&[FLAT, DIP, FLAT, rise], [&[0], &[2]], &both)[1];
    assert_eq!((reversed.0, reversed.1), (3, 101.0));
    assert!(reversed.2 < 0.0);
}

#[test]
fn a_stop_comes_first_and_cancels_it() {
    let adds = Config {
        size: 5.0.into(),
        accumulate: Accumulate::Both.into(),
        limit_entry: PerBar::Array(&[f64::NAN, 0.03, 0.03, 0.03]),
        sl_stop: 0.02.into(),
        slippage: 0.0.into(),
        ..config()
    };
    // In at once at 100, where the distance is NaN; an addition waits at 97 as the stop at 98 is hit.
    let fall = [100.0, 100.0, 96.0, 97.0];
    let found = orders(&[FLAT, FLAT, fall, fall], [&[0, 1], &[]], &adds);
    assert_eq!(found, [(0, 100.0, 5.0), (2, 98.0, 0.0)]);
    let no_stop = Config { sl_stop: f64::NAN.into(), ..adds };
    let found = orders(&[FLAT, FLAT, fall, fall], [&[0, 1], &[]], &no_stop);
    assert_eq!(found, [(0, 100.0, 5.0), (2, 97.0, 10.0)]);
}

#[test]
fn its_stops_arm_from_the_next_bar() {
    let config = Config {
        sl_stop: 0.02.into(),
        stop_entry_price: backtest::config::StopEntryPrice::Price.into(),
        ..config()
    };
    let fall = [99.0, 99.0, 96.0, 98.5];
    let found = orders(&[FLAT, fall, fall], [&[0], &[]], &config);
    assert_eq!(found, [(1, 99.0, 10.0), (2, 99.0 * 0.98, 0.0)]);
}

#[test]
fn numbers_out_of_range_are_refused() {
    let error = |config: Config<'_>| config.check(5).unwrap_err().to_string();
    let far = Config { limit_entry: 1.0.into(), ..Config::default() };
    assert!(error(far).contains("limit_entry is 1"));
    assert!(error(Config { limit_bars: 0.0, ..Config::default() }).contains("limit_bars is 0"));
    let short = Config { limit_entry: PerBar::Array(&[0.1; 4]), ..Config::default() };
    assert!(error(short).contains("limit_entry has 4 rows, the data has 5"));
    let words = PerBar::Array(&[Accumulate::Both; 3]);
    let short = Config { accumulate: words, ..Config::default() };
    assert!(error(short).contains("accumulate has 3 rows, the data has 5"));
}
