//! Known regressions: let pass while their entry holds.

use super::document::{Layer, Layers, RowVerdict};
use super::pattern::matches;
use super::policy::Accept;

/// What the entries amounted to.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Unused {
    /// Entries that accepted nothing, to be told of.
    pub notes: Vec<String>,
    /// Entries past their day, which fail the gate.
    pub errors: Vec<String>,
}

/// Turns regressions into accepted ones where an entry of the policy covers them; `today` is
/// `YYYY-MM-DD`. An expired entry covers nothing and is an error.
pub fn accept(entries: &[Accept], today: &str, layers: &mut Layers) -> Unused {
    let mut unused = Unused::default();
    for entry in entries {
        let name = format!("accept '{}' ({}, {})", entry.metric, entry.layer, entry.issue);
        // Dates in ISO 8601 sort as text.
        let last = entry.expires.date.map_or_else(String::new, |date| date.to_string());
        if last.as_str() < today {
            unused.errors.push(format!("{name} expired on {last}: fix it, or renew the entry"));
            continue;
        }
        if !covers(entry, layers) {
            unused.notes.push(format!("{name} covers nothing: it can go"));
        }
    }
    unused
}

fn covers(entry: &Accept, layers: &mut Layers) -> bool {
    let mut has_covered = false;
    let layer: Layer = entry.layer;
    for row in layers.of_mut(layer) {
        let is_within =
            row.change_percent.is_some_and(|change| change.abs() <= entry.change_percent);
        let is_regressed = row.verdict == RowVerdict::Regressed;
        if is_regressed && is_within && matches(&entry.metric, &row.metric) {
            row.verdict = RowVerdict::Accepted;
            row.accepted_by = Some(format!("{} ({})", entry.reason, entry.issue));
            has_covered = true;
        }
    }
    has_covered
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::gate::Row;

    fn entry(metric: &str, change_percent: f64) -> Accept {
        Accept {
            layer: Layer::Wall,
            metric: metric.to_owned(),
            change_percent,
            reason: "checksums".to_owned(),
            issue: "#7".to_owned(),
            expires: "2027-01-31".parse().unwrap(),
        }
    }

    fn layers(change: f64) -> Layers {
        let row = Row {
            change_percent: Some(change),
            ..Row::bare("load/snappy", "ns", RowVerdict::Regressed)
        };
        Layers { wall: vec![row], ..Layers::default() }
    }

    #[test]
    fn an_entry_covers_what_it_names_and_no_more() {
        let mut known = layers(4.0);
        let unused = accept(&[entry("load/*", 5.0)], "2027-01-31", &mut known);
        assert_eq!(unused, Unused::default());
        assert_eq!(known.wall[0].verdict, RowVerdict::Accepted);
        assert_eq!(known.wall[0].accepted_by.as_deref(), Some("checksums (#7)"));

        let mut worse = layers(6.0);
        let unused = accept(&[entry("load/*", 5.0)], "2027-01-31", &mut worse);
        assert_eq!(worse.wall[0].verdict, RowVerdict::Regressed);
        assert!(unused.notes[0].contains("covers nothing"), "{unused:?}");
    }

    #[test]
    fn an_expired_entry_is_an_error() {
        let mut known = layers(4.0);
        let unused = accept(&[entry("load/*", 5.0)], "2027-02-01", &mut known);
        assert!(unused.errors[0].contains("expired on 2027-01-31"), "{unused:?}");
        assert_eq!(known.wall[0].verdict, RowVerdict::Regressed);
    }
}
