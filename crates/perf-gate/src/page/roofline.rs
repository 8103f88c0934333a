//! The roofline (S. Williams, A. Waterman and D. Patterson, CACM 52(4), 2009): the roofs that the
//! probe has measured, and under them its own kernels and those of the stack.

use hw_probe::{Dtype, ProbeReport};

use super::axis::Axis;
use super::ink::Ink;
use super::machine::GFLOPS;
use super::plot::{Look, Plot, Point, Series};
use super::table::{Cell, Kind, Table};
use super::text;
use crate::{Kernel, digits};

/// What both roofs are made of.
struct Roof {
    threads: usize,
    gb_per_s: f64,
    gflops: f64,
}

/// A kernel under its roof.
struct Placed {
    title: String,
    /// Beside its dot.
    short: String,
    threads: usize,
    /// Operations a byte; `None` for what only moves data.
    intensity: Option<f64>,
    gflops: f64,
    gb_per_s: f64,
    /// Wall time of a run in seconds, where a run is timed.
    seconds: Option<f64>,
    /// How its work was counted.
    count: String,
    is_of_stack: bool,
}

/// The picture and its numbers, of the probe's kernels and `kernels`, those of the stack.
pub(super) fn roofline(probe: &ProbeReport, kernels: &[Kernel]) -> Plot {
    let most = probe.compute.iter().map(|row| row.threads).max().unwrap_or(1);
    let mut counts = vec![most, 1];
    counts.dedup();
    let roofs: Vec<Roof> = counts.iter().filter_map(|&count| Roof::of(probe, count)).collect();
    let mut placed: Vec<Placed> = kernels.iter().filter_map(Placed::of_stack).collect();
    placed.extend(Placed::of_probe(probe, most));
    let left = left_edge(&placed);
    let mut series: Vec<Series> = roofs.iter().map(|roof| roof.series(left, most)).collect();
    for (is_of_stack, name, ink) in
        [(true, "kernels of the stack", Ink::C0), (false, "kernels of the probe", Ink::Quiet)]
    {
        let points =
            placed.iter().enumerate().filter(|(_, kernel)| kernel.is_of_stack == is_of_stack);
        series.push(Series {
            name: name.to_owned(),
            look: Look::Dots,
            ink: Some(ink),
            points: points.map(|(at, kernel)| kernel.point(at + 1, left)).collect(),
        });
    }
    Plot {
        id: "roofline-figure",
        title: "Roofline, f64",
        caption: "On the slope main memory is the bound, on the level the vector units; the \
                  distance to the roof is what is left to gain. Data that stays in a cache can \
                  pass the slope. An open dot only moves data: it stands at the left edge, and its \
                  distance to the slope is its share of the bandwidth."
            .to_owned(),
        x: Axis { name: "f64 operations for each byte moved", base: 2.0, text: fraction },
        y: GFLOPS,
        marks: Vec::new(),
        series,
        table: table(&placed, &roofs),
    }
}

fn fraction(value: f64) -> String {
    if value < 1.0 { format!("1/{:.0}", 1.0 / value) } else { format!("{value:.0}") }
}

/// Half of the lowest intensity, at most 1/32.
fn left_edge(placed: &[Placed]) -> f64 {
    let lowest = placed.iter().filter_map(|kernel| kernel.intensity).fold(f64::INFINITY, f64::min);
    (lowest / 2.0).min(1.0 / 32.0)
}

impl Roof {
    /// Rising with the best bandwidth, flat at the FMA peak.
    fn of(probe: &ProbeReport, threads: usize) -> Option<Self> {
        let hw_probe::Roof { gb_per_s, gflops } = probe.roof(threads, Dtype::F64)?;
        Some(Self { threads, gb_per_s, gflops })
    }

    fn series(&self, left: f64, most: usize) -> Series {
        let &Self { threads, gb_per_s, gflops } = self;
        let cores = if threads == 1 { "1 core".to_owned() } else { format!("{threads} cores") };
        let name = format!("{cores}: {} GB/s, {} GFLOPS", digits(gb_per_s), digits(gflops));
        let ridge = gflops / gb_per_s;
        let meeting = format!("{name}; they meet at {} operations a byte", digits(ridge));
        let ends = [(left, String::new()), (ridge, meeting), (512.0, String::new())];
        let points = ends.map(|(x, says)| Point::plain(x, (x * gb_per_s).min(gflops), says));
        Series {
            name,
            look: Look::Roof,
            ink: Some(if threads == most { Ink::Roof } else { Ink::RoofOfOne }),
            points: points.into(),
        }
    }

    /// What a kernel can reach here.
    fn attained(&self, kernel: &Placed) -> (f64, &'static str) {
        match kernel.intensity {
            Some(intensity) if intensity * self.gb_per_s >= self.gflops => {
                (kernel.gflops / self.gflops, "vector units")
            }
            _ => (kernel.gb_per_s / self.gb_per_s, "memory"),
        }
    }
}

impl Placed {
    fn of_stack(kernel: &Kernel) -> Option<Self> {
        let is_known = kernel.seconds > 0.0 && kernel.bytes > 0.0;
        is_known.then(|| Self {
            title: kernel.title.clone(),
            short: kernel.title.clone(),
            threads: kernel.threads,
            intensity: kernel.intensity(),
            gflops: kernel.gflops(),
            gb_per_s: kernel.gb_per_s(),
            seconds: Some(kernel.seconds),
            count: kernel.count.clone(),
            is_of_stack: true,
        })
    }

