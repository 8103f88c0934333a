//! Counts that are the same from run to run: instructions, heap blocks, heap bytes.

use super::document::{Row, RowVerdict};

/// What is counted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Unit {
    /// Instructions executed.
    Instructions,
    /// Heap blocks.
    Blocks,
    /// Heap bytes.
    Bytes,
}

impl Unit {
    fn name(self) -> &'static str {
        match self {
            Self::Instructions => "instructions",
            Self::Blocks => "blocks",
            Self::Bytes => "bytes",
        }
    }
}

/// What a count may grow by: worse is what is beyond both.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Allowance {
    /// Percent of the base.
    pub percent: f64,
    /// In counts.
    pub floor: f64,
}

/// Judges one count. Missing on the base is new, on the head removed.
#[must_use]
pub fn judge_count(
    metric: &str,
    unit: Unit,
    base: Option<f64>,
    head: Option<f64>,
    allowance: Allowance,
) -> Row {
    let verdict = match (base, head) {
        (Some(base), Some(head)) => verdict(base, head, allowance),
        (None, Some(_)) => RowVerdict::New,
        (Some(_), None) => RowVerdict::Removed,
        (None, None) => RowVerdict::NotAvailable,
    };
    // From nothing to something is no percentage.
    let change = base.zip(head).filter(|(base, head)| *base > 0.0 || base == head);
    Row {
        base,
        head,
        change_percent: change
            .map(|(base, head)| if base == head { 0.0 } else { (head / base - 1.0) * 100.0 }),
        threshold_percent: Some(allowance.percent),
        ..Row::bare(metric, unit.name(), verdict)
    }
}

fn verdict(base: f64, head: f64, allowance: Allowance) -> RowVerdict {
    let is_beyond = |more: f64| more > allowance.floor && more > base * allowance.percent / 100.0;
    if is_beyond(head - base) {
        RowVerdict::Regressed
    } else if is_beyond(base - head) {
        RowVerdict::Improved
    } else {
        RowVerdict::Same
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_the_threshold_and_the_floor_must_be_passed() {
        let allowance = Allowance { percent: 0.5, floor: 200.0 };
        let of = |base: f64, head: f64| {
            judge_count("m", Unit::Instructions, Some(base), Some(head), allowance).verdict
        };
        assert_eq!(of(100_000.0, 101_000.0), RowVerdict::Regressed);
        assert_eq!(of(100_000.0, 100_500.0), RowVerdict::Same);
        assert_eq!(of(1_000.0, 1_200.0), RowVerdict::Same);
        assert_eq!(of(101_000.0, 100_000.0), RowVerdict::Improved);
    }

    #[test]
    fn heap_counts_are_exact_and_from_nothing_is_worse() {
        let exact = Allowance { percent: 0.0, floor: 0.0 };
        let row = judge_count("m", Unit::Blocks, Some(0.0), Some(1.0), exact);
        assert_eq!((row.verdict, row.change_percent), (RowVerdict::Regressed, None));
        let row = judge_count("m", Unit::Blocks, Some(0.0), Some(0.0), exact);
        assert_eq!((row.verdict, row.change_percent), (RowVerdict::Same, Some(0.0)));
        let row = judge_count("m", Unit::Bytes, None, Some(1.0), exact);
        assert_eq!(row.verdict, RowVerdict::New);
        let row = judge_count("m", Unit::Bytes, Some(1.0), None, exact);
        assert_eq!(row.verdict, RowVerdict::Removed);
    }
}
