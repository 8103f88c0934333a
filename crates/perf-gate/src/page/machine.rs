//! What the probe found: bandwidth and latency by working set, matrix products, ceilings.

use hw_probe::{Ceilings, ProbeReport, in_threads};

use super::axis::Axis;
use super::plot::{Look, Mark, Plot, Point, Series};
use super::table::{Kind, Table};
use super::text::{round, size};
use crate::digits;

pub(super) const GFLOPS: Axis = Axis { name: "GFLOPS", base: 10.0, text: round };

fn working_set(name: &'static str) -> Axis {
    Axis { name, base: 2.0, text: size }
}

/// Bandwidth over the working set, which climbs down from cache to cache.
pub(super) fn staircase(probe: &ProbeReport) -> Plot {
    let rows = probe.memory.iter().filter(|row| row.series == "sweep").map(|row| {
        let name = format!("{}, {}", row.kernel, in_threads(row.threads));
        (name, row.working_set_bytes as f64, row.gb_per_s.best)
    });
    let series = lines(rows, "GB/s");
    Plot {
        id: "bandwidth",
        title: "Bandwidth by working set",
        caption: "Best of each size. Dashed: where a level of cache, all its instances together, \
                  is full."
            .to_owned(),
        x: working_set("working set of all threads"),
        y: Axis { name: "GB/s", base: 10.0, text: round },
        marks: caches(probe, true),
        table: table("GB/s by working set", "working set", size, &series),
        series,
    }
}

/// Latency over the working set.
pub(super) fn latency(probe: &ProbeReport) -> Plot {
    let rows = probe.latency.iter().map(|row| {
        let pages = if row.huge_pages { "large pages" } else { "ordinary pages" };
        (pages.to_owned(), row.working_set_bytes as f64, row.ns_per_load)
    });
    let series = lines(rows, "ns");
    Plot {
        id: "latency",
        title: "Latency by working set",
        caption: "One dependent load after the other, at random places. Dashed: where the caches \
                  of one core are full."
            .to_owned(),
        x: working_set("working set"),
        y: Axis { name: "ns a load", base: 10.0, text: round },
        marks: caches(probe, false),
        table: table("ns a load by working set", "working set", size, &series),
        series,
    }
}

/// GFLOPS over the order of the matrices.
pub(super) fn products(probe: &ProbeReport) -> Plot {
    let rows = probe.compute.iter().filter(|row| row.kernel == "gemm").filter_map(|row| {
        let name = format!("{} {}, {}", row.backend, row.dtype, in_threads(row.threads));
        Some((name, row.n? as f64, row.gflops.best))
    });
    let mut series = lines(rows, "GFLOPS");
    series.retain(|series| series.points.len() > 1);
    let order: fn(f64) -> String = |n| format!("{n:.0}");
    Plot {
        id: "products",
        title: "Matrix products by size",
        caption: "Best of each size.".to_owned(),
        x: Axis { name: "order of the matrices", base: 2.0, text: order },
        y: GFLOPS,
        marks: Vec::new(),
        table: table("GFLOPS by order", "order", order, &series),
        series,
    }
}

/// Rows of (series, x, y) as a line per series, in their order.
fn lines(rows: impl Iterator<Item = (String, f64, f64)>, unit: &str) -> Vec<Series> {
    let mut series: Vec<Series> = Vec::new();
    for (name, x, y) in rows {
        let at = if x >= 1024.0 { size(x) } else { format!("{x:.0}") };
        let point = Point::plain(x, y, format!("{name}: {} {unit} at {at}", digits(y)));
        match series.iter_mut().find(|series| series.name == name) {
            Some(series) => series.points.push(point),
            None => {
                series.push(Series { name, look: Look::Line, ink: None, points: vec![point] });
            }
        }
    }
    series
}

/// A row per place on the x axis, a column per series.
fn table(caption: &str, x_name: &str, x_text: fn(f64) -> String, series: &[Series]) -> Table {
    let mut places: Vec<f64> =
        series.iter().flat_map(|series| &series.points).map(|point| point.x).collect();
    places.sort_by(f64::total_cmp);
    places.dedup();
    let columns = series.iter().map(|series| (series.name.as_str(), Kind::Number));
    let head: Vec<(&str, Kind)> = std::iter::once((x_name, Kind::Words)).chain(columns).collect();
    let rows = places.iter().map(|&x| {
        let at = |series: &Series| {
            let point = series.points.iter().find(|point| point.x == x);
            point.map_or_else(|| "-".to_owned(), |point| digits(point.y)).into()
        };
        std::iter::once(x_text(x).into()).chain(series.iter().map(at)).collect()
    });
    Table::new(caption, &head).with(rows)
}

/// Where each level of data cache is full: one core's, or all instances together.
fn caches(probe: &ProbeReport, all: bool) -> Vec<Mark> {
    let data = probe.machine.caches.iter().filter(|cache| cache.kind != "instruction");
    let mark = |cache: &hw_probe::Cache| {
        let bytes = cache.bytes as f64 * if all { cache.instances.max(1) as f64 } else { 1.0 };
        Mark { x: bytes, name: format!("L{} {}", cache.level, size(bytes)) }
    };
    data.map(mark).collect()
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

/// Whether the ceilings can be trusted.
pub(super) fn noise(probe: &ProbeReport) -> String {
    if probe.noise.quiet {
        return "The machine was quiet while it was probed.".to_owned();
    }
    let disturbed = &probe.noise.disturbed;
    let (count, first) = (disturbed.len(), disturbed.iter().take(3));
    let what = first.map(String::as_str).collect::<Vec<_>>().join("; ");
    let more = if count > 3 { "; ..." } else { "" };
    format!(
        "The machine was not quiet while it was probed: {count} measurements stayed disturbed \
         ({what}{more}). Read the ceilings with care."
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn series_share_the_rows_of_their_table() {
        let rows = [("read", 1024.0, 90.0), ("copy", 1024.0, 60.0), ("read", 2048.0, 80.0)];
        let series = lines(rows.into_iter().map(|(name, x, y)| (name.to_owned(), x, y)), "GB/s");
        assert_eq!(series.len(), 2);
        assert_eq!(series[0].points[1].says, "read: 80.0 GB/s at 2 KiB");
        let table = serde_json::to_value(table("GB/s", "size", size, &series)).unwrap();
        let row = |at: usize| -> Vec<String> {
            let cells = table["rows"][at].as_array().unwrap().iter();
            cells.map(|cell| cell["text"].as_str().unwrap().to_owned()).collect()
        };
        assert_eq!([row(0), row(1)].concat(), ["1 KiB", "90.0", "60.0", "2 KiB", "80.0", "-"]);
    }
}
