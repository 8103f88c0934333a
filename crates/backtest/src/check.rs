//! What must hold before a simulation starts.

use std::borrow::Cow;

use market_data::BarsView;

use crate::{BacktestError, Config, Signals};

/// Checks bars, signals and options against each other. NaN prices are permitted (a bar without
/// trades); zero, negative and infinite ones are not. O(bars).
///
/// # Errors
/// [`BacktestError`] naming the column, row or option.
pub fn check(
    bars: &BarsView<'_>,
    signals: &Signals,
    config: &Config<'_>,
) -> Result<(), BacktestError> {
    if bars.is_empty() {
        return Err(BacktestError::NoBars);
    }
    let columns =
        [("open", bars.open), ("high", bars.high), ("low", bars.low), ("close", bars.close)];
    for (column, prices) in columns {
        if prices.len() != bars.len() {
            let (length, bars) = (prices.len(), bars.len());
            return Err(BacktestError::Length { what: column, length, bars });
        }
        // A NaN is not wrong: both comparisons leave it out. Chunks are looked at whole, which
        // vectorises; the row is only searched for where there is one.
        let is_wrong = |price: f64| (price <= 0.0) | (price == f64::INFINITY);
        let has_wrong = |chunk: &[f64]| chunk.iter().fold(false, |any, &p| any | is_wrong(p));
        if let Some(chunk) = prices.chunks(1024).position(has_wrong) {
            let within = prices[chunk * 1024..].iter().position(|&price| is_wrong(price));
            let bar = chunk * 1024 + within.unwrap_or_default();
            return Err(BacktestError::Price { column, value: prices[bar], bar });
        }
    }
    signals.check(bars.len())?;
    config.check(bars.len())
}

/// `close` with every NaN replaced by the last price before it (the first price after it, at the
/// start), which is what equity is valued at. Borrows where there is no NaN.
#[must_use]
pub fn fill_close(close: &[f64]) -> Cow<'_, [f64]> {
    if !close.iter().any(|price| price.is_nan()) {
        return Cow::Borrowed(close);
    }
    let mut last = close.iter().copied().find(|price| !price.is_nan()).unwrap_or(f64::NAN);
    let filled = close.iter().map(|&price| {
        if !price.is_nan() {
            last = price;
        }
        last
    });
    Cow::Owned(filled.collect())
}
