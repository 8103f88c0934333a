//! For a comment on a pull request: the verdict and what matters, the rest folded.

use std::fmt::Write;

use super::{cells, name, remark, remarks, short, summary};
use crate::gate::document::{Document, Layer, Row, RowVerdict, Verdict};

const HEAD: &str = "| metric | base | head | change | 95 % interval | threshold | verdict |\n\
                    |---|---:|---:|---:|---:|---:|---|\n";

/// A short summary, details folded.
#[must_use]
pub fn markdown(document: &Document) -> String {
    let mark = match document.verdict {
        Verdict::Pass => "\u{2705}",
        Verdict::Regressed | Verdict::Error => "\u{274c}",
        Verdict::Unstable => "\u{26a0}\u{fe0f}",
    };
    let mut text = format!(
        "### {mark} Performance: {}\n\n`{}` against `{}`: {}.\n",
        document.verdict,
        short(&document.head),
        short(&document.base),
        summary(document)
    );
    let matters = |row: &Row| {
        use RowVerdict::{Accepted, Improved, Regressed, Unstable};
        matches!(row.verdict, Regressed | Unstable | Accepted | Improved)
    };
    let rows: Vec<String> = document
        .layers
        .rows()
        .filter(|(_, row)| matters(row))
        .map(|(layer, row)| line(layer, &format!("{layer}: "), row))
        .collect();
    if !rows.is_empty() {
        let _ = write!(text, "\n{HEAD}{}", rows.concat());
    }
    for line in remarks(document) {
        let _ = write!(text, "\n> {}\n", escaped(&line));
    }
    for layer in Layer::ALL {
        folded(&mut text, layer, document.layers.of(layer));
    }
    let _ = write!(
        text,
        "\n<sub>machine `{}`, {}, {:.0} s</sub>\n",
        document.machine, document.started_at, document.elapsed_s
    );
    text
}

fn folded(text: &mut String, layer: Layer, rows: &[Row]) {
    if rows.is_empty() {
        return;
    }
    let lines: String = rows.iter().map(|row| line(layer, "", row)).collect();
    let _ = write!(
        text,
        "\n<details><summary>{layer}: {} metrics</summary>\n\n{HEAD}{lines}\n</details>\n",
        rows.len()
    );
}

fn line(layer: Layer, prefix: &str, row: &Row) -> String {
    let [base, head, change, interval, threshold] = cells(row);
    let remark = Some(remark(row)).filter(|remark| !remark.is_empty());
    let remark = remark.map_or_else(String::new, |remark| format!(": {}", escaped(&remark)));
    let metric = escaped(&name(layer, row));
    let verdict = row.verdict;
    format!(
        "| {prefix}{metric} | {base} | {head} | {change} | {interval} | {threshold} | {verdict}{remark} |\n"
    )
}

/// Text that cannot end a cell, begin a tag or make a line of its own.
fn escaped(text: &str) -> String {
    text.replace('|', "\\|").replace('<', "&lt;").replace(['\n', '\r'], " ")
}
