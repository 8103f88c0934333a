//! `redline completions` and `redline man`: what a shell and `man` know of the verbs.

use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::{Context, Result};
use clap::builder::Resettable;
use clap::{Args, Command, CommandFactory};
use clap_complete::Shell;
use clap_mangen::Man;

use crate::cli::{Cli, Global};
use crate::document;

const COMPLETIONS: &str = "\
Examples:
  redline completions bash > ~/.local/share/bash-completion/completions/redline
  redline completions zsh > ~/.zfunc/_redline          with ~/.zfunc in $fpath
  redline completions fish > ~/.config/fish/completions/redline.fish";

const MAN: &str = "\
Examples:
  redline man ~/.local/share/man/man1
  man redline-backtest";

#[derive(Debug, Args)]
#[command(after_help = COMPLETIONS)]
pub(crate) struct CompletionsArgs {
    /// The shell
    shell: Shell,
}

#[derive(Debug, Args)]
#[command(after_help = MAN)]
pub(crate) struct ManArgs {
    /// The folder for redline.1, redline-probe.1 and so on; made where it is missing
    dir: PathBuf,
}

/// Writes the script to standard output.
pub(crate) fn completions(args: &CompletionsArgs) -> Result<ExitCode> {
    let mut script = Vec::new();
    clap_complete::generate(args.shell, &mut Cli::command(), "redline", &mut script);
    std::io::stdout().write_all(&script)?;
    Ok(ExitCode::SUCCESS)
}

/// Writes a page for the program and one for each verb.
pub(crate) fn man(args: &ManArgs, global: &Global) -> Result<ExitCode> {
    let folder = &args.dir;
    std::fs::create_dir_all(folder)
        .with_context(|| format!("cannot make the folder {}", folder.display()))?;
    // The long version is of this machine, which a page is not.
    let mut command = Cli::command().long_version(Resettable::Reset);
    // Gives each verb its whole name.
    command.build();
    let pages = write_pages(&command, folder)?;
    if !global.quiet {
        println!("{pages} pages in {}", folder.display());
    }
    Ok(ExitCode::SUCCESS)
}

/// The page of `command` and those of its verbs; how many.
fn write_pages(command: &Command, folder: &Path) -> Result<usize> {
    let page = Man::new(command.clone());
    let mut text = Vec::new();
    page.render(&mut text)?;
    document::write_text(&folder.join(page.get_filename()), std::str::from_utf8(&text)?)?;
    let verbs = command.get_subcommands().filter(|verb| verb.get_name() != "help");
    verbs.map(|verb| write_pages(verb, folder)).try_fold(1, |pages, more| Ok(pages + more?))
}
