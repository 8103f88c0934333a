//! Windows by doubling: the recurrence under every rolling statistic.
//!
//! A statistic that can be merged from two adjacent windows is built up by the binary method: a
//! window of `2n` rows is the window of `n` rows merged with itself `n` rows ago, a window of
//! `n + 1` rows is merged with the one row before it. That takes about `log2(window)` merges a
//! row, all of them the same for each row: plain vector code without a serial chain. As nothing is
//! ever subtracted when a row leaves, an outlier or a NaN is gone with the last window that
//! holds it, and the error grows with `log2(window)` and not with the rows.

use super::chain;
use super::map::{ADD, MAX, MIN, map};
use crate::engine::graph::{Graph, Series, Tap};
use crate::engine::{Across, Block, Kernel, stateless};
use crate::kernel::simd;

map! {
    /// The mean of two equally wide windows.
    HALF_SUM = |a, b;| (a + b) * 0.5;
    /// A mean with one more row `x`: `share` is 1 over the new number of rows.
    MEAN_APPEND = |mean, x; share| mean + (x - mean) * share;
    /// By how much the newer half's mean exceeds the older's; means are kept relative to the
    /// last row of their half, where they are small and exact.
    GAP = |x, x0, m, m0;| (x - x0) + (m - m0);
    /// The same where the older part is one row.
    GAP_APPEND = |x, x0, m;| (x - x0) + m;
    /// The merged mean, relative to the newest row.
    SHIFT = |m, gap; share| m - gap * share;
    /// The merged sum of squares around the mean: Chan, Golub and LeVeque (1983).
    SQUARES = |a, b, gap; weight| (a + b) + gap * gap * weight;
    /// The same where the older part is one row.
    SQUARES_APPEND = |a, gap; weight| a + gap * gap * weight;
    /// The merged sum of products around the means; with `gap_y` a constant it is time.
    PRODUCTS = |a, b, gap_x, gap_y; weight| (a + b) + gap_x * gap_y * weight;
    /// The same where the older part is one row.
    PRODUCTS_APPEND = |a, gap_x, gap_y; weight| a + gap_x * gap_y * weight;
    /// Products with time.
    TREND = |a, b, gap; weight| (a + b) + gap * weight;
    /// The same where the older part is one row.
    TREND_APPEND = |a, gap; weight| a + gap * weight;
    /// A row is its own extreme now.
    NO_AGE = |a;| if a.is_nan() { a } else { 0.0 };
    /// A weighted sum with one more row `x` of weight 1.
    WEIGHTED_APPEND = |t, x, s;| (t + s) + x;
    /// Half of the step, the relative mean of two rows.
    FIRST_SHIFT = |gap;| gap * -0.5;
    /// `gap * gap * weight`: the squares of two rows.
    FIRST_SQUARES = |gap;| gap * gap * 0.5;
    /// The products of two rows.
    FIRST_PRODUCTS = |gap_x, gap_y;| gap_x * gap_y * 0.5;
    /// The products with time of two rows.
    FIRST_TREND = |gap;| gap * 0.5;
}

/// One step of the binary method.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Step {
    /// From `n` rows to `2n`.
    Double(usize),
    /// From `n` rows to `n + 1`.
    Append(usize),
}

impl Step {
    /// The rows of the window before.
    pub(crate) fn rows(self) -> usize {
        match self {
            Self::Double(n) | Self::Append(n) => n,
        }
    }

    /// How many rows wider the step makes the window.
    pub(crate) fn lag(self) -> usize {
        match self {
            Self::Double(n) => n,
            Self::Append(_) => 1,
        }
    }
}

/// With which weights the two parts of a window count: Chan, Golub and LeVeque (1983).
#[derive(Debug, Clone, Copy)]
pub(crate) struct Weights {
    /// The rows of the newer part.
    pub(crate) rows: f64,
    /// The older part's share of the rows: of the gap between the means in the mean.
    pub(crate) share: f64,
    /// Of the gap in the squares and products.
    pub(crate) square: f64,
    /// Of the gap in the products with time: the mean times of the parts lie half of their rows apart.
    pub(crate) time: f64,
}

impl Weights {
    pub(crate) fn of(step: Step) -> Self {
        let (newer, older) = (step.rows() as f64, step.lag() as f64);
        let all = newer + older;
        Self {
            rows: newer,
            share: older / all,
            square: newer * older / all,
            time: newer * older / 2.0,
        }
    }
}

