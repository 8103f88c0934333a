//! A sampler beside a run.

use std::sync::mpsc::{RecvTimeoutError, Sender, channel};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use crate::rss_bytes;

/// Between two samples: short enough to see a hump of 50 ms, long enough to cost nothing.
const INTERVAL: Duration = Duration::from_millis(10);

/// What a run took.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Usage {
    /// Wall clock.
    pub wall: Duration,
    /// Mean of the sampled memory; `None` where the system does not say.
    pub mean_rss_bytes: Option<u64>,
    /// Highest sampled memory; `None` where the system does not say.
    pub peak_rss_bytes: Option<u64>,
}

#[derive(Default)]
struct Samples {
    sum: u64,
    count: u64,
    peak: u64,
}

/// Runs `work` with a thread beside it that samples the process's memory every 10 ms.
pub fn watch<T>(work: impl FnOnce() -> T) -> (T, Usage) {
    let started = Instant::now();
    let sampler = Sampler::start();
    let result = work();
    let samples = sampler.stop();
    let wall = started.elapsed();
    let peak_rss_bytes = (samples.count > 0).then_some(samples.peak);
    let usage =
        Usage { wall, mean_rss_bytes: samples.sum.checked_div(samples.count), peak_rss_bytes };
    (result, usage)
}

/// Stops when it is told to, or when whoever started it is gone.
struct Sampler {
    stop: Sender<()>,
    thread: JoinHandle<Samples>,
}

impl Sampler {
    fn start() -> Self {
        let (stop, stopped) = channel();
        let thread = std::thread::spawn(move || {
            let mut samples = Samples::default();
            loop {
                samples.take();
                if stopped.recv_timeout(INTERVAL) != Err(RecvTimeoutError::Timeout) {
                    samples.take();
                    return samples;
                }
            }
        });
        Self { stop, thread }
    }

    fn stop(self) -> Samples {
        // The thread may only be gone by a panic, of which `join` tells.
        let _ = self.stop.send(());
        self.thread.join().unwrap_or_default()
    }
}

impl Samples {
    fn take(&mut self) {
        if let Some(bytes) = rss_bytes() {
            self.sum += bytes;
            self.count += 1;
            self.peak = self.peak.max(bytes);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    #[cfg(target_os = "linux")]
    fn a_touched_allocation_shows() {
        const BYTES: usize = 256 << 20;
        let before = rss_bytes().unwrap();
        let (_, usage) = watch(|| {
            let touched = std::hint::black_box(vec![1_u8; BYTES]);
            std::thread::sleep(3 * INTERVAL);
            drop(touched);
        });
        let grown = usage.peak_rss_bytes.unwrap() as f64 - before as f64;
        assert!((grown / BYTES as f64 - 1.0).abs() < 0.03, "{grown} of {BYTES}");
    }
}
