//! Transfers of one block size with a number of them in flight, and what they carry.

use std::fs::File;
use std::io;
use std::sync::Mutex;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, Instant};

use crate::sys::{Pages, Region};

/// The unit of what a file holds: each page carries a stamp, which tells its place and who wrote it.
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

/// Buffers for `depth` transfers of `block` bytes, aligned for direct ones. Those for writing are full of
/// incompressible bytes, no two pages alike, and more than are in flight: a slot writes another block each time,
/// as a file system that compresses looks at more than one.
pub(crate) struct Buffers {
    region: Region,
    block: usize,
    depth: usize,
    /// Blocks that a slot writes in turn.
    copies: usize,
    /// Which one is next.
    turns: Vec<usize>,
}

impl Buffers {
    /// For reading.
    pub(crate) fn new(block: usize, depth: usize) -> io::Result<Self> {
        Self::with_copies(block, depth, 1)
    }

    /// For writing, and for reading as well.
    pub(crate) fn filled(block: usize, depth: usize) -> io::Result<Self> {
        /// Beyond what any file system compresses together.
        const ALL: usize = 4 << 20;
        let mut buffers = Self::with_copies(block, depth, (ALL / (block * depth)).max(1))?;
        for (index, page) in buffers.region.as_bytes().chunks_mut(PAGE).enumerate() {
            noise(page, index as u32);
        }
        Ok(buffers)
    }

    fn with_copies(block: usize, depth: usize, copies: usize) -> io::Result<Self> {
        let region = Region::new(block * depth * copies, Pages::Ordinary)?;
        Ok(Self { region, block, depth, copies, turns: vec![0; depth] })
    }

    /// The slots' own parts, each of whole copies.
    fn slots(&mut self) -> impl Iterator<Item = Slot<'_>> {
        let (block, part) = (self.block, self.block * self.copies);
        let parts = self.region.as_bytes().chunks_exact_mut(part).zip(&mut self.turns);
        parts.enumerate().map(move |(index, (bytes, turn))| Slot::new(index, block, bytes, turn))
    }

    fn slot(&mut self, index: usize) -> Slot<'_> {
        let part = self.block * self.copies;
        let bytes = &mut self.region.as_bytes()[index * part..][..part];
        Slot::new(index, self.block, bytes, &mut self.turns[index])
    }
}

/// What belongs to one of the transfers in flight.
struct Slot<'a> {
    bytes: &'a mut [u8],
    turn: &'a mut usize,
    block: usize,
    /// Of all pages of the buffers, the number of its first.
    first_page: u32,
}

impl<'a> Slot<'a> {
    fn new(index: usize, block: usize, bytes: &'a mut [u8], turn: &'a mut usize) -> Self {
        let first_page = (index * bytes.len() / PAGE) as u32;
        Self { bytes, turn, block, first_page }
    }

    /// The block of this turn.
    fn block(&mut self) -> &mut [u8] {
        &mut self.bytes[*self.turn * self.block..][..self.block]
    }

    /// Goes on to the next block and stamps it for its place in the file.
    fn prepare(&mut self, offset: u64, generation: u32) {
        *self.turn = (*self.turn + 1) % (self.bytes.len() / self.block);
        let first = self.first_page + (*self.turn * self.block / PAGE) as u32;
        for (index, page) in self.block().chunks_mut(PAGE).enumerate() {
            let offset = offset + (index * PAGE) as u64;
            Stamp { offset, generation, noise: first + index as u32 }.put(page);
        }
    }
}

/// The first bytes of a page.
#[derive(Clone, Copy, PartialEq, Eq)]
struct Stamp {
    /// Its place in the file.
    offset: u64,
    /// Which job wrote it.
    generation: u32,
    /// Which noise follows.
    noise: u32,
}

impl Stamp {
    const BYTES: usize = 16;

    fn put(self, page: &mut [u8]) {
        page[..8].copy_from_slice(&self.offset.to_le_bytes());
        page[8..12].copy_from_slice(&self.generation.to_le_bytes());
        page[12..16].copy_from_slice(&self.noise.to_le_bytes());
    }

