//! Heap blocks and bytes of a piece of code, exactly.

/// What some code took from the heap. A reallocation counts as a new block of its full size.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct HeapCount {
    /// Blocks.
    pub blocks: u64,
    /// Bytes.
    pub bytes: u64,
}

/// Makes dhat the allocator of a test file. One such file is one process, and holds one test:
/// counts are of the whole process.
#[macro_export]
macro_rules! heap {
    () => {
        #[global_allocator]
        static ALLOCATOR: $crate::dhat::Alloc = $crate::dhat::Alloc;
    };
}

/// Counts what `work` takes from the heap. Call it once in a process, from its only test.
pub fn count<T>(work: impl FnOnce() -> T) -> (T, HeapCount) {
    let _profiler = dhat::Profiler::builder().testing().build();
    let result = work();
    let stats = dhat::HeapStats::get();
    (result, HeapCount { blocks: stats.total_blocks, bytes: stats.total_bytes })
}
