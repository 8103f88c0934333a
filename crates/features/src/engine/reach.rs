//! What is done for columns that do not stay in a cache.

use crate::sys;

/// Neither is needed where all columns stay in a cache.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct CacheReach {
    /// Nodes write to their blocks, and each block goes to memory past the caches while the next node runs.
    pub(crate) stores_past: bool,
    /// The sources of the next block are fetched while the nodes run.
    pub(crate) fetches_ahead: bool,
}

impl CacheReach {
    /// For columns of `rows` rows. The last level serves the neighbours too, so that half of it is the most
    /// that stays; and of one that is very large, what does stay is slower to reach than to do without.
    /// Outputs go past it earlier than that, as a line that is stored in a cache is read before and
    /// written back later.
    pub(crate) fn of(sources: usize, outputs: usize, rows: usize) -> Self {
        let bytes = |columns: usize| columns * rows * size_of::<f64>();
        let cache = sys::cache_bytes();
        Self {
            stores_past: bytes(outputs) > (cache / 5).min(16 << 20),
            fetches_ahead: bytes(sources + outputs) > (cache / 2).min(24 << 20),
        }
    }
}
