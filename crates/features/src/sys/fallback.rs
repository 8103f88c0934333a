//! Processors without a store that passes the caches by.

/// Copies `from` to `to`, which is as long.
pub(crate) fn store_past_cache(to: &mut [f64], from: &[f64]) {
    to.copy_from_slice(from);
}

/// Nothing to wait for.
pub(crate) fn fence() {}
