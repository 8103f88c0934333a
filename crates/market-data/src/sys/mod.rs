//! What is asked of the operating system beyond the standard library.

#[cfg(unix)]
mod map;
#[cfg(unix)]
mod unix;
#[cfg(unix)]
pub(crate) use map::Map;
#[cfg(unix)]
pub use unix::ask_for_large_pages;
#[cfg(unix)]
pub(crate) use unix::{memory_available, read_at};
#[cfg(not(unix))]
mod fallback;
#[cfg(not(unix))]
pub use fallback::ask_for_large_pages;
#[cfg(not(unix))]
pub(crate) use fallback::{memory_available, read_at};

/// The size of a huge page, where there are any.
pub(crate) const HUGE_PAGE_BYTES: usize = 2 << 20;
