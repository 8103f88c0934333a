//! Rolling statistics over slices, in the caller's output.
//!
//! `out[i]` is the statistic of `input[i + 1 - window..=i]`. The first `window - 1` rows are NaN,
//! and so is each row whose window holds a NaN. All are O(rows log window) at most, or as their
//! docs say, and give the same bits as the indicator of the same name. A thread remembers the plans
//! of its latest eight statistics: called again, they take nothing from the heap, but for the sorted
//! windows of the median and the quantile.
//!
//! ```
//! let mut mean = [0.0_f64; 4];
//! features::rolling::mean(&[1.0, 2.0, 3.0, 7.0], 3, &mut mean)?;
//! assert!(mean[1].is_nan());
//! assert_eq!(mean[2..], [2.0, 4.0]);
//! # Ok::<(), features::FeatureError>(())
//! ```

use crate::engine::graph::{Graph, Series};
use crate::error::FeatureError;
use crate::indicator::{affine, average, one};
use crate::kernel::{driver, map, tree};
use crate::registry::{enough_rows, same_length};
use crate::sample::{self, Sample};

mod plans;

pub use crate::kernel::driver::Statistic;

fn check<T>(
    what: &str,
    inputs: &[&[T]],
    window: usize,
    least: usize,
    out: &[T],
) -> Result<(), FeatureError> {
    if window == 0 {
        return Err(FeatureError::WindowZero { least });
    }
    if window < least {
        return Err(FeatureError::WindowShort { window, least });
    }
    for input in inputs {
        same_length(|| format!("{what}: an input"), input.len(), inputs[0].len())?;
    }
    same_length(|| format!("{what}: the output"), out.len(), inputs[0].len())?;
    enough_rows(what, window - 1, out.len())
}

macro_rules! rolling {
    ($($(#[$doc:meta])* $name:ident($($x:ident),+), $least:literal, $build:expr;)+) => {$(
        $(#[$doc])*
        ///
        /// # Errors
        #[doc = concat!(
            "A window below ", $least, " or longer than the data; slices of unequal length."
        )]
        pub fn $name<T: Sample>(
            $($x: &[T],)+
            window: usize,
            out: &mut [T],
        ) -> Result<(), FeatureError> {
            let inputs: &[&[T]] = &[$($x),+];
            check(stringify!($name), inputs, window, $least, out)?;
            let build: fn(&mut Graph, &[Series], usize) -> Series = $build;
            plans::run(
                (stringify!($name), window, 0),
                inputs.len(),
                |graph, sources| build(graph, sources, window),
                |program, state| sample::run(program, state, inputs, &mut [out]),
            );
            Ok(())
        }
    )+};
}

