//! Leverage, margin calls and what borrowing costs, worked by hand.

use backtest::config::{FeeTier, SizeType};
use backtest::engine::{Fill, OrderSize, Side, SizedOrders, fill_orders, simulate};
use backtest::records::for_each_trade;
use backtest::{Config, Direction, Mask, PerBar, Signals};
use market_data::Bars;

const DAY_NS: i64 = 86_400_000_000_000;
const LONG: Direction = Direction::LongOnly;
const SHORT: Direction = Direction::ShortOnly;

/// Daily bars of `(open, high, low, close)`.
fn bars(rows: &[[f64; 4]]) -> Bars {
    let column = |at: usize| rows.iter().map(|row| row[at]).collect();
    Bars {
        timestamp: (0..rows.len() as i64).map(|day| day * DAY_NS).collect(),
        open: column(0),
        high: column(1),
        low: column(2),
        close: column(3),
        volume: vec![1.0; rows.len()],
    }
}

/// Bars without a range.
fn closes(prices: &[f64]) -> Bars {
    bars(&prices.iter().map(|&price| [price; 4]).collect::<Vec<_>>())
}

/// Fills of entries and exits at the given bars.
fn fills(bars: &Bars, entries: &[usize], exits: &[usize], config: &Config<'_>) -> Vec<Fill> {
    let mask = |at: &[usize]| {
        let mut mask = Mask::new(bars.len());
        at.iter().for_each(|&bar| mask.set(bar));
        mask
    };
    let signals = Signals::new(mask(entries), mask(exits), config.direction);
    backtest::check(&bars.view(), &signals, config).unwrap();
    let mut fills = Vec::new();
    simulate(&bars.view(), &signals, config, &mut fills).unwrap();
    fills
}

fn near(a: f64, b: f64) {
    assert!((a - b).abs() < 1e-9, "{a}, not {b}");
}

fn config(direction: Direction) -> Config<'static> {
    Config { init_cash: 1_000.0, direction, ..Config::default() }
}

#[test]
fn leverage_buys_more_than_cash_pays() {
    let config = Config { leverage: 3.0, ..config(LONG) };
    let fills = fills(&closes(&[10.0, 12.0, 11.0]), &[0], &[2], &config);
    near(fills[0].order.size, 300.0);
    near(fills[0].account.cash, -2_000.0);
    // 300 x 11 - 2,000: three times the price's 10 percent.
    near(fills[1].account.cash, 1_300.0);
}

#[test]
fn leverage_counts_fees_and_what_is_held() {
    let config = Config { leverage: 2.0, fees: 0.25.into(), ..config(LONG) };
    let fills = fills(&closes(&[10.0, 10.0]), &[0], &[], &config);
    // 2,000 pay for 1,600 and a quarter of it.
    near(fills[0].order.size, 160.0);
    near(fills[0].order.fees, 400.0);
    // 60 held of 1,000 cash at 10: worth 1,000, twice that is 2,000, of which 600 are in use.
    let orders = SizedOrders {
        size: PerBar::Array(&[60.0, f64::INFINITY]),
        size_type: OrderSize::Amount.into(),
        direction: LONG.into(),
    };
    let config = Config { fees: 0.0.into(), ..config };
    let mut fills = Vec::new();
    fill_orders(&closes(&[10.0, 10.0]).view(), &orders, &config, &mut fills).unwrap();
    near(fills[1].order.size, 140.0);
}

#[test]
fn leverage_bounds_shorts_of_any_size() {
    let all = Config { leverage: 2.0, ..config(SHORT) };
    near(fills(&closes(&[10.0, 10.0]), &[0], &[], &all)[0].order.size, 200.0);
    let fixed = Config { size: 500.0.into(), ..all };
    near(fills(&closes(&[10.0, 10.0]), &[0], &[], &fixed)[0].order.size, 200.0);
    let value = Config { size: 1_500.0.into(), size_type: SizeType::Value.into(), ..all };
    near(fills(&closes(&[10.0, 10.0]), &[0], &[], &value)[0].order.size, 150.0);
}

