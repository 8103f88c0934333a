//! The kernels that indicators are made of.
//!
//! Each is a plain loop over slices, compiled once per instruction set and chosen at run time.
//! None fuses a multiplication with an addition, so that each instruction set gives the same
//! bits.

#![allow(
    clippy::needless_range_loop,
    reason = "a loop over lanes reads and writes several arrays at one index"
)]

pub(crate) mod chain;
pub(crate) mod driver;
pub(crate) mod expand;
pub(crate) mod lanes;
pub(crate) mod map;
pub(crate) mod order;
pub(crate) mod path;
pub(crate) mod recur;
pub(crate) mod total;
pub(crate) mod tree;
pub(crate) mod window;

/// Compiles a function for AVX-512, AVX2 and the baseline (which is NEON on aarch64).
macro_rules! simd {
    ($($item:item)+) => {$(
        #[multiversion::multiversion(targets(
            "x86_64+avx+avx2+avx512f+avx512bw+avx512cd+avx512dq+avx512vl",
            "x86_64+avx+avx2",
        ))]
        $item
    )+};
}
pub(crate) use simd;
