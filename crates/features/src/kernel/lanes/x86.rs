//! Registers of x86-64. A value of [`Zmm`] or [`Ymm`] is made below [`on_avx512`] or [`on_avx`] only,
//! into which all of this is inlined.

use std::arch::x86_64::*;
use std::ops::{Add, Mul, Sub};

use super::{Group, LANES, Lanes, Work};

/// # Safety
/// The processor has AVX-512.
#[target_feature(enable = "avx512f")]
pub(super) unsafe fn on_avx512<W: Work>(work: W) -> W::Result {
    work.on::<Zmm>()
}

/// # Safety
/// The processor has AVX.
#[target_feature(enable = "avx")]
pub(super) unsafe fn on_avx<W: Work>(work: W) -> W::Result {
    work.on::<Ymm>()
}

/// Eight numbers in one register.
#[derive(Clone, Copy)]
struct Zmm(__m512d);

impl Lanes for Zmm {
    const ROWS: usize = LANES;
    type Mask = __mmask8;

    #[inline(always)]
    fn all(value: f64) -> Self {
        // SAFETY: below `on_avx512` only.
        Self(unsafe { _mm512_set1_pd(value) })
    }

    #[inline(always)]
    fn load(from: &[f64], group: Group<Self>) -> Self {
        // SAFETY: below `on_avx512` only; a group has eight rows.
        Self(unsafe { _mm512_loadu_pd(group.of(from)) })
    }

    #[inline(always)]
    fn store(self, to: &mut [f64], group: Group<Self>) {
        // SAFETY: below `on_avx512` only; a group has eight rows.
        unsafe { _mm512_storeu_pd(group.of_mut(to), self.0) }
    }

    #[inline(always)]
    fn larger(self, other: Self) -> Self {
        // SAFETY: below `on_avx512` only.
        Self(unsafe { _mm512_max_pd(self.0, other.0) })
    }

    #[inline(always)]
    fn smaller(self, other: Self) -> Self {
        // SAFETY: below `on_avx512` only.
        Self(unsafe { _mm512_min_pd(self.0, other.0) })
    }

    #[inline(always)]
    fn above(self, other: Self) -> __mmask8 {
        // SAFETY: below `on_avx512` only.
        unsafe { _mm512_cmp_pd_mask::<_CMP_GT_OQ>(self.0, other.0) }
    }

    #[inline(always)]
    fn at_least(self, other: Self) -> __mmask8 {
        // SAFETY: below `on_avx512` only.
        unsafe { _mm512_cmp_pd_mask::<_CMP_GE_OQ>(self.0, other.0) }
    }

    #[inline(always)]
    fn is_nan(self) -> __mmask8 {
        // SAFETY: below `on_avx512` only.
        unsafe { _mm512_cmp_pd_mask::<_CMP_UNORD_Q>(self.0, self.0) }
    }

    #[inline(always)]
    fn or(a: __mmask8, b: __mmask8) -> __mmask8 {
        a | b
    }

    #[inline(always)]
    fn pick(mask: __mmask8, yes: Self, no: Self) -> Self {
        // SAFETY: below `on_avx512` only.
        Self(unsafe { _mm512_mask_mov_pd(no.0, mask, yes.0) })
    }

    #[inline(always)]
    fn first(self) -> f64 {
        // SAFETY: below `on_avx512` only.
        unsafe { _mm512_cvtsd_f64(self.0) }
    }

    #[inline(always)]
    fn turned(self) -> Self {
        // SAFETY: below `on_avx512` only.
        unsafe {
            let bits = _mm512_castpd_si512(self.0);
            Self(_mm512_castsi512_pd(_mm512_alignr_epi64::<1>(bits, bits)))
        }
    }
}

/// Eight numbers in two registers.
#[derive(Clone, Copy)]
struct Ymm([__m256d; 2]);

/// An instruction on both registers of two numbers. No closure, as in `groups`.
macro_rules! both {
    ($instruction:expr, $a:expr, $b:expr) => {
        // SAFETY: below `on_avx` only.
        unsafe { Ymm([$instruction($a.0[0], $b.0[0]), $instruction($a.0[1], $b.0[1])]) }
    };
}