/// The steps from one row to `window`: the binary digits of `window` from the second on.
pub(crate) fn steps(window: usize) -> impl Iterator<Item = Step> {
    steps_from(1, window)
}

/// As [`steps`], from `rows` rows on, which are the first binary digits of `window`.
pub(crate) fn steps_from(mut rows: usize, window: usize) -> impl Iterator<Item = Step> {
    let digits = |of: usize| usize::BITS - of.leading_zeros();
    let mut left = digits(window).saturating_sub(digits(rows));
    std::iter::from_fn(move || {
        if rows < window >> left {
            rows += 1;
            return Some(Step::Append(rows - 1));
        }
        left = left.checked_sub(1)?;
        rows *= 2;
        Some(Step::Double(rows / 2))
    })
}

/// The window in one kernel, where the graph has such and it is neither a single row nor too wide for that.
fn whole(g: &mut Graph, kernel: &'static Kernel, x: Series, window: usize) -> Option<Series> {
    let fits = !g.is_stepwise && (2..=chain::WIDEST).contains(&window);
    fits.then(|| g.node(kernel, &[x.window(window)], &[]))
}

/// Rolling sum of the last `window` rows.
pub(crate) fn sum(g: &mut Graph, x: Series, window: usize) -> Series {
    if let Some(s) = whole(g, &chain::SUM, x, window) {
        return s;
    }
    steps(window).fold(x, |s, step| match step {
        Step::Double(n) => g.node(&ADD, &[s.into(), s.lag(n)], &[]),
        Step::Append(n) => g.node(&ADD, &[s.into(), x.lag(n)], &[]),
    })
}

/// Rolling mean of the last `window` rows; exact where they are all equal.
pub(crate) fn mean(g: &mut Graph, x: Series, window: usize) -> Series {
    if let Some(s) = whole(g, &chain::MEAN, x, window) {
        return s;
    }
    steps(window).fold(x, |s, step| match step {
        Step::Double(n) => g.node(&HALF_SUM, &[s.into(), s.lag(n)], &[]),
        Step::Append(n) => g.node(&MEAN_APPEND, &[s.into(), x.lag(n)], &[Weights::of(step).share]),
    })
}

/// Sum of the last `window` rows weighted by 1 to `window`, the newest the heaviest.
pub(crate) fn weighted(g: &mut Graph, x: Series, window: usize) -> Series {
    if let Some(s) = whole(g, &chain::WEIGHTED, x, window) {
        return s;
    }
    let (mut sum, mut total) = (x, x);
    for step in steps(window) {
        let taps = |s: Series, t: Series| match step {
            Step::Double(n) => [t.into(), t.lag(n), s.into()],
            Step::Append(n) => [t.into(), x.lag(n), s.into()],
        };
        total = match step {
            Step::Double(n) => g.node(&TREND, &taps(sum, total), &[n as f64]),
            Step::Append(_) => g.node(&WEIGHTED_APPEND, &taps(sum, total), &[]),
        };
        sum = match step {
            Step::Double(n) => g.node(&ADD, &[sum.into(), sum.lag(n)], &[]),
            Step::Append(n) => g.node(&ADD, &[sum.into(), x.lag(n)], &[]),
        };
    }
    total
}

/// Rolling maximum; the last merge overlaps, which harms no maximum.
pub(crate) fn max(g: &mut Graph, x: Series, window: usize) -> Series {
    whole(g, &chain::MAX, x, window).unwrap_or_else(|| overlapping(g, &MAX, x, window))
}

/// Rolling minimum.
pub(crate) fn min(g: &mut Graph, x: Series, window: usize) -> Series {
    whole(g, &chain::MIN, x, window).unwrap_or_else(|| overlapping(g, &MIN, x, window))
}

fn overlapping(g: &mut Graph, kernel: &'static Kernel, x: Series, window: usize) -> Series {
    let (mut s, mut n) = (x, 1);
    while n < window {
        let lag = n.min(window - n);
        s = g.node(kernel, &[s.into(), s.lag(lag)], &[]);
        n += lag;
    }
    s
}

/// The mean of a growing window of one series.
struct Means {
    x: Series,
    /// Less the newest row; none of a single row, where it is 0.
    shift: Option<Series>,
}

