//! Wall clock: whole processes of both sides in randomised ABBA cycles, judged against their own
//! noise, and called slower only when a second, fresh round says so again.
//!
//! A *cycle* is four processes, `ABBA` or `BAAB` by the toss of a seeded coin, so that a drift of
//! the machine, linear in time, cancels. It yields one log-ratio of head to base, and one of a side
//! to itself: the A/A control, which is what the same estimator says where there is nothing to see.
//! Between the processes runs the [anchor](Anchor), a fixed loop: a cycle in which it moved is
//! thrown away and counted, since there the *machine* changed.

mod cycle;
mod decision;
mod engine;

pub use cycle::{Anchor, Cycle, Order, Side};
pub use decision::{Decision, Judged};
pub use engine::{Case, Executor, Outcome, Plan, Status, Tally, measure};
