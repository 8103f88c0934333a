//! `redline suite`: every KPI, the table, a run record.

use std::path::PathBuf;
use std::process::{Command, ExitCode};

use anyhow::{Context, Result};
use clap::Args;
use perf_gate::{Kpi, RunRecord, SCHEMA, Status};

use crate::cli::{Global, Json};
use crate::suite::{self, Found, Plan};
use crate::{document, progress, records};

const EXAMPLES: &str = "\
Examples:
  redline suite                     on a year of generated minute bars
  redline suite --data year.parquet --json head.json
  redline compare base.json head.json";

#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct SuiteArgs {
    /// Fewer repeats; the sizes stay
    #[arg(long)]
    quick: bool,
    /// A year of minute bars [default: 525,600 generated ones]
    #[arg(long, value_name = "FILE")]
    data: Option<PathBuf>,
    /// Write the table as markdown
    #[arg(long, value_name = "PATH")]
    markdown: Option<PathBuf>,
    #[command(flatten)]
    pub(crate) pprof: crate::profile::PprofArgs,
    #[command(flatten)]
    json: Json,
}

pub(crate) fn run(args: &SuiteArgs, global: &Global) -> Result<ExitCode> {
    let started_at = jiff::Timestamp::now();
    let plan = Plan { quick: args.quick, data: args.data.clone() };
    let bar = progress::bar(Plan::STEPS, "suite", global);
    let quality = records::quality(&hw_probe::machine().fingerprint)?;
    let Found { probe, kpis, kernels, alerts } = suite::measure(&plan, &bar)?;
    bar.finish_and_clear();
    let record = RunRecord {
        schema: SCHEMA.to_owned(),
        machine: probe.machine.clone(),
        commit: git(&["rev-parse", "HEAD"]),
        dirty: git(&["status", "--porcelain"]).map(|changes| !changes.is_empty()),
        version: env!("CARGO_PKG_VERSION").to_owned(),
        command: std::env::args().collect(),
        started_at: started_at.to_string(),
        kpis,
        probe: Some(probe),
        kernels,
        alerts: Some(alerts),
        quality,
    };
    let rows = rows(&record);
    let json = args.json.json.as_deref();
    if global.prints(json) {
        let machine = &record.machine;
        println!("{}, {} threads, {}\n", machine.cpu_model, machine.threads, machine.os);
        print!("{}", perf_gate::table(&rows));
    }
    if let Some(path) = &args.markdown {
        document::write_text(path, &perf_gate::markdown(&rows))?;
    }
    let path = match json {
        Some(path) => path.to_owned(),
        None => record_path(&record.machine.fingerprint, started_at)?,
    };
    document::write_json(&path, &record)?;
    if global.prints(json) {
        println!("\nrecord written to {}", path.display());
    }
    let is_critical = record.kpis.iter().any(|kpi| kpi.status == Status::Critical);
    Ok(if is_critical { ExitCode::FAILURE } else { ExitCode::SUCCESS })
}

/// The KPIs, and the figures of quality under them.
fn rows(record: &RunRecord) -> Vec<Kpi> {
    let quality = record.quality.iter().flat_map(perf_gate::Quality::kpis);
    record.kpis.iter().cloned().chain(quality).collect()
}

/// `benches/record/<fingerprint>/<time>.json` in a checkout, else a file in this folder.
fn record_path(fingerprint: &str, started_at: jiff::Timestamp) -> Result<PathBuf> {
    let folder = records::folder(fingerprint);
    std::fs::create_dir_all(&folder)
        .with_context(|| format!("cannot make the folder {}", folder.display()))?;
    Ok(folder.join(format!("suite-{}.json", started_at.strftime("%Y%m%dT%H%M%SZ"))))
}

/// What git answers here; `None` without git or outside a repository.
fn git(arguments: &[&str]) -> Option<String> {
    let output = Command::new("git").args(arguments).output().ok()?;
    let text = String::from_utf8(output.stdout).ok()?;
    output.status.success().then(|| text.trim().to_owned())
}
