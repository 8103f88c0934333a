//! Profiles a run of `redline` itself, in this very process.

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::{Result, bail};
use bench_kit::profile::{About, Kind, Sampler};
use clap::{Args, Parser};

use super::{check_writable, picture, refuse_nested, stacks, tell};
use crate::cli::{Cli, Global};

/// The `--pprof` option.
#[derive(Debug, Clone, Args)]
pub(crate) struct PprofArgs {
    /// Profile this run: flamegraph, stacks, profile.pb and summary into this folder
    /// [default folder: redline-profile]
    #[arg(
        long,
        value_name = "DIR",
        num_args = 0..=1,
        require_equals = true,
        default_missing_value = "redline-profile"
    )]
    pprof: Option<PathBuf>,
}

/// Runs `work`, sampled where `--pprof` asks for it. The table goes to standard error: standard
/// output is the verb's own.
pub(crate) fn with_sampler(
    args: &PprofArgs,
    global: &Global,
    work: impl FnOnce() -> Result<ExitCode>,
) -> Result<ExitCode> {
    match &args.pprof {
        Some(out) => sampled(&command_line(), out, global, work),
        None => work(),
    }
}

fn command_line() -> String {
    std::env::args().skip(1).collect::<Vec<_>>().join(" ")
}

fn sampled(
    name: &str,
    out: &Path,
    global: &Global,
    work: impl FnOnce() -> Result<ExitCode>,
) -> Result<ExitCode> {
    // Now, and not after an hour's work.
    check_writable(out)?;
    let sampler = Sampler::start()?;
    let code = work()?;
    let summary = sampler.stop().write(out, &About::new(&format!("redline {name}"), Kind::Cpu))?;
    if !global.quiet {
        eprint!("\n{}", tell::table(&summary, &stacks(out)?));
        eprintln!("{}", picture(out));
    }
    Ok(code)
}

/// `redline profile -- COMMAND`.
pub(super) fn run(
    command: &[String],
    kind: Kind,
    out: Option<&Path>,
    global: &Global,
) -> Result<ExitCode> {
    if kind != Kind::Cpu {
        bail!("--kind {} is for cases: a command is profiled in its own process", kind.name());
    }
    // People write the program's name, too.
    let command = command.strip_prefix(&["redline".to_owned()]).unwrap_or(command);
    refuse_nested(command)?;
    let parsed =
        Cli::try_parse_from(std::iter::once("redline").chain(command.iter().map(String::as_str)));
    let cli = parsed.unwrap_or_else(|error| error.exit());
    let name = command.join(" ");
    let out = out.map_or_else(|| PathBuf::from("redline-profile"), Path::to_owned);
    sampled(&name, &out, global, || crate::dispatch(cli))
}
