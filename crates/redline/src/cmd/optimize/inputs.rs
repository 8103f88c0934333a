//! What each point is tried on: every period of every file.

use std::ops::Range;
use std::path::PathBuf;

use anyhow::{Result, bail};
use backtest::Config;
use backtest::strategy::Strategy;
use clap::Args;
use market_data::{Bars, BarsView};
use optimizer::{Evaluate, Evaluator, Member, Rule, study};

use crate::{data, values};

#[derive(Debug, Args)]
pub(super) struct InputArgs {
    /// Bars: Parquet, CSV (plain, .gz, .zst) or Arrow IPC, told by content; may be repeated for
    /// several symbols
    #[arg(long, value_name = "FILE", required = true)]
    pub(super) data: Vec<PathBuf>,
    /// Length of a bar, such as 1min, 1h or 1d [default: the timestamps' most common step]
    #[arg(long, value_name = "LENGTH", value_parser = values::frequency)]
    freq: Option<i64>,
    /// Cut every file into N equal periods, each with an account of its own
    #[arg(long, value_name = "N", conflicts_with = "period")]
    periods: Option<usize>,
    /// A period by name, such as 'crash=2020-02-15..2020-04-01'; may be repeated
    #[arg(long, value_name = "NAME=FROM..TO", value_parser = period)]
    period: Vec<Period>,
    /// How several symbols or periods make one score: mean, worst, or rank (the mean place among
    /// all points)
    #[arg(long, value_name = "RULE", default_value = "mean")]
    pub(super) aggregate: Rule,
}

/// From a time (included) to a time (excluded), in nanoseconds since the epoch.
#[derive(Debug, Clone)]
struct Period {
    name: String,
    from: i64,
    to: i64,
}

fn period(text: &str) -> Result<Period, String> {
    let fail = || format!("'{text}' is not NAME=FROM..TO, such as 'crash=2020-02-15..2020-04-01'");
    let (name, span) = values::assignment(text).map_err(|_| fail())?;
    let (from, to) = span.split_once("..").ok_or_else(fail)?;
    let (from, to) = (values::instant(from)?, values::instant(to)?);
    if from >= to {
        return Err(format!("period '{name}' ends before it begins"));
    }
    Ok(Period { name, from, to })
}

/// One file.
struct Series {
    name: String,
    bars: Bars,
    closes: Vec<f64>,
    freq_ns: i64,
}

impl Series {
    fn view(&self) -> BarsView<'_> {
        BarsView { close: &self.closes, ..self.bars.view() }
    }
}

/// All files, and how they are cut.
pub(super) struct Inputs<'a> {
    series: Vec<Series>,
    args: &'a InputArgs,
    pub(super) load_ns: u64,
}

impl<'a> Inputs<'a> {
    /// Loads and validates every file.
    pub(super) fn load(args: &'a InputArgs) -> Result<Self> {
        let mut series: Vec<Series> = Vec::new();
        let mut load_ns = 0;
        for path in &args.data {
            let (bars, ns) = data::load(path)?;
            load_ns += ns;
            let freq_ns = match args.freq {
                Some(freq) => freq,
                None => values::infer_frequency(&bars.timestamp)?,
            };
            let stem = path.file_stem().unwrap_or(path.as_os_str()).to_string_lossy();
            let name = stem.into_owned();
            if series.iter().any(|earlier| earlier.name == name) {
                let path = path.display();
                bail!("{path}: two files are called '{name}': rename one, columns bear the names");
            }
            let closes = backtest::fill_close(&bars.close).into_owned();
            series.push(Series { name, bars, closes, freq_ns });
        }
        Ok(Self { series, args, load_ns })
    }

    /// One per file.
    pub(super) fn evaluators<'s>(
        &'s self,
        strategy: &'s dyn Strategy,
        config: impl Fn(&BarsView<'s>) -> Config<'s>,
        threads: usize,
    ) -> Vec<Evaluator<'s>> {
        let evaluator = |series: &'s Series| Evaluator {
            bars: series.view(),
            freq_ns: series.freq_ns,
            strategy,
            config: config(&series.view()),
            threads,
        };
        self.series.iter().map(evaluator).collect()
    }

    /// One per file and period, file by file.
    pub(super) fn members<'s, E: Evaluate>(&self, evaluators: &'s [E]) -> Result<Vec<Member<'s>>> {
        let mut members = Vec::new();
        for (series, evaluate) in self.series.iter().zip(evaluators) {
            for (period, range) in self.periods(series)? {
                let name = match period {
                    Some(period) => format!("{}/{period}", series.name),
                    None => series.name.clone(),
                };
                members.push(Member { name, evaluate, range });
            }
        }
        Ok(members)
    }

    fn periods(&self, series: &Series) -> Result<Vec<(Option<String>, Range<usize>)>> {
        let bars = series.bars.len();
        if let Some(count) = self.args.periods {
            if !(1..=bars).contains(&count) {
                bail!(
                    "--periods {count}: '{}' has {bars} bars, cut it into 1 to that",
                    series.name
                );
            }
            let cut = |at: usize| at * bars / count;
            let part = |at: usize| (Some((at + 1).to_string()), cut(at)..cut(at + 1));
            return Ok((0..count).map(part).collect());
        }
        if self.args.period.is_empty() {
            return Ok(vec![(None, 0..bars)]);
        }
        let times = &series.bars.timestamp;
        let range = |period: &Period| {
            let at = |time: i64| times.partition_point(|&bar| bar < time);
            let range = at(period.from)..at(period.to);
            if range.is_empty() {
                let (first, last) = (values::time(times[0]), values::time(times[bars - 1]));
                let (name, series) = (&period.name, &series.name);
                bail!("period '{name}' holds no bar of '{series}', which has {first} to {last}");
            }
            Ok((Some(period.name.clone()), range))
        };
        self.args.period.iter().map(range).collect()
    }

    /// What a study says of each of `members`.
    pub(super) fn sources(&self, members: &[Member<'_>]) -> Vec<study::Source> {
        let per_series = members.len() / self.series.len();
        let mut sources = Vec::new();
        for (series, members) in self.series.iter().zip(members.chunks(per_series)) {
            let fingerprint = study::fingerprint(series.bars.view(), series.freq_ns);
            sources.extend(members.iter().map(|member| study::Source {
                name: member.name.clone(),
                from: member.range.start,
                to: member.range.end,
                fingerprint: fingerprint.clone(),
            }));
        }
        sources
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn periods_are_read() {
        let crash = period("crash=2020-02-15..2020-04-01").unwrap();
        assert_eq!(
            (crash.name.as_str(), crash.to - crash.from),
            ("crash", 46 * 86_400_000_000_000)
        );
        for text in ["crash", "a=2020-01-01", "=2020-01-01..2021-01-01", "a=x..y"] {
            assert!(period(text).unwrap_err().contains("such as"), "{text}");
        }
        assert!(period("a=2021-01-01..2020-01-01").unwrap_err().contains("ends before"));
    }
}
