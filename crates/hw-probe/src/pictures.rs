//! The report as pictures: roofline, staircase, matrix products by size.

use std::fmt::Display;
use std::path::{Path, PathBuf};

use plotters::prelude::*;

use crate::cache::write_whole;
use crate::report::display::{bytes, in_threads};
use crate::report::{MemoryRow, ProbeReport};
use crate::{Dtype, ProbeError, Roof};

/// Of a picture, and of it the width of the lines' names, beside the lines so that they cover none.
const SIZE: (u32, u32) = (1160, 540);
const NAMES: u32 = 280;
/// Told apart also without red and green (M. Okabe and K. Ito).
const COLOURS: [RGBColor; 6] = [
    RGBColor(0, 114, 178),
    RGBColor(213, 94, 0),
    RGBColor(0, 158, 115),
    RGBColor(204, 121, 167),
    RGBColor(230, 159, 0),
    RGBColor(86, 180, 233),
];

/// One line of a picture.
struct Line {
    name: String,
    points: Vec<(f64, f64)>,
}

/// What a picture shows; both axes are logarithmic.
struct Picture<'a> {
    name: &'static str,
    title: String,
    x: &'a str,
    y: &'a str,
    x_label: fn(f64) -> String,
    lines: Vec<Line>,
}

impl ProbeReport {
    /// Writes `roofline.svg`, `staircase.svg` (bandwidth), `latency.svg` and `gemm.svg` into
    /// `dir`, those for which something was measured; their paths.
    ///
    /// # Errors
    /// A folder that cannot be written, or what the drawing library refuses.
    pub fn write_pictures(&self, dir: &Path) -> Result<Vec<PathBuf>, ProbeError> {
        let pictures = [self.roofline(), self.staircase(), self.latency_steps(), self.gemm_sizes()];
        let drawn = pictures.iter().filter(|picture| picture.has_points());
        drawn
            .map(|picture| {
                let path = dir.join(format!("{}.svg", picture.name));
                write_whole(&path, picture.svg()?.as_bytes())?;
                Ok(path)
            })
            .collect()
    }

    /// Attainable GFLOPS over intensity, under the roofs of one core and of all.
    fn roofline(&self) -> Picture<'_> {
        let mut counts = vec![1, self.most_threads()];
        counts.dedup();
        let lines = counts.into_iter().flat_map(|count| {
            [Dtype::F64, Dtype::F32]
                .into_iter()
                .filter_map(move |dtype| self.roof_line(count, dtype))
        });
        Picture {
            name: "roofline",
            title: format!("Roofline, {}", self.machine.cpu_model),
            x: "floating-point operations for each byte of memory traffic",
            y: "GFLOPS",
            x_label: plain,
            lines: lines.collect(),
        }
    }

    fn most_threads(&self) -> usize {
        self.compute.iter().map(|row| row.threads).max().unwrap_or(1)
    }

    /// One roof: rising with the best bandwidth, flat at the FMA peak.
    fn roof_line(&self, threads: usize, dtype: Dtype) -> Option<Line> {
        let Roof { gb_per_s: bandwidth, gflops: peak } = self.roof(threads, dtype)?;
        let ridge = peak / bandwidth;
        let ends = [1.0 / 64.0, ridge, 1024.0];
        Some(Line {
            name: format!(
                "{dtype}, {}: {bandwidth:.0} GB/s, {peak:.0} GFLOPS",
                in_threads(threads)
            ),
            points: ends.map(|x| (x, (x * bandwidth).min(peak))).to_vec(),
        })
    }

    /// Bandwidth over the working set.
    fn staircase(&self) -> Picture<'_> {
        let mut lines: Vec<Line> = Vec::new();
        for row in self.memory.iter().filter(|row| row.series == "sweep" && row.verified) {
            let MemoryRow { kernel, threads, .. } = row;
            let name = format!("{kernel}, {}", in_threads(*threads));
            let point = (row.working_set_bytes as f64, row.gb_per_s.best);
            push(&mut lines, name, point);
        }
        Picture {
            name: "staircase",
            title: format!("Bandwidth by working set, {}", self.machine.cpu_model),
            x: "working set",
            y: "GB/s",
            x_label: size,
            lines,
        }
    }

    /// Latency over the working set.
    fn latency_steps(&self) -> Picture<'_> {
        let mut lines = Vec::new();
        for row in &self.latency {
            let pages = if row.huge_pages { "large pages" } else { "ordinary pages" };
            push(&mut lines, pages.to_owned(), (row.working_set_bytes as f64, row.ns_per_load));
        }
        Picture {
            name: "latency",
            title: format!("Latency by working set, {}", self.machine.cpu_model),
            x: "working set",
            y: "ns a dependent load",
            x_label: size,
            lines,
        }
    }

    /// GFLOPS over the order of the matrices, with the FMA peaks as level lines.
    fn gemm_sizes(&self) -> Picture<'_> {
        let mut lines = Vec::new();
        for row in self.compute.iter().filter(|row| row.kernel == "gemm" && row.verified) {
            let Some(n) = row.n else { continue };
            let threads = in_threads(row.threads);
            let name = format!("{} {}, {threads}", row.backend, row.dtype);
            push(&mut lines, name, (n as f64, row.gflops.best));
        }
        lines.retain(|line| line.points.len() > 1);
        let ends =
            lines.first().map(|line| (line.points[0].0, line.points[line.points.len() - 1].0));
        let most = self.most_threads();
        let peaks = self.compute.iter().filter(|row| row.kernel == "fma" && row.threads == most);
        if let Some((from, to)) = ends {
            lines.extend(peaks.map(|row| Line {
                name: format!("FMA peak {}, {}", row.dtype, in_threads(most)),
                points: [from, to].map(|n| (n, row.gflops.best)).to_vec(),
            }));
        }
        Picture {
            name: "gemm",
            title: format!("Matrix products by size, {}", self.machine.cpu_model),
            x: "order of the matrices",
            y: "GFLOPS",
            x_label: plain,
            lines,
        }
    }
}

