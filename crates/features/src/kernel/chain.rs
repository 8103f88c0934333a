//! Whole windows in one kernel: the steps of [`super::tree`] over a chunk that stays in the
//! first-level cache.
//!
//! The same merges in the same order as the node by node form, therefore the same bits; but the
//! windows between one row and the whole window never leave the chunk's scratch. The rows that a
//! chunk shares with the one before are computed again, `window - 1` of them per [`CHUNK`] rows,
//! so that windows above [`WIDEST`] are left to the nodes.

use super::tree::{Step, steps};
use crate::engine::{Block, Kernel, stateless};
use crate::kernel::simd;

/// The widest window that is computed in one kernel.
pub(crate) const WIDEST: usize = 192;

/// Rows computed at a time.
const CHUNK: usize = 256;

/// One plane of scratch: a chunk with its history.
#[derive(Debug, Clone, Copy, PartialEq)]
#[repr(align(64))]
pub(crate) struct Plane([f64; CHUNK + WIDEST]);

impl Plane {
    pub(crate) const EMPTY: Self = Self([0.0; CHUNK + WIDEST]);
}

impl std::ops::Deref for Plane {
    type Target = [f64];
    fn deref(&self) -> &[f64] {
        &self.0
    }
}

impl std::ops::DerefMut for Plane {
    fn deref_mut(&mut self) -> &mut [f64] {
        &mut self.0
    }
}

/// The most planes that a kernel works on: each step reads one half and writes the other.
pub(crate) const PLANES: usize = 12;

/// Calls `chunk` with the input rows (history first) and the output rows of each chunk.
macro_rules! chunks {
    ($rows:expr, $depth:expr, |$from:ident, $input:ident| $body:expr) => {
        for $from in (0..$rows).step_by(CHUNK) {
            let $input = $from..($from + CHUNK).min($rows) + $depth;
            $body
        }
    };
}

