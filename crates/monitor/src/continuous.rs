//! A sampler on its own thread, with a steady cadence.

use std::collections::VecDeque;
use std::path::PathBuf;
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use serde::Serialize;

use crate::action::Actions;
use crate::alerts::{Alert, Alerts};
use crate::log::Log;
use crate::summary::{Summary, Totals};
use crate::{Metric, MonitorError, Rule, Sample, Sampler, sys};

/// Samples kept in memory: an hour at one a second, under 2 MB.
const KEPT: usize = 3_600;
/// Changes of alerts kept for [`Handle::take_transitions`].
const KEPT_TRANSITIONS: usize = 256;
/// How long the end waits for actions that still run.
const LAST_ACTIONS: Duration = Duration::from_secs(3);

/// What a [`ContinuousMonitor`] watches and where it tells of it.
#[derive(Debug, Clone)]
pub struct Options {
    /// The process; its descendants are included.
    pub pid: u32,
    /// Paths whose free space is watched.
    pub paths: Vec<PathBuf>,
    /// Alert rules.
    pub rules: Vec<Rule>,
    /// A log of JSON lines.
    pub log: Option<PathBuf>,
}

impl Default for Options {
    /// This process, the current folder, no rules and no log.
    fn default() -> Self {
        let pid = std::process::id();
        Self { pid, paths: vec![PathBuf::from(".")], rules: Vec::new(), log: None }
    }
}

/// What all who look at a running monitor see.
#[derive(Debug, Default)]
struct Shared {
    ring: VecDeque<Sample>,
    alerts: Vec<Alert>,
    totals: Totals,
    log_trouble: Option<String>,
    pushed: Vec<(Metric, f64)>,
    transitions: VecDeque<Alert>,
}

/// A look at a running monitor from any thread.
#[derive(Debug, Clone)]
pub struct Handle(Arc<Mutex<Shared>>);

impl Handle {
    /// A holder never panics half-way through a change: a poisoned lock's content is whole.
    fn lock(&self) -> MutexGuard<'_, Shared> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The newest sample.
    #[must_use]
    pub fn latest(&self) -> Option<Sample> {
        self.lock().ring.back().cloned()
    }

    /// The newest `count` samples, oldest first.
    #[must_use]
    pub fn recent(&self, count: usize) -> Vec<Sample> {
        let shared = self.lock();
        shared.ring.iter().skip(shared.ring.len().saturating_sub(count)).cloned().collect()
    }

    /// Where every rule stands.
    #[must_use]
    pub fn alerts(&self) -> Vec<Alert> {
        self.lock().alerts.clone()
    }

    /// The run so far.
    #[must_use]
    pub fn summary(&self) -> Summary {
        let shared = self.lock();
        shared.totals.summary(shared.ring.back(), &shared.alerts)
    }

    /// Why the log is not written at present; `None` when it is, or when there is none.
    #[must_use]
    pub fn log_trouble(&self) -> Option<String> {
        self.lock().log_trouble.clone()
    }

    /// Alerts that changed their state since the last call, oldest first; 256 at most.
    #[must_use]
    pub fn take_transitions(&self) -> Vec<Alert> {
        self.lock().transitions.drain(..).collect()
    }

    /// Reports a figure that only the program knows, such as a backtest's time over its baseline.
    pub fn push(&self, metric: Metric, value: f64) {
        let mut shared = self.lock();
        shared.pushed.retain(|(known, _)| *known != metric);
        shared.pushed.push((metric, value));
    }
}

/// Samples in the background until it is stopped or dropped.
///
/// ```
/// # use std::time::Duration;
/// let mut monitor = monitor::ContinuousMonitor::new(Duration::from_millis(10))?;
/// monitor.start()?;
/// std::thread::sleep(Duration::from_millis(50));
/// let summary = monitor.stop();
/// assert!(summary.samples > 1);
/// # Ok::<(), monitor::MonitorError>(())
/// ```
#[derive(Debug)]
pub struct ContinuousMonitor {
    interval: Duration,
    options: Options,
    handle: Handle,
    running: Option<(Sender<()>, JoinHandle<()>)>,
}

impl ContinuousMonitor {
    /// A monitor of this process.
    ///
    /// # Errors
    /// [`MonitorError::Interval`] for an interval under a millisecond.
    pub fn new(interval: Duration) -> Result<Self, MonitorError> {
        Self::with_options(interval, Options::default())
    }

    /// A monitor of what `options` say.
    ///
    /// # Errors
    /// [`MonitorError::Interval`] for an interval under a millisecond.
    pub fn with_options(interval: Duration, options: Options) -> Result<Self, MonitorError> {
        if interval < Duration::from_millis(1) {
            return Err(MonitorError::Interval);
        }
        let handle = Handle(Arc::default());
        Ok(Self { interval, options, handle, running: None })
    }

