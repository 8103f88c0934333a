//! The loops that are timed: streams over memory, chains of fused multiply-adds, dependent loads.
//!
//! Each is written once over [`simd::Simd`] and compiled for AVX-512, AVX2, SSE2, NEON and plain Rust.
//! [`FmaKernels::detect`] chooses the widest at run time; streams are tried out, as the widest need not be the
//! fastest.

pub(crate) mod chase;
mod fma;
pub(crate) mod scalar;
mod simd;
mod stream;

pub(crate) use fma::{CHAINS, Chains, FmaKernels};
pub(crate) use stream::StreamKernels;
