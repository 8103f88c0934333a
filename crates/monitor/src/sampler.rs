//! Reads every metric of a process tree and its machine.

use std::path::PathBuf;
use std::time::{Duration, Instant};

use crate::sys::{self, Counters, Machine, Process, Reading};
use crate::{Metric, MonitorError, Sample};

/// Machine-wide files cost more to read than they change: once a second is enough. Less than one,
/// so that a tick a moment early does not wait for the next.
const SYSTEM_EVERY: Duration = Duration::from_millis(900);
/// The kernel walks every page to tell the proportional share.
const PSS_EVERY: Duration = Duration::from_secs(10);
const GONE: &str = "the process is gone";
const FIRST: &str = "needs two samples";
const NOT_PUSHED: &str = "the program has not reported it";

/// Reads a process, its descendants and the machine.
#[derive(Debug)]
pub struct Sampler {
    pid: u32,
    started: u64,
    origin: Instant,
    machine: Machine,
    counters: Reading<Counters>,
    paths: Vec<PathBuf>,
    last: Sample,
    system_every: Duration,
    system_at: Option<Duration>,
    pss_at: Option<Duration>,
    ticks: Option<(u64, u64)>,
    energy: Option<(Duration, f64)>,
}

impl Sampler {
    /// Begins to watch `pid` and the free space of `paths`.
    ///
    /// # Errors
    /// [`MonitorError::Process`] when there is no such process.
    pub fn new(pid: u32, paths: Vec<PathBuf>) -> Result<Self, MonitorError> {
        let missing = || MonitorError::Process { pid, why: "no such process".to_owned() };
        Ok(Self {
            pid,
            started: sys::process(pid).ok_or_else(missing)?.started,
            origin: Instant::now(),
            machine: sys::machine(pid),
            counters: Counters::open(pid),
            paths,
            last: Sample::empty(Duration::ZERO),
            system_every: SYSTEM_EVERY,
            system_at: None,
            pss_at: None,
            ticks: None,
            energy: None,
        })
    }

    /// Reads machine-wide figures at every sample, not once a second.
    #[must_use]
    pub fn without_delays(mut self) -> Self {
        self.system_every = Duration::ZERO;
        self
    }

    /// Has the next sample read everything, however dear.
    pub(crate) fn forget_delays(&mut self) {
        self.system_at = None;
        self.pss_at = None;
    }

    /// Whether the process is still the one that was there at first, and has not ended.
    #[must_use]
    pub fn is_alive(&self) -> bool {
        sys::process(self.pid).is_some_and(|now| now.started == self.started && !now.is_zombie)
    }

    /// Cores that this process may use.
    #[must_use]
    pub fn cores(&self) -> u64 {
        self.machine.cores()
    }

    /// Reads everything. Figures that are dear to read are kept for a while.
    pub fn sample(&mut self) -> Sample {
        let at = self.origin.elapsed();
        let mut sample = self.last.clone();
        sample.at = at;
        let is_due = |last: Option<Duration>, every: Duration| {
            last.is_none_or(|last| at.saturating_sub(last) >= every)
        };
        let tree = self.tree();
        let pss_is_due = is_due(self.pss_at, PSS_EVERY);
        self.process(&tree, pss_is_due, &mut sample);
        if pss_is_due {
            self.pss_at = Some(at);
        }
        if is_due(self.system_at, self.system_every) {
            self.system(&mut sample);
            self.system_at = Some(at);
        }
        self.last = sample.clone();
        sample
    }

    /// The process and its living descendants; empty once it is gone or its id is another's.
    fn tree(&self) -> Vec<(u32, Process)> {
        let root = sys::process(self.pid).filter(|process| process.started == self.started);
        let Some(root) = root else { return Vec::new() };
        let mut tree = vec![(self.pid, root)];
        let mut at = 0;
        while let Some((pid, _)) = tree.get(at) {
            let children = self.machine.children(*pid).into_iter();
            tree.extend(children.filter_map(|pid| Some((pid, sys::process(pid)?))));
            at += 1;
        }
        tree
    }

