//! JUnit XML: a suite per layer, a case per metric.

use std::fmt::Write;

use super::{cells, name, remark};
use crate::gate::document::{Document, Layer, Missing, Row, RowVerdict};

/// The document as JUnit XML: regressions are failures, required layers that are missing and expired
/// entries are errors, what could not be told is skipped with its reason.
#[must_use]
pub fn junit(document: &Document) -> String {
    let suites: Vec<Suite> = Layer::ALL
        .into_iter()
        .map(|layer| suite(document, layer))
        .chain([policy(document)])
        .collect();
    let total = |of: fn(&Suite) -> usize| suites.iter().map(of).sum::<usize>();
    let mut xml = String::from("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n");
    let _ = writeln!(
        xml,
        "<testsuites name=\"redline gate\" tests=\"{}\" failures=\"{}\" errors=\"{}\" time=\"{:.3}\">",
        total(|s| s.cases.len()),
        total(|s| s.failures),
        total(|s| s.errors),
        document.elapsed_s
    );
    for suite in suites.iter().filter(|suite| !suite.cases.is_empty()) {
        let _ = writeln!(
            xml,
            "  <testsuite name=\"{}\" tests=\"{}\" failures=\"{}\" errors=\"{}\" skipped=\"{}\">",
            suite.name,
            suite.cases.len(),
            suite.failures,
            suite.errors,
            suite.skipped
        );
        xml.push_str(&suite.cases.concat());
        xml.push_str("  </testsuite>\n");
    }
    xml.push_str("</testsuites>\n");
    xml
}

#[derive(Default)]
struct Suite {
    name: String,
    cases: Vec<String>,
    failures: usize,
    errors: usize,
    skipped: usize,
}

impl Suite {
    fn push(&mut self, case: &str, outcome: Option<(&str, String)>) {
        let open = format!(
            "    <testcase classname=\"{}\" name=\"{}\"",
            escaped(&self.name),
            escaped(case)
        );
        match outcome {
            None => self.cases.push(format!("{open}/>\n")),
            Some((tag, message)) => {
                match tag {
                    "failure" => self.failures += 1,
                    "error" => self.errors += 1,
                    _ => self.skipped += 1,
                }
                let message = escaped(&message);
                self.cases.push(format!("{open}><{tag} message=\"{message}\"/></testcase>\n"));
            }
        }
    }
}

fn suite(document: &Document, layer: Layer) -> Suite {
    let mut suite = Suite { name: layer.to_string(), ..Suite::default() };
    for row in document.layers.of(layer) {
        suite.push(&name(layer, row), outcome(row));
    }
    for Missing { why, required, .. } in
        document.not_available.iter().filter(|missing| missing.layer == layer)
    {
        suite.push("layer", Some((if *required { "error" } else { "skipped" }, why.clone())));
    }
    suite
}

fn policy(document: &Document) -> Suite {
    let mut suite = Suite { name: "policy".to_owned(), ..Suite::default() };
    for error in &document.errors {
        suite.push("accept", Some(("error", error.clone())));
    }
    suite
}

fn outcome(row: &Row) -> Option<(&'static str, String)> {
    let [base, head, change, interval, threshold] = cells(row);
    let remark = remark(row);
    match row.verdict {
        RowVerdict::Regressed => Some((
            "failure",
            format!("{base} -> {head}, {change} ({interval}), threshold {threshold} {remark}"),
        )),
        RowVerdict::Unstable => Some(("skipped", format!("unstable: {remark}"))),
        RowVerdict::NotAvailable => Some(("skipped", format!("not available: {remark}"))),
        _ => None,
    }
}

/// Text for an attribute: what XML 1.0 has no character for, and line ends, become spaces.
fn escaped(text: &str) -> String {
    let is_character = |c: char| !c.is_control() && !matches!(c, '\u{fffe}' | '\u{ffff}');
    let text: String = text.chars().map(|c| if is_character(c) { c } else { ' ' }).collect();
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}
