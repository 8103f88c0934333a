//! The lines that depend on the processor or the system.

#[cfg(target_arch = "x86_64")]
mod x86;
#[cfg(target_arch = "x86_64")]
pub(crate) use x86::{cache_bytes, fence, fetch, store_past_cache};

#[cfg(not(target_arch = "x86_64"))]
mod fallback;
#[cfg(not(target_arch = "x86_64"))]
pub(crate) use fallback::{cache_bytes, fence, fetch, store_past_cache};

/// Bytes of the last-level cache where the processor names none.
const CACHE_BYTES: usize = 32 << 20;
