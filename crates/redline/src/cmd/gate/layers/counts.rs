//! Instructions and heap: what is the same from run to run.

use std::process::Command;

use anyhow::Result;
use perf_gate::gate::{self, Allowance, BenchSpec, Harness, Layer, Missing, Row, RowVerdict, Unit};

use super::super::harness::{Bench, Counts, Instrument};
use super::{Gate, Pair, selected};

impl Gate<'_> {
    pub(super) fn counts(&mut self, layer: Layer) -> Result<()> {
        let policy = self.question.policy;
        let (instrument, required) = match (layer, policy.instructions, policy.heap) {
            (Layer::Instructions, Some(counts), _) => (Instrument::Callgrind, counts.required),
            (Layer::Heap, _, Some(heap)) => (Instrument::Dhat, heap.required),
            _ => return Ok(()),
        };
        let specs: Vec<&BenchSpec> = policy.benches_of(layer).collect();
        let mut pairs = Vec::new();
        for spec in specs {
            if let Some(pair) = self.pair(layer, spec)? {
                pairs.push((spec, pair));
            }
        }
        if !pairs.is_empty() && !has_valgrind() {
            let why = "no valgrind on this machine".to_owned();
            self.found.missing.push(Missing { layer, why, required });
            return Ok(());
        }
        for (spec, pair) in pairs {
            self.bar.set_message(if layer == Layer::Heap {
                "gate: heap"
            } else {
                "gate: instructions"
            });
            self.judge_pair(layer, spec, &pair, instrument)?;
        }
        Ok(())
    }

    /// Counts both sides; and, where the head seems worse, once more: what is exact repeats, and what
    /// does not repeat is not judged as if it did.
    fn judge_pair(
        &mut self,
        layer: Layer,
        spec: &BenchSpec,
        pair: &Pair,
        instrument: Instrument,
    ) -> Result<()> {
        let once = self.count(layer, spec, pair, instrument)?;
        let is_worse = once.iter().any(|row| row.verdict == RowVerdict::Regressed);
        let again = if is_worse { self.count(layer, spec, pair, instrument)? } else { Vec::new() };
        let rows = once.into_iter().enumerate().map(|(at, row)| match again.get(at) {
            Some(again) => repeated(row, again),
            None => row,
        });
        self.found.layers.of_mut(layer).extend(rows);
        Ok(())
    }

    fn count(
        &self,
        layer: Layer,
        spec: &BenchSpec,
        pair: &Pair,
        instrument: Instrument,
    ) -> Result<Vec<Row>> {
        let base = self.side(spec, &pair.base, instrument)?;
        let head = self.side(spec, &pair.head, instrument)?;
        Ok(self.rows(layer, &base, &head))
    }

    fn side(&self, spec: &BenchSpec, bench: &Bench, instrument: Instrument) -> Result<Vec<Counts>> {
        let cases = match bench.harness {
            Harness::Gungraun => Vec::new(),
            _ => selected(spec, self.harnesses.cases(bench)?),
        };
        let mut counts = self.harnesses.count(bench, instrument, &cases)?;
        counts.retain(|count| spec.cases.iter().any(|pattern| gate::matches(pattern, &count.case)));
        Ok(counts)
    }

    fn rows(&self, layer: Layer, base: &[Counts], head: &[Counts]) -> Vec<Row> {
        let units: &[Unit] = match layer {
            Layer::Heap => &[Unit::Blocks, Unit::Bytes],
            _ => &[Unit::Instructions],
        };
        let of = |side: &[Counts], case: &str, at: usize| {
            side.iter().find(|counts| counts.case == case)?.values.get(at).copied()
        };
        let gone = base.iter().filter(|old| head.iter().all(|new| new.case != old.case));
        let cases = head.iter().chain(gone).map(|counts| counts.case.as_str());
        let rows = cases.flat_map(|case| {
            units.iter().enumerate().map(move |(at, unit)| {
                let (base, head) = (of(base, case, at), of(head, case, at));
                gate::judge_count(case, *unit, base, head, self.allowance(layer, case, *unit))
            })
        });
        rows.collect()
    }

    fn allowance(&self, layer: Layer, case: &str, unit: Unit) -> Allowance {
        let policy = self.question.policy;
        let own = policy.threshold(layer, case);
        let counts = policy.instructions.unwrap_or_default();
        let heap = policy.heap.unwrap_or_default();
        match unit {
            Unit::Instructions => {
                Allowance { percent: own.unwrap_or(counts.threshold_percent), floor: counts.floor }
            }
            Unit::Blocks => Allowance { percent: own.unwrap_or(0.0), floor: heap.blocks },
            Unit::Bytes => Allowance { percent: own.unwrap_or(0.0), floor: heap.bytes },
        }
    }
}

/// A row that was counted twice: worse only where it is so in both counts.
fn repeated(row: Row, again: &Row) -> Row {
    if row.verdict != RowVerdict::Regressed || again.verdict == RowVerdict::Regressed {
        return row;
    }
    let told = |value: Option<f64>| value.map_or_else(|| "none".to_owned(), |v| v.to_string());
    let note = format!(
        "does not repeat: counted again, {} on the base and {} on the head",
        told(again.base),
        told(again.head)
    );
    Row { verdict: RowVerdict::Unstable, note: Some(note), ..row }
}

fn has_valgrind() -> bool {
    let version = Command::new("valgrind").arg("--version").output();
    version.is_ok_and(|output| output.status.success())
}
