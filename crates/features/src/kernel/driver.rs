//! One driver for the statistics that are kept up row by row.
//!
//! Statistics that merge from two halves have a way of their own ([`super::tree`]), and so have those that
//! look at many windows at once ([`super::window`]); this one serves what is neither, the caller's own
//! statistics among them.

/// A statistic of a window, kept up while the window moves row by row.
///
/// It never sees a NaN: windows that hold one have no value, and after them it begins anew. What it
/// subtracts it must get back exactly (counts, sorted rows, integers), or an outlier leaves its rounding
/// behind; else it is better worked out from the window's rows.
///
/// ```
/// use features::rolling::{self, Statistic};
///
/// /// Rows of the window above its mean price.
/// struct Above(usize);
///
/// impl Statistic for Above {
///     fn new(window: &[f64]) -> Self {
///         let mean = window.iter().sum::<f64>() / window.len() as f64;
///         Self(window.iter().filter(|&&row| row > mean).count())
///     }
///     fn update(&mut self, window: &[f64], _left: f64) {
///         *self = Self::new(window);
///     }
///     fn get(&self) -> f64 {
///         self.0 as f64
///     }
/// }
///
/// let mut above = [0.0; 5];
/// rolling::apply::<Above, f64>(&[1.0, 2.0, 9.0, 9.0, 3.0], 3, &mut above)?;
/// assert_eq!(above[2..], [1.0, 2.0, 2.0]);
/// # Ok::<(), features::FeatureError>(())
/// ```
pub trait Statistic {
    /// Of a first window, the oldest row first.
    fn new(window: &[f64]) -> Self;

    /// Moves on by a row: `window` is the new window and `left` the row that is no longer in it.
    fn update(&mut self, window: &[f64], left: f64);

    /// Its value.
    fn get(&self) -> f64;
}

/// Gives `take` the statistic of each whole window of `rows`, by the window's number; `None` where the
/// window holds a NaN. To be inlined.
#[inline(always)]
pub(crate) fn windows<S: Statistic>(
    rows: &[f64],
    window: usize,
    mut take: impl FnMut(usize, Option<&S>),
) {
    let (warm_up, newest) = rows.split_at(window - 1);
    // Rows in a row that are not NaN, up to the newest.
    let mut run = warm_up.iter().rev().take_while(|row| !row.is_nan()).count();
    let mut kept: Option<S> = None;
    for (i, row) in newest.iter().enumerate() {
        run = if row.is_nan() { 0 } else { run + 1 };
        if run < window {
            kept = None;
        } else if let Some(statistic) = &mut kept {
            statistic.update(&rows[i..i + window], rows[i - 1]);
        } else {
            kept = Some(S::new(&rows[i..i + window]));
        }
        take(i, kept.as_ref());
    }
}
