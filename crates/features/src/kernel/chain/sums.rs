//! Sums and means.

use std::marker::PhantomData;

use super::FIELDS;
use super::windows::{Kind, Window};
use crate::kernel::lanes::{Group, Lanes};
use crate::kernel::tree::Weights;

/// How a single number is merged.
pub(super) trait Merge: Copy {
    /// Of two parts of as many rows.
    fn double<L: Lanes>(newer: L, older: L) -> L;
    /// With the row before.
    fn append<L: Lanes>(newer: L, oldest: L, weights: &Weights) -> L;
}

#[derive(Clone, Copy)]
pub(super) struct Sum;

impl Merge for Sum {
    #[inline(always)]
    fn double<L: Lanes>(newer: L, older: L) -> L {
        newer + older
    }

    #[inline(always)]
    fn append<L: Lanes>(newer: L, oldest: L, _weights: &Weights) -> L {
        newer + oldest
    }
}

#[derive(Clone, Copy)]
pub(super) struct Mean;

impl Merge for Mean {
    #[inline(always)]
    fn double<L: Lanes>(newer: L, older: L) -> L {
        (newer + older) * L::all(0.5)
    }

    #[inline(always)]
    fn append<L: Lanes>(newer: L, oldest: L, weights: &Weights) -> L {
        newer + (oldest - newer) * L::all(weights.share)
    }
}

/// Windows of which one number is known.
pub(super) struct Numbers<M>(PhantomData<M>);

impl<M: Merge> Kind for Numbers<M> {
    type Of<L: Lanes> = Number<L, M>;
}

#[derive(Clone, Copy)]
pub(super) struct Number<L, M>(L, PhantomData<M>);

impl<L: Lanes, M: Merge> Window<L> for Number<L, M> {
    type Row = L;

    #[inline(always)]
    fn pair(newer: L, older: L) -> Self {
        Self(M::double(newer, older), PhantomData)
    }

    #[inline(always)]
    fn double(self, older: Self, _weights: &Weights) -> Self {
        Self::pair(self.0, older.0)
    }

    #[inline(always)]
    fn append(self, oldest: L, weights: &Weights) -> Self {
        Self(M::append(self.0, oldest, weights), PhantomData)
    }

    #[inline(always)]
    fn load(planes: &[&[f64]; FIELDS], _newest: &[&[f64]; 2], i: Group<L>) -> Self {
        Self(L::load(planes[0], i), PhantomData)
    }

    #[inline(always)]
    fn store(self, planes: &mut [&mut [f64]; FIELDS], i: Group<L>) {
        self.0.store(planes[0], i);
    }

    #[inline(always)]
    fn finish(self, outputs: &mut [&mut [f64]; 3], i: Group<L>) {
        self.0.store(outputs[0], i);
    }
}

pub(super) struct WeightedSums;

impl Kind for WeightedSums {
    type Of<L: Lanes> = WeightedSum<L>;
}

/// Doubled, the newer half's weights each grow by the older half's rows. With the row before, every
/// weight grows by one, as the older row takes weight 1.
#[derive(Clone, Copy)]
pub(super) struct WeightedSum<L> {
    sum: L,
    weighted: L,
}

impl<L: Lanes> Window<L> for WeightedSum<L> {
    type Row = L;

    #[inline(always)]
    fn pair(newer: L, older: L) -> Self {
        let sum = newer + older;
        Self { sum, weighted: sum + newer }
    }

    #[inline(always)]
    fn double(self, older: Self, weights: &Weights) -> Self {
        Self {
            sum: self.sum + older.sum,
            weighted: (self.weighted + older.weighted) + self.sum * L::all(weights.rows),
        }
    }

    #[inline(always)]
    fn append(self, oldest: L, _weights: &Weights) -> Self {
        Self { sum: self.sum + oldest, weighted: (self.weighted + self.sum) + oldest }
    }

    #[inline(always)]
    fn load(planes: &[&[f64]; FIELDS], _newest: &[&[f64]; 2], i: Group<L>) -> Self {
        Self { sum: L::load(planes[0], i), weighted: L::load(planes[1], i) }
    }

    #[inline(always)]
    fn store(self, planes: &mut [&mut [f64]; FIELDS], i: Group<L>) {
        self.sum.store(planes[0], i);
        self.weighted.store(planes[1], i);
    }

    #[inline(always)]
    fn finish(self, outputs: &mut [&mut [f64]; 3], i: Group<L>) {
        self.weighted.store(outputs[0], i);
    }
}
