//! Running a graph over blocks of rows.

use market_data::ask_for_large_pages;

use super::call::{Call, Site, Whole};
use super::graph::{Graph, Series};
use super::layout::{LINE_ROWS, Layout, Place};
use super::reach::CacheReach;
use crate::kernel::chain::{PLANES, Plane};
use crate::sys;

/// Rows in one block: small enough that the blocks of a whole set stay in a core's own cache,
/// large enough that a kernel's call costs nothing beside its work.
pub(crate) const BLOCK_ROWS: usize = 1536;

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
    sources: usize,
    outputs: Vec<Series>,
    /// The nodes that any output needs.
    calls: Vec<Call>,
    /// The output columns in the order in which their series are computed, without those of sources.
    computed: Vec<usize>,
    /// Per series: the whole column in which it lies, where one shows it.
    whole: Vec<Option<Whole>>,
    /// The sources that any node reads.
    read: Vec<usize>,
    /// The series that later blocks look back on.
    lasting: Vec<Series>,
    layout: Layout,
    state_len: usize,
    direct_from: usize,
    reach: Option<usize>,
}

/// What a running program carries from block to block.
#[derive(Debug, Clone)]
pub(crate) struct State {
    pub(super) arena: Arena,
    pub(super) carried: Vec<f64>,
    pub(super) scratch: Vec<Plane>,
    /// Rows of the current arena that are used after the history.
    pub(super) cursor: usize,
    /// The next row.
    pub(super) row: usize,
}

/// Values from the begin of a cache line on.
#[derive(Debug, Clone)]
pub(super) struct Arena(Vec<Line>);

#[derive(Debug, Clone, Copy, PartialEq)]
#[repr(align(64))]
struct Line([f64; LINE_ROWS]);

impl Arena {
    fn new(rows: usize) -> Self {
        let mut lines = vec![Line([f64::NAN; LINE_ROWS]); rows.div_ceil(LINE_ROWS)];
        // After it is filled: less than a large page is made one only where it is in use.
        ask_for_large_pages(&mut lines);
        Self(lines)
    }

    fn flat(&self) -> &[f64] {
        // SAFETY: a line is eight values without padding, and values need no more alignment than lines.
        unsafe { std::slice::from_raw_parts(self.0.as_ptr().cast(), self.0.len() * LINE_ROWS) }
    }

    pub(super) fn flat_mut(&mut self) -> &mut [f64] {
        // SAFETY: as in `flat`; the borrow of the lines is exclusive.
        unsafe {
            std::slice::from_raw_parts_mut(self.0.as_mut_ptr().cast(), self.0.len() * LINE_ROWS)
        }
    }
}

impl State {
    /// The next row.
    pub(crate) fn row(&self) -> usize {
        self.row
    }

    /// What it takes from the heap.
    pub(crate) fn bytes(&self) -> usize {
        size_of_val(&*self.arena.0) + size_of_val(&*self.carried) + size_of_val(&*self.scratch)
    }
}

