//! Asks the cache for a value that is needed soon.

/// Begins to bring `values[at]` near; nothing where there is no such value, or no such instruction.
#[inline(always)]
pub(super) fn prefetch(values: &[f64], at: usize) {
    #[cfg(target_arch = "x86_64")]
    if let Some(value) = values.get(at) {
        use std::arch::x86_64::{_MM_HINT_T0, _mm_prefetch};
        // SAFETY: the address is that of a value; SSE, which has the instruction, is in every
        // x86-64.
        unsafe { _mm_prefetch::<_MM_HINT_T0>(std::ptr::from_ref(value).cast()) };
    }
    #[cfg(not(target_arch = "x86_64"))]
    let _ = (values, at);
}
