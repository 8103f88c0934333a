//! Numbers that the parameters decide before any bar is seen.

use super::syntax::{Arithmetic, Relation};
use crate::strategy::cross::Operand;

/// A number, a parameter, or arithmetic over them.
#[derive(Debug, Clone, PartialEq)]
pub(in crate::strategy) enum Scalar {
    Number(f64),
    /// The place of the parameter.
    Parameter(usize),
    Arithmetic(Arithmetic, Box<[Scalar; 2]>),
}

impl Scalar {
    pub(in crate::strategy) fn value(&self, values: &[f64]) -> f64 {
        match self {
            Self::Number(number) => *number,
            Self::Parameter(at) => values[*at],
            Self::Arithmetic(operator, sides) => {
                let [left, right] = &**sides;
                operator.apply(left.value(values), right.value(values))
            }
        }
    }
}

impl Arithmetic {
    /// The result for two numbers.
    #[inline(always)]
    #[must_use]
    pub fn apply(self, left: f64, right: f64) -> f64 {
        match self {
            Self::Add => left + right,
            Self::Subtract => left - right,
            Self::Multiply => left * right,
            Self::Divide => left / right,
        }
    }

    /// The operator as it is written.
    #[must_use]
    pub fn symbol(self) -> char {
        match self {
            Self::Add => '+',
            Self::Subtract => '-',
            Self::Multiply => '*',
            Self::Divide => '/',
        }
    }
}

impl Relation {
    /// Whether it holds; never where one side is NaN, for `!=` neither.
    pub(in crate::strategy) fn holds(self, left: f64, right: f64) -> bool {
        match self {
            Self::Less => left < right,
            Self::LessEqual => left <= right,
            Self::Greater => left > right,
            Self::GreaterEqual => left >= right,
            Self::Equal => left == right,
            Self::NotEqual => left != right && !left.is_nan() && !right.is_nan(),
        }
    }

    /// The relation that holds with the sides exchanged.
    pub(super) fn mirrored(self) -> Self {
        match self {
            Self::Less => Self::Greater,
            Self::LessEqual => Self::GreaterEqual,
            Self::Greater => Self::Less,
            Self::GreaterEqual => Self::LessEqual,
            Self::Equal | Self::NotEqual => self,
        }
    }
}

/// Writes the results of `operator` bar by bar.
pub(in crate::strategy) fn combine(
    operator: Arithmetic,
    left: Operand<'_>,
    right: Operand<'_>,
    out: &mut [f64],
) {
    match operator {
        Arithmetic::Add => each(left, right, out, |a, b| a + b),
        Arithmetic::Subtract => each(left, right, out, |a, b| a - b),
        Arithmetic::Multiply => each(left, right, out, |a, b| a * b),
        Arithmetic::Divide => each(left, right, out, |a, b| a / b),
    }
}

fn each(left: Operand<'_>, right: Operand<'_>, out: &mut [f64], of: impl Fn(f64, f64) -> f64) {
    use Operand::{Column, Level};
    match (left, right) {
        (Column(a), Column(b)) => {
            out.iter_mut().zip(a.iter().zip(b)).for_each(|(out, (a, b))| *out = of(*a, *b));
        }
        (Column(a), Level(b)) => out.iter_mut().zip(a).for_each(|(out, a)| *out = of(*a, b)),
        (Level(a), Column(b)) => out.iter_mut().zip(b).for_each(|(out, b)| *out = of(a, *b)),
        (Level(a), Level(b)) => out.fill(of(a, b)),
    }
}
