//! Numbers side by side: the loops that a compiler left to itself cuts into parts and shuffles.
//!
//! A loop is written once over [`Lanes`] and runs on whatever registers the processor has. Every
//! operation rounds each number as it would a single one, so that all widths give the same bits.

use std::marker::PhantomData;
use std::ops::{Add, Mul, Sub};

#[cfg(target_arch = "x86_64")]
mod x86;

/// Numbers of a group; the widest registers hold as many.
pub(crate) const LANES: usize = 8;

/// One number or several.
pub(crate) trait Lanes:
    Copy + Add<Output = Self> + Sub<Output = Self> + Mul<Output = Self>
{
    /// How many numbers.
    const ROWS: usize;
    /// A yes or no for each.
    type Mask: Copy;

    /// `value` in each.
    fn all(value: f64) -> Self;
    /// The rows of `from` in a group. Panics where it has fewer rows than there are to be.
    fn load(from: &[f64], group: Group<Self>) -> Self;
    /// Over the rows of `to` in a group. Panics where it has fewer rows than there are to be.
    fn store(self, to: &mut [f64], group: Group<Self>);
    /// The larger; `other` where either is NaN or both are zeros.
    fn larger(self, other: Self) -> Self;
    /// The smaller; `other` where either is NaN or both are zeros.
    fn smaller(self, other: Self) -> Self;
    /// `self > other`; no where either is NaN.
    fn above(self, other: Self) -> Self::Mask;
    /// `self >= other`; no where either is NaN.
    fn at_least(self, other: Self) -> Self::Mask;
    fn is_nan(self) -> Self::Mask;
    fn or(a: Self::Mask, b: Self::Mask) -> Self::Mask;
    /// `yes` where the mask says so, else `no`.
    fn pick(mask: Self::Mask, yes: Self, no: Self) -> Self;
    /// The first number.
    fn first(self) -> f64;
    /// Each number one lane down, the first in the last.
    fn turned(self) -> Self;
}

/// Work that is written once for every kind of [`Lanes`].
pub(crate) trait Work {
    type Result;
    /// To be inlined, with everything below that takes lanes.
    fn on<L: Lanes>(self) -> Self::Result;
}

/// Does `work` on the widest registers of this processor.
pub(crate) fn run<W: Work>(work: W) -> W::Result {
    #[cfg(target_arch = "x86_64")]
    {
        if std::arch::is_x86_feature_detected!("avx512f") {
            // SAFETY: the processor has the instructions.
            return unsafe { x86::on_avx512(work) };
        }
        if std::arch::is_x86_feature_detected!("avx") {
            // SAFETY: the processor has the instructions.
            return unsafe { x86::on_avx(work) };
        }
    }
    work.on::<Plain>()
}

/// [`Lanes::ROWS`] of some number of rows.
pub(crate) struct Group<L> {
    /// `at + ROWS <= rows`, always.
    at: usize,
    rows: usize,
    lanes: PhantomData<L>,
}

impl<L> Clone for Group<L> {
    #[inline(always)]
    fn clone(&self) -> Self {
        *self
    }
}

impl<L> Copy for Group<L> {}

impl<L: Lanes> Group<L> {
    /// The groups of `rows`, one after the other; rows that do not fill one are left.
    #[inline(always)]
    pub(crate) fn whole(rows: usize) -> Groups<L> {
        Groups { at: 0, rows, lanes: PhantomData }
    }

    /// The last of `rows`, where there are as many.
    #[inline(always)]
    pub(crate) fn last(rows: usize) -> Option<Self> {
        let at = rows.checked_sub(L::ROWS)?;
        Some(Self { at, rows, lanes: PhantomData })
    }

    /// The group's part of `of`, which has the rows.
    #[inline(always)]
    fn of(self, of: &[f64]) -> *const f64 {
        assert!(of.len() >= self.rows, "a slice of fewer rows");
        // SAFETY: the group lies within the rows, and these within the slice.
        unsafe { of.as_ptr().add(self.at) }
    }

    #[inline(always)]
    fn of_mut(self, of: &mut [f64]) -> *mut f64 {
        assert!(of.len() >= self.rows, "a slice of fewer rows");
        // SAFETY: as above.
        unsafe { of.as_mut_ptr().add(self.at) }
    }
}

