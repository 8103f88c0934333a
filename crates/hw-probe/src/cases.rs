//! One measurement at a time, for benches and for comparisons with other tools.
//!
//! A case holds its memory or its file; `run` times a number of calls and gives their wall time,
//! from the first thread's beginning to the last one's end.
//!
//! ```
//! use hw_probe::cases::StreamArrays;
//! use hw_probe::{Kernel, Stores};
//!
//! let arrays = StreamArrays::new(&[Kernel::Triad], 1, 1 << 20)?;
//! let triad = arrays.case(Kernel::Triad, Stores::Regular);
//! assert!(triad.verify());
//! let seconds = triad.run(10).as_secs_f64();
//! println!("{:.1} GB/s", triad.bytes() as f64 * 10.0 / seconds * 1e-9);
//! # Ok::<(), std::io::Error>(())
//! ```

use std::io;
use std::path::Path;
use std::time::{Duration, Instant};

use crate::arrays::{self, ArraySize};
use crate::compute;
use crate::kernels::{Chains, FmaKernels, StreamKernels, chase};
use crate::machine::machine;
use crate::memory::{Bank, Case, Kernel, Stores};
use crate::report::StorageRow;
use crate::storage::transfer::Op;
use crate::storage::{self, Scratch};
use crate::sys::{self, Pages, Region};
use crate::{memory, placement, plan, team};

/// Bytes of each of three arrays beyond the caches that `threads` threads can fill, within half of the memory
/// that is free: twice what [`probe`](crate::probe()) streams on as many threads.
///
/// A cache keeps part of what one kernel streams again and again: over four times the cache of an EPYC of the fourth
/// generation `read` is 11 % and `write` 14 % faster than over 32 times, over eight times 5 %. The probe's kernels take
/// turns.
#[must_use]
pub fn array_bytes(threads: usize, quick: bool) -> usize {
    let room = plan::room();
    let once = ArraySize::new(&machine(), threads, room, quick).bytes;
    (2 * once).min(arrays::most(room) as usize).max(once)
}

/// Arrays that several kernels stream in turn, each thread's first touched by a thread on its core.
pub struct StreamArrays {
    bank: Bank,
    /// Elements of each thread's arrays, in so many parts.
    len: usize,
    parts: usize,
}

impl StreamArrays {
    /// Arrays of `array_bytes`, as many as `kernels` need, shared out to `threads`.
    ///
    /// # Errors
    /// Where the system refuses the memory.
    pub fn new(kernels: &[Kernel], threads: usize, array_bytes: usize) -> io::Result<Self> {
        let (len, parts) = memory::parts(array_bytes / threads / size_of::<f64>(), usize::MAX);
        Ok(Self { bank: Bank::new(threads, kernels, array_bytes)?, len, parts })
    }

    /// One kernel over these arrays, which must be among those they were made for, by the instruction set that
    /// streams it fastest here. Runs it a few times by each.
    #[must_use]
    pub fn case(&self, kernel: Kernel, stores: Stores) -> StreamCase<'_> {
        let (len, kernels) = (self.len, StreamKernels::widest());
        let parts = memory::parts_of(stores, self.parts);
        let case = Case { kernel, stores, kernels, len, parts, calls: 1, repeats: 1 };
        StreamCase { bank: &self.bank, case: memory::fastest(&self.bank, case) }
    }
}

/// A stream kernel on pinned threads.
pub struct StreamCase<'a> {
    bank: &'a Bank,
    case: Case,
}

impl StreamCase<'_> {
    /// The instruction set's name; `library` for the system's own `memcpy`.
    #[must_use]
    pub fn isa(&self) -> &'static str {
        self.case.isa()
    }

    /// Bytes that one call moves, as STREAM counts them: of a part of the arrays, the next call of the next.
    #[must_use]
    pub fn bytes(&self) -> u64 {
        self.case.sample_bytes(self.bank.threads()) as u64
    }

    /// The time of `calls` calls; a call before them is not counted.
    pub fn run(&self, calls: u64) -> Duration {
        self.sample(calls).0
    }

    /// Whether calls over all parts leave the right value in every element.
    #[must_use]
    pub fn verify(&self) -> bool {
        self.sample(self.case.parts as u64).1
    }

    fn sample(&self, calls: u64) -> (Duration, bool) {
        let case = Case { calls: calls.max(1) as usize, ..self.case };
        memory::sample(self.bank, &case)
    }
}

