//! Whole windows in one kernel: the steps of [`super::tree`] over a chunk that stays in the
//! first-level cache.
//!
//! The same merges in the same order as the node by node form, therefore the same bits; but the
//! windows between one row and the whole window never leave the chunk's scratch. The rows that a
//! chunk shares with the one before are computed again, `window - 1` of them per [`CHUNK`] rows,
//! so that windows above [`WIDEST`] are left to the nodes. The last step leaves out what only a further
//! one would read.

use std::marker::PhantomData;

use super::lanes::{self, Group, Lanes, Work, groups};
use super::tree::{Step, steps};
use crate::engine::{Block, Kernel, stateless};

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
pub(crate) const PLANES: usize = 10;

/// A chunk: its input rows, history first, and its output rows; what a kernel does not have is empty.
struct Chunk<'c> {
    inputs: [&'c [f64]; 2],
    outputs: [&'c mut [f64]; 3],
    /// Whether anyone reads each output.
    needed: &'c [bool],
    scratch: &'c mut [Plane],
}

impl Chunk<'_> {
    /// Rows of the window.
    #[inline(always)]
    fn window(&self) -> usize {
        self.inputs[0].len() - self.outputs[0].len() + 1
    }
}

/// A statistic by steps.
trait Chain {
    /// Fills the outputs of a chunk of [`Lanes::ROWS`] rows at least. To be inlined.
    fn chunk<L: Lanes>(chunk: Chunk<'_>);
}

/// A block, chunk by chunk.
struct Chunks<'w, 'a, 'b, C> {
    block: &'w mut Block<'a, 'b>,
    chain: PhantomData<C>,
}

impl<C: Chain> Work for Chunks<'_, '_, '_, C> {
    type Result = ();

    #[inline(always)]
    fn on<L: Lanes>(self) {
        let Block { inputs, outputs, needed, scratch, .. } = self.block;
        let rows = outputs[0].len();
        let depth = inputs[0].len() - rows;
        for from in (0..rows).step_by(CHUNK) {
            let to = rows.min(from + CHUNK);
            let mut own = Chunk { inputs: [&[]; 2], outputs: Default::default(), needed, scratch };
            for (own, input) in own.inputs.iter_mut().zip(*inputs) {
                *own = &input[from..to + depth];
            }
            for (own, output) in own.outputs.iter_mut().zip(&mut **outputs) {
                *own = &mut output[from..to];
            }
            if to - from < L::ROWS { C::chunk::<f64>(own) } else { C::chunk::<L>(own) }
        }
    }
}

/// Runs a chain on the processor's widest registers.
fn run<C: Chain>(block: &mut Block<'_, '_>) {
    lanes::run(Chunks::<C> { block, chain: PhantomData });
}