impl Lanes for Ymm {
    const ROWS: usize = LANES;
    /// All bits or none of each number.
    type Mask = Self;

    #[inline(always)]
    fn all(value: f64) -> Self {
        // SAFETY: below `on_avx` only.
        Self([unsafe { _mm256_set1_pd(value) }; 2])
    }

    #[inline(always)]
    fn load(from: &[f64], group: Group<Self>) -> Self {
        let from = group.of(from);
        // SAFETY: below `on_avx` only; a group has eight rows.
        unsafe { Self([_mm256_loadu_pd(from), _mm256_loadu_pd(from.add(4))]) }
    }

    #[inline(always)]
    fn store(self, to: &mut [f64], group: Group<Self>) {
        let to = group.of_mut(to);
        // SAFETY: below `on_avx` only; a group has eight rows.
        unsafe {
            _mm256_storeu_pd(to, self.0[0]);
            _mm256_storeu_pd(to.add(4), self.0[1]);
        }
    }

    #[inline(always)]
    fn larger(self, other: Self) -> Self {
        both!(_mm256_max_pd, self, other)
    }

    #[inline(always)]
    fn smaller(self, other: Self) -> Self {
        both!(_mm256_min_pd, self, other)
    }

    #[inline(always)]
    fn above(self, other: Self) -> Self {
        both!(_mm256_cmp_pd::<_CMP_GT_OQ>, self, other)
    }

    #[inline(always)]
    fn at_least(self, other: Self) -> Self {
        both!(_mm256_cmp_pd::<_CMP_GE_OQ>, self, other)
    }

    #[inline(always)]
    fn is_nan(self) -> Self {
        both!(_mm256_cmp_pd::<_CMP_UNORD_Q>, self, self)
    }

    #[inline(always)]
    fn or(a: Self, b: Self) -> Self {
        both!(_mm256_or_pd, a, b)
    }

    #[inline(always)]
    fn pick(mask: Self, yes: Self, no: Self) -> Self {
        // SAFETY: below `on_avx` only.
        unsafe {
            Self([
                _mm256_blendv_pd(no.0[0], yes.0[0], mask.0[0]),
                _mm256_blendv_pd(no.0[1], yes.0[1], mask.0[1]),
            ])
        }
    }

    #[inline(always)]
    fn first(self) -> f64 {
        // SAFETY: below `on_avx` only.
        unsafe { _mm256_cvtsd_f64(self.0[0]) }
    }

    #[inline(always)]
    fn turned(self) -> Self {
        let [low, high] = self.0;
        // SAFETY: below `on_avx` only.
        unsafe {
            // 2 3 4 5 and 6 7 0 1, of which every other number is the next of low and high.
            let middle = _mm256_permute2f128_pd::<0x21>(low, high);
            let around = _mm256_permute2f128_pd::<0x21>(high, low);
            Self([
                _mm256_shuffle_pd::<0b0101>(low, middle),
                _mm256_shuffle_pd::<0b0101>(high, around),
            ])
        }
    }
}

/// An operator of both kinds of registers.
macro_rules! operator {
    ($trait:ident, $name:ident, $of_zmm:ident, $of_ymm:ident) => {
        impl $trait for Zmm {
            type Output = Self;
            #[inline(always)]
            fn $name(self, other: Self) -> Self {
                // SAFETY: below `on_avx512` only.
                Self(unsafe { $of_zmm(self.0, other.0) })
            }
        }

        impl $trait for Ymm {
            type Output = Self;
            #[inline(always)]
            fn $name(self, other: Self) -> Self {
                both!($of_ymm, self, other)
            }
        }
    };
}

operator!(Add, add, _mm512_add_pd, _mm256_add_pd);
operator!(Sub, sub, _mm512_sub_pd, _mm256_sub_pd);
operator!(Mul, mul, _mm512_mul_pd, _mm256_mul_pd);
