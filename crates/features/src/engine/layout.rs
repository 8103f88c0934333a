//! Where series live while a program runs.

use super::graph::{Graph, Series};
use super::machine::BLOCK_ROWS;

/// Values of a cache line.
pub(super) const LINE_ROWS: usize = 8;

/// Rows between the end of a place and the next: places a whole number of pages apart would make the
/// processor take a load for one that must wait for the store to another place.
const STAGGER_ROWS: usize = 136;

/// Where a series lives in the arena.
#[derive(Debug, Clone, Copy)]
pub(super) struct Place {
    /// Of its history.
    pub(super) start: usize,
    /// Rows kept before the current block.
    pub(super) history: usize,
}

impl Place {
    /// The current block's begin, on a cache line.
    pub(super) fn block(self) -> usize {
        self.start + self.history
    }

    /// The block's end.
    pub(super) fn end(self) -> usize {
        self.block() + BLOCK_ROWS
    }
}

/// The places of a program's series.
pub(super) struct Layout {
    /// Per series; what no node reads or writes has none.
    pub(super) places: Vec<Option<Place>>,
    /// Rows of the arena.
    pub(super) len: usize,
}

impl Layout {
    /// For the nodes of `graph`, run in their order, and what they read.
    ///
    /// A series that no later block looks back on leaves its place after its last reader, or its own
    /// node where it has none, to the next that needs one: the set's work stays in as small and as
    /// near a cache as it can.
    pub(super) fn new(graph: &Graph) -> Self {
        let history = graph.history();
        let mut last_reader = vec![None; graph.len()];
        for (nth, node) in graph.nodes.iter().enumerate() {
            for tap in &node.inputs {
                last_reader[tap.series.0] = Some(nth);
            }
        }
        let mut layout = Self { places: vec![None; graph.len()], len: 0 };
        // What comes from outside is there before the first node runs.
        for source in (0..graph.sources).filter(|&source| last_reader[source].is_some()) {
            layout.places[source] = Some(layout.append(history[source]));
        }
        // The latest is the last: what was just read is near.
        let mut free: Vec<Place> = Vec::new();
        let mut done = Vec::new();
        for (nth, node) in graph.nodes.iter().enumerate() {
            let outputs = || node.output.0..node.output.0 + node.kernel.outputs;
            for series in outputs() {
                let reused = if history[series] == 0 { free.pop() } else { None };
                let place = reused.unwrap_or_else(|| layout.append(history[series]));
                layout.places[series] = Some(place);
            }
            // A node may read a series twice.
            done.clear();
            for Series(series) in node.inputs.iter().map(|tap| tap.series) {
                done.extend(last_reader[series].take_if(|last| *last == nth).map(|_| series));
            }
            done.extend(outputs().filter(|&series| last_reader[series].is_none()));
            done.retain(|&series| series >= graph.sources && history[series] == 0);
            free.extend(done.iter().filter_map(|&series| layout.places[series]));
        }
        layout
    }

    /// Of a series that a node which is run reads or writes.
    pub(super) fn place(&self, series: Series) -> Place {
        self.places[series.0].expect("a place for what a node reads or writes")
    }

    fn append(&mut self, history: usize) -> Place {
        let block = (self.len + history).next_multiple_of(LINE_ROWS);
        let place = Place { start: block - history, history };
        self.len = place.end() + STAGGER_ROWS;
        place
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::set::FeatureSet;

    /// Per series: the first and the last of the nodes in whose time its rows are in use.
    fn lives(graph: &Graph) -> Vec<(Series, usize, usize)> {
        let (history, end) = (graph.history(), graph.nodes.len());
        let readers = |series: Series| {
            let reads =
                move |&nth: &usize| graph.nodes[nth].inputs.iter().any(|tap| tap.series == series);
            (0..end).filter(reads)
        };
        let mut lives = Vec::new();
        for source in (0..graph.sources).map(Series) {
            if readers(source).next().is_some() {
                lives.push((source, 0, end));
            }
        }
        for (nth, node) in graph.nodes.iter().enumerate() {
            for series in (node.output.0..node.output.0 + node.kernel.outputs).map(Series) {
                let last = readers(series).next_back().unwrap_or(nth);
                let (from, to) = if history[series.0] > 0 { (0, end) } else { (nth, last) };
                lives.push((series, from, to));
            }
        }
        lives
    }

    #[test]
    fn series_in_use_at_one_time_share_no_row() {
        for name in ["classic", "alpha158"] {
            let set = FeatureSet::built_in(name).expect("built in");
            let plan = set.plan();
            let layout = Layout::new(&plan.graph);
            let lives = lives(&plan.graph);
            assert!(lives.len() > 50);
            for (i, &(a, a_from, a_to)) in lives.iter().enumerate() {
                let place = layout.place(a);
                assert!(place.end() <= layout.len && place.block().is_multiple_of(LINE_ROWS));
                for &(b, b_from, b_to) in &lives[i + 1..] {
                    let other = layout.place(b);
                    let at_one_time = a_from <= b_to && b_from <= a_to;
                    let apart = place.end() <= other.start || other.end() <= place.start;
                    assert!(!at_one_time || apart, "{name}: {a:?} and {b:?}");
                }
            }
        }
    }

    #[test]
    fn a_set_takes_less_room_than_its_series_would() {
        let set = FeatureSet::classic();
        let plan = set.plan();
        let layout = Layout::new(&plan.graph);
        assert!(2 * layout.len < plan.graph.len() * BLOCK_ROWS);
    }
}