/// The kernel of a chain.
macro_rules! kernel {
    ($($(#[$doc:meta])* $name:ident: $chain:ty, $outputs:literal;)+) => {$(
        $(#[$doc])*
        pub(crate) static $name: Kernel = Kernel {
            name: concat!(module_path!(), "::", stringify!($name)),
            outputs: $outputs,
            state: stateless,
            run: run::<$chain>,
        };
    )+};
}

kernel! {
    /// Rolling sum.
    SUM: Sum, 1;
    /// Rolling mean.
    MEAN: Mean, 1;
    /// Rolling maximum.
    MAX: Extreme<Highest>, 1;
    /// Rolling minimum.
    MIN: Extreme<Lowest>, 1;
    /// Sum weighted by 1 to `window`, the newest row the heaviest.
    WEIGHTED: Weighted, 1;
    /// Centred squares and products with time of one series.
    MOMENTS: Moments, 2;
    /// Centred squares of two series and their centred products.
    PAIR: Pair, 3;
    /// Rows since the newest of the window's largest rows.
    MAX_AGE_NEWEST: Age<Highest, Newest>, 1;
    /// Rows since the newest of the window's smallest rows.
    MIN_AGE_NEWEST: Age<Lowest, Newest>, 1;
    /// Rows since the oldest of the window's largest rows.
    MAX_AGE_OLDEST: Age<Highest, Oldest>, 1;
    /// Rows since the oldest of the window's smallest rows.
    MIN_AGE_OLDEST: Age<Lowest, Oldest>, 1;
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

/// A chain of one plane.
trait Single {
    /// How the window is built up.
    fn steps(window: usize) -> impl Iterator<Item = Step> {
        steps(window)
    }
    /// The window from its newer and its older half.
    fn double<L: Lanes>(newer: L, older: L) -> L;
    /// The window from itself without its oldest row, and that row; `share` is 1 over the rows.
    fn append<L: Lanes>(newer: L, oldest: L, share: f64) -> L;
}

impl<S: Single> Chain for S {
    #[inline(always)]
    fn chunk<L: Lanes>(chunk: Chunk<'_>) {
        let window = chunk.window();
        let Chunk { inputs: [x, _], outputs: [out, ..], scratch, .. } = chunk;
        let [from, to, ..] = scratch else { return };
        let (mut from, mut to) = (from, to);
        let mut len = x.len();
        for step in S::steps(window) {
            let source: &[f64] = if len == x.len() { x } else { &from[..len] };
            len -= step.lag();
            let target = if len == out.len() { &mut *out } else { &mut to[..len] };
            let [newer, older] = parts(source, step, len);
            match step {
                Step::Double(_) => groups!(L, len, |i| {
                    S::double(L::load(newer, i), L::load(older, i)).store(target, i);
                }),
                Step::Append(n) => {
                    let (oldest, share) = (&x[..len], 1.0 / (n + 1) as f64);
                    groups!(L, len, |i| {
                        let merged = S::append(L::load(newer, i), L::load(oldest, i), share);
                        merged.store(target, i);
                    });
                }
            }
            std::mem::swap(&mut from, &mut to);
        }
    }
}

struct Sum;

impl Single for Sum {
    #[inline(always)]
    fn double<L: Lanes>(newer: L, older: L) -> L {
        newer + older
    }

    #[inline(always)]
    fn append<L: Lanes>(newer: L, oldest: L, _share: f64) -> L {
        newer + oldest
    }
}

struct Mean;

impl Single for Mean {
    #[inline(always)]
    fn double<L: Lanes>(newer: L, older: L) -> L {
        (newer + older) * L::all(0.5)
    }

    #[inline(always)]
    fn append<L: Lanes>(newer: L, oldest: L, share: f64) -> L {
        newer + (oldest - newer) * L::all(share)
    }
}

/// Which of two rows is meant.
trait End {
    /// Whether `a` lies further that way than `b`; no where either is NaN.
    fn beyond<L: Lanes>(a: L, b: L) -> L::Mask;
    /// The one that lies further that way; `b` where either is NaN.
    fn further<L: Lanes>(a: L, b: L) -> L;
    /// Whether `a` lies as far that way as `b`, or further.
    fn as_far<L: Lanes>(a: L, b: L) -> L::Mask;
}

struct Highest;

impl End for Highest {
    #[inline(always)]
    fn further<L: Lanes>(a: L, b: L) -> L {
        a.larger(b)
    }

    #[inline(always)]
    fn beyond<L: Lanes>(a: L, b: L) -> L::Mask {
        a.above(b)
    }

    #[inline(always)]
    fn as_far<L: Lanes>(a: L, b: L) -> L::Mask {
        a.at_least(b)
    }
}

struct Lowest;

impl End for Lowest {
    #[inline(always)]
    fn further<L: Lanes>(a: L, b: L) -> L {
        a.smaller(b)
    }

    #[inline(always)]
    fn beyond<L: Lanes>(a: L, b: L) -> L::Mask {
        b.above(a)
    }

    #[inline(always)]
    fn as_far<L: Lanes>(a: L, b: L) -> L::Mask {
        b.at_least(a)
    }
}

/// The extreme itself. A NaN wins, so that it marks each window that holds it.
struct Extreme<E>(PhantomData<E>);

impl<E: End> Single for Extreme<E> {
    fn steps(window: usize) -> impl Iterator<Item = Step> {
        overlapping(window)
    }

    #[inline(always)]
    fn double<L: Lanes>(newer: L, older: L) -> L {
        L::pick(newer.is_nan(), newer, E::further(newer, older))
    }

    /// Overlapping steps append nothing.
    #[inline(always)]
    fn append<L: Lanes>(newer: L, _oldest: L, _share: f64) -> L {
        newer
    }
}

/// Doubling: the newer half's weights each grow by the older half's rows. Appending the row before:
/// every weight grows by one, as the older row takes weight 1.
struct Weighted;

impl Chain for Weighted {
    #[inline(always)]
    fn chunk<L: Lanes>(chunk: Chunk<'_>) {
        let window = chunk.window();
        let Chunk { inputs: [x, _], outputs: [out, ..], scratch, .. } = chunk;
        let [sum_a, total_a, sum_b, total_b, ..] = scratch else { return };
        let (mut from, mut to) = ((sum_a, total_a), (sum_b, total_b));
        let mut len = x.len();
        for step in steps(window) {
            let (sum, total): (&[f64], &[f64]) =
                if len == x.len() { (x, x) } else { (&from.0[..len], &from.1[..len]) };
            len -= step.lag();
            if len == out.len() {
                weighted_total::<L>(step, x, sum, total, out);
                return;
            }
            weighted_total::<L>(step, x, sum, total, &mut to.1[..len]);
            let [newer, older] = match step {
                Step::Double(_) => parts(sum, step, len),
                Step::Append(_) => [parts(sum, step, len)[0], &x[..len]],
            };
            let sum_to = &mut to.0[..len];
            groups!(L, len, |i| {
                (L::load(newer, i) + L::load(older, i)).store(sum_to, i);
            });
            std::mem::swap(&mut from, &mut to);
        }
        // A window of one row has no step.
        debug_assert_eq!(window, 1);
    }
}

/// The weighted sums after a step, from the sums and the weighted sums before it.
#[inline(always)]
fn weighted_total<L: Lanes>(step: Step, x: &[f64], sum: &[f64], total: &[f64], to: &mut [f64]) {
    let len = to.len();
    let ([ta, tb], [s, _]) = (parts(total, step, len), parts(sum, step, len));
    match step {
        Step::Double(n) => {
            let rows = L::all(n as f64);
            groups!(L, len, |i| {
                ((L::load(ta, i) + L::load(tb, i)) + L::load(s, i) * rows).store(to, i);
            });
        }
        Step::Append(_) => {
            let x = &x[..len];
            groups!(L, len, |i| {
                ((L::load(ta, i) + L::load(s, i)) + L::load(x, i)).store(to, i);
            });
        }
    }
}

/// Of the newer and the older part of each window.
type Both<'p> = [&'p [f64]; 2];

/// Where the newer and the older parts of `len` windows lie in the windows of before.
#[inline(always)]
fn parts(of: &[f64], step: Step, len: usize) -> Both<'_> {
    [&of[step.lag()..][..len], &of[..len]]
}

/// Where the newest rows of the parts of `len` windows lie.
#[inline(always)]
fn newest(x: &[f64], step: Step, len: usize) -> Both<'_> {
    match step {
        Step::Double(n) => [&x[2 * n - 1..][..len], &x[n - 1..][..len]],
        Step::Append(n) => [&x[n..][..len], &x[..len]],
    }
}

