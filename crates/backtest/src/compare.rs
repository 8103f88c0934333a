//! Two series compared, 64 bars to a word.
//!
//! One compare instruction per vector gives its mask register; the loop is bound by reading the
//! columns. The portable version is the definition, and what the tests hold the others to.

/// What the series is compared with.
#[derive(Clone, Copy)]
pub(crate) enum With<'a> {
    /// Another series, as long.
    Column(&'a [f64]),
    /// One level at every bar.
    Level(f64),
}

/// Writes the bits of `a > b` to `above` and those of `a < b` to `below`; where both are 0 the two
/// are equal or one is NaN. Bits past the end are 0.
///
/// # Panics
/// When `above` or `below` has not one word for every 64 bars begun, or a column another length.
pub(crate) fn compare(a: &[f64], b: With<'_>, above: &mut [u64], below: &mut [u64]) {
    let words = a.len().div_ceil(64);
    assert!(above.len() == words && below.len() == words, "one word per 64 bars");
    if let With::Column(b) = b {
        assert_eq!(a.len(), b.len(), "one value per bar");
    }
    #[cfg(target_arch = "x86_64")]
    if std::arch::is_x86_feature_detected!("avx512f") {
        // SAFETY: the feature was just detected.
        return unsafe { x86::compare_avx512(a, b, above, below) };
    } else if std::arch::is_x86_feature_detected!("avx2") {
        // SAFETY: the feature was just detected.
        return unsafe { x86::compare_avx2(a, b, above, below) };
    }
    portable(a, b, above, below);
}

/// The bits of `a == b` for the at most 64 pairs from bar `from`.
///
/// Few words hold a tie, so that the third compare is not worth its place in [`compare`].
pub(crate) fn equal(a: &[f64], b: With<'_>, from: usize) -> u64 {
    let to = (from + 64).min(a.len());
    let a = &a[from..to];
    let level = match b {
        With::Level(level) => [level; 64],
        With::Column(_) => [0.0; 64],
    };
    let b = match b {
        With::Column(b) => &b[from..to],
        With::Level(_) => &level[..a.len()],
    };
    if let (Some(a), Some(b)) = (a.first_chunk(), b.first_chunk()) {
        #[cfg(target_arch = "x86_64")]
        if std::arch::is_x86_feature_detected!("avx512f") {
            // SAFETY: the feature was just detected.
            return unsafe { x86::equal_avx512(a, b) };
        } else if std::arch::is_x86_feature_detected!("avx2") {
            // SAFETY: the feature was just detected.
            return unsafe { x86::equal_avx2(a, b) };
        }
    }
    a.iter().zip(b).enumerate().fold(0, |word, (bit, (a, b))| word | u64::from(a == b) << bit)
}

/// Each word from its 64 pairs.
#[inline(always)]
fn by_words(
    a: &[f64],
    b: With<'_>,
    above: &mut [u64],
    below: &mut [u64],
    full: impl Fn(&[f64; 64], &[f64; 64]) -> (u64, u64),
) {
    let level = match b {
        With::Level(level) => [level; 64],
        With::Column(_) => [0.0; 64],
    };
    let (chunks, rest) = a.as_chunks::<64>();
    for (at, chunk) in chunks.iter().enumerate() {
        let other = match b {
            With::Column(b) => b[at * 64..].first_chunk().unwrap_or(&level),
            With::Level(_) => &level,
        };
        (above[at], below[at]) = full(chunk, other);
    }
    if let (Some(above), Some(below)) = (above.get_mut(chunks.len()), below.get_mut(chunks.len())) {
        let other = match b {
            With::Column(b) => &b[chunks.len() * 64..],
            With::Level(_) => &level[..rest.len()],
        };
        (*above, *below) = word(rest, other);
    }
}

fn word(a: &[f64], b: &[f64]) -> (u64, u64) {
    let pairs = a.iter().zip(b).enumerate();
    pairs.fold((0, 0), |(above, below), (bit, (a, b))| {
        (above | u64::from(a > b) << bit, below | u64::from(a < b) << bit)
    })
}

fn portable(a: &[f64], b: With<'_>, above: &mut [u64], below: &mut [u64]) {
    by_words(a, b, above, below, |a, b| word(a, b));
}

#[cfg(target_arch = "x86_64")]
mod x86 {
    use std::arch::x86_64::*;

    use super::{With, by_words};

