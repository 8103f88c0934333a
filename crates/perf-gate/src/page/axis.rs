//! Logarithmic axes: which values they show, and at which of them a tick stands. Where a value
//! lands is plotters' business.

use std::ops::Range;

use plotters::coord::combinators::{BindKeyPoints, IntoLogRange, LogCoord, WithKeyPoints};
use plotters::coord::ranged1d::Ranged;
use plotters::coord::types::RangedCoordf64;

/// An axis as plotters takes it.
pub(super) type Scale = WithKeyPoints<LogCoord<f64>>;

/// One axis.
pub(super) struct Axis {
    /// What it measures.
    pub(super) name: &'static str,
    /// Ticks stand at powers of this.
    pub(super) base: f64,
    /// How a tick is written.
    pub(super) text: fn(f64) -> String,
}

impl Axis {
    /// The scale that shows `values` with about `most` ticks; `None` where none is positive.
    pub(super) fn scale(&self, values: impl Iterator<Item = f64>, most: usize) -> Option<Scale> {
        let range = self.range(values)?;
        let ticks = self.ticks(&range, most);
        Some(range.log_scale().base(self.base).with_key_points(ticks))
    }

    /// From a little below the lowest of `values` to a little above the highest.
    fn range(&self, values: impl Iterator<Item = f64>) -> Option<Range<f64>> {
        let logs = values.filter(|value| can_be_shown(*value)).map(|value| value.log(self.base));
        let (low, high) = logs.fold((f64::INFINITY, f64::NEG_INFINITY), |(low, high), log| {
            (low.min(log), high.max(log))
        });
        // Powers of two are the only ticks that sizes have: one at least must be in sight.
        let least = if self.base < 10.0 { 0.5 } else { 0.025 };
        let margin = (0.05 * (high - low)).max(least);
        let end = |log: f64| self.base.powf(log).clamp(f64::MIN_POSITIVE, f64::MAX);
        (low <= high).then(|| end(low - margin)..end(high + margin))
    }

    /// At powers of the base, every second or every third of them where they are more than `most`.
    /// An axis of tens that spans less than three powers has them at 1, 2 and 5 times powers, or
    /// evenly spaced.
    fn ticks(&self, range: &Range<f64>, most: usize) -> Vec<f64> {
        let (low, high) = (range.start.log(self.base), range.end.log(self.base));
        let (first, last) = (low.ceil() as i32, high.floor() as i32);
        let every = usize::try_from(last - first + 1).unwrap_or(0).div_ceil(most).max(1);
        let powers = (first..=last).step_by(every).map(|power| self.base.powi(power));
        let powers: Vec<f64> = powers.collect();
        if self.base < 10.0 || powers.len() > 2 {
            return powers;
        }
        let decades = low.floor() as i32..=last;
        let steps = decades.flat_map(|power| [1.0, 2.0, 5.0].map(|step| step * 10_f64.powi(power)));
        let steps: Vec<f64> = steps.filter(|value| range.contains(value)).collect();
        if steps.len() > 2 { steps } else { even(range, most) }
    }
}

/// Whether a value has a place on a logarithmic axis, with room below it.
pub(super) fn can_be_shown(value: f64) -> bool {
    value >= f64::MIN_POSITIVE && value.is_finite()
}

/// Evenly spaced round values of `range`, at most `most`. Looked for near 1: plotters would count
/// without end among values that are smaller than its tolerance.
fn even(range: &Range<f64>, most: usize) -> Vec<f64> {
    let unit = 10_f64.powf(range.start.log10().floor()).max(f64::MIN_POSITIVE);
    let near_one = RangedCoordf64::from(range.start / unit..range.end / unit);
    near_one.key_points(most).into_iter().map(|value| value * unit).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::digits;

    /// The texts of the ticks.
    fn ticks(base: f64, values: &[f64], most: usize) -> Vec<String> {
        let axis = Axis { name: "axis", base, text: digits };
        let range = axis.range(values.iter().copied()).unwrap();
        assert!(values.iter().all(|value| range.contains(value)), "{range:?}");
        axis.ticks(&range, most).into_iter().map(axis.text).collect()
    }

    #[test]
    fn ticks_stand_at_powers_where_there_are_enough() {
        assert_eq!(ticks(10.0, &[0.5, 2_000.0], 8), ["1.00", "10.0", "100", "1000"]);
        assert_eq!(ticks(2.0, &[1.0, 16.0], 12), ["1.00", "2.00", "4.00", "8.00", "16.0"]);
        assert_eq!(ticks(2.0, &[1.0, 16.0], 3), ["1.00", "4.00", "16.0"]);
    }

    #[test]
    fn narrow_axes_have_ticks_too() {
        assert_eq!(ticks(10.0, &[4.0, 120.0], 8), ["5.00", "10.0", "20.0", "50.0", "100"]);
        assert_eq!(ticks(10.0, &[20.0, 60.0], 8), ["20.0", "30.0", "40.0", "50.0", "60.0"]);
        assert_eq!(ticks(2.0, &[4.0, 4.0], 8), ["4.00"]);
        let equal = ticks(10.0, &[137.0; 3], 8);
        assert!(equal.len() > 2 && equal.windows(2).all(|pair| pair[0] != pair[1]), "{equal:?}");
    }

    #[test]
    fn the_smallest_and_the_largest_values_have_an_axis() {
        for values in [[1e-300; 2], [1e300; 2], [f64::MIN_POSITIVE; 2], [1e-300, f64::MAX]] {
            for base in [2.0, 10.0] {
                let axis = Axis { name: "axis", base, text: digits };
                let range = axis.range(values.into_iter()).unwrap();
                assert!(range.start > 0.0 && range.start < range.end && range.end.is_finite());
                assert!(axis.ticks(&range, 8).len() < 40, "{values:?}");
            }
        }
        let axis = Axis { name: "axis", base: 10.0, text: digits };
        let none = [0.0, -1.0, 5e-324, f64::NAN, f64::INFINITY];
        assert!(axis.scale(none.into_iter(), 8).is_none());
    }
}
