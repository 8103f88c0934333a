//! The DHAT format, version 2, as the dhat crate and valgrind's DHAT write it.

use std::path::Path;

use serde::Deserialize;

use super::names::qualified;
use super::summary::{Allocated, HeapSummary};
use super::{About, ProfileError, Stacks, Summary, files, flamegraph_svg, stacks, write_file};

/// What a run took from the heap, place by place.
#[derive(Debug, Clone)]
pub struct Allocations {
    /// The most bytes first.
    pub places: Vec<Place>,
    json: String,
}

/// A place that takes memory.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Place {
    /// All that it took.
    pub bytes: u64,
    /// In so many blocks.
    pub blocks: u64,
    /// The most that it held at once.
    pub peak_bytes: u64,
    /// Functions with file and line, the innermost first.
    pub frames: Vec<String>,
}

#[derive(Deserialize)]
struct File {
    pps: Vec<Point>,
    ftbl: Vec<String>,
}

#[derive(Deserialize)]
struct Point {
    tb: u64,
    tbk: u64,
    #[serde(default)]
    mb: u64,
    fs: Vec<usize>,
}

impl Allocations {
    /// Reads a `dhat-heap.json`.
    ///
    /// # Errors
    /// [`ProfileError::Format`] where it is none.
    pub fn parse(json: &str) -> Result<Self, ProfileError> {
        let file: File = serde_json::from_str(json).map_err(|error| ProfileError::Format {
            line: error.line(),
            what: error.to_string(),
        })?;
        let frame = |at: &usize| file.ftbl.get(*at).map(|text| named(text));
        let place = |point: &Point| Place {
            bytes: point.tb,
            blocks: point.tbk,
            peak_bytes: point.mb,
            frames: point.fs.iter().filter_map(frame).collect(),
        };
        let mut places: Vec<Place> = file.pps.iter().map(place).collect();
        places.sort_by(|a, b| (b.bytes, b.blocks, &a.frames).cmp(&(a.bytes, a.blocks, &b.frames)));
        Ok(Self { places, json: json.to_owned() })
    }

    /// Blocks of all places.
    #[must_use]
    pub fn blocks(&self) -> u64 {
        self.places.iter().map(|place| place.blocks).sum()
    }

    /// Bytes of all places.
    #[must_use]
    pub fn bytes(&self) -> u64 {
        self.places.iter().map(|place| place.bytes).sum()
    }

    /// Bytes per stack, functions from the outermost in, up to the one that asked.
    #[must_use]
    pub fn stacks(&self) -> Stacks {
        let mut stacks = Stacks::default();
        for place in &self.places {
            let asked = place.frames.iter().position(|frame| !is_library(frame)).unwrap_or(0);
            let frames = place.frames[asked..].iter().rev().map(|frame| function(frame));
            stacks.add(frames, place.bytes);
        }
        stacks
    }

    /// Writes `dhat-heap.json`, stacks, a flamegraph of bytes and the summary to `folder`. With
    /// `calls`, the summary's figures are per call.
    ///
    /// # Errors
    /// [`ProfileError::Io`].
    pub fn write(
        &self,
        folder: &Path,
        about: &About,
        calls: Option<u64>,
    ) -> Result<Summary, ProfileError> {
        let stacks = self.stacks();
        write_file(folder, files::DHAT, self.json.as_bytes())?;
        write_file(folder, files::STACKS, stacks.to_string().as_bytes())?;
        // A case that takes nothing is the best of all, and has no picture.
        if stacks.total() > 0 {
            write_file(folder, files::SVG, &flamegraph_svg(&stacks, about)?)?;
        }
        let mut summary = Summary::new(about, &stacks);
        summary.calls = calls;
        summary.heap = Some(self.summary(calls));
        summary.write(folder)?;
        Ok(summary)
    }

