//! Statistics that need every return at once, in one pass over blocks of them.

use multiversion::multiversion;

use super::quantile::{Bracket, SAMPLE, places, quantile};
use super::returns::Returns;

/// Moments and quantiles of a series of returns, and its regression on the benchmark's.
#[derive(Debug, Clone, Copy)]
pub(super) struct Extended {
    /// Adjusted Fisher-Pearson skewness (Joanes and Gill 1998, G1), as pandas.
    pub(super) skew: f64,
    /// Adjusted excess kurtosis (Joanes and Gill 1998, G2), as pandas.
    pub(super) kurtosis: f64,
    /// Returns at the 5th and 95th percentile, linear between ranks.
    pub(super) p5: f64,
    pub(super) p95: f64,
    /// Mean of what the regression on the benchmark leaves, per bar.
    pub(super) alpha_per_bar: f64,
    pub(super) beta: f64,
}

/// The percentiles.
const SHARES: [f64; 2] = [0.05, 0.95];

impl Extended {
    /// Of `returns`, whose mean is `mean`, against the returns of `close`, whose first is 0. O(bars)
    /// time; memory for a twentieth of the returns.
    pub(super) fn of(returns: impl Returns + Copy, mean: f64, close: &[f64]) -> Self {
        let count = close.len();
        let brackets = brackets(returns, count);
        // About the mean of the logarithms, which is near that of the returns.
        let about = (close[count - 1] / close[0]).ln() / count as f64;
        let Pass { sums, brackets } = pass(returns, [mean, about], close, brackets);
        let n = count as f64;
        let Sums { m1, m2, m3, m4, price, price_squares, products } = sums;
        let gap = price / n;
        let beta = (products - m1 * gap) / (price_squares - price * gap);
        let [p5, p95] =
            match brackets.map(|[low, high]| (low.quantile(count), high.quantile(count))) {
                Some((Some(p5), Some(p95))) => [p5, p95],
                _ => SHARES.map(|share| quantile(&mut all(returns, count), share)),
            };
        Self {
            skew: (n * (n - 1.0)).sqrt() / (n - 2.0) * (m3 / n) / (m2 / n).powf(1.5),
            kurtosis: (n - 1.0) / ((n - 2.0) * (n - 3.0))
                * ((n + 1.0) * (m4 / n) / (m2 / n).powi(2) - 3.0 * (n - 1.0)),
            p5,
            p95,
            alpha_per_bar: mean - beta * (about + gap),
            beta,
        }
    }
}

/// Where the percentiles lie; `None` for few returns, which are not worth a sample.
fn brackets(mut returns: impl Returns, count: usize) -> Option<[Bracket; 2]> {
    if count < 4 * SAMPLE {
        return None;
    }
    let mut sample: Vec<f64> = places(count).map(|bar| returns.at(bar)).collect();
    sample.sort_unstable_by(f64::total_cmp);
    Some(SHARES.map(|share| Bracket::new(share, &sample)))
}

fn all(mut returns: impl Returns, count: usize) -> Vec<f64> {
    (0..count).map(|bar| returns.at(bar)).collect()
}

/// Lanes of every sum. Fixed, so that each instruction set adds in the same order.
const LANES: usize = 8;

/// Bars whose terms are added up before they join the sums of all, so that small terms never meet a
/// large sum; and few enough to stay in the first-level cache.
const BLOCK: usize = 512;

/// Sums over all bars.
#[derive(Default)]
struct Sums {
    /// Powers of the returns about their mean.
    m1: f64,
    m2: f64,
    m3: f64,
    m4: f64,
    /// The price's returns about theirs, squares, and products with the account's.
    price: f64,
    price_squares: f64,
    products: f64,
}

impl Sums {
    fn add(&mut self, own: &[f64], price: &[f64]) {
        let [m1, m2, m3, m4] = powers(own);
        let [sum, squares, products] = with_price(own, price);
        self.m1 += m1;
        self.m2 += m2;
        self.m3 += m3;
        self.m4 += m4;
        self.price += sum;
        self.price_squares += squares;
        self.products += products;
    }
}

// Two small loops with few sums each: of one with all seven the compiler makes no vectors.

#[multiversion(targets("x86_64+avx512f+avx512vl+avx512dq", "x86_64+avx2", "aarch64+neon"))]
fn powers(own: &[f64]) -> [f64; 4] {
    let mut lanes = [[0.0; LANES]; 4];
    let (groups, rest) = own.as_chunks::<LANES>();
    let last = [padded(rest)];
    for group in groups.iter().chain(&last) {
        let squares: [f64; LANES] = std::array::from_fn(|lane| group[lane] * group[lane]);
        add(&mut lanes[0], group);
        add(&mut lanes[1], &squares);
        add(&mut lanes[2], &std::array::from_fn(|lane| squares[lane] * group[lane]));
        add(&mut lanes[3], &std::array::from_fn(|lane| squares[lane] * squares[lane]));
    }
    lanes.map(|lanes| lanes.iter().sum())
}

