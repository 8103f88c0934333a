//! Orders that the user sizes bar by bar, as VectorBT's `Portfolio.from_orders`.

use market_data::BarsView;
use serde::{Deserialize, Serialize};

use super::account::{Limits, Request};
use super::book::Book;
use super::decide::Decision;
use super::stops::{Candle, call_price};
use super::{Account, Fill, Side};
use crate::config::check::length;
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
    pub size_type: PerBar<'a, OrderSize>,
    /// Which positions orders may open: long-only sells and short-only buys only close.
    pub direction: PerBar<'a, Direction>,
}

impl SizedOrders<'_> {
    /// Checks that every array has a value per bar.
    ///
    /// # Errors
    /// [`BacktestError::Length`] naming what has not.
    pub fn check(&self, bars: usize) -> Result<(), BacktestError> {
        length("order sizes", &self.size, bars)?;
        length("order size types", &self.size_type, bars)?;
        length("order directions", &self.direction, bars)
    }
}

/// Fills `orders` over `bars` and writes each, with the account it left, to `fills` (cleared
/// first). Of `config`, prices, costs, limits and lending count; a margin call takes its bar's order.
/// Values and shares are taken at the order price. O(bars).
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
    orders.check(bars.len())?;
    fills.clear();
    let mut book = Book::new(config.init_cash);
    for bar in 0..bars.len() {
        if book.next_charge(bars, config, bar..bar + 1).is_some() {
            fills.push(book.charge(bars, config, bar, 0));
        }
        let Some((decision, price)) = call(bars, config, bar, &book.account)
            .or_else(|| orders.decide(bars, config, bar, &book.account))
        else {
            continue;
        };
        let limits = Limits { fees: book.fees(bars, config, bar), ..Limits::at(config, bar) };
        let request = Request::new(bar, &decision, price, &limits);
        if let Some(order) = book.execute(bars, config, &request) {
            fills.push(Fill { order, account: book.account });
        }
    }
    Ok(())
}

/// The margin call of `bar`, where there is one.
fn call(
    bars: &BarsView<'_>,
    config: &Config<'_>,
    bar: usize,
    account: &Account,
) -> Option<(Decision, f64)> {
    let price = call_price(account, config.margin_share());
    if price.is_nan() {
        return None;
    }
    let price = Candle::at(bars, bar).reached(price, account.position > 0.0)?;
    Some((Decision::close(account.position), price))
}

impl SizedOrders<'_> {
    /// What `bar` asks for, and at which price.
    fn decide(
        &self,
        bars: &BarsView<'_>,
        config: &Config<'_>,
        bar: usize,
        account: &Account,
    ) -> Option<(Decision, f64)> {
        let price = config.price.at(bar);
        let price = if price == f64::INFINITY { bars.close[bar] } else { price };
        let direction = self.direction.at(bar);
        let (size, percent) = self.units(bar, price, account, direction);
        if size.is_nan() || price.is_nan() {
            return None;
        }
        let side = if size > 0.0 { Side::Buy } else { Side::Sell };
        let reduce_only = match direction {
            Direction::LongOnly => side == Side::Sell,
            Direction::ShortOnly => side == Side::Buy,
            Direction::Both => false,
        };
        let (size, value) = (size.abs(), f64::NAN);
        Some((Decision { side, size, percent, value, reduce_only }, price))
    }

    /// Signed units at `bar` and the share of what is at hand, NaN being all.
    fn units(&self, bar: usize, price: f64, account: &Account, direction: Direction) -> (f64, f64) {
        let size = self.size.at(bar);
        let size = if direction == Direction::ShortOnly { -size } else { size };
        let units = match self.size_type.at(bar) {
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
