//! Stores that pass the caches by, and fetching ahead.

use std::arch::x86_64::{
    __cpuid, __cpuid_count, _MM_HINT_T0, _MM_HINT_T1, _mm_loadu_pd, _mm_prefetch, _mm_sfence,
    _mm_stream_pd, _mm512_loadu_pd, _mm512_stream_pd,
};

use std::sync::LazyLock;

/// Values in a cache line.
const LINE: usize = 8;

/// Copies `from` to `to`, which is as long, without reading the destination's lines first and
/// without pushing anything out of the caches: for output that is too large to be found there
/// again. Call [`fence`] before another thread reads it.
///
/// # Panics
/// When the slices differ in length.
pub(crate) fn store_past_cache(to: &mut [f64], from: &[f64]) {
    assert_eq!(to.len(), from.len());
    let misaligned = to.as_ptr() as usize / size_of::<f64>() % LINE;
    let head = ((LINE - misaligned) % LINE).min(to.len());
    let (to_head, to_rest) = to.split_at_mut(head);
    let (from_head, from_rest) = from.split_at(head);
    to_head.copy_from_slice(from_head);
    let (to_lines, to_tail) = to_rest.as_chunks_mut();
    let (from_lines, from_tail) = from_rest.as_chunks();
    if is_x86_feature_detected!("avx512f") {
        // SAFETY: the processor has AVX-512, and `to_lines` begins on a cache line.
        unsafe { store_lines(to_lines, from_lines) }
    } else {
        // SAFETY: `to_lines` begins on a cache line.
        unsafe { store_pairs(to_lines, from_lines) }
    }
    to_tail.copy_from_slice(from_tail);
}

/// # Safety
/// `to` begins on a cache line.
#[target_feature(enable = "avx512f")]
unsafe fn store_lines(to: &mut [[f64; LINE]], from: &[[f64; LINE]]) {
    for (to, from) in to.iter_mut().zip(from) {
        // SAFETY: eight values on either side; the caller vouches for the alignment.
        unsafe { _mm512_stream_pd(to.as_mut_ptr(), _mm512_loadu_pd(from.as_ptr())) }
    }
}

/// # Safety
/// `to` begins on a cache line.
unsafe fn store_pairs(to: &mut [[f64; LINE]], from: &[[f64; LINE]]) {
    for (to, from) in to.iter_mut().zip(from) {
        for k in [0, 2, 4, 6] {
            // SAFETY: SSE2 is part of x86-64; two values within eight on either side, the caller
            // vouches for the alignment.
            unsafe { _mm_stream_pd(to.as_mut_ptr().add(k), _mm_loadu_pd(from.as_ptr().add(k))) }
        }
    }
}

/// Makes every store of this thread visible before whatever it does next.
pub(crate) fn fence() {
    // SAFETY: SSE is part of x86-64; the instruction takes no operand.
    unsafe { _mm_sfence() }
}

/// Begins to fetch `values`: few into the first-level cache, many into the second, as they would push out
/// of the first what is worked on.
pub(crate) fn fetch(values: &[f64]) {
    const FEW: usize = 4 * LINE;
    for line in values.chunks(LINE) {
        let line = line.as_ptr().cast();
        // SAFETY: SSE is part of x86-64; a prefetch reads nothing that the program sees.
        unsafe {
            if values.len() <= FEW {
                _mm_prefetch::<_MM_HINT_T0>(line);
            } else {
                _mm_prefetch::<_MM_HINT_T1>(line);
            }
        }
    }
}

/// Bytes of the last-level cache that the processor names; [`super::CACHE_BYTES`] where it names none.
pub(crate) fn cache_bytes() -> usize {
    static BYTES: LazyLock<usize> = LazyLock::new(|| {
        [0x4, 0x8000_001d].into_iter().flat_map(caches).last().unwrap_or(super::CACHE_BYTES)
    });
    *BYTES
}

/// The sizes of the data caches, from the first level on, as `leaf` describes them: Intel's leaf 4, and
/// AMD's of the same form.
fn caches(leaf: u32) -> impl Iterator<Item = usize> {
    const KIND: u32 = 0x1f;
    const INSTRUCTIONS: u32 = 2;
    let highest = __cpuid(leaf & 0x8000_0000).eax;
    let levels = if highest < leaf { 0 } else { 8 };
    (0..levels)
        .map(move |level| __cpuid_count(leaf, level))
        .take_while(|cache| cache.eax & KIND != 0)
        .filter(|cache| cache.eax & KIND != INSTRUCTIONS)
        .map(|cache| {
            let field = |from: u32, bits: u32| (cache.ebx >> from & ((1 << bits) - 1)) as usize + 1;
            field(22, 10) * field(12, 10) * field(0, 12) * (cache.ecx as usize + 1)
        })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_level_is_as_large_as_the_system_says() {
        let index = (0..8).filter_map(|index| {
            let path = format!("/sys/devices/system/cpu/cpu0/cache/index{index}/size");
            std::fs::read_to_string(path).ok()?.trim().strip_suffix('K')?.parse::<usize>().ok()
        });
        if let Some(largest) = index.max() {
            assert_eq!(cache_bytes(), largest << 10);
        }
    }

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

    #[test]
    fn processors_without_avx_512_store_pairs() {
        let from: Vec<f64> = (0..100).map(f64::from).collect();
        let (lines, _) = from.as_chunks();
        let mut room = [-1.0; 100];
        let skipped = (LINE - room.as_ptr() as usize / size_of::<f64>() % LINE) % LINE;
        let (aligned, _) = room[skipped..].as_chunks_mut();
        for some in 0..9 {
            // SAFETY: `aligned` begins on a cache line.
            unsafe { store_pairs(&mut aligned[..some], &lines[..some]) }
            fence();
            assert_eq!(aligned[..some], lines[..some]);
            assert!(aligned[some..].as_flattened().iter().all(|&v| v == -1.0));
        }
    }
}