    fn process(&self, tree: &[(u32, Process)], with_pss: bool, sample: &mut Sample) {
        let sum = |of: &dyn Fn(u32, &Process) -> Reading<f64>| -> Reading<f64> {
            if tree.is_empty() {
                return Err(GONE);
            }
            tree.iter().try_fold(0.0, |sum, (pid, process)| Ok(sum + of(*pid, process)?))
        };
        let io = |pid| self.machine.process_io(pid);
        sample.set(Metric::ProcessRss, sum(&|_, p| Ok(p.rss_bytes as f64)));
        sample.set(Metric::ProcessVirtual, sum(&|_, p| Ok(p.virtual_bytes? as f64)));
        sample.set(Metric::ProcessCpuSeconds, sum(&|_, p| Ok(p.cpu_seconds)));
        sample.set(Metric::Processes, sum(&|_, _| Ok(1.0)));
        sample.set(Metric::ProcessThreads, sum(&|_, p| Ok(p.threads? as f64)));
        sample.set(Metric::MinorFaults, sum(&|_, p| Ok(p.minor_faults? as f64)));
        sample.set(Metric::MajorFaults, sum(&|_, p| Ok(p.major_faults? as f64)));
        sample.set(Metric::ProcessRead, sum(&|pid, _| Ok(io(pid)?.0 as f64)));
        sample.set(Metric::ProcessWritten, sum(&|pid, _| Ok(io(pid)?.1 as f64)));
        sample
            .set(Metric::ProcessOpenFiles, sum(&|pid, _| Ok(self.machine.open_files(pid)? as f64)));
        if with_pss || tree.is_empty() {
            let pss = sum(&|pid, _| Ok(self.machine.pss_bytes(pid)? as f64));
            sample.set(Metric::ProcessPss, pss);
        }
        self.rates(sample);
        let counted = self.counters.as_ref().map_err(|why| *why).and_then(Counters::read);
        sample.set(Metric::CacheReferences, counted.map(|(references, _)| references as f64));
        sample.set(Metric::CacheMisses, counted.map(|(_, misses)| misses as f64));
        for metric in [Metric::DataCacheHits, Metric::DataCacheMisses, Metric::BacktestRatio] {
            sample.set(metric, Err(NOT_PUSHED));
        }
    }

    /// Differences to the last sample, over the time between them.
    fn rates(&self, sample: &mut Sample) {
        let seconds = sample.at.saturating_sub(self.last.at).as_secs_f64();
        let rate = |of: Metric| {
            let now = sample.get(of).ok_or_else(|| sample.why(of).unwrap_or(GONE))?;
            let before = self.last.get(of).ok_or(FIRST)?;
            // A child that nobody waited for takes its share with it.
            Ok(((now - before) / seconds).max(0.0))
        };
        let cpu = rate(Metric::ProcessCpuSeconds).map(|cores| cores * 100.0);
        let (read, written) = (rate(Metric::ProcessRead), rate(Metric::ProcessWritten));
        sample.set(Metric::ProcessCpu, cpu);
        sample.set(Metric::ProcessCpuMachine, cpu.map(|cpu| cpu / self.machine.cores() as f64));
        sample.set(Metric::ProcessReadRate, read);
        sample.set(Metric::ProcessWriteRate, written);
    }

    fn system(&mut self, sample: &mut Sample) {
        let machine = &self.machine;
        let memory = machine.memory();
        sample.set(Metric::MemoryUsed, memory.map(|(used, _)| used as f64));
        sample.set(Metric::MemoryLimit, memory.map(|(_, limit)| limit as f64));
        sample.set(
            Metric::MemoryPercent,
            memory.map(|(used, limit)| 100.0 * used as f64 / limit as f64),
        );
        let disk = machine.disk_bytes();
        sample.set(Metric::DiskRead, disk.map(|(read, _)| read as f64));
        sample.set(Metric::DiskWritten, disk.map(|(_, written)| written as f64));
        sample.set(Metric::Load, machine.load());
        sample.set(Metric::PressureCpu, machine.pressure("cpu"));
        sample.set(Metric::PressureMemory, machine.pressure("memory"));
        sample.set(Metric::PressureIo, machine.pressure("io"));
        sample.set(Metric::Temperature, machine.temperature_celsius());
        let free =
            self.paths.iter().map(|path| sys::disk_free_bytes(path)).reduce(|a, b| match (a, b) {
                (Ok(a), Ok(b)) => Ok(a.min(b)),
                (Err(why), _) | (_, Err(why)) => Err(why),
            });
        sample.set(Metric::DiskFree, free.unwrap_or(Err("no path is watched")).map(|b| b as f64));
        self.system_rates(sample);
    }

    fn system_rates(&mut self, sample: &mut Sample) {
        let ticks = self.machine.cpu_ticks();
        let busy = ticks.and_then(|(busy, all)| {
            let (busy_before, all_before) = self.ticks.ok_or(FIRST)?;
            let all = all.saturating_sub(all_before).max(1);
            Ok(100.0 * busy.saturating_sub(busy_before) as f64 / all as f64)
        });
        self.ticks = ticks.ok();
        sample.set(Metric::SystemCpu, busy);
        let energy = self.machine.energy_joules();
        let watts = energy.and_then(|joules| {
            let (at, before) = self.energy.ok_or(FIRST)?;
            Ok((joules - before) / sample.at.saturating_sub(at).as_secs_f64())
        });
        self.energy = energy.ok().map(|joules| (sample.at, joules));
        sample.set(Metric::Power, watts);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_that_another_process_got_is_not_taken_for_the_first() {
        let mut sampler = Sampler::new(std::process::id(), Vec::new()).unwrap();
        assert!(sampler.is_alive() && sampler.sample().get(Metric::ProcessRss).is_some());
        // As if the process had ended and its id had been given out again since.
        sampler.started -= 1;
        assert!(!sampler.is_alive());
        let sample = sampler.sample();
        assert_eq!(sample.why(Metric::ProcessRss), Some(GONE));
        assert!(sample.get(Metric::Load).is_some() || cfg!(not(unix)));
    }
}
