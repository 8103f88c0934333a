//! Patterns of metric names.

/// Whether `name` is `pattern`, in which `*` stands for any text, empty and `/` included.
///
/// ```
/// use perf_gate::gate::matches;
/// assert!(matches("backtest/*/all_in", "backtest/simulate/all_in"));
/// assert!(!matches("backtest/*", "features/mean"));
/// ```
#[must_use]
pub fn matches(pattern: &str, name: &str) -> bool {
    let Some((start, rest)) = pattern.split_once('*') else { return pattern == name };
    let Some(name) = name.strip_prefix(start) else { return false };
    (0..=name.len()).filter(|at| name.is_char_boundary(*at)).any(|at| matches(rest, &name[at..]))
}

#[cfg(test)]
mod tests {
    use super::matches;

    #[test]
    fn stars_stand_for_anything() {
        let cases = [
            ("*", "", true),
            ("*", "a/b", true),
            ("a*b*c", "a--b--b--c", true),
            ("a*b*c", "a--c", false),
            ("", "", true),
            ("", "a", false),
            ("é*", "éa", true),
            ("*/all", "x/all_in", false),
        ];
        for (pattern, name, expected) in cases {
            assert_eq!(matches(pattern, name), expected, "{pattern} {name}");
        }
    }
}
