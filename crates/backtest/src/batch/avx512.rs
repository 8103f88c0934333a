//! Eight numbers in one AVX-512 register.
//!
//! Every function here is inlined into [`super::run_avx512`] and its like, which the caller may
//! only enter where the instructions exist; a value of [`Zmm`] is never made elsewhere.

use std::arch::x86_64::*;
use std::ops::{Add, AddAssign, Div, Mul, Sub};

use super::tile::Row;
use super::vector::{Bars, Bits, LANES, Rows, Vector};

/// Whether this machine has what this file needs.
pub(super) fn is_here() -> bool {
    std::arch::is_x86_feature_detected!("avx512f")
        && std::arch::is_x86_feature_detected!("avx512dq")
        && std::arch::is_x86_feature_detected!("avx512vl")
}

/// Eight numbers.
#[derive(Debug, Clone, Copy)]
#[repr(transparent)]
pub(super) struct Zmm(__m512d);

impl Zmm {
    #[inline(always)]
    fn compare<const HOW: i32>(self, other: Self) -> Bits {
        // SAFETY: values of this type exist only where `is_here`.
        Bits(unsafe { _mm512_cmp_pd_mask::<HOW>(self.0, other.0) })
    }
}

impl Vector for Zmm {
    #[inline(always)]
    fn all(value: f64) -> Self {
        // SAFETY: called only where `is_here`.
        Self(unsafe { _mm512_set1_pd(value) })
    }

    #[inline(always)]
    fn bars(first: usize, bars: &Bars) -> Self {
        // SAFETY: called only where `is_here`; the load is of the 32 bytes of the array. Bars are
        // far below 2^31 within a tile, and sums far below 2^53.
        Self(unsafe {
            let bars = _mm256_loadu_si256(bars.as_ptr().cast());
            _mm512_add_pd(_mm512_cvtepu32_pd(bars), _mm512_set1_pd(first as f64))
        })
    }

    #[inline(always)]
    fn look_up<const N: usize>(table: &[f64; N], at: &Bars) -> Self {
        const { assert!(N.is_power_of_two() && N <= 1 << 31) };
        // SAFETY: called only where `is_here`; the places are cut to the length of the table,
        // which is a power of two.
        Self(unsafe {
            let at = _mm256_loadu_si256(at.as_ptr().cast());
            let at = _mm256_and_si256(at, _mm256_set1_epi32((N - 1) as i32));
            _mm512_i32gather_pd::<8>(at, table.as_ptr())
        })
    }

    #[inline(always)]
    fn turn(rows: [&Row; LANES]) -> Rows<Self> {
        // SAFETY: called only where `is_here`; a row is 64 bytes long and aligned to them.
        unsafe {
            let row = |l: usize| _mm512_load_pd(std::ptr::from_ref(rows[l]).cast());
            // Numbers 0 2 4 6 (and 1 3 5 7) of two neighbouring rows, then of four, then of eight.
            let even = |l: usize| _mm512_unpacklo_pd(row(l), row(l + 1));
            let odd = |l: usize| _mm512_unpackhi_pd(row(l), row(l + 1));
            let eight = |pairs: [__m512d; 4]| {
                let low = _mm512_shuffle_f64x2::<0b10_00_10_00>(pairs[0], pairs[1]);
                let low_rest = _mm512_shuffle_f64x2::<0b11_01_11_01>(pairs[0], pairs[1]);
                let high = _mm512_shuffle_f64x2::<0b10_00_10_00>(pairs[2], pairs[3]);
                let high_rest = _mm512_shuffle_f64x2::<0b11_01_11_01>(pairs[2], pairs[3]);
                [
                    Self(_mm512_shuffle_f64x2::<0b10_00_10_00>(low, high)),
                    Self(_mm512_shuffle_f64x2::<0b10_00_10_00>(low_rest, high_rest)),
                    Self(_mm512_shuffle_f64x2::<0b11_01_11_01>(low, high)),
                ]
            };
            let [last, gains, squares] = eight([even(0), even(2), even(4), even(6)]);
            let [sum, losses, downside_squares] = eight([odd(0), odd(2), odd(4), odd(6)]);
            Rows { last, sum, gains, losses, squares, downside_squares }
        }
    }

    #[inline(always)]
    fn get(self, l: usize) -> f64 {
        let mut out = [0.0; LANES];
        // SAFETY: called only where `is_here`; the store is of the 64 bytes of the array.
        unsafe { _mm512_storeu_pd(out.as_mut_ptr(), self.0) };
        out[l]
    }

    #[inline(always)]
    fn set(&mut self, l: usize, value: f64) {
        // SAFETY: called only where `is_here`.
        self.0 = unsafe { _mm512_mask_mov_pd(self.0, 1 << l, _mm512_set1_pd(value)) };
    }

    #[inline(always)]
    fn above(self, other: Self) -> Bits {
        self.compare::<_CMP_GT_OQ>(other)
    }

    #[inline(always)]
    fn at_least(self, other: Self) -> Bits {
        self.compare::<_CMP_GE_OQ>(other)
    }

    #[inline(always)]
    fn below(self, other: Self) -> Bits {
        self.compare::<_CMP_LT_OQ>(other)
    }

    #[inline(always)]
    fn higher(self, other: Self) -> Self {
        // SAFETY: called only where `is_here`. The instruction gives `other` for NaN and for two
        // zeros, as the plain form does.
        Self(unsafe { _mm512_max_pd(self.0, other.0) })
    }

    #[inline(always)]
    fn lower(self, other: Self) -> Self {
        // SAFETY: as `higher`.
        Self(unsafe { _mm512_min_pd(self.0, other.0) })
    }

    #[inline(always)]
    fn select(mask: Bits, yes: Self, no: Self) -> Self {
        // SAFETY: called only where `is_here`.
        Self(unsafe { _mm512_mask_mov_pd(no.0, mask.0, yes.0) })
    }

    #[inline(always)]
    fn keep(mask: Bits, value: Self) -> Self {
        // SAFETY: called only where `is_here`.
        Self(unsafe { _mm512_maskz_mov_pd(mask.0, value.0) })
    }
}

macro_rules! operators {
    ($($name:ident $method:ident $op:ident;)*) => {$(
        impl $name for Zmm {
            type Output = Self;

            #[inline(always)]
            fn $method(self, other: Self) -> Self {
                // SAFETY: values of this type exist only where `is_here`.
                Self(unsafe { $op(self.0, other.0) })
            }
        }
    )*};
}

operators! {
    Add add _mm512_add_pd;
    Sub sub _mm512_sub_pd;
    Mul mul _mm512_mul_pd;
    Div div _mm512_div_pd;
}

impl AddAssign for Zmm {
    #[inline(always)]
    fn add_assign(&mut self, other: Self) {
        *self = *self + other;
    }
}
