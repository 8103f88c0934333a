//! Bandwidth of main memory and, by smaller working sets, of the caches.

use std::io;
use std::ops::Range;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use crate::kernels::StreamKernels;
use crate::measure::{Summary, summarise};
use crate::sys::{Pages, Region};
use crate::team::{self, Span, Worker};

/// A stream kernel by STREAM's names.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kernel {
    /// `sum += a[i]`
    Read,
    /// `c[i] = s`
    Write,
    /// `c[i] = a[i]`
    Copy,
    /// `c[i] = s * a[i]`
    Scale,
    /// `c[i] = a[i] + b[i]`
    Add,
    /// `c[i] = a[i] + s * b[i]`
    Triad,
}

impl Kernel {
    pub(crate) const ALL: [Self; 6] =
        [Self::Read, Self::Write, Self::Copy, Self::Scale, Self::Add, Self::Triad];

    /// The name in documents; a non-temporal write has its own.
    #[must_use]
    pub fn name(self, stores: Stores) -> &'static str {
        match (self, stores) {
            (Self::Read, _) => "read",
            (Self::Write, Stores::NonTemporal) => "write_nt",
            (Self::Write, _) => "write",
            (Self::Copy, _) => "copy",
            (Self::Scale, _) => "scale",
            (Self::Add, _) => "add",
            (Self::Triad, _) => "triad",
        }
    }

    /// Arrays that the kernel touches: STREAM's count of bytes is 8 for each and element.
    #[must_use]
    pub fn arrays(self) -> usize {
        match self {
            Self::Read | Self::Write => 1,
            Self::Copy | Self::Scale => 2,
            Self::Add | Self::Triad => 3,
        }
    }
}

/// How a kernel stores.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stores {
    /// It does not.
    None,
    /// Through the caches; a line that is not there is read first.
    Regular,
    /// Past the caches.
    NonTemporal,
    /// By the system's own `memcpy`, which chooses by size.
    Library,
}

impl Stores {
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::None => "none",
            Self::Regular => "regular",
            Self::NonTemporal => "non_temporal",
            Self::Library => "library",
        }
    }

    /// The ways in which `kernel` can store on this machine.
    #[must_use]
    pub fn of(kernel: Kernel) -> &'static [Self] {
        match (kernel, StreamKernels::widest().streams) {
            (Kernel::Read, _) => &[Self::None],
            (Kernel::Copy, true) => &[Self::Regular, Self::NonTemporal, Self::Library],
            (Kernel::Copy, false) => &[Self::Regular, Self::Library],
            (_, true) => &[Self::Regular, Self::NonTemporal],
            (_, false) => &[Self::Regular],
        }
    }
}

/// One array of a worker.
struct Array {
    region: Region,
    /// Elements before the first.
    skip: usize,
}

impl Array {
    /// Filled with `value`, and so touched by the calling thread. Its beginning lies `lines` cache lines after a
    /// page's: a load and a store whose addresses differ by whole pages are taken for one another at first.
    fn new(bytes: usize, pages: Pages, lines: usize, value: f64) -> io::Result<Self> {
        const LINE: usize = 64;
        let skip = lines * LINE / size_of::<f64>();
        let room = if bytes > 0 { bytes + lines * LINE } else { 0 };
        let mut array = Self { region: Region::new(room, pages)?, skip };
        array.values().fill(value);
        Ok(array)
    }

    fn values(&mut self) -> &mut [f64] {
        let skip = self.skip;
        self.region.as_f64().get_mut(skip..).unwrap_or_default()
    }
}

/// A worker's arrays: made, and touched first, on the core that streams them.
pub(crate) struct Arrays {
    a: Array,
    b: Array,
    c: Array,
}

/// What the arrays hold, so that each kernel leaves a value of its own in `c`.
const A: f64 = 1.0;
const B: f64 = 2.0;
const S: f64 = 5.0;

