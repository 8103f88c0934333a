//! Layer after layer over both sides.

mod counts;
mod kpis;
mod wall;

use anyhow::Result;
use indicatif::ProgressBar;
use perf_gate::gate::{self, BenchSpec, Layer, Layers, Missing, Row, RowVerdict};

use super::harness::{Bench, Harnesses};
use super::process::Runner;
use super::sides::Sides;
use super::{Question, code};

/// Rows, and layers that could not be run.
#[derive(Default)]
pub(super) struct Found {
    pub(super) layers: Layers,
    pub(super) missing: Vec<Missing>,
}

struct Gate<'a> {
    question: &'a Question<'a>,
    sides: &'a Sides,
    harnesses: Harnesses<'a>,
    bar: &'a ProgressBar,
    found: Found,
}

/// A bench that both sides have, by different code.
struct Pair {
    base: Bench,
    head: Bench,
}

pub(super) fn measure(
    question: &Question<'_>,
    sides: &Sides,
    runner: &Runner,
    bar: &ProgressBar,
) -> Result<Found> {
    let harnesses = Harnesses { runner, scratch: sides.scratch.path() };
    let mut gate = Gate { question, sides, harnesses, bar, found: Found::default() };
    gate.counts(Layer::Instructions)?;
    gate.counts(Layer::Heap)?;
    gate.wall()?;
    gate.kpis(runner)?;
    Ok(gate.found)
}

impl Gate<'_> {
    /// Both sides of a bench, where there is something to measure; else the row that says why not.
    fn pair(&mut self, layer: Layer, spec: &BenchSpec) -> Result<Option<Pair>> {
        let name = format!("{}/{}", spec.package, spec.target);
        let Sides { base, head, .. } = self.sides;
        let mut bare = |verdict| {
            self.found.layers.of_mut(layer).push(Row::bare(&name, "", verdict));
            Ok(None)
        };
        match (base.bench(spec), head.bench(spec)) {
            (None, None) => bare(RowVerdict::NotAvailable),
            (None, Some(_)) => bare(RowVerdict::New),
            (Some(_), None) => bare(RowVerdict::Removed),
            (Some(old), Some(new)) => {
                let is_same = code::is_identical(
                    (&old.executable, base.tree()),
                    (&new.executable, head.tree()),
                )?;
                if is_same && !self.question.measure_unchanged {
                    return bare(RowVerdict::Unchanged);
                }
                Ok(Some(Pair { base: old, head: new }))
            }
        }
    }
}

fn selected(spec: &BenchSpec, cases: Vec<String>) -> Vec<String> {
    let is_asked = |case: &String| spec.cases.iter().any(|pattern| gate::matches(pattern, case));
    cases.into_iter().filter(is_asked).collect()
}
