//! `redline report`: a run of the suite and all that belongs to it, on one page.

mod profiles;

use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode, Stdio};

use anyhow::{Context, Result, bail};
use clap::{Args, ValueEnum};
use hw_probe::ProbeReport;
use perf_gate::page::{Sources, Watch, markdown, page};
use perf_gate::{Alert, Peers, Quality, RunRecord};

use self::profiles::Profiles;
use crate::cli::Global;
use crate::document;
use crate::records::{self, Kept};

const EXAMPLES: &str = "\
Examples:
  redline report                        the newest record of this machine, as report.html
  redline report head.json --base base.json --out change.html --open
  redline report --format markdown --out -     for a terminal or a pull request

Beside the record, in benches/record and in this folder it looks for peers.json (written by
scripts/peers/run) and quality.json (written by 'scripts/quality --json quality.json').";

#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct ReportArgs {
    /// The record, or a folder of records, of which it takes the newest [default: the newest of
    /// this machine in benches/record, else in this folder]
    record: Option<PathBuf>,
    /// The record to compare with [default: the one before]
    #[arg(long, value_name = "RECORD")]
    base: Option<PathBuf>,
    /// A probe of the same machine [default: profiles/hw-probe/probe.json, else the
    /// record's own]
    #[arg(long, value_name = "FILE")]
    probe: Option<PathBuf>,
    /// Where flamegraphs and heap profiles are looked for
    #[arg(long, value_name = "DIR", default_value = "profiles")]
    profiles: PathBuf,
    /// A document of 'redline monitor', whose alerts are shown [default: the record's own alerts]
    #[arg(long, value_name = "FILE")]
    monitor: Option<PathBuf>,
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
    let gathered = Gathered::read(args)?;
    let sources = gathered.sources();
    let (text, name) = match args.format {
        Format::Html => (page(&sources)?, "report.html"),
        Format::Markdown => (markdown(&sources)?, "report.md"),
    };
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

/// All that belongs to a record.
struct Gathered {
    head: RunRecord,
    base: Option<RunRecord>,
    history: Vec<RunRecord>,
    probe: Option<ProbeReport>,
    profiles: Profiles,
    peers: Option<Peers>,
    /// The alerts of a document, and where it lies.
    monitor: Option<(Vec<Alert>, String)>,
    quality: Option<Quality>,
    command: String,
}

impl Gathered {
    fn read(args: &ReportArgs) -> Result<Self> {
        let Chosen { head, history, folder } = choose(args)?;
        let base = match &args.base {
            Some(path) => Some(RunRecord::read(path)?),
            None => history.iter().rfind(|record| record.started_at < head.started_at).cloned(),
        };
        let peers = records::beside(&folder, "peers.json").map(|path| Peers::read(&path));
        let quality = match &head.quality {
            Some(_) => None,
            None => records::beside(&folder, "quality.json").map(|path| Quality::read(&path)),
        };
        let monitor = args.monitor.as_ref().map(|path| {
            perf_gate::read_alerts(path).map(|alerts| (alerts, path.display().to_string()))
        });
        Ok(Self {
            probe: probe(args, &head)?,
            profiles: Profiles::find(&args.profiles),
            peers: peers.transpose()?,
            quality: quality.transpose()?.or_else(|| head.quality.clone()),
            monitor: monitor.transpose()?,
            command: format!("redline {}", std::env::args().skip(1).collect::<Vec<_>>().join(" ")),
            head,
            base,
            history,
        })
    }

    fn sources(&self) -> Sources<'_> {
        let own = self.head.alerts.as_ref();
        let alerts = match &self.monitor {
            Some((alerts, source)) => Some(Watch { alerts, source }),
            None => own.map(|alerts| Watch { alerts, source: "this run" }),
        };
        Sources {
            head: &self.head,
            base: self.base.as_ref(),
            history: &self.history,
            probe: self.probe.as_ref(),
            flamegraphs: &self.profiles.flamegraphs,
            flamegraphs_left_out: self.profiles.left_out,
            heap: &self.profiles.heap,
            peers: self.peers.as_ref(),
            alerts,
            quality: self.quality.as_ref(),
            command: &self.command,
        }
    }
}

/// The record to show, all of its machine that lie beside it, oldest first, and where they lie.
struct Chosen {
    head: RunRecord,
    history: Vec<RunRecord>,
    folder: PathBuf,
}

fn choose(args: &ReportArgs) -> Result<Chosen> {
    let (head, folder) = match &args.record {
        Some(path) if path.is_dir() => (None, path.clone()),
        Some(path) => {
            let folder = path.parent().filter(|parent| *parent != Path::new(""));
            (Some(RunRecord::read(path)?), folder.unwrap_or(Path::new(".")).to_owned())
        }
        None => (None, records::folder(&hw_probe::machine().fingerprint)),
    };
    let Kept { mut records, passed_over } = records::read(&folder)?;
    for why in passed_over {
        eprintln!("redline: passed over: {why}");
    }
    let here = args.record.is_none().then(|| hw_probe::machine().fingerprint);
    let is_wanted =
        |record: &&RunRecord| here.as_ref().is_none_or(|here| record.machine.fingerprint == *here);
    let head = match head.or_else(|| records.iter().rfind(is_wanted).cloned()) {
        Some(head) => head,
        None if args.record.is_some() => {
            bail!("no record in {}: 'redline suite' writes them", folder.display())
        }
        None => bail!("no record of this machine in {}: run 'redline suite'", folder.display()),
    };
    records.retain(|record| {
        record.machine.fingerprint == head.machine.fingerprint
            && record.started_at <= head.started_at
    });
    Ok(Chosen { head, history: records, folder })
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

/// Hands the page to whatever this system shows pages with.
fn open(path: &Path) -> Result<()> {
    let program = if cfg!(target_os = "macos") { "open" } else { "xdg-open" };
    let mut command = Command::new(program);
    command.arg(path).stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    command.spawn().with_context(|| format!("cannot open the page: no {program} here"))?;
    Ok(())
}