    fn of(page: &[u8]) -> Self {
        let word = |at: usize| u32::from_le_bytes(std::array::from_fn(|byte| page[at + byte]));
        let offset = u64::from(word(0)) | u64::from(word(4)) << 32;
        Self { offset, generation: word(8), noise: word(12) }
    }
}

/// The bytes of page `index` before it is stamped: a stretch of splitmix64 (S. Vigna), which no compressor
/// shortens.
fn noise(page: &mut [u8], index: u32) {
    const STEP: u64 = 0x9E37_79B9_7F4A_7C15;
    let mut state = STEP.wrapping_mul(u64::from(index) * (PAGE / 8) as u64);
    for word in page.chunks_exact_mut(8) {
        state = state.wrapping_add(STEP);
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
    /// Of a writing job its own number, which its pages bear; of a reading one the number that they must bear,
    /// where that is known.
    pub(crate) generation: Option<u32>,
    /// Nanoseconds of each transfer.
    pub(crate) latencies: Vec<f64>,
}

impl<'a> Job<'a> {
    /// `depth` and `block` are those of `buffers`, which are filled where it writes.
    pub(crate) fn new(
        op: Op,
        file: &'a File,
        buffers: &'a mut Buffers,
        offsets: &'a [u64],
        limit: Duration,
    ) -> Self {
        let (block, depth) = (buffers.block, buffers.depth);
        static WRITERS: AtomicU32 = AtomicU32::new(1);
        let generation = (op == Op::Write).then(|| WRITERS.fetch_add(1, Ordering::Relaxed));
        let latencies = Vec::with_capacity(offsets.len());
        Self { op, file, block, depth, offsets, limit, buffers, generation, latencies }
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

    /// What a slot transfers.
    pub(crate) fn buffer(&mut self, slot: usize) -> &mut [u8] {
        let block = self.block;
        let Slot { bytes, turn, .. } = self.buffers.slot(slot);
        &mut bytes[*turn * block..][..block]
    }

    /// Stamps what is about to be written.
    pub(crate) fn prepare(&mut self, slot: usize, offset: u64) {
        if let (Op::Write, Some(generation)) = (self.op, self.generation) {
            self.buffers.slot(slot).prepare(offset, generation);
        }
    }

    /// Notes a transfer's time and, for a read, whether its stamp is the right one.
    pub(crate) fn finish(&mut self, slot: usize, offset: u64, took: Duration) -> io::Result<()> {
        self.latencies.push(took.as_nanos() as f64);
        let generation = self.generation;
        match self.op {
            Op::Write => Ok(()),
            Op::Read => check_stamp(self.buffer(slot), offset, generation),
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
        let (op, file, limit, generation) = (self.op, self.file, self.limit, self.generation);
        let queue = Mutex::new(self.offsets.iter().copied());
        let begin = Instant::now();
        let work = |mut slot: Slot<'_>| {
            let mut times = Vec::new();
            while begin.elapsed() < limit {
                // A thread that panics holds no lock: the guard is gone within the statement.
                let Some(offset) = queue.lock().ok().and_then(|mut queue| queue.next()) else {
                    break;
                };
                if let (Op::Write, Some(generation)) = (op, generation) {
                    slot.prepare(offset, generation);
                }
                let start = Instant::now();
                transfer(op, file, slot.block(), offset)?;
                times.push(start.elapsed().as_nanos() as f64);
                if op == Op::Read {
                    check_stamp(slot.block(), offset, generation)?;
                }
            }
            io::Result::Ok(times)
        };
        let times: Vec<io::Result<Vec<f64>>> = std::thread::scope(|scope| {
            let work = &work;
            let slots = self.buffers.slots();
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

/// The first page's stamp: all that can be looked at within the clock.
fn check_stamp(block: &[u8], offset: u64, generation: Option<u32>) -> io::Result<()> {
    let found = Stamp::of(block);
    let is_right = found.offset == offset
        && generation.is_none_or(|generation| generation == found.generation);
    if is_right {
        return Ok(());
    }
    Err(io::Error::new(io::ErrorKind::InvalidData, format!("wrong bytes read at {offset}")))
}

/// Whether the first `bytes` of the file hold every byte as the job `generation` wrote it.
pub(crate) fn holds_what_was_written(file: &File, generation: u32, bytes: u64) -> io::Result<bool> {
    /// Read at a stretch.
    const STRETCH: usize = 1 << 20;
    let mut expected = [0; PAGE];
    let mut found = Region::new(STRETCH, Pages::Huge)?;
    let mut is_right = |offset: u64, page: &[u8]| {
        let stamp = Stamp::of(page);
        noise(&mut expected, stamp.noise);
        (stamp.offset, stamp.generation) == (offset, generation)
            && page[Stamp::BYTES..] == expected[Stamp::BYTES..]
    };
    for offset in (0..bytes).step_by(STRETCH) {
        let length = STRETCH.min((bytes - offset) as usize);
        let found = &mut found.as_bytes()[..length];
        transfer(Op::Read, file, found, offset)?;
        let mut pages = found.chunks(PAGE).enumerate();
        if !pages.all(|(index, page)| is_right(offset + (index * PAGE) as u64, page)) {
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
                let mut writer = 0;
                for op in [Op::Write, Op::Read] {
                    let mut buffers = Buffers::filled(block, depth).unwrap();
                    let mut job =
                        Job::new(op, &file, &mut buffers, &offsets, Duration::from_secs(60));
                    writer = *job.generation.get_or_insert(writer);
                    job.run(engine).unwrap();
                    assert_eq!(job.latencies.len(), 50, "{engine:?} {depth}");
                }
                let bytes = 50 * block as u64;
                assert!(holds_what_was_written(&file, writer, bytes).unwrap());
                assert!(!holds_what_was_written(&file, writer - 1, bytes).unwrap());
            }
        }
    }

    #[test]
    fn bytes_in_the_wrong_place_are_seen() {
        let file = tempfile::tempfile().unwrap();
        let mut buffers = Buffers::filled(PAGE, 2).unwrap();
        let offsets = [0, PAGE as u64];
        let limit = Duration::from_secs(60);
        let mut job = Job::new(Op::Write, &file, &mut buffers, &offsets, limit);
        let writer = job.generation.unwrap();
        job.run(Engine::Calls).unwrap();
        let holds = |bytes| holds_what_was_written(&file, writer, bytes).unwrap();
        let mut page = vec![0; PAGE];
        transfer(Op::Read, &file, &mut page, 0).unwrap();
        transfer(Op::Write, &file, &mut page, PAGE as u64).unwrap();
        assert!(holds(PAGE as u64) && !holds(2 * PAGE as u64));
        // One bit in the middle of a page.
        page[PAGE / 2] ^= 1;
        transfer(Op::Write, &file, &mut page, 0).unwrap();
        assert!(!holds(PAGE as u64));
        for engine in engines() {
            let mut job = Job::new(Op::Read, &file, &mut buffers, &offsets, limit);
            assert_eq!(job.run(engine).unwrap_err().kind(), io::ErrorKind::InvalidData);
        }
    }

    #[test]
    fn what_an_earlier_job_wrote_is_not_taken_for_this_ones() {
        let file = tempfile::tempfile().unwrap();
        let (offsets, limit) = ([0], Duration::from_secs(60));
        for engine in engines() {
            let mut buffers = Buffers::filled(PAGE, 1).unwrap();
            Job::new(Op::Write, &file, &mut buffers, &offsets, limit).run(engine).unwrap();
            let mut job = Job::new(Op::Read, &file, &mut buffers, &offsets, limit);
            job.generation = Some(0);
            assert_eq!(job.run(engine).unwrap_err().kind(), io::ErrorKind::InvalidData);
        }
    }

    #[test]
    fn no_two_pages_of_what_is_written_are_alike() {
        let mut buffers = Buffers::filled(PAGE, 1).unwrap();
        let pages: std::collections::BTreeSet<&[u8]> =
            buffers.region.as_bytes().chunks(PAGE).collect();
        assert_eq!(pages.len(), (4 << 20) / PAGE);
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
