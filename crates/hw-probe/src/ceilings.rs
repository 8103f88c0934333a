//! The few figures that others measure themselves against, and the roofline that they make.

use serde::{Deserialize, Serialize};

use crate::Dtype;
use crate::report::ProbeReport;

/// The ceilings of one machine: the best of each kind on all cores, and on one where named so.
/// `None` where the probe did not measure it.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Ceilings {
    /// The machine's fingerprint.
    pub fingerprint: String,
    /// Whether the probe was left in peace.
    pub quiet: bool,
    /// Memory, reading only, 10^9 bytes a second.
    pub read_gb_per_s: Option<f64>,
    /// Memory, writing only, by the better kind of store.
    pub write_gb_per_s: Option<f64>,
    /// Memory, copying; bytes read and written are counted.
    pub copy_gb_per_s: Option<f64>,
    /// Memory, STREAM's triad.
    pub triad_gb_per_s: Option<f64>,
    /// Memory, reading only, one core.
    pub read_one_core_gb_per_s: Option<f64>,
    /// Memory, STREAM's triad, one core.
    pub triad_one_core_gb_per_s: Option<f64>,
    /// A dependent load from main memory on large pages (ordinary where there are none).
    pub memory_latency_ns: Option<f64>,
    /// Fused multiply-adds, `f64`, 10^9 operations a second.
    pub fma_f64_gflops: Option<f64>,
    /// Fused multiply-adds, `f32`.
    pub fma_f32_gflops: Option<f64>,
    /// Fused multiply-adds, `f64`, one core.
    pub fma_f64_one_core_gflops: Option<f64>,
    /// The best matrix product, `f64`. A matrix unit's may pass the FMA peak.
    pub gemm_f64_gflops: Option<f64>,
    /// The best matrix product, `f32`.
    pub gemm_f32_gflops: Option<f64>,
    /// Saving a file to the disk, 10^6 bytes a second: direct, else buffered with `fsync`.
    pub save_mb_per_s: Option<f64>,
    /// Loading a file from the disk.
    pub load_mb_per_s: Option<f64>,
}

/// What share of the machine a program reached.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Attained {
    /// Attained over attainable, in percent of the roof that bounds this program.
    pub of_ceiling_percent: f64,
    /// Operations for each byte of memory traffic; infinite without traffic.
    pub intensity: f64,
    /// Whether memory is the roof (else the vector units).
    pub memory_bound: bool,
}

/// The two roofs under which a program runs that uses so many threads.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Roof {
    /// The best bandwidth of a kernel that feeds operations, 10^9 bytes a second.
    pub gb_per_s: f64,
    /// The FMA peak, 10^9 operations a second.
    pub gflops: f64,
}

impl ProbeReport {
    /// The roofs of `threads` threads for elements of `dtype`; `None` where one of them was not
    /// measured or not right.
    #[must_use]
    pub fn roof(&self, threads: usize, dtype: Dtype) -> Option<Roof> {
        // Writing alone feeds no operation.
        let gb_per_s = bandwidth(self, &["read", "copy", "scale", "add", "triad"], Some(threads))?;
        let gflops = compute(self, "fma", dtype, Some(threads))?;
        Some(Roof { gb_per_s, gflops })
    }
}

impl Ceilings {
    pub(crate) fn of(report: &ProbeReport) -> Self {
        let all = |kernels: &[&str]| bandwidth(report, kernels, None);
        let one = |kernels: &[&str]| bandwidth(report, kernels, Some(1));
        let flops = |kernel: &str, dtype, threads| compute(report, kernel, dtype, threads);
        Self {
            fingerprint: report.machine.fingerprint.clone(),
            quiet: report.noise.quiet,
            read_gb_per_s: all(&["read"]),
            write_gb_per_s: all(&["write", "write_nt"]),
            copy_gb_per_s: all(&["copy"]),
            triad_gb_per_s: all(&["triad"]),
            read_one_core_gb_per_s: one(&["read"]),
            triad_one_core_gb_per_s: one(&["triad"]),
            memory_latency_ns: memory_latency(report),
            fma_f64_gflops: flops("fma", Dtype::F64, None),
            fma_f32_gflops: flops("fma", Dtype::F32, None),
            fma_f64_one_core_gflops: flops("fma", Dtype::F64, Some(1)),
            gemm_f64_gflops: flops("gemm", Dtype::F64, None),
            gemm_f32_gflops: flops("gemm", Dtype::F32, None),
            save_mb_per_s: disk(report, "save"),
            load_mb_per_s: disk(report, "load"),
        }
    }

