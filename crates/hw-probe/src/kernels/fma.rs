//! The FMA peak: independent chains of fused multiply-adds, as many as hide the instruction's
//! latency, none of them touching memory.

use super::simd::{Fused, Simd};

/// Independent chains. Two units of four cycles need eight, four units of three or four cycles (Apple) sixteen;
/// of 16 registers two hold the factor and the term, of Arm's 32 more are free.
pub(crate) const CHAINS: usize = if cfg!(target_arch = "aarch64") { 24 } else { 14 };

/// Floating-point operations of one link of one lane: a multiplication and an addition.
const FLOPS: usize = 2;

/// Defines `chains`, with one name for each register, so that nothing invites the compiler to index an array in
/// memory.
macro_rules! define_chains {
    ($($chain:ident)+) => {
        /// `x = x * factor + term`, `links` times in each chain and lane, from `from`; where each ends.
        #[inline(always)]
        unsafe fn chains<V: Fused>(
            links: usize,
            from: [V; CHAINS],
            factor: V,
            term: V,
        ) -> [V; CHAINS] {
            let [$(mut $chain),+] = from;
            for _ in 0..links {
                // SAFETY: the caller guarantees the CPU.
                unsafe { $($chain = $chain.fma(factor, term);)+ }
            }
            [$($chain),+]
        }
    };
}
#[cfg(not(target_arch = "aarch64"))]
define_chains!(a b c d e f g h i j k l m n);
#[cfg(target_arch = "aarch64")]
define_chains!(a b c d e f g h i j k l m n o p q r s t u v w x);

/// A chain kernel for one element type.
pub(crate) struct Fma<T> {
    run: unsafe fn(usize, T, T) -> [T; CHAINS],
    lanes: usize,
}

/// One instruction set's chains.
pub(crate) struct FmaKernels {
    /// The instruction set, as reports name it.
    pub(crate) isa: &'static str,
    /// Eight-byte chains.
    pub(crate) f64: Fma<f64>,
    /// Four-byte chains.
    pub(crate) f32: Fma<f32>,
}

/// Compiles the chains for one instruction set's two register types.
#[cfg(any(target_arch = "x86_64", target_arch = "aarch64"))]
macro_rules! chains_for {
    ($module:ident, $isa:literal, $double:ty, $single:ty, $feature:literal) => {
        mod $module {
            use super::*;

            chains_for!(@run run_f64, f64, $double, $feature);
            chains_for!(@run run_f32, f32, $single, $feature);

            pub(super) static KERNELS: FmaKernels = FmaKernels {
                isa: $isa,
                f64: Fma { run: run_f64, lanes: <$double as Simd>::LANES },
                f32: Fma { run: run_f32, lanes: <$single as Simd>::LANES },
            };
        }
    };
    (@run $name:ident, $element:ty, $register:ty, $feature:literal) => {
        #[target_feature(enable = $feature)]
        unsafe fn $name(links: usize, factor: $element, term: $element) -> [$element; CHAINS] {
            // SAFETY: the caller guarantees the CPU; `lanes` has room for the widest register.
            unsafe {
                let from = std::array::from_fn(|k| <$register>::splat((k + 1) as $element));
                let last = chains::<$register>(
                    links, from, <$register>::splat(factor), <$register>::splat(term),
                );
                last.map(|register| {
                    let mut lanes = [0.0; 16];
                    register.store(lanes.as_mut_ptr());
                    let lanes = &lanes[..<$register as Simd>::LANES];
                    // All lanes of a chain do the same: one that differs spoils the value.
                    if lanes.iter().all(|lane| *lane == lanes[0]) { lanes[0] } else { <$element>::NAN }
                })
            }
        }
    };
}

#[cfg(target_arch = "x86_64")]
chains_for!(avx512, "avx512", std::arch::x86_64::__m512d, std::arch::x86_64::__m512, "avx512f");
#[cfg(target_arch = "x86_64")]
chains_for!(avx2, "avx2", std::arch::x86_64::__m256d, std::arch::x86_64::__m256, "avx2,fma");
#[cfg(target_arch = "aarch64")]
chains_for!(neon, "neon", std::arch::aarch64::float64x2_t, std::arch::aarch64::float32x4_t, "neon");

impl FmaKernels {
    /// The widest chains of this CPU; `None` where it has no fused multiply-add.
    pub(crate) fn detect() -> Option<&'static Self> {
        Self::supported().first().copied()
    }

    /// Every set that this CPU can run, widest first.
    pub(crate) fn supported() -> Vec<&'static Self> {
        #[allow(unused_mut, reason = "other architectures push nothing")]
        let mut found: Vec<&'static Self> = Vec::new();
        #[cfg(target_arch = "x86_64")]
        {
            if is_x86_feature_detected!("avx512f") {
                found.push(&avx512::KERNELS);
            }
            if is_x86_feature_detected!("avx2") && is_x86_feature_detected!("fma") {
                found.push(&avx2::KERNELS);
            }
        }
        #[cfg(target_arch = "aarch64")]
        found.push(&neon::KERNELS);
        found
    }
}

/// What the compute section asks of a chain kernel, whatever its element.
pub(crate) trait Chains: Sync {
    /// Floating-point operations of `links` links.
    fn flops(&self, links: usize) -> f64;
    /// Runs `links` links of every chain; where each ended.
    fn run(&self, links: usize) -> [f64; CHAINS];
    /// Where the plain recurrence ends. Slow: fused operations by a library call.
    fn expected(&self, links: usize) -> [f64; CHAINS];
}

/// Contracting, so that the chains neither overflow nor fall into slow denormals.
const FACTOR: f64 = 0.75;
const TERM: f64 = 0.5;
/// Links after which every chain stands at its fixed point, in either precision.
const SETTLED: usize = 2048;

macro_rules! impl_chains {
    ($element:ty) => {
        impl Chains for Fma<$element> {
            fn flops(&self, links: usize) -> f64 {
                (links * CHAINS * self.lanes * FLOPS) as f64
            }

            fn run(&self, links: usize) -> [f64; CHAINS] {
                // Hidden from the compiler, which could otherwise find the fixed point itself.
                let (factor, term) = std::hint::black_box((FACTOR as $element, TERM as $element));
                // SAFETY: `supported` hands out a table only on a CPU that has its instruction set.
                unsafe { (self.run)(links, factor, term) }.map(f64::from)
            }

            fn expected(&self, links: usize) -> [f64; CHAINS] {
                let link = |x: $element, _| x.mul_add(FACTOR as $element, TERM as $element);
                std::array::from_fn(|k| {
                    f64::from((0..links.min(SETTLED)).fold((k + 1) as $element, link))
                })
            }
        }
    };
}
impl_chains!(f64);
impl_chains!(f32);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn chains_end_where_the_plain_recurrence_does() {
        for kernels in FmaKernels::supported() {
            for links in [0, 1, 2, 3, 17, 100, 1000, 5000] {
                let what = format!("{} {links}", kernels.isa);
                assert_eq!(kernels.f64.run(links), kernels.f64.expected(links), "{what}");
                assert_eq!(kernels.f32.run(links), kernels.f32.expected(links), "{what}");
            }
        }
    }

    #[test]
    fn flops_count_two_per_lane_and_chain() {
        for kernels in FmaKernels::supported() {
            assert_eq!(kernels.f64.flops(3), (3 * CHAINS * kernels.f64.lanes * 2) as f64);
            assert_eq!(kernels.f32.lanes, 2 * kernels.f64.lanes);
        }
    }
}
