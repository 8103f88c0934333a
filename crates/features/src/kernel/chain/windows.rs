//! Windows that are put together from parts which share no row.

use std::marker::PhantomData;

use super::{Chain, Chunk, FIELDS, Plane};
use crate::kernel::lanes::{Group, Lanes, groups};
use crate::kernel::tree::{Step, Weights, steps_from};

/// A row of each input.
pub(super) trait Row<L: Lanes>: Copy {
    /// The rows in a group.
    fn load(inputs: &[&[f64]; 2], i: Group<L>) -> Self;
}

impl<L: Lanes> Row<L> for L {
    #[inline(always)]
    fn load(inputs: &[&[f64]; 2], i: Group<L>) -> L {
        L::load(inputs[0], i)
    }
}

impl<L: Lanes> Row<L> for (L, L) {
    #[inline(always)]
    fn load(inputs: &[&[f64]; 2], i: Group<L>) -> (L, L) {
        (L::load(inputs[0], i), L::load(inputs[1], i))
    }
}

/// What is known of windows side by side. Everything is to be inlined.
pub(super) trait Window<L: Lanes>: Copy {
    type Row: Row<L>;
    /// Two rows.
    fn pair(newer: Self::Row, older: Self::Row) -> Self;
    /// With the half before, of as many rows.
    fn double(self, older: Self, weights: &Weights) -> Self;
    /// With the row before.
    fn append(self, oldest: Self::Row, weights: &Weights) -> Self;
    /// From planes, and from the inputs at the newest row where that is needed.
    fn load(planes: &[&[f64]; FIELDS], newest: &[&[f64]; 2], i: Group<L>) -> Self;
    /// To planes.
    fn store(self, planes: &mut [&mut [f64]; FIELDS], i: Group<L>);
    /// What is asked for.
    fn finish(self, outputs: &mut [&mut [f64]; 3], i: Group<L>);
}

/// A kind of [`Window`], for all lanes.
pub(super) trait Kind {
    type Of<L: Lanes>: Window<L>;
}

/// The windows of a kind.
pub(super) struct Windows<K>(PhantomData<K>);

/// The rows of the widest part of `window` that is put together in registers: its first binary digits.
fn base(window: usize) -> usize {
    window >> window.ilog2().saturating_sub(2)
}

impl<K: Kind> Chain for Windows<K> {
    #[inline(always)]
    fn chunk<L: Lanes>(chunk: Chunk<'_>) {
        let window = chunk.window();
        let Chunk { inputs, mut outputs, scratch, .. } = chunk;
        let (from, to) = scratch.split_at_mut(FIELDS);
        let (mut from, mut to) = (all(from), all(to));
        let rows = outputs[0].len();
        let base = base(window);
        let mut len = rows + window - base;
        let target = Target::of(len == rows, &mut outputs, &mut to);
        match base {
            2 => first::<K, L, 2>(&inputs, len, target),
            3 => first::<K, L, 3>(&inputs, len, target),
            4 => first::<K, L, 4>(&inputs, len, target),
            5 => first::<K, L, 5>(&inputs, len, target),
            6 => first::<K, L, 6>(&inputs, len, target),
            7 => first::<K, L, 7>(&inputs, len, target),
            _ => unreachable!("a window has three leading digits, or two"),
        }
        for step in steps_from(base, window) {
            std::mem::swap(&mut from, &mut to);
            len -= step.lag();
            let planes = from.each_ref().map(|plane| &**plane);
            let target = Target::of(len == rows, &mut outputs, &mut to);
            match step {
                Step::Double(n) => doubled::<K, L>(n, &inputs, &planes, len, target),
                Step::Append(n) => appended::<K, L>(n, &inputs, &planes, len, target),
            }
        }
    }
}

fn all(planes: &mut [Plane]) -> [&mut [f64]; FIELDS] {
    let mut planes = planes.iter_mut();
    std::array::from_fn(|_| planes.next().map_or(&mut [][..], |plane| &mut **plane))
}

/// Where windows go.
enum Target<'t, 'o> {
    Planes(&'t mut [&'o mut [f64]; FIELDS]),
    Outputs(&'t mut [&'o mut [f64]; 3]),
}