/// See [`Group::whole`].
pub(crate) struct Groups<L> {
    at: usize,
    rows: usize,
    lanes: PhantomData<L>,
}

impl<L: Lanes> Iterator for Groups<L> {
    type Item = Group<L>;

    #[inline(always)]
    fn next(&mut self) -> Option<Group<L>> {
        if self.rows - self.at < L::ROWS {
            return None;
        }
        let group = Group { at: self.at, rows: self.rows, lanes: PhantomData };
        self.at += L::ROWS;
        Some(group)
    }
}

/// Does `$work` with `$group` each group of `$rows`, of which there are [`Lanes::ROWS`] at least. The last
/// one overlaps the one before where they are no multiple of that: what the work writes must not depend
/// on what it has written.
///
/// A macro, as a closure is a function of its own: one without the instructions, into which none of them
/// could be inlined.
macro_rules! groups {
    ($lanes:ty, $rows:expr, |$group:ident| $work:expr) => {{
        let rows: usize = $rows;
        for $group in Group::<$lanes>::whole(rows) {
            $work;
        }
        if !rows.is_multiple_of(<$lanes as Lanes>::ROWS)
            && let Some($group) = Group::<$lanes>::last(rows)
        {
            $work;
        }
    }};
}
pub(crate) use groups;

impl Lanes for f64 {
    const ROWS: usize = 1;
    type Mask = bool;

    #[inline(always)]
    fn all(value: f64) -> Self {
        value
    }

    #[inline(always)]
    fn load(from: &[f64], group: Group<Self>) -> Self {
        from[group.at]
    }

    #[inline(always)]
    fn store(self, to: &mut [f64], group: Group<Self>) {
        to[group.at] = self;
    }

    #[inline(always)]
    fn larger(self, other: Self) -> Self {
        if self > other { self } else { other }
    }

    #[inline(always)]
    fn smaller(self, other: Self) -> Self {
        if self < other { self } else { other }
    }

    #[inline(always)]
    fn above(self, other: Self) -> bool {
        self > other
    }

    #[inline(always)]
    fn at_least(self, other: Self) -> bool {
        self >= other
    }

    #[inline(always)]
    fn is_nan(self) -> bool {
        Self::is_nan(self)
    }

    #[inline(always)]
    fn or(a: bool, b: bool) -> bool {
        a | b
    }

    #[inline(always)]
    fn pick(mask: bool, yes: Self, no: Self) -> Self {
        if mask { yes } else { no }
    }

    #[inline(always)]
    fn first(self) -> f64 {
        self
    }

    #[inline(always)]
    fn turned(self) -> Self {
        self
    }
}

/// Eight numbers, in registers as the compiler sees fit.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Plain([f64; LANES]);

impl Plain {
    #[inline(always)]
    fn with(self, other: Self, of: impl Fn(f64, f64) -> f64) -> Self {
        Self(std::array::from_fn(|l| of(self.0[l], other.0[l])))
    }
}

impl Lanes for Plain {
    const ROWS: usize = LANES;
    type Mask = [bool; LANES];

    #[inline(always)]
    fn all(value: f64) -> Self {
        Self([value; LANES])
    }

    #[inline(always)]
    fn load(from: &[f64], group: Group<Self>) -> Self {
        Self(std::array::from_fn(|l| from[group.at + l]))
    }

    #[inline(always)]
    fn store(self, to: &mut [f64], group: Group<Self>) {
        to[group.at..group.at + LANES].copy_from_slice(&self.0);
    }

    #[inline(always)]
    fn larger(self, other: Self) -> Self {
        self.with(other, |a, b| if a > b { a } else { b })
    }

    #[inline(always)]
    fn smaller(self, other: Self) -> Self {
        self.with(other, |a, b| if a < b { a } else { b })
    }

    #[inline(always)]
    fn above(self, other: Self) -> Self::Mask {
        std::array::from_fn(|l| self.0[l] > other.0[l])
    }

    #[inline(always)]
    fn at_least(self, other: Self) -> Self::Mask {
        std::array::from_fn(|l| self.0[l] >= other.0[l])
    }

    #[inline(always)]
    fn is_nan(self) -> Self::Mask {
        self.0.map(f64::is_nan)
    }

    #[inline(always)]
    fn or(a: Self::Mask, b: Self::Mask) -> Self::Mask {
        std::array::from_fn(|l| a[l] | b[l])
    }

