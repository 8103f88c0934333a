//! What a measured kernel has to move and to compute: its place under the roofline.

use serde::{Deserialize, Serialize};

/// A kernel of the stack as it was measured, with its work by the rule of [`Kernel::RULE`].
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Kernel {
    /// Name in tables.
    pub title: String,
    /// Threads that it ran on.
    pub threads: usize,
    /// Wall time of one run in seconds, the median of the repeats.
    pub seconds: f64,
    /// Bytes that one run cannot avoid to move.
    pub bytes: f64,
    /// Floating-point operations of one run; 0 for a kernel that only moves data.
    pub operations: f64,
    /// How both were counted.
    pub count: String,
}

impl Kernel {
    /// How bytes and operations are counted.
    pub const RULE: &'static str = "Bytes: every column that goes in is read once and every column \
        that comes out is written once, 8 bytes a value; what stays in between is counted as \
        nothing. Operations: each addition, subtraction, multiplication, division and square root \
        in f64 of the running formula, counted by hand; comparisons, minima and maxima are none.";

    /// Operations for each byte; `None` for a kernel that only moves data, or has no bytes.
    #[must_use]
    pub fn intensity(&self) -> Option<f64> {
        let intensity = self.operations / self.bytes;
        (intensity > 0.0 && intensity.is_finite()).then_some(intensity)
    }

    /// 10^9 operations a second.
    #[must_use]
    pub fn gflops(&self) -> f64 {
        self.operations / self.seconds / 1e9
    }

    /// 10^9 bytes a second.
    #[must_use]
    pub fn gb_per_s(&self) -> f64 {
        self.bytes / self.seconds / 1e9
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn work_over_time_is_a_rate() {
        let sum = Kernel {
            title: "sum".to_owned(),
            threads: 1,
            seconds: 0.5,
            bytes: 8e9,
            operations: 1e9,
            count: "1 a value".to_owned(),
        };
        assert_eq!((sum.gb_per_s(), sum.gflops()), (16.0, 2.0));
        assert_eq!(sum.intensity(), Some(0.125));
        let copy = Kernel { operations: 0.0, ..sum.clone() };
        assert_eq!((copy.intensity(), copy.gflops()), (None, 0.0));
        assert_eq!(Kernel { bytes: 0.0, ..sum }.intensity(), None);
    }
}