impl Arrays {
    /// Those of the three arrays that the kernels touch, of `bytes` each, filled.
    pub(crate) fn new(kernels: &[Kernel], bytes: usize, pages: Pages) -> io::Result<Self> {
        let array = |lines: usize, value: f64, touches: fn(Kernel) -> bool| {
            let touched = kernels.iter().any(|&kernel| touches(kernel));
            Array::new(if touched { bytes } else { 0 }, pages, lines, value)
        };
        Ok(Self {
            a: array(0, A, |kernel| kernel != Kernel::Write)?,
            b: array(33, B, |kernel| kernel.arrays() == 3)?,
            c: array(66, 0.0, |kernel| kernel != Kernel::Read)?,
        })
    }

    /// Runs the case's kernel once over the elements `at`; what `read` summed, else 0.
    pub(crate) fn run(&mut self, case: &Case, at: Range<usize>) -> f64 {
        let Case { kernel, stores, kernels, .. } = *case;
        let nt = stores == Stores::NonTemporal;
        let (a, b, c) = (self.a.values(), self.b.values(), self.c.values());
        match kernel {
            Kernel::Read => return kernels.read(&a[at]),
            Kernel::Write => kernels.write(nt, &mut c[at], S),
            Kernel::Copy if stores == Stores::Library => c[at.clone()].copy_from_slice(&a[at]),
            Kernel::Copy => kernels.copy(nt, &a[at.clone()], &mut c[at]),
            Kernel::Scale => kernels.scale(nt, &a[at.clone()], &mut c[at], S),
            Kernel::Add => kernels.add(nt, &a[at.clone()], &b[at.clone()], &mut c[at]),
            Kernel::Triad => kernels.triad(nt, &a[at.clone()], &b[at.clone()], &mut c[at], S),
        }
        0.0
    }

    /// Whether the kernel's runs over the first `len` elements left what they should, in every
    /// element; for `read`, whether the last run summed `read` of them.
    pub(crate) fn verify(&mut self, kernel: Kernel, len: usize, read: usize, sum: f64) -> bool {
        let expected = match kernel {
            Kernel::Read => return sum == A * read as f64,
            Kernel::Write => S,
            Kernel::Copy => A,
            Kernel::Scale => S * A,
            Kernel::Add => A + B,
            Kernel::Triad => A + S * B,
        };
        // The array is cleared so that no later kernel can pass on this one's values; piece by
        // piece, while the piece is in the cache.
        const PIECE: usize = 2048;
        let pieces = self.c.values()[..len].chunks_mut(PIECE);
        pieces.fold(true, |right, piece| {
            let wrong: usize = piece.iter().map(|&value| usize::from(value != expected)).sum();
            piece.fill(0.0);
            right && wrong == 0
        })
    }
}

/// One kernel at one working set: what a team is asked to measure.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Case {
    pub(crate) kernel: Kernel,
    pub(crate) stores: Stores,
    /// The instruction set that streams.
    pub(crate) kernels: &'static StreamKernels,
    /// Elements of each array of each thread.
    pub(crate) len: usize,
    /// A call streams one of this many parts of the arrays, the next call the next part:
    /// short samples over a set that no cache holds.
    pub(crate) parts: usize,
    /// Calls in one sample, so that small sets fill the clock.
    pub(crate) calls: usize,
    /// Samples after the warm-up.
    pub(crate) repeats: usize,
}

impl Case {
    /// Bytes of all arrays of `threads` threads.
    pub(crate) fn bytes(&self, threads: usize) -> usize {
        self.kernel.arrays() * size_of::<f64>() * self.len * threads
    }

    /// Bytes that one sample moves, by STREAM's count.
    pub(crate) fn sample_bytes(&self, threads: usize) -> usize {
        self.bytes(threads) / self.parts * self.calls
    }

    /// The instruction set's name; the library has one of its own.
    pub(crate) fn isa(&self) -> &'static str {
        if self.stores == Stores::Library { "library" } else { self.kernels.isa }
    }

    /// The part that belongs to a round. Parts are alike and begin at a cache line.
    fn part(&self, round: usize) -> Range<usize> {
        let len = self.len / self.parts;
        let from = round % self.parts * len;
        from..from + len
    }
}

/// A measured case.
pub(crate) struct Streamed {
    pub(crate) case: Case,
    /// Of every sample, GB/s.
    pub(crate) rates: Vec<f64>,
    pub(crate) verified: bool,
}

