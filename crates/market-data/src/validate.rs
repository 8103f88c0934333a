//! What bars must be, and what happens to those that are not.

use std::fmt;

use rayon::prelude::*;
use serde::{Deserialize, Serialize};

use crate::{Bars, BarsView};

/// What to do with a bar that cannot be.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Policy {
    /// Refuse the file, naming the first such row.
    #[default]
    Error,
    /// Leave the row out.
    Drop,
    /// Keep the row as it is.
    Keep,
}

/// What is wrong with a bar.
#[derive(Debug, Clone, Copy, PartialEq)]
#[non_exhaustive]
pub enum Defect {
    /// The timestamp is before the last one.
    Unsorted,
    /// The timestamp is the last one's.
    Duplicate,
    /// A price is NaN, infinite, 0 or below.
    Price {
        /// Its column.
        column: &'static str,
        /// Its value.
        value: f64,
    },
    /// The high is below open, close or low.
    High,
    /// The low is above open or close.
    Low,
    /// The volume is negative or NaN.
    Volume {
        /// Its value.
        value: f64,
    },
}

impl fmt::Display for Defect {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unsorted => {
                f.write_str("the timestamp is before the one above: sort the rows by time")
            }
            Self::Duplicate => {
                f.write_str("the timestamp is that of the row above: each may stand once")
            }
            Self::Price { column, value } => {
                write!(f, "{column} is {value}: prices must be finite and above 0")
            }
            Self::High => f.write_str("high is below open, close or low"),
            Self::Low => f.write_str("low is above open or close"),
            Self::Volume { value } => write!(f, "volume is {value}: it must be 0 or above"),
        }
    }
}

/// The defects of `bars` with their rows (counted from 0), in order of row. O(bars).
///
/// A row has at most one defect, the first of: timestamp, prices, high, low, volume.
pub fn defects<'a>(bars: BarsView<'a>) -> impl Iterator<Item = (usize, Defect)> + 'a {
    (0..bars.len()).filter_map(move |row| defect(&bars, row).map(|defect| (row, defect)))
}

/// Rows judged at a time: their 96 KiB stay in the cache.
const BLOCK_ROWS: usize = 2_048;

/// Whether no bar has a defect. O(bars), on all cores.
pub(crate) fn is_clean(bars: BarsView<'_>) -> bool {
    let columns = [bars.open, bars.high, bars.low, bars.close, bars.volume];
    let is_whole = columns.iter().all(|column| column.len() == bars.len());
    (0..bars.len().div_ceil(BLOCK_ROWS)).into_par_iter().with_min_len(16).all(|block| {
        let start = block * BLOCK_ROWS;
        let rows = start..bars.len().min(start + BLOCK_ROWS);
        // The first row is held against the one before it.
        let times = &bars.timestamp[start.saturating_sub(1)..rows.end];
        let part = bars.slice(rows);
        let is_sound = if is_whole { are_sound(part) } else { defects(part).next().is_none() };
        is_sorted(times) && is_sound
    })
}

#[multiversion::multiversion(targets(
    "x86_64+avx512f+avx512vl+avx512dq",
    "x86_64+avx2+fma",
    "aarch64+neon"
))]
fn is_sorted(times: &[i64]) -> bool {
    let later = times.get(1..).unwrap_or_default();
    times.iter().zip(later).fold(true, |sorted, (a, b)| sorted & (a < b))
}

/// Prices and volumes alone, without a branch: the same questions as [`defect`] asks.
#[multiversion::multiversion(targets(
    "x86_64+avx512f+avx512vl+avx512dq",
    "x86_64+avx2+fma",
    "aarch64+neon"
))]
fn are_sound(bars: BarsView<'_>) -> bool {
    let rows = bars.len();
    let (open, high) = (&bars.open[..rows], &bars.high[..rows]);
    let (low, close, volume) = (&bars.low[..rows], &bars.close[..rows], &bars.volume[..rows]);
    let mut sound = true;
    for i in 0..rows {
        // With low above 0 and high finite, so is all that lies between them.
        sound &= (low[i] > 0.0) & (high[i] < f64::INFINITY);
        sound &= (low[i] <= open[i]) & (low[i] <= close[i]);
        sound &= (high[i] >= open[i]) & (high[i] >= close[i]);
        sound &= (volume[i] >= 0.0) & (volume[i] < f64::INFINITY);
    }
    sound
}

fn defect(bars: &BarsView<'_>, row: usize) -> Option<Defect> {
    if row > 0 && bars.timestamp[row] <= bars.timestamp[row - 1] {
        let is_same = bars.timestamp[row] == bars.timestamp[row - 1];
        return Some(if is_same { Defect::Duplicate } else { Defect::Unsorted });
    }
    // NaN, which no comparison finds wrong, stands for a column that was not read.
    let at = |column: &[f64]| column.get(row).copied().unwrap_or(f64::NAN);
    let (open, high, low, close) = (at(bars.open), at(bars.high), at(bars.low), at(bars.close));
    let is_price = |value: f64| value > 0.0 && value < f64::INFINITY;
    let prices =
        [("open", bars.open), ("high", bars.high), ("low", bars.low), ("close", bars.close)];
    for (column, values) in prices {
        if let Some(&value) = values.get(row).filter(|&&value| !is_price(value)) {
            return Some(Defect::Price { column, value });
        }
    }
    if high < open.max(close).max(low) {
        return Some(Defect::High);
    }
    if low > open.min(close) {
        return Some(Defect::Low);
    }
    let is_volume = |value: &f64| (0.0..f64::INFINITY).contains(value);
    let wrong = bars.volume.get(row).copied().filter(|value| !is_volume(value));
    wrong.map(|value| Defect::Volume { value })
}

/// `bars` without the rows that have a defect against the rows kept before them.
pub(crate) fn without_defects(bars: &Bars) -> Bars {
    let view = bars.view();
    let mut kept = Bars::with_capacity(bars.len());
    for row in 0..bars.len() {
        let is_after = kept.timestamp.last().is_none_or(|&last| view.timestamp[row] > last);
        if is_after && defect(&view.slice(row..row + 1), 0).is_none() {
            kept.push(&view, row);
        }
    }
    kept
}
