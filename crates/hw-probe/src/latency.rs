//! Latency: of one core alone, of one core while others stream, and from core to core.

use std::io;
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use crate::kernels::{StreamKernels, chase};
use crate::measure::quantile;
use crate::sys::{self, Pages, Region};
use crate::team;

/// Median time of a dependent load at one working set.
pub(crate) struct Chased {
    pub(crate) working_set_bytes: usize,
    pub(crate) huge_pages: bool,
    pub(crate) ns_per_load: f64,
}

/// How long to look at each point.
#[derive(Clone, Copy)]
pub(crate) struct Effort {
    /// Loads in one sample, at least.
    pub(crate) loads: usize,
    /// Samples after the warm-up.
    pub(crate) samples: usize,
    /// Time that a sample takes at least, for the clock's sake.
    pub(crate) shortest_ns: f64,
}

/// The latency of each of `sets` (bytes, the largest last) on one pinned core.
///
/// # Errors
/// Where the system refuses the memory.
pub(crate) fn staircase(sets: &[usize], pages: Pages, effort: Effort) -> io::Result<Vec<Chased>> {
    let largest = sets.iter().copied().max().unwrap_or(0);
    let mut results = team::run(1, |_| {
        let mut region = Region::new(largest, pages)?;
        let words = region.as_u64();
        // The largest first: laying its cycle touches every page.
        let point = |&set: &usize| chase_point(&mut words[..set / 8], set as u64, effort);
        let mut times: Vec<f64> = sets.iter().rev().map(point).collect();
        times.reverse();
        let huge_pages = region.huge_bytes().is_some_and(|huge| huge * 10 >= largest * 9);
        let row = |(&working_set_bytes, &ns_per_load)| Chased {
            working_set_bytes,
            huge_pages,
            ns_per_load,
        };
        Ok(sets.iter().zip(&times).map(row).collect())
    });
    results.pop().unwrap_or_else(|| Ok(Vec::new()))
}

fn chase_point(words: &mut [u64], seed: u64, effort: Effort) -> f64 {
    let lines = chase::lay_cycle(words, seed);
    // Once around warms a cache; beyond any cache there is nothing to warm but the page tables.
    let mut at = 0;
    let mut time = |loads: usize| {
        let begin = Instant::now();
        at = std::hint::black_box(chase::follow(words, at, loads));
        begin.elapsed().as_nanos() as f64 / loads as f64
    };
    let warm_ns = time(lines.clamp(1, 4 * effort.loads));
    // Enough for the clock, where a load takes a nanosecond.
    let loads = effort.loads.max((effort.shortest_ns / warm_ns.max(0.1)) as usize);
    let mut sample = || time(loads);
    let mut samples: Vec<f64> = (0..effort.samples).map(|_| sample()).collect();
    samples.sort_by(f64::total_cmp);
    quantile(&samples, 0.5)
}

/// One core's latency beside streaming cores.
pub(crate) struct Loaded {
    pub(crate) streaming_threads: usize,
    pub(crate) duty_percent: f64,
    pub(crate) gb_per_s: f64,
    pub(crate) ns_per_load: f64,
}

/// Chases through `set` bytes on one core while `streaming` others read arrays of `set` bytes,
/// busy for each share of `duties` (0 to 1).
///
/// # Errors
/// Where the system refuses the memory.
pub(crate) fn loaded(
    streaming: usize,
    set: usize,
    duties: &[f64],
    effort: Effort,
) -> io::Result<Vec<Loaded>> {
    let stops: Vec<AtomicBool> = duties.iter().map(|_| AtomicBool::new(false)).collect();
    let parts = team::run(streaming + 1, |worker| match worker.index {
        0 => chaser(worker, set, &stops, effort),
        _ => streamer(worker, set, duties, &stops),
    });
    let parts: Vec<Vec<f64>> = parts.into_iter().collect::<io::Result<_>>()?;
    let row = |(index, &duty): (usize, &f64)| Loaded {
        streaming_threads: streaming,
        duty_percent: 100.0 * duty,
        gb_per_s: parts[1..].iter().map(|rates| rates[index]).sum(),
        ns_per_load: parts[0][index],
    };
    Ok(duties.iter().enumerate().map(row).collect())
}

/// Nanoseconds a load, for each duty; raises the duty's flag when done.
fn chaser(
    worker: &team::Worker<'_>,
    set: usize,
    stops: &[AtomicBool],
    effort: Effort,
) -> io::Result<Vec<f64>> {
    let mut region = Region::new(set, Pages::Huge);
    let lines = region.as_mut().map_or(0, |region| chase::lay_cycle(region.as_u64(), 1));
    let mut at = 0;
    let mut times = Vec::new();
    for stop in stops {
        worker.meet();
        let mut samples: Vec<f64> = Vec::new();
        if let Ok(region) = &mut region {
            at = chase::follow(region.as_u64(), at, lines.min(effort.loads));
            for _ in 0..effort.samples {
                let begin = Instant::now();
                at = std::hint::black_box(chase::follow(region.as_u64(), at, effort.loads));
                samples.push(begin.elapsed().as_nanos() as f64 / effort.loads as f64);
            }
        }
        stop.store(true, Ordering::Relaxed);
        samples.sort_by(f64::total_cmp);
        times.push(quantile(&samples, 0.5));
    }
    region.map(|_| times)
}

