//! What must hold before a simulation starts.

use std::borrow::Cow;

use market_data::BarsView;
use multiversion::multiversion;
use rayon::prelude::*;

use crate::{BacktestError, Config, Signals};

/// Checks bars, signals and options against each other. NaN prices are permitted (a bar without
/// trades); zero, negative and infinite ones are not, in the columns that the options make the
/// simulation read: closes, and all four where there are stops or entries that wait. O(bars).
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
        if !config.reads_candles() && column != "close" {
            continue;
        }
        if let Some(bar) = first_wrong_on_all_cores(prices) {
            return Err(BacktestError::Price { column, value: prices[bar], bar });
        }
    }
    signals.check(bars.len())?;
    config.check(bars.len())
}

/// As [`first_wrong`], each core a part: one core waits for the memory.
fn first_wrong_on_all_cores(prices: &[f64]) -> Option<usize> {
    /// Fewer prices are read before another core has woken up.
    const PART: usize = 1 << 16;
    let part = |(at, part): (usize, &[f64])| first_wrong(part).map(|within| at * PART + within);
    if prices.len() <= PART {
        return first_wrong(prices);
    }
    prices.par_chunks(PART).enumerate().find_map_first(part)
}

/// The first price that is 0, negative or infinite.
///
/// Chunks are looked at whole, which vectorises; the row is only searched for where there is one. A
/// NaN is not wrong: comparisons leave it out.
#[multiversion(targets("x86_64+avx512f+avx512vl+avx512dq", "x86_64+avx2", "aarch64+neon"))]
fn first_wrong(prices: &[f64]) -> Option<usize> {
    let is_wrong = |price: f64| (price <= 0.0) | (price == f64::INFINITY);
    let has_wrong =
        |chunk: &[f64]| chunk.iter().fold(false, |wrong, &price| wrong | is_wrong(price));
    let chunk = prices.chunks(1024).position(has_wrong)? * 1024;
    prices[chunk..].iter().position(|&price| is_wrong(price)).map(|within| chunk + within)
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_wrong_price_is_found_wherever_it_is() {
        let mut prices = vec![100.0; 300_001];
        prices[5] = f64::NAN;
        assert_eq!(first_wrong_on_all_cores(&prices), None);
        for (bar, wrong) in [(300_000, 0.0), (131_072, -1.0), (131_071, f64::INFINITY), (0, -0.0)] {
            prices[bar] = wrong;
            assert_eq!(first_wrong_on_all_cores(&prices), Some(bar));
            assert_eq!(first_wrong(&prices), Some(bar));
        }
    }
}
