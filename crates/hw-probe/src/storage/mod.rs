//! Files: saving and loading past the page cache and through it, random reads, `fsync`.

pub(crate) mod columns;
pub(crate) mod transfer;

use std::fs::File;
use std::io;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use transfer::{Buffers, Engine, Job, Op, PAGE};

use crate::measure::quantile;
use crate::random::XorShift;
use crate::report::{Percentiles, StorageRow};
use crate::sys;

/// Sizes and times of the storage section.
#[derive(Clone)]
pub(crate) struct Plan {
    /// Where the file goes.
    pub(crate) dir: PathBuf,
    /// Its size at most; a quarter of the free space is the other bound.
    pub(crate) file_bytes: u64,
    /// Longest time of one case.
    pub(crate) limit: Duration,
    /// `(block, depth)` of the sequential cases.
    pub(crate) sequential: Vec<(usize, usize)>,
    /// Depths of the random reads of 4 KiB.
    pub(crate) random_depths: Vec<usize>,
}

/// One file, open in both ways and already without a name: whatever ends this process, also a
/// signal or a panic, the system takes the file away.
pub(crate) struct Scratch {
    buffered: File,
    direct: Result<File, String>,
    bytes: u64,
    #[cfg(not(unix))]
    _name: tempfile::TempPath,
}

/// The unit in which the file is laid out and transferred where nothing else is said.
const LAYOUT_BLOCK: usize = 1 << 20;
const LAYOUT_DEPTH: usize = 8;

impl Scratch {
    /// Makes the file and fills it, past the page cache where that can be done.
    ///
    /// # Errors
    /// A folder that is missing, read-only or full; the text names it.
    pub(crate) fn new(plan: &Plan) -> Result<Self, String> {
        let dir = &plan.dir;
        let told = |error: io::Error| format!("{}: {error}", dir.display());
        let bytes = plan.file_bytes.min(free_bytes(dir).map_err(told)? / 4);
        let bytes = bytes / LAYOUT_BLOCK as u64 * LAYOUT_BLOCK as u64;
        if bytes < 4 * LAYOUT_BLOCK as u64 {
            return Err(format!(
                "{}: a quarter of the free space is less than 4 MiB",
                dir.display()
            ));
        }
        let made = tempfile::Builder::new().prefix(".redline-probe-").tempfile_in(dir);
        let (buffered, name) = made.map_err(told)?.into_parts();
        let direct = sys::open_direct(&name).map_err(|error| error.to_string());
        #[cfg(unix)]
        name.close().map_err(told)?;
        let mut scratch = Self {
            buffered,
            direct,
            bytes,
            #[cfg(not(unix))]
            _name: name,
        };
        scratch.lay_out().map_err(told)?;
        Ok(scratch)
    }

    /// Fills the file. A direct transfer that is refused closes that way for good.
    fn lay_out(&mut self) -> io::Result<()> {
        let offsets = offsets(self.bytes, LAYOUT_BLOCK, 1);
        let mut buffers = Buffers::filled(LAYOUT_BLOCK, LAYOUT_DEPTH)?;
        let limit = Duration::MAX;
        if let Ok(file) = &self.direct {
            match Job::new(Op::Write, file, &mut buffers, &offsets[..1], limit).run(Engine::Calls) {
                Ok(_) => {
                    let engine = Engine::detect();
                    Job::new(Op::Write, file, &mut buffers, &offsets, limit).run(engine)?;
                    return self.buffered.sync_all();
                }
                Err(error) => self.direct = Err(error.to_string()),
            }
        }
        Job::new(Op::Write, &self.buffered, &mut buffers, &offsets, limit).run(Engine::Calls)?;
        self.buffered.sync_all()
    }

    /// The file past the page cache, or why there is no such way.
    pub(crate) fn direct(&self) -> Result<&File, &str> {
        self.direct.as_ref().map_err(String::as_str)
    }

    pub(crate) fn bytes(&self) -> u64 {
        self.bytes
    }
}

/// Free space for us in the file system of `dir`.
#[cfg(unix)]
fn free_bytes(dir: &Path) -> io::Result<u64> {
    let found = rustix::fs::statvfs(dir)?;
    Ok(found.f_bavail * found.f_frsize)
}