/// GB/s that one core read, for each duty, until the chaser raised its flag.
fn streamer(
    worker: &team::Worker<'_>,
    set: usize,
    duties: &[f64],
    stops: &[AtomicBool],
) -> io::Result<Vec<f64>> {
    /// Streamed at a stretch between two looks at the clock and the flag.
    const CHUNK: usize = (256 << 10) / size_of::<f64>();
    let kernels = StreamKernels::widest();
    let mut region = Region::new(set, Pages::Huge);
    if let Ok(region) = &mut region {
        region.as_f64().fill(1.0);
    }
    let mut rates = Vec::new();
    for (&duty, stop) in duties.iter().zip(stops) {
        worker.meet();
        let (begin, mut moved, mut sum) = (Instant::now(), 0, 0.0);
        let mut busy = Duration::ZERO;
        'until_stopped: while let Ok(region) = &mut region {
            for chunk in region.as_f64().chunks(CHUNK) {
                if stop.load(Ordering::Relaxed) {
                    break 'until_stopped;
                }
                if busy > begin.elapsed().mul_f64(duty) {
                    std::hint::spin_loop();
                    continue;
                }
                let start = Instant::now();
                sum += kernels.read(chunk);
                busy += start.elapsed();
                moved += size_of_val(chunk);
            }
        }
        std::hint::black_box(sum);
        rates.push(moved as f64 * 1e-9 / begin.elapsed().as_secs_f64());
    }
    region.map(|_| rates)
}

/// A line of its own, also where lines come in pairs.
#[repr(align(128))]
#[derive(Default)]
struct Lonely(AtomicU64);

/// Median time one way between two logical processors, nanoseconds; `None` where threads cannot
/// be bound to them.
pub(crate) fn core_to_core(from: usize, to: usize, rounds: u64, samples: usize) -> Option<f64> {
    let (ball, missing) = (Lonely::default(), AtomicUsize::new(0));
    let side = |cpu: usize, mine: u64| {
        if !sys::pin(cpu) {
            missing.fetch_add(1, Ordering::SeqCst);
        }
        let mut times = Vec::with_capacity(samples);
        for sample in 0..samples as u64 {
            let begin = Instant::now();
            for round in 0..rounds {
                let turn = 2 * (sample * rounds + round) + mine;
                let mut spins = 0_u32;
                while ball.0.load(Ordering::Acquire) != turn {
                    spins += 1;
                    // Both on one busy processor would otherwise wait out whole time slices.
                    if spins.is_multiple_of(1 << 16) {
                        std::thread::yield_now();
                    }
                }
                ball.0.store(turn + 1, Ordering::Release);
            }
            times.push(begin.elapsed().as_nanos() as f64 / (2 * rounds) as f64);
        }
        times
    };
    let mut times = std::thread::scope(|scope| {
        let other = scope.spawn(|| side(to, 1));
        let times = scope.spawn(|| side(from, 0)).join();
        let _ = other.join();
        times.unwrap_or_default()
    });
    times.sort_by(f64::total_cmp);
    (missing.into_inner() == 0).then(|| quantile(&times, 0.5))
}

#[cfg(test)]
mod tests {
    use super::*;

    const EFFORT: Effort = Effort { loads: 2_000, samples: 3, shortest_ns: 1_000.0 };

    #[test]
    fn latency_grows_with_the_working_set() {
        let sets = [4096, 64 << 20];
        let found = staircase(&sets, Pages::Ordinary, EFFORT).unwrap();
        assert!(!found[0].huge_pages);
        assert!(found[0].ns_per_load > 0.1, "{}", found[0].ns_per_load);
        assert!(found[1].ns_per_load > 2.0 * found[0].ns_per_load);
    }

    #[test]
    fn load_is_moved_while_latency_is_taken() {
        let rows = loaded(1, 1 << 20, &[0.0, 1.0], EFFORT).unwrap();
        assert_eq!(rows.len(), 2);
        assert!(rows[1].gb_per_s > rows[0].gb_per_s);
        assert!(rows.iter().all(|row| row.ns_per_load > 0.0));
    }

    #[test]
    fn a_line_passes_between_two_cores() {
        let cpus = sys::allowed_cpus();
        if let [from, to, ..] = cpus[..] {
            let ns = core_to_core(from, to, 200, 3).unwrap();
            assert!(ns > 1.0 && ns < 1e6, "{ns}");
        }
        assert!(core_to_core(usize::MAX, 0, 1, 1).is_none());
    }
}
