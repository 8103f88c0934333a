//! A run in spans of bars, where what one span leaves matters in a span that asks for none.

use backtest::engine::{Fill, Simulation, simulate};
use backtest::{Config, Direction, Mask, PerBar, Signals};
use market_data::Bars;

const CLOSE: [f64; 5] = [100.0, 100.0, 100.0, 99.0, 80.0];

fn bars() -> Bars {
    let low = CLOSE.iter().map(|close| close - 0.5).collect();
    Bars {
        timestamp: (0..CLOSE.len() as i64).collect(),
        open: CLOSE.to_vec(),
        high: CLOSE.to_vec(),
        low,
        close: CLOSE.to_vec(),
        volume: vec![1.0; CLOSE.len()],
    }
}

fn signals([entries, exits]: [&[usize]; 2], from: usize, to: usize) -> Signals {
    let mask = |at: &[usize]| {
        let mut mask = Mask::new(to - from);
        at.iter().filter(|bar| (from..to).contains(bar)).for_each(|bar| mask.set(bar - from));
        mask
    };
    Signals::new(mask(entries), mask(exits), Direction::LongOnly)
}

/// The fills of the whole, and of the bars up to `cut` and from there on.
fn both(at: [&[usize]; 2], cut: usize, config: &Config<'_>) -> [Vec<Fill>; 2] {
    let (bars, end) = (bars(), CLOSE.len());
    let mut whole = Vec::new();
    simulate(&bars.view(), &signals(at, 0, end), config, &mut whole).unwrap();
    let (mut split, mut simulation) = (Vec::new(), Simulation::new(config.init_cash));
    for span in [0..cut, cut..end] {
        let signals = signals(at, span.start, span.end);
        let bars = bars.view().slice(span.clone());
        simulation.extend(&bars, &signals, &config.slice(span), &mut split).unwrap();
    }
    [whole, split]
}

#[test]
fn an_exit_cancels_an_entry_that_has_waited_since_the_span_before() {
    let limits = [0.01, f64::NAN, f64::NAN, f64::NAN, f64::NAN];
    let config = Config { limit_entry: PerBar::Array(&limits), ..Config::default() };
    let [whole, split] = both([&[0], &[1]], 1, &config);
    assert_eq!(whole, []);
    assert_eq!(split, []);
    // Without the exit it fills at its price.
    let [whole, split] = both([&[0], &[]], 1, &config);
    assert_eq!(whole.iter().map(|fill| fill.order.price).collect::<Vec<_>>(), [99.0]);
    assert_eq!(split, whole);
}

#[test]
fn a_stop_ends_with_its_position() {
    let stops = [0.1, f64::NAN, f64::NAN, f64::NAN, f64::NAN];
    let config = Config { sl_stop: PerBar::Array(&stops), ..Config::default() };
    // In with a stop at 90, out, and in again without one before the price falls to 80.
    let [whole, split] = both([&[0, 2], &[1]], 1, &config);
    assert_eq!(whole.iter().map(|fill| fill.order.bar).collect::<Vec<_>>(), [0, 1, 2]);
    assert_eq!(split, whole);
    // The position of the first bar meets it in the second span.
    let [whole, split] = both([&[0], &[]], 1, &config);
    assert_eq!(whole.iter().map(|fill| fill.order.bar).collect::<Vec<_>>(), [0, 4]);
    assert_eq!(split, whole);
}
