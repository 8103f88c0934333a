//! Commission schedules, worked by hand.

use backtest::engine::{Fill, OrderSize, SizedOrders, fill_orders};
use backtest::{Config, Direction, PerBar};
use market_data::Bars;

/// Fills of `sizes`, one order a bar, at a price of 10 and then 12.
fn fills(sizes: &[f64], config: &Config<'_>) -> Vec<Fill> {
    let prices: Vec<f64> = (0..sizes.len()).map(|bar| if bar == 0 { 10.0 } else { 12.0 }).collect();
    let bars = Bars {
        timestamp: (0..sizes.len() as i64).collect(),
        open: prices.clone(),
        high: prices.clone(),
        low: prices.clone(),
        volume: prices.clone(),
        close: prices,
    };
    config.check(sizes.len()).unwrap();
    let orders = SizedOrders {
        size: PerBar::Array(sizes),
        size_type: OrderSize::Amount.into(),
        direction: config.direction.into(),
    };
    let mut fills = Vec::new();
    fill_orders(&bars.view(), &orders, config, &mut fills).unwrap();
    fills
}

fn near(a: f64, b: f64) {
    assert!((a - b).abs() < 1e-9, "{a}, not {b}");
}

fn config() -> Config<'static> {
    Config { init_cash: 1_000.0, direction: Direction::LongOnly, ..Config::default() }
}

#[test]
fn a_fee_per_unit_comes_beside_the_others() {
    let config =
        Config { fees: 0.01.into(), fixed_fees: 2.0.into(), fees_per_unit: 0.05, ..config() };
    let fills = fills(&[20.0, -20.0], &config);
    // 1 % of 200, 2, and 20 times 0.05.
    near(fills[0].order.fees, 5.0);
    near(fills[0].account.cash, 795.0);
    // 1 % of 240, 2, and 1.
    near(fills[1].order.fees, 5.4);
    near(fills[1].account.cash, 1_029.6);
}

#[test]
fn an_order_costs_the_minimum_at_least() {
    let config = Config { fees: 0.01.into(), min_fees: 3.0, ..config() };
    let fills = fills(&[20.0, 50.0, -60.0], &config);
    near(fills[0].order.fees, 3.0);
    near(fills[1].order.fees, 6.0);
    near(fills[2].order.fees, 7.2);
}

#[test]
fn all_cash_pays_for_size_and_fees() {
    let per_unit = Config { fees_per_unit: 0.5, fixed_fees: 1.5.into(), ..config() };
    let bought = fills(&[f64::INFINITY], &per_unit)[0];
    // 998.5 over 10.5.
    near(bought.order.size, 998.5 / 10.5);
    near(bought.account.cash, 0.0);
    let least = Config { fees: 0.001.into(), min_fees: 10.0, ..config() };
    let bought = fills(&[f64::INFINITY], &least)[0];
    near(bought.order.size, 99.0);
    near(bought.order.fees, 10.0);
    near(bought.account.cash, 0.0);
    // Where the schedule is above the minimum, the minimum changes nothing.
    let plain = Config { fees: 0.1.into(), ..config() };
    let least = Config { min_fees: 1.0, ..plain };
    near(
        fills(&[f64::INFINITY], &least)[0].order.size,
        fills(&[f64::INFINITY], &plain)[0].order.size,
    );
    let poor = Config { min_fees: 2_000.0, ..config() };
    assert!(fills(&[f64::INFINITY], &poor).is_empty(), "cash does not cover the minimum");
}

#[test]
fn the_largest_short_leaves_room_for_its_fees() {
    let config =
        Config { fees_per_unit: 0.5, min_fees: 4.0, direction: Direction::ShortOnly, ..config() };
    let sold = fills(&[f64::INFINITY], &config)[0];
    near(sold.order.size, 996.0 / 10.5);
    near(sold.order.fees, 996.0 / 10.5 * 0.5);
    assert!(sold.account.free_cash >= 0.0);
}