#[multiversion(targets("x86_64+avx512f+avx512vl+avx512dq", "x86_64+avx2", "aarch64+neon"))]
fn with_price(own: &[f64], price: &[f64]) -> [f64; 3] {
    let mut lanes = [[0.0; LANES]; 3];
    let (own, own_rest) = own.as_chunks::<LANES>();
    let (price, price_rest) = price.as_chunks::<LANES>();
    let last = ([padded(own_rest)], [padded(price_rest)]);
    for (own, price) in own.iter().chain(&last.0).zip(price.iter().chain(&last.1)) {
        add(&mut lanes[0], price);
        add(&mut lanes[1], &std::array::from_fn(|lane| price[lane] * price[lane]));
        add(&mut lanes[2], &std::array::from_fn(|lane| own[lane] * price[lane]));
    }
    lanes.map(|lanes| lanes.iter().sum())
}

#[inline(always)]
fn add(lanes: &mut [f64; LANES], terms: &[f64; LANES]) {
    for lane in 0..LANES {
        lanes[lane] += terms[lane];
    }
}

/// Fewer than [`LANES`] values and zeros, which add nothing.
fn padded(rest: &[f64]) -> [f64; LANES] {
    let mut all = [0.0; LANES];
    all[..rest.len()].copy_from_slice(rest);
    all
}

struct Pass {
    sums: Sums,
    brackets: Option<[Bracket; 2]>,
}

#[multiversion(targets("x86_64+avx512f+avx512vl+avx512dq", "x86_64+avx2", "aarch64+neon"))]
fn pass<R: Returns>(
    mut returns: R,
    [mean, about]: [f64; 2],
    close: &[f64],
    mut brackets: Option<[Bracket; 2]>,
) -> Pass {
    let mut sums = Sums::default();
    let (mut price, mut own) = ([0.0; BLOCK], [0.0; BLOCK]);
    for from in (0..close.len()).step_by(BLOCK) {
        let to = (from + BLOCK).min(close.len());
        let (price, own) = (&mut price[..to - from], &mut own[..to - from]);
        moves(close, from, price);
        returns.block(from, price, own);
        if let Some([low, high]) = &mut brackets {
            low.note(own);
            high.note(own);
        }
        own.iter_mut().for_each(|own| *own -= mean);
        price.iter_mut().for_each(|price| *price -= about);
        sums.add(own, price);
    }
    Pass { sums, brackets }
}

/// The price's returns from bar `from` on.
#[inline(always)]
fn moves(close: &[f64], from: usize, out: &mut [f64]) {
    let to = from + out.len();
    let (out, first) = if from == 0 {
        out[0] = 0.0;
        (&mut out[1..], 1)
    } else {
        (out, from)
    };
    for (out, [before, now]) in out.iter_mut().zip(close[first - 1..to].array_windows()) {
        *out = (now - before) / before;
    }
}

#[cfg(test)]
mod tests {
    use market_data::{SynthOptions, synth};
    use proptest::prelude::*;

    use super::*;
    use crate::statistics::price_returns;
    use crate::statistics::returns::Known;

    /// The definitions, in as many passes as they take.
    fn plain(returns: &[f64], close: &[f64]) -> [f64; 6] {
        let n = returns.len() as f64;
        let mean = |values: &[f64]| values.iter().sum::<f64>() / n;
        let own = mean(returns);
        let moment = |power: i32| returns.iter().map(|r| (r - own).powi(power)).sum::<f64>() / n;
        let [m2, m3, m4] = [2, 3, 4].map(moment);
        let mut price = vec![0.0; close.len()];
        price_returns(close, &mut price);
        let about = mean(&price);
        let pairs = || returns.iter().zip(&price).map(|(r, p)| (r - own, p - about));
        let beta =
            pairs().map(|(r, p)| r * p).sum::<f64>() / pairs().map(|(_, p)| p * p).sum::<f64>();
        let [p5, p95] = SHARES.map(|share| quantile(&mut returns.to_vec(), share));
        let skew = (n * (n - 1.0)).sqrt() / (n - 2.0) * m3 / m2.powf(1.5);
        let kurtosis =
            (n - 1.0) / ((n - 2.0) * (n - 3.0)) * ((n + 1.0) * m4 / (m2 * m2) - 3.0 * (n - 1.0));
        [skew, kurtosis, p5, p95, own - beta * about, beta]
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(40))]

        #[test]
        fn one_pass_is_as_good_as_many(
            bars in prop::sample::select(vec![10, 511, 512, 513, 8_191, 8_192, 30_011]),
            seed: u64,
            flat in 0_usize..3,
        ) {
            let close = synth(&SynthOptions { bars, seed, ..SynthOptions::default() }).close;
            let mut returns = vec![0.0; bars];
            price_returns(&close, &mut returns);
            let is_flat = |bar: usize| bar / 37 % 3 < flat;
            (0..bars).filter(|&bar| is_flat(bar)).for_each(|bar| returns[bar] = 0.0);
            // An account of a tenth in the asset, on some days against it.
            (0..bars).filter(|bar| bar % 91 < 30).for_each(|bar| returns[bar] *= -0.1);
            let mean = returns.iter().sum::<f64>() / bars as f64;
            let Extended { skew, kurtosis, p5, p95, alpha_per_bar, beta } =
                Extended::of(Known(&returns), mean, &close);
            let found = [skew, kurtosis, p5, p95, alpha_per_bar, beta];
            for (found, expected) in found.into_iter().zip(plain(&returns, &close)) {
                let gap = (found - expected).abs();
                prop_assert!(
                    gap <= 1e-10 * expected.abs().max(1e-6) || found.is_nan() && expected.is_nan(),
                    "{found} and {expected}"
                );
            }
        }
    }
}
