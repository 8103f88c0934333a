//! Running a graph over blocks of rows.

use market_data::ask_for_large_pages;

use super::Block;
use super::graph::{Graph, Node, Series};
use super::reach::CacheReach;
use crate::kernel::chain::{PLANES, Plane};
use crate::sys;

/// Rows in one block: small enough that the blocks of a whole set stay in a core's own cache,
/// large enough that a kernel's call costs nothing beside its work.
pub(crate) const BLOCK_ROWS: usize = 1024;

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

/// A cache line of values.
#[derive(Debug, Clone, Copy, PartialEq)]
#[repr(align(64))]
struct Line([f64; LINE_ROWS]);

const LINE_ROWS: usize = 8;

/// Rows between the end of a series' place and the next: places a whole number of pages apart
/// would make the processor take a load for one that must wait for the store to another place.
const STAGGER_ROWS: usize = 136;

/// A saved state.
#[derive(Debug, Clone, PartialEq, serde::Serialize, serde::Deserialize)]
pub(crate) struct Saved {
    row: usize,
    values: Vec<u64>,
}

/// Whole columns that a program reads from and writes to.
pub(crate) struct Columns<'o, 'c> {
    /// One column per source.
    pub(crate) sources: &'o [&'o [f64]],
    /// Number of the first row of the source columns.
    pub(crate) sources_from: usize,
    /// One column per output.
    pub(crate) outputs: &'o mut [&'c mut [f64]],
    /// Number of the first row of the output columns.
    pub(crate) outputs_from: usize,
    pub(crate) reach: CacheReach,
}

/// A graph made ready to run: where each series and each state lies.
pub(crate) struct Program {
    graph: Graph,
    outputs: Vec<Series>,
    /// The sources that any node or output reads.
    used: Vec<usize>,
    /// Per series: whether any output needs it.
    needed: Vec<bool>,
    /// The nodes that any output needs.
    live: Vec<usize>,
    /// Per series: the first output column that shows it.
    column: Vec<Option<usize>>,
    /// The output columns in the order in which their series are computed, without those of sources.
    computed: Vec<usize>,
    direct_from: usize,
    places: Vec<Place>,
    states: Vec<usize>,
    arena_len: usize,
    state_len: usize,
    capacity: usize,
}

fn flat(arena: &[Line]) -> &[f64] {
    // SAFETY: a line is eight values without padding, and values need no more alignment than lines.
    unsafe { std::slice::from_raw_parts(arena.as_ptr().cast(), arena.len() * LINE_ROWS) }
}

fn flat_mut(arena: &mut [Line]) -> &mut [f64] {
    // SAFETY: as in `flat`; the borrow of the lines is exclusive.
    unsafe { std::slice::from_raw_parts_mut(arena.as_mut_ptr().cast(), arena.len() * LINE_ROWS) }
}

impl State {
    /// The next row.
    pub(crate) fn row(&self) -> usize {
        self.row
    }

    /// What it takes from the heap.
    pub(crate) fn bytes(&self) -> usize {
        size_of_val(&*self.arena) + size_of_val(&*self.carried) + size_of_val(&*self.scratch)
    }
}

/// What a running program carries from block to block.
#[derive(Debug, Clone)]
pub(crate) struct State {
    arena: Vec<Line>,
    carried: Vec<f64>,
    /// Rows of the current arena that are used after the history.
    cursor: usize,
    row: usize,
    scratch: Vec<Plane>,
}

