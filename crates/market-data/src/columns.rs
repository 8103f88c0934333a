//! Which columns a load reads.

use std::ops::BitOr;

/// Price and volume columns to read; the timestamps always are. Put together with `|`.
///
/// ```
/// use market_data::{Columns, LoadOptions};
///
/// let options = LoadOptions { columns: Columns::CLOSE | Columns::VOLUME, ..Default::default() };
/// assert!(options.columns.contains(Columns::CLOSE) && !options.columns.contains(Columns::OPEN));
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Columns(u8);

impl Columns {
    /// Timestamps alone.
    pub const NONE: Self = Self(0);
    /// First trade's price.
    pub const OPEN: Self = Self(1);
    /// Highest trade's price.
    pub const HIGH: Self = Self(2);
    /// Lowest trade's price.
    pub const LOW: Self = Self(4);
    /// Last trade's price.
    pub const CLOSE: Self = Self(8);
    /// Traded quantity.
    pub const VOLUME: Self = Self(16);
    /// All five.
    pub const ALL: Self = Self(31);

    /// Whether all of `other` are among them.
    #[must_use]
    pub const fn contains(self, other: Self) -> bool {
        self.0 & other.0 == other.0
    }

    /// For each column in the order of [`crate::Bars`], the timestamp first.
    pub(crate) fn wanted(self) -> [bool; 6] {
        std::array::from_fn(|i| i == 0 || self.0 & (1 << (i - 1)) != 0)
    }
}

impl Default for Columns {
    fn default() -> Self {
        Self::ALL
    }
}

impl BitOr for Columns {
    type Output = Self;

    fn bitor(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }
}
