//! Where the processor's time goes: stacks of running threads, sampled.

use std::collections::HashMap;
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant, SystemTime};

use super::symbols::{Frame, Symbols};
use super::sys::Clock;
use super::{About, ProfileError, Stacks, Summary, files, flamegraph_svg, pprof, write_file};

/// Samples per second of processor time: prime, so that it does not beat with anything periodic.
pub const FREQUENCY_HZ: u32 = 997;

/// One sampler at a time: a process has one handler for the signal.
static SAMPLING: AtomicBool = AtomicBool::new(false);

/// Samples every thread of this process that runs, until it is stopped.
pub struct Sampler {
    clock: Option<Clock>,
    started: Instant,
    started_at: SystemTime,
}

impl Sampler {
    /// Begins to sample.
    ///
    /// # Errors
    /// [`ProfileError::Sampler`] while another sampler runs, or on a system without one.
    pub fn start() -> Result<Self, ProfileError> {
        if SAMPLING.swap(true, Ordering::AcqRel) {
            let error = std::io::Error::other("it is being sampled already");
            return Err(ProfileError::Sampler(error));
        }
        let clock = Clock::start(FREQUENCY_HZ).map_err(|error| {
            SAMPLING.store(false, Ordering::Release);
            ProfileError::Sampler(error)
        })?;
        Ok(Self { clock: Some(clock), started: Instant::now(), started_at: SystemTime::now() })
    }

    /// Stops sampling; names the functions.
    #[must_use]
    pub fn stop(mut self) -> Samples {
        let duration = self.started.elapsed();
        let (raw, lost) = self.halt().unwrap_or_default();
        let mut symbols = Symbols::default();
        let mut stacks: HashMap<(String, Vec<Frame>), u64> = HashMap::new();
        for (sample, count) in raw {
            let frames = symbols.frames(&sample.addresses);
            *stacks.entry((sample.thread, frames)).or_default() += count;
        }
        let mut stacks: Vec<Sampled> = stacks
            .into_iter()
            .map(|((thread, frames), count)| Sampled { thread, frames, count })
            .collect();
        stacks.sort_by_cached_key(Sampled::folded);
        Samples { stacks, lost, duration, started_at: self.started_at }
    }

    fn halt(&mut self) -> Option<(Vec<(super::sys::Sample, u64)>, u64)> {
        let stopped = self.clock.take()?.stop();
        SAMPLING.store(false, Ordering::Release);
        Some(stopped)
    }
}

impl Drop for Sampler {
    fn drop(&mut self) {
        self.halt();
    }
}

/// A stack, its thread, and how often it was met.
pub(super) struct Sampled {
    pub(super) thread: String,
    /// From the outermost in.
    pub(super) frames: Vec<Frame>,
    pub(super) count: u64,
}

impl Sampled {
    fn folded(&self) -> Vec<String> {
        let frames = self.frames.iter().map(|frame| frame.name.clone());
        std::iter::once(self.thread.clone()).chain(frames).collect()
    }
}

/// What a sampler has seen.
pub struct Samples {
    pub(super) stacks: Vec<Sampled>,
    pub(super) duration: Duration,
    pub(super) started_at: SystemTime,
    lost: u64,
}

impl Samples {
    /// Samples per stack: the thread's name, then functions from the outermost in.
    #[must_use]
    pub fn stacks(&self) -> Stacks {
        let mut stacks = Stacks::default();
        for sampled in &self.stacks {
            stacks.add(sampled.folded().iter().map(String::as_str), sampled.count);
        }
        stacks
    }

    /// Samples that came while no place was free for them.
    #[must_use]
    pub fn lost(&self) -> u64 {
        self.lost
    }

    /// The profile in Google's `profile.proto`, as `go tool pprof` and Speedscope open it.
    #[must_use]
    pub fn pprof(&self) -> Vec<u8> {
        pprof::encode(self)
    }

    /// Writes the flamegraph, the stacks, the pprof file and the summary to `folder`.
    ///
    /// # Errors
    /// [`ProfileError::Empty`] without a single sample; [`ProfileError::Io`].
    pub fn write(&self, folder: &Path, about: &About) -> Result<Summary, ProfileError> {
        let stacks = self.stacks();
        if stacks.total() == 0 {
            return Err(ProfileError::Empty(self.duration));
        }
        write_file(folder, files::STACKS, stacks.to_string().as_bytes())?;
        write_file(folder, files::SVG, &flamegraph_svg(&stacks, about)?)?;
        write_file(folder, files::PPROF, &self.pprof())?;
        let mut summary = Summary::new(about, &stacks);
        summary.frequency_hz = Some(FREQUENCY_HZ);
        summary.lost = Some(self.lost);
        summary.write(folder)?;
        Ok(summary)
    }
}
