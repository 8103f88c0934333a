//! Whether cores stay where they are.
//!
//! A hypervisor may move a guest's processors over the host. On a processor of several dies, two of them
//! then share a last-level cache and its way to memory at one time and not at another: on an EPYC of the
//! fifth generation they read 45 to 57 GB/s together where a line took 37 to 57 ns from one to the other, and 90 to 94
//! where it took 190 to 206.

use std::fmt;

use crate::machine::Machine;
use crate::{latency, sys};

/// By how much the time between two cores changes at least when the way does.
const ANOTHER_WAY: f64 = 2.0;

/// How far apart the first two cores of a guest are.
pub(crate) struct Placement {
    cpus: (usize, usize),
    ns: f64,
}

impl Placement {
    /// Now. Costs a millisecond or two; `None` on bare metal, of a single core, and where threads cannot be bound
    /// to one.
    pub(crate) fn now(machine: &Machine, threads: usize) -> Option<Self> {
        let cpus = match sys::allowed_cpus()[..] {
            [first, second, ..] if threads > 1 && machine.hypervisor.is_some() => (first, second),
            _ => return None,
        };
        // Once before, for cores that have slept.
        distance(cpus)?;
        Some(Self { cpus, ns: distance(cpus)? })
    }

    /// Whether they have moved since; looked at twice, as a neighbour may hold up one look.
    pub(crate) fn has_changed(&self) -> bool {
        (0..2).all(|_| distance(self.cpus).is_some_and(|ns| is_another_way(self.ns, ns)))
    }
}

impl fmt::Display for Placement {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let ((from, to), ns) = (self.cpus, self.ns);
        write!(f, "cores {from} and {to} {ns:.0} ns apart")
    }
}

/// Nanoseconds that a line takes from one processor to another, median.
pub(crate) fn distance((from, to): (usize, usize)) -> Option<f64> {
    latency::core_to_core(from, to, 500, 7)
}

fn is_another_way(before: f64, after: f64) -> bool {
    before > ANOTHER_WAY * after || after > ANOTHER_WAY * before
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn another_way_is_told_from_a_slower_minute() {
        assert!(is_another_way(45.0, 190.0) && is_another_way(190.0, 45.0));
        assert!(!is_another_way(37.0, 57.0) && !is_another_way(206.0, 190.0));
    }

    #[test]
    fn one_core_and_bare_metal_have_no_placement() {
        let mut here = crate::machine();
        assert!(Placement::now(&here, 1).is_none());
        here.hypervisor = None;
        assert!(Placement::now(&here, 2).is_none());
    }

    #[test]
    fn cores_of_a_guest_have_one() {
        let guest = Machine { hypervisor: Some("any".to_owned()), ..crate::machine() };
        let placement = Placement::now(&guest, 2);
        assert_eq!(placement.is_some(), sys::allowed_cpus().len() > 1);
        if let Some(placement) = placement {
            assert!(placement.ns > 1.0 && placement.to_string().contains("ns apart"));
            let elsewhere = Placement { ns: 1e9, ..placement };
            assert!(elsewhere.has_changed());
        }
    }
}
