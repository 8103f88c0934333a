//! What several test files take: bars of a random walk, and columns compared bit for bit.

mod walk;

use market_data::Bars;

/// Bars of a random walk.
pub(crate) fn walk(rows: usize, seed: u64) -> Bars {
    walk::Walk { price: 100.0, step: 0.01, reach: 0.002, minutes: 7 }.bars(rows, seed)
}

/// The same numbers, NaN being NaN whatever its bits.
pub(crate) fn assert_same_bits(a: &[Vec<f64>], b: &[Vec<f64>], what: &str) {
    for (column, (a, b)) in a.iter().zip(b).enumerate() {
        for (row, (a, b)) in a.iter().zip(b).enumerate() {
            let same = a.to_bits() == b.to_bits() || a.is_nan() && b.is_nan();
            assert!(same, "{what} column {column} row {row}: {a} and {b}");
        }
    }
}
