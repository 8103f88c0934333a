//! Plans of the latest calls: a caller in a loop pays for the first of them.
//!
//! To plan a statistic is to build its graph and to take room for its blocks: some twenty blocks of
//! the heap, and for a thousand rows more time than the rows take. Each thread keeps its own.

use std::cell::RefCell;

use crate::engine::graph::{Graph, Series};
use crate::engine::machine::{Program, State};

/// The statistic's name, its window, and the bits of its other parameter.
pub(super) type Key = (&'static str, usize, u64);

/// Enough for a strategy's windows.
const KEPT: usize = 8;
/// A plan with more, of a window of some ten thousand rows, is made anew: its rows cost more.
const KEPT_BYTES: usize = 1 << 20;

struct Plan {
    key: Key,
    program: Program,
    state: State,
}

thread_local! {
    /// The latest is the last.
    static PLANS: RefCell<Vec<Plan>> = const { RefCell::new(Vec::new()) };
}

/// Runs what `build` plans over a number of inputs; from memory, where the thread has it.
pub(super) fn run(
    key: Key,
    inputs: usize,
    build: impl FnOnce(&mut Graph, &[Series]) -> Series,
    work: impl FnOnce(&Program, &mut State),
) {
    let known = PLANS.with_borrow_mut(|plans| {
        let at = plans.iter().rposition(|plan| plan.key == key)?;
        Some(plans.remove(at))
    });
    let mut plan = known.unwrap_or_else(|| {
        let mut graph = Graph::new(inputs);
        let sources: Vec<Series> = (0..inputs).map(Series).collect();
        let series = build(&mut graph, &sources);
        let program = Program::new(graph, vec![series]);
        let state = program.start(0);
        Plan { key, program, state }
    });
    // Out of the list while it works: a panic loses it, and nothing else.
    work(&plan.program, &mut plan.state);
    plan.program.restart(&mut plan.state, 0);
    if plan.state.bytes() <= KEPT_BYTES {
        PLANS.with_borrow_mut(|plans| {
            if plans.len() == KEPT {
                plans.remove(0);
            }
            plans.push(plan);
        });
    }
}
