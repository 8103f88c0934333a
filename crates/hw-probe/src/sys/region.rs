//! Memory straight from the system, so that its pages and their first touch are ours to choose.

use std::io;

/// Which pages a region asks for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Pages {
    /// The system's ordinary pages, and no others.
    Ordinary,
    /// Large ones where the system grants them.
    Huge,
}

/// Zeroed memory, aligned to a large page, that no thread has touched yet.
pub(crate) struct Region {
    base: *mut u8,
    bytes: usize,
    memory: Memory,
}

// SAFETY: a region owns its memory alone; the pointer is not shared.
unsafe impl Send for Region {}

impl Region {
    /// Asks for `bytes` of memory. Nothing is touched: a page comes with its first write.
    pub(crate) fn new(bytes: usize, pages: Pages) -> io::Result<Self> {
        let memory = Memory::new(bytes.max(1), pages)?;
        Ok(Self { base: memory.base(), bytes, memory })
    }

    /// The memory as floats, all zero at first.
    pub(crate) fn as_f64(&mut self) -> &mut [f64] {
        // SAFETY: the region owns `bytes` zeroed bytes, aligned beyond any element; every bit
        // pattern is a float; the borrow of `self` keeps it unique.
        unsafe { std::slice::from_raw_parts_mut(self.base.cast(), self.bytes / size_of::<f64>()) }
    }

    /// The memory as words, all zero at first.
    pub(crate) fn as_u64(&mut self) -> &mut [u64] {
        // SAFETY: as `as_f64`.
        unsafe { std::slice::from_raw_parts_mut(self.base.cast(), self.bytes / size_of::<u64>()) }
    }

    /// The memory as bytes, all zero at first.
    pub(crate) fn as_bytes(&mut self) -> &mut [u8] {
        // SAFETY: as `as_f64`.
        unsafe { std::slice::from_raw_parts_mut(self.base, self.bytes) }
    }

    /// How many of its bytes really lie in large pages; `None` where the system does not tell.
    pub(crate) fn huge_bytes(&self) -> Option<usize> {
        self.memory.huge_bytes()
    }
}

/// Large pages are 2 MiB on every system where they can be asked for.
const HUGE_PAGE: usize = 2 << 20;

#[cfg(unix)]
pub(crate) use mapped::Memory;

#[cfg(unix)]
mod mapped {
    use super::{HUGE_PAGE, Pages};
    use rustix::mm::{MapFlags, ProtFlags, mmap_anonymous, munmap};
    use std::{io, ptr};

    /// An anonymous map with room to align its beginning.
    pub(crate) struct Memory {
        map: *mut u8,
        bytes: usize,
    }

    impl Memory {
        pub(super) fn new(bytes: usize, pages: Pages) -> io::Result<Self> {
            let bytes = bytes.next_multiple_of(HUGE_PAGE) + HUGE_PAGE;
            // SAFETY: a new private map at an address of the system's choice.
            let map = unsafe {
                mmap_anonymous(
                    ptr::null_mut(),
                    bytes,
                    ProtFlags::READ | ProtFlags::WRITE,
                    MapFlags::PRIVATE,
                )?
            };
            let memory = Self { map: map.cast(), bytes };
            memory.advise(pages);
            Ok(memory)
        }

        pub(super) fn base(&self) -> *mut u8 {
            let skip = self.map.addr().next_multiple_of(HUGE_PAGE) - self.map.addr();
            // At most HUGE_PAGE - 1, for which `new` made room.
            self.map.wrapping_add(skip)
        }

        #[cfg(target_os = "linux")]
        fn advise(&self, pages: Pages) {
            use rustix::mm::{Advice, madvise};
            let advice = match pages {
                Pages::Ordinary => Advice::LinuxNoHugepage,
                Pages::Huge => Advice::LinuxHugepage,
            };
            // SAFETY: the whole of our own map. A kernel without large pages refuses; the pages
            // are then ordinary, which `huge_bytes` tells.
            let _ = unsafe { madvise(self.map.cast(), self.bytes, advice) };
        }

