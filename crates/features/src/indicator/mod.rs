//! The indicators, by family: each one a declaration and a small graph of kernels.
//!
//! ```
//! let close: Vec<f64> = (0..100).map(|i| 100.0 + (i as f64 * 0.3).sin()).collect();
//! let mut rsi = vec![0.0; close.len()];
//! features::indicator::rsi(&close, 14, &mut rsi)?;
//! assert!(rsi[13].is_nan() && (0.0..=100.0).contains(&rsi[14]));
//! # Ok::<(), features::FeatureError>(())
//! ```

pub(crate) mod alpha;
pub(crate) mod average;
mod function;
pub(crate) mod momentum;
pub(crate) mod statistic;
pub(crate) mod trend;
pub(crate) mod volatility;
pub(crate) mod volume;

pub use function::*;

use crate::engine::Kernel;
use crate::engine::graph::{Graph, Series, Tap};
use crate::registry::Indicator;

/// Every indicator, one slice per family.
pub(crate) static FAMILIES: [&[Indicator]; 7] = [
    average::INDICATORS,
    momentum::INDICATORS,
    trend::INDICATORS,
    volume::INDICATORS,
    volatility::INDICATORS,
    statistic::INDICATORS,
    alpha::INDICATORS,
];

/// The kernel applied to one tap.
pub(crate) fn one(g: &mut Graph, kernel: &'static Kernel, a: impl Into<Tap>) -> Series {
    g.node(kernel, &[a.into()], &[])
}

/// The kernel applied to two taps.
pub(crate) fn two(
    g: &mut Graph,
    kernel: &'static Kernel,
    a: impl Into<Tap>,
    b: impl Into<Tap>,
) -> Series {
    g.node(kernel, &[a.into(), b.into()], &[])
}

/// The kernel applied to three series.
pub(crate) fn three(g: &mut Graph, kernel: &'static Kernel, of: [Series; 3]) -> Series {
    g.node(kernel, &of.map(Tap::from), &[])
}

/// `a * scale + offset`.
pub(crate) fn affine(g: &mut Graph, a: Series, scale: f64, offset: f64) -> Series {
    g.node(&crate::kernel::map::AFFINE, &[a.into()], &[scale, offset])
}

/// `a * p + b * q`.
pub(crate) fn mix(g: &mut Graph, a: Series, p: f64, b: Series, q: f64) -> Series {
    g.node(&crate::kernel::map::MIX, &[a.into(), b.into()], &[p, q])
}

/// A parameter that is a number of rows.
pub(crate) fn rows(value: f64) -> usize {
    value as usize
}
