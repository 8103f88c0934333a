//! `--heatmap` and `--report`.

use std::io::Write as _;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result, bail};
use backtest::statistics::{Stat, StatSet};
use clap::Args;
use optimizer::pictures::{Fact, Page, Trials, heatmap, page};
use optimizer::validation::Verdict;
use optimizer::{Found, Rule};

use super::validation;
use crate::stats;

#[derive(Debug, Args)]
#[command(next_help_heading = "Pictures")]
pub(super) struct PictureArgs {
    /// Draw the scores over two parameters as SVG, each cell the best over all others
    #[arg(long, value_name = "FILE.svg")]
    pub(super) heatmap: Option<PathBuf>,
    /// Write one HTML file with the best trial, its validation and all pictures
    #[arg(long, value_name = "FILE.html")]
    pub(super) report: Option<PathBuf>,
    /// The two parameters of the heatmap [default: the first two that vary]
    #[arg(long, value_name = "X,Y", value_delimiter = ',')]
    heatmap_axes: Vec<String>,
}

/// What the pictures show.
pub(super) struct Shown<'a> {
    pub(super) parameters: &'a [String],
    pub(super) found: &'a Found,
    pub(super) rule: Rule,
    pub(super) objective: Stat,
    pub(super) strategy: &'a str,
    pub(super) bars: usize,
    pub(super) verdict: Option<&'a Verdict>,
}

impl PictureArgs {
    /// Refuses before the search axes that it does not have.
    pub(super) fn check(&self, parameters: &[String]) -> Result<()> {
        self.chosen(parameters).map(|_| ())
    }

    fn chosen(&self, parameters: &[String]) -> Result<Option<(usize, usize)>> {
        let place = |name: &String| {
            let known = || parameters.join(", ");
            let at = parameters.iter().position(|parameter| parameter == name.trim());
            at.with_context(|| {
                format!("--heatmap-axes: no parameter '{name}': choose of {}", known())
            })
        };
        match &self.heatmap_axes[..] {
            [] => Ok(None),
            [x, y] if x != y => Ok(Some((place(x)?, place(y)?))),
            _ => bail!("--heatmap-axes: give two different parameters, such as fast,slow"),
        }
    }

    /// Writes what was asked for.
    pub(super) fn write(&self, shown: &Shown<'_>) -> Result<()> {
        if self.heatmap.is_none() && self.report.is_none() {
            return Ok(());
        }
        let first = shown.found.trials.first().map_or(&[][..], Vec::as_slice);
        let points: Vec<&[f64]> = first.iter().map(|trial| &*trial.values).collect();
        let Shown { rule, objective, .. } = *shown;
        let is_rank = rule == Rule::Rank;
        let score_name = match (shown.found.trials.len(), is_rank) {
            (_, true) => format!("mean rank by {}", objective.name()),
            (1, false) => objective.name().to_owned(),
            _ => format!("{}, {rule}", objective.name()),
        };
        let trials = Trials {
            names: shown.parameters,
            points: &points,
            scores: &shown.found.scores,
            score_name: &score_name,
            is_lower_better: is_rank || objective.is_lower_better(),
            best: shown.found.best,
        };
        let axes = match (self.chosen(shown.parameters)?, &trials.varied()[..]) {
            (Some(axes), _) => Some(axes),
            (None, [x, y, ..]) => Some((*x, *y)),
            _ => None,
        };
        if let Some(path) = &self.heatmap {
            let Some((x, y)) = axes else {
                bail!(
                    "--heatmap: only one parameter varies: give a second one with --heatmap-axes"
                );
            };
            save(path, &heatmap(&trials, x, y)?)?;
        }
        if let Some(path) = &self.report {
            save(path, &page(&shown.page(), &trials, axes)?)?;
        }
        Ok(())
    }
}

impl Shown<'_> {
    fn page(&self) -> Page {
        let count = self.found.scores.len();
        let best = self.found.best.map(|at| &self.found.trials[0][at]);
        let pairs = best.into_iter().flat_map(|trial| self.parameters.iter().zip(&trial.values));
        let table = match (best, self.found.trials.len()) {
            (Some(trial), 1) => stats::table(&trial.statistics, StatSet::streaming()),
            _ => String::new(),
        };
        // A line is a title in 28 columns and a value.
        let row =
            |line: &str| line.split_at_checked(28).map(|(a, b)| (a.trim().into(), b.trim().into()));
        let fact = |(name, value, meaning): (&str, String, &str)| Fact {
            name: name.to_owned(),
            value,
            meaning: meaning.to_owned(),
        };
        Page {
            title: format!("Search of {}", self.strategy),
            summary: format!(
                "{count} trials over {} bars, by {}.",
                self.bars,
                self.objective.name()
            ),
            parameters: pairs.map(|(name, value)| (name.clone(), value.to_string())).collect(),
            statistics: table.lines().filter_map(row).collect(),
            verdict: self.verdict.map_or("Not tested", validation::headline).to_owned(),
            is_suspect: self
                .verdict
                .is_none_or(|verdict| !verdict.is_tested() || verdict.is_suspect()),
            warnings: self.verdict.map(Verdict::warnings).unwrap_or_default(),
            facts: self.verdict.map(validation::facts).into_iter().flatten().map(fact).collect(),
        }
    }
}

fn save(path: &Path, text: &str) -> Result<()> {
    let fill = |out: &mut std::io::BufWriter<&mut std::fs::File>| out.write_all(text.as_bytes());
    market_data::atomic::write(path, fill)
        .with_context(|| format!("cannot write {}", path.display()))
}
