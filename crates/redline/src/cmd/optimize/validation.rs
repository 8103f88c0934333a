//! Whether the best trial is luck, and what choosing again and again would have earned.

use std::collections::HashSet;

use anyhow::{Result, bail};
use backtest::statistics::{Moments, Stat};
use clap::Args;
use optimizer::sampler::SamplerKind;
use optimizer::validation::{
    Pbo, RealityCheck, Subject, Verdict, WalkForward, Walked, buy_and_hold, spans, walk_forward,
};
use optimizer::{Cached, Evaluator, Found, Member, Rule, SEGMENTS, Shape};
use serde::Serialize;

use crate::cli::Global;
use crate::{progress, values};

#[derive(Debug, Args)]
#[command(next_help_heading = "Validation")]
pub(super) struct ValidationArgs {
    /// Choose on TRAIN, judge on the TEST that follows, go on by STEP [default: TEST]: in bars or
    /// in time, such as 90d:30d
    #[arg(long, value_name = "TRAIN:TEST[:STEP]")]
    walk_forward: Option<String>,
    /// Let every training window start with the first bar
    #[arg(long, requires = "walk_forward")]
    anchored: bool,
}

/// All points that saw all bars, each once.
pub(super) struct Whole {
    /// Places in the search.
    places: Vec<usize>,
    best: usize,
}

impl Whole {
    /// `None` without a best.
    pub(super) fn of(found: &Found) -> Option<Self> {
        let mut seen = HashSet::new();
        let mut is_new = |at: usize| {
            let bits = found.trials[0][at].values.iter().map(|value| value.to_bits());
            seen.insert(bits.collect::<Vec<u64>>())
        };
        let places: Vec<usize> =
            (0..found.shares.len()).filter(|&at| found.shares[at] == 1.0 && is_new(at)).collect();
        // The best is the first of equals, so that no double took its place.
        let best = places.iter().position(|&at| Some(at) == found.best)?;
        Some(Self { places, best })
    }
}