/// The chains of fused multiply-adds on pinned threads.
pub struct FmaCase {
    chains: &'static dyn Chains,
    threads: usize,
}

impl FmaCase {
    /// Links of each chain in one call.
    const LINKS: usize = 100_000;

    /// Chains of `f32`; `None` on a processor without FMA.
    #[must_use]
    pub fn f32(threads: usize) -> Option<Self> {
        Some(Self { chains: &FmaKernels::detect()?.f32, threads })
    }

    /// Chains of `f64`; `None` on a processor without FMA.
    #[must_use]
    pub fn f64(threads: usize) -> Option<Self> {
        Some(Self { chains: &FmaKernels::detect()?.f64, threads })
    }

    /// Floating-point operations of one call, all threads together.
    #[must_use]
    pub fn flops(&self) -> u64 {
        (self.chains.flops(Self::LINKS) * self.threads as f64) as u64
    }

    /// The time of `calls` calls.
    pub fn run(&self, calls: u64) -> Duration {
        compute::chain_rounds(self.chains, self.threads, 1, calls as usize, Self::LINKS).0[0]
    }

    /// Whether every chain ends where the plain recurrence does.
    #[must_use]
    pub fn verify(&self) -> bool {
        compute::chain_rounds(self.chains, self.threads, 1, 1, Self::LINKS).1
    }
}

/// Nanoseconds that a line takes from the first core to the second, median; `None` where there is one core or threads
/// cannot be bound to them. Where it changes by half or more, the host has moved a guest's cores.
#[must_use]
pub fn distance() -> Option<f64> {
    match sys::allowed_cpus()[..] {
        [first, second, ..] => placement::distance((first, second)),
        _ => None,
    }
}

/// Dependent loads in random order on one pinned core.
pub struct ChaseCase {
    region: Region,
    at: usize,
}

impl ChaseCase {
    /// A cycle through `bytes` of memory, on large pages where asked for and granted.
    ///
    /// # Errors
    /// Where the system refuses the memory.
    pub fn new(bytes: usize, huge_pages: bool) -> io::Result<Self> {
        let pages = if huge_pages { Pages::Huge } else { Pages::Ordinary };
        let mut region = Region::new(bytes, pages)?;
        chase::lay_cycle(region.as_u64(), 1);
        Ok(Self { region, at: 0 })
    }

    /// The time of `loads` loads.
    pub fn run(&mut self, loads: u64) -> Duration {
        let (words, at) = (self.region.as_u64(), self.at);
        // A thread of its own: binding the caller's would bind whatever it starts later.
        let run = || {
            team::pin_to_first();
            let begin = Instant::now();
            let at = std::hint::black_box(chase::follow(words, at, loads as usize));
            (begin.elapsed(), at)
        };
        let (elapsed, at) = std::thread::scope(|scope| {
            scope.spawn(run).join().unwrap_or_else(|panic| std::panic::resume_unwind(panic))
        });
        self.at = at;
        elapsed
    }
}

/// Transfers to and from a temporary file without a name.
pub struct StorageCase {
    scratch: Scratch,
}

impl StorageCase {
    /// A file of `bytes` (a quarter of the free space at most) in `dir`, filled.
    ///
    /// # Errors
    /// The folder and what is wrong with it.
    pub fn new(dir: &Path, bytes: u64) -> Result<Self, String> {
        Ok(Self { scratch: Scratch::new(&plan::scratch(dir.to_owned(), bytes))? })
    }

    /// Sequential writes past the page cache for at most `limit`.
    ///
    /// # Errors
    /// What the system refused.
    pub fn save(&self, block: usize, depth: usize, limit: Duration) -> Result<StorageRow, String> {
        storage::sequential(&self.scratch, Op::Write, block, depth, limit)
    }

    /// Sequential reads past the page cache for at most `limit`.
    ///
    /// # Errors
    /// What the system refused.
    pub fn load(&self, block: usize, depth: usize, limit: Duration) -> Result<StorageRow, String> {
        storage::sequential(&self.scratch, Op::Read, block, depth, limit)
    }

    /// Random reads of 4 KiB past the page cache for at most `limit`.
    ///
    /// # Errors
    /// What the system refused.
    pub fn random_reads(&self, depth: usize, limit: Duration) -> Result<StorageRow, String> {
        storage::random_reads(&self.scratch, depth, limit)
    }
}
