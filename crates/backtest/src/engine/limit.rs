//! Entries that wait at a price.

use std::ops::Range;

use market_data::BarsView;

use super::Hit;
use super::stops::Candle;
use crate::config::{Accumulate, SizeType};
use crate::signals::BarSignals;

/// An entry that waits for its price. Sizes are those of the signal's bar.
#[derive(Debug, Clone, Copy)]
pub(super) struct Resting {
    pub(super) is_long: bool,
    pub(super) price: f64,
    pub(super) size: f64,
    pub(super) size_type: SizeType,
    pub(super) accumulate: Accumulate,
    /// The last bar in which it may fill, counted from the run's first.
    pub(super) last_bar: usize,
}

impl Resting {
    /// The first bar in `range` that reaches the price. `offset` is the run's bar at which `bars`
    /// begin.
    pub(super) fn scan(
        &self,
        bars: &BarsView<'_>,
        range: Range<usize>,
        offset: usize,
    ) -> Option<Hit> {
        let end = range.end.min((self.last_bar + 1).saturating_sub(offset));
        (range.start..end).find_map(|bar| {
            let price = Candle::at(bars, bar).reached(self.price, self.is_long)?;
            Some(Hit { bar, price, is_call: false })
        })
    }

    /// The entry as the signal that it came from.
    pub(super) fn signals(&self) -> BarSignals {
        BarSignals { long_entry: self.is_long, short_entry: !self.is_long, ..BarSignals::default() }
    }

    /// Whether `signals` have an exit of its direction.
    pub(super) fn is_cancelled_by(&self, signals: BarSignals) -> bool {
        if self.is_long { signals.long_exit } else { signals.short_exit }
    }
}