    /// STREAM's kernels by the bytes that STREAM counts, and the best matrix product by the bytes
    /// that it cannot avoid.
    fn of_probe(probe: &ProbeReport, threads: usize) -> Vec<Self> {
        let kernel = |title: &str, intensity: f64, gflops: f64, count: &str| Self {
            title: format!("{title} (probe)"),
            short: title.to_owned(),
            threads,
            intensity: Some(intensity),
            gflops,
            gb_per_s: gflops / intensity,
            seconds: None,
            count: count.to_owned(),
            is_of_stack: false,
        };
        let stream = [("scale", 16.0, 1.0), ("add", 24.0, 1.0), ("triad", 24.0, 2.0)];
        let streams = stream.iter().filter_map(|&(name, bytes, operations)| {
            let rows = probe.memory.iter().filter(|row| {
                row.kernel == name && row.series == "main" && row.threads == threads && row.verified
            });
            let best = rows.map(|row| row.gb_per_s.best).reduce(f64::max)?;
            let (intensity, count) = (operations / bytes, "as STREAM counts");
            Some(kernel(name, intensity, intensity * best, count))
        });
        let is_product = |row: &&hw_probe::ComputeRow| {
            row.kernel == "gemm"
                && row.dtype == Dtype::F64
                && row.threads == threads
                && row.n.is_some()
        };
        let products = probe.compute.iter().filter(is_product).filter(|row| row.verified);
        let best = products.max_by(|a, b| a.gflops.best.total_cmp(&b.gflops.best));
        let best = best.and_then(|row| Some((row.n?, row.gflops.best))).map(|(n, gflops)| {
            let intensity = 2.0 * n as f64 / (4.0 * 8.0);
            kernel(&format!("gemm {n}"), intensity, gflops, "three matrices read, one written")
        });
        streams.chain(best).collect()
    }

    fn point(&self, number: usize, left: f64) -> Point {
        let x = self.intensity.unwrap_or(left);
        let rate = match self.intensity {
            Some(intensity) => {
                let (rate, intensity) = (digits(self.gflops), digits(intensity));
                format!("{rate} GFLOPS at {intensity} operations a byte")
            }
            None => format!("{} GB/s", digits(self.gb_per_s)),
        };
        Point {
            x,
            y: x * self.gb_per_s,
            says: format!("{}: {rate}", self.title),
            names: [self.short.clone(), number.to_string()],
            is_hollow: self.intensity.is_none(),
        }
    }

    fn row(&self, number: usize, roofs: &[Roof]) -> Vec<Cell> {
        let roof = roofs.iter().min_by_key(|roof| roof.threads.abs_diff(self.threads));
        let (share, bound) = match roof.map(|roof| roof.attained(self)) {
            Some((share, bound)) => (format!("{:.1} %", share * 100.0), bound),
            None => ("-".to_owned(), "-"),
        };
        let intensity = self.intensity.map_or_else(|| "-".to_owned(), digits);
        let gflops = self.intensity.map_or_else(|| "-".to_owned(), |_| digits(self.gflops));
        vec![
            format!("{number} {}", self.title).into(),
            self.threads.to_string().into(),
            self.seconds.map_or_else(|| "-".to_owned(), |s| text::value(s, "s")).into(),
            intensity.into(),
            gflops.into(),
            digits(self.gb_per_s).into(),
            share.into(),
            bound.into(),
            self.count.clone().into(),
        ]
    }
}

fn table(placed: &[Placed], roofs: &[Roof]) -> Table {
    use Kind::{Number, Words};
    let head = [
        ("kernel", Words),
        ("threads", Number),
        ("time", Number),
        ("operations a byte", Number),
        ("GFLOPS", Number),
        ("GB/s", Number),
        ("of its roof", Number),
        ("roof", Words),
        ("counted", Words),
    ];
    let rows = placed.iter().enumerate().map(|(at, kernel)| kernel.row(at + 1, roofs));
    Table::new("Kernels, each under the roof of as many threads", &head).with(rows)
}

#[cfg(test)]
mod tests {
    use super::*;

    const ROOF: Roof = Roof { threads: 2, gb_per_s: 40.0, gflops: 160.0 };

    fn kernel(operations: f64) -> Placed {
        let kernel = Kernel {
            title: "kernel".to_owned(),
            threads: 2,
            seconds: 1.0,
            bytes: 10e9,
            operations,
            count: "by hand".to_owned(),
        };
        Placed::of_stack(&kernel).unwrap()
    }

    #[test]
    fn the_nearer_roof_is_the_bound() {
        let close = |a: (f64, &str), share: f64, bound: &str| {
            assert!((a.0 - share).abs() < 1e-12 && a.1 == bound, "{a:?}");
        };
        close(ROOF.attained(&kernel(5e9)), 0.25, "memory");
        close(ROOF.attained(&kernel(80e9)), 0.5, "vector units");
        close(ROOF.attained(&kernel(0.0)), 0.25, "memory");
    }

    #[test]
    fn what_only_moves_data_keeps_its_share_of_the_slope() {
        let left = 1.0 / 32.0;
        let point = kernel(0.0).point(1, left);
        assert!(point.is_hollow && point.x == left);
        assert!((point.y / (left * ROOF.gb_per_s) - 0.25).abs() < 1e-12);
        assert_eq!(point.says, "kernel: 10.0 GB/s");
    }

    #[test]
    fn a_kernel_without_time_has_no_place() {
        let nothing = Kernel {
            title: "kernel".to_owned(),
            threads: 1,
            seconds: 0.0,
            bytes: 1.0,
            operations: 1.0,
            count: String::new(),
        };
        assert!(Placed::of_stack(&nothing).is_none());
        assert_eq!([0.0625, 1.0, 64.0].map(fraction), ["1/16", "1", "64"]);
    }
}
