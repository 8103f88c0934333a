//! Sums and means.

use super::FIELDS;
use super::windows::{Kind, Weights, Window};
use crate::kernel::lanes::{Group, Lanes};

pub(super) struct Sums;

impl Kind for Sums {
    type Of<L: Lanes> = Sum<L>;
}

#[derive(Clone, Copy)]
pub(super) struct Sum<L>(L);

impl<L: Lanes> Window<L> for Sum<L> {
    type Row = L;

    #[inline(always)]
    fn row(inputs: &[&[f64]; 2], i: Group<L>) -> L {
        L::load(inputs[0], i)
    }

    #[inline(always)]
    fn pair(newer: L, older: L) -> Self {
        Self(newer + older)
    }

    #[inline(always)]
    fn double(self, older: Self, _weights: &Weights) -> Self {
        Self(self.0 + older.0)
    }

    #[inline(always)]
    fn append(self, oldest: L, _weights: &Weights) -> Self {
        Self(self.0 + oldest)
    }

    #[inline(always)]
    fn load(planes: &[&[f64]; FIELDS], _newest: &[&[f64]; 2], i: Group<L>) -> Self {
        Self(L::load(planes[0], i))
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

pub(super) struct Means;

impl Kind for Means {
    type Of<L: Lanes> = Mean<L>;
}

#[derive(Clone, Copy)]
pub(super) struct Mean<L>(L);

impl<L: Lanes> Window<L> for Mean<L> {
    type Row = L;

    #[inline(always)]
    fn row(inputs: &[&[f64]; 2], i: Group<L>) -> L {
        L::load(inputs[0], i)
    }

    #[inline(always)]
    fn pair(newer: L, older: L) -> Self {
        Self((newer + older) * L::all(0.5))
    }

    #[inline(always)]
    fn double(self, older: Self, _weights: &Weights) -> Self {
        Self::pair(self.0, older.0)
    }

    #[inline(always)]
    fn append(self, oldest: L, weights: &Weights) -> Self {
        Self(self.0 + (oldest - self.0) * L::all(weights.share))
    }

    #[inline(always)]
    fn load(planes: &[&[f64]; FIELDS], _newest: &[&[f64]; 2], i: Group<L>) -> Self {
        Self(L::load(planes[0], i))
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
    fn row(inputs: &[&[f64]; 2], i: Group<L>) -> L {
        L::load(inputs[0], i)
    }

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
