//! Running a graph over blocks of rows.

use super::Block;
use super::graph::{Graph, Series};

/// Rows in one block: small enough that the blocks of a whole set stay in a core's own cache,
/// large enough that a kernel's call costs nothing beside its work.
pub(crate) const BLOCK_ROWS: usize = 512;

/// The most taps and outputs that one node may have.
const MAX_TAPS: usize = 8;
const MAX_OUTPUTS: usize = 4;

/// Where a series lives in the arena.
#[derive(Clone, Copy)]
struct Place {
    start: usize,
    /// Rows kept before the current block.
    history: usize,
}

/// A graph made ready to run: where each series and each state lies.
pub(crate) struct Program {
    graph: Graph,
    places: Vec<Place>,
    states: Vec<usize>,
    arena_len: usize,
    state_len: usize,
    capacity: usize,
}

/// What a running program carries from block to block.
#[derive(Debug, Clone, PartialEq, serde::Serialize, serde::Deserialize)]
pub(crate) struct State {
    arena: Vec<f64>,
    carried: Vec<f64>,
    /// Rows of the current arena that are used after the history.
    cursor: usize,
    row: usize,
}

impl Program {
    /// Lays out `graph` for blocks of at most [`BLOCK_ROWS`] rows.
    pub(crate) fn new(graph: Graph) -> Self {
        let mut places = Vec::with_capacity(graph.len());
        let mut arena_len = 0;
        for history in graph.history() {
            places.push(Place { start: arena_len, history });
            arena_len += history + BLOCK_ROWS;
        }
        let mut states = Vec::with_capacity(graph.nodes.len() + 1);
        let mut state_len = 0;
        for node in &graph.nodes {
            states.push(state_len);
            state_len += (node.kernel.state)(&node.consts);
        }
        states.push(state_len);
        Self { graph, places, states, arena_len, state_len, capacity: BLOCK_ROWS }
    }

    pub(crate) fn graph(&self) -> &Graph {
        &self.graph
    }

    /// The state before row `row`, as if no row had come before it.
    pub(crate) fn start(&self, row: usize) -> State {
        State {
            arena: vec![f64::NAN; self.arena_len],
            carried: vec![0.0; self.state_len],
            cursor: 0,
            row,
        }
    }

    /// Whether `state` was made by a program of this shape.
    pub(crate) fn fits(&self, state: &State) -> bool {
        state.arena.len() == self.arena_len
            && state.carried.len() == self.state_len
            && state.cursor <= self.capacity
    }

    /// Runs the rows of `sources`, at most [`BLOCK_ROWS`] of them, one slice per source.
    pub(crate) fn push(&self, state: &mut State, sources: &[&[f64]]) {
        let rows = sources.first().map_or(0, |s| s.len());
        debug_assert!(rows <= self.capacity && sources.len() == self.graph.sources);
        if state.cursor + rows > self.capacity {
            self.rewind(state);
        }
        for (place, source) in self.places.iter().zip(sources) {
            let at = place.start + place.history + state.cursor;
            state.arena[at..at + rows].copy_from_slice(source);
        }
        for index in 0..self.graph.nodes.len() {
            self.run_node(index, state, rows);
        }
        state.cursor += rows;
        state.row += rows;
    }

    /// The last `rows` rows of `series`, as the latest [`Program::push`] left them.
    pub(crate) fn latest<'s>(&self, state: &'s State, series: Series, rows: usize) -> &'s [f64] {
        let place = self.places[series.0];
        let end = place.start + place.history + state.cursor;
        &state.arena[end - rows..end]
    }

    /// Moves each series' history to the front of its place.
    fn rewind(&self, state: &mut State) {
        for place in self.places.iter().filter(|p| p.history > 0) {
            let from = place.start + state.cursor;
            state.arena.copy_within(from..from + place.history, place.start);
        }
        state.cursor = 0;
    }

    fn run_node(&self, index: usize, state: &mut State, rows: usize) {
        let node = &self.graph.nodes[index];
        // A node's outputs lie behind all of its inputs, as it was added after them.
        let (before, mut rest) = state.arena.split_at_mut(self.places[node.output.0].start);
        let mut inputs: [&[f64]; MAX_TAPS] = [&[]; MAX_TAPS];
        for (input, tap) in inputs.iter_mut().zip(&node.inputs) {
            let place = self.places[tap.series.0];
            let end = place.start + place.history + state.cursor + rows - tap.lag;
            *input = &before[end - rows - tap.depth..end];
        }
        let mut outputs: [&mut [f64]; MAX_OUTPUTS] = Default::default();
        for (k, output) in outputs.iter_mut().take(node.kernel.outputs).enumerate() {
            let history = self.places[node.output.0 + k].history;
            let (own, behind) = rest.split_at_mut(history + self.capacity);
            let at = history + state.cursor;
            *output = &mut own[at..at + rows];
            rest = behind;
        }
        (node.kernel.run)(&mut Block {
            row: state.row,
            consts: &node.consts,
            inputs: &inputs[..node.inputs.len()],
            outputs: &mut outputs[..node.kernel.outputs],
            state: &mut state.carried[self.states[index]..self.states[index + 1]],
        });
    }
}
