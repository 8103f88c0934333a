//! Running a graph a row at a time over many symbols side by side.
//!
//! A row of one symbol leaves vector registers empty, and calls of nodes cost more than their work. Here a
//! series is a list of rows with one value per symbol, and a node computes all symbols of a row at once:
//! what reads its own row alone is the very loop that else runs along the rows, so that the bits are the
//! same. Windows are step by step ([`Graph::stepwise`]), which is such loops and nothing else.

use std::ops::Range;

use super::graph::{Graph, Node, Series};
use super::{Across, Block};

/// The most taps and outputs that one node may have.
const MAX_TAPS: usize = 8;
const MAX_OUTPUTS: usize = 4;

/// A graph made ready to run over symbols side by side.
pub(crate) struct PanelProgram {
    nodes: Vec<Node>,
    /// Per series: whether any output needs it.
    needed: Vec<bool>,
    /// Per series: rows before the current one that any node reads; `None` where none is kept.
    history: Vec<Option<usize>>,
    sources: Vec<usize>,
    outputs: Vec<Series>,
}

/// Symbols side by side.
#[derive(Debug)]
pub(crate) struct Strip {
    symbols: usize,
    row: usize,
    series: Vec<Latest>,
    /// What each node carries.
    carried: Vec<Vec<f64>>,
    /// Rows of one symbol, where a node takes them one by one.
    single: Vec<f64>,
}

/// The latest rows of a series, each one value per symbol.
#[derive(Debug, Default)]
struct Latest {
    /// Twice the history and the current row, so that history is moved seldom and lies in one piece.
    values: Vec<f64>,
    /// Rows before the current one that are kept.
    history: usize,
    /// Where the current row lies.
    at: usize,
}

impl Latest {
    fn new(history: usize, symbols: usize) -> Self {
        let values = vec![f64::NAN; (2 * history + 1) * symbols];
        Self { values, history, at: history }
    }

    /// Moves on to the next row.
    fn advance(&mut self, symbols: usize) {
        if self.history == 0 {
            return;
        }
        if self.at == 2 * self.history {
            self.values.copy_within((self.history + 1) * symbols.., 0);
            self.at = self.history - 1;
        }
        self.at += 1;
    }

    fn current(&mut self, symbols: usize) -> &mut [f64] {
        &mut self.values[self.at * symbols..][..symbols]
    }

    /// The rows from `lag + depth` rows ago to `lag` rows ago.
    fn rows(&self, lag: usize, depth: usize, symbols: usize) -> &[f64] {
        let to = self.at + 1 - lag;
        &self.values[(to - depth - 1) * symbols..to * symbols]
    }

    /// What the rows to come depend on.
    fn kept(&self, symbols: usize) -> Range<usize> {
        match self.history {
            0 => 0..0,
            rows => (self.at + 1 - rows) * symbols..(self.at + 1) * symbols,
        }
    }
}

impl PanelProgram {
    pub(crate) fn new(mut graph: Graph, outputs: Vec<Series>) -> Self {
        let needed = graph.needed(&outputs);
        graph.nodes.retain(|node| node.is_needed(&needed));
        let rows = graph.history();
        let mut history: Vec<Option<usize>> =
            needed.iter().zip(&rows).map(|(&needed, &rows)| needed.then_some(rows)).collect();
        // A node writes all of its outputs, those too that nobody needs.
        for node in &graph.nodes {
            for series in node.output.0..node.output.0 + node.kernel.outputs {
                history[series].get_or_insert(0);
            }
        }
        let sources = (0..graph.sources).filter(|&s| history[s].is_some()).collect();
        Self { nodes: graph.nodes, needed, history, sources, outputs }
    }

    /// Before the first row of `symbols` symbols.
    pub(crate) fn start(&self, symbols: usize) -> Strip {
        let latest = |history: &Option<usize>| {
            history.map_or_else(Latest::default, |rows| Latest::new(rows, symbols))
        };
        let carried = |node: &Node| vec![0.0; (node.kernel.state)(&node.consts) * symbols];
        let taps = |node: &Node| node.inputs.iter().map(|tap| tap.depth + 1).sum::<usize>();
        Strip {
            symbols,
            row: 0,
            series: self.history.iter().map(latest).collect(),
            carried: self.nodes.iter().map(carried).collect(),
            single: vec![0.0; self.nodes.iter().map(taps).max().unwrap_or(0)],
        }
    }

