//! Child processes that Ctrl-C ends, and with them the gate: what it made is then removed.

use std::fs::File;
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use anyhow::{Context, Result, bail};
use rustix::process::{Pid, Signal, kill_process_group};
use signal_hook::consts::{SIGHUP, SIGINT, SIGTERM};

/// Runs commands until somebody asks for the end.
#[derive(Debug, Clone)]
pub(super) struct Runner {
    is_over: Arc<AtomicBool>,
}

/// What a command left.
pub(super) struct Finished {
    pub(super) success: bool,
    pub(super) stdout: String,
    pub(super) stderr: String,
}

impl Finished {
    /// The first error that it tells of, else what it said last.
    pub(super) fn first_error(&self) -> &str {
        let error = self.stderr.lines().map(str::trim).find(|line| line.starts_with("error"));
        error.unwrap_or_else(|| self.last_line())
    }

    /// The last line that says anything, for a message.
    pub(super) fn last_line(&self) -> &str {
        let lines = || self.stderr.lines().chain(self.stdout.lines());
        lines().map(str::trim).rfind(|line| !line.is_empty()).unwrap_or("no message")
    }
}

impl Runner {
    /// Catches Ctrl-C and the requests to end, from now on.
    pub(super) fn new() -> Result<Self> {
        let is_over = Arc::new(AtomicBool::new(false));
        for signal in [SIGINT, SIGTERM, SIGHUP] {
            signal_hook::flag::register(signal, Arc::clone(&is_over))
                .context("cannot catch signals")?;
        }
        Ok(Self { is_over })
    }

    /// Whether somebody has asked for the end.
    pub(super) fn is_over(&self) -> bool {
        self.is_over.load(Ordering::Acquire)
    }

    /// Runs `command` to its end with its output kept in `scratch`.
    pub(super) fn run(&self, command: &mut Command, scratch: &Path) -> Result<Finished> {
        let name = command.get_program().to_string_lossy().into_owned();
        let path = |stream: &str| scratch.join(format!("{stream}.txt"));
        let file = |stream: &str| {
            File::create(path(stream))
                .with_context(|| format!("cannot write in {}", scratch.display()))
        };
        let mut child = command
            .stdin(Stdio::null())
            .stdout(file("stdout")?)
            .stderr(file("stderr")?)
            // A group of its own, so that what a command has started ends with it.
            .process_group(0)
            .spawn()
            .with_context(|| format!("cannot run {name}"))?;
        let status = loop {
            if let Some(status) =
                child.try_wait().with_context(|| format!("cannot wait for {name}"))?
            {
                break status;
            }
            if self.is_over() {
                // It may be gone already.
                let _ = kill_process_group(Pid::from_child(&child), Signal::KILL);
                break child.wait().with_context(|| format!("cannot wait for {name}"))?;
            }
            std::thread::sleep(Duration::from_millis(3));
        };
        if self.is_over() {
            bail!("interrupted: the work trees are removed, nothing was judged");
        }
        let text = |stream: &str| -> Result<String> {
            let bytes = std::fs::read(path(stream)).context("cannot read a command's output")?;
            Ok(String::from_utf8_lossy(&bytes).into_owned())
        };
        Ok(Finished { success: status.success(), stdout: text("stdout")?, stderr: text("stderr")? })
    }
}
