//! Running a graph a row at a time over many symbols side by side.
//!
//! A row of one symbol leaves vector registers empty, and calls of nodes cost more than their work. Here a
//! series is a list of rows with one value per symbol, and a node computes all symbols of a row at once:
//! what reads its own row alone is the very loop that else runs along the rows, so that the bits are the
//! same. Windows are step by step ([`Graph::stepwise`]), which is such loops and nothing else.

use super::graph::{Graph, Node, Series};
use super::{Across, Block, MAX_OUTPUTS, MAX_TAPS};

/// A graph made ready to run over symbols side by side.
pub(crate) struct PanelProgram {
    nodes: Vec<Node>,
    /// Per series: whether any output needs it.
    needed: Vec<bool>,
    /// Per series; `None` where it is neither read nor written.
    kept: Vec<Option<Kept>>,
    sources: Vec<usize>,
    outputs: Vec<Series>,
}

/// Symbols side by side.
#[derive(Debug)]
pub(crate) struct Strip {
    symbols: usize,
    series: Vec<Latest>,
    /// What each node carries.
    carried: Vec<Vec<f64>>,
    /// Rows of one symbol, where a node takes them one by one.
    single: Vec<f64>,
}

/// The latest rows of a series, each one value per symbol.
#[derive(Debug, Default)]
struct Latest {
    values: Vec<f64>,
    /// Rows before the current one that are kept.
    history: usize,
    /// Rows that there is room for: of a ring, or, where a node reads several rows as one piece, so many
    /// that the history is seldom moved to the front.
    room: usize,
    /// Where the current row lies.
    at: usize,
}

impl Latest {
    fn new(kept: Kept, symbols: usize) -> Self {
        let Kept { history, in_one_piece } = kept;
        let room = if in_one_piece { 2 * history + 1 } else { history + 1 };
        Self { values: vec![f64::NAN; room * symbols], history, room, at: history }
    }

    /// Moves on to the next row.
    fn advance(&mut self, symbols: usize) {
        self.at += 1;
        if self.at < self.room {
            return;
        }
        self.at = 0;
        if self.room > self.history + 1 {
            self.values.copy_within((self.history + 1) * symbols.., 0);
            self.at = self.history;
        }
    }

    fn current(&mut self, symbols: usize) -> &mut [f64] {
        &mut self.values[self.at * symbols..][..symbols]
    }

    /// The rows from `lag + depth` rows ago to `lag` rows ago.
    fn rows(&self, lag: usize, depth: usize, symbols: usize) -> &[f64] {
        let from = match self.at.checked_sub(lag + depth) {
            Some(from) => from,
            None => self.at + self.room - lag,
        };
        &self.values[from * symbols..(from + depth + 1) * symbols]
    }

    /// What the rows to come depend on, the oldest row first.
    fn kept(&self, symbols: usize) -> impl Iterator<Item = &f64> {
        (0..self.history).rev().flat_map(move |lag| self.rows(lag, 0, symbols))
    }
}

/// How much of a series is kept.
#[derive(Debug, Clone, Copy, Default)]
struct Kept {
    /// Rows before the current one.
    history: usize,
    /// Whether a node reads several of them at once.
    in_one_piece: bool,
}

impl PanelProgram {
    pub(crate) fn new(mut graph: Graph, outputs: Vec<Series>) -> Self {
        let needed = graph.needed(&outputs);
        graph.nodes.retain(|node| node.is_needed(&needed));
        let mut kept: Vec<Option<Kept>> = vec![None; graph.len()];
        for series in &outputs {
            kept[series.0].get_or_insert_default();
        }
        for node in &graph.nodes {
            for tap in &node.inputs {
                let kept = kept[tap.series.0].get_or_insert_default();
                kept.history = kept.history.max(tap.lag + tap.depth);
                kept.in_one_piece |= tap.depth > 0;
            }
            // A node writes all of its outputs, those too that nobody needs.
            let outputs = &mut kept[node.output.0..][..node.kernel.outputs];
            outputs.iter_mut().for_each(|kept| {
                kept.get_or_insert_default();
            });
        }
        let sources = (0..graph.sources).filter(|&s| kept[s].is_some()).collect();
        Self { nodes: graph.nodes, needed, kept, sources, outputs }
    }

    /// Before the first row of `symbols` symbols.
    pub(crate) fn start(&self, symbols: usize) -> Strip {
        let latest = |kept: &Option<Kept>| {
            kept.map_or_else(Latest::default, |kept| Latest::new(kept, symbols))
        };
        let carried = |node: &Node| vec![0.0; (node.kernel.state)(&node.consts) * symbols];
        let taps = |node: &Node| node.inputs.iter().map(|tap| tap.depth + 1).sum::<usize>();
        Strip {
            symbols,
            series: self.kept.iter().map(latest).collect(),
            carried: self.nodes.iter().map(carried).collect(),
            single: vec![0.0; self.nodes.iter().map(taps).max().unwrap_or(0)],
        }
    }

    /// Takes row number `row`, the next one, `sources` one slice per source with one value per symbol; gives `take` the
    /// number of each output with its row.
    pub(crate) fn push(
        &self,
        strip: &mut Strip,
        row: usize,
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
            self.run(nth, node, strip, row);
        }
        for (k, series) in self.outputs.iter().enumerate() {
            take(k, strip.series[series.0].current(symbols));
        }
    }

    fn run(&self, nth: usize, node: &Node, strip: &mut Strip, row: usize) {
        let Strip { symbols, series, carried, single } = strip;
        let symbols = *symbols;
        let at = node.output.0;
        let count = node.kernel.outputs;
        // Its outputs are taken out of the list for as long as it runs.
        let mut taken: [Latest; MAX_OUTPUTS] = Default::default();
        taken[..count].swap_with_slice(&mut series[at..at + count]);
        let mut inputs: [&[f64]; MAX_TAPS] = [&[]; MAX_TAPS];
        for (input, tap) in inputs.iter_mut().zip(&node.inputs) {
            *input = series[tap.series.0].rows(tap.lag, tap.depth, symbols);
        }
        let mut outputs: [&mut [f64]; MAX_OUTPUTS] = Default::default();
        for (output, latest) in outputs.iter_mut().zip(&mut taken[..count]) {
            *output = latest.current(symbols);
        }
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

    /// How many values [`PanelProgram::save`] gives for each symbol.
    pub(crate) fn saved_values(&self) -> usize {
        let histories = self.kept.iter().flatten().map(|kept| kept.history);
        let carried = self.nodes.iter().map(|node| (node.kernel.state)(&node.consts));
        histories.chain(carried).sum()
    }

    /// What of `strip` the rows to come depend on, as bits.
    pub(crate) fn save(&self, strip: &Strip) -> Vec<u64> {
        let histories = strip.series.iter().flat_map(|latest| latest.kept(strip.symbols));
        let carried = strip.carried.iter().flatten();
        histories.chain(carried).map(|value| value.to_bits()).collect()
    }

    /// The strip that [`PanelProgram::save`] saved: as many values as it gives.
    pub(crate) fn restore(&self, symbols: usize, saved: &[u64]) -> Strip {
        let mut strip = self.start(symbols);
        let mut values = saved.iter().map(|&bits| f64::from_bits(bits));
        for latest in &mut strip.series {
            for _ in 0..latest.history {
                latest.advance(symbols);
                latest.current(symbols).fill_with(|| values.next().unwrap_or(f64::NAN));
            }
        }
        for carried in &mut strip.carried {
            carried.fill_with(|| values.next().unwrap_or(f64::NAN));
        }
        strip
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
