//! The document and what is printed of a finished search.

use std::path::Path;

use backtest::statistics::{Stat, StatSet};
use optimizer::validation::Verdict;
use optimizer::{Found, Member, Rule};
use serde::Serialize;
use serde::ser::{SerializeMap, Serializer};

use super::validation::{self, Overfitting, Walk};
use crate::stats;

/// The `redline.optimize/1` document.
#[derive(Serialize)]
pub(super) struct Document<'a> {
    bars: usize,
    trials: usize,
    /// Of them, those that came from the study's journal.
    resumed: u64,
    elapsed_ns: Elapsed,
    /// Of the trials that this run made; `null` where it made none.
    bar_evaluations_per_s: Option<f64>,
    /// Of the whole run, the load included.
    peak_rss_bytes: Option<u64>,
    /// Of the search, sampled every 10 ms.
    mean_rss_bytes: Option<u64>,
    best: Option<Best>,
    overfitting: Overfitting,
    #[serde(skip_serializing_if = "Option::is_none")]
    walk_forward: Option<&'a Walk>,
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
    pub(super) cost: &'a monitor::RunMetrics,
    pub(super) load_ns: u64,
    pub(super) save_ns: u64,
    pub(super) verdict: Option<&'a Verdict>,
    pub(super) walked: Option<Walk>,
}

impl Report<'_> {
    pub(super) fn document(&self) -> Document<'_> {
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
            peak_rss_bytes: monitor::peak_rss_bytes().max(self.cost.peak_rss_bytes),
            mean_rss_bytes: self.cost.mean_rss_bytes,
            best: self.found.best.map(|at| self.best(at)),
            overfitting: self.verdict.map(Overfitting::new).unwrap_or_default(),
            walk_forward: self.walked.as_ref(),
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

    pub(super) fn print(&self, body: &Document<'_>, out: Option<&Path>) {
        if let (Some(at), Some(best)) = (self.found.best, &body.best) {
            self.print_best(at, best, body.trials);
        }
        if self.left_out > 0 {
            let count = self.left_out;
            println!("\n{count} combinations were left out by the condition or the strategy");
        }
        self.verdict.into_iter().for_each(validation::print);
        self.walked.iter().for_each(Walk::print);
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
        if let Some((mean, peak)) = body.mean_rss_bytes.zip(body.peak_rss_bytes) {
            let [mean, peak] = [mean, peak].map(|bytes| bytes as f64 / 1e6);
            println!("memory typical {mean:.1} MB, peak {peak:.1} MB");
        }
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
