//! Probability of backtest over-fitting by combinatorially symmetric cross-validation.
//!
//! Bailey, Borwein, Lopez de Prado and Zhu, "The Probability of Backtest Overfitting" (2015): cut
//! time into 16 groups, choose the trial with the best Sharpe ratio on every choice of 8 of them,
//! and look up the rank that it has on the other 8.
//!
//! A group's moments are sums, so a half's are too. The sums of each of the 256 choices among the
//! first eight groups, and of each among the last eight, are made once per trial; a half is then
//! one of those plus one of these: one addition, and no running sum that drifts over 12,870
//! exchanges. A half's Sharpe ratios serve twice, in sample for itself and out of sample for its
//! complement. What is left, 2 x 12,870 ratios per trial, is a square root and two divisions each.

use backtest::statistics::Moments;
use rayon::prelude::*;

use super::spans::total;

/// Groups of spans.
pub const GROUPS: usize = 16;
const HALF: usize = GROUPS / 2;
/// Choices among one half of the groups.
const CHOICES: usize = 1 << HALF;
/// Trials whose tables fit the second-level cache: 4 tables x 256 x 128 x 8 bytes are 1 MiB.
const BLOCK: usize = 128;
/// Ratios that may be computed for either side: beyond 166,000 trials, some seconds, splits are
/// left out instead.
const MOST_RATIOS: usize = 1 << 31;

/// What the splits of time say of the choice of the best.
#[derive(Debug, Clone, PartialEq)]
pub struct Pbo {
    /// The share of splits whose best trial in sample is at or below the median out of sample:
    /// about 0.5 where the choice is worth nothing.
    pub probability: f64,
    /// Of each split, `ln(w / (1 - w))` of the relative rank `w` out of sample of the best trial in
    /// sample (among `n` trials, rank / (n + 1); equal trials share their middle rank).
    pub logits: Vec<f64>,
    /// The least-squares slope of the chosen trial's ratio out of sample over that in sample:
    /// negative where a better past means a worse future. NaN where all ratios in sample are equal.
    pub degradation: f64,
    /// The share of splits whose chosen trial loses out of sample.
    pub probability_of_loss: f64,
}

/// [`Pbo`] of trials, each a row of spans in time order, all rows of one length.
///
/// `None` for fewer than 2 trials, or fewer than 16 spans. A trial whose returns are all equal in
/// a half (it never traded) has the ratio 0 there. The first of equally good trials is chosen. The
/// same bits for any number of threads. O(12,870 x trials) time, O(trials) memory; beyond 166,000
/// trials every second, third, ... split and its complement, so that the time stays.
#[must_use]
pub fn pbo(trials: &[Box<[Moments]>]) -> Option<Pbo> {
    within(trials, MOST_RATIOS)
}

fn within(trials: &[Box<[Moments]>], most_ratios: usize) -> Option<Pbo> {
    if trials.len() < 2 || trials.iter().any(|spans| spans.len() < GROUPS) {
        return None;
    }
    let grouped: Vec<[Moments; GROUPS]> = trials.par_iter().map(|spans| groups(spans)).collect();
    let halves = thinned(&halves(), most_ratios / trials.len());
    let chosen = choose(&grouped, &halves);
    let judged = judge(&grouped, &halves, &chosen);
    let splits = halves.len() as f64;
    let logits: Vec<f64> = judged.iter().map(|j| j.logit(trials.len())).collect();
    let share = |count: usize| count as f64 / splits;
    Some(Pbo {
        probability: share(logits.iter().filter(|&&logit| logit <= 0.0).count()),
        logits,
        degradation: slope(&chosen, &judged),
        probability_of_loss: share(judged.iter().filter(|j| j.ratio < 0.0).count()),
    })
}

/// Spans added up to [`GROUPS`] groups, as equal as whole spans permit.
fn groups(spans: &[Moments]) -> [Moments; GROUPS] {
    let cut = |group: usize| group * spans.len() / GROUPS;
    std::array::from_fn(|group| total(&spans[cut(group)..cut(group + 1)]))
}