impl Streamed {
    /// No sample yet.
    pub(crate) fn none(case: Case) -> Self {
        Self { case, rates: Vec::new(), verified: true }
    }

    pub(crate) fn summary(&self) -> Summary {
        summarise(&self.rates)
    }

    /// Takes in the samples of another visit.
    pub(crate) fn add(&mut self, more: Self) {
        self.rates.extend(more.rates);
        self.verified &= more.verified;
    }
}

/// Every kernel in each way of storing, over arrays of `array_bytes` shared out to `threads`.
pub(crate) fn main_cases(threads: usize, array_bytes: usize, repeats: usize) -> Vec<Case> {
    let (len, parts) = parts(array_bytes / threads / size_of::<f64>(), repeats + 1);
    let of = |kernel: Kernel| {
        let stores = Stores::of(kernel).iter();
        stores.map(move |&stores| {
            let parts = parts_of(stores, parts);
            Case { kernel, stores, kernels: StreamKernels::widest(), len, parts, calls: 1, repeats }
        })
    };
    Kernel::ALL.into_iter().flat_map(of).collect()
}

/// Cuts `len` elements into parts, at most as many as there are calls to visit them all, and no smaller
/// than 32 MiB; the length that the parts cover.
pub(crate) fn parts(len: usize, calls: usize) -> (usize, usize) {
    const PARTS: usize = 8;
    const SMALLEST: usize = (32 << 20) / size_of::<f64>();
    // Whole cache lines and whole unrolled steps of the kernels.
    const GRAIN: usize = 64;
    let parts = (len / SMALLEST).clamp(1, PARTS.min(calls));
    (if parts > 1 { len / parts / GRAIN * GRAIN * parts } else { len }, parts)
}

/// The parts for one way of storing: `memcpy` streams past the caches from a size on that a small part may not
/// reach.
pub(crate) fn parts_of(stores: Stores, parts: usize) -> usize {
    if stores == Stores::Library { parts.min(2) } else { parts }
}

/// The staircase of one kernel with ordinary stores: working sets from 4 KiB to `largest` bytes
/// over all arrays and threads, `per_octave` to each doubling; a sample moves at least
/// `sample_bytes`.
pub(crate) fn sweep_cases(
    kernel: Kernel,
    threads: usize,
    largest: usize,
    per_octave: u32,
    repeats: usize,
    sample_bytes: usize,
) -> Vec<Case> {
    let element = kernel.arrays() * size_of::<f64>() * threads;
    let case = |set: usize| {
        let (len, parts) = parts(set / element, repeats + 1);
        let calls = (sample_bytes / (element * len.max(1))).max(1);
        let (stores, kernels) = (Stores::of(kernel)[0], StreamKernels::widest());
        Case { kernel, stores, kernels, len, parts, calls, repeats }
    };
    working_sets(largest, per_octave).into_iter().map(case).collect()
}

/// Working sets from 4 KiB to `largest`, `per_octave` to each doubling, in whole 512 bytes.
pub(crate) fn working_sets(largest: usize, per_octave: u32) -> Vec<usize> {
    const SMALLEST: f64 = 4096.0;
    let steps = (largest as f64 / SMALLEST).log2() * f64::from(per_octave) + 1e-9;
    let size = |step: u32| {
        (SMALLEST * (f64::from(step) / f64::from(per_octave)).exp2()) as usize / 512 * 512
    };
    (0..=steps.max(0.0) as u32).map(size).collect()
}

/// The arrays of a team: each worker's made, and first touched, by a thread on its core.
pub(crate) struct Bank {
    arrays: Vec<Mutex<Arrays>>,
}

impl Bank {
    /// Arrays of `array_bytes` shared out to `threads`, as many as `kernels` need.
    ///
    /// # Errors
    /// Where the system refuses the memory.
    pub(crate) fn new(threads: usize, kernels: &[Kernel], array_bytes: usize) -> io::Result<Self> {
        let bytes = array_bytes / threads;
        let made = team::run(threads, |_| Arrays::new(kernels, bytes, Pages::Huge));
        let arrays = made.into_iter().map(|arrays| arrays.map(Mutex::new));
        Ok(Self { arrays: arrays.collect::<io::Result<_>>()? })
    }

