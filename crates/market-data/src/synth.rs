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
    Synth::new(options, options.bars).next().unwrap_or_default()
}

/// The bars of [`synth`] in pieces: as many as wanted in the memory of one piece.
///
/// ```
/// use market_data::{Synth, SynthOptions, synth};
///
/// let options = SynthOptions { bars: 1_000, ..SynthOptions::default() };
/// let closes: Vec<f64> = Synth::new(&options, 300).flat_map(|piece| piece.close).collect();
/// assert_eq!(closes, synth(&options).close);
/// ```
#[derive(Debug)]
pub struct Synth {
    options: SynthOptions,
    random: Random,
    price: f64,
    variance: f64,
    step: i64,
    rows: usize,
    left: usize,
}

impl Synth {
    /// Pieces have `rows` bars, the last one fewer.
    #[must_use]
    pub fn new(options: &SynthOptions, rows: usize) -> Self {
        Self {
            options: *options,
            random: Random::new(options.seed),
            price: options.start_price,
            variance: CALM * CALM,
            step: 0,
            rows: rows.max(1),
            left: options.bars,
        }
    }

    fn push(&mut self, bars: &mut Bars) {
        let SynthOptions { gap_share, start_ns, freq_ns, start_price, tick, .. } = self.options;
        let round = |price: f64| ((price / tick).round() * tick).max(tick);
        while self.random.uniform() < gap_share {
            self.step += 1;
        }
        let timestamp = start_ns + self.step * freq_ns;
        let shock = self.random.normal();
        let pull = 1e-6 * (start_price / self.price - 1.0);
        let change = pull + self.variance.sqrt() * shock;
        self.variance = CALM * CALM * 0.05 + self.variance * (0.90 + 0.05 * shock * shock);
        let open = round(self.price);
        self.price *= 1.0 + change;
        let close = round(self.price);
        let reach = self.variance.sqrt() * open;
        let high = round(open.max(close) + reach * self.random.uniform());
        let low = round(open.min(close) - reach * self.random.uniform());
        let volume = volume(timestamp, change / CALM, self.random.uniform());
        bars.timestamp.push(timestamp);
        bars.open.push(open);
        bars.high.push(high.max(open).max(close));
        bars.low.push(low.min(open).min(close));
        bars.close.push(close);
        bars.volume.push(volume);
        self.step += 1;
    }
}

impl Iterator for Synth {
    type Item = Bars;

    fn next(&mut self) -> Option<Bars> {
        let rows = self.rows.min(self.left);
        if rows == 0 {
            return None;
        }
        self.left -= rows;
        let mut bars = Bars::with_capacity(rows);
        for _ in 0..rows {
            self.push(&mut bars);
        }
        Some(bars)
    }
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
#[derive(Debug)]
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

    fn squares(bars: &Bars) -> Vec<f64> {
        bars.close.windows(2).map(|pair| (pair[1] / pair[0]).ln().powi(2)).collect()
    }

    /// How alike a series is to itself `lag` later, from -1 to 1.
    fn autocorrelation(values: &[f64], lag: usize) -> f64 {
        let mean = values.iter().sum::<f64>() / values.len() as f64;
        let product = |(a, b): (&f64, &f64)| (a - mean) * (b - mean);
        let later: f64 = values.iter().zip(&values[lag..]).map(product).sum();
        later / values.iter().zip(values).map(product).sum::<f64>()
    }

    #[test]
    fn volatility_comes_in_clusters() {
        // A fine tick: rounding would hide small moves.
        let bars = synth(&SynthOptions { bars: 200_000, tick: 1e-4, ..SynthOptions::default() });
        let squares = squares(&bars);
        // Chance alone stays within 0.0045 (two standard errors).
        assert!(autocorrelation(&squares, 1) > 0.05, "{}", autocorrelation(&squares, 1));
        assert!(autocorrelation(&squares, 10) > 0.02, "{}", autocorrelation(&squares, 10));
        let returns: Vec<f64> = bars.close.windows(2).map(|pair| pair[1] / pair[0] - 1.0).collect();
        assert!(autocorrelation(&returns, 1).abs() < 0.02, "returns themselves are not told");
    }

    #[test]
    fn the_day_is_busy_at_its_ends() {
        let bars = synth(&SynthOptions { bars: 30 * 1_440, ..SynthOptions::default() });
        let mut by_hour = [0.0; 24];
        for (time, volume) in bars.timestamp.iter().zip(&bars.volume) {
            by_hour[(time.rem_euclid(DAY_NS) / 3_600_000_000_000) as usize] += volume;
        }
        let noon = by_hour[11] + by_hour[12];
        assert!(by_hour[0] + by_hour[23] > 3.0 * noon, "{by_hour:?}");
    }

    #[test]
    fn prices_are_whole_ticks_and_so_many_bars_are_missing() {
        let gap_share = 0.03;
        let options =
            SynthOptions { bars: 50_000, tick: 0.25, gap_share, ..SynthOptions::default() };
        let bars = synth(&options);
        for column in [&bars.open, &bars.high, &bars.low, &bars.close] {
            assert!(column.iter().all(|price| (price / 0.25).fract() == 0.0));
        }
        let steps = (bars.timestamp[49_999] - bars.timestamp[0]) / options.freq_ns + 1;
        let missing = 1.0 - 50_000.0 / steps as f64;
        assert!((missing - gap_share).abs() < 0.005, "{missing}");
    }

    /// Holds the bits on every platform.
    #[test]
    fn the_first_bars_are_these() {
        let bars = synth(&SynthOptions { bars: 3, ..SynthOptions::default() });
        assert_eq!(bars.close, FIRST_CLOSES);
    }

    const FIRST_CLOSES: [f64; 3] = [100.05, 100.0, 100.06];
}
