//! A vector of floats in the machine's own registers: the few operations that the kernels need.

/// A SIMD register of `LANES` elements.
///
/// # Safety
/// Every method may be called only in a function compiled for, and running on, a CPU that has the
/// instruction set of the implementing type. Pointers follow the rules of the plain accesses they
/// stand for; [`Simd::stream`] needs the register's own alignment.
pub(crate) unsafe trait Simd: Copy {
    type Element: Copy;
    const LANES: usize;
    /// Whether [`Simd::stream`] bypasses the caches or is an ordinary store.
    const STREAMS: bool;

    unsafe fn splat(value: Self::Element) -> Self;
    unsafe fn load(from: *const Self::Element) -> Self;
    unsafe fn store(self, to: *mut Self::Element);
    unsafe fn stream(self, to: *mut Self::Element);
    unsafe fn add(self, other: Self) -> Self;
    unsafe fn mul(self, other: Self) -> Self;
    /// Makes streamed stores visible to other cores.
    unsafe fn fence();
}

/// A register whose instruction set multiplies and adds in one operation.
///
/// # Safety
/// As [`Simd`].
pub(crate) unsafe trait Fused: Simd {
    /// `self * factor + term`, rounded once.
    unsafe fn fma(self, factor: Self, term: Self) -> Self;
}

/// Implements [`Simd`] for an x86 register type by the names of its intrinsics.
#[cfg(target_arch = "x86_64")]
macro_rules! x86 {
    ($register:ident, $element:ty, $lanes:literal, $set1:ident, $load:ident, $store:ident,
     $stream:ident, $add:ident, $mul:ident $(, $fma:ident)?) => {
        // SAFETY: each method is the intrinsic of its name, under the trait's own conditions.
        unsafe impl Simd for std::arch::x86_64::$register {
            type Element = $element;
            const LANES: usize = $lanes;
            const STREAMS: bool = true;

            #[inline(always)]
            unsafe fn splat(value: $element) -> Self {
                // SAFETY: the caller's CPU has the instruction set.
                unsafe { std::arch::x86_64::$set1(value) }
            }
            #[inline(always)]
            unsafe fn load(from: *const $element) -> Self {
                // SAFETY: the caller passes `LANES` readable elements.
                unsafe { std::arch::x86_64::$load(from) }
            }
            #[inline(always)]
            unsafe fn store(self, to: *mut $element) {
                // SAFETY: the caller passes `LANES` writable elements.
                unsafe { std::arch::x86_64::$store(to, self) }
            }
            #[inline(always)]
            unsafe fn stream(self, to: *mut $element) {
                // SAFETY: as `store`, and aligned to the register's width.
                unsafe { std::arch::x86_64::$stream(to, self) }
            }
            #[inline(always)]
            unsafe fn add(self, other: Self) -> Self {
                // SAFETY: the caller's CPU has the instruction set.
                unsafe { std::arch::x86_64::$add(self, other) }
            }
            #[inline(always)]
            unsafe fn mul(self, other: Self) -> Self {
                // SAFETY: the caller's CPU has the instruction set.
                unsafe { std::arch::x86_64::$mul(self, other) }
            }
            #[inline(always)]
            unsafe fn fence() {
                // SAFETY: SSE, part of x86-64.
                unsafe { std::arch::x86_64::_mm_sfence() }
            }
        }
        $(
            // SAFETY: as above.
            unsafe impl Fused for std::arch::x86_64::$register {
                #[inline(always)]
                unsafe fn fma(self, factor: Self, term: Self) -> Self {
                    // SAFETY: the caller's CPU has the instruction set.
                    unsafe { std::arch::x86_64::$fma(self, factor, term) }
                }
            }
        )?
    };
}

#[cfg(target_arch = "x86_64")]
x86!(
    __m512d,
    f64,
    8,
    _mm512_set1_pd,
    _mm512_loadu_pd,
    _mm512_storeu_pd,
    _mm512_stream_pd,
    _mm512_add_pd,
    _mm512_mul_pd,
    _mm512_fmadd_pd
);
#[cfg(target_arch = "x86_64")]
x86!(
    __m512,
    f32,
    16,
    _mm512_set1_ps,
    _mm512_loadu_ps,
    _mm512_storeu_ps,
    _mm512_stream_ps,
    _mm512_add_ps,
    _mm512_mul_ps,
    _mm512_fmadd_ps
);
#[cfg(target_arch = "x86_64")]
x86!(
    __m256d,
    f64,
    4,
    _mm256_set1_pd,
    _mm256_loadu_pd,
    _mm256_storeu_pd,
    _mm256_stream_pd,
    _mm256_add_pd,
    _mm256_mul_pd,
    _mm256_fmadd_pd
);
#[cfg(target_arch = "x86_64")]
x86!(
    __m256,
    f32,
    8,
    _mm256_set1_ps,
    _mm256_loadu_ps,
    _mm256_storeu_ps,
    _mm256_stream_ps,
    _mm256_add_ps,
    _mm256_mul_ps,
    _mm256_fmadd_ps
);
// The streams alone: processors with nothing wider have no fused operation either.
#[cfg(target_arch = "x86_64")]
x86!(
    __m128d,
    f64,
    2,
    _mm_set1_pd,
    _mm_loadu_pd,
    _mm_storeu_pd,
    _mm_stream_pd,
    _mm_add_pd,
    _mm_mul_pd
);

