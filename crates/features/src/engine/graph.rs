//! Building a graph of kernels; equal nodes are one node.

use std::collections::HashMap;

use super::Kernel;

/// A column of values inside a graph: a source or a node's output.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct Series(pub(crate) usize);

/// How a node reads a series: `lag` rows late, with `depth` rows of history before each block.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) struct Tap {
    pub(crate) series: Series,
    pub(crate) lag: usize,
    pub(crate) depth: usize,
}

impl Series {
    /// The series as it was `lag` rows ago.
    pub(crate) fn lag(self, lag: usize) -> Tap {
        Tap { series: self, lag, depth: 0 }
    }

    /// The last `window` rows of the series, the current one included.
    pub(crate) fn window(self, window: usize) -> Tap {
        Tap { series: self, lag: 0, depth: window - 1 }
    }
}

impl From<Series> for Tap {
    fn from(series: Series) -> Self {
        series.lag(0)
    }
}

/// One kernel applied to taps.
pub(crate) struct Node {
    pub(crate) kernel: &'static Kernel,
    pub(crate) inputs: Vec<Tap>,
    pub(crate) consts: Vec<f64>,
    /// The first output; the others follow it.
    pub(crate) output: Series,
}

impl Node {
    /// Whether any of its outputs is.
    pub(crate) fn is_needed(&self, needed: &[bool]) -> bool {
        needed[self.output.0..][..self.kernel.outputs].contains(&true)
    }
}

type Key = (&'static str, Vec<Tap>, Vec<u64>);

/// A graph of kernels over `sources` columns, in an order in which each node comes after its
/// inputs.
pub(crate) struct Graph {
    pub(crate) sources: usize,
    pub(crate) nodes: Vec<Node>,
    /// Whether windows are nodes step by step, not whole in one kernel: the same bits, by kernels that
    /// read single rows.
    pub(crate) is_stepwise: bool,
    /// Per series: the first row that can hold a value.
    first: Vec<usize>,
    /// Per series: rows before the current one that it takes to know it, as far as windows go.
    reach: Vec<usize>,
    /// Per series: whether it depends on every row before it.
    recursive: Vec<bool>,
    known: HashMap<Key, Series>,
}

impl Graph {
    /// A graph without nodes, whose first `sources` series are its input columns.
    pub(crate) fn new(sources: usize) -> Self {
        Self {
            sources,
            nodes: Vec::new(),
            is_stepwise: false,
            first: vec![0; sources],
            reach: vec![0; sources],
            recursive: vec![false; sources],
            known: HashMap::new(),
        }
    }

    /// As [`Graph::new`], with windows step by step.
    pub(crate) fn stepwise(sources: usize) -> Self {
        Self { is_stepwise: true, ..Self::new(sources) }
    }

    /// Number of series: sources and outputs of nodes.
    pub(crate) fn len(&self) -> usize {
        self.first.len()
    }

    /// The first row at which `series` can hold a value.
    pub(crate) fn first(&self, series: Series) -> usize {
        self.first[series.0]
    }

    /// How many rows before the current one decide the value of `series`; `None` where all do.
    pub(crate) fn reach(&self, series: Series) -> Option<usize> {
        (!self.recursive[series.0]).then(|| self.reach[series.0])
    }

    /// Adds a node, or finds the equal one that is there; returns its first output.
    pub(crate) fn node(
        &mut self,
        kernel: &'static Kernel,
        inputs: &[Tap],
        consts: &[f64],
    ) -> Series {
        self.delayed(kernel, inputs, consts, 0)
    }

    /// As [`Graph::node`], for a kernel that answers where a lagged tap has no row yet.
    pub(crate) fn undelayed(
        &mut self,
        kernel: &'static Kernel,
        inputs: &[Tap],
        consts: &[f64],
    ) -> Series {
        let first = inputs.iter().map(|t| self.first[t.series.0]).max().unwrap_or(0);
        self.node_from(kernel, inputs, consts, first)
    }

    /// As [`Graph::node`], for a kernel whose first value is at row `first`.
    pub(crate) fn node_from(
        &mut self,
        kernel: &'static Kernel,
        inputs: &[Tap],
        consts: &[f64],
        first: usize,
    ) -> Series {
        let series = self.node(kernel, inputs, consts);
        self.first[series.0] = first;
        series
    }

    /// As [`Graph::node`], for a kernel whose first value comes `delay` rows after its inputs are
    /// all there.
    pub(crate) fn delayed(
        &mut self,
        kernel: &'static Kernel,
        inputs: &[Tap],
        consts: &[f64],
        delay: usize,
    ) -> Series {
        let bits = consts.iter().map(|c| c.to_bits()).collect();
        let key = (kernel.name, inputs.to_vec(), bits);
        if let Some(&series) = self.known.get(&key) {
            return series;
        }
        let output = Series(self.len());
        let over = |of: &[usize]| {
            inputs.iter().map(|t| of[t.series.0] + t.lag + t.depth).max().unwrap_or(0)
        };
        let (first, reach) = (over(&self.first) + delay, over(&self.reach));
        let recursive =
            (kernel.state)(consts) > 0 || inputs.iter().any(|t| self.recursive[t.series.0]);
        for _ in 0..kernel.outputs {
            self.first.push(first);
            self.reach.push(reach);
            self.recursive.push(recursive);
        }
        let (inputs, consts) = (inputs.to_vec(), consts.to_vec());
        self.nodes.push(Node { kernel, inputs, consts, output });
        self.known.insert(key, output);
        output
    }

    /// Per series: how many rows before a block its consumers read.
    pub(crate) fn history(&self) -> Vec<usize> {
        let mut history = vec![0; self.len()];
        for tap in self.nodes.iter().flat_map(|n| &n.inputs) {
            let rows = &mut history[tap.series.0];
            *rows = (*rows).max(tap.lag + tap.depth);
        }
        history
    }

    /// Per series: whether any of `outputs` depends on it.
    pub(crate) fn needed(&self, outputs: &[Series]) -> Vec<bool> {
        let mut needed = vec![false; self.len()];
        for series in outputs {
            needed[series.0] = true;
        }
        for index in (0..self.nodes.len()).rev() {
            if self.nodes[index].is_needed(&needed) {
                for tap in &self.nodes[index].inputs {
                    needed[tap.series.0] = true;
                }
            }
        }
        needed
    }
}
