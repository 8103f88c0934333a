//! For a terminal.

use std::fmt::Write;

use super::{cells, name, remark, remarks, short, summary};
use crate::gate::document::{Document, Layer, Row};

/// A table per layer, then what must be said, then the verdict in the last line.
#[must_use]
pub fn text(document: &Document) -> String {
    let mut text = String::new();
    for layer in Layer::ALL {
        table(&mut text, layer, document.layers.of(layer));
    }
    for line in remarks(document) {
        let _ = writeln!(text, "{line}");
    }
    let Document { verdict, base, head, .. } = document;
    let _ = writeln!(
        text,
        "{verdict}: {} -> {}: {} ({:.0} s)",
        short(base),
        short(head),
        summary(document),
        document.elapsed_s
    );
    text
}

fn table(text: &mut String, layer: Layer, rows: &[Row]) {
    if rows.is_empty() {
        return;
    }
    let width = rows.iter().map(|row| name(layer, row).chars().count()).max().unwrap_or(0);
    let title = layer.to_string();
    let width = width.max(title.len());
    let _ = writeln!(
        text,
        "{title:<width$} {:>14} {:>14} {:>10} {:>18} {:>10}  verdict",
        "base", "head", "change", "95 % interval", "threshold"
    );
    for row in rows {
        let [base, head, change, interval, threshold] = cells(row);
        let remark = Some(remark(row)).filter(|remark| !remark.is_empty());
        let remark = remark.map_or_else(String::new, |remark| format!(": {remark}"));
        let _ = writeln!(
            text,
            "{:<width$} {base:>14} {head:>14} {change:>10} {interval:>18} {threshold:>10}  {}{remark}",
            name(layer, row),
            row.verdict,
        );
    }
    text.push('\n');
}