/// The judgement of the best trial.
pub(super) fn verdict(
    evaluators: &[Evaluator<'_>],
    members: &[Member<'_>],
    found: &Found,
    (rule, objective): (Rule, Stat),
    seed: u64,
) -> Option<Verdict> {
    // Shape and holding are those of one account.
    let ([evaluator], [member], Some(best)) = (evaluators, members, found.best) else {
        return judge(found, (rule, objective), seed, Bars::default());
    };
    let range = member.range.clone();
    let hold = buy_and_hold(&evaluator.bars.close[range.clone()], SEGMENTS);
    let shape = evaluator.shape(&found.trials[0][best].values, range).ok().flatten();
    judge(found, (rule, objective), seed, Bars { shape, hold: Some(&hold) })
}

/// What only the bars say of the best trial.
#[derive(Default)]
pub(super) struct Bars<'a> {
    shape: Option<Shape>,
    hold: Option<&'a [Moments]>,
}

/// The judgement of the best trial by what trials keep, and by what `bars` say.
pub(super) fn judge(
    found: &Found,
    (rule, objective): (Rule, Stat),
    seed: u64,
    bars: Bars<'_>,
) -> Option<Verdict> {
    let Whole { places, best } = Whole::of(found)?;
    let sign = if rule == Rule::Rank || objective.is_lower_better() { -1.0 } else { 1.0 };
    let points: Vec<&[f64]> = places.iter().map(|&at| &*found.trials[0][at].values).collect();
    let scores: Vec<f64> = places.iter().map(|&at| sign * found.scores[at]).collect();
    let all = spans::pooled(&found.trials);
    let spans: Vec<_> = places.iter().map(|&at| all[at].clone()).collect();
    Some(Verdict::new(&Subject {
        points: &points,
        scores: &scores,
        spans: &spans,
        best,
        shape: bars.shape.map(|Shape { skew, kurtosis }| (skew, kurtosis)),
        hold: bars.hold,
        seed,
    }))
}

/// The walk that `--walk-forward` asks for.
pub(super) fn walk(
    args: &super::OptimizeArgs,
    (evaluators, cached): (&[Evaluator<'_>], &[Cached<'_>]),
    members: &[Member<'_>],
    found: &Found,
    global: &Global,
) -> Result<Option<Walked>> {
    let ValidationArgs { walk_forward: Some(text), anchored } = &args.validation else {
        return Ok(None);
    };
    let ([evaluator], [cached], [member]) = (evaluators, cached, members) else {
        bail!("--walk-forward: give one --data and no periods; windows are cut from one series");
    };
    let windows = windows(text, *anchored, evaluator.freq_ns)?.windows(member.range.len())?;
    let first = member.range.start;
    let windows: Vec<_> = windows.into_iter().map(|window| window.shifted(first)).collect();
    let Some(Whole { places, .. }) = Whole::of(found) else { return Ok(None) };
    let points: Vec<Vec<f64>> =
        places.iter().map(|&at| found.trials[0][at].values.clone()).collect();
    let bar = progress::bar(windows.len() as u64, "windows", global);
    let objective = Stat::find(&args.objective)?;
    let walked = walk_forward(cached, &points, objective, &windows, &|done, _| {
        bar.set_position(done as u64);
    })?;
    bar.finish_and_clear();
    Ok(Some(walked))
}

/// Refuses before the search what the walk could not use after it.
pub(super) fn check(args: &super::OptimizeArgs) -> Result<()> {
    use SamplerKind::{Grid, Random, Sobol};
    let Some(text) = &args.validation.walk_forward else { return Ok(()) };
    windows(text, false, 60_000_000_000)?;
    if !matches!(args.search.sampler, Grid | Random | Sobol) {
        bail!(
            "--walk-forward: {} chose its points by scores over all bars, tests included: use \
             grid, random or sobol",
            args.search.sampler
        );
    }
    Ok(())
}

fn windows(text: &str, anchored: bool, freq_ns: i64) -> Result<WalkForward> {
    let lengths = text
        .split(':')
        .map(|part| length(part, freq_ns))
        .collect::<Option<Vec<usize>>>()
        .unwrap_or_default();
    match lengths[..] {
        [train, test] => Ok(WalkForward { train, test, step: test, anchored }),
        [train, test, step] => Ok(WalkForward { train, test, step, anchored }),
        _ => bail!(
            "--walk-forward '{text}' is not TRAIN:TEST[:STEP] in bars or time, such as \
             10000:2000 or 90d:30d:30d"
        ),
    }
}

fn length(text: &str, freq_ns: i64) -> Option<usize> {
    let bars = || Some((values::frequency(text).ok()? / freq_ns.max(1)) as usize);
    text.parse().ok().or_else(bars)
}

/// `overfitting` in the document.
#[derive(Serialize, Default)]
pub(super) struct Overfitting {
    /// Deflated Sharpe ratio of the best trial.
    dsr: Option<f64>,
    /// Probability of backtest over-fitting.
    pbo: Option<f64>,
    likely_luck: Option<bool>,
    warnings: Vec<String>,
    psr: Option<f64>,
    minimum_track_record_bars: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    splits: Option<Splits>,
    against_cash: Option<Check>,
    against_hold: Option<Check>,
    plateau: Option<Plateau>,
    cross_validation: Option<Cross>,
}

#[derive(Serialize)]
struct Splits {
    count: usize,
    probability_of_loss: f64,
    degradation_slope: Option<f64>,
    logit_p5: f64,
    logit_median: f64,
    logit_p95: f64,
}

#[derive(Serialize)]
struct Check {
    spa_p: f64,
    spa_p_lower: f64,
    spa_p_upper: f64,
    white_p: f64,
}

#[derive(Serialize)]
struct Plateau {
    score: f64,
    peak: f64,
    neighbours_mean: f64,
    neighbours_minimum: f64,
    neighbours: usize,
}

/// Sharpe ratios per bar.
#[derive(Serialize)]
struct Cross {
    train_sharpe: f64,
    path_sharpes: Vec<f64>,
}

impl Overfitting {
    pub(super) fn new(verdict: &Verdict) -> Self {
        Self {
            dsr: verdict.dsr,
            pbo: verdict.pbo.as_ref().map(|pbo| pbo.probability),
            likely_luck: verdict.is_tested().then(|| verdict.is_suspect()),
            warnings: verdict.warnings(),
            psr: verdict.psr,
            minimum_track_record_bars: verdict.minimum_track_record,
            splits: verdict.pbo.as_ref().map(Splits::new),
            against_cash: verdict.against_cash.map(Check::new),
            against_hold: verdict.against_hold.map(Check::new),
            plateau: verdict.plateau.map(|plateau| Plateau {
                score: plateau.score,
                peak: plateau.peak,
                neighbours_mean: plateau.mean,
                neighbours_minimum: plateau.minimum,
                neighbours: plateau.neighbours,
            }),
            cross_validation: verdict.cross.as_ref().map(|cross| Cross {
                train_sharpe: cross.train_sharpe,
                path_sharpes: cross.path_sharpes.clone(),
            }),
        }
    }
}

impl Splits {
    fn new(pbo: &Pbo) -> Self {
        let mut logits = pbo.logits.clone();
        logits.sort_unstable_by(f64::total_cmp);
        let at = |share: f64| logits[((logits.len() - 1) as f64 * share).round() as usize];
        Self {
            count: logits.len(),
            probability_of_loss: pbo.probability_of_loss,
            degradation_slope: Some(pbo.degradation).filter(|slope| slope.is_finite()),
            logit_p5: at(0.05),
            logit_median: at(0.5),
            logit_p95: at(0.95),
        }
    }
}

impl Check {
    fn new(check: RealityCheck) -> Self {
        let RealityCheck { white, spa, spa_lower, spa_upper } = check;
        Self { spa_p: spa, spa_p_lower: spa_lower, spa_p_upper: spa_upper, white_p: white }
    }
}

/// `walk_forward` in the document.
#[derive(Serialize)]
pub(super) struct Walk {
    windows: usize,
    undecided: usize,
    test_bars: usize,
    total_return_percent: f64,
    /// Annualised.
    sharpe_ratio: Option<f64>,
    efficiency: Option<f64>,
    windows_without_loss_percent: Option<f64>,
    folds: Vec<FoldRow>,
}

#[derive(Serialize)]
struct FoldRow {
    train_from: usize,
    train_to: usize,
    test_to: usize,
    values: Vec<f64>,
    train_objective: Option<f64>,
    test_objective: Option<f64>,
    test_return_percent: Option<f64>,
}

impl Walk {
    pub(super) fn new(walked: &Walked, objective: Stat, freq_ns: i64) -> Self {
        let finite = |value: f64| Some(value).filter(|value| value.is_finite());
        let bars_per_year = 365.0 * 86_400e9 / freq_ns as f64;
        let rows = walked.folds.iter().map(|fold| FoldRow {
            train_from: fold.train.start,
            train_to: fold.train.end,
            test_to: fold.test.end,
            values: fold.judged.values.clone(),
            train_objective: fold.chosen.statistics.get(objective),
            test_objective: fold.judged.statistics.get(objective),
            test_return_percent: fold.judged.statistics.get(Stat::TotalReturn),
        });
        Self {
            windows: walked.folds.len() + walked.undecided,
            undecided: walked.undecided,
            test_bars: walked.moments.count,
            total_return_percent: 100.0 * (walked.growth - 1.0),
            sharpe_ratio: finite(walked.sharpe() * bars_per_year.sqrt()),
            efficiency: finite(walked.efficiency()),
            windows_without_loss_percent: finite(100.0 * walked.share_of_gains()),
            folds: rows.collect(),
        }
    }

    pub(super) fn print(&self) {
        let shown =
            |value: Option<f64>| value.map_or_else(|| "-".to_owned(), |v| format!("{v:.3}"));
        println!("\nWalk-forward: {} windows, {} bars judged", self.windows, self.test_bars);
        println!(
            "  return {:.3}%, Sharpe ratio {}",
            self.total_return_percent,
            shown(self.sharpe_ratio)
        );
        println!("  efficiency (ratio in tests over training) {}", shown(self.efficiency));
        println!("  windows without loss {}%", shown(self.windows_without_loss_percent));
    }
}

/// Name, number and meaning of all that was asked.
pub(super) fn facts(verdict: &Verdict) -> Vec<(&'static str, String, &'static str)> {
    let mut facts = Vec::new();
    let mut add = |name, value: Option<f64>, meaning| {
        facts.extend(value.map(|value| (name, format!("{value:.3}"), meaning)));
    };
    let pbo = verdict.pbo.as_ref();
    add(
        "Deflated Sharpe ratio",
        verdict.dsr,
        "probability that it is above the luck of so many trials",
    );
    add(
        "Over-fitting (PBO)",
        pbo.map(|pbo| pbo.probability),
        "best in one half of time, below the median in the other",
    );
    add(
        "Loss out of sample",
        pbo.map(|pbo| pbo.probability_of_loss),
        "share of halves that the chosen one loses",
    );
    add(
        "SPA against cash",
        verdict.against_cash.map(|c| c.spa),
        "p value: how often luck alone looks as good",
    );
    add(
        "SPA against holding",
        verdict.against_hold.map(|c| c.spa),
        "the same against buying and holding",
    );
    add(
        "Reality check",
        verdict.against_cash.map(|c| c.white),
        "White's p value, the stricter one",
    );
    add(
        "Plateau",
        verdict.plateau.map(|p| p.score),
        "its neighbours: 1 as good as it, 0 as the median trial",
    );
    facts
}

/// The judgement in a line.
pub(super) fn headline(verdict: &Verdict) -> &'static str {
    match (verdict.is_tested(), verdict.is_suspect()) {
        (false, _) => "Not tested: too few trials to tell skill from luck",
        (true, true) if !verdict.is_gain => "Warning: the best trial is no gain at all",
        (true, true) => "Warning: the best trial is likely luck",
        (true, false) => "No test takes the best trial for luck",
    }
}

pub(super) fn print(verdict: &Verdict) {
    println!();
    for (name, value, meaning) in facts(verdict) {
        println!("{name:<24} {value:>8}  {meaning}");
    }
    println!("{}", headline(verdict));
    for warning in verdict.warnings() {
        println!("  - {warning}");
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn windows_are_bars_or_time() {
        let minute = 60_000_000_000;
        let of = |train, test, step| WalkForward { train, test, step, anchored: false };
        assert_eq!(windows("100:50", false, minute).unwrap(), of(100, 50, 50));
        assert_eq!(windows("90d:1d:2d", false, minute).unwrap(), of(129_600, 1_440, 2_880));
        for text in ["", "100", "a:b", "1:2:3:4"] {
            let error = windows(text, false, minute).unwrap_err().to_string();
            assert!(error.contains("TRAIN:TEST"), "{error}");
        }
    }
}