/// Every choice of half of the groups as bits, in ascending order: the complement of the one at
/// `i` is the one at `len - 1 - i`.
fn halves() -> Vec<u16> {
    (0..=u16::MAX).filter(|bits| bits.count_ones() as usize == HALF).collect()
}

/// At most `most` of `halves`, but two at least, evenly spread, each with its complement.
fn thinned(halves: &[u16], most: usize) -> Vec<u16> {
    let firsts = &halves[..halves.len() / 2];
    let step = firsts.len().div_ceil((most / 2).max(1));
    let firsts: Vec<u16> = firsts.iter().copied().step_by(step).collect();
    firsts.iter().copied().chain(firsts.iter().rev().map(|half| !half)).collect()
}

/// The best trial of a half.
#[derive(Debug, Clone, Copy)]
struct Chosen {
    trial: usize,
    ratio: f64,
}

/// Where the chosen trial stands on the complement.
#[derive(Debug, Clone, Copy, Default)]
struct Judged {
    ratio: f64,
    lower: usize,
    /// Others with the same ratio, the trial itself among them.
    equal: usize,
}

impl Judged {
    fn logit(self, trials: usize) -> f64 {
        let rank = self.lower as f64 + (self.equal as f64 + 1.0) / 2.0;
        let relative = rank / (trials as f64 + 1.0);
        (relative / (1.0 - relative)).ln()
    }
}

/// The best trial in sample of every half.
fn choose(grouped: &[[Moments; GROUPS]], halves: &[u16]) -> Vec<Chosen> {
    let mut chosen = vec![Chosen { trial: 0, ratio: f64::NEG_INFINITY }; halves.len()];
    for (block, trials) in grouped.chunks(BLOCK).enumerate() {
        let tables = Tables::new(trials);
        let each = chosen.par_iter_mut().zip(halves).with_min_len(256);
        each.for_each(|(best, &half)| {
            let mut ratios = [0.0; BLOCK];
            tables.ratios(half, &mut ratios);
            for (at, &ratio) in ratios[..trials.len()].iter().enumerate() {
                if ratio > best.ratio {
                    *best = Chosen { trial: block * BLOCK + at, ratio };
                }
            }
        });
    }
    chosen
}

/// Where every half's best trial stands on the other half.
fn judge(grouped: &[[Moments; GROUPS]], halves: &[u16], chosen: &[Chosen]) -> Vec<Judged> {
    let mut judged = vec![Judged::default(); halves.len()];
    // The chosen trials' own ratios first, by the same arithmetic as all others'.
    judged.par_iter_mut().zip(halves.par_iter().zip(chosen)).for_each(|(judged, (half, best))| {
        let own = &grouped[best.trial];
        judged.ratio = ratio(added(own, !half & 0xff) + added(own, !half & 0xff00));
    });
    for trials in grouped.chunks(BLOCK) {
        let tables = Tables::new(trials);
        let each = judged.par_iter_mut().zip(halves).with_min_len(256);
        each.for_each(|(judged, &half)| {
            let mut ratios = [0.0; BLOCK];
            tables.ratios(!half, &mut ratios);
            let ratios = &ratios[..trials.len()];
            let count = |is: fn(f64, f64) -> bool| {
                ratios.iter().map(|&ratio| usize::from(is(ratio, judged.ratio))).sum::<usize>()
            };
            let (lower, equal) = (count(|a, b| a < b), count(|a, b| a == b));
            judged.lower += lower;
            judged.equal += equal;
        });
    }
    judged
}

/// Sums over the groups of `half`, from the first to the last.
fn added(groups: &[Moments; GROUPS], half: u16) -> Moments {
    let within = groups.iter().enumerate().filter(|(group, _)| half >> group & 1 == 1);
    within.fold(Moments::default(), |sum, (_, &group)| sum + group)
}

