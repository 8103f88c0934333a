//! One symbol's bars as columns, owned and borrowed.

use std::ops::Range;

/// OHLCV bars of one symbol, one `Vec` per column, all of the same length.
///
/// Timestamps are nanoseconds since the Unix epoch, UTC, and mark the start of the bar. A missing
/// price or volume is NaN.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Bars {
    /// Start of the bar in nanoseconds since the Unix epoch, UTC.
    pub timestamp: Vec<i64>,
    /// First trade's price.
    pub open: Vec<f64>,
    /// Highest trade's price.
    pub high: Vec<f64>,
    /// Lowest trade's price.
    pub low: Vec<f64>,
    /// Last trade's price.
    pub close: Vec<f64>,
    /// Traded quantity.
    pub volume: Vec<f64>,
}

impl Bars {
    /// Bars with room for `rows` rows in every column.
    #[must_use]
    pub fn with_capacity(rows: usize) -> Self {
        Self {
            timestamp: Vec::with_capacity(rows),
            open: Vec::with_capacity(rows),
            high: Vec::with_capacity(rows),
            low: Vec::with_capacity(rows),
            close: Vec::with_capacity(rows),
            volume: Vec::with_capacity(rows),
        }
    }

    /// Number of bars.
    #[must_use]
    pub fn len(&self) -> usize {
        self.timestamp.len()
    }

    /// Whether there is no bar.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.timestamp.is_empty()
    }

    /// Bytes that the columns hold.
    #[must_use]
    pub fn bytes(&self) -> usize {
        self.view().bytes()
    }

    /// Appends row `row` of `bars`.
    pub(crate) fn push(&mut self, bars: &BarsView<'_>, row: usize) {
        self.timestamp.push(bars.timestamp[row]);
        self.open.push(bars.open[row]);
        self.high.push(bars.high[row]);
        self.low.push(bars.low[row]);
        self.close.push(bars.close[row]);
        self.volume.push(bars.volume[row]);
    }

    /// All bars, borrowed.
    #[must_use]
    pub fn view(&self) -> BarsView<'_> {
        BarsView {
            timestamp: &self.timestamp,
            open: &self.open,
            high: &self.high,
            low: &self.low,
            close: &self.close,
            volume: &self.volume,
        }
    }
}

/// Borrowed bars: six slices of one length. Copying or cutting it copies no column.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct BarsView<'a> {
    /// Start of the bar in nanoseconds since the Unix epoch, UTC.
    pub timestamp: &'a [i64],
    /// First trade's price.
    pub open: &'a [f64],
    /// Highest trade's price.
    pub high: &'a [f64],
    /// Lowest trade's price.
    pub low: &'a [f64],
    /// Last trade's price.
    pub close: &'a [f64],
    /// Traded quantity.
    pub volume: &'a [f64],
}

impl<'a> BarsView<'a> {
    /// Number of bars.
    #[must_use]
    pub fn len(&self) -> usize {
        self.timestamp.len()
    }

    /// Whether there is no bar.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.timestamp.is_empty()
    }

    /// Bytes that the columns hold.
    #[must_use]
    pub fn bytes(&self) -> usize {
        self.len() * (size_of::<i64>() + 5 * size_of::<f64>())
    }

    /// The bars at `rows`, in O(1).
    ///
    /// # Panics
    /// When `rows` reaches past the end, as slicing does.
    #[must_use]
    pub fn slice(&self, rows: Range<usize>) -> BarsView<'a> {
        BarsView {
            timestamp: &self.timestamp[rows.clone()],
            open: &self.open[rows.clone()],
            high: &self.high[rows.clone()],
            low: &self.low[rows.clone()],
            close: &self.close[rows.clone()],
            volume: &self.volume[rows],
        }
    }

    /// The bars whose timestamp lies in `from..to` (nanoseconds), in O(log n). Timestamps must be
    /// sorted, as [`crate::load`] ensures.
    #[must_use]
    pub fn between(&self, from: i64, to: i64) -> BarsView<'a> {
        let start = self.timestamp.partition_point(|&t| t < from);
        let end = self.timestamp.partition_point(|&t| t < to);
        self.slice(start..end.max(start))
    }

    /// An owned copy of the columns.
    #[must_use]
    pub fn to_owned(&self) -> Bars {
        Bars {
            timestamp: self.timestamp.to_vec(),
            open: self.open.to_vec(),
            high: self.high.to_vec(),
            low: self.low.to_vec(),
            close: self.close.to_vec(),
            volume: self.volume.to_vec(),
        }
    }
}