    #[inline(always)]
    fn pick(mask: Self::Mask, yes: Self, no: Self) -> Self {
        Self(std::array::from_fn(|l| if mask[l] { yes.0[l] } else { no.0[l] }))
    }

    #[inline(always)]
    fn first(self) -> f64 {
        self.0[0]
    }

    #[inline(always)]
    fn turned(self) -> Self {
        Self(std::array::from_fn(|l| self.0[(l + 1) % LANES]))
    }
}

impl Add for Plain {
    type Output = Self;
    #[inline(always)]
    fn add(self, other: Self) -> Self {
        self.with(other, |a, b| a + b)
    }
}

impl Sub for Plain {
    type Output = Self;
    #[inline(always)]
    fn sub(self, other: Self) -> Self {
        self.with(other, |a, b| a - b)
    }
}

impl Mul for Plain {
    type Output = Self;
    #[inline(always)]
    fn mul(self, other: Self) -> Self {
        self.with(other, |a, b| a * b)
    }
}

/// What each width of eight lanes that this processor has makes of the work.
#[cfg(test)]
pub(crate) fn on_every_width<W: Work>(work: impl Fn() -> W) -> Vec<W::Result> {
    let mut results = vec![work().on::<Plain>(), run(work())];
    #[cfg(target_arch = "x86_64")]
    if std::arch::is_x86_feature_detected!("avx") {
        // SAFETY: the processor has the instructions.
        results.push(unsafe { x86::on_avx(work()) });
    }
    results
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Every operation on some awkward numbers, as bits.
    struct Everything<'n>(&'n [f64]);

    impl Work for Everything<'_> {
        type Result = Vec<u64>;

        #[inline(always)]
        fn on<L: Lanes>(self) -> Vec<u64> {
            let numbers = self.0;
            let rows = numbers.len() / 2;
            let mut out = vec![0.0; 10 * rows];
            groups!(L, rows, |i| {
                let (a, b) = (L::load(&numbers[..rows], i), L::load(&numbers[rows..], i));
                let one = L::all(1.0);
                let picked = |mask| L::pick(mask, a, one);
                let either = L::or(a.above(b), b.is_nan());
                let of = [a + b, a - b, a * b, one, picked(a.above(b)), picked(a.at_least(b))];
                let more = [picked(a.is_nan()), picked(either), a.larger(b), a.smaller(b)];
                for (k, value) in of.into_iter().chain(more).enumerate() {
                    value.store(&mut out[k * rows..][..rows], i);
                }
            });
            out.into_iter().map(f64::to_bits).collect()
        }
    }

    #[test]
    fn every_width_gives_the_same_bits() {
        let odd = [f64::NAN, -0.0, 0.0, f64::INFINITY, f64::MIN_POSITIVE / 8.0, 1e308, -3.5, 0.1];
        // Every pair of them, and eleven more: no multiple of any width.
        let firsts = odd.iter().flat_map(|a| odd.map(|_| *a)).chain([2.5; 11]);
        let seconds = odd.iter().flat_map(|_| odd).chain([-1.0; 11]);
        let numbers: Vec<f64> = firsts.chain(seconds).collect();
        let single = Everything(&numbers).on::<f64>();
        assert!(on_every_width(|| Everything(&numbers)).iter().all(|bits| *bits == single));
    }

    /// The first of eight numbers, and the eight turned.
    struct Turned<'n>(&'n [f64; LANES]);

    impl Work for Turned<'_> {
        type Result = (f64, [f64; LANES]);

        #[inline(always)]
        fn on<L: Lanes>(self) -> Self::Result {
            let all = Group::<L>::last(LANES).expect("as many rows as lanes");
            let (numbers, mut turned) = (L::load(self.0, all), [0.0; LANES]);
            numbers.turned().store(&mut turned, all);
            (numbers.first(), turned)
        }
    }

    #[test]
    fn every_width_of_eight_turns_them_alike() {
        let turned = (0.0, [1.0, 2.0, 3.0, 4.0, 5.0, 6.0, 7.0, 0.0]);
        let numbers = std::array::from_fn(|lane| lane as f64);
        assert!(on_every_width(|| Turned(&numbers)).iter().all(|found| *found == turned));
    }
}