/// The steps' gaps: differences of the two merged means.
fn gaps(g: &mut Graph, x: Series, window: usize) -> Vec<(Step, Series)> {
    let mut m = Means { x, shift: None };
    steps(window)
        .map(|step| {
            let gap = m.gap(g, step);
            m.merge(g, step, gap);
            (step, gap)
        })
        .collect()
}

impl Means {
    fn gap(&self, g: &mut Graph, step: Step) -> Series {
        let x = self.x;
        let past = |n: usize| -> [Tap; 2] { [x.into(), x.lag(n)] };
        match (step, self.shift) {
            (Step::Double(n), Some(m)) => {
                let [a, b] = past(n);
                g.node(&GAP, &[a, b, m.into(), m.lag(n)], &[])
            }
            (Step::Append(n), Some(m)) => {
                let [a, b] = past(n);
                g.node(&GAP_APPEND, &[a, b, m.into()], &[])
            }
            (Step::Double(n) | Step::Append(n), None) => g.node(&super::map::SUB, &past(n), &[]),
        }
    }

    fn merge(&mut self, g: &mut Graph, step: Step, gap: Series) {
        self.shift = Some(match self.shift {
            Some(m) => g.node(&SHIFT, &[m.into(), gap.into()], &[Weights::of(step).share]),
            None => g.node(&FIRST_SHIFT, &[gap.into()], &[]),
        });
    }
}

/// Sum of squares around the rolling mean; exactly 0 where all rows are equal.
pub(crate) fn squares(g: &mut Graph, x: Series, window: usize) -> Series {
    if let Some(s) = whole(g, &chain::MOMENTS, x, window) {
        return s;
    }
    let gaps = gaps(g, x, window);
    products_of(g, &gaps, &gaps)
}

/// Centred squares of both series and their centred products.
pub(crate) fn pair(g: &mut Graph, x: Series, y: Series, window: usize) -> [Series; 3] {
    if !g.is_stepwise && (2..=chain::WIDEST).contains(&window) {
        let s = g.node(&chain::PAIR, &[x.window(window), y.window(window)], &[]);
        return [s, Series(s.0 + 1), Series(s.0 + 2)];
    }
    [squares(g, x, window), squares(g, y, window), products(g, x, y, window)]
}

/// Sum of products around the two rolling means.
pub(crate) fn products(g: &mut Graph, x: Series, y: Series, window: usize) -> Series {
    let gx = gaps(g, x, window);
    let gy = gaps(g, y, window);
    products_of(g, &gx, &gy)
}

fn products_of(g: &mut Graph, gx: &[(Step, Series)], gy: &[(Step, Series)]) -> Series {
    let mut sum: Option<Series> = None;
    for (&(step, x), &(_, y)) in gx.iter().zip(gy) {
        let weight = Weights::of(step).square;
        let (x, y) = (Tap::from(x), Tap::from(y));
        let same = x == y;
        sum = Some(match (sum, step) {
            (None, _) if same => g.node(&FIRST_SQUARES, &[x], &[]),
            (None, _) => g.node(&FIRST_PRODUCTS, &[x, y], &[]),
            (Some(s), Step::Double(n)) if same => {
                g.node(&SQUARES, &[s.into(), s.lag(n), x], &[weight])
            }
            (Some(s), Step::Double(n)) => g.node(&PRODUCTS, &[s.into(), s.lag(n), x, y], &[weight]),
            (Some(s), Step::Append(_)) if same => {
                g.node(&SQUARES_APPEND, &[s.into(), x], &[weight])
            }
            (Some(s), Step::Append(_)) => g.node(&PRODUCTS_APPEND, &[s.into(), x, y], &[weight]),
        });
    }
    sum.expect("centred sums start at two rows: the callers refuse narrower windows")
}

/// Sum of products of the rows with their time, around both means: rising rows give a positive
/// sum.
pub(crate) fn trend(g: &mut Graph, x: Series, window: usize) -> Series {
    if let Some(s) = whole(g, &chain::MOMENTS, x, window) {
        return Series(s.0 + 1);
    }
    let gaps = gaps(g, x, window);
    let mut sum: Option<Series> = None;
    for (step, gap) in gaps {
        let weight = Weights::of(step).time;
        sum = Some(match (sum, step) {
            (None, _) => g.node(&FIRST_TREND, &[gap.into()], &[]),
            (Some(s), Step::Double(n)) => {
                g.node(&TREND, &[s.into(), s.lag(n), gap.into()], &[weight])
            }
            (Some(s), Step::Append(_)) => g.node(&TREND_APPEND, &[s.into(), gap.into()], &[weight]),
        });
    }
    sum.expect("trends start at two rows: the callers refuse narrower windows")
}

