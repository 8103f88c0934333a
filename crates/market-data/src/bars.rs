//! One symbol's bars as columns, owned and borrowed.

use std::ops::Range;

/// OHLCV bars of one symbol, one `Vec` per column, all of the same length.
///
/// Timestamps are nanoseconds since the Unix epoch, UTC, and mark the start of the bar. A missing
/// price or volume is NaN. A column that a load left out ([`crate::Columns`]) is empty.
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

fn room<V>(rows: usize) -> Vec<V> {
    let mut column = Vec::with_capacity(rows);
    crate::ask_for_large_pages(column.spare_capacity_mut());
    column
}

impl Bars {
    /// Bars with room for `rows` rows in every column.
    #[must_use]
    pub fn with_capacity(rows: usize) -> Self {
        Self {
            timestamp: room(rows),
            open: room(rows),
            high: room(rows),
            low: room(rows),
            close: room(rows),
            volume: room(rows),
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
        self.open.extend(bars.open.get(row));
        self.high.extend(bars.high.get(row));
        self.low.extend(bars.low.get(row));
        self.close.extend(bars.close.get(row));
        self.volume.extend(bars.volume.get(row));
    }

    /// Appends `bars`.
    pub(crate) fn append(&mut self, bars: &BarsView<'_>) {
        self.timestamp.extend_from_slice(bars.timestamp);
        self.open.extend_from_slice(bars.open);
        self.high.extend_from_slice(bars.high);
        self.low.extend_from_slice(bars.low);
        self.close.extend_from_slice(bars.close);
        self.volume.extend_from_slice(bars.volume);
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
        let values = [self.open, self.high, self.low, self.close, self.volume];
        size_of_val(self.timestamp) + values.map(size_of_val).iter().sum::<usize>()
    }

    /// The bars at `rows`, in O(1).
    ///
    /// # Panics
    /// When `rows` reaches past the end, as slicing does.
    #[must_use]
    pub fn slice(&self, rows: Range<usize>) -> BarsView<'a> {
        BarsView {
            timestamp: &self.timestamp[rows.clone()],
            open: cut(self.open, &rows),
            high: cut(self.high, &rows),
            low: cut(self.low, &rows),
            close: cut(self.close, &rows),
            volume: cut(self.volume, &rows),
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

/// The rows of a column, which is empty where it was not read.
fn cut<'a>(values: &'a [f64], rows: &Range<usize>) -> &'a [f64] {
    if values.is_empty() { values } else { &values[rows.clone()] }
}
