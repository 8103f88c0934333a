//! `redline monitor`: watch a process and its machine, and say when it is too much.

mod ending;
mod parquet;
mod report;
mod target;
mod tui;

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::Duration;

use anyhow::{Context, Result};
use clap::Args;
use monitor::{ContinuousMonitor, Handle, Options, Rule, Server, State, Summary, parse_duration};

use crate::cli::{Global, Json};
use crate::document;
use ending::Ending;
use target::{Output, Target};

const EXAMPLES: &str = "\
Examples:
  redline monitor -- redline optimize --data year.parquet --strategy ma-cross --param fast=5:75:5
  redline monitor --pid 4321 --for 5m --json usage.json
  redline monitor --listen 127.0.0.1:9464 --rules alerts.toml -- python backtest.py

The wrapped command's exit code is passed on, or 128 and the signal that ended it. Without a
command, exit code 1: an alert fires at the end. Ctrl-C reaches the command; a second one, 'q' and
--for ask it to end (SIGTERM), and five seconds later it is ended. A Parquet log is kept as
FILE.parquet.jsonl until the run ends; after a kill, the next run with that log takes it up.";

/// How often the loop looks at signals and alerts. A core's 0.1 % is 200 us of each.
const LOOK: Duration = Duration::from_millis(200);

#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct MonitorArgs {
    /// A running process [default: this one, that is, the machine]
    #[arg(long, value_name = "N", conflicts_with = "command")]
    pid: Option<u32>,
    /// Between two samples
    #[arg(long, value_name = "DURATION", default_value = "1s", value_parser = interval)]
    interval: Duration,
    /// Alert rules [default: memory, sustained CPU, free disk, slow backtest]
    #[arg(long, value_name = "FILE")]
    rules: Option<PathBuf>,
    /// Log every sample: appended as lines of JSON, or written as Parquet at the end
    #[arg(long, value_name = "FILE.jsonl|FILE.parquet")]
    log: Option<PathBuf>,
    /// Serve /metrics, /health and a live page here
    #[arg(long, value_name = "ADDRESS")]
    listen: Option<SocketAddr>,
    /// What requests must bring; needed when others can reach the address
    #[arg(long, value_name = "TEXT", env = "REDLINE_MONITOR_TOKEN", hide_env_values = true)]
    token: Option<String>,
    /// Charts and alerts on this terminal; 'q' ends. The command's output follows afterwards
    #[arg(long)]
    tui: bool,
    /// End after this time; a wrapped command is asked to end
    #[arg(long = "for", value_name = "DURATION", value_parser = parse_duration)]
    duration: Option<Duration>,
    /// A path whose free space is watched, may be given again
    #[arg(long, value_name = "PATH", default_value = ".")]
    disk: Vec<PathBuf>,
    #[command(flatten)]
    json: Json,
    /// A command to run and watch, with its children
    #[arg(last = true, value_name = "COMMAND")]
    command: Vec<String>,
}

fn interval(text: &str) -> Result<Duration, String> {
    match parse_duration(text) {
        Ok(span) if span < Duration::from_millis(1) => {
            Err("the interval must be at least 1ms".to_owned())
        }
        Ok(span) => Ok(span),
        Err(error) => Err(error.to_string()),
    }
}

pub(crate) fn run(args: &MonitorArgs, global: &Global) -> Result<ExitCode> {
    check(args)?;
    let rules = rules(args.rules.as_deref())?;
    let ending = Ending::new(args.duration)?;
    let json = args.json.json.as_deref();
    let output = match () {
        () if args.tui => Output::Later(tempfile::tempfile().context("no temporary file")?),
        () if json == Some(Path::new("-")) => Output::Stderr,
        () => Output::Inherited,
    };
    // What could refuse the run comes first: a command that has begun has had its effects.
    let screen = args.tui.then(tui::Screen::check).transpose()?;
    let mut target = Target::new(args.pid, &args.command, output)?;
    let options =
        Options { pid: target.pid(), paths: args.disk.clone(), rules, log: journal(args) };
    let watched = watch(args, global, options, &mut target, ending, screen);
    if watched.is_err() {
        target.end();
    }
    let watched = watched?;
    let code = target.exit_code()?;
    target.replay()?;
    tell(args, global, &watched, code.is_some())?;
    Ok(match code {
        Some(code) => ExitCode::from(code),
        None if watched.summary.is_firing() => ExitCode::FAILURE,
        None => ExitCode::SUCCESS,
    })
}