#[test]
fn a_margin_call_closes_a_long_where_its_margin_is_gone() {
    let config =
        Config { leverage: 2.0, maintenance_margin: 0.25, slippage: 0.0.into(), ..config(LONG) };
    // 200 units, 1,000 lent: 200 p - 1,000 = 50 p at p = 1,000 / 150.
    let call = 1_000.0 / 150.0;
    let calm = [10.0, 10.0, 6.7, 8.0];
    let within = bars(&[[10.0; 4], calm, [8.0, 8.0, 6.5, 7.0]]);
    let found = fills(&within, &[0], &[], &config);
    assert_eq!((found.len(), found[1].order.bar), (2, 2));
    near(found[1].order.price, call);
    near(found[1].account.cash, 200.0 * call - 1_000.0);
    // An open beyond it fills at the open, with slippage.
    let gap = bars(&[[10.0; 4], [6.0, 6.5, 5.9, 6.2]]);
    let found = fills(&gap, &[0], &[], &Config { slippage: 0.01.into(), ..config });
    near(found[1].order.price, 6.0 * 0.99);
    // A stop loss above it is met first, and fills as stops do.
    let found = fills(&within, &[0], &[], &Config { sl_stop: 0.1.into(), ..config });
    near(found[1].order.price, 9.0);
    assert_eq!(found[1].order.bar, 1);
    // One below it is not reached; reversing is for stops, not for margin calls.
    let reverse = backtest::config::StopExit::Reverse.into();
    let far = Config { sl_stop: 0.5.into(), upon_stop_exit: reverse, ..config };
    let found = fills(&within, &[0], &[], &far);
    near(found[1].order.price, call);
    assert_eq!((found.len(), found[1].account.position), (2, 0.0));
}

#[test]
fn a_margin_call_closes_a_short() {
    // Cash 2,000 and 100 short: 2,000 - 100 p = 25 p at p = 16.
    let config = Config { maintenance_margin: 0.25, ..config(SHORT) };
    let rows = bars(&[[10.0; 4], [10.0, 15.9, 9.0, 15.0], [15.0, 17.0, 14.0, 15.0]]);
    let found = fills(&rows, &[0], &[], &config);
    assert_eq!((found.len(), found[1].order.bar), (2, 2));
    near(found[1].order.price, 16.0);
    // Without leverage none was asked for; with it, the account is closed when it is worth nothing.
    assert_eq!(
        fills(&rows, &[0], &[], &Config { maintenance_margin: f64::NAN, ..config }).len(),
        1
    );
    let rows = bars(&[[10.0; 4], [10.0, 15.9, 9.0, 15.0], [15.0, 17.0, 14.0, 15.0]]);
    let double = Config { leverage: 2.0, maintenance_margin: f64::NAN, ..config };
    let found = fills(&rows, &[0], &[], &double);
    near(found[1].order.price, 15.0);
    near(found[1].account.cash, 0.0);
}

#[test]
fn sized_orders_are_called_too() {
    let orders = SizedOrders {
        size: PerBar::Array(&[200.0, f64::NAN, 5.0]),
        size_type: OrderSize::Amount.into(),
        direction: LONG.into(),
    };
    let config = Config { leverage: 2.0, maintenance_margin: 0.25, ..config(LONG) };
    let rows = bars(&[[10.0; 4], [9.0, 9.0, 8.0, 8.0], [7.0, 7.0, 6.0, 6.5]]);
    let mut fills = Vec::new();
    fill_orders(&rows.view(), &orders, &config, &mut fills).unwrap();
    assert_eq!((fills.len(), fills[1].order.side), (2, Side::Sell));
    near(fills[1].order.price, 1_000.0 / 150.0);
}

#[test]
fn a_short_pays_for_every_day_at_the_first_bar_of_the_next() {
    let config = Config { borrow_rate: 0.365, ..config(SHORT) };
    let mut bars = closes(&[10.0, 12.0, 11.0, 11.0]);
    // The second day has two bars, then two days are missing.
    bars.timestamp = vec![0, DAY_NS, DAY_NS + 60_000_000_000, 4 * DAY_NS];
    let found = fills(&bars, &[0], &[3], &config);
    let charges: Vec<_> = found.iter().filter(|fill| fill.is_charge()).collect();
    assert_eq!(charges.iter().map(|fill| fill.order.bar).collect::<Vec<_>>(), [1, 3]);
    // 100 units at 10 for a day at 0.1 percent, then at 11 for three.
    near(charges[0].order.fees, 1.0);
    near(charges[1].order.fees, 3.3);
    near(charges[1].account.cash, 2_000.0 - 4.3);
    // The order of the bar comes after the charge, and the trade bears both.
    assert_eq!(found[3].order.side, Side::Buy);
    let mut pnl = f64::NAN;
    for_each_trade(&found, 11.0, 4, |trade| pnl = trade.pnl());
    near(pnl, -100.0 - 4.3);
    // A long borrows nothing.
    assert_eq!(fills(&bars, &[0], &[3], &Config { direction: LONG, ..config }).len(), 2);
}

