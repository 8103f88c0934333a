//! `redline probe`: what this machine is, and its ceilings.

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::{Context, Result};
use clap::Args;
use hw_probe::{CeilingsCache, ProbeOptions, ProbeReport, Progress, Section};
use indicatif::ProgressBar;

use crate::cli::{Global, Json};
use crate::{document, progress};

const EXAMPLES: &str = "\
Examples:
  redline probe                          everything, in under 30 seconds
  redline probe --quick --json probe.json
  redline probe --only memory,compute --threads 1
  redline probe --pictures profiles/machine

A whole probe keeps its ceilings in the user's cache folder (~/.cache/redline).";

#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct ProbeArgs {
    /// Fewer repeats and sizes: under 8 seconds
    #[arg(long)]
    quick: bool,
    /// Only these sections: machine, memory, latency, compute, storage
    #[arg(
        long,
        value_name = "SECTIONS",
        value_delimiter = ',',
        value_parser = section
    )]
    only: Vec<Section>,
    /// Most threads; where this machine has fewer, or for 0, all that there are [default: all cores]
    #[arg(long, value_name = "N")]
    threads: Option<usize>,
    /// Folder on the storage to measure [default: the folder for temporary files]
    #[arg(long, value_name = "DIR")]
    dir: Option<PathBuf>,
    /// Write the roofline, the staircases and the matrix products by size there, as SVG
    #[arg(long, value_name = "FOLDER")]
    pictures: Option<PathBuf>,
    #[command(flatten)]
    json: Json,
}

pub(crate) fn run(args: &ProbeArgs, global: &Global) -> Result<ExitCode> {
    let options = ProbeOptions {
        quick: args.quick,
        sections: if args.only.is_empty() { Section::ALL.to_vec() } else { args.only.clone() },
        threads: args.threads,
        dir: args.dir.clone(),
    };
    if let Some(folder) = &args.pictures {
        // Before the probe takes its time.
        std::fs::create_dir_all(folder).with_context(|| format!("{}", folder.display()))?;
    }
    let bar = progress::bar(1_000, "probe", global);
    let report: ProbeReport = hw_probe::probe(&options, &mut Bar(&bar));
    bar.finish_and_clear();
    let json = args.json.json.as_deref();
    if global.prints(json) {
        print!("{report}");
    }
    if let Some(path) = json {
        document::write_json(path, &report)?;
    }
    if let Some(folder) = &args.pictures {
        draw(&report, folder, global.prints(json))?;
    }
    if !args.quick && args.only.is_empty() {
        keep_ceilings(&report);
    }
    Ok(ExitCode::SUCCESS)
}

/// Draws what was measured, and names the files where the report is printed.
fn draw(report: &ProbeReport, folder: &Path, prints: bool) -> Result<()> {
    for path in report.write_pictures(folder)? {
        if prints {
            println!("{}", path.display());
        }
    }
    Ok(())
}

/// In the user's cache folder, for programs that hold themselves against them.
fn keep_ceilings(report: &ProbeReport) {
    let Some(cache) = CeilingsCache::of_user() else { return };
    if let Err(error) = cache.store(report) {
        eprintln!("warning: the ceilings are not kept: {error}");
    }
}

fn section(text: &str) -> Result<Section, String> {
    text.parse().map_err(|error: hw_probe::ProbeError| error.to_string())
}

/// Moves the bar as the probe goes on.
struct Bar<'a>(&'a ProgressBar);

impl Progress for Bar<'_> {
    fn step(&mut self, what: &str, share: f64) {
        self.0.set_position((share * 1_000.0) as u64);
        self.0.set_message(what.to_owned());
    }
}
