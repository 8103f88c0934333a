//! What is watched: a command of ours, another process, or this one.

use std::os::unix::process::ExitStatusExt;
use std::process::{Child, Command};

use anyhow::{Context, Result, bail};
use rustix::process::{Pid, Signal, WaitId, WaitIdOptions};

pub(crate) enum Target {
    Command { child: Child, name: String, is_asked: bool },
    Other(Box<monitor::Sampler>, u32),
    Own,
}

impl Target {
    pub(crate) fn new(pid: Option<u32>, command: &[String]) -> Result<Self> {
        if let Some(pid) = pid {
            return Ok(Self::Other(Box::new(monitor::Sampler::new(pid, Vec::new())?), pid));
        }
        let Some((name, arguments)) = command.split_first() else { return Ok(Self::Own) };
        let child = Command::new(name)
            .args(arguments)
            .spawn()
            .with_context(|| format!("cannot run '{name}'"))?;
        Ok(Self::Command { child, name: name.clone(), is_asked: false })
    }

    pub(crate) fn pid(&self) -> u32 {
        match self {
            Self::Command { child, .. } => child.id(),
            Self::Other(_, pid) => *pid,
            Self::Own => std::process::id(),
        }
    }

    /// A command that has ended stays a zombie here, so that its last figures can still be read.
    pub(crate) fn has_ended(&self) -> bool {
        match self {
            Self::Command { child, .. } => {
                let options = WaitIdOptions::EXITED | WaitIdOptions::NOWAIT | WaitIdOptions::NOHANG;
                let waited = rustix::process::waitid(WaitId::Pid(Pid::from_child(child)), options);
                !matches!(waited, Ok(None))
            }
            Self::Other(process, _) => !process.is_alive(),
            Self::Own => false,
        }
    }

    /// Whether watching may end now. A command is asked to end first, once, when it `must` be.
    pub(crate) fn may_be_left(&mut self, must: bool) -> bool {
        let Self::Command { child, is_asked, .. } = self else { return true };
        if must && !*is_asked {
            *is_asked = true;
            // An error says that it has just ended.
            let _ = rustix::process::kill_process(Pid::from_child(child), Signal::TERM);
        }
        false
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
