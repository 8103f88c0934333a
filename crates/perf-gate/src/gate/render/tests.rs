//! One document, four renderings.

use super::*;
use crate::gate::document::{Layers, Missing, Verdict};

fn document() -> Document {
    let wall = vec![
        Row {
            base: Some(1.5e6),
            head: Some(1.65e6),
            change_percent: Some(10.0),
            interval_percent: Some([8.0, 12.0]),
            threshold_percent: Some(3.0),
            ..Row::bare("load/a|b<c>", "ns", RowVerdict::Regressed)
        },
        Row { note: Some("too noisy".to_owned()), ..Row::bare("mean", "ns", RowVerdict::Unstable) },
        Row::bare("sum", "ns", RowVerdict::Unchanged),
    ];
    let heap = vec![Row {
        base: Some(0.0),
        head: Some(1_234_567.0),
        ..Row::bare("mean", "bytes", RowVerdict::Same)
    }];
    Document {
        verdict: Verdict::Regressed,
        base: "a".repeat(40),
        head: "b".repeat(40),
        machine: "f00".to_owned(),
        started_at: "2026-11-25T00:00:00Z".to_owned(),
        elapsed_s: 12.0,
        layers: Layers { wall, heap, ..Layers::default() },
        not_available: vec![Missing {
            layer: Layer::Instructions,
            why: "no valgrind".to_owned(),
            required: true,
        }],
        notes: vec!["uncommitted changes are not gated".to_owned()],
        errors: vec!["accept 'x' expired".to_owned()],
    }
}

#[test]
fn text_ends_with_the_verdict() {
    let text = text(&document());
    let last = text.lines().last().unwrap();
    assert!(last.starts_with("REGRESSED: aaaaaaaaaaaa -> bbbbbbbbbbbb: 1 regressed"), "{last}");
    assert!(text.contains("1.50 ms") && text.contains("1,234,567"), "{text}");
    assert!(text.contains("instructions: required, but not available: no valgrind"), "{text}");
}

#[test]
fn markdown_shows_what_matters_and_folds_the_rest() {
    let text = markdown(&document());
    let (top, folded) = text.split_once("<details>").unwrap();
    assert!(top.contains("load/a\\|b&lt;c>") && top.contains("too noisy"), "{top}");
    assert!(!top.contains("sum") && folded.contains("| sum |"), "{text}");
    assert_eq!(text.matches("<details>").count(), text.matches("</details>").count());
}

#[test]
fn junit_counts_what_it_holds() {
    let xml = junit(&document());
    assert!(xml.contains("tests=\"6\" failures=\"1\" errors=\"2\""), "{xml}");
    assert!(xml.contains("name=\"load/a|b&lt;c&gt;\"><failure message="), "{xml}");
    assert!(xml.contains("<skipped message=\"unstable: too noisy\"/>"), "{xml}");
}

#[test]
fn annotations_are_a_line_each_and_escaped() {
    let text = annotations(&document());
    assert!(text.starts_with("::error title=wall%3A load/a|b<c>::1.50 ms -> 1.65 ms, +10.00 %25"));
    assert!(text.lines().all(|line| line.starts_with("::")), "{text}");
    assert!(text.lines().last().unwrap().contains("REGRESSED"), "{text}");
}

/// The elements of `xml`, with their attributes unescaped, in the order of their opening.
fn elements(xml: &str) -> Vec<(String, Vec<(String, String)>)> {
    use quick_xml::events::Event;
    let mut reader = quick_xml::Reader::from_str(xml);
    reader.config_mut().check_end_names = true;
    let (mut found, mut depth) = (Vec::new(), 0);
    loop {
        let element = match reader.read_event().unwrap() {
            Event::Eof => break,
            Event::Start(element) => {
                depth += 1;
                element
            }
            Event::Empty(element) => element,
            Event::End(_) => {
                depth -= 1;
                continue;
            }
            _ => continue,
        };
        let attributes = element.attributes().map(|attribute| {
            let attribute = attribute.unwrap();
            let value = std::str::from_utf8(&attribute.value).unwrap().to_owned();
            let value = quick_xml::escape::unescape(&value).unwrap().into_owned();
            (String::from_utf8(attribute.key.as_ref().to_vec()).unwrap(), value)
        });
        let name = String::from_utf8(element.name().as_ref().to_vec()).unwrap();
        found.push((name, attributes.collect()));
    }
    assert_eq!(depth, 0);
    found
}

#[test]
fn junit_is_read_by_a_parser_as_what_was_written() {
    let mut document = document();
    document.layers.wall[1].note = Some("<&\"'> \u{1}\u{fffe}\n".to_owned());
    let elements = elements(&junit(&document));
    let all = |name: &str| elements.iter().filter(|(is, _)| is == name).collect::<Vec<_>>();
    let of = |attributes: &[(String, String)], key: &str| {
        attributes.iter().find(|(is, _)| is == key).map(|(_, value)| value.clone()).unwrap()
    };
    assert_eq!(elements[0].0, "testsuites");
    assert_eq!(of(&elements[0].1, "tests"), all("testcase").len().to_string());
    assert_eq!(of(&elements[0].1, "failures"), all("failure").len().to_string());
    assert_eq!(of(&elements[0].1, "errors"), all("error").len().to_string());
    let sum = |key: &str| -> usize {
        all("testsuite").iter().map(|(_, suite)| of(suite, key).parse::<usize>().unwrap()).sum()
    };
    assert_eq!((sum("tests"), sum("skipped")), (all("testcase").len(), all("skipped").len()));
    assert_eq!(of(&all("testcase")[2].1, "name"), "load/a|b<c>");
    assert_eq!(of(&all("skipped")[0].1, "message"), "unstable: <&\"'>    ");
}