impl Program {
    /// Lays out `graph` for blocks of at most [`BLOCK_ROWS`] rows.
    pub(crate) fn new(mut graph: Graph, outputs: Vec<Series>) -> Self {
        let needed = graph.needed(&outputs);
        graph.nodes.retain(|node| node.is_needed(&needed));
        let layout = Layout::new(&graph);
        let mut whole: Vec<Option<Whole>> =
            (0..graph.len()).map(|s| (s < graph.sources).then_some(Whole::Source(s))).collect();
        for (k, series) in outputs.iter().enumerate() {
            whole[series.0].get_or_insert(Whole::Output(k));
        }
        let mut computed: Vec<usize> = (0..outputs.len()).collect();
        computed.retain(|&k| outputs[k].0 >= graph.sources);
        computed.sort_unstable_by_key(|&k| outputs[k]);

        let history = |&s: &usize| layout.places[s].map_or(0, |place| place.history);
        let in_columns = (0..graph.len()).filter(|&s| whole[s].is_some());
        let direct_from = in_columns.map(|s| history(&s)).max().unwrap_or(0);
        let lasting = (0..graph.len()).filter(|s| history(s) > 0).map(Series).collect();
        let read = (0..graph.sources).filter(|&s| layout.places[s].is_some()).collect();
        let reach = outputs.iter().map(|&s| graph.reach(s)).try_fold(0, |a, b| Some(a.max(b?)));

        let site = Site { layout: &layout, needed: &needed, whole: &whole };
        let mut calls: Vec<Call> = Vec::with_capacity(graph.nodes.len());
        for node in graph.nodes {
            let state = calls.last().map_or(0, |before| before.state.end);
            let [begin, end] = [0, node.kernel.outputs].map(|n| {
                let series = Series(node.output.0 + n);
                computed.partition_point(|&k| outputs[k] < series)
            });
            calls.push(Call::new(&site, node, state, begin..end));
        }
        Self {
            sources: graph.sources,
            state_len: calls.last().map_or(0, |last| last.state.end),
            calls,
            read,
            lasting,
            direct_from,
            reach,
            outputs,
            computed,
            whole,
            layout,
        }
    }

    /// The series that the program is run for.
    pub(crate) fn outputs(&self) -> &[Series] {
        &self.outputs
    }

    /// The state before row `row`, as if no row had come before it.
    pub(crate) fn start(&self, row: usize) -> State {
        State {
            arena: Arena::new(self.layout.len),
            carried: vec![0.0; self.state_len],
            scratch: vec![Plane::EMPTY; PLANES],
            cursor: 0,
            row,
        }
    }

    /// Makes `state` what [`Program::start`] gives, in the memory that it has.
    pub(crate) fn restart(&self, state: &mut State, row: usize) {
        // Nothing else of the arena is read before it is written.
        for place in self.lasting_places() {
            state.arena.flat_mut()[place.start..place.block()].fill(f64::NAN);
        }
        state.carried.fill(0.0);
        (state.cursor, state.row) = (0, row);
    }

    /// What of `state` the rows to come depend on, as bits: every series' history, then what the
    /// nodes carry.
    pub(crate) fn save(&self, state: &State) -> Saved {
        let arena = state.arena.flat();
        let histories = self
            .lasting_places()
            .flat_map(|place| &arena[place.start + state.cursor..place.block() + state.cursor]);
        let values = histories.chain(&state.carried).map(|v| v.to_bits()).collect();
        Saved { row: state.row, values }
    }