/// Which of the extremes of a window is meant.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Extreme {
    MaxNewest,
    MinNewest,
    MaxOldest,
    MinOldest,
}

/// Rows since the extreme of the last `window` rows: 0 is the current row.
pub(crate) fn age(g: &mut Graph, extreme: Extreme, x: Series, window: usize) -> Series {
    let (chain, merge) = match extreme {
        Extreme::MaxNewest => (&chain::MAX_AGE_NEWEST, &ARG_MAX_NEWEST),
        Extreme::MinNewest => (&chain::MIN_AGE_NEWEST, &ARG_MIN_NEWEST),
        Extreme::MaxOldest => (&chain::MAX_AGE_OLDEST, &ARG_MAX_OLDEST),
        Extreme::MinOldest => (&chain::MIN_AGE_OLDEST, &ARG_MIN_OLDEST),
    };
    if let Some(s) = whole(g, chain, x, window) {
        return s;
    }
    let none = g.node(&NO_AGE, &[x.into()], &[]);
    let (mut value, mut age, mut n) = (x, none, 1);
    while n < window {
        let lag = n.min(window - n);
        let taps = [value.into(), value.lag(lag), age.into(), age.lag(lag)];
        value = g.node(merge, &taps, &[lag as f64]);
        age = Series(value.0 + 1);
        n += lag;
    }
    age
}

/// Declares the merge of two extremes with their ages; outputs the value, then the age.
macro_rules! arg {
    ($($(#[$doc:meta])* $name:ident = |$a:ident, $b:ident| $newer:expr;)+) => {$(
        $(#[$doc])*
        pub(crate) static $name: Kernel = Kernel {
            name: concat!(module_path!(), "::", stringify!($name)),
            outputs: 2,
            state: stateless,
            across: Across::AsRows,
            run: {
                #[inline(always)]
                fn rows(value: &mut [f64], age: &mut [f64], taps: [&[f64]; 4], lag: f64) {
                    let n = value.len();
                    let [va, vb, aa, ab] = taps;
                    let (va, vb, aa, ab) = (&va[..n], &vb[..n], &aa[..n], &ab[..n]);
                    let age = &mut age[..n];
                    for i in 0..n {
                        let ($a, $b) = (va[i], vb[i]);
                        // Both are read, so that there is nothing to branch for.
                        let (young, old) = (aa[i], ab[i] + lag);
                        // A NaN wins, so that it marks each window that holds it.
                        let newer = ($newer) | $a.is_nan();
                        let extreme = if newer { $a } else { $b };
                        value[i] = extreme;
                        let since = if newer { young } else { old };
                        age[i] = if extreme.is_nan() { extreme } else { since };
                    }
                }
                simd! {
                    fn run(block: &mut Block<'_, '_>) {
                        let [value, age] = block.outputs else { return };
                        let taps = [block.inputs[0], block.inputs[1], block.inputs[2], block.inputs[3]];
                        rows(value, age, taps, block.consts[0]);
                    }
                }
                run
            },
        };
    )+};
}

arg! {
    /// The newest of the largest rows.
    ARG_MAX_NEWEST = |a, b| a >= b;
    /// The newest of the smallest rows.
    ARG_MIN_NEWEST = |a, b| a <= b;
    /// The oldest of the largest rows.
    ARG_MAX_OLDEST = |a, b| a > b;
    /// The oldest of the smallest rows.
    ARG_MIN_OLDEST = |a, b| a < b;
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn steps_lead_from_a_window_s_leading_digits_to_it() {
        assert_eq!(steps(0).count() + steps(1).count(), 0);
        let of_21 = [Step::Double(1), Step::Double(2), Step::Append(4), Step::Double(5)];
        assert_eq!(
            steps(21).collect::<Vec<_>>(),
            [&of_21[..], &[Step::Double(10), Step::Append(20)]].concat()
        );
        for window in 1..2000_usize {
            for digit in 0..=window.ilog2() {
                let from = window >> digit;
                let rows = steps_from(from, window).fold(from, |rows, step| {
                    assert_eq!(rows, step.rows());
                    rows + step.lag()
                });
                assert_eq!(rows, window);
            }
        }
    }
}
