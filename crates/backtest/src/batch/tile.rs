//! What the trials of a sweep share about a stretch of prices.

use std::ops::Range;

/// Bars of a tile: with a few dozen features beside it, it stays in L2.
pub const TILE: usize = 2048;

/// Bars of a block: the resolution of the range queries.
const BLOCK: usize = 8;

const BLOCKS: usize = TILE / BLOCK;

/// `log2(BLOCKS)` and one more: spans of 1, 2, 4, ... blocks.
const LEVELS: usize = BLOCKS.ilog2() as usize + 1;

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
    /// Lowest close from this bar to the end of its block.
    pub(super) suffix_low: f64,
    /// Lowest close from the start of the last bar's block to the last bar.
    pub(super) prefix_low: f64,
}

/// A stretch of at most [`TILE`] bars, prepared: a position held from any bar to any other knows
/// the sums of its returns and its lowest close in a few loads, however long it was held.
///
/// A sparse table over blocks (Bender and Farach-Colton 2000) answers for the blocks within.
#[derive(Debug)]
pub struct Tile<'a> {
    /// The first bar.
    from: usize,
    close: &'a [f64],
    rows: Vec<Row>,
    /// Lowest close of 2^level blocks from a block on.
    low: [[f64; BLOCKS]; LEVELS],
    /// Highest close of the same.
    high: [[f64; BLOCKS]; LEVELS],
}

impl<'a> Tile<'a> {
    /// Room for a tile, without bars yet.
    #[must_use]
    pub fn new() -> Self {
        Self {
            from: 0,
            close: &[],
            rows: vec![Row::default(); TILE + 1],
            low: [[f64::INFINITY; BLOCKS]; LEVELS],
            high: [[f64::NEG_INFINITY; BLOCKS]; LEVELS],
        }
    }

    /// Prepares the bars in `range` of `close`, whose returns are `returns` (see
    /// [`crate::statistics::price_returns`]). O(bars).
    ///
    /// # Panics
    /// When `range` is longer than [`TILE`] or reaches past the end.
    pub fn load(&mut self, close: &'a [f64], returns: &[f64], range: Range<usize>) {
        assert!(range.len() <= TILE, "{} bars in a tile of {TILE}", range.len());
        self.from = range.start;
        self.close = &close[range.clone()];
        let before = range.start.checked_sub(1).map_or(f64::NAN, |bar| close[bar]);
        self.sum_up(before, &returns[range]);
        self.find_extremes();
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
    pub(super) fn row(&self, bar: usize) -> Row {
        self.rows[bar]
    }

    #[inline(always)]
    pub(super) fn close(&self, bar: usize) -> f64 {
        self.close[bar]
    }

    #[inline(always)]
    pub(super) fn closes(&self, bars: Range<usize>) -> &[f64] {
        &self.close[bars]
    }

    fn sum_up(&mut self, before: f64, returns: &[f64]) {
        let mut row = Row { last: before, ..Row::default() };
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

    fn find_extremes(&mut self) {
        let blocks = self.close.chunks(BLOCK).zip(self.rows.chunks_mut(BLOCK));
        let mut block_low = f64::INFINITY;
        for (at, (close, rows)) in blocks.enumerate() {
            rows[0].prefix_low = block_low;
            block_low = f64::INFINITY;
            let mut high = f64::NEG_INFINITY;
            for (at, &price) in close.iter().enumerate() {
                block_low = lower(block_low, price);
                high = higher(high, price);
                if let Some(next) = rows.get_mut(at + 1) {
                    next.prefix_low = block_low;
                }
            }
            let mut suffix = f64::INFINITY;
            for (row, &price) in rows.iter_mut().zip(close).rev() {
                suffix = lower(suffix, price);
                row.suffix_low = suffix;
            }
            (self.low[0][at], self.high[0][at]) = (block_low, high);
        }
        self.rows[self.close.len()].prefix_low = block_low;
        self.build_table(self.close.len().div_ceil(BLOCK));
    }

    fn build_table(&mut self, blocks: usize) {
        for level in 1..LEVELS {
            let half = 1 << (level - 1);
            for at in 0..(blocks + 1).saturating_sub(2 * half) {
                let (low, high) = (&mut self.low, &mut self.high);
                low[level][at] = lower(low[level - 1][at], low[level - 1][at + half]);
                high[level][at] = higher(high[level - 1][at], high[level - 1][at + half]);
            }
        }
    }

    /// The lowest close of bars `from..to`, where the lowest to the end of the block of `from` and
    /// from the start of the block of `to - 1` are known; infinity where there is no bar. O(1).
    #[inline(always)]
    pub(super) fn low(&self, from: usize, to: usize, suffix_low: f64, prefix_low: f64) -> f64 {
        if from >= to {
            return f64::INFINITY;
        }
        let (first, last) = (from / BLOCK, (to - 1) / BLOCK);
        if first == last {
            return self.close[from..to].iter().copied().fold(f64::INFINITY, lower);
        }
        let ends = lower(suffix_low, prefix_low);
        let within = last - first - 1;
        if within == 0 {
            return ends;
        }
        let level = within.ilog2() as usize;
        let table = &self.low[level];
        lower(ends, lower(table[first + 1], table[last - (1 << level)]))
    }

    /// No close of bars `from..to` is above this. O(1).
    #[inline(always)]
    pub(super) fn high_bound(&self, from: usize, to: usize) -> f64 {
        if from >= to {
            return f64::NEG_INFINITY;
        }
        let (first, last) = (from / BLOCK, (to - 1) / BLOCK);
        let level = (last - first + 1).ilog2() as usize;
        let table = &self.high[level];
        higher(table[first], table[last + 1 - (1 << level)])
    }
}

impl Default for Tile<'_> {
    fn default() -> Self {
        Self::new()
    }
}

#[inline(always)]
fn lower(a: f64, b: f64) -> f64 {
    if b < a { b } else { a }
}

#[inline(always)]
fn higher(a: f64, b: f64) -> f64 {
    if b > a { b } else { a }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::statistics::price_returns;

    proptest! {
        #[test]
        fn ranges_agree_with_a_scan(
            close in prop::collection::vec(1.0_f64..2.0, 2..TILE),
            cuts in (0.0_f64..1.0, 0.0_f64..1.0, 0.0_f64..1.0),
        ) {
            let mut returns = vec![0.0; close.len()];
            price_returns(&close, &mut returns);
            let start = (cuts.0 * close.len() as f64) as usize / 2;
            let mut tile = Tile::new();
            tile.load(&close, &returns, start..close.len());
            let at = |share: f64| (share * (tile.len() + 1) as f64) as usize;
            let (from, to) = (at(cuts.1.min(cuts.2)), at(cuts.1.max(cuts.2)));
            let (head, tail) = (tile.rows[from], tile.rows[to]);
            let held = &tile.close[from..to];
            let low = held.iter().copied().fold(f64::INFINITY, f64::min);
            let high = held.iter().copied().fold(f64::NEG_INFINITY, f64::max);
            prop_assert_eq!(tile.low(from, to, head.suffix_low, tail.prefix_low), low);
            prop_assert!(tile.high_bound(from, to) >= high);
            let sum: f64 = returns[start + from..start + to].iter().sum();
            prop_assert!((tail.sum - head.sum - sum).abs() < 1e-11);
            prop_assert!(to == 0 || tail.last == tile.close[to - 1]);
        }
    }
}
