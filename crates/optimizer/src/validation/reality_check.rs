//! Whether the best of many trials beats a benchmark, beyond what choosing the best would show.
//!
//! White, "A Reality Check for Data Snooping" (2000), and Hansen, "A Test for Superior Predictive
//! Ability" (2005), over the mean returns of spans of time. Their null distribution is that of the
//! stationary bootstrap of Politis and Romano (1994): blocks of geometric length, wrapped around.
//! A span holds many bars, so that what depends on what within it is kept as it is.

use backtest::statistics::Moments;
use rayon::prelude::*;

use crate::sampler::rng::Rng;

/// How the bootstrap draws.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Bootstrap {
    /// Resamples.
    pub resamples: usize,
    /// Mean length of a block, in spans; at least 1.
    pub mean_block: f64,
    /// The same seed gives the same bits.
    pub seed: u64,
}

impl Default for Bootstrap {
    /// 1,000 resamples; blocks of 2 spans: a span is long already, and longer blocks of 64 spans
    /// would leave few.
    fn default() -> Self {
        Self { resamples: 1_000, mean_block: 2.0, seed: 1 }
    }
}

/// Probabilities that the best trial would look as good if none were better than the benchmark.
/// Each is (1 + resamples at least as good) / (1 + resamples).
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct RealityCheck {
    /// White's: not studentised, all trials taken to be just as good as the benchmark, so that
    /// many poor and noisy trials hide a good one.
    pub white: f64,
    /// Hansen's consistent one: trials that are clearly worse do not count.
    pub spa: f64,
    /// Hansen's lower bound: no trial that is worse counts.
    pub spa_lower: f64,
    /// Hansen's upper bound: all count as in White's, but studentised.
    pub spa_upper: f64,
}

/// [`RealityCheck`] of trials, each a row of spans in time order, against `benchmark`, another such
/// row, or against holding cash.
///
/// `None` for no trials, fewer than 8 spans, rows of unequal length, or returns that are not
/// finite. Trials that do not differ from the benchmark in variance (they never traded) count for
/// nothing. The same bits for any number of threads. O(resamples x trials x spans).
#[must_use]
pub fn reality_check(
    trials: &[Box<[Moments]>],
    benchmark: Option<&[Moments]>,
    bootstrap: Bootstrap,
) -> Option<RealityCheck> {
    let spans = trials.first()?.len();
    let is_even = trials.iter().all(|trial| trial.len() == spans);
    if spans < 8 || !is_even || benchmark.is_some_and(|row| row.len() != spans) {
        return None;
    }
    let restart = 1.0 / bootstrap.mean_block.max(1.0);
    let excess: Vec<Excess> = trials
        .par_iter()
        .map(|trial| Excess::new(trial, benchmark, restart))
        .collect::<Option<Vec<_>>>()?
        .into_iter()
        .filter(|excess| excess.deviation > 0.0)
        .collect();
    let stretch = stretch(spans, restart);
    let weights = resample_counts(spans, restart, bootstrap);
    let maxima: Vec<Maxima> =
        weights.par_iter().map(|weights| Maxima::of(&excess, weights, stretch)).collect();
    let seen = excess.iter().fold(Maxima::LEAST, |most, excess| {
        let t = excess.mean / excess.deviation;
        most.or(Maxima { white: excess.mean, lower: t, consistent: t, upper: t })
    });
    let p = |of: fn(&Maxima) -> f64| {
        let as_good = maxima.iter().filter(|maximum| of(maximum) >= of(&seen)).count();
        (1 + as_good) as f64 / (1 + maxima.len()) as f64
    };
    Some(RealityCheck {
        white: p(|m| m.white),
        spa: p(|m| m.consistent),
        spa_lower: p(|m| m.lower),
        spa_upper: p(|m| m.upper),
    })
}

/// The spans of buying at the first close and holding: what [`reality_check`] compares with.
#[must_use]
pub fn buy_and_hold(close: &[f64], spans: usize) -> Box<[Moments]> {
    let returns: Vec<f64> = std::iter::once(0.0)
        .chain(close.windows(2).map(|pair| pair[1] / pair[0] - 1.0))
        .take(close.len())
        .collect();
    let cut = |span: usize| span * close.len() / spans;
    (0..spans).map(|span| Moments::of(&returns[cut(span)..cut(span + 1)])).collect()
}

/// A trial's returns of spans above the benchmark's.
struct Excess {
    spans: Vec<f64>,
    mean: f64,
    /// Of the mean under the bootstrap; 0 where the returns are all equal.
    deviation: f64,
    /// What is taken off a resample's mean: by the consistent and by the lower estimate.
    centre: [f64; 2],
}

