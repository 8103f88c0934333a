//! `redline profile`: where a bench case or a run of `redline` spends time, memory, instructions.
//!
//! | file | part |
//! |---|---|
//! | `case.rs` | which case: crate, bench, and the nearest name for one that is not there |
//! | `checkout.rs` | the workspace: its packages, its builds, other revisions of it |
//! | `child.rs` | the commands, which Ctrl-C ends |
//! | `run.rs` | profiles a case in a checkout |
//! | `own.rs` | profiles this very process, for `--pprof` and `profile -- COMMAND` |
//! | `tell.rs` | the tables |

mod case;
mod checkout;
mod child;
mod own;
mod run;
mod tell;

use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode};

use anyhow::{Context, Result, bail};
use bench_kit::profile::{self, About, Kind, Stacks, Summary, files};
use clap::{Args, ValueEnum};

use crate::cli::Global;
use case::Case;
use checkout::Checkout;
pub(crate) use own::{PprofArgs, with_sampler};

const EXAMPLES: &str = "\
Examples:
  redline profile backtest/simulate/all_in             flamegraph and the ten hottest functions
  redline profile features/classic/1-threads --kind heap
  redline profile features/kernel/sma_20 --kind instructions
  redline profile backtest/simulate/all_in --diff HEAD~3   what changed since then, by function
  redline profile -- optimize --data year.parquet --strategy ma-cross \\
      --param fast=5:75:5 --param slow=5:75:5 --where 'fast < slow'

Cases are those of `cargo bench`; crates: hw-probe, market-data, features, backtest, optimizer,
monitor, and kpi for the whole of each KPI. Needs a checkout, as `cargo bench` does; only
`profile -- COMMAND` does not. Counting instructions needs valgrind, which knows no AVX-512: there,
the AVX2 path is what is counted.";

#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct ProfileArgs {
    /// A bench case, such as backtest/simulate/all_in
    #[arg(value_name = "CRATE/CASE", required_unless_present = "command")]
    case: Option<String>,
    /// What to measure: time by samples, or bytes or instructions exactly
    #[arg(long, value_name = "KIND", default_value = "cpu")]
    kind: Measured,
    /// Profile this revision too, and show what has changed since
    #[arg(long, value_name = "REV", conflicts_with = "command")]
    diff: Option<String>,
    /// Where to write [default: profiles/CRATE/CASE, with the kind's name where that is not cpu]
    #[arg(long, value_name = "DIR")]
    out: Option<PathBuf>,
    /// A verb of redline with its options, to be profiled as a whole
    #[arg(last = true, value_name = "COMMAND", conflicts_with = "case")]
    command: Vec<String>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Measured {
    /// Processor time, 997 samples a second
    Cpu,
    /// Bytes and blocks from the heap
    Heap,
    /// Instructions executed, under valgrind
    Instructions,
}

impl From<Measured> for Kind {
    fn from(measured: Measured) -> Self {
        match measured {
            Measured::Cpu => Self::Cpu,
            Measured::Heap => Self::Heap,
            Measured::Instructions => Self::Instructions,
        }
    }
}

pub(crate) fn run(args: &ProfileArgs, global: &Global) -> Result<ExitCode> {
    let kind = Kind::from(args.kind);
    if !args.command.is_empty() {
        return own::run(&args.command, kind, args.out.as_deref(), global);
    }
    // What is cheap to refuse is refused before anything is built.
    if kind == Kind::Instructions {
        needs_valgrind()?;
    }
    let here = Checkout::here()?;
    let name = args.case.as_deref().unwrap_or_default();
    Case::check_crate(name, &here)?;
    let folder = here.root().join("profiles");
    let out = args.out.as_ref().map(std::path::absolute).transpose()?;
    check_writable(out.as_ref().unwrap_or(&folder))?;
    let base = args.diff.as_deref().map(|revision| here.at(revision)).transpose()?;
    let case = Case::find(name, kind, &here, global)?;
    let out = out.unwrap_or_else(|| folder.join(case.folder()));
    let summary = run::profile(&case, &here, &out, global)?;
    if !global.quiet {
        print!("{}", tell::table(&summary, &stacks(&out)?));
    }
    if let Some(base) = &base {
        let base_out = out.join("base");
        let base_summary = run::profile(&case, base, &base_out, global)
            .with_context(|| format!("{} at {}", case.name(), base.revision()))?;
        compare(&base_summary, &summary, base.revision(), &out, global)?;
    }
    if !global.quiet {
        println!("{}", picture(&out));
    }
    Ok(ExitCode::SUCCESS)
}

/// The picture's path, or that there is none to see.
fn picture(folder: &Path) -> String {
    let svg = folder.join(files::SVG);
    let path = if svg.is_file() { svg } else { folder.to_owned() };
    format!("\n{}", path.display())
}

/// The stacks in a profile's folder.
fn stacks(folder: &Path) -> Result<Stacks> {
    let path = folder.join(files::STACKS);
    let text = std::fs::read_to_string(&path).with_context(|| path.display().to_string())?;
    Stacks::parse(&text).with_context(|| path.display().to_string())
}

/// Writes the differential flamegraph and prints what has changed.
fn compare(
    base: &Summary,
    head: &Summary,
    revision: &str,
    out: &Path,
    global: &Global,
) -> Result<()> {
    let (before, after) = (stacks(&out.join("base"))?, stacks(out)?);
    if before.total() == 0 && after.total() == 0 {
        println!("\nnothing at {revision}, nothing now");
        return Ok(());
    }
    let scale = tell::Scale::of(base, head);
    let (before, after) = (before.scaled(scale.base), after.scaled(scale.head));
    let about = About::new(&head.name, head.kind);
    let svg = profile::difference_svg(&before, &after, &about, revision)?;
    let path = out.join(files::DIFFERENCE_SVG);
    market_data::atomic::write(&path, |file| std::io::Write::write_all(file, &svg))
        .with_context(|| format!("cannot write {}", path.display()))?;
    if !global.quiet {
        let skip = head.kind.names_before_frames();
        let changes = profile::changes(&before, &after, skip);
        print!("\n{}", tell::changes(&changes, (before.total(), after.total()), &scale, revision));
        println!("\n{}", path.display());
    }
    Ok(())
}

fn needs_valgrind() -> Result<()> {
    let valgrind = Command::new("valgrind").arg("--version").output();
    if !valgrind.is_ok_and(|output| output.status.success()) {
        bail!(
            "--kind instructions counts under valgrind, and there is none: install it, or \
             take --kind cpu"
        );
    }
    Ok(())
}

/// That files can be written to `folder`, which need not be there yet.
fn check_writable(folder: &Path) -> Result<()> {
    let there = folder.ancestors().find(|folder| folder.exists());
    let there = there.filter(|there| !there.as_os_str().is_empty()).unwrap_or(Path::new("."));
    // A file in it shows more than its permissions do: a full or read-only disk, or no folder.
    tempfile::tempfile_in(there)
        .map(drop)
        .with_context(|| format!("cannot write to {}", folder.display()))
}

/// Refuses what no profile can be taken of.
fn refuse_nested(command: &[String]) -> Result<()> {
    if command.first().is_some_and(|verb| verb == "profile") {
        bail!("a profile of a profile: give the command that it would run");
    }
    Ok(())
}
