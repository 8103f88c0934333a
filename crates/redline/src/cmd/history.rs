//! `redline history`: every metric over the stored records, and where it changed.

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::{Context, Result, ensure};
use clap::Args;
use perf_gate::RunRecord;
use perf_gate::gate::matches;
use perf_gate::history::{Course, history};
use serde::Serialize;

use crate::cli::{Global, Json};
use crate::{document, records};

const EXAMPLES: &str = "\
Examples:
  redline history                              every metric, machine by machine
  redline history --metric 'minute_year_*' --json history.json
  redline gate --base GOOD --head BAD --bisect METRIC    which commit between two records it was

A change point is where the values before and after differ in distribution (E-divisive, permutation
test at 1 %) and in median by 3 % or more; it needs about ten records.";

#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct HistoryArgs {
    /// Only metrics of this name, in which '*' stands for anything
    #[arg(long, value_name = "NAME", default_value = "*")]
    metric: String,
    /// The folder of records, with a folder for each machine [default: benches/record in a checkout,
    /// else this folder]
    #[arg(long, value_name = "DIR")]
    records: Option<PathBuf>,
    #[command(flatten)]
    json: Json,
}

#[derive(Serialize)]
struct Document<'a> {
    records: usize,
    passed_over: &'a [String],
    courses: &'a [Course],
}

pub(crate) fn run(args: &HistoryArgs, global: &Global) -> Result<ExitCode> {
    let folder = args.records.clone().unwrap_or_else(records::root);
    let mut records = Vec::new();
    let mut passed_over = Vec::new();
    for path in files(&folder)? {
        match RunRecord::read(&path) {
            Ok(record) => records.push(record),
            Err(why) => passed_over.push(why.to_string()),
        }
    }
    let folder = folder.display();
    ensure!(
        !records.is_empty(),
        "no run record in {folder}: 'redline suite' writes them{}",
        first(&passed_over)
    );
    let mut courses = history(&records);
    courses.retain(|course| matches(&args.metric, &course.metric));
    ensure!(!courses.is_empty(), "no metric '{}' in the records of {folder}", args.metric);
    let json = args.json.json.as_deref();
    if global.prints(json) {
        print(&courses);
    }
    if !global.quiet {
        passed_over.iter().for_each(|why| eprintln!("passed over: {why}"));
    }
    let body = Document { records: records.len(), passed_over: &passed_over, courses: &courses };
    document::write(json, "history", &body)?;
    Ok(ExitCode::SUCCESS)
}

fn first(passed_over: &[String]) -> String {
    passed_over.first().map_or_else(String::new, |why| format!("; {why}"))
}

fn print(courses: &[Course]) {
    for machine in courses.chunk_by(|a, b| a.machine == b.machine) {
        println!("machine {}", machine[0].machine);
        machine.iter().for_each(|course| print!("{course}"));
    }
}

/// `suite*.json` in `folder` and the folders in it.
fn files(folder: &Path) -> Result<Vec<PathBuf>> {
    let list = |folder: &Path| -> Result<Vec<PathBuf>> {
        let entries = std::fs::read_dir(folder)
            .with_context(|| format!("cannot list the folder {}", folder.display()))?;
        Ok(entries.flatten().map(|entry| entry.path()).collect())
    };
    let mut found = list(folder)?;
    for machine in found.clone().into_iter().filter(|path| path.is_dir()) {
        found.extend(list(&machine)?);
    }
    found.retain(|path| records::is_record(path));
    found.sort();
    Ok(found)
}
