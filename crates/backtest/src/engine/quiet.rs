//! Bars that reach no stop, passed eight at a time.

use std::ops::Range;

use market_data::BarsView;
use multiversion::multiversion;

/// Bars that are tested together: one AVX-512 register a column.
pub(super) const LANES: usize = 8;

/// The prices that a stop loss, trailing or not, and a take profit keep a position between.
#[derive(Debug, Clone, Copy)]
pub(super) struct Band {
    pub(super) is_long: bool,
    /// Price from which the loss is measured; a trail moves it.
    pub(super) base: f64,
    /// What `base` is multiplied with for the price of the loss; NaN is no stop.
    pub(super) share: f64,
    pub(super) is_trailing: bool,
    /// The price of the take profit; NaN is none.
    pub(super) profit: f64,
}

impl Band {
    /// Passes the bars at the start of `span` that reach neither price, moving the trail, and gives
    /// the first bar that may reach one, or the end of the last whole eight. Bars with a missing
    /// price are not passed. O(bars passed / 8).
    pub(super) fn pass(&mut self, bars: &BarsView<'_>, span: Range<usize>) -> usize {
        let prices = [bars.open, bars.high, bars.low].map(|price| &price[span.clone()]);
        span.start + if self.is_trailing { trail(self, prices) } else { stand(self, prices) }
    }

    /// What lies strictly between these reaches nothing.
    #[inline(always)]
    fn limits(&self, base: f64) -> [f64; 2] {
        let or = |price: f64, none: f64| if price.is_nan() { none } else { price };
        let loss = base * self.share;
        if self.is_long {
            [or(loss, f64::NEG_INFINITY), or(self.profit, f64::INFINITY)]
        } else {
            [or(self.profit, f64::NEG_INFINITY), or(loss, f64::INFINITY)]
        }
    }
}

type Lanes = [f64; LANES];

/// The eights of the three columns from their start on.
#[inline(always)]
fn eights<'a>([open, high, low]: [&'a [f64]; 3]) -> impl Iterator<Item = [&'a Lanes; 3]> {
    let eights = |price: &'a [f64]| price.as_chunks::<LANES>().0.iter();
    eights(open).zip(eights(high)).zip(eights(low)).map(|((open, high), low)| [open, high, low])
}

/// Whether all prices lie between; NaN does not. The open is asked, too: a bar may open outside
/// its own range, and fills there.
#[inline(always)]
fn is_between([open, high, low]: [&Lanes; 3], [floor, ceiling]: [f64; 2]) -> bool {
    let within =
        |i: usize| (open[i] > floor) & (open[i] < ceiling) & (low[i] > floor) & (high[i] < ceiling);
    (0..LANES).fold(true, |all, i| all & within(i))
}

#[multiversion(targets("x86_64+avx512f+avx512vl+avx512dq", "x86_64+avx2", "aarch64+neon"))]
fn stand(band: &Band, prices: [&[f64]; 3]) -> usize {
    let limits = band.limits(band.base);
    LANES * eights(prices).take_while(|&prices| is_between(prices, limits)).count()
}

/// Where even the loss that the eight's best price moves the trail to is reached by none, the
/// losses before it, which lie further away, were not.
#[multiversion(targets("x86_64+avx512f+avx512vl+avx512dq", "x86_64+avx2", "aarch64+neon"))]
fn trail(band: &mut Band, prices: [&[f64]; 3]) -> usize {
    let mut passed = 0;
    for prices in eights(prices) {
        let [_, high, low] = prices;
        let base = if band.is_long {
            high.iter().fold(band.base, |best, &price| if price > best { price } else { best })
        } else {
            low.iter().fold(band.base, |best, &price| if price < best { price } else { best })
        };
        if !is_between(prices, band.limits(base)) {
            break;
        }
        band.base = base;
        passed += LANES;
    }
    passed
}