fn push(lines: &mut Vec<Line>, name: String, point: (f64, f64)) {
    match lines.iter_mut().find(|line| line.name == name) {
        Some(line) => line.points.push(point),
        None => lines.push(Line { name, points: vec![point] }),
    }
}

fn plain(value: f64) -> String {
    if value < 1.0 { format!("1/{:.0}", 1.0 / value) } else { format!("{value:.0}") }
}

fn size(value: f64) -> String {
    bytes(value as u64)
}

impl Picture<'_> {
    fn has_points(&self) -> bool {
        self.lines.iter().any(|line| line.points.len() > 1)
    }

    /// The extent of one coordinate over all lines.
    fn extent(&self, of: fn(&(f64, f64)) -> f64) -> (f64, f64) {
        let values = self.lines.iter().flat_map(|line| &line.points).map(of);
        values.fold((f64::MAX, f64::MIN), |(low, high), value| (low.min(value), high.max(value)))
    }

    fn svg(&self) -> Result<String, ProbeError> {
        let mut text = String::new();
        self.draw(&mut text).map_err(|error| ProbeError::Picture {
            picture: self.name,
            reason: error.to_string(),
        })?;
        Ok(text)
    }

    fn draw(&self, text: &mut String) -> Result<(), Box<dyn std::error::Error + '_>> {
        let root = SVGBackend::with_string(text, SIZE).into_drawing_area();
        root.fill(&WHITE).map_err(told)?;
        let (root, names) = root.split_horizontally(SIZE.0 - NAMES);
        let (x, y) = (self.extent(|point| point.0), self.extent(|point| point.1));
        let mut chart = ChartBuilder::on(&root)
            .caption(&self.title, ("sans-serif", 20))
            .margin(12)
            .x_label_area_size(44)
            .y_label_area_size(64)
            .build_cartesian_2d(
                (x.0..x.1).log_scale().base(2.0),
                (y.0 * 0.8..y.1 * 1.2).log_scale(),
            )
            .map_err(told)?;
        chart
            .configure_mesh()
            .light_line_style(WHITE)
            .x_desc(self.x)
            .y_desc(self.y)
            .x_labels(12)
            .x_label_formatter(&|value| (self.x_label)(*value))
            .y_label_formatter(&|value| format!("{value:.0}"))
            .draw()
            .map_err(told)?;
        for (line, colour) in self.lines.iter().zip(COLOURS.iter().cycle()) {
            let series = LineSeries::new(line.points.iter().copied(), colour.stroke_width(2));
            chart.draw_series(series).map_err(told)?;
        }
        let (mut y, ink) = (60, ("sans-serif", 14).into_font().color(&BLACK));
        for (line, colour) in self.lines.iter().zip(COLOURS.iter().cycle()) {
            let stroke = PathElement::new([(0, y), (20, y)], colour.stroke_width(2));
            names.draw(&stroke).map_err(told)?;
            let name = Text::new(line.name.as_str(), (28, y - 7), ink.clone());
            names.draw(&name).map_err(told)?;
            y += 24;
        }
        root.present().map_err(told)
    }
}

/// The library's error types borrow and differ from call to call: their text is what is told.
fn told(error: impl Display) -> Box<dyn std::error::Error> {
    error.to_string().into()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::machine;
    use crate::report::{LatencyRow, Rates};

    fn report() -> ProbeReport {
        let mut report = ProbeReport::empty(machine());
        for step in 12..20_u32 {
            report.latency.push(LatencyRow {
                working_set_bytes: 1 << step,
                huge_pages: false,
                ns_per_load: f64::from(step),
            });
            report.memory.push(MemoryRow {
                kernel: "read".into(),
                stores: "none".into(),
                isa: "any".into(),
                threads: 1,
                working_set_bytes: 1 << step,
                gb_per_s: Rates { best: 100.0 / f64::from(step), median: 1.0, spread_percent: 0.0 },
                with_write_allocate_gb_per_s: None,
                series: "sweep".into(),
                verified: true,
            });
        }
        report
    }

    #[test]
    fn what_was_measured_is_drawn_and_nothing_else() {
        let dir = tempfile::tempdir().unwrap();
        let paths = report().write_pictures(dir.path()).unwrap();
        let names: Vec<_> = paths.iter().filter_map(|path| path.file_name()?.to_str()).collect();
        assert_eq!(names, ["staircase.svg", "latency.svg"]);
        let text = std::fs::read_to_string(&paths[0]).unwrap();
        assert!(text.starts_with("<svg") && text.contains("read, 1 thread\n"), "{text}");
        assert!(text.contains("polyline"));
    }

    #[test]
    fn an_empty_report_has_no_pictures_and_a_missing_folder_is_named() {
        let dir = tempfile::tempdir().unwrap();
        let empty = ProbeReport::empty(machine());
        assert!(empty.write_pictures(dir.path()).unwrap().is_empty());
        let error = report().write_pictures(&dir.path().join("missing")).unwrap_err();
        assert!(error.to_string().contains("missing"), "{error}");
    }
}
