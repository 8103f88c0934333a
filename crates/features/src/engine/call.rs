//! A node made ready to run: what it reads and writes, and where.

use std::ops::Range;

use super::graph::{Node, Series};
use super::layout::Layout;
use super::machine::{Columns, State};
use super::{Block, Kernel, MAX_OUTPUTS, MAX_TAPS};

/// A whole column.
#[derive(Debug, Clone, Copy)]
pub(super) enum Whole {
    Source(usize),
    Output(usize),
}

impl Whole {
    /// Whether nodes read it where it lies, and write it there if it is an output.
    pub(super) fn is_filled(self, columns: &Columns<'_, '_>) -> bool {
        matches!(self, Self::Source(_)) || !columns.reach.stores_past
    }

    /// Its values, and the number of its first row.
    pub(super) fn values<'c>(self, columns: &'c Columns<'_, '_>) -> (&'c [f64], usize) {
        match self {
            Self::Source(source) => (columns.sources[source], columns.sources_from),
            Self::Output(output) => (&*columns.outputs[output], columns.outputs_from),
        }
    }
}

struct Input {
    lag: usize,
    depth: usize,
    /// Its gap of the arena between the node's outputs, and where its block begins in that.
    gap: usize,
    block: usize,
    whole: Option<Whole>,
}

struct Output {
    /// Its number among the kernel's outputs.
    number: usize,
    /// Where its block lies in the arena.
    block: Range<usize>,
    /// The column that shows it.
    column: Option<usize>,
}

pub(super) struct Call {
    kernel: &'static Kernel,
    consts: Vec<f64>,
    inputs: Vec<Input>,
    /// In the order of the arena.
    outputs: Vec<Output>,
    needed: [bool; MAX_OUTPUTS],
    /// What it carries, within the program's.
    pub(super) state: Range<usize>,
    /// Which of the program's computed columns show its outputs.
    pub(super) shows: Range<usize>,
}

/// What every call of a program is made from.
pub(super) struct Site<'s> {
    pub(super) layout: &'s Layout,
    /// Per series: whether any output of the program needs it.
    pub(super) needed: &'s [bool],
    /// Per series: the column that shows it, where one does.
    pub(super) whole: &'s [Option<Whole>],
}

impl Call {
    /// Its state begins at `state`; its outputs are those that `shows` tells.
    pub(super) fn new(site: &Site<'_>, node: Node, state: usize, shows: Range<usize>) -> Self {
        let mut outputs: Vec<Output> = (0..node.kernel.outputs)
            .map(|number| {
                let series = Series(node.output.0 + number);
                let place = site.layout.place(series);
                let column = match site.whole[series.0] {
                    Some(Whole::Output(column)) => Some(column),
                    _ => None,
                };
                Output { number, block: place.block()..place.end(), column }
            })
            .collect();
        outputs.sort_unstable_by_key(|output| output.block.start);
        let inputs = node.inputs.iter().map(|tap| {
            let block = site.layout.place(tap.series).block();
            let gap = outputs.iter().filter(|output| output.block.start < block).count();
            let from = gap.checked_sub(1).map_or(0, |before| outputs[before].block.end);
            let whole = site.whole[tap.series.0];
            Input { lag: tap.lag, depth: tap.depth, gap, block: block - from, whole }
        });
        let mut needed = [false; MAX_OUTPUTS];
        let of_outputs = &site.needed[node.output.0..][..node.kernel.outputs];
        needed[..of_outputs.len()].copy_from_slice(of_outputs);
        Self {
            kernel: node.kernel,
            inputs: inputs.collect(),
            needed,
            outputs,
            state: state..state + (node.kernel.state)(&node.consts),
            consts: node.consts,
            shows,
        }
    }

    /// Computes `rows` rows: from the columns and to them, where those are given, or else in the arena.
    pub(super) fn run(
        &self,
        state: &mut State,
        rows: usize,
        mut columns: Option<&mut Columns<'_, '_>>,
    ) {
        // The columns that it fills are taken out of the list for as long as it runs.
        let mut taken: [&mut [f64]; MAX_OUTPUTS] = Default::default();
        if let Some(columns) = &mut columns {
            self.exchange(&mut taken, columns);
        }
        let State { arena, carried, scratch, cursor, row } = state;
        let mut gaps: [&[f64]; MAX_OUTPUTS + 1] = [&[]; MAX_OUTPUTS + 1];
        let mut outputs: [&mut [f64]; MAX_OUTPUTS] = Default::default();
        self.carve(arena.flat_mut(), *cursor..*cursor + rows, &mut gaps, &mut outputs);
        let mut inputs: [&[f64]; MAX_TAPS] = [&[]; MAX_TAPS];
        for (slice, input) in inputs.iter_mut().zip(&self.inputs) {
            let (values, at) = match (input.whole, columns.as_deref()) {
                (Some(whole), Some(columns)) if whole.is_filled(columns) => {
                    let (values, from) = whole.values(columns);
                    (values, *row - from)
                }
                _ => (gaps[input.gap], input.block + *cursor),
            };
            let end = at + rows - input.lag;
            *slice = &values[end - rows - input.depth..end];
        }
        let from = columns.as_deref().map_or(0, |c| c.outputs_from);
        for (output, taken) in outputs.iter_mut().zip(&mut taken).filter(|(_, t)| !t.is_empty()) {
            *output = &mut taken[*row - from..][..rows];
        }
        (self.kernel.run)(&mut Block {
            row: *row,
            consts: &self.consts,
            inputs: &inputs[..self.inputs.len()],
            outputs: &mut outputs[..self.outputs.len()],
            needed: &self.needed[..self.outputs.len()],
            scratch,
            state: &mut carried[self.state.clone()],
        });
        if let Some(columns) = columns {
            self.exchange(&mut taken, columns);
        }
    }

    /// Swaps the columns that it fills with what stands in for them.
    fn exchange<'c>(
        &self,
        taken: &mut [&'c mut [f64]; MAX_OUTPUTS],
        columns: &mut Columns<'_, 'c>,
    ) {
        if columns.reach.stores_past {
            return;
        }
        for output in &self.outputs {
            if let Some(column) = output.column {
                std::mem::swap(&mut taken[output.number], &mut columns.outputs[column]);
            }
        }
    }

    /// Cuts the arena at its outputs' blocks: the gaps between them, and the rows `rows` of each by number.
    ///
    /// In place: to return the two would be to copy what has just been written in other pieces, and for
    /// that the processor waits until every store before, of a whole block, has gone to its cache.
    fn carve<'a>(
        &self,
        mut arena: &'a mut [f64],
        rows: Range<usize>,
        gaps: &mut [&'a [f64]; MAX_OUTPUTS + 1],
        blocks: &mut [&'a mut [f64]; MAX_OUTPUTS],
    ) {
        let mut at = 0;
        for (gap, output) in gaps.iter_mut().zip(&self.outputs) {
            let (before, rest) = arena.split_at_mut(output.block.start - at);
            let (block, rest) = rest.split_at_mut(output.block.len());
            *gap = before;
            blocks[output.number] = &mut block[rows.clone()];
            (arena, at) = (rest, output.block.end);
        }
        gaps[self.outputs.len()] = arena;
    }
}