/// The Sharpe ratio per return; 0 where all are equal. Total order: never NaN.
fn ratio(moments: Moments) -> f64 {
    ratio_of(moments.count as f64, moments.sum, moments.sum_squares)
}

fn ratio_of(count: f64, sum: f64, sum_squares: f64) -> f64 {
    let mean = sum / count;
    let variance = (sum_squares - mean * sum) / (count - 1.0);
    let ratio = mean / variance.sqrt();
    if variance > 0.0 { ratio } else { 0.0 }
}

/// A number per trial of a block, for each choice among eight groups.
type Table = Vec<[f64; BLOCK]>;

/// Sums of a block of trials for each choice among the first and among the last eight groups.
struct Tables {
    sum: [Table; 2],
    sum_squares: [Table; 2],
    /// Returns of each choice; the same for all trials, which span the same bars.
    count: [[f64; CHOICES]; 2],
}

impl Tables {
    fn new(trials: &[[Moments; GROUPS]]) -> Self {
        let table = || vec![[0.0; BLOCK]; CHOICES];
        let mut tables = Self {
            sum: [table(), table()],
            sum_squares: [table(), table()],
            count: [[0.0; CHOICES]; 2],
        };
        for side in 0..2 {
            for choice in 0..CHOICES {
                let half = (choice as u16) << (side * HALF);
                tables.count[side][choice] = added(&trials[0], half).count as f64;
                for (at, trial) in trials.iter().enumerate() {
                    let moments = added(trial, half);
                    tables.sum[side][choice][at] = moments.sum;
                    tables.sum_squares[side][choice][at] = moments.sum_squares;
                }
            }
        }
        tables
    }

    fn ratios(&self, half: u16, out: &mut [f64; BLOCK]) {
        let (low, high) = (usize::from(half) % CHOICES, usize::from(half) / CHOICES);
        let count = self.count[0][low] + self.count[1][high];
        let sums = self.sum[0][low].iter().zip(&self.sum[1][high]);
        let squares = self.sum_squares[0][low].iter().zip(&self.sum_squares[1][high]);
        for ((out, (a, b)), (c, d)) in out.iter_mut().zip(sums).zip(squares) {
            *out = ratio_of(count, a + b, c + d);
        }
    }
}

