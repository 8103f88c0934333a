//! Comparisons that forgive rounding, so that an account closes at exactly zero.

pub(crate) const RELATIVE: f64 = 1e-9;
pub(crate) const ABSOLUTE: f64 = 1e-12;

/// Whether `a` and `b` differ by rounding only. NaN and infinity are near nothing but themselves.
#[inline]
pub(crate) fn is_close(a: f64, b: f64) -> bool {
    if a == b {
        return true;
    }
    // Plain comparisons: `f64::max` asks for NaN each time, which the difference does for all.
    let larger = |a: f64, b: f64| if a > b { a } else { b };
    let difference = (a - b).abs();
    difference.is_finite() && difference <= larger(RELATIVE * larger(a.abs(), b.abs()), ABSOLUTE)
}

/// `a <= b`, or above it by rounding only.
#[inline]
pub(super) fn is_close_or_less(a: f64, b: f64) -> bool {
    a < b || is_close(a, b)
}

/// `a < b`, by more than rounding.
#[inline]
pub(super) fn is_less(a: f64, b: f64) -> bool {
    a < b && !is_close(a, b)
}

/// `a + b`, exactly 0 where two terms of opposite sign cancel but for rounding.
#[inline]
pub(super) fn add(a: f64, b: f64) -> f64 {
    if a * b < 0.0 && is_close(a, -b) { 0.0 } else { a + b }
}

/// `a`, exactly 0 where it is 0 but for rounding.
#[inline]
pub(super) fn snap(a: f64) -> f64 {
    if a.abs() <= ABSOLUTE { 0.0 } else { a }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sums_cancel_exactly() {
        assert_eq!(add(0.1 + 0.2, -0.3), 0.0);
        assert_eq!(add(1.0, -0.5), 0.5);
        assert_eq!(add(1e300, 1e300), 2e300);
        assert_eq!(snap(1e-13), 0.0);
        assert!(!is_close(f64::NAN, f64::NAN));
        assert!(!is_close(f64::INFINITY, 1.0));
        assert!(is_close_or_less(1.0 + 1e-10, 1.0));
        assert!(!is_less(1.0 - 1e-10, 1.0));
    }

    #[test]
    fn residue_is_what_is_close_to_zero() {
        for value in [0.0, -1e-12, 1.1e-12, 5e-324, f64::INFINITY, -2.0] {
            assert_eq!(snap(value) == 0.0, is_close(value, 0.0), "{value}");
        }
        assert!(snap(f64::NAN).is_nan());
    }
}
