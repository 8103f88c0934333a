//! Indexes unpacked and looked up by AVX-512, eight in a dozen instructions.
//!
//! Where loads are gathered well, they are bound by the stores that follow: on Sapphire Rapids a value of
//! 13 bits took 1.2 ns into memory that is in no cache, where the plain loop took 2.6; stores past the
//! caches made it 0.6, but a load into fresh memory, which the system has just zeroed there, took longer
//! with them (44 for 41 ms). On Zen 4, which gathers in microcode, the plain loop is the faster one (0.40
//! for 0.54 ns).

use std::arch::x86_64::*;
use std::mem::MaybeUninit;
use std::sync::LazyLock;

use super::Word;

/// Bits of the widest index that is unpacked here.
const WIDEST: u32 = 32;

/// Whether the processor can, and gathers well.
static IS_FAST: LazyLock<bool> = LazyLock::new(|| {
    let CpuidResult { ebx, ecx, edx, .. } = __cpuid(0);
    let is_intel = [ebx, edx, ecx].map(u32::to_le_bytes).as_flattened() == b"GenuineIntel";
    is_intel && can()
});

fn can() -> bool {
    is_x86_feature_detected!("avx512f")
        && is_x86_feature_detected!("avx512bw")
        && is_x86_feature_detected!("avx512vbmi")
}

/// Indexes of a width that this processor looks up faster so.
pub(super) struct Wide {
    width: usize,
}

impl Wide {
    pub(super) fn of(width: u32) -> Option<Self> {
        let is_one = *IS_FAST && (1..=WIDEST).contains(&width);
        is_one.then_some(Self { width: width as usize })
    }

    /// As many values as go in eights; gives the number done, and `None` where an index is beyond the
    /// dictionary.
    pub(super) fn look_up<V: Word>(
        &self,
        packed: &[u8],
        dictionary: &[V],
        out: &mut [MaybeUninit<V>],
    ) -> Option<usize> {
        // SAFETY: the processor has the instructions, else there were no `Wide`.
        unsafe { eights(packed, self.width, dictionary, out) }
    }
}

/// Eight indexes of `width` bits, 1 to [`WIDEST`], are `width` bytes.
#[target_feature(enable = "avx512f,avx512bw,avx512vbmi")]
fn eights<V: Word>(
    packed: &[u8],
    width: usize,
    dictionary: &[V],
    out: &mut [MaybeUninit<V>],
) -> Option<usize> {
    // For each index the eight bytes from its first on, and where in these it begins.
    let places: [u8; 64] = std::array::from_fn(|i| (i / 8 * width / 8 + i % 8) as u8);
    let shifts: [u64; 8] = std::array::from_fn(|i| (i * width % 8) as u64);
    // SAFETY: 64 bytes each.
    let (places, shifts) = unsafe {
        (_mm512_loadu_si512(places.as_ptr().cast()), _mm512_loadu_si512(shifts.as_ptr().cast()))
    };
    let bits = _mm512_set1_epi64((1 << width) - 1);
    let known = _mm512_set1_epi64(dictionary.len() as i64);
    let mut done = 0;
    for (slots, group) in out.as_chunks_mut::<8>().0.iter_mut().zip(packed.chunks_exact(width)) {
        // SAFETY: the mask has `width` bits; bytes beyond are not read.
        let bytes = unsafe { _mm512_maskz_loadu_epi8((1 << width) - 1, group.as_ptr().cast()) };
        let words = _mm512_permutexvar_epi8(places, bytes);
        let indexes = _mm512_and_si512(_mm512_srlv_epi64(words, shifts), bits);
        if _mm512_cmplt_epu64_mask(indexes, known) != u8::MAX {
            return None;
        }
        // SAFETY: all eight indexes are below the length, as just tested; a value is eight bytes, and
        // so is a slot.
        unsafe {
            let values = _mm512_i64gather_epi64::<8>(indexes, dictionary.as_ptr().cast());
            _mm512_storeu_si512(slots.as_mut_ptr().cast(), values);
        }
        done += 8;
    }
    Some(done)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::parquet::decode::unpack;
    use crate::parquet::tests::Random;

    /// The values that `eights` writes.
    fn wide(packed: &[u8], width: u32, dictionary: &[i64], count: usize) -> Option<Vec<i64>> {
        let mut out = Vec::with_capacity(count);
        // SAFETY: the callers ask whether the processor has the instructions; so many are written.
        unsafe {
            let slots = &mut out.spare_capacity_mut()[..count];
            let done = eights(packed, width as usize, dictionary, slots)?;
            out.set_len(done);
        }
        Some(out)
    }

    #[test]
    fn every_width_gives_what_single_indexes_give() {
        if !can() {
            return;
        }
        let mut random = Random(11);
        for width in 1..=WIDEST {
            let known = 1_usize << width.min(12);
            let dictionary: Vec<i64> = (0..known).map(|_| random.next() as i64).collect();
            let count = 8 * (random.next() % 40) as usize + 5;
            // Packed one by one, with a group's bytes left over.
            let mut packed = vec![0; (count / 8 + 1) * width as usize];
            for i in 0..count {
                let index = random.next() as usize % known;
                for bit in (0..width as usize).filter(|bit| index >> bit & 1 == 1) {
                    let at = i * width as usize + bit;
                    packed[at / 8] |= 1 << (at % 8);
                }
            }
            let single = |i| dictionary[unpack(&packed, i, width).unwrap() as usize];
            let expected: Vec<i64> = (0..count / 8 * 8).map(single).collect();
            assert_eq!(wide(&packed, width, &dictionary, count), Some(expected), "{width} bits");
            // Bytes that end early end the eights; what is left is for the caller.
            let short = &packed[..packed.len() / 2];
            let done = wide(short, width, &dictionary, count).unwrap().len();
            assert_eq!(done, (short.len() / width as usize).min(count / 8) * 8);
        }
    }

    #[test]
    fn an_index_beyond_the_dictionary_is_refused() {
        if !can() {
            return;
        }
        // 3 in each of eight places of two bits, one after the other.
        for place in 0..8 {
            let packed = (3_u16 << (2 * place)).to_le_bytes();
            assert_eq!(wide(&packed, 2, &[7, 8, 9], 8), None);
            assert!(wide(&packed, 2, &[7, 8, 9, 10], 8).is_some_and(|v| v[place] == 10));
        }
    }
}