/// Unknown elsewhere: the size asked for stands, and a full disk ends the section.
#[cfg(not(unix))]
fn free_bytes(_: &Path) -> io::Result<u64> {
    Ok(u64::MAX)
}

/// The offsets of `passes` passes over a file in blocks.
fn offsets(bytes: u64, block: usize, passes: usize) -> Vec<u64> {
    let blocks = bytes / block as u64;
    (0..passes).flat_map(|_| (0..blocks).map(|index| index * block as u64)).collect()
}

/// Offsets of 4 KiB pages in an order without a pattern.
fn random_offsets(bytes: u64, count: usize) -> Vec<u64> {
    let pages = (bytes / PAGE as u64).max(1);
    let mut random = XorShift::new(0x2545_F491_4F6C_DD1D);
    (0..count).map(|_| (random.next() >> 16) % pages * PAGE as u64).collect()
}

/// Sequential transfers past the page cache, for at most `limit`.
pub(crate) fn sequential(
    scratch: &Scratch,
    op: Op,
    block: usize,
    depth: usize,
    limit: Duration,
) -> Result<StorageRow, String> {
    /// Passes over the file before the time is up, on disks faster than any of today.
    const PASSES: usize = 64;
    let file = scratch.direct()?;
    let offsets = offsets(scratch.bytes, block, PASSES);
    let name = if op == Op::Read { "load" } else { "save" };
    if offsets.is_empty() {
        return Err("the file is smaller than one block".to_owned());
    }
    let (mut row, writer) = direct_row(name, file, op, block, depth, &offsets, limit)?;
    if let Some(writer) = writer {
        let written = (row.transfers * block) as u64;
        let found =
            holds_first(file, writer, written.min(scratch.bytes / block as u64 * block as u64));
        row.verified = found.map_err(|error| error.to_string())?;
    }
    Ok(row)
}

/// Whether the file begins with `bytes` of what the job `writer` wrote, as far as a short look goes.
fn holds_first(file: &File, writer: u32, bytes: u64) -> io::Result<bool> {
    const LOOK: u64 = 64 << 20;
    transfer::holds_what_was_written(file, writer, bytes.min(LOOK))
}

/// Random reads of 4 KiB past the page cache.
pub(crate) fn random_reads(
    scratch: &Scratch,
    depth: usize,
    limit: Duration,
) -> Result<StorageRow, String> {
    const COUNT: usize = 1 << 20;
    let offsets = random_offsets(scratch.bytes, COUNT);
    let file = scratch.direct()?;
    direct_row("randread", file, Op::Read, PAGE, depth, &offsets, limit).map(|(row, _)| row)
}

/// Runs the transfers by the best engine for the depth; the row and, of writes, the job's number.
fn direct_row(
    name: &str,
    file: &File,
    op: Op,
    block: usize,
    depth: usize,
    offsets: &[u64],
    limit: Duration,
) -> Result<(StorageRow, Option<u32>), String> {
    let engine = if depth == 1 { Engine::Calls } else { Engine::detect() };
    if depth > 1 && engine == Engine::Calls {
        return Err("this system offers no transfers side by side".to_owned());
    }
    let told = |error: io::Error| error.to_string();
    let made =
        if op == Op::Write { Buffers::filled(block, depth) } else { Buffers::new(block, depth) };
    let mut buffers = made.map_err(told)?;
    let mut job = Job::new(op, file, &mut buffers, offsets, limit);
    let wall = job.run(engine).map_err(told)?;
    let writer = job.generation;
    Ok((row(name, "direct", block, depth, engine, job.latencies, wall), writer))
}

fn row(
    op: &str,
    path: &str,
    block: usize,
    depth: usize,
    engine: Engine,
    latencies: Vec<f64>,
    wall: Duration,
) -> StorageRow {
    let per_second = latencies.len() as f64 / wall.as_secs_f64().max(1e-9);
    StorageRow {
        op: op.to_owned(),
        path: path.to_owned(),
        block_bytes: block as u64,
        queue_depth: depth,
        engine: engine.name().to_owned(),
        mb_per_s: Some(per_second * block as f64 * 1e-6),
        iops: Some(per_second),
        transfers: latencies.len(),
        latency_us: Some(percentiles(latencies)),
        verified: true,
    }
}

