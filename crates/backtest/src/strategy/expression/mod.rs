//! Expressions over features, prices and parameters: text, its check, its plan.
//!
//! | step | file |
//! |---|---|
//! | text to tree | `syntax.rs` |
//! | tree to typed parts, names checked against the feature registry | `check.rs` |
//! | numbers that parameters decide, before any bar is seen | `scalar.rs` |
//! | typed parts to steps over words of 64 bars | `program.rs` |

mod check;
mod program;
mod scalar;
mod syntax;

use std::ops::Range;

pub(super) use check::{Checker, Condition, Operand as Term, Template, is_taken};
pub(super) use program::{Given, Pair, Planner};
pub(super) use scalar::{Scalar, combine};
pub use syntax::Arithmetic;

/// What is wrong with an expression, and which bytes of it.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Mistake {
    pub(super) span: Range<usize>,
    pub(super) message: String,
}
