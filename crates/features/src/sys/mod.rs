//! The lines that depend on the processor or the system.

#[cfg(target_arch = "x86_64")]
mod x86;
#[cfg(target_arch = "x86_64")]
pub(crate) use x86::{fence, fetch, store_past_cache};

#[cfg(not(target_arch = "x86_64"))]
mod fallback;
#[cfg(not(target_arch = "x86_64"))]
pub(crate) use fallback::{fence, fetch, store_past_cache};
