//! Transfers of one block size with a number of them in flight, and what they carry.

use std::fs::File;
use std::io;
use std::sync::Mutex;
use std::time::{Duration, Instant};

use crate::sys::{Pages, Region};

/// Every page of 4 KiB carries its own offset, so that no two are alike and a misplaced one shows.
pub(crate) const PAGE: usize = 4096;

/// Which way.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Op {
    /// From the file.
    Read,
    /// To the file.
    Write,
}

/// What keeps several transfers in flight.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Engine {
    /// The kernel's submission ring.
    #[cfg(target_os = "linux")]
    Uring,
    /// One thread for each transfer.
    Threads,
    /// Plain calls, one after another.
    Calls,
}

impl Engine {
    pub(crate) fn name(self) -> &'static str {
        match self {
            #[cfg(target_os = "linux")]
            Self::Uring => "io_uring",
            Self::Threads => "threads",
            Self::Calls => "calls",
        }
    }

    /// The best that the system grants for a depth.
    pub(crate) fn detect() -> Self {
        #[cfg(target_os = "linux")]
        if crate::sys::uring::probe().is_ok() {
            return Self::Uring;
        }
        // Elsewhere threads would share the file's one position.
        if cfg!(unix) { Self::Threads } else { Self::Calls }
    }
}

/// Buffers for `depth` transfers of up to `block` bytes, each full of the same incompressible
/// bytes and aligned for direct transfers.
pub(crate) struct Buffers {
    region: Region,
    block: usize,
    depth: usize,
}

impl Buffers {
    pub(crate) fn new(block: usize, depth: usize) -> io::Result<Self> {
        let mut region = Region::new(block * depth, Pages::Ordinary)?;
        for slot in region.as_bytes().chunks_exact_mut(block) {
            noise(slot);
        }
        Ok(Self { region, block, depth })
    }
}

