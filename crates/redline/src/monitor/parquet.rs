//! A log as Parquet. Its footer stands at the end, so that half a file is no file: the samples go
//! to a journal of JSON lines beside it, and become Parquet when the run ends. After a kill the
//! journal is whole up to the last sample; the next run with the same log goes on with it.

use std::fs::File;
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use market_data::table::{Column, Table};
use monitor::Metric;
use serde_json::Value;

/// Whether `log` is to be Parquet.
pub(crate) fn is_wanted(log: &Path) -> bool {
    log.extension().is_some_and(|extension| extension.eq_ignore_ascii_case("parquet"))
}

/// The journal of a log: `FILE.parquet.jsonl`.
pub(crate) fn journal(log: &Path) -> PathBuf {
    let mut name = log.as_os_str().to_owned();
    name.push(".jsonl");
    name.into()
}

/// Writes the journal as Parquet to `log` and removes it: `time`, `at_s`, then a column a metric
/// with NaN where there was no value. Gives the rows. A torn line, which a kill may leave, is left
/// out.
pub(crate) fn finish(log: &Path) -> Result<usize> {
    let journal = journal(log);
    let file = File::open(&journal).with_context(|| journal.display().to_string())?;
    let mut times = Vec::new();
    let names: Vec<&str> = std::iter::once("at_s")
        .chain(Metric::ALL.iter().map(|metric| metric.info().name))
        .collect();
    let mut columns = vec![Vec::new(); names.len()];
    for line in BufReader::new(file).split(b'\n') {
        let line = line.with_context(|| journal.display().to_string())?;
        let Some((time, sample)) = read(&line) else { continue };
        times.push(time);
        for (name, column) in names.iter().zip(&mut columns) {
            column.push(sample.get(name).and_then(Value::as_f64).unwrap_or(f64::NAN));
        }
    }
    let rows = times.len();
    let mut table = Table::new().with("time", Column::Timestamp(times));
    for (name, column) in names.iter().zip(columns) {
        table = table.with(name, Column::F64(column));
    }
    table.write(log)?;
    std::fs::remove_file(&journal).with_context(|| journal.display().to_string())?;
    Ok(rows)
}

/// One line's time in nanoseconds, and its sample.
fn read(line: &[u8]) -> Option<(i64, Value)> {
    let sample: Value = serde_json::from_slice(line).ok()?;
    let time: jiff::Timestamp = sample.get("time")?.as_str()?.parse().ok()?;
    Some((i64::try_from(time.as_nanosecond()).ok()?, sample))
}