/// A run that is over.
struct Watched {
    summary: Summary,
    log_trouble: Option<String>,
}

/// Where samples go while the run lasts.
fn journal(args: &MonitorArgs) -> Option<PathBuf> {
    let log = args.log.as_deref()?;
    Some(if parquet::is_wanted(log) { parquet::journal(log) } else { log.to_owned() })
}

fn check(args: &MonitorArgs) -> Result<()> {
    for path in &args.disk {
        path.metadata().with_context(|| format!("--disk {}", path.display()))?;
    }
    Ok(())
}

fn rules(path: Option<&Path>) -> Result<Vec<Rule>> {
    let Some(path) = path else { return Ok(monitor::built_in_rules()?) };
    let text = std::fs::read_to_string(path).with_context(|| path.display().to_string())?;
    monitor::parse_rules(&text).with_context(|| path.display().to_string())
}

/// Samples until the target has ended, the time is over, or somebody said so.
fn watch(
    args: &MonitorArgs,
    global: &Global,
    options: Options,
    target: &mut Target,
    mut ending: Ending,
    screen: Option<tui::Ready>,
) -> Result<Watched> {
    let mut monitor = ContinuousMonitor::with_options(args.interval, options)?;
    let handle = monitor.handle();
    let _server = args.listen.map(|address| serve(address, args, global, &handle)).transpose()?;
    monitor.start()?;
    let mut screen = screen.map(tui::Ready::open).transpose()?;
    let mut told = Teller { is_quiet: global.quiet || args.tui, trouble: None };
    let mut is_quit = false;
    let mut wait = Duration::ZERO;
    while !target.has_ended_within(wait) {
        if let Some(signal) = ending.next(is_quit) {
            target.signal(signal);
        }
        if ending.is_asked() && !target.is_command() {
            break;
        }
        match &mut screen {
            Some(screen) => is_quit = screen.show(&handle, LOOK)?,
            None => wait = LOOK,
        }
        told.tell(&handle);
    }
    drop(screen);
    let summary = monitor.stop();
    told.tell(&handle);
    Ok(Watched { summary, log_trouble: handle.log_trouble() })
}

fn serve(
    address: SocketAddr,
    args: &MonitorArgs,
    global: &Global,
    handle: &Handle,
) -> Result<Server> {
    let server = Server::start(address, args.token.clone(), handle.clone())?;
    if !global.quiet && !args.tui {
        eprintln!("redline: listening on http://{}/", server.address());
    }
    Ok(server)
}

/// Says on standard error what changes while the run lasts.
struct Teller {
    is_quiet: bool,
    trouble: Option<String>,
}

impl Teller {
    fn tell(&mut self, handle: &Handle) {
        let transitions = handle.take_transitions();
        let trouble = handle.log_trouble();
        if !self.is_quiet {
            let is_told = |state| matches!(state, State::Firing | State::Resolved);
            for alert in transitions.iter().filter(|alert| is_told(alert.state)) {
                eprintln!("{}", report::transition(alert));
            }
            if let Some(why) = trouble.as_ref().filter(|_| self.trouble.is_none()) {
                eprintln!("redline: warning: the log is not written at present: {why}");
            }
        }
        self.trouble = trouble;
    }
}

/// Ends the log, writes the document, and prints the summary: beside a command's own output on
/// standard error, as that output may be read by another program.
fn tell(args: &MonitorArgs, global: &Global, watched: &Watched, is_command: bool) -> Result<()> {
    let Watched { summary, log_trouble } = watched;
    if let Some(why) = log_trouble {
        eprintln!("redline: warning: {} log lines lost: {why}", summary.lost_log_lines);
    }
    let json = args.json.json.as_deref();
    document::write(json, "monitor", summary)?;
    if let Some(log) = args.log.as_deref().filter(|log| parquet::is_wanted(log))
        && let Err(error) = parquet::finish(log)
    {
        // The command has run: its exit code still counts.
        eprintln!("redline: warning: the log is left as JSON lines: {error:#}");
    }
    match (global.prints(json), is_command) {
        (false, _) => {}
        (true, true) => eprint!("{}", report::summary(summary)),
        (true, false) => print!("{}", report::summary(summary)),
    }
    Ok(())
}
