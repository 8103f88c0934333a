//! Whether what a search found is more than luck.
//!
//! | part | question |
//! |---|---|
//! | [`deflated`](mod@deflated) | is the best Sharpe ratio above what the best of as many skill-less trials shows? |
//! | [`pbo()`] | does the best in one half of time stay above the median in the other? |
//! | [`plateau()`] | do the points next to the best do as well? |
//! | [`walk_forward()`] | what would choosing again and again, on the past alone, have earned? |
//! | [`cross_validate()`] | and in every other order of time? |
//! | [`Verdict`] | all of it, in plain words |
//! | [`reality_check()`] | does the best beat a benchmark, had we not chosen it for that? |
//!
//! All but the plateau work on spans of time ([`Trial::segments`](crate::Trial::segments)), so that none
//! needs a return of a bar.
//!
//! ```
//! // A daily Sharpe ratio of 0.1 over five years: skill, where it was the best of two trials; likely
//! // luck, where it was the best of a thousand.
//! let of = |trials| optimizer::deflated_sharpe_ratio(0.1, 0.001, trials, 1_260, 0.0, 3.0);
//! assert!(of(2) > 0.95 && of(1_000) < 0.75);
//! ```

pub mod deflated;
pub mod pbo;
pub mod plateau;
pub mod reality_check;
pub mod spans;
pub mod splits;
pub mod verdict;
pub mod walk;

pub use deflated::deflated_sharpe_ratio;
pub use pbo::{Pbo, pbo};
pub use plateau::{Plateau, plateau};
pub use reality_check::{Bootstrap, RealityCheck, buy_and_hold, reality_check};
pub use splits::{Gap, Split, WalkForward, Window};
pub use verdict::{Subject, Verdict};
pub use walk::{CrossValidation, Fold, Walked, cross_validate, walk_forward};
