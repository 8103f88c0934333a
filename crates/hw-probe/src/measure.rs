//! Clock and repeats: the arithmetic that every section shares.

use std::time::{Duration, Instant};

/// Best, median and spread of the repeats of one measurement.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Summary {
    pub(crate) best: f64,
    pub(crate) median: f64,
    /// Distance between the quartiles over the median, percent.
    pub(crate) spread_percent: f64,
}

/// Summarises rates (larger is better). `NaN`s never occur: a rate is work over positive time.
pub(crate) fn summarise(rates: &[f64]) -> Summary {
    let mut sorted = rates.to_vec();
    sorted.sort_by(f64::total_cmp);
    let median = quantile(&sorted, 0.5);
    let spread = quantile(&sorted, 0.75) - quantile(&sorted, 0.25);
    Summary {
        best: sorted.last().copied().unwrap_or(0.0),
        median,
        spread_percent: if median > 0.0 { 100.0 * spread / median } else { 0.0 },
    }
}

/// The `q` quantile of sorted values, linear between neighbours; 0 for none.
pub(crate) fn quantile(sorted: &[f64], q: f64) -> f64 {
    let Some(last) = sorted.len().checked_sub(1) else { return 0.0 };
    let place = q * last as f64;
    let (low, high) = (place.floor() as usize, place.ceil() as usize);
    sorted[low] + (sorted[high] - sorted[low]) * (place - low as f64)
}

/// What the clock can tell apart, and what reading it costs; nanoseconds.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Timer {
    pub(crate) resolution_ns: f64,
    pub(crate) overhead_ns: f64,
}

impl Timer {
    /// Measures the clock in under a millisecond.
    pub(crate) fn measure() -> Self {
        const READS: usize = 2_000;
        let begin = Instant::now();
        let mut previous = begin;
        let mut smallest = Duration::MAX;
        for _ in 0..READS {
            let now = Instant::now();
            let step = now - previous;
            if !step.is_zero() {
                smallest = smallest.min(step);
            }
            previous = now;
        }
        Self {
            resolution_ns: smallest.as_nanos() as f64,
            overhead_ns: begin.elapsed().as_nanos() as f64 / READS as f64,
        }
    }

    /// The shortest sample that the clock's own step and cost can spoil by no more than 0.1 %,
    /// nanoseconds.
    pub(crate) fn shortest_sample_ns(self) -> f64 {
        1000.0 * self.resolution_ns.max(self.overhead_ns)
    }
}

/// How many calls of `call` fill `target`, found by doubling; at least one.
pub(crate) fn calibrate(target: Duration, mut call: impl FnMut()) -> usize {
    let mut calls = 1_usize;
    loop {
        let begin = Instant::now();
        for _ in 0..calls {
            call();
        }
        let elapsed = begin.elapsed();
        if elapsed * 4 >= target {
            let scale = target.as_secs_f64() / elapsed.as_secs_f64().max(1e-9);
            return ((calls as f64 * scale).ceil() as usize).max(1);
        }
        calls *= 2;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quantiles_lie_between_neighbours() {
        assert_eq!(quantile(&[1.0, 2.0, 4.0], 0.5), 2.0);
        assert_eq!(quantile(&[1.0, 2.0], 0.5), 1.5);
        assert_eq!(quantile(&[], 0.5), 0.0);
    }

    #[test]
    fn a_summary_orders_best_and_median() {
        let summary = summarise(&[3.0, 1.0, 2.0, 2.0]);
        assert_eq!((summary.best, summary.median), (3.0, 2.0));
        assert_eq!(summary.spread_percent, 25.0);
    }

    #[test]
    fn the_clock_ticks_within_a_microsecond_and_is_cheap() {
        let timer = Timer::measure();
        assert!(timer.resolution_ns > 0.0 && timer.resolution_ns < 10_000.0, "{timer:?}");
        assert!(timer.overhead_ns > 0.0 && timer.overhead_ns < 10_000.0, "{timer:?}");
    }
}
