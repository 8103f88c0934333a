//! Four processes and the anchors around them.

use serde::Serialize;

/// A revision.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Side {
    /// What is compared with.
    Base,
    /// What is judged.
    Head,
}

/// In which order a cycle runs its processes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "UPPERCASE")]
pub enum Order {
    /// Base, head, head, base.
    Abba,
    /// Head, base, base, head.
    Baab,
}

impl Order {
    pub(super) fn sides(self) -> [Side; 4] {
        use Side::{Base, Head};
        match self {
            Self::Abba => [Base, Head, Head, Base],
            Self::Baab => [Head, Base, Base, Head],
        }
    }
}

/// Times of the fixed loops, in nanoseconds.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Anchor {
    /// Arithmetic in registers: moves with the clock, steal and a busy sibling.
    pub compute_ns: f64,
    /// A walk through more memory than the caches hold: moves with the bandwidth left to us.
    pub memory_ns: f64,
}

/// How far the slowest of `anchors` is above the fastest, as a share; the worse of both loops.
pub(super) fn spread(anchors: &[Anchor]) -> f64 {
    let of = |time: fn(&Anchor) -> f64| {
        let times = || anchors.iter().map(time);
        times().fold(0.0, f64::max) / times().fold(f64::INFINITY, f64::min) - 1.0
    };
    of(|anchor| anchor.compute_ns).max(of(|anchor| anchor.memory_ns))
}

/// One cycle's times in nanoseconds, in the order of running on each side.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Cycle {
    /// In which order they ran.
    pub order: Order,
    /// Both of the base.
    pub base_ns: [f64; 2],
    /// Both of the head.
    pub head_ns: [f64; 2],
}

impl Cycle {
    pub(super) fn new(order: Order, times: [f64; 4]) -> Self {
        let of = |side: Side| {
            let mut both = order.sides().into_iter().zip(times).filter(|(of, _)| *of == side);
            [0, 1].map(|_| both.next().map_or(f64::NAN, |(_, time)| time))
        };
        Self { order, base_ns: of(Side::Base), head_ns: of(Side::Head) }
    }

    /// Log of head over base: the geometric means of two and two.
    pub(super) fn effect(&self) -> f64 {
        let [a1, a2] = self.base_ns.map(f64::ln);
        let [b1, b2] = self.head_ns.map(f64::ln);
        (b1 + b2 - a1 - a2) / 2.0
    }

    /// The control: each side against itself, combined to the variance that [`Self::effect`] has
    /// where the sides are equal. The order's coin gives a drift either sign.
    pub(super) fn control(&self) -> f64 {
        let [a1, a2] = self.base_ns.map(f64::ln);
        let [b1, b2] = self.head_ns.map(f64::ln);
        ((a2 - a1) - (b2 - b1)) / 2.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_linear_drift_cancels() {
        let times = [100.0f64, 110.0, 121.0, 133.1];
        for order in [Order::Abba, Order::Baab] {
            let cycle = Cycle::new(order, times);
            assert!(cycle.effect().abs() < 1e-12, "{cycle:?}");
        }
        let [one, other] = [Order::Abba, Order::Baab].map(|o| Cycle::new(o, times).control());
        assert!((one + other).abs() < 1e-12 && one > 0.0);
    }

    #[test]
    fn a_slower_head_is_seen_in_both_orders() {
        let abba = Cycle::new(Order::Abba, [100.0, 110.0, 110.0, 100.0]);
        let baab = Cycle::new(Order::Baab, [110.0, 100.0, 100.0, 110.0]);
        for cycle in [abba, baab] {
            assert!((cycle.effect() - 1.1f64.ln()).abs() < 1e-12);
            assert!(cycle.control().abs() < 1e-12);
        }
    }

    #[test]
    fn either_loop_shows_a_moved_machine() {
        let calm = Anchor { compute_ns: 100.0, memory_ns: 200.0 };
        let throttled = Anchor { compute_ns: 110.0, ..calm };
        let crowded = Anchor { memory_ns: 230.0, ..calm };
        assert!(spread(&[calm, calm]).abs() < 1e-12);
        assert!((spread(&[calm, throttled, calm]) - 0.1).abs() < 1e-12);
        assert!((spread(&[calm, throttled, crowded]) - 0.15).abs() < 1e-12);
    }
}
