//! The grid of parameter values, and the conditions on it.

use crate::OptimizerError;

/// The values that one parameter takes.
#[derive(Debug, Clone, PartialEq)]
pub struct Axis {
    /// Name of the parameter.
    pub name: String,
    /// Its values, in the order in which they are tried.
    pub values: Vec<f64>,
}

impl Axis {
    /// Reads `START:STOP:STEP` (both ends included) or `v1,v2,...`.
    ///
    /// # Errors
    /// [`OptimizerError::Axis`] with what is wrong.
    pub fn parse(name: &str, text: &str) -> Result<Self, OptimizerError> {
        let fail = |why: String| OptimizerError::Axis {
            name: name.to_owned(),
            text: text.to_owned(),
            why,
        };
        let number = |part: &str| match part.trim().parse::<f64>() {
            Ok(value) if value.is_finite() => Ok(value),
            _ => Err(fail(format!("'{part}' is not a number"))),
        };
        let values = if text.contains(':') {
            let parts = text.split(':').map(number).collect::<Result<Vec<_>, _>>()?;
            let &[start, stop, step] = parts.as_slice() else {
                return Err(fail(format!("it has {} parts, not 3", parts.len())));
            };
            range(start, stop, step).map_err(fail)?
        } else {
            text.split(',').map(number).collect::<Result<_, _>>()?
        };
        Ok(Self { name: name.to_owned(), values })
    }
}

/// Steps are counted, not added up, so that 0.1:0.3:0.1 ends at 0.3.
fn range(start: f64, stop: f64, step: f64) -> Result<Vec<f64>, String> {
    if step == 0.0 {
        return Err("a step of 0 never arrives".to_owned());
    }
    let steps = (stop - start) / step;
    if steps < 0.0 {
        return Err(format!("a step of {step} leads away from {stop}"));
    }
    if steps > crate::MAX_POINTS as f64 {
        return Err(format!("it has more than {} values", crate::MAX_POINTS));
    }
    let count = (steps + 1e-9).floor() as u64;
    // One rounding to 12 digits, so that 0.1 * 3 is 0.3.
    let round = |value: f64| format!("{value:.12e}").parse().unwrap_or(value);
    Ok((0..=count).map(|i| round(start + i as f64 * step)).collect())
}

/// One side of a condition.
#[derive(Debug, Clone, PartialEq)]
enum Term {
    Parameter(usize),
    Number(f64),
}

impl Term {
    fn of(&self, values: &[f64]) -> f64 {
        match *self {
            Self::Parameter(at) => values[at],
            Self::Number(number) => number,
        }
    }
}

/// Comparisons that a grid point must pass, such as `fast < slow and slow <= 200`.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Condition {
    comparisons: Vec<(Term, Comparison, Term)>,
    text: String,
}

type Comparison = fn(&f64, &f64) -> bool;

/// Longer operators first: `<=` starts with `<`.
const OPERATORS: [(&str, Comparison); 6] = [
    ("<=", f64::le),
    (">=", f64::ge),
    ("!=", f64::ne),
    ("==", f64::eq),
    ("<", f64::lt),
    (">", f64::gt),
];

impl Condition {
    /// Reads comparisons joined by `and`; `parameters` are the names it may use, in the order of
    /// the values it will be asked about.
    ///
    /// # Errors
    /// [`OptimizerError::Condition`] with what is wrong.
    pub fn parse(text: &str, parameters: &[&str]) -> Result<Self, OptimizerError> {
        let fail = |why: String| OptimizerError::Condition { text: text.to_owned(), why };
        let term = |word: &str| {
            let word = word.trim();
            if let Some(at) = parameters.iter().position(|name| *name == word) {
                return Ok(Term::Parameter(at));
            }
            word.parse().map(Term::Number).map_err(|_| {
                let known = parameters.join(", ");
                fail(format!("'{word}' is neither a number nor a parameter ({known})"))
            })
        };
        let comparison = |part: &str| -> Result<_, OptimizerError> {
            let found = OPERATORS.iter().find_map(|(symbol, operator)| {
                part.split_once(symbol).map(|sides| (*operator, sides))
            });
            let (operator, (left, right)) =
                found.ok_or_else(|| fail(format!("'{}' compares nothing", part.trim())))?;
            Ok((term(left)?, operator, term(right)?))
        };
        let comparisons = text.split(" and ").map(comparison).collect::<Result<_, _>>()?;
        Ok(Self { comparisons, text: text.to_owned() })
    }

    /// Whether a grid point passes every comparison.
    #[must_use]
    pub fn holds(&self, values: &[f64]) -> bool {
        self.comparisons.iter().all(|(a, operator, b)| operator(&a.of(values), &b.of(values)))
    }

    /// The condition as it was written.
    #[must_use]
    pub fn text(&self) -> &str {
        &self.text
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ranges_include_both_ends() {
        let values = |text| Axis::parse("p", text).unwrap().values;
        assert_eq!(values("10:30:10"), [10.0, 20.0, 30.0]);
        assert_eq!(values("0.1:0.3:0.1"), [0.1, 0.2, 0.3]);
        assert_eq!(values("5:1:-2"), [5.0, 3.0, 1.0]);
        assert_eq!(values("3"), [3.0]);
        assert_eq!(values("3, 1,2"), [3.0, 1.0, 2.0]);
    }

    #[test]
    fn wrong_ranges_say_why() {
        let why = |text| Axis::parse("p", text).unwrap_err().to_string();
        assert!(why("1:5:0").contains("step of 0"));
        assert!(why("1:5").contains("2 parts"));
        assert!(why("5:1:1").contains("leads away"));
        assert!(why("1:x:1").contains("'x' is not a number"));
        assert!(why("1:1e12:1").contains("more than"));
        assert!(why("").contains("not a number"));
    }

    #[test]
    fn conditions_compare_parameters_and_numbers() {
        let names = ["fast", "slow"];
        let condition = Condition::parse("fast < slow and slow <= 50", &names).unwrap();
        assert!(condition.holds(&[10.0, 50.0]));
        assert!(!condition.holds(&[50.0, 50.0]));
        assert!(!condition.holds(&[10.0, 60.0]));
        let why = Condition::parse("fats < slow", &names).unwrap_err().to_string();
        assert!(why.contains("'fats' is neither"), "{why}");
        let why = Condition::parse("fast slow", &names).unwrap_err().to_string();
        assert!(why.contains("compares nothing"), "{why}");
    }
}