#[test]
fn lent_cash_pays_interest_and_brings_the_margin_call_nearer() {
    let config =
        Config { leverage: 2.0, margin_rate: 3.65, maintenance_margin: 0.25, ..config(LONG) };
    let rows = bars(&[[10.0; 4], [10.0; 4], [10.0, 10.0, 6.7, 8.0]]);
    let found = fills(&rows, &[0], &[], &config);
    // 1 percent a day of 1,000, then of 1,010.
    near(found[1].order.fees, 10.0);
    near(found[2].order.fees, 10.1);
    // 200 p - 1,020.1 = 50 p, above the low of 6.7.
    assert_eq!((found.len(), found[3].order.bar), (4, 2));
    near(found[3].order.price, 1_020.1 / 150.0);
}

#[test]
fn tiers_go_by_the_value_traded_in_the_month() {
    let tiers = [
        FeeTier { from: 0.0, fees: 0.01 },
        FeeTier { from: 500.0, fees: 0.005 },
        FeeTier { from: 2_000.0, fees: 0.001 },
    ];
    let config = Config { fee_tiers: &tiers, fixed_fees: 1.0.into(), ..config(LONG) };
    let mut bars = closes(&[10.0; 5]);
    // The last bar is in February.
    bars.timestamp[4] = 40 * DAY_NS;
    let orders = SizedOrders {
        size: PerBar::Array(&[49.0, 1.0, 10.0, -60.0, 10.0]),
        size_type: OrderSize::Amount.into(),
        direction: LONG.into(),
    };
    config.check(5).unwrap();
    let mut fills = Vec::new();
    fill_orders(&bars.view(), &orders, &config, &mut fills).unwrap();
    let fees: Vec<f64> = fills.iter().map(|fill| fill.order.fees).collect();
    // 490 at 1 %; 10 at 1 %, since 490 are below 500; 100 and 600 at 0.5 %; and 100 at 1 % again.
    for (fees, expected) in fees.iter().zip([5.9, 1.1, 1.5, 4.0, 2.0]) {
        near(*fees, expected);
    }
    // All cash pays for size and the tier's fees.
    let orders = SizedOrders { size: f64::INFINITY.into(), ..orders };
    fill_orders(&bars.view(), &orders, &config, &mut fills).unwrap();
    near(fills[0].order.size, 999.0 / 10.1);
}

#[test]
fn numbers_out_of_range_are_refused() {
    let default = Config::default();
    let tier = |from, fees| [FeeTier { from, fees }];
    let (late, dear) = (tier(5.0, 0.1), tier(0.0, 1.1));
    let twice = [tier(0.0, 0.1), tier(0.0, 0.05)].concat();
    for (config, word) in [
        (Config { leverage: 0.5, ..default }, "leverage is 0.5"),
        (Config { leverage: 2.0, lock_cash: true.into(), ..default }, "lock_cash"),
        (Config { leverage: 2.0, maintenance_margin: 0.5, ..default }, "below 1 / leverage"),
        (Config { borrow_rate: -0.1, ..default }, "borrow_rate is -0.1"),
        (Config { margin_rate: f64::NAN, ..default }, "margin_rate is NaN"),
        (Config { fee_tiers: &late, ..default }, "from 0 on"),
        (Config { fee_tiers: &dear, ..default }, "fee_tiers is 1.1"),
        (Config { fee_tiers: &twice, ..default }, "ascending"),
        (Config { size_granularity: 0.0.into(), ..default }, "size_granularity is 0"),
    ] {
        let error = config.check(5).unwrap_err().to_string();
        assert!(error.contains(word), "no '{word}' in: {error}");
    }
}
