//! Indicators as plain functions: the registry's, with names for their columns and parameters.

use crate::error::FeatureError;
use crate::registry;

macro_rules! functions {
    ($($(#[$doc:meta])* $name:ident($($x:ident),+; $($p:ident: $kind:ty),*) -> ($($out:ident),+);)+) => {$(
        $(#[$doc])*
        ///
        /// Warm-up and formula are those that [`registry::find`](crate::registry::find) gives for
        /// this name; rows of the warm-up are NaN.
        ///
        /// # Errors
        /// As [`Indicator::compute`](crate::registry::Indicator::compute).
        #[allow(clippy::too_many_arguments, reason = "one slice per column, as in the formula")]
        pub fn $name(
            $($x: &[f64],)+
            $($p: $kind,)*
            $($out: &mut [f64],)+
        ) -> Result<(), FeatureError> {
            let indicator = registry::get(stringify!($name))?;
            indicator.compute(&[$($x),+], &[$($p as f64),*], &mut [$($out),+])
        }
    )+};
}

functions! {
    /// Simple moving average.
    sma(input; window: usize) -> (out);
    /// Exponential moving average, seeded as TA-Lib does.
    ema(input; window: usize) -> (out);
    /// Weighted moving average.
    wma(input; window: usize) -> (out);
    /// Relative strength index.
    rsi(input; window: usize) -> (out);
    /// Average true range.
    atr(high, low, close; window: usize) -> (out);
    /// Moving average convergence divergence.
    macd(input; fast: usize, slow: usize, signal: usize) -> (line, signal_line, histogram);
    /// Average directional index.
    adx(high, low; window: usize) -> (out);
    /// Stochastic oscillator.
    stoch(high, low, close; window: usize, slow_k: usize, slow_d: usize) -> (k, d);
}