fn slope(chosen: &[Chosen], judged: &[Judged]) -> f64 {
    let n = chosen.len() as f64;
    let mean_x = chosen.iter().map(|c| c.ratio).sum::<f64>() / n;
    let mean_y = judged.iter().map(|j| j.ratio).sum::<f64>() / n;
    let pairs = || chosen.iter().zip(judged).map(|(c, j)| (c.ratio - mean_x, j.ratio - mean_y));
    pairs().map(|(x, y)| x * y).sum::<f64>() / pairs().map(|(x, _)| x * x).sum::<f64>()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sampler::rng::Rng;
    use crate::validation::spans::tests::noise;

    /// Two returns, `mean - 1` and `mean + 1`, in each group.
    fn row(means: [f64; GROUPS]) -> Box<[Moments]> {
        means.map(|mean| Moments::of(&[mean - 1.0, mean + 1.0])).into()
    }

    /// Two trials that earn the same in opposite groups: whatever half the first is best in, it is
    /// the worse on the other. With `g` of its 8 good groups in the half, the first is chosen where
    /// g >= 4 (it comes first among equals).
    #[test]
    fn worked_by_hand() {
        let good = |is: bool| if is { 0.5 } else { -0.5 };
        let first = row(std::array::from_fn(|group| good(group < 8)));
        let second = row(std::array::from_fn(|group| good(group >= 8)));
        let pbo = pbo(&[first, second]).unwrap();
        // C(16, 8) splits, of which C(8, 4)^2 = 4,900 have as many good groups on either side, where
        // both trials have the ratio 0 and share the middle rank: logit 0. In all others the
        // chosen one has rank 1 of 2: 1/3, whose logit is -ln 2.
        assert_eq!(pbo.logits.len(), 12_870);
        let even = pbo.logits.iter().filter(|&&logit| logit == 0.0).count();
        assert_eq!(even, 4_900);
        let others = pbo.logits.iter().filter(|&&logit| logit != 0.0);
        assert!(others.clone().all(|logit| (logit + 2.0_f64.ln()).abs() < 1e-12));
        assert_eq!(pbo.probability, 1.0);
        // Every other split loses exactly what it had earned.
        assert_eq!(pbo.probability_of_loss, 7_970.0 / 12_870.0);
        assert!((pbo.degradation + 1.0).abs() < 1e-9, "{}", pbo.degradation);
    }

    #[test]
    fn the_table_form_is_the_plain_one() {
        let mut rng = Rng::new(3);
        let trials: Vec<_> = (0..BLOCK + 9).map(|_| noise(&mut rng, 0.0)).collect();
        let fast = pbo(&trials).unwrap();
        let grouped: Vec<_> = trials.iter().map(|spans| groups(spans)).collect();
        for (at, &half) in halves().iter().enumerate().step_by(997) {
            let ratios = |half: u16| -> Vec<f64> {
                let sum = |t| added(t, half & 0xff) + added(t, half & 0xff00);
                grouped.iter().map(|trial| ratio(sum(trial))).collect()
            };
            let (inside, outside) = (ratios(half), ratios(!half));
            let best = (0..trials.len()).fold(0, |b, i| if inside[i] > inside[b] { i } else { b });
            let rank = 1 + outside.iter().filter(|&&ratio| ratio < outside[best]).count();
            let relative = rank as f64 / (trials.len() + 1) as f64;
            assert_eq!(fast.logits[at], (relative / (1.0 - relative)).ln());
        }
    }

    #[test]
    fn noise_is_a_coin_and_skill_is_not() {
        let runs = 40;
        let noisy = |seed| {
            let mut rng = Rng::new(seed);
            pbo(&(0..20).map(|_| noise(&mut rng, 0.0)).collect::<Vec<_>>()).unwrap().probability
        };
        let mean = (0..runs).map(noisy).sum::<f64>() / runs as f64;
        assert!((mean - 0.5).abs() < 0.1, "{mean}");
        let mut rng = Rng::new(1);
        let mut trials: Vec<_> = (0..20).map(|_| noise(&mut rng, 0.0)).collect();
        trials[7] = noise(&mut rng, 0.3);
        let skill = pbo(&trials).unwrap();
        assert!(skill.probability < 0.001 && skill.probability_of_loss < 0.001, "{skill:.3?}");
    }

    #[test]
    fn many_trials_share_fewer_splits_that_say_the_same() {
        let all = halves();
        assert_eq!(thinned(&all, usize::MAX), all);
        let some = thinned(&all, 999);
        assert_eq!(some.len(), 990);
        assert!(some.is_sorted() && (0..990).all(|at| some[at] == !some[989 - at]));
        assert_eq!(thinned(&all, 0).len(), 2);
        let mut rng = Rng::new(4);
        let trials: Vec<_> = (0..40).map(|at| noise(&mut rng, f64::from(at) / 1e3)).collect();
        let (whole, part) = (pbo(&trials).unwrap(), within(&trials, 40_000).unwrap());
        assert_eq!((whole.logits.len(), part.logits.len()), (12_870, 990));
        assert!((whole.probability - part.probability).abs() < 0.05, "{whole:?} {part:?}");
    }

    #[test]
    fn any_number_of_threads_gives_the_same_bits() {
        let mut rng = Rng::new(5);
        let trials: Vec<_> = (0..300).map(|_| noise(&mut rng, 0.0)).collect();
        let with = |threads| {
            let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
            pool.install(|| pbo(&trials).unwrap())
        };
        assert_eq!(with(1), with(3));
    }

    #[test]
    fn too_little_has_no_answer() {
        let one = row([0.1; GROUPS]);
        assert_eq!(pbo(std::slice::from_ref(&one)), None);
        assert_eq!(pbo(&[one, Box::new([Moments::default(); 4])]), None);
    }
}