/// A chain of one plane: `$double` merges the newer with the older half, `$append` a window with
/// the row before it, given 1 over the new number of rows.
macro_rules! chain {
    ($($(#[$doc:meta])* $name:ident: $steps:ident,
        |$a:ident, $b:ident| $double:expr, |$w:ident, $x:ident, $share:ident| $append:expr;)+) => {$(
        $(#[$doc])*
        pub(crate) static $name: Kernel = Kernel {
            name: concat!(module_path!(), "::", stringify!($name)),
            outputs: 1,
            state: stateless,
            run: {
                #[inline(always)]
                fn double(out: &mut [f64], newer: &[f64], older: &[f64]) {
                    let n = out.len();
                    let (newer, older) = (&newer[..n], &older[..n]);
                    for i in 0..n {
                        let ($a, $b) = (newer[i], older[i]);
                        out[i] = $double;
                    }
                }
                #[inline(always)]
                fn append(out: &mut [f64], newer: &[f64], x: &[f64], $share: f64) {
                    let n = out.len();
                    let (newer, x) = (&newer[..n], &x[..n]);
                    for i in 0..n {
                        let ($w, $x) = (newer[i], x[i]);
                        out[i] = $append;
                    }
                }
                #[inline(always)]
                fn chunk(x: &[f64], window: usize, out: &mut [f64], s: &mut [Plane]) {
                    let [from, to, ..] = s else { return };
                    let (mut from, mut to) = (from, to);
                    let mut len = x.len();
                    for step in $steps(window) {
                        let first = len == x.len();
                        let source: &[f64] = if first { x } else { &from[..len] };
                        len -= step.lag();
                        let last = len == out.len();
                        let target = if last { &mut *out } else { &mut to[..len] };
                        match step {
                            Step::Double(n) => double(target, &source[n..], source),
                            Step::Append(n) => {
                                append(target, &source[1..], x, 1.0 / (n + 1) as f64);
                            }
                        }
                        std::mem::swap(&mut from, &mut to);
                    }
                }
                simd! {
                    fn run(block: &mut Block<'_, '_>) {
                        let (x, out) = (block.inputs[0], &mut *block.outputs[0]);
                        let depth = x.len() - out.len();
                        chunks!(out.len(), depth, |from, input| {
                            let to = from + input.len() - depth;
                            chunk(&x[input], depth + 1, &mut out[from..to], block.scratch);
                        });
                    }
                }
                run
            },
        };
    )+};
}

/// The steps of a statistic that may count a row twice: doublings, the last of which overlaps.
fn overlapping(window: usize) -> impl Iterator<Item = Step> {
    let mut n = 1;
    std::iter::from_fn(move || {
        (n < window).then(|| {
            let lag = n.min(window - n);
            n += lag;
            Step::Double(lag)
        })
    })
}

chain! {
    /// Rolling sum.
    SUM: steps, |a, b| a + b, |w, x, _share| w + x;
    /// Rolling mean.
    MEAN: steps, |a, b| (a + b) * 0.5, |w, x, share| w + (x - w) * share;
    /// Rolling maximum.
    MAX: overlapping,
        |a, b| { let m = if a > b { a } else { b }; if a.is_nan() { a } else { m } },
        |w, _x, _share| w;
    /// Rolling minimum.
    MIN: overlapping,
        |a, b| { let m = if a < b { a } else { b }; if a.is_nan() { a } else { m } },
        |w, _x, _share| w;
}

/// Sum weighted by 1 to `window`, the newest row the heaviest.
///
/// Doubling: the newer half's weights each grow by the older half's rows. Appending the row
/// before: every weight grows by one, as the older row takes weight 1.
pub(crate) static WEIGHTED: Kernel =
    Kernel { name: "weighted", outputs: 1, state: stateless, run: weighted };

simd! {
    fn weighted(block: &mut Block<'_, '_>) {
        let (x, out) = (block.inputs[0], &mut *block.outputs[0]);
        let depth = x.len() - out.len();
        chunks!(out.len(), depth, |from, input| {
            let to = from + input.len() - depth;
            weighted_chunk(&x[input], depth + 1, &mut out[from..to], block.scratch);
        });
    }
}

#[inline(always)]
fn weighted_chunk(x: &[f64], window: usize, out: &mut [f64], scratch: &mut [Plane]) {
    let [sum_a, total_a, sum_b, total_b, ..] = scratch else { return };
    let (mut from, mut to) = ((sum_a, total_a), (sum_b, total_b));
    let mut len = x.len();
    for step in steps(window) {
        let first = len == x.len();
        let (sum, total): (&[f64], &[f64]) =
            if first { (x, x) } else { (&from.0[..len], &from.1[..len]) };
        len -= step.lag();
        let total_to = if len == out.len() { &mut *out } else { &mut to.1[..len] };
        let sum_to = &mut to.0[..len];
        match step {
            Step::Double(n) => {
                weighted_double(sum_to, total_to, [&sum[n..], sum, &total[n..], total], n as f64);
            }
            Step::Append(_) => weighted_append(sum_to, total_to, &sum[1..], &total[1..], x),
        }
        std::mem::swap(&mut from, &mut to);
    }
}

#[inline(always)]
fn weighted_double(sum: &mut [f64], total: &mut [f64], of: [&[f64]; 4], rows: f64) {
    let n = sum.len();
    let [sa, sb, ta, tb] = of;
    let (sa, sb, ta, tb) = (&sa[..n], &sb[..n], &ta[..n], &tb[..n]);
    let total = &mut total[..n];
    for i in 0..n {
        total[i] = (ta[i] + tb[i]) + sa[i] * rows;
    }
    for i in 0..n {
        sum[i] = sa[i] + sb[i];
    }
}

#[inline(always)]
fn weighted_append(sum: &mut [f64], total: &mut [f64], s: &[f64], t: &[f64], x: &[f64]) {
    let n = sum.len();
    let (total, s, t, x) = (&mut total[..n], &s[..n], &t[..n], &x[..n]);
    for i in 0..n {
        total[i] = (t[i] + s[i]) + x[i];
    }
    for i in 0..n {
        sum[i] = s[i] + x[i];
    }
}

/// Centred squares and products with time of one series.
pub(crate) static MOMENTS: Kernel =
    Kernel { name: "moments", outputs: 2, state: stateless, run: moments };

simd! {
    fn moments(block: &mut Block<'_, '_>) {
        let x = block.inputs[0];
        let [squares, trend] = block.outputs else { return };
        let depth = x.len() - squares.len();
        chunks!(squares.len(), depth, |from, input| {
            let to = from + input.len() - depth;
            moments_chunk(
                &x[input],
                depth + 1,
                [&mut squares[from..to], &mut trend[from..to]],
                block.scratch,
            );
        });
    }
}

/// The three planes of a window: mean less the newest row, squares, products with time.
struct Planes<'p> {
    mean: &'p [f64],
    squares: &'p [f64],
    trend: &'p [f64],
}

#[inline(always)]
fn moments_chunk(x: &[f64], window: usize, out: [&mut [f64]; 2], scratch: &mut [Plane]) {
    let [ma, sa, ta, mb, sb, tb, ..] = scratch else { return };
    let (mut from, mut to) = ((ma, sa, ta), (mb, sb, tb));
    let [squares_out, trend_out] = out;
    let mut len = x.len();
    for step in steps(window) {
        let planes =
            Planes { mean: &from.0[..len], squares: &from.1[..len], trend: &from.2[..len] };
        let first = len == x.len();
        len -= step.lag();
        let m = &mut to.0[..len];
        let (s, t) = if len == squares_out.len() {
            (&mut *squares_out, &mut *trend_out)
        } else {
            (&mut to.1[..len], &mut to.2[..len])
        };
        match step {
            _ if first => moments_first(m, s, t, &x[1..], x),
            Step::Double(n) => {
                moments_double(m, s, t, &x[2 * n - 1..], &x[n - 1..], &planes, n);
            }
            Step::Append(n) => moments_append(m, s, t, &x[n..], x, &planes, n as f64),
        }
        std::mem::swap(&mut from, &mut to);
    }
}

#[inline(always)]
fn moments_first(m: &mut [f64], s: &mut [f64], t: &mut [f64], x: &[f64], x0: &[f64]) {
    let n = m.len();
    let (s, t, x, x0) = (&mut s[..n], &mut t[..n], &x[..n], &x0[..n]);
    for i in 0..n {
        let gap = x[i] - x0[i];
        m[i] = gap * -0.5;
        s[i] = gap * gap * 0.5;
        t[i] = gap * 0.5;
    }
}

#[inline(always)]
fn moments_double(
    m: &mut [f64],
    s: &mut [f64],
    t: &mut [f64],
    x: &[f64],
    x0: &[f64],
    of: &Planes<'_>,
    rows: usize,
) {
    let n = m.len();
    let (s, t, x, x0) = (&mut s[..n], &mut t[..n], &x[..n], &x0[..n]);
    let (ma, mb) = (&of.mean[rows..][..n], &of.mean[..n]);
    let (sa, sb) = (&of.squares[rows..][..n], &of.squares[..n]);
    let (ta, tb) = (&of.trend[rows..][..n], &of.trend[..n]);
    let (weight, time) = (rows as f64 / 2.0, (rows * rows) as f64 / 2.0);
    for i in 0..n {
        let gap = (x[i] - x0[i]) + (ma[i] - mb[i]);
        m[i] = ma[i] - gap * 0.5;
        s[i] = (sa[i] + sb[i]) + gap * gap * weight;
        t[i] = (ta[i] + tb[i]) + gap * time;
    }
}

#[inline(always)]
fn moments_append(
    m: &mut [f64],
    s: &mut [f64],
    t: &mut [f64],
    x: &[f64],
    x0: &[f64],
    of: &Planes<'_>,
    rows: f64,
) {
    let n = m.len();
    let (s, t, x, x0) = (&mut s[..n], &mut t[..n], &x[..n], &x0[..n]);
    let (ma, sa, ta) = (&of.mean[1..][..n], &of.squares[1..][..n], &of.trend[1..][..n]);
    let (share, weight, time) = (1.0 / (rows + 1.0), rows / (rows + 1.0), rows / 2.0);
    for i in 0..n {
        let gap = (x[i] - x0[i]) + ma[i];
        m[i] = ma[i] - gap * share;
        s[i] = sa[i] + gap * gap * weight;
        t[i] = ta[i] + gap * time;
    }
}

/// Centred squares of two series and their centred products.
pub(crate) static PAIR: Kernel = Kernel { name: "pair", outputs: 3, state: stateless, run: pair };

simd! {
    fn pair(block: &mut Block<'_, '_>) {
        let (x, y) = (block.inputs[0], block.inputs[1]);
        let [xx, yy, xy] = block.outputs else { return };
        let depth = x.len() - xx.len();
        chunks!(xx.len(), depth, |from, input| {
            let to = from + input.len() - depth;
            let out = [&mut xx[from..to], &mut yy[from..to], &mut xy[from..to]];
            pair_chunk([&x[input.clone()], &y[input]], depth + 1, out, block.scratch);
        });
    }
}

/// The planes of one series: mean less the newest row, squares.
type Side<'p> = (&'p mut Plane, &'p mut Plane);

#[inline(always)]
fn pair_chunk([x, y]: [&[f64]; 2], window: usize, out: [&mut [f64]; 3], scratch: &mut [Plane]) {
    let [mxa, sxa, mya, sya, pa, mxb, sxb, myb, syb, pb, gx, gy] = scratch else { return };
    let (mut x_from, mut x_to): (Side<'_>, Side<'_>) = ((mxa, sxa), (mxb, sxb));
    let (mut y_from, mut y_to): (Side<'_>, Side<'_>) = ((mya, sya), (myb, syb));
    let (mut p_from, mut p_to) = (pa, pb);
    let [xx, yy, xy] = out;
    let mut len = x.len();
    for step in steps(window) {
        let first = len == x.len();
        len -= step.lag();
        let last = len == xx.len();
        let p = if last { &mut *xy } else { &mut p_to[..len] };
        let sx = if last { &mut *xx } else { &mut x_to.1[..len] };
        let sy = if last { &mut *yy } else { &mut y_to.1[..len] };
        let (gx, gy) = (&mut gx[..len], &mut gy[..len]);
        side(&mut x_to.0[..len], sx, gx, x, (x_from.0, x_from.1), step, first);
        side(&mut y_to.0[..len], sy, gy, y, (y_from.0, y_from.1), step, first);
        products(p, p_from, (gx, gy), step, first);
        std::mem::swap(&mut x_from, &mut x_to);
        std::mem::swap(&mut y_from, &mut y_to);
        std::mem::swap(&mut p_from, &mut p_to);
    }
}

/// One step of one series: its new mean and squares, and the gap between the merged means.
#[inline(always)]
fn side(
    m: &mut [f64],
    s: &mut [f64],
    gap: &mut [f64],
    x: &[f64],
    (mean, squares): (&Plane, &Plane),
    step: Step,
    first: bool,
) {
    let len = m.len();
    let (s, gap) = (&mut s[..len], &mut gap[..len]);
    match step {
        _ if first => {
            let (x, x0) = (&x[1..][..len], &x[..len]);
            for i in 0..len {
                let g = x[i] - x0[i];
                gap[i] = g;
                m[i] = g * -0.5;
                s[i] = g * g * 0.5;
            }
        }
        Step::Double(n) => {
            let (x, x0) = (&x[2 * n - 1..][..len], &x[n - 1..][..len]);
            let (ma, mb) = (&mean[n..][..len], &mean[..len]);
            let (sa, sb) = (&squares[n..][..len], &squares[..len]);
            let weight = n as f64 / 2.0;
            for i in 0..len {
                let g = (x[i] - x0[i]) + (ma[i] - mb[i]);
                gap[i] = g;
                m[i] = ma[i] - g * 0.5;
                s[i] = (sa[i] + sb[i]) + g * g * weight;
            }
        }
        Step::Append(n) => {
            let (x, x0) = (&x[n..][..len], &x[..len]);
            let (ma, sa) = (&mean[1..][..len], &squares[1..][..len]);
            let rows = n as f64;
            let (share, weight) = (1.0 / (rows + 1.0), rows / (rows + 1.0));
            for i in 0..len {
                let g = (x[i] - x0[i]) + ma[i];
                gap[i] = g;
                m[i] = ma[i] - g * share;
                s[i] = sa[i] + g * g * weight;
            }
        }
    }
}

/// One step of the products, from the gaps of both series.
#[inline(always)]
fn products(p: &mut [f64], of: &Plane, (gx, gy): (&[f64], &[f64]), step: Step, first: bool) {
    let len = p.len();
    let (gx, gy) = (&gx[..len], &gy[..len]);
    match step {
        _ if first => {
            for i in 0..len {
                p[i] = gx[i] * gy[i] * 0.5;
            }
        }
        Step::Double(n) => {
            let (pa, pb) = (&of[n..][..len], &of[..len]);
            let weight = n as f64 / 2.0;
            for i in 0..len {
                p[i] = (pa[i] + pb[i]) + gx[i] * gy[i] * weight;
            }
        }
        Step::Append(n) => {
            let pa = &of[1..][..len];
            let weight = n as f64 / (n as f64 + 1.0);
            for i in 0..len {
                p[i] = pa[i] + gx[i] * gy[i] * weight;
            }
        }
    }
}

/// Declares the chain of an extreme's age; a NaN wins, so that it marks each window that holds it.
macro_rules! ages {
    ($($(#[$doc:meta])* $name:ident = |$a:ident, $b:ident| $newer:expr;)+) => {$(
        $(#[$doc])*
        pub(crate) static $name: Kernel = Kernel {
            name: concat!(module_path!(), "::", stringify!($name)),
            outputs: 1,
            state: stateless,
            run: {
                #[inline(always)]
                fn merge(v: &mut [f64], age: &mut [f64], of: [&[f64]; 4], lag: f64) {
                    let n = v.len();
                    let [va, vb, aa, ab] = of;
                    let (va, vb, aa, ab) = (&va[..n], &vb[..n], &aa[..n], &ab[..n]);
                    let age = &mut age[..n];
                    for i in 0..n {
                        let ($a, $b) = (va[i], vb[i]);
                        // Both are read, so that there is nothing to branch for.
                        let (young, old) = (aa[i], ab[i] + lag);
                        let newer = ($newer) | $a.is_nan();
                        v[i] = if newer { $a } else { $b };
                        age[i] = if newer { young } else { old };
                    }
                }
                #[inline(always)]
                fn chunk(x: &[f64], window: usize, out: &mut [f64], scratch: &mut [Plane]) {
                    let [va, aa, vb, ab, ..] = scratch else { return };
                    aa[..x.len()].fill(0.0);
                    let (mut from, mut to) = ((va, aa), (vb, ab));
                    let mut len = x.len();
                    for step in overlapping(window) {
                        let v: &[f64] = if len == x.len() { x } else { &from.0[..len] };
                        let age = &from.1[..len];
                        let lag = step.lag();
                        len -= lag;
                        let of = [&v[lag..], v, &age[lag..], age];
                        merge(&mut to.0[..len], &mut to.1[..len], of, lag as f64);
                        std::mem::swap(&mut from, &mut to);
                    }
                    let (v, age) = (&from.0[..len], &from.1[..len]);
                    for i in 0..len {
                        out[i] = if v[i].is_nan() { v[i] } else { age[i] };
                    }
                }
                simd! {
                    fn run(block: &mut Block<'_, '_>) {
                        let (x, out) = (block.inputs[0], &mut *block.outputs[0]);
                        let depth = x.len() - out.len();
                        chunks!(out.len(), depth, |from, input| {
                            let to = from + input.len() - depth;
                            chunk(&x[input], depth + 1, &mut out[from..to], block.scratch);
                        });
                    }
                }
                run
            },
        };
    )+};
}

ages! {
    /// Rows since the newest of the window's largest rows.
    MAX_AGE_NEWEST = |a, b| a >= b;
    /// Rows since the newest of the window's smallest rows.
    MIN_AGE_NEWEST = |a, b| a <= b;
    /// Rows since the oldest of the window's largest rows.
    MAX_AGE_OLDEST = |a, b| a > b;
    /// Rows since the oldest of the window's smallest rows.
    MIN_AGE_OLDEST = |a, b| a < b;
}
