//! Bandwidth of main memory and, by smaller working sets, of the caches.

use std::io;

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
}

impl Stores {
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::None => "none",
            Self::Regular => "regular",
            Self::NonTemporal => "non_temporal",
        }
    }

    /// The ways in which `kernel` can store on this machine.
    #[must_use]
    pub fn of(kernel: Kernel) -> &'static [Self] {
        match (kernel, StreamKernels::detect().streams) {
            (Kernel::Read, _) => &[Self::None],
            (_, true) => &[Self::Regular, Self::NonTemporal],
            (_, false) => &[Self::Regular],
        }
    }
}

/// A worker's arrays: made, and touched first, by the thread that streams them.
pub(crate) struct Arrays {
    a: Region,
    b: Region,
    c: Region,
}

/// What the arrays hold, so that each kernel leaves a value of its own in `c`.
const A: f64 = 1.0;
const B: f64 = 2.0;
const S: f64 = 5.0;

impl Arrays {
    /// Three arrays of `bytes` each, filled.
    pub(crate) fn new(bytes: usize, pages: Pages) -> io::Result<Self> {
        let region = |value: f64| {
            let mut region = Region::new(bytes, pages)?;
            region.as_f64().fill(value);
            io::Result::Ok(region)
        };
        Ok(Self { a: region(A)?, b: region(B)?, c: region(0.0)? })
    }

    /// Runs the kernel once over the first `len` elements; what `read` summed, else 0.
    pub(crate) fn run(
        &mut self,
        kernels: &StreamKernels,
        kernel: Kernel,
        stores: Stores,
        len: usize,
    ) -> f64 {
        let nt = stores == Stores::NonTemporal;
        let (a, b) = (&self.a.as_f64()[..len], &self.b.as_f64()[..len]);
        let c = &mut self.c.as_f64()[..len];
        match kernel {
            Kernel::Read => return kernels.read(a),
            Kernel::Write => kernels.write(nt, c, S),
            Kernel::Copy => kernels.copy(nt, a, c),
            Kernel::Scale => kernels.scale(nt, a, c, S),
            Kernel::Add => kernels.add(nt, a, b, c),
            Kernel::Triad => kernels.triad(nt, a, b, c, S),
        }
        0.0
    }

    /// Whether the kernel's last run over `len` elements left what it should, in every element.
    pub(crate) fn verify(&mut self, kernel: Kernel, len: usize, sum: f64) -> bool {
        let expected = match kernel {
            Kernel::Read => return sum == A * len as f64,
            Kernel::Write => S,
            Kernel::Copy => A,
            Kernel::Scale => S * A,
            Kernel::Add => A + B,
            Kernel::Triad => A + S * B,
        };
        // The array is cleared so that no later kernel can pass on this one's values.
        let c = &mut self.c.as_f64()[..len];
        let right = c.iter().all(|&value| value == expected);
        c.fill(0.0);
        right
    }
}

/// One kernel at one working set: what a team is asked to measure.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Case {
    pub(crate) kernel: Kernel,
    pub(crate) stores: Stores,
    /// Elements of each array of each thread.
    pub(crate) len: usize,
    /// Calls in one sample, so that small sets fill the clock.
    pub(crate) calls: usize,
    /// Samples after the warm-up.
    pub(crate) repeats: usize,
}

impl Case {
    /// Bytes of all arrays of `threads` threads, which is also what one call moves by STREAM's
    /// count.
    pub(crate) fn bytes(&self, threads: usize) -> usize {
        self.kernel.arrays() * size_of::<f64>() * self.len * threads
    }
}

/// A measured case.
pub(crate) struct Streamed {
    pub(crate) case: Case,
    pub(crate) gb_per_s: Summary,
    pub(crate) verified: bool,
}

