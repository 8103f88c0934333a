//! Files of other measuring tools, read tolerantly: what is not needed may be missing or new.
//!
//! ```
//! // Whatever a busy machine adds, it adds: the lower quartile stands for a process.
//! assert_eq!(perf_gate::read::lower_quartile(&[5.0, 3.0, 4.0, 90.0, 3.5]), Some(3.5));
//! ```

use std::path::Path;

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::GateError;

fn document<T: DeserializeOwned>(path: &Path) -> Result<T, GateError> {
    let text = std::fs::read_to_string(path)
        .map_err(|source| GateError::Io { path: path.to_owned(), source })?;
    serde_json::from_str(&text)
        .map_err(|why| GateError::Record { path: path.to_owned(), why: why.to_string() })
}

#[derive(Deserialize)]
struct CriterionSample {
    iters: Vec<f64>,
    times: Vec<f64>,
}

/// Nanoseconds per iteration, a sample each, of criterion's `sample.json` (0.5 to 0.8).
///
/// # Errors
/// [`GateError::Io`], [`GateError::Record`].
pub fn criterion_sample(path: &Path) -> Result<Vec<f64>, GateError> {
    let CriterionSample { iters, times } = document(path)?;
    Ok(times.iter().zip(&iters).map(|(time, iterations)| time / iterations).collect())
}

#[derive(Deserialize)]
struct CriterionBenchmark {
    full_id: String,
}

/// Name and samples of one case, from criterion's `sample.json` and the `benchmark.json` beside it.
///
/// # Errors
/// [`GateError::Io`], [`GateError::Record`].
pub fn criterion_case(sample: &Path) -> Result<(String, Vec<f64>), GateError> {
    let CriterionBenchmark { full_id } = document(&sample.with_file_name("benchmark.json"))?;
    Ok((full_id, criterion_sample(sample)?))
}

/// What one case of gungraun counted.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct GungraunCase {
    /// `group/function/id`.
    pub case: String,
    /// Instructions, where callgrind ran.
    pub instructions: Option<f64>,
    /// Heap blocks, where DHAT ran.
    pub blocks: Option<f64>,
    /// Heap bytes, where DHAT ran.
    pub bytes: Option<f64>,
}

#[derive(Deserialize)]
struct Summary {
    function_name: String,
    #[serde(default)]
    group: Option<String>,
    #[serde(default)]
    id: Option<String>,
    profiles: Vec<Value>,
}

/// Reads a `summary.json` of gungraun (schema 7).
///
/// # Errors
/// [`GateError::Io`], [`GateError::Record`].
pub fn gungraun_summary(path: &Path) -> Result<GungraunCase, GateError> {
    let summary: Summary = document(path)?;
    let metric = |tool: &str, name: &str| {
        let is_tool = |profile: &&Value| {
            profile["tool"].as_str().is_some_and(|found| found.eq_ignore_ascii_case(tool))
        };
        let profile = summary.profiles.iter().find(is_tool)?;
        number(&profile["data"]["total"]["metrics"][name]["values"])
    };
    let parts = [summary.group.clone(), Some(summary.function_name.clone()), summary.id.clone()];
    Ok(GungraunCase {
        case: parts.into_iter().flatten().collect::<Vec<_>>().join("/"),
        instructions: metric("Callgrind", "Ir"),
        blocks: metric("DHAT", "TotalBlocks"),
        bytes: metric("DHAT", "TotalBytes"),
    })
}

/// The new side's number: `{"new": 1}`, `{"both": [1, 2]}`, `{"new": {"Int": 1}}` and the like.
fn number(value: &Value) -> Option<f64> {
    match value {
        Value::Number(number) => number.as_f64(),
        Value::String(text) => text.parse().ok(),
        Value::Array(both) => number(both.first()?),
        Value::Object(map) => {
            ["new", "both", "Int", "Float"].iter().find_map(|key| number(map.get(*key)?))
        }
        _ => None,
    }
}

#[derive(Deserialize)]
struct Dhat {
    pps: Vec<ProgramPoint>,
}

#[derive(Deserialize)]
struct ProgramPoint {
    tb: u64,
    tbk: u64,
}

/// Blocks and bytes of a whole process, from the file of valgrind's DHAT or of the dhat crate
/// (format version 2).
///
/// # Errors
/// [`GateError::Io`], [`GateError::Record`].
pub fn dhat_totals(path: &Path) -> Result<[f64; 2], GateError> {
    let Dhat { pps } = document(path)?;
    let sum = |of: fn(&ProgramPoint) -> u64| pps.iter().map(of).sum::<u64>() as f64;
    Ok([sum(|point| point.tbk), sum(|point| point.tb)])
}

/// The lower quartile, by the nearest rank; `None` without a sample.
#[must_use]
pub fn lower_quartile(samples: &[f64]) -> Option<f64> {
    let mut sorted = samples.to_vec();
    sorted.sort_by(f64::total_cmp);
    sorted.get(sorted.len().saturating_sub(1) / 4).copied()
}