/// With which weights the gap between the means of two parts counts: Chan, Golub and LeVeque (1983).
struct Weights {
    /// In the mean.
    share: f64,
    /// In the squares and products.
    weight: f64,
    /// In the products with time: the mean times of the parts lie half of their rows apart.
    time: f64,
}

impl Weights {
    fn of(step: Step) -> Self {
        match step {
            Step::Double(n) => {
                Self { share: 0.5, weight: n as f64 / 2.0, time: (n * n) as f64 / 2.0 }
            }
            Step::Append(n) => {
                let rows = n as f64;
                Self { share: 1.0 / (rows + 1.0), weight: rows / (rows + 1.0), time: rows / 2.0 }
            }
        }
    }
}

/// How moments are merged. Means are kept less the newest row of their part, where they are small and
/// exact.
trait Merge {
    /// By how much the newer part's mean exceeds the older's, from the newest rows' difference.
    fn gap<L: Lanes>(step: L, means: Both<'_>, i: Group<L>) -> L;
    /// The merged mean, from by how much it lies below the newer one.
    #[inline(always)]
    fn mean<L: Lanes>([newer, _]: Both<'_>, i: Group<L>, below: L) -> L {
        L::load(newer, i) - below
    }
    /// A merged sum, from what the gap adds.
    fn sum<L: Lanes>(sums: Both<'_>, i: Group<L>, added: L) -> L;
}

/// Two rows: the moments of one are 0.
struct Rows;

impl Merge for Rows {
    #[inline(always)]
    fn gap<L: Lanes>(step: L, _means: Both<'_>, _i: Group<L>) -> L {
        step
    }

    #[inline(always)]
    fn mean<L: Lanes>(_means: Both<'_>, _i: Group<L>, below: L) -> L {
        below * L::all(-1.0)
    }

    #[inline(always)]
    fn sum<L: Lanes>(_sums: Both<'_>, _i: Group<L>, added: L) -> L {
        added
    }
}

/// Two windows.
struct Halves;

impl Merge for Halves {
    #[inline(always)]
    fn gap<L: Lanes>(step: L, [newer, older]: Both<'_>, i: Group<L>) -> L {
        step + (L::load(newer, i) - L::load(older, i))
    }

    #[inline(always)]
    fn sum<L: Lanes>([newer, older]: Both<'_>, i: Group<L>, added: L) -> L {
        (L::load(newer, i) + L::load(older, i)) + added
    }
}

/// A window and the row before it.
struct RowBefore;

impl Merge for RowBefore {
    #[inline(always)]
    fn gap<L: Lanes>(step: L, [newer, _]: Both<'_>, i: Group<L>) -> L {
        step + L::load(newer, i)
    }

    #[inline(always)]
    fn sum<L: Lanes>([newer, _]: Both<'_>, i: Group<L>, added: L) -> L {
        L::load(newer, i) + added
    }
}

/// One series in one step: the newest rows, the means and the squares of the parts of its windows.
struct Side<'p> {
    rows: Both<'p>,
    means: Both<'p>,
    squares: Both<'p>,
}

impl<'p> Side<'p> {
    #[inline(always)]
    fn new(x: &'p [f64], [mean, squares]: Both<'p>, step: Step, len: usize) -> Self {
        Self {
            rows: newest(x, step, len),
            means: parts(mean, step, len),
            squares: parts(squares, step, len),
        }
    }

