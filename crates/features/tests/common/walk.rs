//! Bars of a random walk, for tests and benches.

use market_data::Bars;

/// How it walks.
pub(crate) struct Walk {
    /// The first price.
    pub(crate) price: f64,
    /// From the least to the most that a bar moves, as a share of the price.
    pub(crate) step: f64,
    /// How far high and low reach beyond open and close at the most, as a share.
    pub(crate) reach: f64,
    /// From bar to bar.
    pub(crate) minutes: i64,
}

impl Walk {
    pub(crate) fn bars(&self, rows: usize, seed: u64) -> Bars {
        let mut state = seed | 1;
        let mut random = || {
            state ^= state << 13;
            state ^= state >> 7;
            state ^= state << 17;
            (state >> 11) as f64 / (1u64 << 53) as f64
        };
        let mut bars = Bars::with_capacity(rows);
        let mut price = self.price;
        for row in 0..rows {
            let open = price;
            price *= 1.0 + (random() - 0.5) * self.step;
            bars.timestamp.push(row as i64 * 60_000_000_000 * self.minutes);
            bars.open.push(open);
            bars.high.push(f64::max(open, price) * (1.0 + random() * self.reach));
            bars.low.push(f64::min(open, price) * (1.0 - random() * self.reach));
            bars.close.push(price);
            bars.volume.push(random() * 100.0);
        }
        bars
    }
}
