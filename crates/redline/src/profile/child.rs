//! Child processes that Ctrl-C ends, and with them this one: what it made is then removed.

use std::os::unix::process::CommandExt;
use std::process::{Child, Command, Output, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{self, RecvTimeoutError};
use std::time::Duration;

use anyhow::{Context, Result, bail};
use rustix::process::{Pid, Signal, kill_process_group};
use signal_hook::consts::{SIGHUP, SIGINT, SIGTERM};

const LOOK_EVERY: Duration = Duration::from_millis(50);

/// Runs commands until somebody asks for the end.
#[derive(Debug, Clone)]
pub(super) struct Runner(Arc<AtomicBool>);

impl Runner {
    /// Catches Ctrl-C and the requests to end, from now on.
    pub(super) fn new() -> Result<Self> {
        let is_over = Arc::new(AtomicBool::new(false));
        for signal in [SIGINT, SIGTERM, SIGHUP] {
            signal_hook::flag::register(signal, Arc::clone(&is_over))
                .context("cannot catch signals")?;
        }
        Ok(Self(is_over))
    }

    /// Runs `command` to its end, with its standard output kept, and its standard error where that
    /// is piped. It leads a group of its own: what it starts ends with it.
    pub(super) fn output(&self, command: &mut Command) -> Result<Output> {
        let name = command.get_program().to_string_lossy().into_owned();
        let child = command
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .process_group(0)
            .spawn()
            .with_context(|| format!("cannot run {name}"))?;
        let output = self.wait(child).with_context(|| format!("cannot run {name}"))?;
        if self.0.load(Ordering::Acquire) {
            bail!("interrupted: nothing is left behind");
        }
        Ok(output)
    }

    fn wait(&self, child: Child) -> Result<Output> {
        let group = Pid::from_child(&child);
        let (done, waiting) = mpsc::channel();
        std::thread::spawn(move || done.send(child.wait_with_output()));
        loop {
            match waiting.recv_timeout(LOOK_EVERY) {
                Ok(output) => return Ok(output?),
                Err(RecvTimeoutError::Disconnected) => bail!("its output was lost"),
                Err(RecvTimeoutError::Timeout) => {}
            }
            if self.0.load(Ordering::Acquire) {
                // It may be gone already.
                let _ = kill_process_group(group, Signal::KILL);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_end_reaches_what_a_command_has_started() {
        let runner = Runner(Arc::new(AtomicBool::new(false)));
        let (flag, started) = (Arc::clone(&runner.0), std::time::Instant::now());
        std::thread::spawn(move || {
            std::thread::sleep(Duration::from_millis(200));
            flag.store(true, Ordering::Release);
        });
        // The inner one holds the pipe: only its end closes it.
        let ended = runner.output(Command::new("sh").args(["-c", "sleep 60 & sleep 60"]));
        assert_eq!(ended.unwrap_err().to_string(), "interrupted: nothing is left behind");
        assert!(started.elapsed() < Duration::from_secs(20));
    }

    #[test]
    fn output_is_kept() {
        let runner = Runner(Arc::new(AtomicBool::new(false)));
        let output = runner.output(Command::new("sh").args(["-c", "echo out"])).unwrap();
        assert_eq!(output.stdout, b"out\n");
    }
}