rolling! {
    /// Sum of the window's rows.
    sum(input), 1, |g, x, n| tree::sum(g, x[0], n);
    /// Mean of the window's rows; exact where all rows are equal.
    mean(input), 1, |g, x, n| tree::mean(g, x[0], n);
    /// Largest row of the window.
    max(input), 1, |g, x, n| tree::max(g, x[0], n);
    /// Smallest row of the window.
    min(input), 1, |g, x, n| tree::min(g, x[0], n);
    /// Sample variance (over `window - 1`), from merged centred squares (Chan, Golub and LeVeque
    /// 1983); exactly 0 where all rows are equal.
    var(input), 2, |g, x, n| {
        let squares = tree::squares(g, x[0], n);
        affine(g, squares, 1.0 / (n - 1) as f64, 0.0)
    };
    /// Sample standard deviation (over `window - 1`); exactly 0 where all rows are equal.
    std(input), 2, |g, x, n| {
        let squares = tree::squares(g, x[0], n);
        let variance = affine(g, squares, 1.0 / (n - 1) as f64, 0.0);
        one(g, &map::SQRT, variance)
    };
    /// Weighted mean with weights 1 to `window`, the newest row the heaviest.
    weighted_mean(input), 1, |g, x, n| average::wma(g, x[0], n);
    /// Least-squares slope per row.
    slope(input), 2, |g, x, n| {
        let trend = tree::trend(g, x[0], n);
        let rows = n as f64;
        affine(g, trend, 12.0 / (rows * (rows * rows - 1.0)), 0.0)
    };
    /// Sample covariance of two series.
    cov(input, other), 2, |g, x, n| {
        let [_, _, products] = tree::pair(g, x[0], x[1], n);
        affine(g, products, 1.0 / (n - 1) as f64, 0.0)
    };
    /// Pearson's correlation of two series; 0 where one of them is constant.
    corr(input, other), 2, |g, x, n| {
        let of = tree::pair(g, x[0], x[1], n);
        crate::indicator::three(g, &map::CORRELATION, of)
    };
    /// Skewness, adjusted for the sample as pandas does; NaN where all rows are equal. O(window) a
    /// row.
    skew(input), 3, |g, x, n| build("skew", g, x, &[n as f64]);
    /// Excess kurtosis, adjusted for the sample as pandas does; NaN where all rows are equal.
    /// O(window) a row.
    kurtosis(input), 4, |g, x, n| build("kurtosis", g, x, &[n as f64]);
    /// Rows since the largest row of the window, the newest of equals: 0 is the current row.
    argmax(input), 1, |g, x, n| build("argmax", g, x, &[n as f64]);
    /// Rows since the smallest row of the window, the newest of equals: 0 is the current row.
    argmin(input), 1, |g, x, n| build("argmin", g, x, &[n as f64]);
    /// Middle of the sorted window. O(window) a row, eight places at once.
    median(input), 1, |g, x, n| build("median", g, x, &[n as f64]);
    /// Rank of the row in its window as a share; equal rows take their mean rank. O(window) a row.
    rank(input), 1, |g, x, n| build("rank", g, x, &[n as f64]);
    /// Value of the least-squares line at the window's first row.
    intercept(input), 2, |g, x, n| build("linearreg_intercept", g, x, &[n as f64]);
    /// Share of the squares that the least-squares line explains.
    r_squared(input), 2, |g, x, n| build("linearreg_r2", g, x, &[n as f64]);
    /// The row less the least-squares line.
    residual(input), 2, |g, x, n| build("linearreg_residual", g, x, &[n as f64]);
}

/// The first output of an indicator of the registry.
fn build(name: &str, g: &mut Graph, x: &[Series], params: &[f64]) -> Series {
    let indicator = crate::registry::find(name).expect("a name of the registry");
    (indicator.build)(g, x, params)[0]
}

/// Quantile `q` (0 to 1) of the window by linear interpolation. O(window) a row.
///
/// # Errors
/// A window of 0 or longer than the data; slices of unequal length; `q` outside 0 to 1.
pub fn quantile<T: Sample>(
    input: &[T],
    window: usize,
    q: f64,
    out: &mut [T],
) -> Result<(), FeatureError> {
    check("quantile", &[input], window, 1, out)?;
    crate::registry::get("quantile")?.check(&[window as f64, q])?;
    plans::run(
        ("quantile", window, q.to_bits()),
        1,
        |graph, sources| build("quantile", graph, sources, &[window as f64, q]),
        |program, state| sample::run(program, state, &[input], &mut [out]),
    );
    Ok(())
}

/// The caller's own statistic of each window. An f32 column is widened as a whole first.
///
/// # Errors
/// A window of 0 or longer than the data; slices of unequal length.
pub fn apply<S: Statistic, T: Sample>(
    input: &[T],
    window: usize,
    out: &mut [T],
) -> Result<(), FeatureError> {
    check("apply", &[input], window, 1, out)?;
    let wide = sample::widened(input);
    out[..window - 1].fill(T::narrow(f64::NAN));
    driver::windows(&wide, window, |i, statistic: Option<&S>| {
        out[window - 1 + i] = T::narrow(statistic.map_or(f64::NAN, S::get));
    });
    Ok(())
}