    #[inline(always)]
    fn gap<M: Merge, L: Lanes>(&self, i: Group<L>) -> L {
        M::gap(L::load(self.rows[0], i) - L::load(self.rows[1], i), self.means, i)
    }

    #[inline(always)]
    fn mean<M: Merge, L: Lanes>(&self, i: Group<L>, gap: L, weights: &Weights) -> L {
        M::mean(self.means, i, gap * L::all(weights.share))
    }

    #[inline(always)]
    fn squares<M: Merge, L: Lanes>(&self, i: Group<L>, gap: L, weights: &Weights) -> L {
        M::sum(self.squares, i, gap * gap * L::all(weights.weight))
    }
}

/// Does `$step::<_, L>` with the way in which the step merges.
macro_rules! merging {
    ($is_first:expr, $of:expr, $step:ident($($argument:expr),*)) => {
        match $of {
            _ if $is_first => $step::<Rows, L>($($argument),*),
            Step::Double(_) => $step::<Halves, L>($($argument),*),
            Step::Append(_) => $step::<RowBefore, L>($($argument),*),
        }
    };
}

/// Squares, and products with time.
struct Moments;

impl Chain for Moments {
    #[inline(always)]
    fn chunk<L: Lanes>(chunk: Chunk<'_>) {
        match chunk.needed {
            [true, false] => moments::<L, true, false>(chunk),
            [false, true] => moments::<L, false, true>(chunk),
            _ => moments::<L, true, true>(chunk),
        }
    }
}

/// A chunk of those moments that are needed.
#[inline(always)]
fn moments<L: Lanes, const SQUARES: bool, const TREND: bool>(chunk: Chunk<'_>) {
    let window = chunk.window();
    let Chunk { inputs: [x, _], outputs: [squares_out, trend_out, _], scratch, .. } = chunk;
    let [ma, sa, ta, mb, sb, tb, ..] = scratch else { return };
    let (mut from, mut to) = ((ma, sa, ta), (mb, sb, tb));
    let mut len = x.len();
    for step in steps(window) {
        let before = len;
        len -= step.lag();
        let is_last = len == squares_out.len();
        let side = Side::new(x, [&from.0[..before], &from.1[..before]], step, len);
        let trend = parts(&from.2[..before], step, len);
        let mean = if is_last { None } else { Some(&mut to.0[..len]) };
        let [squares_to, trend_to] = if is_last {
            [&mut *squares_out, &mut *trend_out]
        } else {
            [&mut to.1[..len], &mut to.2[..len]]
        };
        let sums = [SQUARES.then_some(squares_to), TREND.then_some(trend_to)];
        let weights = Weights::of(step);
        merging!(before == x.len(), step, moments_step(&side, trend, &weights, len, mean, sums));
        std::mem::swap(&mut from, &mut to);
    }
}

#[inline(always)]
fn moments_step<M: Merge, L: Lanes>(
    side: &Side<'_>,
    trend: Both<'_>,
    weights: &Weights,
    len: usize,
    mut mean_to: Option<&mut [f64]>,
    [mut squares_to, mut trend_to]: [Option<&mut [f64]>; 2],
) {
    let time = L::all(weights.time);
    groups!(L, len, |i| {
        let gap = side.gap::<M, L>(i);
        if let Some(squares_to) = &mut squares_to {
            side.squares::<M, L>(i, gap, weights).store(squares_to, i);
        }
        if let Some(trend_to) = &mut trend_to {
            M::sum(trend, i, gap * time).store(trend_to, i);
        }
        if let Some(mean_to) = &mut mean_to {
            side.mean::<M, L>(i, gap, weights).store(mean_to, i);
        }
    });
}

/// Squares of two series, and their products.
struct Pair;

impl Chain for Pair {
    #[inline(always)]
    fn chunk<L: Lanes>(chunk: Chunk<'_>) {
        let window = chunk.window();
        let Chunk { inputs: [x, y], outputs: [xx, yy, xy], scratch, .. } = chunk;
        let (mut from, mut to) = scratch.split_at_mut(PLANES / 2);
        let mut len = x.len();
        for step in steps(window) {
            let before = len;
            len -= step.lag();
            let [mx, sx, my, sy, p] = &*from else { return };
            let of = [
                Side::new(x, [&mx[..before], &sx[..before]], step, len),
                Side::new(y, [&my[..before], &sy[..before]], step, len),
            ];
            let products = parts(&p[..before], step, len);
            let [mx, sx, my, sy, p] = &mut *to else { return };
            let (means, sums) = if len == xx.len() {
                (None, [&mut *xx, &mut *yy, &mut *xy])
            } else {
                (Some([&mut mx[..len], &mut my[..len]]), [sx, sy, p].map(|p| &mut p[..len]))
            };
            let weights = Weights::of(step);
            merging!(before == x.len(), step, pair_step(&of, products, &weights, means, sums));
            std::mem::swap(&mut from, &mut to);
        }
    }
}

#[inline(always)]
fn pair_step<M: Merge, L: Lanes>(
    [x, y]: &[Side<'_>; 2],
    products: Both<'_>,
    weights: &Weights,
    mut means_to: Option<[&mut [f64]; 2]>,
    [xx, yy, xy]: [&mut [f64]; 3],
) {
    let len = xx.len();
    let (yy, xy) = (&mut yy[..len], &mut xy[..len]);
    let weight = L::all(weights.weight);
    groups!(L, len, |i| {
        let gaps = [x.gap::<M, L>(i), y.gap::<M, L>(i)];
        x.squares::<M, L>(i, gaps[0], weights).store(xx, i);
        y.squares::<M, L>(i, gaps[1], weights).store(yy, i);
        M::sum(products, i, gaps[0] * gaps[1] * weight).store(xy, i);
        if let Some([mx, my]) = &mut means_to {
            x.mean::<M, L>(i, gaps[0], weights).store(mx, i);
            y.mean::<M, L>(i, gaps[1], weights).store(my, i);
        }
    });
}

/// Which of equal extremes counts.
trait Equal {
    /// Whether the newer row `a` is chosen before the older `b`; no where either is NaN.
    fn newer<E: End, L: Lanes>(a: L, b: L) -> L::Mask;
}

struct Newest;

impl Equal for Newest {
    #[inline(always)]
    fn newer<E: End, L: Lanes>(a: L, b: L) -> L::Mask {
        E::as_far(a, b)
    }
}

struct Oldest;

impl Equal for Oldest {
    #[inline(always)]
    fn newer<E: End, L: Lanes>(a: L, b: L) -> L::Mask {
        E::beyond(a, b)
    }
}

/// An extreme's age; a NaN wins, so that it marks each window that holds it.
struct Age<E, Q>(PhantomData<(E, Q)>);

impl<E: End, Q: Equal> Chain for Age<E, Q> {
    #[inline(always)]
    fn chunk<L: Lanes>(chunk: Chunk<'_>) {
        let window = chunk.window();
        let Chunk { inputs: [x, _], outputs: [out, ..], scratch, .. } = chunk;
        let [va, aa, vb, ab, ..] = scratch else { return };
        let (mut from, mut to) = ((va, aa), (vb, ab));
        let mut len = x.len();
        for step in overlapping(window) {
            let value: &[f64] = if len == x.len() { x } else { &from.0[..len] };
            let age = (len < x.len()).then_some(&from.1[..len]);
            len -= step.lag();
            let values = parts(value, step, len);
            let ages = age.map(|age| parts(age, step, len));
            let lag = step.lag() as f64;
            if len == out.len() {
                groups!(L, len, |i| {
                    let (value, age) = merged::<E, Q, L>(values, ages, lag, i);
                    L::pick(value.is_nan(), value, age).store(out, i);
                });
            } else {
                let (value_to, age_to) = (&mut to.0[..len], &mut to.1[..len]);
                groups!(L, len, |i| {
                    let (value, age) = merged::<E, Q, L>(values, ages, lag, i);
                    value.store(value_to, i);
                    age.store(age_to, i);
                });
            }
            std::mem::swap(&mut from, &mut to);
        }
    }
}

/// The merged extreme and its age; single rows have no ages yet.
#[inline(always)]
fn merged<E: End, Q: Equal, L: Lanes>(
    values: Both<'_>,
    ages: Option<Both<'_>>,
    lag: f64,
    i: Group<L>,
) -> (L, L) {
    let (a, b) = (L::load(values[0], i), L::load(values[1], i));
    let newer = L::or(Q::newer::<E, L>(a, b), a.is_nan());
    let [young, old] = match ages {
        Some([young, old]) => [L::load(young, i), L::load(old, i)],
        None => [L::all(0.0); 2],
    };
    (L::pick(newer, a, b), L::pick(newer, young, old + L::all(lag)))
}
