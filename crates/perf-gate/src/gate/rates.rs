//! How well a rate is known from so many tries.

/// The 95 percent interval of a rate, `hits` of `tries`, by Wilson's score (Wilson 1927), which is
/// right for few tries and for none or all hit. From 0 to 1 without a try.
#[must_use]
pub fn wilson(hits: usize, tries: usize) -> [f64; 2] {
    if tries == 0 {
        return [0.0, 1.0];
    }
    const Z: f64 = 1.959_963_984_540_054;
    let n = tries as f64;
    let rate = hits as f64 / n;
    let scale = 1.0 + Z * Z / n;
    let centre = (rate + Z * Z / (2.0 * n)) / scale;
    let half = Z * (rate * (1.0 - rate) / n + Z * Z / (4.0 * n * n)).sqrt() / scale;
    [(centre - half).max(0.0), (centre + half).min(1.0)]
}

#[cfg(test)]
mod tests {
    use super::wilson;

    /// The formula, worked in Python: 19 of 20 is 0.763869 to 0.991119, 0 of 40 up to 0.087622.
    #[test]
    fn it_agrees_with_the_formula() {
        let [low, high] = wilson(19, 20);
        assert!((low - 0.763_869).abs() < 1e-6 && (high - 0.991_119).abs() < 1e-6);
        let [low, high] = wilson(0, 40);
        assert!(low.abs() < 1e-12 && (high - 0.087_622).abs() < 1e-6, "{high}");
        assert_eq!(wilson(0, 0), [0.0, 1.0]);
    }
}
