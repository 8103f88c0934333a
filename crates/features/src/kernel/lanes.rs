//! Eight numbers at once, for the loops in which a compiler left to itself shuffles lanes about.

use std::ops::{Add, Mul};

pub(crate) const LANES: usize = 8;

/// Eight numbers; every operation rounds each of them as it would a single one.
pub(crate) trait Lanes: Copy + Add<Output = Self> + Mul<Output = Self> {
    /// Eight times `value`.
    fn all(value: f64) -> Self;
    fn load(from: &[f64; LANES]) -> Self;
    fn store(self, to: &mut [f64; LANES]);
}

/// Work that is written once for every kind of [`Lanes`].
pub(crate) trait Work {
    type Result;
    /// Must be inlined.
    fn on<L: Lanes>(self) -> Self::Result;
}

/// Does `work` on the widest registers of this processor.
pub(crate) fn run<W: Work>(work: W) -> W::Result {
    #[cfg(target_arch = "x86_64")]
    {
        if std::arch::is_x86_feature_detected!("avx512f") {
            // SAFETY: the processor has the instructions.
            return unsafe { x86::on_avx512(work) };
        }
        if std::arch::is_x86_feature_detected!("avx") {
            // SAFETY: the processor has the instructions.
            return unsafe { x86::on_avx(work) };
        }
    }
    work.on::<Plain>()
}

/// Eight numbers as the compiler sees fit.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Plain([f64; LANES]);

impl Lanes for Plain {
    #[inline(always)]
    fn all(value: f64) -> Self {
        Self([value; LANES])
    }

    #[inline(always)]
    fn load(from: &[f64; LANES]) -> Self {
        Self(*from)
    }

    #[inline(always)]
    fn store(self, to: &mut [f64; LANES]) {
        *to = self.0;
    }
}

impl Add for Plain {
    type Output = Self;
    #[inline(always)]
    fn add(self, other: Self) -> Self {
        Self(std::array::from_fn(|l| self.0[l] + other.0[l]))
    }
}

impl Mul for Plain {
    type Output = Self;
    #[inline(always)]
    fn mul(self, other: Self) -> Self {
        Self(std::array::from_fn(|l| self.0[l] * other.0[l]))
    }
}

#[cfg(target_arch = "x86_64")]
mod x86 {
    //! A value of [`Zmm`] or [`Ymm`] is made in [`on_avx512`] or [`on_avx`] only, into which all of
    //! this is inlined.

    use std::arch::x86_64::*;
    use std::ops::{Add, Mul};

    use super::{LANES, Lanes, Work};

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

    #[derive(Clone, Copy)]
    struct Zmm(__m512d);

    impl Lanes for Zmm {
        #[inline(always)]
        fn all(value: f64) -> Self {
            // SAFETY: called in `on_avx512` only.
            Self(unsafe { _mm512_set1_pd(value) })
        }

        #[inline(always)]
        fn load(from: &[f64; LANES]) -> Self {
            // SAFETY: called in `on_avx512` only; the load is of the array.
            Self(unsafe { _mm512_loadu_pd(from.as_ptr()) })
        }

        #[inline(always)]
        fn store(self, to: &mut [f64; LANES]) {
            // SAFETY: called in `on_avx512` only; the store is to the array.
            unsafe { _mm512_storeu_pd(to.as_mut_ptr(), self.0) }
        }
    }

    impl Add for Zmm {
        type Output = Self;
        #[inline(always)]
        fn add(self, other: Self) -> Self {
            // SAFETY: called in `on_avx512` only.
            Self(unsafe { _mm512_add_pd(self.0, other.0) })
        }
    }

    impl Mul for Zmm {
        type Output = Self;
        #[inline(always)]
        fn mul(self, other: Self) -> Self {
            // SAFETY: called in `on_avx512` only.
            Self(unsafe { _mm512_mul_pd(self.0, other.0) })
        }
    }

    #[derive(Clone, Copy)]
    struct Ymm(__m256d, __m256d);

    impl Lanes for Ymm {
        #[inline(always)]
        fn all(value: f64) -> Self {
            // SAFETY: called in `on_avx` only.
            let four = unsafe { _mm256_set1_pd(value) };
            Self(four, four)
        }

        #[inline(always)]
        fn load(from: &[f64; LANES]) -> Self {
            // SAFETY: called in `on_avx` only; the loads are of the halves of the array.
            unsafe { Self(_mm256_loadu_pd(from.as_ptr()), _mm256_loadu_pd(from[4..].as_ptr())) }
        }

        #[inline(always)]
        fn store(self, to: &mut [f64; LANES]) {
            // SAFETY: called in `on_avx` only; the stores are to the halves of the array.
            unsafe {
                _mm256_storeu_pd(to.as_mut_ptr(), self.0);
                _mm256_storeu_pd(to[4..].as_mut_ptr(), self.1);
            }
        }
    }

    impl Add for Ymm {
        type Output = Self;
        #[inline(always)]
        fn add(self, other: Self) -> Self {
            // SAFETY: called in `on_avx` only.
            unsafe { Self(_mm256_add_pd(self.0, other.0), _mm256_add_pd(self.1, other.1)) }
        }
    }

    impl Mul for Ymm {
        type Output = Self;
        #[inline(always)]
        fn mul(self, other: Self) -> Self {
            // SAFETY: called in `on_avx` only.
            unsafe { Self(_mm256_mul_pd(self.0, other.0), _mm256_mul_pd(self.1, other.1)) }
        }
    }
}