    pub(crate) fn threads(&self) -> usize {
        self.arrays.len()
    }

    /// The worker's own arrays. One that panicked left arrays that are refilled or found wrong, never unsound.
    fn arrays(&self, worker: &Worker<'_>) -> MutexGuard<'_, Arrays> {
        self.arrays[worker.index].lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The case by the instruction set that streams it fastest here, of a few samples each in turn. The widest
/// registers need not win: an EPYC of the fourth generation reads main memory a tenth faster by 256 bits than by
/// 512, and its caches faster by 512.
pub(crate) fn fastest(bank: &Bank, case: Case) -> Case {
    const ROUNDS: usize = 3;
    let candidates = StreamKernels::candidates();
    if candidates.len() == 1 || case.stores == Stores::Library {
        return case;
    }
    // Every candidate in every round, after a round to warm up.
    let trials = || (0..=ROUNDS).flat_map(|_| candidates.iter()).enumerate();
    let workers = team::run(bank.threads(), |worker| {
        let mut arrays = bank.arrays(worker);
        let spans = trials().map(|(trial, kernels)| {
            let case = Case { kernels, ..case };
            call(worker, &case, &mut arrays, trial, case.calls).0
        });
        spans.collect::<Vec<Span>>()
    });
    let timed = trials()
        .skip(candidates.len())
        .map(|(trial, &kernels)| (team::wall(workers.iter().map(|spans| spans[trial])), kernels));
    let best = timed.min_by_key(|(wall, _)| *wall);
    Case { kernels: best.map_or(case.kernels, |(_, kernels)| kernels), ..case }
}

/// Measures `cases`, made for the bank's threads and no larger than its arrays, one after another.
pub(crate) fn stream(bank: &Bank, cases: &[Case]) -> Vec<Streamed> {
    let threads = bank.threads();
    let workers = team::run(threads, |worker| {
        let mut arrays = bank.arrays(worker);
        cases.iter().map(|case| repeat(worker, case, &mut arrays)).collect::<Vec<Part>>()
    });
    let streamed = cases.iter().enumerate().map(|(index, &case)| {
        let gigabytes = case.sample_bytes(threads) as f64 * 1e-9;
        let rate = |repeat: usize| {
            let spans = workers.iter().map(|parts| parts[index].spans[repeat]);
            gigabytes / team::wall(spans).as_secs_f64()
        };
        let verified = workers.iter().all(|parts| parts[index].verified);
        Streamed { case, rates: (0..case.repeats).map(rate).collect(), verified }
    });
    streamed.collect()
}

/// One sample of `case` after a warm-up: its wall time, and whether the values were right.
pub(crate) fn sample(bank: &Bank, case: &Case) -> (Duration, bool) {
    let case = Case { repeats: 1, ..*case };
    let parts = team::run(bank.threads(), |worker| repeat(worker, &case, &mut bank.arrays(worker)));
    let right = parts.iter().all(|part| part.verified);
    (team::wall(parts.iter().map(|part| part.spans[0])), right)
}

/// One worker's part of one case.
struct Part {
    spans: Vec<Span>,
    verified: bool,
}

/// Runs a case once to warm up and `repeats` times on the clock, then checks what it left.
fn repeat(worker: &Worker<'_>, case: &Case, arrays: &mut Arrays) -> Part {
    let mut spans = Vec::with_capacity(case.repeats);
    let mut sum = 0.0;
    for round in 0..=case.repeats {
        // The warm-up is one call.
        let calls = if round == 0 { 1 } else { case.calls };
        let (span, value) = call(worker, case, arrays, round, calls);
        sum = value;
        if round > 0 {
            spans.push(span);
        }
    }
    let read = case.part(0).len();
    let verified = arrays.verify(case.kernel, case.len, read, sum);
    Part { spans, verified }
}

/// `calls` calls of a case, each over the part after the last one's: their time, and what the last one summed.
fn call(
    worker: &Worker<'_>,
    case: &Case,
    arrays: &mut Arrays,
    round: usize,
    calls: usize,
) -> (Span, f64) {
    let first = round * calls;
    let last = first + calls.max(1) - 1;
    worker.timed(|| {
        let mut run = |call| arrays.run(case, case.part(call));
        for call in first..last {
            std::hint::black_box(run(call));
        }
        run(last)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Ten elements by ordinary stores.
    fn case(kernel: Kernel) -> Case {
        let (stores, kernels) = (Stores::Regular, StreamKernels::widest());
        Case { kernel, stores, kernels, len: 10, parts: 1, calls: 1, repeats: 1 }
    }

    #[test]
    fn every_kernel_is_verified_on_every_count_of_threads() {
        for threads in [1, 2, 3] {
            let mut cases = main_cases(threads, 1 << 20, 2);
            cases.extend(sweep_cases(Kernel::Read, threads, 64 << 10, 4, 2, 1 << 20));
            for streamed in stream(&Bank::new(threads, &Kernel::ALL, 1 << 20).unwrap(), &cases) {
                assert!(streamed.verified, "{:?}", streamed.case);
                let gb_per_s = streamed.summary();
                assert!(gb_per_s.best >= gb_per_s.median && gb_per_s.median > 0.0);
            }
        }
    }

    #[test]
    fn the_fastest_set_is_one_of_this_processor() {
        for threads in [1, 2] {
            let bank = Bank::new(threads, &Kernel::ALL, 1 << 20).unwrap();
            for case in main_cases(threads, 1 << 20, 2) {
                let found = fastest(&bank, case);
                let known = StreamKernels::candidates().iter().any(|set| set.isa == found.isa());
                assert_eq!(known, case.stores != Stores::Library);
                assert!(stream(&bank, &[found])[0].verified);
            }
        }
    }

    #[test]
    fn a_wrong_value_is_seen() {
        let mut arrays = Arrays::new(&Kernel::ALL, 4096, Pages::Ordinary).unwrap();
        for kernel in Kernel::ALL.into_iter().skip(1) {
            let case = case(kernel);
            arrays.run(&case, 0..512);
            assert!(arrays.verify(kernel, 512, 512, 0.0));
            arrays.run(&case, 0..512);
            arrays.c.values()[300] += 1.0;
            assert!(!arrays.verify(kernel, 512, 512, 0.0), "{kernel:?}");
            // Nothing ran since: the values of before must not pass.
            assert!(!arrays.verify(kernel, 512, 512, 0.0), "{kernel:?}");
        }
        assert!(!arrays.verify(Kernel::Read, 512, 512, 511.0));
    }

    #[test]
    fn bytes_are_counted_as_stream_counts_them() {
        assert_eq!(case(Kernel::Read).bytes(2), 160);
        assert_eq!(case(Kernel::Copy).bytes(1), 160);
        assert_eq!(case(Kernel::Triad).bytes(1), 240);
    }

    #[test]
    fn parts_cover_the_arrays_and_a_sample_counts_its_own_bytes() {
        let cases = main_cases(1, 256 << 20, 5);
        let case = cases[0];
        assert_eq!((case.parts, case.len), (6, (32 << 20) / 6 / 64 * 64 * 6));
        assert_eq!(case.sample_bytes(1), case.len / 6 * 8);
        let met: Vec<_> = (0..=case.repeats).map(|round| case.part(round)).collect();
        assert_eq!((met[0].start, met[5].end), (0, case.len));
        assert_eq!(main_cases(1, 256 << 20, 1)[0].parts, 2);
        assert_eq!(main_cases(1, 1 << 20, 5)[0].parts, 1);
    }

    #[test]
    fn working_sets_have_their_points_to_the_octave() {
        let sets = working_sets(1 << 20, 4);
        assert_eq!((sets[0], sets[4], sets[8]), (4096, 8192, 16384));
        assert_eq!(*sets.last().unwrap(), 1 << 20);
        assert_eq!(sets.len(), 33);
        assert_eq!(working_sets(100, 4), [4096]);
    }
}
