//! The document and what is printed of a finished search.

use std::path::Path;

use backtest::statistics::{Stat, StatSet};
use optimizer::{Evaluator, Found, Member, Rule, deflate};
use serde::Serialize;
use serde::ser::{SerializeMap, Serializer};

use crate::stats;

/// The `redline.optimize/1` document.
#[derive(Serialize)]
pub(super) struct Document {
    bars: usize,
    trials: usize,
    /// Of them, those that came from the study's journal.
    resumed: u64,
    elapsed_ns: Elapsed,
    /// Of the trials that this run made; `null` where it made none.
    bar_evaluations_per_s: Option<f64>,
    peak_rss_bytes: Option<u64>,
    best: Option<Best>,
    overfitting: Overfitting,
}

#[derive(Serialize)]
struct Elapsed {
    load: u64,
    features: u64,
    search: u64,
    save: u64,
}

#[derive(Serialize)]
struct Best {
    params: Params,
    /// The objective by the rule, or the mean rank.
    score: f64,
    /// Of a single series.
    #[serde(skip_serializing_if = "Option::is_none")]
    stats: Option<stats::Document>,
    /// Of several.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    series: Vec<Series>,
}

#[derive(Serialize)]
struct Series {
    name: String,
    bars: usize,
    stats: stats::Document,
}

#[derive(Serialize)]
struct Overfitting {
    /// Deflated Sharpe ratio of the best trial.
    dsr: Option<f64>,
    /// Probability of backtest over-fitting; not computed yet.
    pbo: Option<f64>,
}

/// Parameters by name.
struct Params {
    names: Vec<String>,
    values: Vec<f64>,
}

impl Serialize for Params {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(Some(self.names.len()))?;
        for (name, value) in self.names.iter().zip(&self.values) {
            map.serialize_entry(name, value)?;
        }
        map.end()
    }
}

/// A finished search.
pub(super) struct Report<'a> {
    pub(super) parameters: &'a [String],
    pub(super) members: &'a [Member<'a>],
    pub(super) objective: Stat,
    pub(super) rule: Rule,
    pub(super) found: &'a Found,
    pub(super) left_out: u64,
    pub(super) load_ns: u64,
    pub(super) save_ns: u64,
    pub(super) deflated_sharpe: Option<f64>,
}

/// Of a search over one whole series; `None` for others.
pub(super) fn deflated_sharpe(
    evaluators: &[Evaluator<'_>],
    members: &[Member<'_>],
    found: &Found,
) -> Option<f64> {
    let ([evaluator], [member], [trials]) = (evaluators, members, found.trials.as_slice()) else {
        return None;
    };
    let is_whole = member.range == (0..evaluator.bars.len());
    // Trials on a share of the bars have another spread of ratios.
    let is_even = found.shares.iter().all(|&share| share == 1.0);
    (is_whole && is_even).then(|| deflate(evaluator, trials, found.best?))?
}

impl Report<'_> {
    pub(super) fn document(&self) -> Document {
        let Found { trials, resumed, features_ns, search_ns, .. } = self.found;
        let trials = trials.first().map_or(0, Vec::len);
        let bars: usize = self.members.iter().map(|member| member.range.len()).sum();
        Document {
            bars,
            trials,
            resumed: *resumed,
            elapsed_ns: Elapsed {
                load: self.load_ns,
                features: *features_ns,
                search: *search_ns,
                save: self.save_ns,
            },
            bar_evaluations_per_s: self.rate(),
            peak_rss_bytes: monitor::peak_rss_bytes(),
            best: self.found.best.map(|at| self.best(at)),
            overfitting: Overfitting { dsr: self.deflated_sharpe, pbo: None },
        }
    }

    /// Bars of all trials that were made now, a second.
    fn rate(&self) -> Option<f64> {
        let Found { shares, resumed, features_ns, search_ns, .. } = self.found;
        let bars: usize = self.members.iter().map(|member| member.range.len()).sum();
        let fresh: f64 = shares[*resumed as usize..].iter().sum();
        (fresh > 0.0).then(|| fresh * bars as f64 / (features_ns + search_ns) as f64 * 1e9)
    }

    fn best(&self, at: usize) -> Best {
        let trials = self.found.trials.iter().map(|trials| &trials[at]);
        let set = StatSet::streaming();
        let documents = trials.map(|trial| stats::Document::new(&trial.statistics, set));
        let series = |(member, stats): (&Member<'_>, _)| Series {
            name: member.name.clone(),
            bars: member.range.len(),
            stats,
        };
        let mut series: Vec<Series> = self.members.iter().zip(documents).map(series).collect();
        let stats = if series.len() == 1 { series.pop().map(|only| only.stats) } else { None };
        let values = self.found.trials[0][at].values.clone();
        let params = Params { names: self.parameters.to_vec(), values };
        Best { params, score: self.found.scores[at], stats, series }
    }

    pub(super) fn print(&self, body: &Document, out: Option<&Path>) {
        if let (Some(at), Some(best)) = (self.found.best, &body.best) {
            self.print_best(at, best, body.trials);
        }
        if self.left_out > 0 {
            let count = self.left_out;
            println!("\n{count} combinations were left out by the condition or the strategy");
        }
        if let Some(dsr) = self.deflated_sharpe {
            println!("\nDeflated Sharpe ratio {dsr:.3}{}", luck(dsr));
        }
        let rate = body.bar_evaluations_per_s.map_or_else(String::new, |rate| {
            format!(
                ": features {:.2} ms, search {:.2} ms, {:.0} M bars/s",
                body.elapsed_ns.features as f64 / 1e6,
                body.elapsed_ns.search as f64 / 1e6,
                rate / 1e6,
            )
        });
        let resumed = match body.resumed {
            0 => String::new(),
            resumed => format!(" ({resumed} from the study)"),
        };
        println!("{} trials{resumed} x {} bars{rate}", body.trials, body.bars);
        if let Some(path) = out {
            println!("trials written to {}", path.display());
        }
    }

    fn print_best(&self, at: usize, best: &Best, trials: usize) {
        let Params { names, values } = &best.params;
        let pairs: Vec<String> =
            names.iter().zip(values).map(|(name, value)| format!("{name} = {value}")).collect();
        let objective = self.objective.name();
        println!("best of {trials} by {objective}: {}\n", pairs.join(", "));
        if let [only] = self.found.trials.as_slice() {
            print!("{}", stats::table(&only[at].statistics, StatSet::streaming()));
            return;
        }
        println!("{:<28} {:>24.6}", format!("{objective}, {}", self.rule), best.score);
        for (member, trials) in self.members.iter().zip(&self.found.trials) {
            let value = trials[at].statistics.get(self.objective);
            let value = value.map_or_else(|| "-".to_owned(), |value| format!("{value:.6}"));
            println!("  {:<26} {value:>24}", member.name);
        }
    }
}

/// The usual bar for calling a result more than luck is 0.95.
fn luck(dsr: f64) -> &'static str {
    if dsr < 0.95 { ": the best of so many trials is likely luck" } else { "" }
}
