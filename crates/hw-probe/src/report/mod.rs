//! The document of a probe: `redline.probe/1`.

pub(crate) mod display;

use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use crate::cache::write_whole;
use crate::ceilings::Ceilings;
use crate::machine::Machine;
use crate::measure::Summary;
use crate::{Dtype, ProbeError};

/// The schema that [`ProbeReport::schema`] carries.
pub const SCHEMA: &str = "redline.probe/1";

/// Everything that a probe found. Its JSON form is this structure, key by key; rates in GB/s are
/// 10^9 bytes a second, MB/s 10^6, sizes are bytes.
///
/// A section that was not asked for is empty; one that could not run is empty and named in
/// [`unavailable`](Self::unavailable).
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ProbeReport {
    /// [`SCHEMA`].
    pub schema: String,
    /// What the machine is.
    pub machine: Machine,
    /// Bandwidth: the main-memory kernels first, then the sweep over working sets.
    pub memory: Vec<MemoryRow>,
    /// Latency over working sets.
    pub latency: Vec<LatencyRow>,
    /// Cache sizes read from the latencies.
    #[serde(default)]
    pub caches_seen: Vec<CacheSeen>,
    /// Latency of one core while others stream.
    #[serde(default)]
    pub loaded_latency: Vec<LoadedLatencyRow>,
    /// Time for a cache line to pass between two cores.
    #[serde(default)]
    pub core_to_core: Vec<CoreToCoreRow>,
    /// Floating-point peaks and matrix products.
    pub compute: Vec<ComputeRow>,
    /// Single operations.
    #[serde(default)]
    pub scalar: Vec<ScalarRow>,
    /// Files.
    pub storage: Vec<StorageRow>,
    /// How far the figures can be trusted.
    pub noise: Noise,
    /// How each section measured.
    #[serde(default)]
    pub rules: Vec<Rule>,
    /// What could not be measured, and why.
    #[serde(default)]
    pub unavailable: Vec<Unavailable>,
    /// Wall time of the probe, seconds.
    #[serde(default)]
    pub elapsed_s: f64,
}

/// Best and median of the repeats.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Rates {
    /// The fastest repeat: the ceiling.
    pub best: f64,
    /// The middle repeat: what to expect.
    pub median: f64,
    /// Distance between the quartiles over the median, percent.
    #[serde(default)]
    pub spread_percent: f64,
}

impl From<Summary> for Rates {
    fn from(summary: Summary) -> Self {
        let Summary { best, median, spread_percent } = summary;
        Self { best, median, spread_percent }
    }
}

/// Bandwidth of one kernel at one working set.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct MemoryRow {
    /// `read`, `write`, `write_nt`, `copy`, `scale`, `add` or `triad`.
    pub kernel: String,
    /// `regular`, `non_temporal`, `library` (the system's `memcpy`) or, for `read`, `none`.
    #[serde(default)]
    pub stores: String,
    /// The instruction set that was the fastest for it.
    #[serde(default)]
    pub isa: String,
    /// Threads, each on a logical processor of its own and with its own share of the arrays.
    pub threads: usize,
    /// Bytes of all arrays of all threads together.
    pub working_set_bytes: u64,
    /// Bytes as STREAM counts them.
    pub gb_per_s: Rates,
    /// The best rate with the reads counted that ordinary stores cause when their line is not in
    /// the cache (x86). `None` where no such reads are certain.
    #[serde(default)]
    pub with_write_allocate_gb_per_s: Option<f64>,
    /// `main` for the ceilings, `sweep` for the staircase.
    #[serde(default)]
    pub series: String,
    /// Whether every element held the right value afterwards.
    pub verified: bool,
}

/// Latency at one working set.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct LatencyRow {
    /// Bytes that the chain of loads visits.
    pub working_set_bytes: u64,
    /// Whether the memory really lay in large pages.
    pub huge_pages: bool,
    /// Median time of one dependent load.
    pub ns_per_load: f64,
}

/// A cache as the latencies show it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CacheSeen {
    /// 1 is the nearest.
    pub level: u8,
    /// What the system reports.
    pub reported_bytes: u64,
    /// The largest working set whose loads cost what this cache's do; `None` where the latencies
    /// show no plateau (a slice of a shared cache).
    pub seen_bytes: Option<u64>,
    /// Whether both agree within a factor of two.
    pub agrees: Option<bool>,
    /// Whether the cores that are said to share it hand a line on sooner than memory gives one: a guest's
    /// processors may lie under different caches of the host. `None` for a core's own, and where no
    /// distance between cores is known.
    #[serde(default)]
    pub shared: Option<bool>,
}

/// Latency of one core beside streaming ones.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct LoadedLatencyRow {
    /// Cores that stream.
    pub streaming_threads: usize,
    /// Share of the time in which they stream, percent.
    pub duty_percent: f64,
    /// What they moved meanwhile.
    pub gb_per_s: f64,
    /// Median time of one dependent load on the other core.
    pub ns_per_load: f64,
}

/// Two cores that hand a line to and fro.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct CoreToCoreRow {
    /// One logical processor.
    pub from: usize,
    /// The other.
    pub to: usize,
    /// Time one way, nanoseconds: half a round trip, median.
    pub ns: f64,
}

