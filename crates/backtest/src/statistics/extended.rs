//! Statistics that need every return at once, in one pass over blocks of them.

use std::ops::Range;

use multiversion::multiversion;
use rayon::prelude::*;

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

/// Bars that one thread takes at a time. Fixed, so that no sum depends on how many threads there are.
pub(super) const PART: usize = 1 << 15;

impl Extended {
    /// Of the `returns` of an account that grew to `growth` times its cash, against the returns of
    /// `close`, whose first is 0. O(bars) time on all cores; memory for a twentieth of the returns.
    pub(super) fn of(returns: impl Returns, growth: f64, close: &[f64]) -> Self {
        let count = close.len();
        let brackets = brackets(returns, count);
        // About the means of the logarithms, which are near those of the returns.
        let about = [growth, close[count - 1] / close[0]]
            .map(|growth| if growth > 0.0 { growth.ln() / count as f64 } else { 0.0 });
        let part = |part: usize| {
            let bars = part * PART..((part + 1) * PART).min(count);
            pass(returns, about, close, bars, brackets.clone())
        };
        let Pass { powers, with_price, brackets } = if count <= PART {
            part(0)
        } else {
            let parts: Vec<Pass> = (0..count.div_ceil(PART)).into_par_iter().map(part).collect();
            parts.into_iter().reduce(Pass::and).expect("there is more than one part")
        };
        let n = count as f64;
        let [gap, m2, m3, m4] = powers.map(|lanes| lanes.iter().sum::<f64>() / n);
        let [price, price_squares, products] = with_price.map(|lanes| lanes.iter().sum::<f64>());
        let mean = about[0] + gap;
        // About the mean itself.
        let central = [
            m2 - gap * gap,
            m3 - gap * (3.0 * m2 - 2.0 * gap * gap),
            m4 - gap * (4.0 * m3 - gap * (6.0 * m2 - 3.0 * gap * gap)),
        ];
        let price_gap = price / n;
        let beta = (products - n * gap * price_gap) / (price_squares - price * price_gap);
        let [p5, p95] =
            match brackets.map(|[low, high]| (low.quantile(count), high.quantile(count))) {
                Some((Some(p5), Some(p95))) => [p5, p95],
                _ => SHARES.map(|share| quantile(&mut all(returns, count), share)),
            };
        let [m2, m3, m4] = central;
        Self {
            skew: (n * (n - 1.0)).sqrt() / (n - 2.0) * m3 / m2.powf(1.5),
            kurtosis: (n - 1.0) / ((n - 2.0) * (n - 3.0))
                * ((n + 1.0) * m4 / m2.powi(2) - 3.0 * (n - 1.0)),
            p5,
            p95,
            alpha_per_bar: mean - beta * (about[1] + price_gap),
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

type Lanes = [f64; LANES];

// Two small loops with few sums each: of one with all seven the compiler makes no vectors. And both add
// to lanes in memory: lanes that a loop itself adds up, the compiler sorts for that while it runs.

/// Adds up the first four powers.
#[multiversion(targets("x86_64+avx512f+avx512vl+avx512dq", "x86_64+avx2", "aarch64+neon"))]
fn add_powers(own: &[f64], sums: &mut [Lanes; 4]) {
    let mut lanes = [[0.0; LANES]; 4];
    let (groups, rest) = own.as_chunks();
    let last = [padded(rest)];
    for group in groups.iter().chain(&last) {
        for lane in 0..LANES {
            let r = group[lane];
            let square = r * r;
            lanes[0][lane] += r;
            lanes[1][lane] += square;
            lanes[2][lane] += square * r;
            lanes[3][lane] += square * square;
        }
    }
    add(sums, &lanes);
}

/// Adds up the price's returns, their squares, and their products with the account's.
#[multiversion(targets("x86_64+avx512f+avx512vl+avx512dq", "x86_64+avx2", "aarch64+neon"))]
fn add_with_price(own: &[f64], price: &[f64], sums: &mut [Lanes; 3]) {
    let mut lanes = [[0.0; LANES]; 3];
    let (own, own_rest) = own.as_chunks();
    let (price, price_rest) = price.as_chunks();
    let last = ([padded(own_rest)], [padded(price_rest)]);
    for (own, price) in own.iter().chain(&last.0).zip(price.iter().chain(&last.1)) {
        for lane in 0..LANES {
            let p = price[lane];
            lanes[0][lane] += p;
            lanes[1][lane] += p * p;
            lanes[2][lane] += own[lane] * p;
        }
    }
    add(sums, &lanes);
}

#[inline(always)]
fn add<const N: usize>(sums: &mut [Lanes; N], terms: &[Lanes; N]) {
    for (sums, terms) in sums.iter_mut().zip(terms) {
        for lane in 0..LANES {
            sums[lane] += terms[lane];
        }
    }
}

/// Fewer than [`LANES`] values and zeros, which add nothing.
fn padded(rest: &[f64]) -> Lanes {
    let mut all = [0.0; LANES];
    all[..rest.len()].copy_from_slice(rest);
    all
}

/// What a pass over some bars finds.
struct Pass {
    /// Of the returns about a value near their mean, the first four powers.
    powers: [Lanes; 4],
    /// Of the price's about theirs: themselves, squares, and products with the account's.
    with_price: [Lanes; 3],
    brackets: Option<[Bracket; 2]>,
}

impl Pass {
    /// With the bars that follow.
    fn and(mut self, next: Self) -> Self {
        add(&mut self.powers, &next.powers);
        add(&mut self.with_price, &next.with_price);
        if let (Some(brackets), Some(next)) = (&mut self.brackets, &next.brackets) {
            brackets.iter_mut().zip(next).for_each(|(bracket, next)| bracket.absorb(next));
        }
        self
    }
}

#[multiversion(targets("x86_64+avx512f+avx512vl+avx512dq", "x86_64+avx2", "aarch64+neon"))]
fn pass<R: Returns>(
    mut returns: R,
    [about_own, about_price]: [f64; 2],
    close: &[f64],
    bars: Range<usize>,
    mut brackets: Option<[Bracket; 2]>,
) -> Pass {
    let (mut powers, mut with_price) = ([[0.0; LANES]; 4], [[0.0; LANES]; 3]);
    let (mut price, mut own) = ([0.0; BLOCK], [0.0; BLOCK]);
    returns.seek(bars.start);
    for from in bars.clone().step_by(BLOCK) {
        let count = BLOCK.min(bars.end - from);
        let (price, own) = (&mut price[..count], &mut own[..count]);
        moves(close, from, price);
        own.copy_from_slice(price);
        returns.block(from, own);
        if let Some([low, high]) = &mut brackets {
            low.note(own);
            high.note(own);
        }
        own.iter_mut().for_each(|own| *own -= about_own);
        price.iter_mut().for_each(|price| *price -= about_price);
        add_powers(own, &mut powers);
        add_with_price(own, price, &mut with_price);
    }
    Pass { powers, with_price, brackets }
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
            bars in prop::sample::select(vec![10, 511, 512, 513, 8_191, 8_192, 30_011, 70_000]),
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
            let growth = returns.iter().map(|r| r + 1.0).product();
            let Extended { skew, kurtosis, p5, p95, alpha_per_bar, beta } =
                Extended::of(Known(&returns), growth, &close);
            let found = [skew, kurtosis, p5, p95, alpha_per_bar, beta];
            // Skew and kurtosis are small where large terms cancel: there the terms' digits count.
            let scales = [1.0, 1.0, 1e-6, 1e-6, 1e-6, 1e-6];
            for ((found, expected), scale) in
                found.into_iter().zip(plain(&returns, &close)).zip(scales)
            {
                let gap = (found - expected).abs();
                prop_assert!(
                    gap <= 1e-10 * expected.abs().max(scale)
                        || found.is_nan() && expected.is_nan(),
                    "{found} and {expected}"
                );
            }
        }
    }
}