    /// The state that [`Program::save`] saved; `None` where it is of another shape.
    pub(crate) fn restore(&self, saved: &Saved) -> Option<State> {
        let mut state = self.start(saved.row);
        let mut values = saved.values.iter().map(|&bits| f64::from_bits(bits));
        for place in self.lasting_places() {
            for slot in &mut state.arena.flat_mut()[place.start..place.block()] {
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
        self.reach
    }

    /// How many rows must lie before a block that is run by [`Program::push_direct`].
    pub(crate) fn direct_from(&self) -> usize {
        self.direct_from
    }

    /// Runs the rows of `sources`, at most [`BLOCK_ROWS`] of them, one slice per source; gives `take` the
    /// number of each output with its rows, in any order.
    pub(crate) fn push(
        &self,
        state: &mut State,
        sources: &[&[f64]],
        mut take: impl FnMut(usize, &[f64]),
    ) {
        let rows = sources.first().map_or(0, |s| s.len());
        debug_assert!(rows <= BLOCK_ROWS && sources.len() == self.sources);
        self.make_room(state, rows);
        for &source in &self.read {
            let at = self.place(Series(source)).block() + state.cursor;
            state.arena.flat_mut()[at..at + rows].copy_from_slice(sources[source]);
        }
        for call in &self.calls {
            call.run(state, rows, None);
            for &k in &self.computed[call.shows.clone()] {
                take(k, self.block(state, self.outputs[k], rows));
            }
        }
        for (k, series) in self.outputs.iter().enumerate().filter(|(_, s)| s.0 < self.sources) {
            take(k, sources[series.0]);
        }
        state.cursor += rows;
        state.row += rows;
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
        self.make_room(state, rows);
        let to = state.row - columns.outputs_from;
        for (nth, call) in self.calls.iter().enumerate() {
            if columns.reach.fetches_ahead {
                self.fetch_ahead(nth, state.row + rows, columns);
            }
            call.run(state, rows, Some(columns));
            if columns.reach.stores_past {
                for &k in &self.computed[call.shows.clone()] {
                    let values = self.block(state, self.outputs[k], rows);
                    sys::store_past_cache(&mut columns.outputs[k][to..to + rows], values);
                }
            }
        }
        self.copy_twins(state.row, rows, columns);
        state.cursor += rows;
        state.row += rows;
    }

    /// Begins to fetch what the block from row `row` on reads, the share of it that falls to the `nth` node
    /// of the block before: the processor's own fetching ahead ends with each page, and all at once would
    /// hold up the nodes.
    fn fetch_ahead(&self, nth: usize, row: usize, columns: &Columns<'_, '_>) {
        let from = row - columns.sources_from;
        let [begin, end] = [nth, nth + 1].map(|n| {
            let lines = BLOCK_ROWS / LINE_ROWS * n / self.calls.len();
            from + lines * LINE_ROWS
        });
        for &source in &self.read {
            let column = columns.sources[source];
            sys::fetch(&column[column.len().min(begin)..column.len().min(end)]);
        }
    }

    /// Fills the output columns that show a source or what an earlier output column shows.
    fn copy_twins(&self, row: usize, rows: usize, columns: &mut Columns<'_, '_>) {
        let at = row - columns.outputs_from;
        for (k, series) in self.outputs.iter().enumerate() {
            match self.whole[series.0] {
                Some(Whole::Source(source)) => {
                    let from = row - columns.sources_from;
                    let source = &columns.sources[source][from..from + rows];
                    columns.outputs[k][at..at + rows].copy_from_slice(source);
                }
                Some(Whole::Output(first)) if first != k && !columns.reach.stores_past => {
                    let (before, behind) = columns.outputs.split_at_mut(k);
                    behind[0][at..at + rows].copy_from_slice(&before[first][at..at + rows]);
                }
                _ => {}
            }
        }
    }

    /// Leaves in `state` what [`Program::push`] would have after the rows that
    /// [`Program::push_direct`] left in `columns`, of which [`Program::direct_from`] must be there.
    pub(crate) fn settle(&self, state: &mut State, columns: &Columns<'_, '_>) {
        for &series in &self.lasting {
            let Some(whole) = self.whole[series.0].filter(|w| w.is_filled(columns)) else {
                continue;
            };
            let (values, from) = whole.values(columns);
            let place = self.place(series);
            let (to, at) = (state.row - from, place.start + state.cursor);
            state.arena.flat_mut()[at..at + place.history]
                .copy_from_slice(&values[to - place.history..to]);
        }
    }

    /// `rows` rows of the current block of `series`.
    fn block<'s>(&self, state: &'s State, series: Series, rows: usize) -> &'s [f64] {
        let from = self.place(series).block() + state.cursor;
        &state.arena.flat()[from..from + rows]
    }

    fn place(&self, series: Series) -> Place {
        self.layout.place(series)
    }

    fn lasting_places(&self) -> impl Iterator<Item = Place> {
        self.lasting.iter().map(|&series| self.place(series))
    }

    /// Moves each series' history to the front of its place, where `rows` more do not fit behind it.
    fn make_room(&self, state: &mut State, rows: usize) {
        if state.cursor + rows <= BLOCK_ROWS {
            return;
        }
        for place in self.lasting_places() {
            let from = place.start + state.cursor;
            state.arena.flat_mut().copy_within(from..from + place.history, place.start);
        }
        state.cursor = 0;
    }
}