    #[target_feature(enable = "avx512f")]
    pub(super) fn compare_avx512(a: &[f64], b: With<'_>, above: &mut [u64], below: &mut [u64]) {
        by_words(a, b, above, below, |a, b| {
            let (mut above, mut below) = (0, 0);
            for at in (0..64).step_by(8) {
                // SAFETY: 8 values from `at` lie within the 64; the caller has the feature.
                let (gt, lt) = unsafe {
                    let a = _mm512_loadu_pd(a.as_ptr().add(at));
                    let b = _mm512_loadu_pd(b.as_ptr().add(at));
                    (_mm512_cmp_pd_mask(a, b, _CMP_GT_OQ), _mm512_cmp_pd_mask(a, b, _CMP_LT_OQ))
                };
                // Bits come in from the top. (Set at their place, they are a sum that the compiler
                // makes a vector of, which takes three times as long.)
                above = above >> 8 | u64::from(gt) << 56;
                below = below >> 8 | u64::from(lt) << 56;
            }
            (above, below)
        });
    }

    #[target_feature(enable = "avx512f")]
    pub(super) fn equal_avx512(a: &[f64; 64], b: &[f64; 64]) -> u64 {
        (0..64).step_by(8).fold(0, |word, at| {
            // SAFETY: 8 values from `at` lie within the 64; the caller has the feature.
            let equal = unsafe {
                let a = _mm512_loadu_pd(a.as_ptr().add(at));
                let b = _mm512_loadu_pd(b.as_ptr().add(at));
                _mm512_cmp_pd_mask(a, b, _CMP_EQ_OQ)
            };
            word | u64::from(equal) << at
        })
    }

    #[target_feature(enable = "avx2")]
    pub(super) fn equal_avx2(a: &[f64; 64], b: &[f64; 64]) -> u64 {
        (0..64).step_by(4).fold(0, |word, at| {
            // SAFETY: 4 values from `at` lie within the 64; the caller has the feature.
            let equal = unsafe {
                let a = _mm256_loadu_pd(a.as_ptr().add(at));
                let b = _mm256_loadu_pd(b.as_ptr().add(at));
                _mm256_movemask_pd(_mm256_cmp_pd(a, b, _CMP_EQ_OQ))
            };
            word | (equal as u64) << at
        })
    }

    #[target_feature(enable = "avx2")]
    pub(super) fn compare_avx2(a: &[f64], b: With<'_>, above: &mut [u64], below: &mut [u64]) {
        by_words(a, b, above, below, |a, b| {
            let (mut above, mut below) = (0, 0);
            for at in (0..64).step_by(4) {
                // SAFETY: 4 values from `at` lie within the 64; the caller has the feature.
                let (gt, lt) = unsafe {
                    let a = _mm256_loadu_pd(a.as_ptr().add(at));
                    let b = _mm256_loadu_pd(b.as_ptr().add(at));
                    (
                        _mm256_movemask_pd(_mm256_cmp_pd(a, b, _CMP_GT_OQ)),
                        _mm256_movemask_pd(_mm256_cmp_pd(a, b, _CMP_LT_OQ)),
                    )
                };
                above |= (gt as u64) << at;
                below |= (lt as u64) << at;
            }
            (above, below)
        });
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn value() -> impl Strategy<Value = f64> {
        prop_oneof![
            4 => (0_i32..4).prop_map(f64::from),
            1 => Just(f64::NAN),
            1 => Just(f64::INFINITY),
            1 => Just(-0.0),
        ]
    }

    proptest! {
        #[test]
        fn unsafe_paths_agree_with_the_portable_one(
            pairs in prop::collection::vec((value(), value()), 0..300),
            level in value(),
        ) {
            let (a, b): (Vec<f64>, Vec<f64>) = pairs.into_iter().unzip();
            for with in [With::Column(&b), With::Level(level)] {
                let words = a.len().div_ceil(64);
                let run = |f: &dyn Fn(&mut [u64], &mut [u64])| {
                    let mut out = (vec![0; words], vec![0; words]);
                    f(&mut out.0, &mut out.1);
                    out
                };
                let expected = run(&|above, below| portable(&a, with, above, below));
                prop_assert_eq!(&run(&|above, below| compare(&a, with, above, below)), &expected);
                for from in (0..a.len()).step_by(64) {
                    let bits = |at: usize| match with {
                        With::Column(b) => a[at] == b[at],
                        With::Level(level) => a[at] == level,
                    };
                    let end = (from + 64).min(a.len());
                    let ties = (from..end).fold(0, |w, at| w | u64::from(bits(at)) << (at - from));
                    prop_assert_eq!(equal(&a, with, from), ties);
                }
                #[cfg(target_arch = "x86_64")]
                if std::arch::is_x86_feature_detected!("avx2") {
                    // SAFETY: the feature was just detected.
                    let avx2 = run(&|above, below| unsafe {
                        x86::compare_avx2(&a, with, above, below);
                    });
                    prop_assert_eq!(&avx2, &expected);
                }
            }
        }
    }
}