impl Program {
    /// Lays out `graph` for blocks of at most [`BLOCK_ROWS`] rows.
    pub(crate) fn new(graph: Graph, outputs: Vec<Series>) -> Self {
        let needed = graph.needed(&outputs);
        let mut places = Vec::with_capacity(graph.len());
        let mut arena_len = 0;
        for (series, history) in graph.history().into_iter().enumerate() {
            // A source that nobody reads has no block.
            if series < graph.sources && !needed[series] {
                places.push(Place { start: 0, history: 0 });
                continue;
            }
            // Blocks begin on a cache line.
            let aligned = (arena_len + history).next_multiple_of(LINE_ROWS);
            places.push(Place { start: aligned - history, history });
            arena_len = aligned + BLOCK_ROWS + STAGGER_ROWS;
        }
        let mut states = Vec::with_capacity(graph.nodes.len() + 1);
        let mut state_len = 0;
        for node in &graph.nodes {
            states.push(state_len);
            state_len += (node.kernel.state)(&node.consts);
        }
        states.push(state_len);
        let used = (0..graph.sources).filter(|&s| needed[s]).collect();
        let live = (0..graph.nodes.len()).filter(|&n| graph.is_needed(n, &needed)).collect();
        let mut column = vec![None; graph.len()];
        for (k, series) in outputs.iter().enumerate().rev() {
            column[series.0] = (series.0 >= graph.sources).then_some(k);
        }
        let mut computed: Vec<usize> = (0..outputs.len()).collect();
        computed.retain(|&k| outputs[k].0 >= graph.sources);
        computed.sort_unstable_by_key(|&k| outputs[k]);
        let shown = |s: &usize| *s < graph.sources || column[*s].is_some();
        let direct_from =
            (0..graph.len()).filter(shown).map(|s| places[s].history).max().unwrap_or(0);
        Self {
            graph,
            outputs,
            used,
            needed,
            live,
            column,
            computed,
            direct_from,
            places,
            states,
            arena_len,
            state_len,
            capacity: BLOCK_ROWS,
        }
    }

    /// The series that the program is run for.
    pub(crate) fn outputs(&self) -> &[Series] {
        &self.outputs
    }

    /// The state before row `row`, as if no row had come before it.
    pub(crate) fn start(&self, row: usize) -> State {
        let lines = self.arena_len / LINE_ROWS;
        let mut arena = vec![Line([f64::NAN; LINE_ROWS]); lines];
        // After it is filled: less than a large page is made one only where it is in use.
        ask_for_large_pages(&mut arena);
        State {
            arena,
            carried: vec![0.0; self.state_len],
            cursor: 0,
            row,
            scratch: vec![Plane::EMPTY; PLANES],
        }
    }

    /// Makes `state` what [`Program::start`] gives for the first row, in the memory that it has.
    pub(crate) fn restart(&self, state: &mut State) {
        let arena = flat_mut(&mut state.arena);
        // Nothing else of the arena is read before it is written.
        for place in &self.places {
            arena[place.start..place.start + place.history].fill(f64::NAN);
        }
        state.carried.fill(0.0);
        (state.cursor, state.row) = (0, 0);
    }

    /// What of `state` the rows to come depend on, as bits: every series' history, then what the
    /// nodes carry.
    pub(crate) fn save(&self, state: &State) -> Saved {
        let arena = flat(&state.arena);
        let histories = self.places.iter().flat_map(|p| {
            let from = p.start + state.cursor;
            &arena[from..from + p.history]
        });
        let values = histories.chain(&state.carried).map(|v| v.to_bits()).collect();
        Saved { row: state.row, values }
    }

    /// The state that [`Program::save`] saved; `None` where it is of another shape.
    pub(crate) fn restore(&self, saved: &Saved) -> Option<State> {
        let mut state = self.start(saved.row);
        let mut values = saved.values.iter().map(|&bits| f64::from_bits(bits));
        let arena = flat_mut(&mut state.arena);
        for place in &self.places {
            for slot in &mut arena[place.start..place.start + place.history] {
                *slot = values.next()?;
            }
        }
        for slot in &mut state.carried {
            *slot = values.next()?;
        }
        values.next().is_none().then_some(state)
    }

    /// How many rows before a row decide its outputs; `None` where all rows do.
    pub(crate) fn reach(&self) -> Option<usize> {
        self.outputs.iter().map(|&s| self.graph.reach(s)).try_fold(0, |a, b| Some(a.max(b?)))
    }

    /// How many rows must lie before a block that is run by [`Program::push_direct`].
    pub(crate) fn direct_from(&self) -> usize {
        self.direct_from
    }

    /// As [`Program::push`] for `rows` more rows, but reads sources and fills output columns where
    /// they lie. The rows that nodes look back on must be there: [`Program::direct_from`] of them have
    /// been run before.
    pub(crate) fn push_direct(
        &self,
        state: &mut State,
        rows: usize,
        columns: &mut Columns<'_, '_>,
    ) {
        if state.cursor + rows > self.capacity {
            self.rewind(state);
        }
        let mut waiting = &*self.computed;
        for (nth, &index) in self.live.iter().enumerate() {
            if columns.reach.fetches_ahead {
                self.fetch_ahead(nth, state.row + rows, columns);
            }
            self.run_node(index, state, rows, Some(columns));
            if columns.reach.stores_past {
                waiting = self.store_past_cache(index, waiting, state, rows, columns);
            }
        }
        self.copy_twins(state.row, rows, columns);
        state.cursor += rows;
        state.row += rows;
    }