/// One floating-point figure.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ComputeRow {
    /// `fma` or `gemm`.
    pub kernel: String,
    /// The instruction set of `fma`, the library of `gemm`.
    pub backend: String,
    /// Of the elements.
    pub dtype: Dtype,
    /// Threads.
    pub threads: usize,
    /// Rows and columns of `gemm`'s square matrices; `null` for `fma`.
    pub n: Option<usize>,
    /// 10^9 floating-point operations a second; a multiplication and an addition count two.
    pub gflops: Rates,
    /// The unit that did the work: a matrix unit may pass the roof of the vector units.
    #[serde(default)]
    pub unit: String,
    /// Best over the FMA peak of the same type and threads, percent.
    #[serde(default)]
    pub of_fma_peak_percent: Option<f64>,
    /// Whether the values were right.
    pub verified: bool,
}

/// Cost of a single operation on one core.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ScalarRow {
    /// `integer_multiply_add`, `integer_divide`, `branch_miss`, `exp` or `ln`.
    pub kernel: String,
    /// `latency` of a chain, `penalty` over the predicted case, or `throughput` over a slice.
    pub measures: String,
    /// Median time of one operation.
    pub ns_per_op: f64,
    /// Whether the values were right.
    pub verified: bool,
}

/// One way of moving a file's bytes.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct StorageRow {
    /// `save`, `load`, `randread`, `fsync`; `save_columns` and `load_columns` are Parquet.
    pub op: String,
    /// `direct` past the page cache; `buffered` through it, to and from the disk; `page_cache`
    /// memory alone, which says nothing about the disk.
    pub path: String,
    /// Bytes of one transfer.
    pub block_bytes: u64,
    /// Transfers in flight.
    pub queue_depth: usize,
    /// What keeps them in flight: `io_uring`, `threads` or `calls`.
    #[serde(default)]
    pub engine: String,
    /// 10^6 bytes a second; `null` for `fsync`.
    pub mb_per_s: Option<f64>,
    /// Transfers a second.
    pub iops: Option<f64>,
    /// How many were timed; 0 in documents of before this was kept.
    #[serde(default)]
    pub transfers: usize,
    /// Time of one transfer.
    pub latency_us: Option<Percentiles>,
    /// Whether what was read is what was written.
    #[serde(default)]
    pub verified: bool,
}

/// Times that 50, 99 and 99.9 percent stay below, microseconds.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Percentiles {
    /// Half.
    pub p50: f64,
    /// All but one in a hundred.
    pub p99: f64,
    /// All but one in a thousand.
    #[serde(default)]
    pub p999: f64,
}

/// What the machine did besides.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Noise {
    /// Time stolen by the hypervisor, percent; `null` where the system does not tell.
    pub steal_percent: Option<f64>,
    /// Smallest step of the clock.
    pub timer_ns: f64,
    /// Cost of reading the clock.
    #[serde(default)]
    pub timer_overhead_ns: f64,
    /// The widest spread among the ceilings' own repeats.
    pub spread_percent: f64,
    /// Processor time of other programs, percent of one processor.
    #[serde(default)]
    pub others_percent: Option<f64>,
    /// The largest change of the core's speed across a measurement.
    #[serde(default)]
    pub drift_percent: f64,
    /// Measurements that were disturbed and made again.
    #[serde(default)]
    pub repeated: usize,
    /// What stayed disturbed, and by what.
    #[serde(default)]
    pub disturbed: Vec<String>,
    /// Whether nothing stayed disturbed.
    pub quiet: bool,
}

/// How a section measured.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Rule {
    /// The section.
    pub section: String,
    /// "best of 20, 256 MiB per array, 2 threads pinned".
    pub text: String,
}

/// Something that could not be measured.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Unavailable {
    /// What.
    pub what: String,
    /// Why.
    pub why: String,
}

impl ProbeReport {
    /// A report with nothing in it but the machine.
    pub(crate) fn empty(machine: Machine) -> Self {
        Self {
            schema: SCHEMA.to_owned(),
            machine,
            memory: Vec::new(),
            latency: Vec::new(),
            caches_seen: Vec::new(),
            loaded_latency: Vec::new(),
            core_to_core: Vec::new(),
            compute: Vec::new(),
            scalar: Vec::new(),
            storage: Vec::new(),
            noise: Noise::default(),
            rules: Vec::new(),
            unavailable: Vec::new(),
            elapsed_s: 0.0,
        }
    }

    /// Writes the report as JSON, whole or not at all; the path.
    ///
    /// # Errors
    /// A file that cannot be written.
    pub fn write_json(&self, path: &Path) -> Result<PathBuf, ProbeError> {
        let text = serde_json::to_string_pretty(self)
            .map_err(|source| ProbeError::Document { path: path.to_owned(), source })?;
        write_whole(path, text.as_bytes())?;
        Ok(path.to_owned())
    }

    /// Reads a report that was written as JSON.
    ///
    /// # Errors
    /// A file that cannot be read, or that is no such report.
    pub fn read_json(path: &Path) -> Result<Self, ProbeError> {
        let text = std::fs::read_to_string(path).map_err(|error| ProbeError::file(path, error))?;
        serde_json::from_str(&text)
            .map_err(|source| ProbeError::Document { path: path.to_owned(), source })
    }

    pub(crate) fn rule(&mut self, section: crate::Section, text: String) {
        self.rules.push(Rule { section: section.name().to_owned(), text });
    }

    pub(crate) fn cannot(&mut self, what: &str, why: impl std::fmt::Display) {
        self.unavailable.push(Unavailable { what: what.to_owned(), why: why.to_string() });
    }

    /// The ceilings that these figures give.
    #[must_use]
    pub fn ceilings(&self) -> Ceilings {
        Ceilings::of(self)
    }
}
