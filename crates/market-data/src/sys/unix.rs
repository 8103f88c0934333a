//! Linux and macOS.

use std::fs::File;
use std::io;
use std::os::unix::fs::FileExt;

/// Fills `buffer` from `offset` on; a file that has grown shorter is an error, not a signal.
pub(crate) fn read_at(file: &File, buffer: &mut [u8], offset: u64) -> io::Result<()> {
    file.read_exact_at(buffer, offset)
}

/// Asks for pages of 2 MiB below memory about to be written for the first time: 512 times fewer
/// page faults. A wish: where it is refused nothing changes.
#[cfg(target_os = "linux")]
pub(crate) fn advise_huge_pages<T>(memory: &mut [std::mem::MaybeUninit<T>]) {
    let bytes = size_of_val(memory);
    if bytes < super::HUGE_PAGE_BYTES {
        return;
    }
    // Whole pages of 4 KiB, the first one too: the allocator's header lies in it.
    let into_page = memory.as_ptr() as usize % rustix::param::page_size();
    let start = memory.as_mut_ptr().wrapping_byte_sub(into_page);
    // SAFETY: the range lies within the mapping that holds `memory`; the advice changes no byte.
    let _ = unsafe {
        rustix::mm::madvise(start.cast(), bytes + into_page, rustix::mm::Advice::LinuxHugepage)
    };
}

#[cfg(not(target_os = "linux"))]
pub(crate) fn advise_huge_pages<T>(_memory: &mut [std::mem::MaybeUninit<T>]) {}

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