    /// Stores the rows that node `index` has just written to its blocks, in those of the output columns
    /// `waiting` that show them; gives the rest of these.
    fn store_past_cache<'p>(
        &self,
        index: usize,
        waiting: &'p [usize],
        state: &State,
        rows: usize,
        columns: &mut Columns<'_, '_>,
    ) -> &'p [usize] {
        let node = &self.graph.nodes[index];
        let end = Series(node.output.0 + node.kernel.outputs);
        let (own, rest) = waiting.split_at(waiting.partition_point(|&k| self.outputs[k] < end));
        let to = state.row - columns.outputs_from;
        for &k in own {
            let values = self.block(state, self.outputs[k], state.cursor, rows);
            sys::store_past_cache(&mut columns.outputs[k][to..to + rows], values);
        }
        rest
    }

    /// Begins to fetch what the block from row `row` on reads, the share of it that falls to the `nth` node
    /// of the block before: the processor's own fetching ahead ends with each page, and all at once would
    /// hold up the nodes.
    fn fetch_ahead(&self, nth: usize, row: usize, columns: &Columns<'_, '_>) {
        let from = row - columns.sources_from;
        let [begin, end] = [nth, nth + 1].map(|n| {
            let lines = self.capacity.div_ceil(LINE_ROWS) * n / self.live.len();
            from + lines * LINE_ROWS
        });
        for &source in &self.used {
            let column = columns.sources[source];
            sys::fetch(&column[column.len().min(begin)..column.len().min(end)]);
        }
    }

    /// Leaves in `state` what [`Program::push`] would have after the rows that
    /// [`Program::push_direct`] left in `columns`, of which [`Program::direct_from`] must be there.
    pub(crate) fn settle(&self, state: &mut State, columns: &Columns<'_, '_>) {
        let arena = flat_mut(&mut state.arena);
        for (series, place) in self.places.iter().enumerate() {
            let Some((values, from)) = self.column_of(Series(series), columns) else { continue };
            let (to, at) = (state.row - from, place.start + state.cursor);
            arena[at..at + place.history].copy_from_slice(&values[to - place.history..to]);
        }
    }

    /// Fills the output columns that show a source or what an earlier output column shows.
    fn copy_twins(&self, row: usize, rows: usize, columns: &mut Columns<'_, '_>) {
        let at = row - columns.outputs_from;
        for (k, &series) in self.outputs.iter().enumerate() {
            if series.0 < self.graph.sources {
                let from = row - columns.sources_from;
                let source = &columns.sources[series.0][from..from + rows];
                columns.outputs[k][at..at + rows].copy_from_slice(source);
            } else if let Some(first) = self.filled(series, columns).filter(|&first| first != k) {
                let (before, behind) = columns.outputs.split_at_mut(k);
                behind[0][at..at + rows].copy_from_slice(&before[first][at..at + rows]);
            }
        }
    }

    /// Runs the rows of `sources`, at most [`BLOCK_ROWS`] of them, one slice per source.
    pub(crate) fn push(&self, state: &mut State, sources: &[&[f64]]) {
        let rows = sources.first().map_or(0, |s| s.len());
        debug_assert!(rows <= self.capacity && sources.len() == self.graph.sources);
        if state.cursor + rows > self.capacity {
            self.rewind(state);
        }
        for &index in &self.used {
            let (place, source) = (self.places[index], sources[index]);
            let at = place.start + place.history + state.cursor;
            flat_mut(&mut state.arena)[at..at + rows].copy_from_slice(source);
        }
        for &index in &self.live {
            self.run_node(index, state, rows, None);
        }
        state.cursor += rows;
        state.row += rows;
    }

    /// The last `rows` rows of `series`, as the latest [`Program::push`] left them.
    pub(crate) fn latest<'s>(&self, state: &'s State, series: Series, rows: usize) -> &'s [f64] {
        self.block(state, series, state.cursor - rows, rows)
    }

    /// `rows` rows of the block of `series`, from `cursor` on.
    fn block<'s>(&self, state: &'s State, series: Series, cursor: usize, rows: usize) -> &'s [f64] {
        let place = self.places[series.0];
        let from = place.start + place.history + cursor;
        &flat(&state.arena)[from..from + rows]
    }

    /// The output column that the node of `series` writes to itself.
    fn filled(&self, series: Series, columns: &Columns<'_, '_>) -> Option<usize> {
        self.column[series.0].filter(|_| !columns.reach.stores_past)
    }

    /// Moves each series' history to the front of its place.
    fn rewind(&self, state: &mut State) {
        for place in self.places.iter().filter(|p| p.history > 0) {
            let from = place.start + state.cursor;
            flat_mut(&mut state.arena).copy_within(from..from + place.history, place.start);
        }
        state.cursor = 0;
    }

    fn run_node(
        &self,
        index: usize,
        state: &mut State,
        rows: usize,
        mut columns: Option<&mut Columns<'_, '_>>,
    ) {
        let node = &self.graph.nodes[index];
        let count = node.kernel.outputs;
        // The columns that this node fills are taken out of the list for as long as it runs.
        let mut taken: [&mut [f64]; MAX_OUTPUTS] = Default::default();
        if let Some(columns) = &mut columns {
            self.exchange(node, &mut taken, columns);
        }
        // A node's outputs lie behind all of its inputs, as it was added after them.
        let begin = self.places[node.output.0].start;
        let (before, behind) = flat_mut(&mut state.arena).split_at_mut(begin);
        let mut inputs: [&[f64]; MAX_TAPS] = [&[]; MAX_TAPS];
        for (input, tap) in inputs.iter_mut().zip(&node.inputs) {
            let place = self.places[tap.series.0];
            let in_arena = (&*before, place.start + place.history + state.cursor);
            let direct = columns.as_deref().and_then(|c| self.column_of(tap.series, c));
            let (values, at) = direct.map_or(in_arena, |(c, from)| (c, state.row - from));
            let end = at + rows - tap.lag;
            *input = &values[end - rows - tap.depth..end];
        }
        let mut outputs: [&mut [f64]; MAX_OUTPUTS] = Default::default();
        self.open(node, behind, state.cursor, rows, &mut outputs);
        let from = columns.as_deref().map_or(0, |c| c.outputs_from);
        for (output, taken) in outputs.iter_mut().zip(&mut taken).filter(|(_, t)| !t.is_empty()) {
            *output = &mut taken[state.row - from..][..rows];
        }
        (node.kernel.run)(&mut Block {
            row: state.row,
            consts: &node.consts,
            inputs: &inputs[..node.inputs.len()],
            outputs: &mut outputs[..count],
            needed: &self.needed[node.output.0..][..count],
            scratch: &mut state.scratch,
            state: &mut state.carried[self.states[index]..self.states[index + 1]],
        });
        if let Some(columns) = columns {
            self.exchange(node, &mut taken, columns);
        }
    }

    /// Swaps the columns that show a node's outputs with what stands in for them.
    fn exchange<'c>(
        &self,
        node: &Node,
        taken: &mut [&'c mut [f64]; MAX_OUTPUTS],
        columns: &mut Columns<'_, 'c>,
    ) {
        for (k, taken) in taken.iter_mut().take(node.kernel.outputs).enumerate() {
            if let Some(column) = self.filled(Series(node.output.0 + k), columns) {
                std::mem::swap(taken, &mut columns.outputs[column]);
            }
        }
    }

    /// The blocks of a node's outputs within the arena from its first output's place on.
    fn open<'a>(
        &self,
        node: &Node,
        mut rest: &'a mut [f64],
        cursor: usize,
        rows: usize,
        outputs: &mut [&'a mut [f64]; MAX_OUTPUTS],
    ) {
        let mut from = self.places[node.output.0].start;
        for (k, output) in outputs.iter_mut().take(node.kernel.outputs).enumerate() {
            let Place { start, history } = self.places[node.output.0 + k];
            let end = start + history + self.capacity;
            let (own, next) = rest.split_at_mut(end - from);
            *output = &mut own[start - from + history + cursor..][..rows];
            (rest, from) = (next, end);
        }
    }

    /// The whole column in which `series` lies, and the number of that column's first row.
    fn column_of<'c>(
        &self,
        series: Series,
        columns: &'c Columns<'_, '_>,
    ) -> Option<(&'c [f64], usize)> {
        if series.0 < self.graph.sources {
            return Some((columns.sources[series.0], columns.sources_from));
        }
        let column = self.filled(series, columns)?;
        Some((&*columns.outputs[column], columns.outputs_from))
    }
}
