//! One reading of every metric.

use std::time::Duration;

use serde::ser::SerializeMap;
use serde::{Serialize, Serializer};

use crate::Metric;

const METRICS: usize = Metric::ALL.len();

/// One reading of every metric, with the reason where there is none.
#[derive(Debug, Clone, PartialEq)]
pub struct Sample {
    /// Since the monitor began, on the monotonic clock.
    pub at: Duration,
    values: [Result<f64, &'static str>; METRICS],
}

impl Sample {
    /// A reading of nothing.
    #[must_use]
    pub fn empty(at: Duration) -> Self {
        Self { at, values: [Err("not sampled"); METRICS] }
    }

    /// The value; `None` where the machine does not give it.
    #[must_use]
    pub fn get(&self, metric: Metric) -> Option<f64> {
        self.values[metric as usize].ok()
    }

    /// Why there is no value.
    #[must_use]
    pub fn why(&self, metric: Metric) -> Option<&'static str> {
        self.values[metric as usize].err()
    }

    /// Puts a value, or the reason why there is none.
    pub fn set(&mut self, metric: Metric, value: Result<f64, &'static str>) {
        self.values[metric as usize] = value;
    }
}

/// A map of names to values, `null` where there is none, with `at_s` first.
impl Serialize for Sample {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(Some(METRICS + 1))?;
        map.serialize_entry("at_s", &self.at.as_secs_f64())?;
        for metric in Metric::ALL {
            map.serialize_entry(metric.info().name, &self.get(*metric))?;
        }
        map.end()
    }
}
