//! Workflow commands that a hosted CI shows beside the change.

use super::{cells, name, remark, remarks, summary};
use crate::gate::document::{Document, RowVerdict, Verdict};

/// A line per regression and per unstable bench in the `::error title=...::message` form of GitHub's
/// and Gitea's runners, then one for the verdict.
#[must_use]
pub fn annotations(document: &Document) -> String {
    let mut text = String::new();
    for (layer, row) in document.layers.rows() {
        let [base, head, change, interval, _] = cells(row);
        let command = match row.verdict {
            RowVerdict::Regressed => "error",
            RowVerdict::Unstable => "warning",
            RowVerdict::Accepted => "notice",
            _ => continue,
        };
        let message = format!("{base} -> {head}, {change} ({interval}) {}", remark(row));
        text += &line(command, &format!("{layer}: {}", name(layer, row)), &message);
    }
    for remark in remarks(document) {
        text += &line("warning", "redline gate", &remark);
    }
    let command = match document.verdict {
        Verdict::Pass => "notice",
        Verdict::Unstable => "warning",
        Verdict::Regressed | Verdict::Error => "error",
    };
    text + &line(command, "redline gate", &format!("{}: {}", document.verdict, summary(document)))
}

/// Percent signs, line ends and, in properties, colons and commas are escaped.
fn line(command: &str, title: &str, message: &str) -> String {
    let data =
        |text: &str| text.trim().replace('%', "%25").replace('\r', "%0D").replace('\n', "%0A");
    let title = data(title).replace(':', "%3A").replace(',', "%2C");
    format!("::{command} title={title}::{}\n", data(message))
}
