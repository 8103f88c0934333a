//! Whether cores stay where they are.
//!
//! A hypervisor may move a guest's processors over the host. On a processor of several dies, two of them
//! then share a last-level cache and its way to memory at one time and not at another: on an EPYC of the
//! fifth generation they read 45 to 57 GB/s together where a line took 37 to 57 ns from one to the other, and 90 to 94
//! where it took 190 to 206.

use crate::{latency, sys};

/// By how much the time between two cores changes at least when the way does.
const ANOTHER_WAY: f64 = 2.0;

/// Where the first two of some cores are.
pub(crate) struct Placement {
    cpus: Option<(usize, usize)>,
    ns: Option<f64>,
}

impl Placement {
    /// Of `threads` cores now. Costs about a millisecond; nothing is known of a single core, or where threads
    /// cannot be bound to one.
    pub(crate) fn now(threads: usize) -> Self {
        let cpus = match sys::allowed_cpus()[..] {
            [first, second, ..] if threads > 1 => Some((first, second)),
            _ => None,
        };
        Self { cpus, ns: cpus.and_then(distance) }
    }

    /// What to tell where they have moved since.
    pub(crate) fn moved(&self) -> Option<String> {
        let (from, to) = self.cpus?;
        moved(self.ns?, distance((from, to))?)
            .then(|| format!("the hypervisor moved cores {from} and {to}"))
    }
}

fn distance((from, to): (usize, usize)) -> Option<f64> {
    latency::core_to_core(from, to, 500, 7)
}

fn moved(before: f64, after: f64) -> bool {
    before > ANOTHER_WAY * after || after > ANOTHER_WAY * before
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn another_way_is_told_from_a_slower_minute() {
        assert!(moved(45.0, 190.0) && moved(190.0, 45.0));
        assert!(!moved(37.0, 57.0) && !moved(206.0, 190.0));
    }

    #[test]
    fn one_core_has_no_distance() {
        assert_eq!(Placement::now(1).moved(), None);
    }
}