impl Excess {
    fn new(trial: &[Moments], benchmark: Option<&[Moments]>, restart: f64) -> Option<Self> {
        let against = |at: usize| benchmark.map_or(0.0, |row| row[at].sum);
        let spans: Vec<f64> =
            trial.iter().enumerate().map(|(at, span)| span.sum - against(at)).collect();
        let n = spans.len() as f64;
        let mean = spans.iter().sum::<f64>() / n;
        if !mean.is_finite() {
            return None;
        }
        let variance = long_run_variance(&spans, mean, restart).max(0.0);
        let deviation = (variance / n).sqrt() * stretch(spans.len(), restart);
        // Hansen's threshold: by the law of the iterated logarithm, a trial that is no worse than
        // the benchmark stays above it.
        let is_clearly_worse = mean <= -deviation * (2.0 * n.ln().ln()).sqrt();
        let consistent = if is_clearly_worse { 0.0 } else { mean };
        Some(Self { spans, mean, deviation, centre: [consistent, mean.max(0.0)] })
    }
}

/// The variance of the square root of n times the mean under the stationary bootstrap: the
/// autocovariances with the kernel of Politis and Romano (1994), equation 6. O(spans squared).
fn long_run_variance(spans: &[f64], mean: f64, restart: f64) -> f64 {
    let n = spans.len();
    let covariance = |lag: usize| {
        let pairs = spans.iter().zip(&spans[lag..]);
        pairs.map(|(a, b)| (a - mean) * (b - mean)).sum::<f64>() / n as f64
    };
    weighted(n, restart, covariance)
}

fn weighted(n: usize, restart: f64, covariance: impl Fn(usize) -> f64) -> f64 {
    let kernel = |lag: usize| {
        let share = lag as f64 / n as f64;
        let stay = |lags: usize| (1.0 - restart).powi(lags as i32);
        (1.0 - share) * stay(lag) + share * stay(n - lag)
    };
    covariance(0) + 2.0 * (1..n).map(|lag| kernel(lag) * covariance(lag)).sum::<f64>()
}

/// By how much the bootstrap's deviations are too small on average, because it takes the sample's
/// mean for the true one: what n / (n - 1) is to a variance. Exact for independent spans, where an
/// autocovariance has the mean -(n - lag) / n^2. Without it a test at 10% rejects a fifth.
fn stretch(n: usize, restart: f64) -> f64 {
    let size = n as f64;
    let mean_covariance = |lag: usize| match lag {
        0 => 1.0 - 1.0 / size,
        lag => -((n - lag) as f64) / (size * size),
    };
    weighted(n, restart, mean_covariance).max(1e-3).sqrt().recip()
}

/// Of each resample, how often it has each span: all that its means depend on.
fn resample_counts(spans: usize, restart: f64, bootstrap: Bootstrap) -> Vec<Vec<f64>> {
    let mut rng = Rng::new(bootstrap.seed);
    let mut resample = || {
        let mut counts = vec![0.0; spans];
        let mut at = 0;
        for place in 0..spans {
            let is_new = place == 0 || rng.uniform() < restart;
            at = if is_new { (rng.uniform() * spans as f64) as usize } else { (at + 1) % spans };
            counts[at] += 1.0;
        }
        counts
    };
    (0..bootstrap.resamples).map(|_| resample()).collect()
}

/// The greatest statistics among all trials; a studentised one is at least 0.
#[derive(Debug, Clone, Copy)]
struct Maxima {
    white: f64,
    lower: f64,
    consistent: f64,
    upper: f64,
}

impl Maxima {
    const LEAST: Self = Self { white: f64::NEG_INFINITY, lower: 0.0, consistent: 0.0, upper: 0.0 };

    fn or(self, other: Self) -> Self {
        Self {
            white: self.white.max(other.white),
            lower: self.lower.max(other.lower),
            consistent: self.consistent.max(other.consistent),
            upper: self.upper.max(other.upper),
        }
    }

    /// Of one resample.
    fn of(excess: &[Excess], counts: &[f64], stretch: f64) -> Self {
        excess.iter().fold(Self::LEAST, |most, excess| {
            let drawn = dot(&excess.spans, counts) / counts.len() as f64;
            let mean = excess.mean + stretch * (drawn - excess.mean);
            let [consistent, lower] = excess.centre.map(|centre| mean - centre);
            most.or(Self {
                white: mean - excess.mean,
                lower: lower / excess.deviation,
                consistent: consistent / excess.deviation,
                upper: (mean - excess.mean) / excess.deviation,
            })
        })
    }
}

