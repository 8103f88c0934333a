//! `redline report`: a run of the suite and all that belongs to it, on one page.

use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode, Stdio};

use anyhow::{Context, Result, bail};
use clap::{Args, ValueEnum};
use hw_probe::ProbeReport;
use perf_gate::RunRecord;
use perf_gate::page::{Flamegraph, Sources, page};

use crate::cli::Global;
use crate::document;
use crate::records::{self, Kept};

const EXAMPLES: &str = "\
Examples:
  redline report                        the newest record of this machine, as report.html
  redline report head.json --base base.json --out change.html --open
  redline report --format markdown --out -     for a terminal or a pull request";

/// Flamegraphs that a page can hold: each is some 100 kB.
const MOST_FLAMEGRAPHS: usize = 24;

#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct ReportArgs {
    /// The record [default: the newest of this machine in benches/record, else in this folder]
    record: Option<PathBuf>,
    /// The record to compare with [default: the one before]
    #[arg(long, value_name = "RECORD")]
    base: Option<PathBuf>,
    /// A probe of the same machine [default: profiles/hw-probe/probe.json, else the
    /// record's own]
    #[arg(long, value_name = "FILE")]
    probe: Option<PathBuf>,
    /// Where flamegraphs are looked for
    #[arg(long, value_name = "DIR", default_value = "profiles")]
    profiles: PathBuf,
    /// What to write
    #[arg(long, value_enum, default_value_t = Format::Html)]
    format: Format,
    /// Where to write it ('-' for standard output) [default: report.html or report.md]
    #[arg(long, value_name = "FILE")]
    out: Option<PathBuf>,
    /// Open the page when it is written
    #[arg(long)]
    open: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Format {
    Html,
    Markdown,
}

pub(crate) fn run(args: &ReportArgs, global: &Global) -> Result<ExitCode> {
    let (head, history) = records(args)?;
    let base = match &args.base {
        Some(path) => Some(RunRecord::read(path)?),
        None => history.iter().rfind(|record| record.started_at < head.started_at).cloned(),
    };
    let text = match args.format {
        Format::Html => html(args, &head, base.as_ref(), &history)?,
        Format::Markdown => markdown(&head, base.as_ref()),
    };
    let name = if args.format == Format::Html { "report.html" } else { "report.md" };
    let out = args.out.clone().unwrap_or_else(|| name.into());
    if out == Path::new("-") {
        std::io::stdout().write_all(text.as_bytes())?;
        return Ok(ExitCode::SUCCESS);
    }
    document::write_text(&out, &text)?;
    if !global.quiet {
        println!("{}", out.display());
    }
    if args.open {
        open(&out)?;
    }
    Ok(ExitCode::SUCCESS)
}

/// The record to show, and all of its machine that lie beside it, oldest first.
fn records(args: &ReportArgs) -> Result<(RunRecord, Vec<RunRecord>)> {
    let fingerprint = hw_probe::machine().fingerprint;
    let (head, folder) = match &args.record {
        Some(path) => {
            let folder = path.parent().filter(|parent| *parent != Path::new(""));
            (Some(RunRecord::read(path)?), folder.unwrap_or(Path::new(".")).to_owned())
        }
        None => (None, records::folder(&fingerprint)),
    };
    let of = head.as_ref().map_or(fingerprint, |head| head.machine.fingerprint.clone());
    let Kept { mut records, passed_over } = records::read(&folder, &of)?;
    for why in passed_over {
        eprintln!("redline: passed over: {why}");
    }
    let head = match head.or_else(|| records.last().cloned()) {
        Some(head) => head,
        None => bail!("no record of this machine in {}: run 'redline suite'", folder.display()),
    };
    records.retain(|record| record.started_at <= head.started_at);
    Ok((head, records))
}

fn html(
    args: &ReportArgs,
    head: &RunRecord,
    base: Option<&RunRecord>,
    history: &[RunRecord],
) -> Result<String> {
    let probe = probe(args, head)?;
    let flamegraphs = flamegraphs(&args.profiles);
    let command = std::env::args().skip(1).collect::<Vec<_>>().join(" ");
    let sources = Sources {
        head,
        base,
        history,
        probe: probe.as_ref(),
        flamegraphs: &flamegraphs,
        tables: &[],
        command: &format!("redline {command}"),
    };
    Ok(page(&sources)?)
}

/// The probe that was named, or the one of `cargo bench -p hw-probe` where it is of this machine.
fn probe(args: &ReportArgs, head: &RunRecord) -> Result<Option<ProbeReport>> {
    let is_of_head = |probe: &ProbeReport| probe.machine.fingerprint == head.machine.fingerprint;
    if let Some(path) = &args.probe {
        let probe = ProbeReport::read_json(path)?;
        if !is_of_head(&probe) {
            bail!(
                "{}: the probe is of machine {}, the record of {}: give a probe of that machine",
                path.display(),
                probe.machine.fingerprint,
                head.machine.fingerprint
            );
        }
        return Ok(Some(probe));
    }
    let benched = ProbeReport::read_json(&args.profiles.join("hw-probe/probe.json")).ok();
    Ok(benched.filter(is_of_head))
}

/// `profiles/<crate>/<case>/flamegraph.svg`, in the order of their names.
fn flamegraphs(profiles: &Path) -> Vec<Flamegraph> {
    let mut found = Vec::new();
    look(profiles, profiles, &mut found);
    found.sort_by(|a: &Flamegraph, b| a.name.cmp(&b.name));
    found.truncate(MOST_FLAMEGRAPHS);
    found
}

fn look(folder: &Path, root: &Path, found: &mut Vec<Flamegraph>) {
    if let Ok(svg) = std::fs::read_to_string(folder.join("flamegraph.svg")) {
        let name = folder.strip_prefix(root).unwrap_or(folder).display().to_string();
        found.push(Flamegraph { name, svg });
    }
    let entries = std::fs::read_dir(folder).into_iter().flatten().flatten();
    for entry in entries.filter(|entry| entry.file_type().is_ok_and(|kind| kind.is_dir())) {
        look(&entry.path(), root, found);
    }
}

fn markdown(head: &RunRecord, base: Option<&RunRecord>) -> String {
    let machine = &head.machine;
    let mut text = format!(
        "## redline: {}, {} threads, {}\n\n{}",
        machine.cpu_model,
        machine.threads,
        head.started_at,
        perf_gate::markdown(&head.kpis)
    );
    if let Some(base) = base {
        let commit = base.commit.as_deref().unwrap_or("unknown");
        text += &format!("\n### Against {commit} of {}\n\n", base.started_at);
        text += &perf_gate::compare(&base.into(), &head.into()).to_markdown();
    }
    text
}

/// Hands the page to whatever this system shows pages with.
fn open(path: &Path) -> Result<()> {
    let program = if cfg!(target_os = "macos") { "open" } else { "xdg-open" };
    let mut command = Command::new(program);
    command.arg(path).stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    command.spawn().with_context(|| format!("cannot open the page: no {program} here"))?;
    Ok(())
}
