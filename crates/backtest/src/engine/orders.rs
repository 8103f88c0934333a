//! Orders that the user sizes bar by bar, as VectorBT's `Portfolio.from_orders`.

use market_data::BarsView;
use serde::{Deserialize, Serialize};

use super::account::{Limits, Request};
use super::{Account, Fill, Side};
use crate::{BacktestError, Config, Direction, PerBar};

/// The unit of an order's size.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum OrderSize {
    /// Units of the asset.
    #[default]
    Amount,
    /// Cash.
    Value,
    /// Share of what is at hand: cash for a buy, the position for a sale that closes.
    Percent,
    /// Units to hold afterwards.
    TargetAmount,
    /// Cash value to hold afterwards.
    TargetValue,
    /// Share of the account's value to hold afterwards.
    TargetPercent,
}

/// An order at every bar whose size is not NaN.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct SizedOrders<'a> {
    /// Size in the unit of `size_type`: above 0 buys, below 0 sells, infinite takes all there is,
    /// NaN is no order. For short-only the signs are exchanged: above 0 opens shorts.
    pub size: PerBar<'a>,
    /// Unit of `size`.
    pub size_type: OrderSize,
}

/// Fills `orders` over `bars` and writes each, with the account it left, to `fills` (cleared
/// first). Of `config`, prices, costs, limits and the direction count: long-only sells and
/// short-only buys only close. Values and shares are taken at the order price. O(bars).
///
/// # Errors
/// [`BacktestError::Length`] where sizes are not as many as bars. Bars and options are the caller's
/// to check ([`crate::check`]).
pub fn fill_orders(
    bars: &BarsView<'_>,
    orders: &SizedOrders<'_>,
    config: &Config<'_>,
    fills: &mut Vec<Fill>,
) -> Result<(), BacktestError> {
    if let PerBar::Array(sizes) = orders.size
        && sizes.len() != bars.len()
    {
        let (length, bars) = (sizes.len(), bars.len());
        return Err(BacktestError::Length { what: "order sizes", length, bars });
    }
    fills.clear();
    let mut account = Account::new(config.init_cash);
    for bar in 0..bars.len() {
        let price = config.price.at(bar);
        let price = if price == f64::INFINITY { bars.close[bar] } else { price };
        let (size, percent) = orders.units(bar, price, &account, config.direction);
        if size.is_nan() || price.is_nan() {
            continue;
        }
        let side = if size > 0.0 { Side::Buy } else { Side::Sell };
        let reduce_only = match config.direction {
            Direction::LongOnly => side == Side::Sell,
            Direction::ShortOnly => side == Side::Buy,
            Direction::Both => false,
        };
        let size = size.abs();
        let limits = limits(config, bar);
        let request = Request { bar, side, size, percent, price, reduce_only, limits };
        if let Some(order) = account.execute(&request) {
            fills.push(Fill { order, account });
        }
    }
    Ok(())
}

fn limits(config: &Config<'_>, bar: usize) -> Limits {
    Limits {
        fees: config.fees.at(bar),
        fixed_fees: config.fixed_fees.at(bar),
        fees_per_unit: config.fees_per_unit,
        min_fees: config.min_fees,
        slippage: config.slippage.at(bar),
        min_size: config.min_size,
        max_size: config.max_size,
        granularity: config.size_granularity,
        allow_partial: config.allow_partial,
        lock_cash: config.lock_cash,
    }
}

impl SizedOrders<'_> {
    /// Signed units at `bar` and the share of what is at hand, NaN being all.
    fn units(&self, bar: usize, price: f64, account: &Account, direction: Direction) -> (f64, f64) {
        let size = self.size.at(bar);
        let size = if direction == Direction::ShortOnly { -size } else { size };
        let units = match self.size_type {
            OrderSize::Amount => size,
            OrderSize::Value => size / price,
            OrderSize::Percent => return (size.signum() * f64::INFINITY * size.abs(), size.abs()),
            OrderSize::TargetAmount => size - account.position,
            OrderSize::TargetValue => size / price - account.position,
            OrderSize::TargetPercent => {
                let value = account.cash + account.position * price;
                size * value / price - account.position
            }
        };
        (units, f64::NAN)
    }
}