    /// Begins to sample; one that runs already goes on.
    ///
    /// # Errors
    /// When the process is not there, or the log cannot be opened.
    pub fn start(&mut self) -> Result<(), MonitorError> {
        if self.running.is_some() {
            return Ok(());
        }
        let sampler = Sampler::new(self.options.pid, self.options.paths.clone())?;
        let mut worker = Worker {
            sampler,
            alerts: Alerts::new(self.options.rules.clone()),
            actions: Actions::start()?,
            log: self.options.log.as_deref().map(Log::open).transpose()?,
            handle: self.handle.clone(),
        };
        let (stop, stopped) = channel();
        let interval = self.interval;
        let thread = std::thread::Builder::new()
            .name("monitor".to_owned())
            .spawn(move || worker.run(interval, &stopped))
            .map_err(MonitorError::Thread)?;
        self.running = Some((stop, thread));
        Ok(())
    }

    /// Takes a last sample, ends the thread and tells of the run. Stopping twice is fine. Actions
    /// that still run are waited for, three seconds at most.
    pub fn stop(&mut self) -> Summary {
        if let Some((stop, thread)) = self.running.take() {
            // An error here says that the thread has ended already.
            let _ = stop.send(());
            let _ = thread.join();
        }
        self.handle.summary()
    }

    /// A look at it from another thread.
    #[must_use]
    pub fn handle(&self) -> Handle {
        self.handle.clone()
    }
}

impl Drop for ContinuousMonitor {
    fn drop(&mut self) {
        self.stop();
    }
}

/// One line of the log.
#[derive(Serialize)]
struct Line<'a> {
    time: jiff::Timestamp,
    #[serde(flatten)]
    sample: &'a Sample,
    #[serde(skip_serializing_if = "<[_]>::is_empty")]
    transitions: &'a [Alert],
}

struct Worker {
    sampler: Sampler,
    alerts: Alerts,
    actions: Actions,
    log: Option<Log>,
    handle: Handle,
}

impl Worker {
    /// Ticks stand at whole multiples of the interval since the start, so that lateness never adds
    /// up; a tick that has passed already is counted as missed, not made up for.
    fn run(&mut self, interval: Duration, stopped: &Receiver<()>) {
        let started = Instant::now();
        let mut missed = 0;
        for tick in 1_u64.. {
            self.tick(missed);
            let passed = (started.elapsed().as_nanos() / interval.as_nanos()) as u64;
            let due = (tick + missed).max(passed + 1);
            missed = due - tick;
            let at = interval.mul_f64(due as f64);
            let wait = at.saturating_sub(started.elapsed());
            if stopped.recv_timeout(wait) != Err(RecvTimeoutError::Timeout) {
                self.sampler.forget_delays();
                self.tick(missed);
                self.actions.finish(LAST_ACTIONS);
                self.handle.lock().totals.failed_actions = self.actions.failed();
                return;
            }
        }
    }

    fn tick(&mut self, missed: u64) {
        let mut sample = self.sampler.sample();
        for (metric, value) in &self.handle.lock().pushed {
            sample.set(*metric, Ok(*value));
        }
        let changed = self.alerts.judge(&sample);
        for (rule, alert) in &changed {
            self.actions.send(rule, alert);
        }
        let transitions: Vec<Alert> = changed.into_iter().map(|(_, alert)| alert).collect();
        if let Some(log) = &mut self.log {
            let time = jiff::Timestamp::now();
            log.write(&Line { time, sample: &sample, transitions: &transitions });
        }
        self.publish(sample, missed, transitions);
    }

    fn publish(&self, sample: Sample, missed: u64, transitions: Vec<Alert>) {
        let mut shared = self.handle.lock();
        shared.transitions.extend(transitions);
        let old = shared.transitions.len().saturating_sub(KEPT_TRANSITIONS);
        shared.transitions.drain(..old);
        shared.totals.add(&sample);
        shared.totals.missed_ticks = missed;
        shared.totals.failed_actions = self.actions.failed();
        shared.totals.own_cpu = sys::thread_cpu();
        shared.alerts = self.alerts.alerts().to_vec();
        shared.log_trouble = self.log.as_ref().and_then(Log::trouble).map(str::to_owned);
        shared.totals.lost_lines = self.log.as_ref().map_or(0, Log::lost);
        if shared.ring.len() == KEPT {
            shared.ring.pop_front();
        }
        shared.ring.push_back(sample);
    }
}
