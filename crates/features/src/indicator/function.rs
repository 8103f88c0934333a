//! Indicators as plain functions: the registry's, with names for their columns and parameters.

use crate::error::FeatureError;
use crate::registry;
use crate::sample::Sample;

macro_rules! functions {
    ($($(#[$doc:meta])* $name:ident($($x:ident),+; $($p:ident: $kind:ty),*) -> ($($out:ident),+);)+) => {$(
        $(#[$doc])*
        ///
        /// Columns are f64, or f32, which is computed in f64. Formula and warm-up are those that
        /// [`registry::find`](crate::registry::find) gives for this name; rows of the warm-up are NaN.
        ///
        /// # Errors
        /// As [`Indicator::compute`](crate::registry::Indicator::compute).
        #[allow(clippy::too_many_arguments, reason = "one slice per column, as in the formula")]
        pub fn $name<T: Sample>(
            $($x: &[T],)+
            $($p: $kind,)*
            $($out: &mut [T],)+
        ) -> Result<(), FeatureError> {
            let indicator = registry::get(stringify!($name))?;
            indicator.compute(&[$($x),+], &[$($p as f64),*], &mut [$($out),+])
        }
    )+};
}

functions! {
    /// Simple moving average.
    sma(input; window: usize) -> (out);
    /// Exponential moving average, seeded by the mean of its first window as TA-Lib does.
    ema(input; window: usize) -> (out);
    /// Exponential moving average, seeded by the first row as TradingView does.
    ema_first(input; window: usize) -> (out);
    /// Exponential moving average whose weights are adjusted to the rows that there are.
    ema_adjusted(input; window: usize) -> (out);
    /// Wilder's smoothing.
    wilder(input; window: usize) -> (out);
    /// Weighted moving average.
    wma(input; window: usize) -> (out);
    /// Kaufman's adaptive moving average.
    kama(input; window: usize) -> (out);
    /// Bollinger bands.
    bbands(input; window: usize, width: f64) -> (upper, middle, lower);
    /// Difference to the row `window` rows ago.
    mom(input; window: usize) -> (out);
    /// Ratio to the row `window` rows ago.
    ratio(input; window: usize) -> (out);
    /// Log return since the row `window` rows ago.
    log_return(input; window: usize) -> (out);
    /// Rate of change in percent.
    roc(input; window: usize) -> (out);
    /// Running total.
    total(input;) -> (out);
    /// Relative strength index.
    rsi(input; window: usize) -> (out);
    /// Moving average convergence divergence.
    macd(input; fast: usize, slow: usize, signal: usize) -> (line, signal_line, histogram);
    /// Average true range.
    atr(high, low, close; window: usize) -> (out);
    /// Average directional index.
    adx(high, low; window: usize) -> (out);
    /// Aroon.
    aroon(high, low; window: usize) -> (down, up);
    /// Commodity channel index.
    cci(high, low, close; window: usize) -> (out);
    /// Stochastic oscillator.
    stoch(high, low, close; window: usize, slow_k: usize, slow_d: usize) -> (k, d);
    /// Williams %R.
    willr(high, low, close; window: usize) -> (out);
    /// Money flow index.
    mfi(high, low, close, volume; window: usize) -> (out);
    /// On-balance volume.
    obv(close, volume;) -> (out);
}
