//! The verdict for people and for other programs.

mod annotations;
mod junit;
mod markdown;
mod text;

pub use annotations::annotations;
pub use junit::junit;
pub use markdown::markdown;
pub use text::text;

use super::document::{Document, Layer, Row, RowVerdict};
use crate::digits;

/// The cells that every rendering shows: base, head, change, interval, threshold.
fn cells(row: &Row) -> [String; 5] {
    let dash = || "-".to_owned();
    let value = |value: Option<f64>| value.map_or_else(dash, |value| quantity(value, &row.unit));
    [
        value(row.base),
        value(row.head),
        row.change_percent.map_or_else(dash, |percent| format!("{percent:+.2} %")),
        row.interval_percent.map_or_else(dash, |[low, high]| format!("{low:+.1} to {high:+.1} %")),
        row.threshold_percent.map_or_else(dash, |percent| format!("{percent:.1} %")),
    ]
}

/// Times in the unit that reads best; counts whole.
fn quantity(value: f64, unit: &str) -> String {
    if unit == "ns" {
        let (scale, unit) = match value {
            v if v >= 1e9 => (1e9, "s"),
            v if v >= 1e6 => (1e6, "ms"),
            v if v >= 1e3 => (1e3, "us"),
            _ => (1.0, "ns"),
        };
        return format!("{} {unit}", digits(value / scale));
    }
    if matches!(unit, "instructions" | "blocks" | "bytes") {
        return grouped(value);
    }
    format!("{} {unit}", digits(value))
}

/// 1234567 as 1,234,567.
fn grouped(value: f64) -> String {
    let digits = format!("{value:.0}");
    let mut text = String::with_capacity(digits.len() * 4 / 3);
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

/// Metric and unit, where one bench has two counts.
fn name(layer: Layer, row: &Row) -> String {
    if layer == Layer::Heap { format!("{} ({})", row.metric, row.unit) } else { row.metric.clone() }
}

/// What stands beside a row: who accepted it, what must be said, how many cycles were lost.
fn remark(row: &Row) -> String {
    let lost: usize =
        [&row.first_round, &row.confirmation].into_iter().flatten().map(|t| t.discarded).sum();
    let lost = (lost > 0).then(|| format!("{lost} cycles thrown away: the machine moved"));
    [row.accepted_by.clone(), row.note.clone(), lost]
        .into_iter()
        .flatten()
        .collect::<Vec<_>>()
        .join("; ")
}

/// A sentence of what was found.
fn summary(document: &Document) -> String {
    let count = |verdict| document.layers.rows().filter(|(_, row)| row.verdict == verdict).count();
    let words = [
        (RowVerdict::Regressed, "regressed"),
        (RowVerdict::Unstable, "unstable"),
        (RowVerdict::Accepted, "accepted"),
        (RowVerdict::Improved, "improved"),
        (RowVerdict::Same, "same"),
        (RowVerdict::Unchanged, "of identical machine code"),
        (RowVerdict::New, "new"),
        (RowVerdict::Removed, "removed"),
        (RowVerdict::NotAvailable, "not available"),
    ];
    let found: Vec<String> = words
        .into_iter()
        .map(|(verdict, word)| (count(verdict), word))
        .filter(|(count, _)| *count > 0)
        .map(|(count, word)| format!("{count} {word}"))
        .collect();
    if found.is_empty() { "nothing was measured".to_owned() } else { found.join(", ") }
}

fn short(commit: &str) -> &str {
    commit.get(..12).unwrap_or(commit)
}

/// What must be said beside the rows, a line each.
fn remarks(document: &Document) -> Vec<String> {
    let missing = document.not_available.iter().map(|missing| {
        let word = if missing.required { "required, but not available" } else { "not available" };
        format!("{}: {word}: {}", missing.layer, missing.why)
    });
    document.errors.iter().cloned().chain(missing).chain(document.notes.iter().cloned()).collect()
}

#[cfg(test)]
mod tests;
