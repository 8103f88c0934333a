//! Memory that is about to be written for the first time, in pieces and side by side.

use std::mem::MaybeUninit;

use crate::sys;

/// Elements so that the vector and the allocator's own few bytes fill whole pages of 2 MiB:
/// Linux then lays the mapping on such a page, and no edge is left to pages of 4 KiB.
fn rounded(len: usize, bytes: usize) -> usize {
    let wanted = len.saturating_mul(bytes);
    if wanted < sys::HUGE_PAGE_BYTES {
        return len;
    }
    let full = wanted.saturating_add(32).next_multiple_of(sys::HUGE_PAGE_BYTES);
    ((full - 32) / bytes).max(len)
}

/// A vector to be: `len` values that nobody has written yet.
///
/// Zeroing them first would write all of memory twice, and on one thread.
pub(crate) struct Slots<V> {
    values: Vec<V>,
    len: usize,
}

impl<V: Copy> Slots<V> {
    /// Room for `len` values, or `None` where the system has not that much.
    pub(crate) fn new(len: usize) -> Option<Self> {
        Self::reusing(Vec::new(), len)
    }

    /// [`Slots::new`] in the memory of `values` where that is enough.
    pub(crate) fn reusing(mut values: Vec<V>, len: usize) -> Option<Self> {
        values.clear();
        if values.capacity() >= len && len > 0 {
            return Some(Self { values, len });
        }
        values = Vec::new();
        values.try_reserve_exact(rounded(len, size_of::<V>())).ok()?;
        sys::ask_for_large_pages(values.spare_capacity_mut());
        Some(Self { values, len })
    }

    /// The values to write.
    pub(crate) fn open(&mut self) -> &mut [MaybeUninit<V>] {
        &mut self.values.spare_capacity_mut()[..self.len]
    }

    /// The vector.
    ///
    /// # Safety
    /// Every element that [`Slots::open`] gave must have been written.
    pub(crate) unsafe fn written(mut self) -> Vec<V> {
        // SAFETY: `new` has reserved `len` elements, and the caller has written them.
        unsafe { self.values.set_len(self.len) };
        self.values
    }
}
