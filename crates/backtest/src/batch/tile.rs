//! What the trials of a sweep share about a stretch of prices.

use std::ops::Range;

use super::vector::{Bars, Vector, each};
use crate::statistics::price_returns;

/// Bars of a tile: with a few dozen features beside it, it stays in L2.
pub const TILE: usize = 2048;

/// Spans of 1, 2, 4, ... bars, up to the tile; a power of two of them.
const LEVELS: usize = 16;

/// Bars of a block: the resolution of the highest price, of which a bound is enough.
const BLOCK: usize = 16;

const BLOCKS: usize = TILE / BLOCK;

/// Spans of 1, 2, 4, ... blocks, up to the tile.
const BLOCK_LEVELS: usize = BLOCKS.ilog2() as usize + 1;

/// What ends before a bar: a cache line that answers for a position entered or left there.
///
/// Sums run over the returns r of the tile's bars before this one; a position's own are a
/// difference of two rows. They start at 0 in every tile, so that little is lost in it.
#[derive(Debug, Clone, Copy, Default)]
#[repr(C, align(64))]
pub(super) struct Row {
    /// The close before.
    pub(super) last: f64,
    pub(super) sum: f64,
    /// Of max(r, 0).
    pub(super) gains: f64,
    /// Of min(r, 0).
    pub(super) losses: f64,
    pub(super) squares: f64,
    /// Of min(r, 0)^2.
    pub(super) downside_squares: f64,
    /// To the end of the line, which is read whole.
    spare: [f64; 2],
}

/// A stretch of at most [`TILE`] bars, prepared: a position held from any bar to any other knows
/// the sums of its returns and its lowest close in a few loads, however long it was held.
///
/// The lowest of a range is that of two spans that cover it, looked up in a sparse table (Bender
/// and Farach-Colton 2000).
#[derive(Debug)]
pub struct Tile<'a> {
    /// The first bar.
    from: usize,
    close: &'a [f64],
    returns: Vec<f64>,
    rows: Vec<Row>,
    tables: Box<Tables>,
}

/// Extremes of 2^level bars or blocks from each on.
#[derive(Debug)]
struct Tables {
    /// Lowest close; the first level is the closes themselves.
    low: [f64; LEVELS * TILE],
    /// Highest close of blocks.
    high: [f64; BLOCK_LEVELS * BLOCKS],
}

impl<'a> Tile<'a> {
    /// Room for a tile, without bars yet.
    #[must_use]
    pub fn new() -> Self {
        let tables = Tables {
            low: [f64::INFINITY; LEVELS * TILE],
            high: [f64::NEG_INFINITY; BLOCK_LEVELS * BLOCKS],
        };
        Self {
            from: 0,
            close: &[],
            returns: vec![0.0; TILE + 1],
            rows: vec![Row::default(); TILE + 1],
            tables: Box::new(tables),
        }
    }

    /// Prepares the bars in `range` of `close`. O(bars log bars).
    ///
    /// # Panics
    /// When `range` is longer than [`TILE`] or reaches past the end.
    pub fn load(&mut self, close: &'a [f64], range: Range<usize>) {
        assert!(range.len() <= TILE, "{} bars in a tile of {TILE}", range.len());
        self.from = range.start;
        self.close = &close[range.clone()];
        // From one bar before, where there is one, whose own return is not looked at.
        let first = range.start.saturating_sub(1);
        price_returns(&close[first..range.end], &mut self.returns[..range.end - first]);
        let before = if first < range.start { close[first] } else { f64::NAN };
        self.sum_up(before, range.start - first);
        find_lowest(self.close, &mut self.tables.low);
        find_highest(self.close, &mut self.tables.high);
    }

    /// Number of bars.
    pub(super) fn len(&self) -> usize {
        self.close.len()
    }

    /// The first bar, of all bars.
    #[inline(always)]
    pub(super) fn from(&self) -> usize {
        self.from
    }

    /// The row before `bar`, which may be one past the last.
    #[inline(always)]
    pub(super) fn row(&self, bar: u32) -> &Row {
        &self.rows[bar as usize]
    }

    #[inline(always)]
    pub(super) fn closes(&self) -> &[f64] {
        self.close
    }

    /// The close of each bar.
    #[inline(always)]
    pub(super) fn close<V: Vector>(&self, bars: &Bars) -> V {
        V::look_up(&self.tables.low, bars)
    }

    /// The lowest close of the bars `from..to`, at least one. O(1).
    #[inline(always)]
    pub(super) fn low<V: Vector>(&self, from: &Bars, to: &Bars) -> V {
        let level = each!(|l| (to[l].wrapping_sub(from[l]) | 1).ilog2(), 0);
        let first = each!(|l| level[l] * TILE as u32 + from[l], 0);
        let last = each!(|l| (level[l] * TILE as u32 + to[l]).wrapping_sub(1 << level[l]), 0);
        V::look_up(&self.tables.low, &first).lower(V::look_up(&self.tables.low, &last))
    }

