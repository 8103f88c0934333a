//! Linux and macOS.

use std::fs::File;
use std::io;
use std::os::unix::fs::FileExt;

/// Fills `buffer` from `offset` on; a file that has grown shorter is an error, not a signal.
pub(crate) fn read_at(file: &File, buffer: &mut [u8], offset: u64) -> io::Result<()> {
    file.read_exact_at(buffer, offset)
}

/// Asks for pages of 2 MiB below `memory`: 512 times fewer page faults where it is about to be written for the
/// first time, and fewer misses in the translation of addresses where columns are walked side by side.
/// A wish: where it is refused nothing changes. Linux alone has them.
///
/// ```
/// let mut column = vec![0.0; 525_600];
/// market_data::ask_for_large_pages(&mut column);
/// ```
pub fn ask_for_large_pages<T>(memory: &mut [T]) {
    let bytes = size_of_val(memory);
    if bytes >= super::HUGE_PAGE_BYTES / 4 {
        advise(memory.as_mut_ptr().cast(), bytes);
    }
}

#[cfg(target_os = "linux")]
fn advise(memory: *mut libc::c_void, bytes: usize) {
    const HUGE: usize = super::HUGE_PAGE_BYTES;
    /// As in the system's headers; the libc crate names it with glibc alone.
    const MADV_COLLAPSE: libc::c_int = 25;
    // Whole pages of 4 KiB, the first one too: the allocator's header lies in it.
    let into_page = memory as usize % rustix::param::page_size();
    let start = memory.wrapping_byte_sub(into_page);
    // SAFETY: the range lies within the mapping of the memory; the advice changes no byte.
    unsafe { libc::madvise(start, bytes + into_page, libc::MADV_HUGEPAGE) };
    // Where it begins and ends, the allocator's headers and neighbours have small pages already.
    for end in [start, start.wrapping_byte_add(bytes)] {
        let page = end.wrapping_byte_sub(end as usize % HUGE);
        // SAFETY: bytes move to another page and keep their addresses; refused where not all is mapped.
        unsafe { libc::madvise(page, HUGE, MADV_COLLAPSE) };
    }
}

#[cfg(not(target_os = "linux"))]
fn advise(_memory: *mut libc::c_void, _bytes: usize) {}

/// Bytes that can be taken without swapping, where the system tells.
#[cfg(target_os = "linux")]
pub(crate) fn memory_available() -> Option<u64> {
    let text = std::fs::read_to_string("/proc/meminfo").ok()?;
    let line = text.lines().find_map(|line| line.strip_prefix("MemAvailable:"))?;
    line.trim().strip_suffix(" kB")?.parse::<u64>().ok()?.checked_mul(1024)
}

#[cfg(not(target_os = "linux"))]
pub(crate) fn memory_available() -> Option<u64> {
    None
}
