//! Extremes, and how long ago they were.

use std::marker::PhantomData;

use super::{Both, Chain, Chunk, parts};
use crate::kernel::lanes::{Group, Lanes, groups};
use crate::kernel::tree::Step;

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

/// Which of two rows is meant.
pub(super) trait End {
    /// Whether `a` lies further that way than `b`; no where either is NaN.
    fn beyond<L: Lanes>(a: L, b: L) -> L::Mask;
    /// The one that lies further that way; `b` where either is NaN.
    fn further<L: Lanes>(a: L, b: L) -> L;
    /// Whether `a` lies as far that way as `b`, or further.
    fn as_far<L: Lanes>(a: L, b: L) -> L::Mask;
}

pub(super) struct Highest;

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

pub(super) struct Lowest;

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
pub(super) struct Extreme<E>(PhantomData<E>);

impl<E: End> Chain for Extreme<E> {
    #[inline(always)]
    fn chunk<L: Lanes>(chunk: Chunk<'_>) {
        let window = chunk.window();
        let Chunk { inputs: [x, _], outputs: [out, ..], scratch, .. } = chunk;
        let [from, to, ..] = scratch else { return };
        let (mut from, mut to) = (from, to);
        let mut len = x.len();
        for step in overlapping(window) {
            let source: &[f64] = if len == x.len() { x } else { &from[..len] };
            len -= step.lag();
            let target = if len == out.len() { &mut *out } else { &mut to[..len] };
            let [newer, older] = parts(source, step, len);
            groups!(L, len, |i| {
                let (newer, older) = (L::load(newer, i), L::load(older, i));
                L::pick(newer.is_nan(), newer, E::further(newer, older)).store(target, i);
            });
            std::mem::swap(&mut from, &mut to);
        }
    }
}

/// Which of equal extremes counts.
pub(super) trait Equal {
    /// Whether the newer row `a` is chosen before the older `b`; no where either is NaN.
    fn newer<E: End, L: Lanes>(a: L, b: L) -> L::Mask;
}

pub(super) struct Newest;

impl Equal for Newest {
    #[inline(always)]
    fn newer<E: End, L: Lanes>(a: L, b: L) -> L::Mask {
        E::as_far(a, b)
    }
}

pub(super) struct Oldest;

impl Equal for Oldest {
    #[inline(always)]
    fn newer<E: End, L: Lanes>(a: L, b: L) -> L::Mask {
        E::beyond(a, b)
    }
}

/// An extreme's age; a NaN wins, so that it marks each window that holds it.
pub(super) struct Age<E, Q>(PhantomData<(E, Q)>);

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