    fn summary(&self, calls: Option<u64>) -> HeapSummary {
        let calls = calls.unwrap_or(1).max(1) as f64;
        let all = self.bytes().max(1) as f64;
        let allocated = |place: &Place| Allocated {
            bytes: place.bytes as f64 / calls,
            blocks: place.blocks as f64 / calls,
            percent: 100.0 * place.bytes as f64 / all,
            peak_bytes: place.peak_bytes,
            place: place.own_frame().to_owned(),
        };
        HeapSummary {
            bytes: self.bytes() as f64 / calls,
            blocks: self.blocks() as f64 / calls,
            top_places: self.places.iter().take(10).map(allocated).collect(),
        }
    }
}

impl Place {
    /// The innermost frame that is neither the allocator's nor a collection's.
    #[must_use]
    pub fn own_frame(&self) -> &str {
        let own = self.frames.iter().find(|frame| !is_library(frame));
        own.or(self.frames.first()).map_or("[unknown]", String::as_str)
    }
}

/// `0x55d1: function (file:line:column)` without the address, the function with its path.
fn named(frame: &str) -> String {
    let frame = match frame.split_once(": ") {
        Some((address, rest)) if address.starts_with("0x") => rest,
        _ => frame,
    };
    let Some((function, place)) = frame.rsplit_once(" (") else { return frame.to_owned() };
    let file = place.split(':').next().unwrap_or_default();
    format!("{} ({place}", qualified(function, file))
}

/// `function (file:line)` without the file.
fn function(frame: &str) -> &str {
    frame.rsplit_once(" (").map_or(frame, |(function, _)| function)
}

/// Whether a frame is of the standard library, a hash table, or an allocator.
fn is_library(frame: &str) -> bool {
    const LIBRARIES: [&str; 3] = ["hashbrown::", "dhat::", "bench_kit::heap::"];
    const ALLOCATORS: [&str; 5] = ["malloc", "calloc", "realloc", "memalign", "posix_memalign"];
    // The dhat crate keeps three parts of a path: of a file in a folder of the standard library, or of
    // hashbrown's `raw`, the crate is gone.
    const FOLDERS: [&str; 10] = [
        "collections/",
        "iter/",
        "src/alloc/",
        "src/array/",
        "src/collections/",
        "src/iter/",
        "src/ops/",
        "src/raw/",
        "src/raw_vec/",
        "src/vec/",
    ];
    let (name, place) = frame.rsplit_once(" (").unwrap_or((frame, ""));
    if FOLDERS.iter().any(|folder| place.starts_with(folder)) {
        return true;
    }
    // The compiler's own way in, which stands in whatever file declares the allocator.
    let is_way_in = name.rsplit("::").next().is_some_and(|last| last.starts_with("__rust"));
    is_way_in
        || LIBRARIES.iter().any(|library| name.trim_start_matches('<').starts_with(library))
        || ALLOCATORS.contains(&name)
        || stacks::is_library(name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_place_is_the_code_that_asked_and_not_the_vector_that_grew() {
        let json = r#"{"pps": [
            {"tb": 64, "tbk": 2, "mb": 32, "fs": [4, 1, 5, 6, 2, 3]},
            {"tb": 128, "tbk": 1, "mb": 128, "fs": [1, 3]}],
            "ftbl": ["[root]", "0x1: alloc::vec::Vec<T>::with_capacity (vec/mod.rs:1:1)",
                     "0x2: house::kernel (house/src/kernel.rs:7:9)", "0x3: house::main (main.rs:3:1)",
                     "0x4: __rust_alloc (house/src/harness.rs:4:2)",
                     "0x5: try_allocate_in<alloc::alloc::Global> (src/raw_vec/mod.rs:464:47)",
                     "0x6: collect<core::ops::range::Range<usize>> (iter/traits/iterator.rs:2064:9)"]}"#;
        let found = Allocations::parse(json).unwrap();
        assert_eq!((found.bytes(), found.blocks()), (192, 3));
        assert_eq!(found.places[1].own_frame(), "house::kernel (house/src/kernel.rs:7:9)");
        let stacks = found.stacks().to_string();
        assert_eq!(stacks, "house::main 128\nhouse::main;house::kernel 64\n");
    }
}
