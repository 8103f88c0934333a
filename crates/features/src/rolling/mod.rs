//! Rolling statistics over slices, in the caller's output.
//!
//! `out[i]` is the statistic of `input[i + 1 - window..=i]`. The first `window - 1` rows are NaN,
//! and so is each row whose window holds a NaN. All are O(rows log window) at most, or as their
//! docs say, and give the same bits as the indicator of the same name.

use crate::compute::run_columns;
use crate::engine::graph::{Graph, Series};
use crate::engine::machine::Program;
use crate::error::FeatureError;
use crate::indicator::{affine, average, one};
use crate::kernel::{map, tree};
use crate::registry::{enough_rows, same_length};

fn check(
    what: &str,
    inputs: &[&[f64]],
    window: usize,
    least: usize,
    out: &[f64],
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
        pub fn $name($($x: &[f64],)+ window: usize, out: &mut [f64]) -> Result<(), FeatureError> {
            let inputs: &[&[f64]] = &[$($x),+];
            check(stringify!($name), inputs, window, $least, out)?;
            let mut graph = Graph::new(inputs.len());
            let build: fn(&mut Graph, &[Series], usize) -> Series = $build;
            let sources: Vec<Series> = (0..inputs.len()).map(Series).collect();
            let series = build(&mut graph, &sources, window);
            run_columns(&Program::new(graph, vec![series]), inputs, &mut [out]);
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
}
