//! Comparisons that points must pass.

use crate::OptimizerError;

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