        #[cfg(not(target_os = "linux"))]
        fn advise(&self, _: Pages) {}

        /// From the map's own entry in `smaps`.
        #[cfg(target_os = "linux")]
        pub(super) fn huge_bytes(&self) -> Option<usize> {
            let smaps = std::fs::read_to_string("/proc/self/smaps").ok()?;
            huge_in(&smaps, self.base().addr())
        }

        #[cfg(not(target_os = "linux"))]
        pub(super) fn huge_bytes(&self) -> Option<usize> {
            None
        }
    }

    impl Drop for Memory {
        fn drop(&mut self) {
            // SAFETY: the map is ours alone, and the region that borrows out of it is gone.
            let _ = unsafe { munmap(self.map.cast(), self.bytes) };
        }
    }

    /// `AnonHugePages` of the map that holds `address`, in bytes.
    #[cfg(target_os = "linux")]
    fn huge_in(smaps: &str, address: usize) -> Option<usize> {
        let mut inside = false;
        for line in smaps.lines() {
            if let Some(range) = line.split(' ').next().and_then(|word| word.split_once('-')) {
                let ends = (usize::from_str_radix(range.0, 16), usize::from_str_radix(range.1, 16));
                if let (Ok(from), Ok(to)) = ends {
                    inside = (from..to).contains(&address);
                }
            } else if inside && let Some(rest) = line.strip_prefix("AnonHugePages:") {
                let kib: usize = rest.trim().trim_end_matches(" kB").parse().ok()?;
                return Some(kib << 10);
            }
        }
        None
    }

    #[cfg(all(test, target_os = "linux"))]
    mod tests {
        use super::huge_in;

        #[test]
        fn large_pages_are_read_from_the_right_map() {
            let smaps = "1000-2000 rw-p 0 00:00 0 \nAnonHugePages:      0 kB\n\
                         200000-600000 rw-p 0 00:00 0 \nRss: 4 kB\nAnonHugePages:   2048 kB\n";
            assert_eq!(huge_in(smaps, 0x20_0000), Some(2 << 20));
            assert_eq!(huge_in(smaps, 0x1800), Some(0));
            assert_eq!(huge_in(smaps, 0x9000), None);
        }
    }
}

#[cfg(not(unix))]
pub(crate) use allocated::Memory;

#[cfg(not(unix))]
mod allocated {
    use super::{HUGE_PAGE, Pages};
    use std::alloc::{Layout, alloc_zeroed, dealloc};
    use std::io;

    /// Memory of the allocator, which takes blocks of this size from the system untouched.
    pub(crate) struct Memory {
        base: *mut u8,
        layout: Layout,
    }

    impl Memory {
        pub(super) fn new(bytes: usize, _: Pages) -> io::Result<Self> {
            let layout = Layout::from_size_align(bytes, HUGE_PAGE).map_err(io::Error::other)?;
            // SAFETY: the caller asks for at least one byte.
            let base = unsafe { alloc_zeroed(layout) };
            if base.is_null() {
                return Err(io::ErrorKind::OutOfMemory.into());
            }
            Ok(Self { base, layout })
        }

        pub(super) fn base(&self) -> *mut u8 {
            self.base
        }

        pub(super) fn huge_bytes(&self) -> Option<usize> {
            None
        }
    }

    impl Drop for Memory {
        fn drop(&mut self) {
            // SAFETY: allocated above with this layout.
            unsafe { dealloc(self.base, self.layout) }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_region_is_zeroed_aligned_and_of_the_size_asked_for() {
        for bytes in [0, 8, 4096, 3 << 20] {
            for pages in [Pages::Ordinary, Pages::Huge] {
                let mut region = Region::new(bytes, pages).unwrap();
                assert_eq!(region.as_f64().len(), bytes / 8);
                assert_eq!(region.as_bytes().as_ptr().addr() % HUGE_PAGE, 0);
                assert!(region.as_u64().iter().all(|&word| word == 0));
                region.as_bytes().fill(1);
            }
        }
    }
}
