//! `redline monitor`: watch a process and its machine, and say when it is too much.

mod target;
mod tui;

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};
use clap::Args;
use monitor::{ContinuousMonitor, Options, Rule, Server, Summary, parse_duration};

use crate::cli::{Global, Json};
use crate::document;
use target::Target;

const EXAMPLES: &str = "\
Examples:
  redline monitor -- redline optimize --data year.parquet --strategy ma-cross --param fast=5:75:5
  redline monitor --pid 4321 --for 5m --json usage.json
  redline monitor --listen 127.0.0.1:9464 --rules alerts.toml -- python backtest.py

The wrapped command's exit code is passed on. Exit code 1 with --pid: an alert fires at the end.";

/// How often the loop looks whether it is over.
const LOOK: Duration = Duration::from_millis(20);
/// Between Ctrl-C and a request to end, for a command that did not get it from the terminal.
const GRACE: Duration = Duration::from_millis(500);

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
    /// Append every sample as a line of JSON
    #[arg(long, value_name = "FILE.jsonl")]
    log: Option<PathBuf>,
    /// Serve /metrics, /health and a live page here
    #[arg(long, value_name = "ADDRESS")]
    listen: Option<SocketAddr>,
    /// What requests must bring; needed when others can reach the address
    #[arg(long, value_name = "TEXT", env = "REDLINE_MONITOR_TOKEN", hide_env_values = true)]
    token: Option<String>,
    /// Charts and alerts on this terminal; 'q' ends
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
    let is_over = Arc::new(AtomicBool::new(false));
    let over = Arc::clone(&is_over);
    ctrlc::set_handler(move || over.store(true, Ordering::Release))
        .context("cannot catch Ctrl-C")?;
    let mut target = Target::new(args.pid, &args.command)?;
    let options =
        Options { pid: target.pid(), paths: args.disk.clone(), rules, log: args.log.clone() };
    let watched = watch(args, options, &mut target, &is_over);
    if watched.is_err() {
        target.end();
    }
    let (summary, log_trouble) = watched?;
    let code = target.exit_code()?;
    if let Some(why) = log_trouble {
        eprintln!("redline: warning: {} log lines lost: {why}", summary.lost_log_lines);
    }
    let json = args.json.json.as_deref();
    document::write(json, "monitor", &summary)?;
    if global.prints(json) {
        print(&summary);
    }
    Ok(match code {
        Some(code) => ExitCode::from(code),
        None if summary.is_firing() => ExitCode::FAILURE,
        None => ExitCode::SUCCESS,
    })
}

fn check(args: &MonitorArgs) -> Result<()> {
    if let Some(log) = &args.log
        && log.extension().is_some_and(|extension| extension == "parquet")
    {
        bail!("{}: the log is JSON lines, name it .jsonl", log.display());
    }
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
    options: Options,
    target: &mut Target,
    is_over: &AtomicBool,
) -> Result<(Summary, Option<String>)> {
    let mut monitor = ContinuousMonitor::with_options(args.interval, options)?;
    let handle = monitor.handle();
    let server = args
        .listen
        .map(|address| Server::start(address, args.token.clone(), handle.clone()))
        .transpose()?;
    if let Some(server) = &server {
        eprintln!("redline: listening on http://{}/", server.address());
    }
    monitor.start()?;
    let mut screen = args.tui.then(tui::Screen::open).transpose()?;
    let started = Instant::now();
    let mut asked: Option<Instant> = None;
    while !target.has_ended() {
        let is_late = args.duration.is_some_and(|longest| started.elapsed() >= longest);
        if is_late || is_over.load(Ordering::Acquire) {
            let since = *asked.get_or_insert_with(Instant::now);
            if target.may_be_left(since.elapsed() >= GRACE || is_late) {
                break;
            }
        }
        match &mut screen {
            Some(screen) => {
                if screen.show(&handle, LOOK)? {
                    is_over.store(true, Ordering::Release);
                }
            }
            None => std::thread::sleep(LOOK),
        }
    }
    drop(screen);
    let summary = monitor.stop();
    Ok((summary, handle.log_trouble()))
}

fn print(summary: &Summary) {
    let bytes = |bytes: f64| format!("{:.1} MB", bytes / 1e6);
    let missing = || "not available".to_owned();
    let process = &summary.process;
    println!("duration      {:.2} s, {} samples", summary.duration_s, summary.samples);
    let spread = |spread: Option<monitor::Spread>, unit: &dyn Fn(f64) -> String| {
        spread.map_or_else(missing, |s| format!("mean {}, peak {}", unit(s.mean), unit(s.peak)))
    };
    let percent = |percent: f64| format!("{percent:.0} %");
    println!("memory        {}", spread(process.rss_bytes, &bytes));
    println!("CPU, 1 core   {}", spread(process.cpu_percent, &percent));
    println!("CPU, machine  {}", spread(summary.system.cpu_percent, &percent));
    println!("read          {}", process.read_bytes.map_or_else(missing, bytes));
    println!("written       {}", process.written_bytes.map_or_else(missing, bytes));
    println!("overhead      {:.3} % of a core", summary.overhead_percent);
    for alert in &summary.alerts {
        let state = serde_json::to_string(&alert.state).unwrap_or_default();
        println!("alert         {}: {}", alert.rule, state.trim_matches('"'));
    }
}
