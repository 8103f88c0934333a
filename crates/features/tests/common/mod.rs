//! What several test files take: bars of a random walk, and columns compared bit for bit.

use market_data::Bars;

/// Bars of a random walk.
pub(crate) fn walk(rows: usize, seed: u64) -> Bars {
    let mut state = seed | 1;
    let mut random = || {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        (state >> 11) as f64 / (1u64 << 53) as f64
    };
    let mut bars = Bars::with_capacity(rows);
    let mut price = 100.0;
    for row in 0..rows {
        let open = price;
        price *= 1.0 + (random() - 0.5) * 0.01;
        bars.timestamp.push(row as i64 * 60_000_000_000 * 7);
        bars.open.push(open);
        bars.high.push(f64::max(open, price) * (1.0 + random() * 0.002));
        bars.low.push(f64::min(open, price) * (1.0 - random() * 0.002));
        bars.close.push(price);
        bars.volume.push(random() * 100.0);
    }
    bars
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
