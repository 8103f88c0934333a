//! Squares and products around the mean.

use super::windows::{Kind, Window, Windows};
use super::{Chain, Chunk, FIELDS};
use crate::kernel::lanes::{Group, Lanes};
use crate::kernel::tree::Weights;

/// Squares, and products with time: those that are needed.
pub(super) struct Moments;

impl Chain for Moments {
    #[inline(always)]
    fn chunk<L: Lanes>(chunk: Chunk<'_>) {
        match chunk.needed {
            [true, false] => Windows::<Needed<true, false>>::chunk::<L>(chunk),
            [false, true] => Windows::<Needed<false, true>>::chunk::<L>(chunk),
            _ => Windows::<Needed<true, true>>::chunk::<L>(chunk),
        }
    }
}

struct Needed<const SQUARES: bool, const TREND: bool>;

impl<const SQUARES: bool, const TREND: bool> Kind for Needed<SQUARES, TREND> {
    type Of<L: Lanes> = Moment<L, SQUARES, TREND>;
}

/// One series. What is not needed is not stored, and so never computed.
#[derive(Clone, Copy)]
struct Moment<L, const SQUARES: bool, const TREND: bool> {
    newest: L,
    /// Less the newest row, where it is small and exact.
    mean: L,
    squares: L,
    /// Products with time.
    trend: L,
}

impl<L: Lanes, const SQUARES: bool, const TREND: bool> Moment<L, SQUARES, TREND> {
    /// By how much the newer part's mean exceeds the older's.
    #[inline(always)]
    fn gap(self, older: Self) -> L {
        (self.newest - older.newest) + (self.mean - older.mean)
    }

    /// The same where the older part is one row.
    #[inline(always)]
    fn gap_to(self, oldest: L) -> L {
        (self.newest - oldest) + self.mean
    }

    /// From the older part's `squares` and `trend`, and the gap.
    #[inline(always)]
    fn merged(self, gap: L, squares: L, trend: L, weights: &Weights) -> Self {
        Self {
            newest: self.newest,
            mean: self.mean - gap * L::all(weights.share),
            squares: squares + gap * gap * L::all(weights.square),
            trend: trend + gap * L::all(weights.time),
        }
    }
}

impl<L: Lanes, const SQUARES: bool, const TREND: bool> Window<L> for Moment<L, SQUARES, TREND> {
    type Row = L;

    #[inline(always)]
    fn pair(newest: L, older: L) -> Self {
        let gap = newest - older;
        let half = L::all(0.5);
        Self {
            newest,
            mean: gap * half * L::all(-1.0),
            squares: gap * gap * half,
            trend: gap * half,
        }
    }

    #[inline(always)]
    fn double(self, older: Self, weights: &Weights) -> Self {
        let (squares, trend) = (self.squares + older.squares, self.trend + older.trend);
        self.merged(self.gap(older), squares, trend, weights)
    }

    #[inline(always)]
    fn append(self, oldest: L, weights: &Weights) -> Self {
        self.merged(self.gap_to(oldest), self.squares, self.trend, weights)
    }

    #[inline(always)]
    fn load(planes: &[&[f64]; FIELDS], newest: &[&[f64]; 2], i: Group<L>) -> Self {
        let none = L::all(0.0);
        Self {
            newest: L::load(newest[0], i),
            mean: L::load(planes[0], i),
            squares: if SQUARES { L::load(planes[1], i) } else { none },
            trend: if TREND { L::load(planes[2], i) } else { none },
        }
    }

    #[inline(always)]
    fn store(self, planes: &mut [&mut [f64]; FIELDS], i: Group<L>) {
        self.mean.store(planes[0], i);
        if SQUARES {
            self.squares.store(planes[1], i);
        }
        if TREND {
            self.trend.store(planes[2], i);
        }
    }

    #[inline(always)]
    fn finish(self, outputs: &mut [&mut [f64]; 3], i: Group<L>) {
        if SQUARES {
            self.squares.store(outputs[0], i);
        }
        if TREND {
            self.trend.store(outputs[1], i);
        }
    }
}

/// Squares of two series, and their products.
pub(super) struct Pairs;

impl Kind for Pairs {
    type Of<L: Lanes> = Pair<L>;
}

/// One of the two series.
type Side<L> = Moment<L, true, false>;

#[derive(Clone, Copy)]
pub(super) struct Pair<L> {
    x: Side<L>,
    y: Side<L>,
    products: L,
}

impl<L: Lanes> Window<L> for Pair<L> {
    type Row = (L, L);

    #[inline(always)]
    fn pair(newer: (L, L), older: (L, L)) -> Self {
        Self {
            x: Moment::pair(newer.0, older.0),
            y: Moment::pair(newer.1, older.1),
            products: (newer.0 - older.0) * (newer.1 - older.1) * L::all(0.5),
        }
    }

    #[inline(always)]
    fn double(self, older: Self, weights: &Weights) -> Self {
        let gaps = self.x.gap(older.x) * self.y.gap(older.y);
        Self {
            x: self.x.double(older.x, weights),
            y: self.y.double(older.y, weights),
            products: (self.products + older.products) + gaps * L::all(weights.square),
        }
    }

    #[inline(always)]
    fn append(self, oldest: (L, L), weights: &Weights) -> Self {
        let gaps = self.x.gap_to(oldest.0) * self.y.gap_to(oldest.1);
        Self {
            x: self.x.append(oldest.0, weights),
            y: self.y.append(oldest.1, weights),
            products: self.products + gaps * L::all(weights.square),
        }
    }

    #[inline(always)]
    fn load(planes: &[&[f64]; FIELDS], newest: &[&[f64]; 2], i: Group<L>) -> Self {
        let [mean_x, squares_x, mean_y, squares_y, products] = *planes;
        Self {
            x: Side::load(&[mean_x, squares_x, &[], &[], &[]], &[newest[0], &[]], i),
            y: Side::load(&[mean_y, squares_y, &[], &[], &[]], &[newest[1], &[]], i),
            products: L::load(products, i),
        }
    }

    #[inline(always)]
    fn store(self, planes: &mut [&mut [f64]; FIELDS], i: Group<L>) {
        self.x.mean.store(planes[0], i);
        self.x.squares.store(planes[1], i);
        self.y.mean.store(planes[2], i);
        self.y.squares.store(planes[3], i);
        self.products.store(planes[4], i);
    }

    #[inline(always)]
    fn finish(self, outputs: &mut [&mut [f64]; 3], i: Group<L>) {
        self.x.squares.store(outputs[0], i);
        self.y.squares.store(outputs[1], i);
        self.products.store(outputs[2], i);
    }
}
