//! Processors without stores that pass the caches by, and that fetch ahead on their own.

/// Copies `from` to `to`, which is as long.
pub(crate) fn store_past_cache(to: &mut [f64], from: &[f64]) {
    to.copy_from_slice(from);
}

/// Nothing to wait for.
pub(crate) fn fence() {}

/// Left to the processor.
pub(crate) fn fetch(_: &[f64]) {}

/// Not asked for.
pub(crate) fn cache_bytes() -> usize {
    super::CACHE_BYTES
}