/// Every kernel in each way of storing, over arrays of `array_bytes` shared out to `threads`.
pub(crate) fn main_cases(threads: usize, array_bytes: usize, repeats: usize) -> Vec<Case> {
    let len = array_bytes / threads / size_of::<f64>();
    let of = |kernel: Kernel| {
        let stores = Stores::of(kernel).iter();
        stores.map(move |&stores| Case { kernel, stores, len, calls: 1, repeats })
    };
    Kernel::ALL.into_iter().flat_map(of).collect()
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
        let len = set / element;
        let calls = (sample_bytes / (element * len.max(1))).max(1);
        Case { kernel, stores: Stores::of(kernel)[0], len, calls, repeats }
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

/// Measures `cases` one after another on a team of `threads`, over arrays that hold the largest.
///
/// # Errors
/// Where the system refuses the memory.
pub(crate) fn stream(threads: usize, cases: &[Case]) -> io::Result<Vec<Streamed>> {
    let largest = cases.iter().map(|case| case.len).max().unwrap_or(0);
    let workers = team::run(threads, |worker| {
        let mut arrays = Arrays::new(largest * size_of::<f64>(), Pages::Huge);
        let parts = cases.iter().map(|case| repeat(worker, case, arrays.as_mut().ok()));
        let parts: Vec<Part> = parts.collect();
        arrays.map(|_| parts)
    });
    let workers: Vec<Vec<Part>> = workers.into_iter().collect::<io::Result<_>>()?;
    let streamed = cases.iter().enumerate().map(|(index, &case)| {
        let gigabytes = (case.bytes(threads) * case.calls) as f64 * 1e-9;
        let rate = |repeat: usize| {
            let spans = workers.iter().map(|parts| parts[index].spans[repeat]);
            gigabytes / team::wall(spans).as_secs_f64()
        };
        let rates: Vec<f64> = (0..case.repeats).map(rate).collect();
        let verified = workers.iter().all(|parts| parts[index].verified);
        Streamed { case, gb_per_s: summarise(&rates), verified }
    });
    Ok(streamed.collect())
}

/// One worker's part of one case.
struct Part {
    spans: Vec<Span>,
    verified: bool,
}

/// Runs a case once to warm up and `repeats` times on the clock, then checks what it left. A
/// worker without arrays keeps the others company, so that none waits for ever.
fn repeat(worker: &Worker<'_>, case: &Case, mut arrays: Option<&mut Arrays>) -> Part {
    let kernels = StreamKernels::detect();
    let mut spans = Vec::with_capacity(case.repeats);
    let mut sum = 0.0;
    for round in 0..=case.repeats {
        let (span, value) = worker.timed(|| {
            let Some(arrays) = arrays.as_deref_mut() else { return 0.0 };
            for _ in 1..case.calls {
                std::hint::black_box(arrays.run(kernels, case.kernel, case.stores, case.len));
            }
            arrays.run(kernels, case.kernel, case.stores, case.len)
        });
        sum = value;
        if round > 0 {
            spans.push(span);
        }
    }
    let verified = arrays.is_some_and(|arrays| arrays.verify(case.kernel, case.len, sum));
    Part { spans, verified }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_kernel_is_verified_on_every_count_of_threads() {
        for threads in [1, 2, 3] {
            let mut cases = main_cases(threads, 1 << 20, 2);
            cases.extend(sweep_cases(Kernel::Read, threads, 64 << 10, 4, 2, 1 << 20));
            for streamed in stream(threads, &cases).unwrap() {
                assert!(streamed.verified, "{:?}", streamed.case);
                assert!(streamed.gb_per_s.best >= streamed.gb_per_s.median);
                assert!(streamed.gb_per_s.median > 0.0);
            }
        }
    }

    #[test]
    fn a_wrong_value_is_seen() {
        let mut arrays = Arrays::new(4096, Pages::Ordinary).unwrap();
        let kernels = StreamKernels::detect();
        for kernel in Kernel::ALL.into_iter().skip(1) {
            arrays.run(kernels, kernel, Stores::Regular, 512);
            assert!(arrays.verify(kernel, 512, 0.0));
            arrays.run(kernels, kernel, Stores::Regular, 512);
            arrays.c.as_f64()[300] += 1.0;
            assert!(!arrays.verify(kernel, 512, 0.0), "{kernel:?}");
            // Nothing ran since: the values of before must not pass.
            assert!(!arrays.verify(kernel, 512, 0.0), "{kernel:?}");
        }
        assert!(!arrays.verify(Kernel::Read, 512, 511.0));
    }

    #[test]
    fn bytes_are_counted_as_stream_counts_them() {
        let case = |kernel| Case { kernel, stores: Stores::Regular, len: 10, calls: 1, repeats: 1 };
        assert_eq!(case(Kernel::Read).bytes(2), 160);
        assert_eq!(case(Kernel::Copy).bytes(1), 160);
        assert_eq!(case(Kernel::Triad).bytes(1), 240);
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
