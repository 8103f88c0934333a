//! Every figure that is sampled: its name, unit and exported name.

use std::str::FromStr;

use crate::MonitorError;

/// Whether a figure may fall.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// May rise and fall.
    Gauge,
    /// Only rises while the process lives.
    Counter,
}

/// What is known of a metric without sampling it.
#[derive(Debug, Clone, Copy)]
pub struct Info {
    /// Name in rules, logs and documents; the unit stands last.
    pub name: &'static str,
    /// Name in the Prometheus text format, in the words of node_exporter where it has one.
    pub exported: &'static str,
    /// Gauge or counter.
    pub kind: Kind,
    /// One line of explanation.
    pub help: &'static str,
}

macro_rules! metrics {
    ($($variant:ident, $name:literal, $exported:literal, $kind:ident, $help:literal;)*) => {
        /// A figure that is sampled. The discriminant is its place in a [`crate::Sample`].
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
        pub enum Metric {
            $(#[doc = $help] $variant,)*
        }

        impl Metric {
            /// All of them, in the order of documents.
            pub const ALL: &[Self] = &[$(Self::$variant,)*];

            /// Name, exported name, kind and explanation.
            #[must_use]
            pub const fn info(self) -> Info {
                match self {
                    $(Self::$variant => Info {
                        name: $name, exported: $exported, kind: Kind::$kind, help: $help,
                    },)*
                }
            }
        }
    };
}

metrics! {
    ProcessRss, "process_rss_bytes", "process_resident_memory_bytes", Gauge,
        "Resident memory of the process and its children.";
    ProcessPss, "process_pss_bytes", "process_proportional_memory_bytes", Gauge,
        "Resident memory with shared pages divided among their sharers.";
    ProcessVirtual, "process_virtual_bytes", "process_virtual_memory_bytes", Gauge,
        "Address space of the process and its children.";
    ProcessCpuSeconds, "process_cpu_seconds", "process_cpu_seconds_total", Counter,
        "User and system time of the process and its children.";
    ProcessCpu, "process_cpu_percent", "process_cpu_percent", Gauge,
        "Share of one core that the process and its children used since the last sample.";
    ProcessCpuMachine, "process_cpu_machine_percent", "process_cpu_machine_percent", Gauge,
        "Share of all cores that the process and its children used since the last sample.";
    Processes, "process_count", "process_group_processes", Gauge,
        "The process and its living descendants.";
    ProcessThreads, "process_threads", "process_threads", Gauge,
        "Threads of the process and its children.";
    ProcessOpenFiles, "process_open_files", "process_open_fds", Gauge,
        "Open file descriptors of the process and its children.";
    ProcessRead, "process_read_bytes", "process_io_read_bytes_total", Counter,
        "Bytes fetched from storage for the process and its children.";
    ProcessWritten, "process_written_bytes", "process_io_written_bytes_total", Counter,
        "Bytes sent to storage for the process and its children.";
    ProcessReadRate, "process_read_bytes_per_s", "process_io_read_bytes_per_second", Gauge,
        "Bytes a second fetched from storage since the last sample.";
    ProcessWriteRate, "process_written_bytes_per_s", "process_io_written_bytes_per_second", Gauge,
        "Bytes a second sent to storage since the last sample.";
    MinorFaults, "process_minor_faults", "process_minor_page_faults_total", Counter,
        "Page faults answered without storage.";
    MajorFaults, "process_major_faults", "process_major_page_faults_total", Counter,
        "Page faults that had to read storage.";
    MemoryLimit, "memory_limit_bytes", "redline_memory_limit_bytes", Gauge,
        "Memory that may be used: the control group's limit, or what the machine has.";
    MemoryUsed, "system_memory_used_bytes", "redline_memory_used_bytes", Gauge,
        "Memory in use on the machine that cannot be reclaimed at once.";
    MemoryPercent, "system_memory_percent", "redline_memory_used_percent", Gauge,
        "Memory in use, of the control group's limit where one is set.";
    SystemCpu, "system_cpu_percent", "redline_cpu_percent", Gauge,
        "Share of all cores in use since the last sample.";
    Load, "load_1m", "node_load1", Gauge,
        "Runnable and waiting tasks, one-minute mean.";
    DiskRead, "disk_read_bytes", "node_disk_read_bytes_total", Counter,
        "Bytes read from all disks.";
    DiskWritten, "disk_written_bytes", "node_disk_written_bytes_total", Counter,
        "Bytes written to all disks.";
    DiskFree, "disk_free_bytes", "node_filesystem_avail_bytes", Gauge,
        "Free space, the least of the watched paths.";
    PressureCpu, "pressure_cpu_percent", "redline_pressure_cpu_percent", Gauge,
        "Time in which some task waited for a core, ten-second mean.";
    PressureMemory, "pressure_memory_percent", "redline_pressure_memory_percent", Gauge,
        "Time in which some task waited for memory, ten-second mean.";
    PressureIo, "pressure_io_percent", "redline_pressure_io_percent", Gauge,
        "Time in which some task waited for storage, ten-second mean.";
    Temperature, "temperature_celsius", "node_thermal_zone_temp", Gauge,
        "The hottest thermal zone.";
    Power, "power_watts", "redline_package_power_watts", Gauge,
        "Power of all processor packages since the last sample.";
    CacheReferences, "hardware_cache_references", "redline_hardware_cache_references_total", Counter,
        "Last-level cache references by hardware counter.";
    CacheMisses, "hardware_cache_misses", "redline_hardware_cache_misses_total", Counter,
        "Last-level cache misses by hardware counter.";
    DataCacheHits, "cache_hits", "redline_cache_hits_total", Counter,
        "Loads that the data cache answered.";
    DataCacheMisses, "cache_misses", "redline_cache_misses_total", Counter,
        "Loads that went to storage.";
    BacktestRatio, "backtest_baseline_ratio", "redline_backtest_baseline_ratio", Gauge,
        "Wall time of the last run over its baseline's.";
}

impl FromStr for Metric {
    type Err = MonitorError;

    fn from_str(text: &str) -> Result<Self, MonitorError> {
        if let Some(metric) = Self::ALL.iter().find(|metric| metric.info().name == text) {
            return Ok(*metric);
        }
        let likeness =
            |metric: &&Self| strsim::normalized_damerau_levenshtein(metric.info().name, text);
        let nearest = Self::ALL
            .iter()
            .max_by(|a, b| likeness(a).total_cmp(&likeness(b)))
            .map_or("", |metric| metric.info().name);
        Err(MonitorError::UnknownMetric { found: text.to_owned(), nearest })
    }
}