/// Implements [`Simd`] for a NEON register type by the names of its intrinsics.
#[cfg(target_arch = "aarch64")]
macro_rules! neon {
    ($register:ident, $element:ty, $lanes:literal, $set1:ident, $load:ident, $store:ident,
     $add:ident, $mul:ident, $fma:ident) => {
        // SAFETY: each method is the intrinsic of its name, under the trait's own conditions.
        unsafe impl Simd for std::arch::aarch64::$register {
            type Element = $element;
            const LANES: usize = $lanes;
            // Arm's `stnp` is a hint that cores are free to ignore: not called non-temporal here.
            const STREAMS: bool = false;

            #[inline(always)]
            unsafe fn splat(value: $element) -> Self {
                // SAFETY: NEON is part of every AArch64 target of this crate.
                unsafe { std::arch::aarch64::$set1(value) }
            }
            #[inline(always)]
            unsafe fn load(from: *const $element) -> Self {
                // SAFETY: the caller passes `LANES` readable elements.
                unsafe { std::arch::aarch64::$load(from) }
            }
            #[inline(always)]
            unsafe fn store(self, to: *mut $element) {
                // SAFETY: the caller passes `LANES` writable elements.
                unsafe { std::arch::aarch64::$store(to, self) }
            }
            #[inline(always)]
            unsafe fn stream(self, to: *mut $element) {
                // SAFETY: the same conditions.
                unsafe { self.store(to) }
            }
            #[inline(always)]
            unsafe fn add(self, other: Self) -> Self {
                // SAFETY: NEON is present.
                unsafe { std::arch::aarch64::$add(self, other) }
            }
            #[inline(always)]
            unsafe fn mul(self, other: Self) -> Self {
                // SAFETY: NEON is present.
                unsafe { std::arch::aarch64::$mul(self, other) }
            }
            #[inline(always)]
            unsafe fn fence() {}
        }
        // SAFETY: as above.
        unsafe impl Fused for std::arch::aarch64::$register {
            #[inline(always)]
            unsafe fn fma(self, factor: Self, term: Self) -> Self {
                // SAFETY: NEON is present. The intrinsic's first argument is the term.
                unsafe { std::arch::aarch64::$fma(term, self, factor) }
            }
        }
    };
}

#[cfg(target_arch = "aarch64")]
neon!(float64x2_t, f64, 2, vdupq_n_f64, vld1q_f64, vst1q_f64, vaddq_f64, vmulq_f64, vfmaq_f64);
#[cfg(target_arch = "aarch64")]
neon!(float32x4_t, f32, 4, vdupq_n_f32, vld1q_f32, vst1q_f32, vaddq_f32, vmulq_f32, vfmaq_f32);

/// Plain Rust: eight lanes that the compiler spreads over whatever registers it has.
#[derive(Clone, Copy)]
pub(crate) struct Portable([f64; 8]);

// SAFETY: no instruction set is needed; pointers follow the trait's own rules.
unsafe impl Simd for Portable {
    type Element = f64;
    const LANES: usize = 8;
    const STREAMS: bool = false;

    #[inline(always)]
    unsafe fn splat(value: f64) -> Self {
        Self([value; 8])
    }
    #[inline(always)]
    unsafe fn load(from: *const f64) -> Self {
        // SAFETY: the caller passes eight readable elements; arrays need no more than f64's alignment.
        Self(unsafe { from.cast::<[f64; 8]>().read() })
    }
    #[inline(always)]
    unsafe fn store(self, to: *mut f64) {
        // SAFETY: the caller passes eight writable elements.
        unsafe { to.cast::<[f64; 8]>().write(self.0) }
    }
    #[inline(always)]
    unsafe fn stream(self, to: *mut f64) {
        // SAFETY: the same conditions.
        unsafe { self.store(to) }
    }
    #[inline(always)]
    unsafe fn add(self, other: Self) -> Self {
        Self(std::array::from_fn(|lane| self.0[lane] + other.0[lane]))
    }
    #[inline(always)]
    unsafe fn mul(self, other: Self) -> Self {
        Self(std::array::from_fn(|lane| self.0[lane] * other.0[lane]))
    }
    #[inline(always)]
    unsafe fn fence() {}
}
