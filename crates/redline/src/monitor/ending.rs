//! When watching ends, and how a wrapped command is told.

use std::io::IsTerminal;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use anyhow::{Context, Result};
use rustix::process::Signal;
use signal_hook::consts::{SIGHUP, SIGINT, SIGTERM};

/// Between the request to end and the order.
const GRACE: Duration = Duration::from_secs(5);

/// Signals that came, the time that is over, and what was done about them.
pub(crate) struct Ending {
    interrupt: Arc<AtomicBool>,
    terminate: Arc<AtomicBool>,
    end: Option<Instant>,
    /// A terminal sends Ctrl-C to the command by itself.
    is_terminal: bool,
    interrupts: u32,
    terminated: Option<Instant>,
}

impl Ending {
    /// Catches Ctrl-C and the requests to end, from now on.
    pub(crate) fn new(longest: Option<Duration>) -> Result<Self> {
        let caught = |signals: &[i32]| -> Result<Arc<AtomicBool>> {
            let flag = Arc::new(AtomicBool::new(false));
            for signal in signals {
                signal_hook::flag::register(*signal, Arc::clone(&flag))
                    .context("cannot catch signals")?;
            }
            Ok(flag)
        };
        Ok(Self {
            interrupt: caught(&[SIGINT])?,
            terminate: caught(&[SIGTERM, SIGHUP])?,
            end: longest.and_then(|longest| Instant::now().checked_add(longest)),
            is_terminal: std::io::stdin().is_terminal(),
            interrupts: 0,
            terminated: None,
        })
    }

    /// Whether somebody or the clock has asked for the end.
    pub(crate) fn is_asked(&self) -> bool {
        self.interrupts > 0 || self.terminated.is_some()
    }

    /// What a wrapped command must be sent now. The first Ctrl-C is an interrupt, a second one and
    /// everything else a request to end; five seconds later comes the order.
    pub(crate) fn next(&mut self, is_quit: bool) -> Option<Signal> {
        if self.terminated.is_some_and(|at| at.elapsed() >= GRACE) {
            return Some(Signal::KILL);
        }
        let is_interrupt = self.interrupt.swap(false, Ordering::AcqRel);
        let is_late = self.end.is_some_and(|end| Instant::now() >= end);
        if is_interrupt {
            self.interrupts += 1;
        }
        let is_over = self.terminate.swap(false, Ordering::AcqRel) || is_late || is_quit;
        if is_over || self.interrupts > 1 {
            return self.terminate();
        }
        (is_interrupt && !self.is_terminal).then_some(Signal::INT)
    }

    fn terminate(&mut self) -> Option<Signal> {
        let is_first = self.terminated.is_none();
        self.terminated.get_or_insert_with(Instant::now);
        is_first.then_some(Signal::TERM)
    }
}
