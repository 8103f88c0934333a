//! What was measured, wherever it was written down: a run record, or a folder of another tool's.

use std::path::{Path, PathBuf};

use serde_json::Value;

use crate::read::{criterion_case, dhat_totals, gungraun_summary};
use crate::{Better, GateError, Kpi, RunRecord, median};

/// One measured thing.
#[derive(Debug, Clone, PartialEq)]
pub struct Metric {
    /// Its name.
    pub name: String,
    /// Unit of the value and the samples.
    pub unit: String,
    /// Which way is better.
    pub better: Better,
    /// The value: of samples, their median.
    pub value: Option<f64>,
    /// Every sample; of a count, none.
    pub samples: Vec<f64>,
    /// Share of the machine's ceiling, where the probe knows one.
    pub of_ceiling: Option<f64>,
    /// Of a count: the growth in percent that is no change yet.
    pub slack_percent: Option<f64>,
}

/// All that one run measured.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Results {
    /// Fingerprint of the machine; other tools' files have none.
    pub machine: Option<String>,
    /// Metric by metric.
    pub metrics: Vec<Metric>,
}

impl From<&RunRecord> for Results {
    fn from(record: &RunRecord) -> Self {
        let machine = Some(record.machine.fingerprint.clone());
        Self { machine, metrics: record.kpis.iter().map(Metric::from).collect() }
    }
}

impl From<&Kpi> for Metric {
    fn from(kpi: &Kpi) -> Self {
        Self {
            name: kpi.name.clone(),
            unit: kpi.unit.clone(),
            better: kpi.better,
            value: kpi.value,
            samples: kpi.samples.clone(),
            of_ceiling: kpi.of_ceiling,
            slack_percent: None,
        }
    }
}

impl Metric {
    fn sampled(name: String, samples: Vec<f64>) -> Self {
        Self {
            name,
            unit: "ns".to_owned(),
            better: Better::Lower,
            value: median(&samples),
            samples,
            of_ceiling: None,
            slack_percent: None,
        }
    }

    /// Instructions move a little with the layout of code; blocks and bytes not at all.
    fn counted(name: &str, unit: &str, value: f64) -> Self {
        let slack_percent = Some(if unit == "instructions" { 0.5 } else { 0.0 });
        Self {
            name: name.to_owned(),
            unit: unit.to_owned(),
            value: Some(value),
            slack_percent,
            ..Self::sampled(String::new(), Vec::new())
        }
    }
}

impl Results {
    /// Reads a run record; or a folder: the newest run record in it, else all that criterion,
    /// gungraun or DHAT have written there. A file may be DHAT's, too.
    ///
    /// # Errors
    /// [`GateError::Io`], [`GateError::Schema`] and [`GateError::Record`], naming the file.
    pub fn read(path: &Path) -> Result<Self, GateError> {
        if !path.is_dir() {
            return if is_dhat(path) {
                Ok(Self { machine: None, metrics: heap(path)? })
            } else {
                RunRecord::read(path).map(|record| Self::from(&record))
            };
        }
        let files = files(path)?;
        if let Some(record) = newest(path, &files)? {
            return Ok(Self::from(&record));
        }
        let mut metrics = Vec::new();
        for file in &files {
            metrics.extend(of_tool(file)?);
        }
        if metrics.is_empty() {
            let why = "neither suite-*.json, nor criterion's new/sample.json, gungraun's \
                       summary.json or a heap file of DHAT is in this folder";
            return Err(GateError::Record { path: path.to_owned(), why: why.to_owned() });
        }
        Ok(Self { machine: None, metrics })
    }
}

fn newest(folder: &Path, files: &[PathBuf]) -> Result<Option<RunRecord>, GateError> {
    let is_record = |file: &&PathBuf| {
        let name = file.file_name().and_then(|name| name.to_str()).unwrap_or_default();
        file.parent() == Some(folder) && name.starts_with("suite") && name.ends_with(".json")
    };
    let records = files.iter().filter(is_record).map(|file| RunRecord::read(file));
    let records: Vec<RunRecord> = records.collect::<Result<_, _>>()?;
    Ok(records.into_iter().max_by(|a, b| a.started_at.cmp(&b.started_at)))
}

/// What one file of another tool holds; nothing if it is none of theirs.
fn of_tool(file: &Path) -> Result<Vec<Metric>, GateError> {
    let is_new = file.parent().is_some_and(|folder| folder.ends_with("new"));
    match file.file_name().and_then(|name| name.to_str()) {
        Some("sample.json") if is_new => {
            let (name, samples) = criterion_case(file)?;
            Ok(vec![Metric::sampled(name, samples)])
        }
        Some("summary.json") => {
            let counts = gungraun_summary(file)?;
            let units = [
                ("instructions", counts.instructions),
                ("blocks", counts.blocks),
                ("bytes", counts.bytes),
            ];
            let metric = |(unit, value): (&str, Option<f64>)| {
                Some(Metric::counted(&counts.case, unit, value?))
            };
            Ok(units.into_iter().filter_map(metric).collect())
        }
        _ if is_dhat(file) => heap(file),
        _ => Ok(Vec::new()),
    }
}

fn heap(file: &Path) -> Result<Vec<Metric>, GateError> {
    let [blocks, bytes] = dhat_totals(file)?;
    let name = file.file_stem().unwrap_or_default().to_string_lossy();
    Ok(vec![Metric::counted(&name, "blocks", blocks), Metric::counted(&name, "bytes", bytes)])
}

/// Told by content: DHAT's files have no name of their own.
fn is_dhat(file: &Path) -> bool {
    let is_json = file.extension().is_some_and(|extension| extension == "json");
    let read = || serde_json::from_str::<Value>(&std::fs::read_to_string(file).ok()?).ok();
    is_json && read().is_some_and(|document| document.get("dhatFileVersion").is_some())
}

/// Every file below `folder`, sorted.
fn files(folder: &Path) -> Result<Vec<PathBuf>, GateError> {
    let io = |source| GateError::Io { path: folder.to_owned(), source };
    let mut found = Vec::new();
    for entry in std::fs::read_dir(folder).map_err(io)? {
        let entry = entry.map_err(io)?;
        if entry.file_type().map_err(io)?.is_dir() {
            found.extend(files(&entry.path())?);
        } else {
            found.push(entry.path());
        }
    }
    found.sort();
    Ok(found)
}
