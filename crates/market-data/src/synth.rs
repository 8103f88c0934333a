//! Seeded bars that look like a market's: volatility in clusters, busy hours, ticks and gaps.

use crate::Bars;

/// What to make.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct SynthOptions {
    /// Number of bars.
    pub bars: usize,
    /// Length of a bar in nanoseconds.
    pub freq_ns: i64,
    /// Seed of the random numbers.
    pub seed: u64,
    /// Share of bars that are missing, from 0 to below 1.
    pub gap_share: f64,
    /// First timestamp in nanoseconds since the Unix epoch.
    pub start_ns: i64,
    /// First price.
    pub start_price: f64,
    /// Smallest price step.
    pub tick: f64,
}

impl Default for SynthOptions {
    /// A day of minutes from 2024-01-01, in cents.
    fn default() -> Self {
        Self {
            bars: 1_440,
            freq_ns: 60_000_000_000,
            seed: 1,
            gap_share: 0.0,
            start_ns: 1_704_067_200_000_000_000,
            start_price: 100.0,
            tick: 0.01,
        }
    }
}

/// Volatility of a bar where the market is calm and the bar a minute long.
const CALM: f64 = 4e-4;
const DAY_NS: i64 = 86_400_000_000_000;

/// Makes bars. The same options give the same bits on every platform: only sums, products,
/// quotients and square roots are used, which IEEE 754 rounds one way.
///
/// Returns follow a GARCH(1, 1) process around a slow pull to the first price, with twelve uniform
/// draws to a normal one. Volume rises with the size of the move and towards the day's ends.
#[must_use]
pub fn synth(options: &SynthOptions) -> Bars {
    let mut random = Random::new(options.seed);
    let mut bars = Bars::with_capacity(options.bars);
    let round = |price: f64| ((price / options.tick).round() * options.tick).max(options.tick);
    let mut price = options.start_price;
    let mut variance = CALM * CALM;
    let mut step = 0_i64;
    for _ in 0..options.bars {
        while random.uniform() < options.gap_share {
            step += 1;
        }
        let timestamp = options.start_ns + step * options.freq_ns;
        let shock = random.normal();
        let pull = 1e-6 * (options.start_price / price - 1.0);
        let change = pull + variance.sqrt() * shock;
        variance = CALM * CALM * 0.05 + variance * (0.90 + 0.05 * shock * shock);
        let open = round(price);
        price *= 1.0 + change;
        let close = round(price);
        let reach = variance.sqrt() * open;
        let high = round(open.max(close) + reach * random.uniform());
        let low = round(open.min(close) - reach * random.uniform());
        let volume = volume(timestamp, change / CALM, random.uniform());
        bars.timestamp.push(timestamp);
        bars.open.push(open);
        bars.high.push(high.max(open).max(close));
        bars.low.push(low.min(open).min(close));
        bars.close.push(close);
        bars.volume.push(volume);
        step += 1;
    }
    bars
}

/// Busy at the day's ends, calm at noon; in thousandths.
fn volume(timestamp: i64, move_size: f64, draw: f64) -> f64 {
    let share_of_day = timestamp.rem_euclid(DAY_NS) as f64 / DAY_NS as f64;
    let from_noon = 2.0 * share_of_day - 1.0;
    let busy = 0.5 + 1.5 * from_noon * from_noon;
    let size = 20.0 * busy * (1.0 + move_size.abs()) * (0.2 + draw);
    (size * 1e3).round() / 1e3
}

/// SplitMix64 (Steele, Lea and Flood 2014): one multiply-xor chain a number, and every seed good.
struct Random(u64);

impl Random {
    fn new(seed: u64) -> Self {
        Self(seed)
    }

    /// From 0 to below 1.
    fn uniform(&mut self) -> f64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        ((z ^ (z >> 31)) >> 11) as f64 / (1_u64 << 53) as f64
    }

    /// Normal but for the tails beyond 6: the sum of twelve uniform numbers.
    fn normal(&mut self) -> f64 {
        (0..12).map(|_| self.uniform()).sum::<f64>() - 6.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bars_are_valid_and_the_seed_decides() {
        let options = SynthOptions { bars: 10_000, gap_share: 0.05, ..SynthOptions::default() };
        let bars = synth(&options);
        assert_eq!(bars.len(), 10_000);
        assert_eq!(crate::defects(bars.view()).next(), None);
        assert_eq!(synth(&options), bars);
        assert_ne!(synth(&SynthOptions { seed: 2, ..options }), bars);
        let span = bars.timestamp[9_999] - bars.timestamp[0];
        assert!(span > 10_300 * options.freq_ns, "gaps lengthen the time");
    }

    /// Holds the bits on every platform.
    #[test]
    fn the_first_bars_are_these() {
        let bars = synth(&SynthOptions { bars: 3, ..SynthOptions::default() });
        assert_eq!(bars.close, FIRST_CLOSES);
    }

    const FIRST_CLOSES: [f64; 3] = [100.05, 100.0, 100.06];
}