impl<'t, 'o> Target<'t, 'o> {
    #[inline(always)]
    fn of(
        is_last: bool,
        outputs: &'t mut [&'o mut [f64]; 3],
        planes: &'t mut [&'o mut [f64]; FIELDS],
    ) -> Self {
        if is_last { Self::Outputs(outputs) } else { Self::Planes(planes) }
    }
}

/// Does `$window` for each group of `$len`, and stores what it gives.
macro_rules! fill {
    ($lanes:ty, $len:expr, $target:expr, |$i:ident| $window:expr) => {
        match $target {
            Target::Planes(planes) => groups!($lanes, $len, |$i| $window.store(planes, $i)),
            Target::Outputs(outputs) => groups!($lanes, $len, |$i| $window.finish(outputs, $i)),
        }
    };
}

/// `slices` from `at` on; those that are empty stay so.
#[inline(always)]
fn from<'a, const N: usize>(slices: &[&'a [f64]; N], at: usize) -> [&'a [f64]; N] {
    slices.map(|slice| slice.get(at..).unwrap_or_default())
}

/// Windows of `N` rows, 2 to 7, from the rows.
#[inline(always)]
fn first<K: Kind, L: Lanes, const N: usize>(
    inputs: &[&[f64]; 2],
    len: usize,
    target: Target<'_, '_>,
) {
    // The newest first.
    let rows: [_; N] = std::array::from_fn(|age| from(inputs, N - 1 - age));
    fill!(L, len, target, |i| in_registers::<L, K::Of<L>, N>(&rows, i));
}

#[inline(always)]
fn in_registers<L: Lanes, W: Window<L>, const N: usize>(rows: &[[&[f64]; 2]; N], i: Group<L>) -> W {
    let row = W::Row::load;
    match rows.as_slice() {
        [a, b] => W::pair(row(a, i), row(b, i)),
        [a, b, c] => three(row(a, i), row(b, i), row(c, i)),
        [a, b, c, d] => four(row(a, i), row(b, i), row(c, i), row(d, i)),
        [a, b, c, d, e] => {
            let newer: W = four(row(a, i), row(b, i), row(c, i), row(d, i));
            newer.append(row(e, i), &Weights::of(Step::Append(4)))
        }
        [a, b, c, d, e, f, rest @ ..] => {
            let newer: W = three(row(a, i), row(b, i), row(c, i));
            let six =
                newer.double(three(row(d, i), row(e, i), row(f, i)), &Weights::of(Step::Double(3)));
            match rest {
                [] => six,
                [g, ..] => six.append(row(g, i), &Weights::of(Step::Append(6))),
            }
        }
        [] | [_] => unreachable!("two rows at least"),
    }
}

#[inline(always)]
fn three<L: Lanes, W: Window<L>>(a: W::Row, b: W::Row, c: W::Row) -> W {
    W::pair(a, b).append(c, &Weights::of(Step::Append(2)))
}

#[inline(always)]
fn four<L: Lanes, W: Window<L>>(a: W::Row, b: W::Row, c: W::Row, d: W::Row) -> W {
    W::pair(a, b).double(W::pair(c, d), &Weights::of(Step::Double(2)))
}

/// Windows of `2 * n` rows from those of `n`.
#[inline(always)]
fn doubled<K: Kind, L: Lanes>(
    n: usize,
    inputs: &[&[f64]; 2],
    older: &[&[f64]; FIELDS],
    len: usize,
    target: Target<'_, '_>,
) {
    let weights = Weights::of(Step::Double(n));
    let newer = from(older, n);
    let newest = [from(inputs, 2 * n - 1), from(inputs, n - 1)];
    fill!(L, len, target, |i| {
        let older = K::Of::<L>::load(older, &newest[1], i);
        K::Of::<L>::load(&newer, &newest[0], i).double(older, &weights)
    });
}

/// Windows of `n + 1` rows from those of `n`.
#[inline(always)]
fn appended<K: Kind, L: Lanes>(
    n: usize,
    inputs: &[&[f64]; 2],
    before: &[&[f64]; FIELDS],
    len: usize,
    target: Target<'_, '_>,
) {
    let weights = Weights::of(Step::Append(n));
    let (newer, newest) = (from(before, 1), from(inputs, n));
    fill!(L, len, target, |i| {
        let oldest = Row::load(inputs, i);
        K::Of::<L>::load(&newer, &newest, i).append(oldest, &weights)
    });
}
