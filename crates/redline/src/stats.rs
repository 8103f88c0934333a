//! Statistics as a document and as a table.

use std::fmt::Write as _;

use backtest::statistics::{Stat, StatSet, Statistics};
use serde::Serialize;
use serde::ser::{SerializeMap, Serializer};

use crate::values;

/// The statistic called `text`, as an option's value.
pub(crate) fn find(text: &str) -> Result<Stat, String> {
    Stat::find(text.trim()).map_err(|error| error.to_string())
}

/// Statistics by name; undefined ones are `null`, start and end are times.
pub(crate) struct Document {
    statistics: Statistics,
    set: StatSet,
}

impl Document {
    pub(crate) fn new(statistics: &Statistics, set: StatSet) -> Self {
        Self { statistics: *statistics, set }
    }
}

impl Serialize for Document {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(None)?;
        for stat in self.set.iter() {
            let value = self.statistics.get(stat);
            match stat {
                Stat::Start | Stat::End => {
                    map.serialize_entry(stat.name(), &value.map(seconds_to_time))?;
                }
                Stat::TotalTrades | Stat::TotalClosedTrades | Stat::TotalOpenTrades => {
                    map.serialize_entry(stat.name(), &value.map(|count| count as u64))?;
                }
                _ => map.serialize_entry(stat.name(), &value)?,
            }
        }
        map.end()
    }
}

fn seconds_to_time(seconds: f64) -> String {
    // Whole nanoseconds do not fit a double's seconds; whole microseconds do.
    values::time((seconds * 1e6).round() as i64 * 1_000)
}

/// One line per statistic, name and value.
pub(crate) fn table(statistics: &Statistics, set: StatSet) -> String {
    let mut out = String::new();
    for stat in set.iter() {
        let value = statistics.get(stat).map_or_else(|| "-".to_owned(), |v| cell(stat, v));
        writeln!(out, "{:<28} {value:>24}", stat.title()).unwrap_or_default();
    }
    out
}

pub(crate) fn cell(stat: Stat, value: f64) -> String {
    match stat {
        Stat::Start | Stat::End => seconds_to_time(value),
        Stat::TotalTrades | Stat::TotalClosedTrades | Stat::TotalOpenTrades => {
            format!("{value:.0}")
        }
        Stat::Period
        | Stat::MaxDrawdownDuration
        | Stat::AvgWinningTradeDuration
        | Stat::AvgLosingTradeDuration => duration(value),
        _ => format!("{value:.6}"),
    }
}

/// Days, hours, minutes and seconds, as VectorBT prints them.
pub(crate) fn duration(seconds: f64) -> String {
    let whole = seconds.round() as u64;
    let (days, rest) = (whole / 86_400, whole % 86_400);
    format!("{days} days {:02}:{:02}:{:02}", rest / 3_600, rest / 60 % 60, rest % 60)
}