fn percentiles(mut nanoseconds: Vec<f64>) -> Percentiles {
    nanoseconds.sort_by(f64::total_cmp);
    let at = |q| quantile(&nanoseconds, q) * 1e-3;
    Percentiles { p50: at(0.5), p99: at(0.99), p999: at(0.999) }
}

/// Saving and loading through the page cache, each to and from the disk (`buffered`) and to and
/// from memory alone (`page_cache`).
pub(crate) fn buffered(scratch: &Scratch, limit: Duration) -> io::Result<Vec<StorageRow>> {
    let file = &scratch.buffered;
    let offsets = offsets(scratch.bytes, LAYOUT_BLOCK, 1);
    let mut buffers = Buffers::filled(LAYOUT_BLOCK, 1)?;
    let mut pass = |op, offsets: &[u64], writer: Option<u32>| {
        let mut job = Job::new(op, file, &mut buffers, offsets, limit);
        job.generation = job.generation.or(writer);
        let wall = job.run(Engine::Calls)?;
        io::Result::Ok((job.generation, job.latencies, wall))
    };
    let calls =
        |op, path, latencies, wall| row(op, path, LAYOUT_BLOCK, 1, Engine::Calls, latencies, wall);
    sys::drop_cache(file).or_else(|error| match error.kind() {
        io::ErrorKind::Unsupported => Ok(()),
        _ => Err(error),
    })?;
    let begin = Instant::now();
    let (writer, times, to_memory) = pass(Op::Write, &offsets, None)?;
    file.sync_all()?;
    let to_disk = begin.elapsed();
    let written = &offsets[..times.len()];
    let mut rows = vec![calls("save", "page_cache", times.clone(), to_memory)];
    let disk = !sys::in_memory(file);
    if disk {
        // The calls ended in memory: their times are not the disk's.
        rows.push(StorageRow { latency_us: None, ..calls("save", "buffered", times, to_disk) });
    }
    if disk && sys::drop_cache(file).is_ok() {
        let (_, times, wall) = pass(Op::Read, written, writer)?;
        rows.push(calls("load", "buffered", times, wall));
    }
    // Once more to fill the cache whatever came before, then what is in it from memory.
    let (_, filled, _) = pass(Op::Read, written, writer)?;
    let (_, times, wall) = pass(Op::Read, &written[..filled.len()], writer)?;
    rows.push(calls("load", "page_cache", times, wall));
    let bytes = (written.len() * LAYOUT_BLOCK) as u64;
    let is_right = writer.is_some_and(|writer| holds_first(file, writer, bytes).unwrap_or(false));
    rows.iter_mut().for_each(|row| row.verified &= is_right);
    Ok(rows)
}

/// Writes 4 KiB at a random place and waits until the disk has it.
///
/// # Errors
/// A file system in memory, which has no disk to wait for, or what the system refused.
pub(crate) fn fsync(scratch: &Scratch, limit: Duration) -> io::Result<StorageRow> {
    const COUNT: usize = 500;
    if sys::in_memory(&scratch.buffered) {
        let why = "a file system in memory has no disk to wait for";
        return Err(io::Error::new(io::ErrorKind::Unsupported, why));
    }
    let offsets = random_offsets(scratch.bytes, COUNT);
    let mut buffers = Buffers::filled(PAGE, 1)?;
    let begin = Instant::now();
    let mut latencies = Vec::new();
    for offset in &offsets {
        if begin.elapsed() >= limit {
            break;
        }
        let one = std::slice::from_ref(offset);
        Job::new(Op::Write, &scratch.buffered, &mut buffers, one, limit).run(Engine::Calls)?;
        let start = Instant::now();
        scratch.buffered.sync_all()?;
        latencies.push(start.elapsed().as_nanos() as f64);
    }
    let mut row = row("fsync", "buffered", PAGE, 1, Engine::Calls, latencies, begin.elapsed());
    row.mb_per_s = None;
    Ok(row)
}

#[cfg(test)]
mod tests;
