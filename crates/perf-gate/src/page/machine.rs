//! What the probe found, as pictures and a table.

use hw_probe::{Ceilings, MemoryRow, ProbeReport};

use super::plot::{Axis, Look, Plot, Point, Series};
use crate::digits;

const GFLOPS: Axis = Axis { name: "GFLOPS", base: 10.0, text: digits };

fn working_set(name: &'static str) -> Axis {
    Axis { name, base: 2.0, text: |bytes| size(bytes) }
}

/// `65536` as `64 KiB`.
fn size(bytes: f64) -> String {
    let units = ["B", "KiB", "MiB", "GiB", "TiB"];
    let power = (bytes.max(1.0).log2() / 10.0).floor().clamp(0.0, 4.0);
    let value = bytes / 1024_f64.powf(power);
    format!("{value:.0} {}", units[power as usize])
}

/// The roofline (S. Williams, A. Waterman and D. Patterson, CACM 52(4), 2009): roofs of one core and
/// of all, STREAM's kernels and matrix products under them.
pub(super) fn roofline(probe: &ProbeReport) -> Plot {
    let most = probe.compute.iter().map(|row| row.threads).max().unwrap_or(1);
    let mut counts = vec![1, most];
    counts.dedup();
    let mut series: Vec<Series> = counts.iter().filter_map(|&count| roof(probe, count)).collect();
    series.push(Series {
        name: format!("kernels of the probe, {most} threads"),
        look: Look::Dots,
        points: probe_kernels(probe, most),
    });
    Plot {
        title: "Roofline",
        caption:
            "f64. Below the slope memory is the bound, below the level line the vector units. \
                  A kernel's height under its roof is what is left to gain."
                .to_owned(),
        x: Axis {
            name: "floating-point operations for each byte of memory traffic",
            base: 2.0,
            text: fraction,
        },
        y: GFLOPS,
        series,
    }
}

fn fraction(value: f64) -> String {
    if value < 1.0 { format!("1/{:.0}", 1.0 / value) } else { format!("{value:.0}") }
}

/// One roof: rising with the best bandwidth, flat at the FMA peak.
fn roof(probe: &ProbeReport, threads: usize) -> Option<Series> {
    let fed = main_rows(probe, threads).filter(|row| !row.kernel.starts_with("write"));
    let bandwidth = fed.map(|row| row.gb_per_s.best).reduce(f64::max)?;
    let is_peak = |row: &&hw_probe::ComputeRow| {
        row.kernel == "fma" && row.dtype == "f64" && row.threads == threads
    };
    let peak = probe.compute.iter().find(is_peak)?.gflops.best;
    let ends = [1.0 / 64.0, peak / bandwidth, 1024.0];
    let point = |x: f64| Point { x, y: (x * bandwidth).min(peak), says: String::new() };
    let cores = if threads == 1 { "1 core".to_owned() } else { format!("{threads} cores") };
    Some(Series {
        name: format!("{cores}: {} GB/s, {} GFLOPS", digits(bandwidth), digits(peak)),
        look: Look::Roof,
        points: ends.map(point).into(),
    })
}

fn main_rows(probe: &ProbeReport, threads: usize) -> impl Iterator<Item = &MemoryRow> {
    probe.memory.iter().filter(move |row| row.series == "main" && row.threads == threads)
}

/// STREAM's kernels by the bytes that STREAM counts, and matrix products by the bytes that they
/// cannot avoid (three matrices read, one written).
fn probe_kernels(probe: &ProbeReport, threads: usize) -> Vec<Point> {
    let stream = [("scale", 1.0 / 16.0), ("add", 1.0 / 24.0), ("triad", 2.0 / 24.0)];
    let streams = stream.iter().filter_map(|&(kernel, intensity)| {
        let rows = main_rows(probe, threads).filter(|row| row.kernel == kernel);
        let best = rows.map(|row| row.gb_per_s.best).reduce(f64::max)?;
        Some(Point { x: intensity, y: intensity * best, says: kernel.to_owned() })
    });
    let is_product = |row: &&hw_probe::ComputeRow| {
        row.kernel == "gemm" && row.dtype == "f64" && row.threads == threads
    };
    let products = probe.compute.iter().filter(is_product).filter_map(|row| {
        let n = row.n?;
        let intensity = 2.0 * n as f64 / (4.0 * 8.0);
        Some(Point { x: intensity, y: row.gflops.best, says: format!("gemm {n}") })
    });
    streams.chain(products).collect()
}