    /// The share of this machine that a program reached which moved `bytes` between memory and
    /// the cores and made `flops` `f64` operations in `seconds`, on all cores.
    ///
    /// The roofline of S. Williams, A. Waterman and D. Patterson (CACM 52(4), 2009): attainable is
    /// the lesser of the compute roof and intensity times bandwidth, so the attained share is the
    /// larger of the two shares. `None` where `seconds` is not positive, nothing was done, or the
    /// roofs it needs were not measured. The memory roof is the best of read, copy and triad.
    #[must_use]
    pub fn roofline(&self, bytes: f64, flops: f64, seconds: f64) -> Option<Attained> {
        let sane = |value: f64| value.is_finite() && value >= 0.0;
        if !(sane(bytes) && sane(flops) && sane(seconds)) || seconds == 0.0 || bytes + flops == 0.0
        {
            return None;
        }
        let share = |work: f64, roof: Option<f64>| match (work > 0.0, roof) {
            (true, Some(roof)) if roof > 0.0 => Some(work / seconds * 1e-9 / roof),
            (true, _) => None,
            (false, _) => Some(0.0),
        };
        let memory = share(bytes, self.memory_roof_gb_per_s())?;
        let compute = share(flops, self.fma_f64_gflops)?;
        Some(Attained {
            of_ceiling_percent: 100.0 * memory.max(compute),
            intensity: flops / bytes,
            memory_bound: memory >= compute,
        })
    }

    /// The best bandwidth of any kernel on all cores, 10^9 bytes a second.
    #[must_use]
    pub fn memory_roof_gb_per_s(&self) -> Option<f64> {
        let kernels = [self.read_gb_per_s, self.copy_gb_per_s, self.triad_gb_per_s];
        kernels.into_iter().flatten().reduce(f64::max)
    }
}

/// The best of some kernels over main memory, on `threads` or on any number.
fn bandwidth(report: &ProbeReport, kernels: &[&str], threads: Option<usize>) -> Option<f64> {
    let rows = report.memory.iter().filter(|row| {
        row.series == "main"
            && row.verified
            && kernels.contains(&row.kernel.as_str())
            && threads.is_none_or(|threads| row.threads == threads)
    });
    rows.map(|row| row.gb_per_s.best).reduce(f64::max)
}

fn compute(
    report: &ProbeReport,
    kernel: &str,
    dtype: Dtype,
    threads: Option<usize>,
) -> Option<f64> {
    let rows = report.compute.iter().filter(|row| {
        row.kernel == kernel
            && row.dtype == dtype
            && row.verified
            && threads.is_none_or(|threads| row.threads == threads)
    });
    rows.map(|row| row.gflops.best).reduce(f64::max)
}

/// The latency at the largest working set, on large pages where there are any.
fn memory_latency(report: &ProbeReport) -> Option<f64> {
    let last = |huge| report.latency.iter().rfind(|row| row.huge_pages == huge);
    last(true).or_else(|| last(false)).map(|row| row.ns_per_load)
}

fn disk(report: &ProbeReport, op: &str) -> Option<f64> {
    let best = |path: &str| {
        let rows = report.storage.iter().filter(|row| row.op == op && row.path == path);
        rows.filter(|row| row.verified).filter_map(|row| row.mb_per_s).reduce(f64::max)
    };
    best("direct").or_else(|| best("buffered"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ceilings() -> Ceilings {
        Ceilings {
            read_gb_per_s: Some(50.0),
            triad_gb_per_s: Some(40.0),
            fma_f64_gflops: Some(200.0),
            ..Ceilings::default()
        }
    }

    #[test]
    fn the_nearer_roof_is_the_bound() {
        let streaming = ceilings().roofline(25e9, 1e9, 1.0).unwrap();
        assert_eq!(streaming.of_ceiling_percent, 50.0);
        assert!(streaming.memory_bound);
        let computing = ceilings().roofline(1e9, 150e9, 1.0).unwrap();
        assert_eq!(computing.of_ceiling_percent, 75.0);
        assert!(!computing.memory_bound);
        assert_eq!(computing.intensity, 150.0);
    }

    #[test]
    fn no_time_no_work_and_no_roof_give_nothing() {
        let ceilings = ceilings();
        assert!(ceilings.roofline(1.0, 1.0, 0.0).is_none());
        assert!(ceilings.roofline(0.0, 0.0, 1.0).is_none());
        assert!(ceilings.roofline(f64::NAN, 1.0, 1.0).is_none());
        assert!(ceilings.roofline(-1.0, 1.0, 1.0).is_none());
        assert!(Ceilings::default().roofline(1.0, 0.0, 1.0).is_none());
        assert!(ceilings.roofline(0.0, 1e9, 1.0).is_some());
    }
}
