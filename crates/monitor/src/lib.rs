//! What a run costs: memory while it works.
//!
//! ```
//! let (sum, usage) = monitor::watch(|| (0..1_000_000_u64).sum::<u64>());
//! assert_eq!(sum, 499_999_500_000);
//! println!("peak {:?} bytes in {:?}", usage.peak_rss_bytes, usage.wall);
//! ```

mod sys;
mod watch;

pub use watch::{Usage, watch};

/// Most memory that this process ever held at once, in bytes; `None` where the system does not say.
#[must_use]
pub fn peak_rss_bytes() -> Option<u64> {
    sys::peak_rss_bytes()
}

/// Memory that this process holds now, in bytes; `None` where the system does not say.
#[must_use]
pub fn rss_bytes() -> Option<u64> {
    sys::rss_bytes()
}