/// Eight lanes, so that it vectorises; the same order of additions on every machine.
fn dot(a: &[f64], b: &[f64]) -> f64 {
    let (a, a_rest) = a.as_chunks::<8>();
    let (b, b_rest) = b.as_chunks::<8>();
    let mut lanes = [0.0; 8];
    for (a, b) in a.iter().zip(b) {
        for lane in 0..8 {
            lanes[lane] += a[lane] * b[lane];
        }
    }
    let rest: f64 = a_rest.iter().zip(b_rest).map(|(a, b)| a * b).sum();
    lanes.iter().sum::<f64>() + rest
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::validation::spans::tests::noise;

    const QUICK: Bootstrap = Bootstrap { resamples: 199, mean_block: 2.0, seed: 9 };

    fn trials(seed: u64, count: usize, winner: f64) -> Vec<Box<[Moments]>> {
        let mut rng = Rng::new(seed);
        let mean = |at| if at == 3 { winner } else { 0.0 };
        (0..count).map(|at| noise(&mut rng, mean(at))).collect()
    }

    /// A test at 10% on 300 samples of noise: 10% are expected, give or take 1.7%, and a little more
    /// of 64 spans.
    #[test]
    fn noise_is_rejected_about_as_often_as_said() {
        let runs = 300;
        let p = |seed| reality_check(&trials(seed, 10, 0.0), None, QUICK).unwrap();
        let checks: Vec<RealityCheck> = (0..runs).map(p).collect();
        let share = |of: fn(&RealityCheck) -> f64| {
            checks.iter().filter(|check| of(check) <= 0.1).count() as f64 / runs as f64
        };
        let (white, spa) = (share(|c| c.white), share(|c| c.spa));
        assert!((0.05..0.18).contains(&white), "{white}");
        assert!((0.05..0.2).contains(&spa), "{spa}");
    }

    #[test]
    fn a_planted_winner_is_found() {
        // 1,280 returns of mean 0.15 and deviation 1: a t value of 5.4.
        let found = (0..20)
            .filter(|&seed| reality_check(&trials(seed, 30, 0.15), None, QUICK).unwrap().spa < 0.05)
            .count();
        assert!(found >= 19, "{found}");
    }

    #[test]
    fn the_bounds_enclose_and_poor_trials_do_not_hide_a_good_one() {
        let mut rows = trials(4, 5, 0.1);
        let mut rng = Rng::new(5);
        rows.extend((0..100).map(|_| {
            // Wild and losing: they drown White's maximum, and Hansen's drops them.
            let mut row = noise(&mut rng, 0.0);
            row.iter_mut().for_each(|span| span.sum = 8.0 * span.sum - 200.0);
            row
        }));
        let check = reality_check(&rows, None, Bootstrap::default()).unwrap();
        assert!(check.spa_lower <= check.spa && check.spa <= check.spa_upper, "{check:?}");
        assert!(check.spa < 0.05 && check.white > 0.5, "{check:?}");
    }

    #[test]
    fn the_benchmark_itself_is_no_better() {
        let rows = trials(2, 2, 0.0);
        let check = reality_check(&rows[..1], Some(&rows[0]), QUICK).unwrap();
        assert_eq!((check.white, check.spa), (1.0, 1.0));
        let close: Vec<f64> = (0..128).map(|bar| 100.0 + f64::from(bar)).collect();
        let held = buy_and_hold(&close, 64);
        assert_eq!(held.iter().map(|span| span.count).sum::<usize>(), 128);
        assert!((held[0].sum - 0.01).abs() < 1e-12);
    }

    #[test]
    fn the_variance_is_that_of_the_resamples() {
        let mut rng = Rng::new(8);
        let spans: Vec<f64> = (0..64).map(|_| rng.normal()).collect();
        let mean = spans.iter().sum::<f64>() / 64.0;
        let many = Bootstrap { resamples: 20_000, ..QUICK };
        let means = resample_counts(64, 0.25, many);
        let squares = means.iter().map(|counts| (dot(&spans, counts) / 64.0 - mean).powi(2));
        let drawn = squares.sum::<f64>() / 20_000.0 * 64.0;
        let exact = long_run_variance(&spans, mean, 0.25);
        assert!((drawn / exact - 1.0).abs() < 0.05, "{drawn} {exact}");
    }

    #[test]
    fn too_little_has_no_answer() {
        assert_eq!(reality_check(&[], None, QUICK), None);
        assert_eq!(reality_check(&[Box::new([Moments::default(); 4])], None, QUICK), None);
        let bad = Moments { count: 3, sum: f64::NAN, sum_squares: 0.0 };
        assert_eq!(reality_check(&[Box::new([bad; 64])], None, QUICK), None);
    }
}
