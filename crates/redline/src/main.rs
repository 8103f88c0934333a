//! `redline`: how fast this machine is, and how fast your backtest stack runs against it.
//!
//! Glue only: a file per verb in `cmd/`, the libraries do the work. Exit codes: 0 fine, 1 the
//! verdict is bad, 2 bad usage or bad input.

mod bar_options;
mod chart;
mod cli;
mod cmd;
mod data;
mod document;
mod monitor;
mod options;
mod plot;
mod profile;
mod progress;
mod records;
mod report;
mod source;
mod stats;
mod strategies;
mod suite;
mod tables;
mod values;
mod version;

use std::process::ExitCode;

use clap::Parser;

use cli::{Cli, Verb};

fn main() -> ExitCode {
    dispatch(Cli::parse()).unwrap_or_else(|error| {
        if is_closed_pipe(&error) {
            return ExitCode::SUCCESS;
        }
        // One line: what follows a first one (the source under a mistake) repeats where it is.
        let text = told(&error);
        eprintln!("redline: {}", text.lines().next().unwrap_or_default());
        ExitCode::from(2)
    })
}

/// The error and its causes, each told once: many a library's text has its cause's in it already.
fn told(error: &anyhow::Error) -> String {
    error.chain().skip(1).fold(error.to_string(), |text, cause| {
        let cause = cause.to_string();
        if text.contains(&cause) { text } else { format!("{text}: {cause}") }
    })
}

/// Runs a verb.
fn dispatch(cli: Cli) -> anyhow::Result<ExitCode> {
    match cli.verb {
        Verb::Probe(args) => cmd::probe::run(&args, &cli.global),
        Verb::Data(args) => cmd::data::run(&args, &cli.global),
        Verb::Features(args) => cmd::features::run(&args, &cli.global),
        Verb::Backtest(args) => profile::with_sampler(&args.pprof, &cli.global, || {
            cmd::backtest::run(&args, &cli.global)
        }),
        Verb::Optimize(args) => profile::with_sampler(&args.pprof, &cli.global, || {
            cmd::optimize::run(&args, &cli.global)
        }),
        Verb::Suite(args) => {
            profile::with_sampler(&args.pprof, &cli.global, || cmd::suite::run(&args, &cli.global))
        }
        Verb::Monitor(args) => monitor::run(&args, &cli.global),
        Verb::Compare(args) => cmd::compare::run(&args, &cli.global),
        Verb::Gate(args) => cmd::gate::run(&args, &cli.global),
        Verb::History(args) => cmd::history::run(&args, &cli.global),
        Verb::Export(args) => cmd::export::run(&args, &cli.global),
        Verb::Report(args) => cmd::report::run(&args, &cli.global),
        Verb::Profile(args) => profile::run(&args, &cli.global),
        Verb::Completions(args) => cmd::shell::completions(&args),
        Verb::Man(args) => cmd::shell::man(&args, &cli.global),
    }
}

/// Whether the reader of our output went away, as `head` does: no error of ours.
fn is_closed_pipe(error: &anyhow::Error) -> bool {
    error
        .root_cause()
        .downcast_ref::<std::io::Error>()
        .is_some_and(|io| io.kind() == std::io::ErrorKind::BrokenPipe)
}
