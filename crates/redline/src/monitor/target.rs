//! What is watched: a command of ours, another process, or this one.

use std::fs::File;
use std::io::Seek;
use std::os::unix::process::ExitStatusExt;
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{Receiver, RecvTimeoutError, channel};
use std::time::Duration;

use anyhow::{Context, Result, bail};
use rustix::process::{Pid, Signal, WaitId, WaitIdOptions};

pub(crate) enum Target {
    Command { child: Child, name: String, later: Option<File>, ended: Receiver<()> },
    Other(Box<monitor::Sampler>, u32),
    Own,
}

/// Where a command's output goes.
pub(crate) enum Output {
    /// Where ours goes.
    Inherited,
    /// To standard error: standard output is for the document.
    Stderr,
    /// Here, until the screen is closed.
    Later(File),
}

impl Output {
    fn pass_to(&self, command: &mut Command) -> Result<()> {
        match self {
            Self::Inherited => {}
            Self::Stderr => {
                command.stdout(std::io::stderr());
            }
            Self::Later(file) => {
                command.stdin(Stdio::null());
                command.stdout(file.try_clone()?).stderr(file.try_clone()?);
            }
        }
        Ok(())
    }
}

impl Target {
    pub(crate) fn new(pid: Option<u32>, command: &[String], output: Output) -> Result<Self> {
        if let Some(pid) = pid {
            return Ok(Self::Other(Box::new(monitor::Sampler::new(pid, Vec::new())?), pid));
        }
        let Some((name, arguments)) = command.split_first() else { return Ok(Self::Own) };
        let mut command = Command::new(name);
        output.pass_to(command.args(arguments))?;
        let child = command.spawn().with_context(|| format!("cannot run '{name}'"))?;
        let later = if let Output::Later(file) = output { Some(file) } else { None };
        let ended = wait_beside(Pid::from_child(&child));
        Ok(Self::Command { child, name: name.clone(), later, ended })
    }

    pub(crate) fn pid(&self) -> u32 {
        match self {
            Self::Command { child, .. } => child.id(),
            Self::Other(_, pid) => *pid,
            Self::Own => std::process::id(),
        }
    }

    /// Waits for the end, `longest` at most; whether it came. Of a command it is told at once.
    pub(crate) fn has_ended_within(&self, longest: Duration) -> bool {
        match self {
            Self::Command { ended, .. } => {
                ended.recv_timeout(longest) != Err(RecvTimeoutError::Timeout)
            }
            Self::Other(process, _) => {
                std::thread::sleep(longest);
                !process.is_alive()
            }
            Self::Own => {
                std::thread::sleep(longest);
                false
            }
        }
    }

    pub(crate) fn is_command(&self) -> bool {
        matches!(self, Self::Command { .. })
    }

    /// Sends `signal` to a command; others are not ours to tell.
    pub(crate) fn signal(&self, signal: Signal) {
        if let Self::Command { child, .. } = self {
            // An error says that it has just ended.
            let _ = rustix::process::kill_process(Pid::from_child(child), signal);
        }
    }

    /// Shows what a command said while a screen was open.
    pub(crate) fn replay(&mut self) -> Result<()> {
        if let Self::Command { later: Some(file), .. } = self {
            file.rewind()?;
            std::io::copy(file, &mut std::io::stdout())?;
        }
        Ok(())
    }

    /// Ends a command that cannot be watched.
    pub(crate) fn end(&mut self) {
        if let Self::Command { child, .. } = self {
            // Errors say that it has ended already.
            let _ = child.kill();
            let _ = child.wait();
        }
    }

    /// A command's own code, or 128 and its signal, as shells have it.
    pub(crate) fn exit_code(&mut self) -> Result<Option<u8>> {
        let Self::Command { child, name, .. } = self else { return Ok(None) };
        let status = child.wait().with_context(|| format!("cannot wait for '{name}'"))?;
        match (status.code(), status.signal()) {
            (Some(code), _) => Ok(Some(code as u8)),
            (None, Some(signal)) => Ok(Some(128 + signal as u8)),
            _ => bail!("'{name}' ended with neither code nor signal"),
        }
    }
}

/// Tells when `child` ends, from a thread that does nothing but wait: looking every few
/// milliseconds would cost more than the sampling. The child stays a zombie, so that its last
/// figures can still be read.
fn wait_beside(child: Pid) -> Receiver<()> {
    let (tell, ended) = channel();
    std::thread::spawn(move || {
        let options = WaitIdOptions::EXITED | WaitIdOptions::NOWAIT;
        let wait = || rustix::process::waitid(WaitId::Pid(child), options);
        while matches!(wait(), Err(rustix::io::Errno::INTR)) {}
        // An error says that nobody waits any more.
        let _ = tell.send(());
    });
    ended
}
