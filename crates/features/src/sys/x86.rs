//! Stores that pass the caches by.

use std::arch::x86_64::{_mm_loadu_pd, _mm_sfence, _mm_stream_pd};

/// Bytes in a cache line.
const LINE_BYTES: usize = 64;

/// Copies `from` to `to`, which is as long, without reading the destination's lines first and
/// without pushing anything out of the caches: for output that is too large to be found there
/// again. Call [`fence`] before another thread reads it.
///
/// # Panics
/// When the slices differ in length.
pub(crate) fn store_past_cache(to: &mut [f64], from: &[f64]) {
    assert_eq!(to.len(), from.len());
    let misaligned = to.as_ptr() as usize % LINE_BYTES / size_of::<f64>();
    let head = (LINE_BYTES / size_of::<f64>() - misaligned) % (LINE_BYTES / size_of::<f64>());
    let head = head.min(to.len());
    let (to_head, to_rest) = to.split_at_mut(head);
    let (from_head, from_rest) = from.split_at(head);
    to_head.copy_from_slice(from_head);
    let (to_lines, to_tail) = to_rest.as_chunks_mut::<8>();
    let (from_lines, from_tail) = from_rest.as_chunks::<8>();
    for (to, from) in to_lines.iter_mut().zip(from_lines) {
        for k in [0, 2, 4, 6] {
            // SAFETY: SSE2 is part of x86-64. Both pointers are to two elements within eight, and
            // the destination is 16-byte aligned, as `to_lines` begins on a cache line.
            unsafe {
                let pair = _mm_loadu_pd(from.as_ptr().add(k));
                _mm_stream_pd(to.as_mut_ptr().add(k), pair);
            }
        }
    }
    to_tail.copy_from_slice(from_tail);
}

/// Makes every store of this thread visible before whatever it does next.
pub(crate) fn fence() {
    // SAFETY: SSE is part of x86-64; the instruction takes no operand.
    unsafe { _mm_sfence() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn copies_every_length_at_every_alignment() {
        let from: Vec<f64> = (0..100).map(f64::from).collect();
        for start in 0..9 {
            for len in 0..80 {
                let mut to = vec![-1.0; 100];
                store_past_cache(&mut to[start..start + len], &from[..len]);
                fence();
                assert_eq!(to[start..start + len], from[..len]);
                assert!(to[..start].iter().chain(&to[start + len..]).all(|&v| v == -1.0));
            }
        }
    }
}