    /// No close of the bars `from..to`, at least one, is above this. O(1).
    #[inline(always)]
    pub(super) fn high_bound<V: Vector>(&self, from: &Bars, to: &Bars) -> V {
        const WIDTH: u32 = BLOCKS as u32;
        let block = |bar: u32| bar / BLOCK as u32;
        let end = each!(|l| block(to[l].wrapping_sub(1)).wrapping_add(1), 0);
        let level = each!(|l| (end[l].wrapping_sub(block(from[l])) | 1).ilog2(), 0);
        let first = each!(|l| level[l] * WIDTH + block(from[l]), 0);
        let last = each!(|l| (level[l] * WIDTH + end[l]).wrapping_sub(1 << level[l]), 0);
        V::look_up(&self.tables.high, &first).higher(V::look_up(&self.tables.high, &last))
    }

    /// The first of the tile's returns is at `skip`.
    fn sum_up(&mut self, before: f64, skip: usize) {
        let mut row = Row { last: before, ..Row::default() };
        let returns = &self.returns[skip..];
        for ((out, &close), &r) in self.rows.iter_mut().zip(self.close).zip(returns) {
            *out = row;
            let (gain, loss) = (if r > 0.0 { r } else { 0.0 }, if r < 0.0 { r } else { 0.0 });
            row.last = close;
            row.sum += r;
            row.gains += gain;
            row.losses += loss;
            row.squares += r * r;
            row.downside_squares += loss * loss;
        }
        self.rows[self.close.len()] = row;
    }
}

impl Default for Tile<'_> {
    fn default() -> Self {
        Self::new()
    }
}

#[multiversion::multiversion(targets("x86_64+avx512f+avx512vl", "x86_64+avx2", "aarch64+neon"))]
fn find_lowest(close: &[f64], table: &mut [f64; LEVELS * TILE]) {
    table[..close.len()].copy_from_slice(close);
    let mut half = 1;
    let mut rest = table.as_mut_slice();
    while 2 * half <= close.len() {
        let (below, above) = rest.split_at_mut(TILE);
        let spans = close.len() + 1 - 2 * half;
        let pairs = below[..spans].iter().zip(&below[half..half + spans]);
        for (out, (&a, &b)) in above.iter_mut().zip(pairs) {
            *out = if b < a { b } else { a };
        }
        rest = above;
        half *= 2;
    }
}

fn find_highest(close: &[f64], table: &mut [f64; BLOCK_LEVELS * BLOCKS]) {
    let higher = |a: f64, b: f64| if b > a { b } else { a };
    let blocks = close.len().div_ceil(BLOCK);
    for (out, block) in table.iter_mut().zip(close.chunks(BLOCK)) {
        *out = block.iter().copied().fold(f64::NEG_INFINITY, higher);
    }
    let mut half = 1;
    let mut rest = table.as_mut_slice();
    while 2 * half <= blocks {
        let (below, above) = rest.split_at_mut(BLOCKS);
        let spans = blocks + 1 - 2 * half;
        let pairs = below[..spans].iter().zip(&below[half..half + spans]);
        for (out, (&a, &b)) in above.iter_mut().zip(pairs) {
            *out = higher(a, b);
        }
        rest = above;
        half *= 2;
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::batch::vector::{LANES, Reals};

    proptest! {
        #[test]
        fn ranges_agree_with_a_scan(
            close in prop::collection::vec(1.0_f64..2.0, 2..2 * TILE),
            cuts in (0.0_f64..1.0, 0.0_f64..1.0, 0.0_f64..1.0),
        ) {
            let mut returns = vec![0.0; close.len()];
            price_returns(&close, &mut returns);
            let start = (cuts.0 * close.len() as f64) as usize / 2;
            let mut tile = Tile::new();
            tile.load(&close, start..close.len().min(start + TILE));
            let at = |share: f64| (share * tile.len() as f64) as usize;
            let (from, to) = (at(cuts.1.min(cuts.2)), at(cuts.1.max(cuts.2)) + 1);
            let held = &tile.close[from..to];
            let low = held.iter().copied().fold(f64::INFINITY, f64::min);
            let high = held.iter().copied().fold(f64::NEG_INFINITY, f64::max);
            let (first, last) = ([from as u32; LANES], [to as u32; LANES]);
            prop_assert_eq!(tile.low::<Reals>(&first, &last).get(5), low);
            prop_assert!(tile.high_bound::<Reals>(&first, &last).get(5) >= high);
            let (head, tail) = (tile.row(from as u32), tile.row(to as u32));
            let sum: f64 = returns[start + from..start + to].iter().sum();
            prop_assert!((tail.sum - head.sum - sum).abs() < 1e-11);
            prop_assert_eq!(tail.last, tile.close[to - 1]);
        }
    }
}
