//! Heap blocks and bytes of a piece of code, exactly, and the places that took them.
//!
//! ```
//! bench_kit::heap!();
//!
//! fn main() {
//!     let (values, count) = bench_kit::heap::count(|| vec![0_u8; 100]);
//!     assert_eq!((values.len() as u64, count.bytes, count.blocks), (100, 100, 1));
//! }
//! ```

use std::alloc::{GlobalAlloc, Layout, System};
use std::fmt;
use std::sync::atomic::{AtomicBool, Ordering};

use crate::profile::Allocations;

/// What some code took from the heap. A reallocation counts as a new block of its full size.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct HeapCount {
    /// Blocks.
    pub blocks: u64,
    /// Bytes.
    pub bytes: u64,
}

impl HeapCount {
    /// Nothing at all.
    pub const NONE: Self = Self { blocks: 0, bytes: 0 };
}

impl fmt::Display for HeapCount {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} bytes in {} blocks", self.bytes, self.blocks)
    }
}

/// The system's allocator, which dhat watches while something is counted.
pub struct Allocator;

static COUNTING: AtomicBool = AtomicBool::new(false);

fn counting() -> bool {
    COUNTING.load(Ordering::Relaxed)
}

// SAFETY: both allocators are the system's underneath, so that a block of one may go back to the
// other; dhat passes over blocks that it has not seen.
unsafe impl GlobalAlloc for Allocator {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        // SAFETY: the caller's promise is the callee's.
        unsafe { if counting() { dhat::Alloc.alloc(layout) } else { System.alloc(layout) } }
    }

    unsafe fn alloc_zeroed(&self, layout: Layout) -> *mut u8 {
        // SAFETY: likewise; dhat has no zeroing of its own and takes the default, `alloc` and fill.
        unsafe {
            if counting() { dhat::Alloc.alloc_zeroed(layout) } else { System.alloc_zeroed(layout) }
        }
    }

    unsafe fn realloc(&self, block: *mut u8, layout: Layout, bytes: usize) -> *mut u8 {
        // SAFETY: likewise.
        unsafe {
            if counting() {
                dhat::Alloc.realloc(block, layout, bytes)
            } else {
                System.realloc(block, layout, bytes)
            }
        }
    }

    unsafe fn dealloc(&self, block: *mut u8, layout: Layout) {
        // SAFETY: likewise.
        unsafe {
            if counting() {
                dhat::Alloc.dealloc(block, layout);
            } else {
                System.dealloc(block, layout);
            }
        }
    }
}

/// Makes [`Allocator`] the allocator of a test file. One such file is one process, and holds one
/// test: counts are of the whole process.
#[macro_export]
macro_rules! heap {
    () => {
        #[global_allocator]
        static ALLOCATOR: $crate::heap::Allocator = $crate::heap::Allocator;
    };
}

/// Counts what `work` takes from the heap. One at a time in a process: use it in its only test.
pub fn count<T>(work: impl FnOnce() -> T) -> (T, HeapCount) {
    let profiler = dhat::Profiler::builder().testing().build();
    COUNTING.store(true, Ordering::Relaxed);
    let result = work();
    let stats = dhat::HeapStats::get();
    COUNTING.store(false, Ordering::Relaxed);
    drop(profiler);
    (result, HeapCount { blocks: stats.total_blocks, bytes: stats.total_bytes })
}

/// Runs `work`, which must take exactly `expected` from the heap.
///
/// # Panics
/// Where it takes anything else; the message names the places.
#[track_caller]
pub fn expect<T>(expected: HeapCount, work: impl FnOnce() -> T) -> T {
    let watch = start();
    let result = work();
    let json = watch.stop();
    let places = Allocations::parse(&json).expect("what dhat writes");
    let found = HeapCount { blocks: places.blocks(), bytes: places.bytes() };
    assert!(found == expected, "{}", mistake(expected, found, &places));
    result
}

fn mistake(expected: HeapCount, found: HeapCount, places: &Allocations) -> String {
    let mut text = format!("took {found} from the heap, expected {expected}; the largest:");
    for place in places.places.iter().take(10) {
        let count = HeapCount { blocks: place.blocks, bytes: place.bytes };
        text += &format!("\n  {count} at {}", place.own_frame());
    }
    text
}

/// dhat at work, and where it will write.
pub(crate) struct Watch {
    profiler: dhat::Profiler,
    file: tempfile::TempPath,
}

/// Has dhat watch from now on. Stacks are kept deep: short ones can end in the middle of a
/// collection's own code.
pub(crate) fn start() -> Watch {
    let file = tempfile::NamedTempFile::new().expect("a temporary file").into_temp_path();
    let profiler = dhat::Profiler::builder().file_name(&file).trim_backtraces(Some(64)).build();
    COUNTING.store(true, Ordering::Relaxed);
    Watch { profiler, file }
}

impl Watch {
    /// What dhat has seen, in its format.
    pub(crate) fn stop(self) -> String {
        COUNTING.store(false, Ordering::Relaxed);
        drop(self.profiler);
        std::fs::read_to_string(&self.file).expect("the file that dhat has written")
    }
}
