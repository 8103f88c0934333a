//! The rank test that stands beside the bootstrap interval.

/// Two-sided p of the Mann-Whitney U test and Cliff's delta of `head` against `base`. The p is from
/// the normal approximation with ties and continuity corrected (Mann and Whitney 1947), good from
/// about eight samples a side and conservative below. `None` with fewer than 3 on a side.
pub(crate) fn mann_whitney(base: &[f64], head: &[f64]) -> Option<(f64, f64)> {
    let (n, m) = (base.len() as f64, head.len() as f64);
    if base.len().min(head.len()) < 3 {
        return None;
    }
    let wins = |a: &[f64], b: &[f64]| -> f64 {
        a.iter().map(|x| b.iter().filter(|y| x > y).count() as f64).sum()
    };
    let (more, less) = (wins(head, base), wins(base, head));
    let pairs = n * m;
    let total = n + m;
    let ties = ties(base, head) / (total * (total - 1.0));
    let deviation = (pairs / 12.0 * (total + 1.0 - ties)).sqrt();
    // U less its mean is half of the difference between wins.
    let distance = ((more - less).abs() / 2.0 - 0.5).max(0.0);
    let p =
        if distance > 0.0 { erfc(distance / deviation / std::f64::consts::SQRT_2) } else { 1.0 };
    Some((p.min(1.0), (more - less) / pairs))
}

/// Sum of t^3 - t over groups of equal values.
fn ties(base: &[f64], head: &[f64]) -> f64 {
    let mut all: Vec<f64> = base.iter().chain(head).copied().collect();
    all.sort_by(f64::total_cmp);
    all.chunk_by(|a, b| a == b).map(|group| group.len() as f64).map(|t| t * t * t - t).sum()
}

/// 1 - erf for x >= 0, within 1.5e-7 (Abramowitz and Stegun 7.1.26).
fn erfc(x: f64) -> f64 {
    const TERMS: [f64; 5] =
        [1.061_405_429, -1.453_152_027, 1.421_413_741, -0.284_496_736, 0.254_829_592];
    let t = 1.0 / (1.0 + 0.327_591_1 * x);
    TERMS.iter().fold(0.0, |sum, term| sum * t + term) * t * (-x * x).exp()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// SciPy: `mannwhitneyu(head, base, method="asymptotic")`.
    #[test]
    fn it_agrees_with_scipy() {
        let base = [1.0, 2.0, 3.0, 4.0, 5.0, 6.0, 7.0, 8.0];
        let head = [4.0, 5.5, 6.0, 7.5, 9.0, 10.0, 11.0, 12.0];
        let (p, delta) = mann_whitney(&base, &head).unwrap();
        assert!((p - 0.031075568).abs() < 1e-6, "{p}");
        assert!((delta - 0.65625).abs() < 1e-12, "{delta}");
        assert_eq!(mann_whitney(&base, &base).unwrap(), (1.0, 0.0));
        assert_eq!(mann_whitney(&[1.0; 5], &[1.0; 5]).unwrap(), (1.0, 0.0));
        assert_eq!(mann_whitney(&[1.0], &[2.0; 5]), None);
    }
}
