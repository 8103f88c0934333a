//! Which column of a file is which column of bars, and in which unit its times are.

use serde::{Deserialize, Serialize};

/// The columns of bars, in the order of [`crate::Bars`].
pub(crate) const NAMES: [&str; 6] = ["timestamp", "open", "high", "low", "close", "volume"];

/// Names that files use, without case, spaces, `-` and `_`; the first that is there is taken.
const ALIASES: [&[&str]; 6] = [
    &["timestamp", "time", "datetime", "date", "ts", "opentime", "t"],
    &["open", "o", "openprice"],
    &["high", "h", "highprice"],
    &["low", "l", "lowprice"],
    &["close", "c", "closeprice", "adjclose", "last", "price"],
    &["volume", "v", "vol", "qty", "amount"],
];

/// For each column of bars its place among `found`.
pub(crate) fn places(found: &[&str]) -> [Option<usize>; 6] {
    let plain: Vec<String> =
        found.iter().map(|name| name.to_lowercase().replace([' ', '_', '-'], "")).collect();
    ALIASES
        .map(|aliases| aliases.iter().find_map(|alias| plain.iter().position(|name| name == alias)))
}

/// The name of `found` nearest to `column`, where one is near.
pub(crate) fn nearest(column: &str, found: &[&str]) -> Option<String> {
    found
        .iter()
        .map(|name| (strsim::jaro_winkler(column, &name.to_lowercase()), name))
        .filter(|(likeness, _)| *likeness > 0.75)
        .max_by(|a, b| a.0.total_cmp(&b.0))
        .map(|(_, name)| (*name).to_owned())
}

/// The unit of times that are whole numbers since 1970.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum EpochUnit {
    /// Seconds.
    #[serde(rename = "s")]
    Seconds,
    /// Milliseconds.
    #[serde(rename = "ms")]
    Milliseconds,
    /// Microseconds.
    #[serde(rename = "us")]
    Microseconds,
    /// Nanoseconds.
    #[serde(rename = "ns")]
    Nanoseconds,
}

impl EpochUnit {
    pub(crate) fn ns(self) -> i64 {
        match self {
            Self::Seconds => 1_000_000_000,
            Self::Milliseconds => 1_000_000,
            Self::Microseconds => 1_000,
            Self::Nanoseconds => 1,
        }
    }
}

/// Nanoseconds in one unit of an epoch time, told by its size: seconds until the year 2286,
/// milliseconds, microseconds or nanoseconds from 1970-04 on.
pub(crate) fn epoch_unit_ns(value: i64) -> i64 {
    let unit = match value.unsigned_abs() {
        0..10_000_000_000 => EpochUnit::Seconds,
        10_000_000_000..10_000_000_000_000 => EpochUnit::Milliseconds,
        10_000_000_000_000..10_000_000_000_000_000 => EpochUnit::Microseconds,
        _ => EpochUnit::Nanoseconds,
    };
    unit.ns()
}