/// The bytes of a block before it is stamped: those of splitmix64 (S. Vigna), which no
/// compressor shortens.
fn noise(bytes: &mut [u8]) {
    let mut state = 0_u64;
    for word in bytes.chunks_exact_mut(8) {
        state = state.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut mixed = (state ^ (state >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        word.copy_from_slice(&(mixed ^ (mixed >> 31)).to_le_bytes());
    }
}

/// A row of transfers to make.
pub(crate) struct Job<'a> {
    pub(crate) op: Op,
    pub(crate) file: &'a File,
    pub(crate) block: usize,
    #[cfg_attr(not(target_os = "linux"), allow(dead_code, reason = "only the ring asks"))]
    pub(crate) depth: usize,
    /// Where, in order; transfers stop here or at `limit`.
    pub(crate) offsets: &'a [u64],
    /// No transfer begins after this long.
    pub(crate) limit: Duration,
    buffers: &'a mut Buffers,
    /// Nanoseconds of each transfer.
    pub(crate) latencies: Vec<f64>,
}

impl<'a> Job<'a> {
    /// `depth` and `block` are those of `buffers`.
    pub(crate) fn new(
        op: Op,
        file: &'a File,
        buffers: &'a mut Buffers,
        offsets: &'a [u64],
        limit: Duration,
    ) -> Self {
        let (block, depth) = (buffers.block, buffers.depth);
        let latencies = Vec::with_capacity(offsets.len());
        Self { op, file, block, depth, offsets, limit, buffers, latencies }
    }

    /// Makes the transfers; the wall time of all.
    pub(crate) fn run(&mut self, engine: Engine) -> io::Result<Duration> {
        match engine {
            #[cfg(target_os = "linux")]
            Engine::Uring => crate::sys::uring::run(self),
            Engine::Threads => self.run_on_threads(),
            Engine::Calls => self.run_calls(),
        }
    }

    /// A slot's part of the buffers.
    pub(crate) fn buffer(&mut self, slot: usize) -> &mut [u8] {
        &mut self.buffers.region.as_bytes()[slot * self.block..][..self.block]
    }

    /// Stamps what is about to be written.
    pub(crate) fn prepare(&mut self, slot: usize, offset: u64) {
        if self.op == Op::Write {
            stamp(self.buffer(slot), offset);
        }
    }

    /// Notes a transfer's time and, for a read, whether its stamp is that of its place.
    pub(crate) fn finish(&mut self, slot: usize, offset: u64, took: Duration) -> io::Result<()> {
        self.latencies.push(took.as_nanos() as f64);
        match self.op {
            Op::Write => Ok(()),
            Op::Read => check_stamp(self.buffer(slot), offset),
        }
    }

    fn run_calls(&mut self) -> io::Result<Duration> {
        let begin = Instant::now();
        for index in 0..self.offsets.len() {
            if begin.elapsed() >= self.limit {
                break;
            }
            let offset = self.offsets[index];
            self.prepare(0, offset);
            let start = Instant::now();
            let (op, file) = (self.op, self.file);
            transfer(op, file, self.buffer(0), offset)?;
            self.finish(0, offset, start.elapsed())?;
        }
        Ok(begin.elapsed())
    }

    /// As many threads as the depth, each taking the next offset when it is free.
    fn run_on_threads(&mut self) -> io::Result<Duration> {
        let (op, file, limit, block) = (self.op, self.file, self.limit, self.block);
        let queue = Mutex::new(self.offsets.iter().copied());
        let begin = Instant::now();
        let slots = self.buffers.region.as_bytes().chunks_exact_mut(block);
        let work = |buffer: &mut [u8]| {
            let mut times = Vec::new();
            while begin.elapsed() < limit {
                // A thread that panics holds no lock: the guard is gone within the statement.
                let Some(offset) = queue.lock().ok().and_then(|mut queue| queue.next()) else {
                    break;
                };
                if op == Op::Write {
                    stamp(buffer, offset);
                }
                let start = Instant::now();
                transfer(op, file, buffer, offset)?;
                times.push(start.elapsed().as_nanos() as f64);
                if op == Op::Read {
                    check_stamp(buffer, offset)?;
                }
            }
            io::Result::Ok(times)
        };
        let times: Vec<io::Result<Vec<f64>>> = std::thread::scope(|scope| {
            let work = &work;
            let threads: Vec<_> = slots.map(|slot| scope.spawn(move || work(slot))).collect();
            let ends = threads.into_iter().map(|thread| match thread.join() {
                Ok(times) => times,
                Err(_) => Err(io::Error::other("a transfer's thread panicked")),
            });
            ends.collect()
        });
        let wall = begin.elapsed();
        for times in times {
            self.latencies.extend(times?);
        }
        Ok(wall)
    }
}

/// One whole transfer at an offset.
#[cfg(unix)]
fn transfer(op: Op, file: &File, buffer: &mut [u8], offset: u64) -> io::Result<()> {
    use std::os::unix::fs::FileExt;
    match op {
        Op::Read => file.read_exact_at(buffer, offset),
        Op::Write => file.write_all_at(buffer, offset),
    }
}

/// One whole transfer at an offset; the file's own position moves.
#[cfg(not(unix))]
fn transfer(op: Op, mut file: &File, buffer: &mut [u8], offset: u64) -> io::Result<()> {
    use std::io::{Read, Seek, SeekFrom, Write};
    file.seek(SeekFrom::Start(offset))?;
    match op {
        Op::Read => file.read_exact(buffer),
        Op::Write => file.write_all(buffer),
    }
}

fn stamp(block: &mut [u8], offset: u64) {
    for (index, page) in block.chunks_mut(PAGE).enumerate() {
        page[..8].copy_from_slice(&(offset + (index * PAGE) as u64).to_le_bytes());
    }
}

/// The first page's stamp: all that can be looked at within the clock.
fn check_stamp(block: &[u8], offset: u64) -> io::Result<()> {
    if block[..8] == offset.to_le_bytes() {
        return Ok(());
    }
    Err(io::Error::new(io::ErrorKind::InvalidData, format!("wrong bytes read at {offset}")))
}

/// Whether the first `bytes` of the file, written in blocks of `block`, hold every byte as it was
/// written.
pub(crate) fn holds_what_was_written(file: &File, block: usize, bytes: u64) -> io::Result<bool> {
    /// Read at a stretch, whatever the block it was written in.
    const STRETCH: usize = 1 << 20;
    let stretch = block * (STRETCH / block).max(1);
    let mut expected = vec![0; stretch];
    expected.chunks_mut(block).for_each(noise);
    let mut found = Region::new(stretch, Pages::Huge)?;
    for offset in (0..bytes).step_by(stretch) {
        let length = stretch.min((bytes - offset) as usize);
        let found = &mut found.as_bytes()[..length];
        transfer(Op::Read, file, found, offset)?;
        stamp(&mut expected, offset);
        if found != &expected[..length] {
            return Ok(false);
        }
    }
    Ok(true)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn engines() -> Vec<Engine> {
        let mut engines = vec![Engine::Calls, Engine::Threads];
        if !engines.contains(&Engine::detect()) {
            engines.push(Engine::detect());
        }
        engines
    }

    #[test]
    fn every_engine_writes_and_reads_what_it_should() {
        let block = 2 * PAGE;
        let offsets: Vec<u64> = (0..50).map(|index| index * block as u64).collect();
        let file = tempfile::tempfile().unwrap();
        for engine in engines() {
            for depth in [1, 3, 8] {
                file.set_len(0).unwrap();
                for op in [Op::Write, Op::Read] {
                    let mut buffers = Buffers::new(block, depth).unwrap();
                    let mut job =
                        Job::new(op, &file, &mut buffers, &offsets, Duration::from_secs(60));
                    job.run(engine).unwrap();
                    assert_eq!(job.latencies.len(), 50, "{engine:?} {depth}");
                }
                assert!(holds_what_was_written(&file, block, 50 * block as u64).unwrap());
            }
        }
    }

    #[test]
    fn bytes_in_the_wrong_place_are_seen() {
        let file = tempfile::tempfile().unwrap();
        let mut buffers = Buffers::new(PAGE, 2).unwrap();
        let offsets = [0, PAGE as u64];
        let limit = Duration::from_secs(60);
        Job::new(Op::Write, &file, &mut buffers, &offsets, limit).run(Engine::Calls).unwrap();
        let mut page = vec![0; PAGE];
        transfer(Op::Read, &file, &mut page, 0).unwrap();
        transfer(Op::Write, &file, &mut page, PAGE as u64).unwrap();
        assert!(!holds_what_was_written(&file, PAGE, 2 * PAGE as u64).unwrap());
        for engine in engines() {
            let mut job = Job::new(Op::Read, &file, &mut buffers, &offsets, limit);
            assert_eq!(job.run(engine).unwrap_err().kind(), io::ErrorKind::InvalidData);
        }
    }

    #[test]
    fn a_file_that_ends_early_is_an_error_and_not_a_rate() {
        let file = tempfile::tempfile().unwrap();
        for engine in engines() {
            let mut buffers = Buffers::new(PAGE, 4).unwrap();
            // More than are in flight when the first fails.
            let offsets: Vec<u64> = (0..64).map(|page| page * PAGE as u64).collect();
            let mut job =
                Job::new(Op::Read, &file, &mut buffers, &offsets, Duration::from_secs(60));
            assert!(job.run(engine).is_err(), "{engine:?}");
        }
    }
}
