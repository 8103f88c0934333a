//! A run in a few figures: the `redline.monitor/1` document.

use std::collections::BTreeMap;
use std::time::Duration;

use serde::Serialize;

use crate::alerts::{Alert, State};
use crate::{Metric, Sample};

/// Mean and peak of a figure.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Spread {
    /// Mean over the samples.
    pub mean: f64,
    /// Highest sample.
    pub peak: f64,
}

/// The process and its children.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct ProcessSummary {
    /// Resident memory.
    pub rss_bytes: Option<Spread>,
    /// Percent of one core.
    pub cpu_percent: Option<Spread>,
    /// User and system time.
    pub cpu_seconds: Option<f64>,
    /// Fetched from storage.
    pub read_bytes: Option<f64>,
    /// Sent to storage.
    pub written_bytes: Option<f64>,
    /// Most threads at once.
    pub threads: Option<f64>,
}

/// Share of time that tasks waited, ten-second means at their peak, in percent.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Pressure {
    /// For a core.
    pub cpu: Option<f64>,
    /// For memory.
    pub memory: Option<f64>,
    /// For storage.
    pub io: Option<f64>,
}

/// The machine.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct SystemSummary {
    /// Memory in use.
    pub memory_used_bytes: Option<Spread>,
    /// Percent of all cores.
    pub cpu_percent: Option<Spread>,
    /// Least free space of the watched paths, at the end.
    pub disk_free_bytes: Option<f64>,
    /// Waiting.
    pub pressure: Pressure,
}

/// The data cache, where the program reports it.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct CacheSummary {
    /// Answered loads.
    pub hits: Option<f64>,
    /// Loads from storage.
    pub misses: Option<f64>,
    /// Hits of all loads, 0 to 1.
    pub hit_rate: Option<f64>,
}

/// A run in a few figures.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Summary {
    /// Samples taken.
    pub samples: u64,
    /// Ticks that came too late to be taken.
    pub missed_ticks: u64,
    /// From the first sample to the last.
    pub duration_s: f64,
    /// The process and its children.
    pub process: ProcessSummary,
    /// The machine.
    pub system: SystemSummary,
    /// The data cache.
    pub cache: CacheSummary,
    /// Where every rule stands.
    pub alerts: Vec<Alert>,
    /// CPU time of the sampling thread, in percent of one core.
    pub overhead_percent: f64,
    /// Actions that failed to the last try.
    pub failed_actions: u64,
    /// Log lines that could not be written.
    pub lost_log_lines: u64,
    /// Why a figure is missing, by metric.
    pub not_available: BTreeMap<String, String>,
}

impl Summary {
    /// Whether an alert fires at the end.
    #[must_use]
    pub fn is_firing(&self) -> bool {
        self.alerts.iter().any(|alert| alert.state == State::Firing)
    }
}

#[derive(Debug, Clone, Copy, Default)]
struct Total {
    sum: f64,
    count: u64,
    /// Values times the seconds since the sample before, and those seconds: the last sample of a
    /// run comes out of turn and must not count as much as a tick's.
    weighted: f64,
    seconds: f64,
    peak: f64,
    last: f64,
}

/// Running sums over all samples, also those that the ring has let go.
#[derive(Debug, Default)]
pub(crate) struct Totals {
    metrics: Vec<Total>,
    samples: u64,
    first: Option<Duration>,
    last: Duration,
    pub(crate) missed_ticks: u64,
    pub(crate) failed_actions: u64,
    pub(crate) lost_lines: u64,
    pub(crate) own_cpu: Duration,
}

impl Totals {
    pub(crate) fn add(&mut self, sample: &Sample) {
        self.metrics.resize(Metric::ALL.len(), Total::default());
        self.samples += 1;
        let seconds = match self.first {
            Some(_) => sample.at.saturating_sub(self.last).as_secs_f64(),
            None => 0.0,
        };
        self.first.get_or_insert(sample.at);
        self.last = sample.at;
        for (metric, total) in Metric::ALL.iter().zip(&mut self.metrics) {
            if let Some(value) = sample.get(*metric) {
                total.sum += value;
                total.count += 1;
                total.weighted += value * seconds;
                total.seconds += seconds;
                total.peak = total.peak.max(value);
                total.last = value;
            }
        }
    }

    fn total(&self, metric: Metric) -> Option<Total> {
        self.metrics.get(metric as usize).copied().filter(|total| total.count > 0)
    }

    fn spread(&self, metric: Metric) -> Option<Spread> {
        self.total(metric).map(|t| Spread {
            mean: if t.seconds > 0.0 { t.weighted / t.seconds } else { t.sum / t.count as f64 },
            peak: t.peak,
        })
    }

    fn last(&self, metric: Metric) -> Option<f64> {
        self.total(metric).map(|total| total.last)
    }

    fn peak(&self, metric: Metric) -> Option<f64> {
        self.total(metric).map(|total| total.peak)
    }

    pub(crate) fn summary(&self, latest: Option<&Sample>, alerts: &[Alert]) -> Summary {
        let duration_s = self.last.saturating_sub(self.first.unwrap_or_default()).as_secs_f64();
        let (hits, misses) = (self.last(Metric::DataCacheHits), self.last(Metric::DataCacheMisses));
        let overhead = 100.0 * self.own_cpu.as_secs_f64() / duration_s;
        Summary {
            samples: self.samples,
            missed_ticks: self.missed_ticks,
            duration_s,
            process: self.process(),
            system: self.system(),
            cache: CacheSummary {
                hits,
                misses,
                hit_rate: hits.zip(misses).map(|(hits, misses)| hits / (hits + misses)),
            },
            alerts: alerts.to_vec(),
            overhead_percent: if duration_s > 0.0 { overhead } else { 0.0 },
            failed_actions: self.failed_actions,
            lost_log_lines: self.lost_lines,
            not_available: self.missing(latest),
        }
    }

    fn process(&self) -> ProcessSummary {
        ProcessSummary {
            rss_bytes: self.spread(Metric::ProcessRss),
            cpu_percent: self.spread(Metric::ProcessCpu),
            cpu_seconds: self.last(Metric::ProcessCpuSeconds),
            read_bytes: self.last(Metric::ProcessRead),
            written_bytes: self.last(Metric::ProcessWritten),
            threads: self.peak(Metric::ProcessThreads),
        }
    }

    fn system(&self) -> SystemSummary {
        SystemSummary {
            memory_used_bytes: self.spread(Metric::MemoryUsed),
            cpu_percent: self.spread(Metric::SystemCpu),
            disk_free_bytes: self.last(Metric::DiskFree),
            pressure: Pressure {
                cpu: self.peak(Metric::PressureCpu),
                memory: self.peak(Metric::PressureMemory),
                io: self.peak(Metric::PressureIo),
            },
        }
    }

    /// Metrics that no sample had, with the last reason.
    fn missing(&self, latest: Option<&Sample>) -> BTreeMap<String, String> {
        let Some(latest) = latest else { return BTreeMap::new() };
        Metric::ALL
            .iter()
            .filter(|metric| self.total(**metric).is_none())
            .filter_map(|metric| Some((metric.info().name.into(), latest.why(*metric)?.into())))
            .collect()
    }
}
