//! Numbers, times and names as a reader wants them.

use crate::{RunRecord, digits};

/// `2026-11-23T10:00:07.5Z` as `2026-11-23 10:00 UTC`; anything else as it is.
pub(super) fn time(rfc3339: &str) -> String {
    match (rfc3339.get(..10), rfc3339.get(10..11), rfc3339.get(11..16)) {
        (Some(day), Some("T"), Some(clock)) if rfc3339.ends_with('Z') => {
            format!("{day} {clock} UTC")
        }
        _ => rfc3339.to_owned(),
    }
}

/// The first twelve digits of a commit.
pub(super) fn commit(commit: Option<&str>) -> String {
    commit.map_or_else(|| "no commit".to_owned(), |c| c.get(..12).unwrap_or(c).to_owned())
}

/// A commit, and whether the folder had changes beyond it.
pub(super) fn version(name: Option<&str>, dirty: Option<bool>) -> String {
    let dirty = if dirty == Some(true) { ", with changes of its own" } else { "" };
    format!("{}{dirty}", commit(name))
}

/// Which run a record is of.
pub(super) fn run(record: &RunRecord) -> String {
    let when = time(&record.started_at);
    match &record.commit {
        Some(name) => format!("{} of {when}", commit(Some(name))),
        None => format!("the run of {when}"),
    }
}

/// A value whose unit is near it in size: seconds become milli- or microseconds.
pub(super) fn value(value: f64, unit: &str) -> String {
    let (value, unit) = match unit {
        "s" if value.abs() < 1e-3 => (value * 1e6, "\u{b5}s"),
        "s" if value.abs() < 1.0 => (value * 1e3, "ms"),
        _ => (value, unit),
    };
    format!("{} {unit}", digits(value)).trim_end().to_owned()
}

/// A round number, as a tick is: `1.00` as `1`.
pub(super) fn round(value: f64) -> String {
    let digits = digits(value);
    match digits.contains('.') {
        true => digits.trim_end_matches('0').trim_end_matches('.').to_owned(),
        false => digits,
    }
}

/// A whole number with its thousands apart.
pub(super) fn count(value: f64) -> String {
    let digits = format!("{value:.0}");
    let mut text = String::new();
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

/// Three digits with the prefix that a reader expects.
pub(super) fn short(value: f64) -> String {
    let prefixes = [(1e12, " T"), (1e9, " G"), (1e6, " M"), (1e3, " k")];
    let (unit, name) =
        prefixes.into_iter().find(|(unit, _)| value.abs() >= *unit).unwrap_or((1.0, ""));
    format!("{}{name}", digits(value / unit))
}

/// `65536` as `64 KiB`.
pub(super) fn size(bytes: f64) -> String {
    let units = ["B", "KiB", "MiB", "GiB", "TiB"];
    let power = (bytes.max(1.0).log2() / 10.0).floor().clamp(0.0, 4.0);
    let value = bytes / 1024_f64.powf(power);
    format!("{value:.0} {}", units[power as usize])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn figures_are_read_at_a_glance() {
        assert_eq!([512.0, 65_536.0, 33_554_432.0].map(size), ["512 B", "64 KiB", "32 MiB"]);
        assert_eq!([0.01, 1.0, 2.5, 100.0].map(round), ["0.01", "1", "2.5", "100"]);
        assert_eq!([12.0, 1_234_567.0].map(count), ["12", "1,234,567"]);
        assert_eq!(
            [2.5, 0.0021, 1.01e-5].map(|s| value(s, "s")),
            ["2.50 s", "2.10 ms", "10.1 \u{b5}s"]
        );
        assert_eq!([64e9, 0.5, 2_500.0].map(short), ["64.0 G", "0.500", "2.50 k"]);
        assert_eq!([value(27.6, "M rows/s"), value(3.0, "")], ["27.6 M rows/s", "3.00"]);
    }

    #[test]
    fn times_are_cut_to_the_minute() {
        assert_eq!(time("2026-11-23T10:00:07.5Z"), "2026-11-23 10:00 UTC");
        assert_eq!([time("yesterday"), time("")], ["yesterday", ""]);
        assert_eq!(commit(Some("0123456789abcdef")), "0123456789ab");
        assert_eq!([commit(Some("abc")), commit(None)], ["abc", "no commit"]);
    }
}
