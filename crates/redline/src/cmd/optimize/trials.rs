//! The table of trials.

use backtest::statistics::StatSet;
use market_data::table::{Column, Table};
use optimizer::{Found, Trial};

/// A column per parameter, then a column per statistic; of several members, the score and then
/// the statistics of each, as `statistic@member`. Where trials saw different shares of the bars,
/// `share` comes after the parameters.
pub(super) fn table(parameters: &[impl AsRef<str>], members: &[&str], found: &Found) -> Table {
    let mut table = Table::new();
    let first = found.trials.first().map_or(&[][..], Vec::as_slice);
    for (at, parameter) in parameters.iter().enumerate() {
        let column = first.iter().map(|trial| trial.values[at]).collect();
        table = table.with(parameter.as_ref(), Column::F64(column));
    }
    if found.shares.iter().any(|&share| share != 1.0) {
        table = table.with("share", Column::F64(found.shares.clone()));
    }
    if let [_] = members {
        return with_statistics(table, first, str::to_owned);
    }
    table = table.with("score", Column::F64(found.scores.clone()));
    for (member, trials) in members.iter().zip(&found.trials) {
        table = with_statistics(table, trials, |stat| format!("{stat}@{member}"));
    }
    table
}

fn with_statistics(mut table: Table, trials: &[Trial], name: impl Fn(&str) -> String) -> Table {
    for stat in StatSet::streaming().iter() {
        let value = |trial: &Trial| trial.statistics.get(stat).unwrap_or(f64::NAN);
        table = table.with(&name(stat.name()), Column::F64(trials.iter().map(value).collect()));
    }
    table
}