    /// Takes the next row, `sources` one slice per source with one value per symbol; gives `take` the
    /// number of each output with its row.
    pub(crate) fn push(
        &self,
        strip: &mut Strip,
        sources: &[&[f64]],
        mut take: impl FnMut(usize, &[f64]),
    ) {
        let symbols = strip.symbols;
        for series in &mut strip.series {
            series.advance(symbols);
        }
        for &source in &self.sources {
            strip.series[source].current(symbols).copy_from_slice(sources[source]);
        }
        for (nth, node) in self.nodes.iter().enumerate() {
            self.run(nth, node, strip);
        }
        for (k, series) in self.outputs.iter().enumerate() {
            take(k, strip.series[series.0].current(symbols));
        }
        strip.row += 1;
    }

    fn run(&self, nth: usize, node: &Node, strip: &mut Strip) {
        let Strip { symbols, row, series, carried, single } = strip;
        let (symbols, row) = (*symbols, *row);
        let at = node.output.0;
        let count = node.kernel.outputs;
        // Its outputs are taken out of the list for as long as it runs.
        let mut taken: [Latest; MAX_OUTPUTS] = Default::default();
        taken[..count].swap_with_slice(&mut series[at..at + count]);
        let mut inputs: [&[f64]; MAX_TAPS] = [&[]; MAX_TAPS];
        for (input, tap) in inputs.iter_mut().zip(&node.inputs) {
            *input = series[tap.series.0].rows(tap.lag, tap.depth, symbols);
        }
        let mut outputs = taken.each_mut().map(|latest| match latest.values.len() {
            0 => &mut [],
            _ => latest.current(symbols),
        });
        let mut block = Block {
            row,
            consts: &node.consts,
            inputs: &inputs[..node.inputs.len()],
            outputs: &mut outputs[..count],
            needed: &self.needed[at..at + count],
            state: &mut carried[nth],
            scratch: &mut [],
        };
        let is_done = match node.kernel.across {
            Across::AsRows => {
                (node.kernel.run)(&mut block);
                true
            }
            Across::Symbols(run) => run(&mut block),
            Across::OneByOne => false,
        };
        if !is_done {
            one_by_one(node, &mut block, symbols, single);
        }
        series[at..at + count].swap_with_slice(&mut taken[..count]);
    }

    /// What of `strip` the rows to come depend on, as bits.
    pub(crate) fn save(&self, strip: &Strip) -> Vec<u64> {
        let histories = strip.series.iter().flat_map(|l| &l.values[l.kept(strip.symbols)]);
        let carried = strip.carried.iter().flatten();
        histories.chain(carried).map(|value| value.to_bits()).collect()
    }

    /// The strip before row `row` that [`PanelProgram::save`] saved; `None` where it is of another shape.
    pub(crate) fn restore(&self, symbols: usize, row: usize, saved: &[u64]) -> Option<Strip> {
        let mut strip = self.start(symbols);
        strip.row = row;
        let mut values = saved.iter().map(|&bits| f64::from_bits(bits));
        for latest in &mut strip.series {
            let kept = latest.kept(symbols);
            for slot in &mut latest.values[kept] {
                *slot = values.next()?;
            }
        }
        for slot in strip.carried.iter_mut().flatten() {
            *slot = values.next()?;
        }
        values.next().is_none().then_some(strip)
    }
}

/// Each symbol as a block of one row.
fn one_by_one(node: &Node, block: &mut Block<'_, '_>, symbols: usize, single: &mut [f64]) {
    let own = block.state.len() / symbols;
    for s in 0..symbols {
        let mut rest = &mut *single;
        let mut inputs: [&[f64]; MAX_TAPS] = [&[]; MAX_TAPS];
        for (slice, input) in inputs.iter_mut().zip(block.inputs) {
            let (rows, behind) = rest.split_at_mut(input.len() / symbols);
            for (row, values) in rows.iter_mut().zip(input.chunks_exact(symbols)) {
                *row = values[s];
            }
            (*slice, rest) = (rows, behind);
        }
        let mut values = [0.0; MAX_OUTPUTS];
        let mut outputs = values.each_mut().map(std::slice::from_mut);
        (node.kernel.run)(&mut Block {
            row: block.row,
            consts: block.consts,
            inputs: &inputs[..block.inputs.len()],
            outputs: &mut outputs[..block.outputs.len()],
            needed: block.needed,
            state: &mut block.state[s * own..(s + 1) * own],
            scratch: &mut [],
        });
        for (output, value) in block.outputs.iter_mut().zip(values) {
            output[s] = value;
        }
    }
}
