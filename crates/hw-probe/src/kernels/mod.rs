//! The loops that are timed: streams over memory, chains of fused multiply-adds, dependent loads.
//!
//! Each is written once over [`simd::Simd`] and compiled for AVX-512, AVX2, NEON and plain Rust;
//! [`StreamKernels::detect`] and [`FmaKernels::detect`] choose at run time.

pub(crate) mod chase;
mod fma;
pub(crate) mod scalar;
mod simd;
mod stream;

pub(crate) use fma::{Chains, FmaKernels};
pub(crate) use stream::StreamKernels;