/// Bandwidth over the working set.
pub(super) fn staircase(probe: &ProbeReport) -> Plot {
    let rows = probe.memory.iter().filter(|row| row.series == "sweep").map(|row| {
        let name = format!("{}, {} threads", row.kernel, row.threads);
        (name, row.working_set_bytes as f64, row.gb_per_s.best, "GB/s")
    });
    Plot {
        title: "Bandwidth by working set",
        caption: caches(probe),
        x: working_set("working set of all threads"),
        y: Axis { name: "GB/s", base: 10.0, text: digits },
        series: lines(rows),
    }
}

/// Latency over the working set.
pub(super) fn latency(probe: &ProbeReport) -> Plot {
    let rows = probe.latency.iter().map(|row| {
        let pages = if row.huge_pages { "large pages" } else { "ordinary pages" };
        (pages.to_owned(), row.working_set_bytes as f64, row.ns_per_load, "ns")
    });
    Plot {
        title: "Latency by working set",
        caption: "One dependent load after the other, at random.".to_owned(),
        x: working_set("working set"),
        y: Axis { name: "ns a load", base: 10.0, text: digits },
        series: lines(rows),
    }
}

/// GFLOPS over the order of the matrices.
pub(super) fn products(probe: &ProbeReport) -> Plot {
    let rows = probe.compute.iter().filter(|row| row.kernel == "gemm").filter_map(|row| {
        let name = format!("{} {}, {} threads", row.backend, row.dtype, row.threads);
        Some((name, row.n? as f64, row.gflops.best, "GFLOPS"))
    });
    let mut series = lines(rows);
    series.retain(|series| series.points.len() > 1);
    Plot {
        title: "Matrix products by size",
        caption: String::new(),
        x: Axis { name: "order of the matrices", base: 2.0, text: |n| format!("{n:.0}") },
        y: GFLOPS,
        series,
    }
}

/// Rows of (series, x, y, unit) as a line per series, in their order.
fn lines(rows: impl Iterator<Item = (String, f64, f64, &'static str)>) -> Vec<Series> {
    let mut series: Vec<Series> = Vec::new();
    for (name, x, y, unit) in rows {
        let at = if x >= 1024.0 { size(x) } else { format!("{x:.0}") };
        let point = Point { x, y, says: format!("{name}: {} {unit} at {at}", digits(y)) };
        match series.iter_mut().find(|series| series.name == name) {
            Some(series) => series.points.push(point),
            None => series.push(Series { name, look: Look::Line, points: vec![point] }),
        }
    }
    series
}

fn caches(probe: &ProbeReport) -> String {
    let data = probe.machine.caches.iter().filter(|cache| cache.kind != "instruction");
    let texts = data.map(|cache| {
        format!("L{} {} for {} threads", cache.level, size(cache.bytes as f64), cache.shared_by)
    });
    texts.collect::<Vec<_>>().join(", ")
}

/// Name and value of each ceiling; what was not measured says so.
pub(super) fn ceilings(ceilings: &Ceilings) -> Vec<[String; 2]> {
    let rows = [
        ("Memory read, all cores", ceilings.read_gb_per_s, "GB/s"),
        ("Memory write, all cores", ceilings.write_gb_per_s, "GB/s"),
        ("Memory copy, all cores", ceilings.copy_gb_per_s, "GB/s"),
        ("STREAM triad, all cores", ceilings.triad_gb_per_s, "GB/s"),
        ("Memory read, one core", ceilings.read_one_core_gb_per_s, "GB/s"),
        ("Memory latency", ceilings.memory_latency_ns, "ns"),
        ("FMA f64, all cores", ceilings.fma_f64_gflops, "GFLOPS"),
        ("FMA f32, all cores", ceilings.fma_f32_gflops, "GFLOPS"),
        ("FMA f64, one core", ceilings.fma_f64_one_core_gflops, "GFLOPS"),
        ("GEMM f64", ceilings.gemm_f64_gflops, "GFLOPS"),
        ("GEMM f32", ceilings.gemm_f32_gflops, "GFLOPS"),
        ("Storage save", ceilings.save_mb_per_s, "MB/s"),
        ("Storage load", ceilings.load_mb_per_s, "MB/s"),
    ];
    let text = |(name, value, unit): (&str, Option<f64>, &str)| {
        let value =
            value.map_or_else(|| "not measured".to_owned(), |v| format!("{} {unit}", digits(v)));
        [name.to_owned(), value]
    };
    rows.map(text).into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_and_fractions() {
        assert_eq!([512.0, 65_536.0, 33_554_432.0].map(size), ["512 B", "64 KiB", "32 MiB"]);
        assert_eq!([0.0625, 1.0, 64.0].map(fraction), ["1/16", "1", "64"]);
    }
}
