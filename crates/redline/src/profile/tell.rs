//! A profile as tables.

use std::fmt::Write;

use bench_kit::profile::{Allocated, Change, Cost, HeapSummary, Kind, Stacks, Summary};

/// Frames and places longer than this lose their middle.
const FRAME_CHARS: usize = 76;
const ROWS: usize = 10;

/// The ten hottest frames, or the ten places that take the most memory.
pub(super) fn table(summary: &Summary, stacks: &Stacks) -> String {
    match &summary.heap {
        Some(heap) => heap_table(summary, heap),
        None => frames_table(summary, stacks),
    }
}

fn frames_table(summary: &Summary, stacks: &Stacks) -> String {
    let mut text = format!("{}: {}", summary.name, count(summary.total as f64));
    text += &match (summary.kind, summary.frequency_hz) {
        (Kind::Cpu, Some(hz)) => format!(" samples at {hz} Hz of processor time"),
        (Kind::Instructions, _) if cfg!(target_arch = "x86_64") => {
            " instructions, on the AVX2 path: valgrind knows no AVX-512".to_owned()
        }
        _ => format!(" {}", summary.unit),
    };
    if let Some(ns) = summary.ns_per_call {
        let _ = write!(text, ", {} a call", time(ns));
    }
    if let Some(lost @ 1..) = summary.lost {
        let _ = write!(text, " ({lost} lost)");
    }
    text += "\n\n   self    total  function\n";
    let all = stacks.total().max(1) as f64;
    let hottest = stacks.costs(summary.kind.names_before_frames());
    for Cost { frame, own, total } in hottest.iter().take(ROWS).filter(|cost| cost.own > 0) {
        let [own, total] = [own, total].map(|weight| 100.0 * *weight as f64 / all);
        let _ = writeln!(text, "{own:>6.1}%  {total:>6.1}%  {}", short(frame));
    }
    text
}

fn heap_table(summary: &Summary, heap: &HeapSummary) -> String {
    let per = if summary.calls.is_some() { " a call" } else { "" };
    let (bytes, blocks) = (count(heap.bytes), count(heap.blocks));
    let mut text = format!("{}: {bytes} bytes in {blocks} blocks{per}\n", summary.name);
    if heap.top_places.is_empty() {
        return text + "\nnothing is taken from the heap\n";
    }
    text += "\n          bytes    blocks  share   at once  place\n";
    for Allocated { bytes, blocks, percent, peak_bytes, place } in &heap.top_places {
        let (bytes, blocks) = (count(*bytes), count(*blocks));
        let peak = count(*peak_bytes as f64);
        let place = short(place);
        let _ = writeln!(text, "{bytes:>15} {blocks:>9} {percent:>5.1}% {peak:>9}  {place}");
    }
    text
}

/// How two profiles are brought to one measure.
pub(super) struct Scale {
    pub(super) base: f64,
    pub(super) head: f64,
    unit: &'static str,
}

impl Scale {
    /// Samples become time per call: a faster case has as many samples in five seconds. Where
    /// nobody timed the calls, they become shares. Bytes are brought to a call; instructions are.
    pub(super) fn of(base: &Summary, head: &Summary) -> Self {
        let per_call = |summary: &Summary| 1.0 / summary.calls.unwrap_or(1).max(1) as f64;
        let per_sample = |summary: &Summary, whole: f64| whole / summary.total.max(1) as f64;
        match (head.kind, base.ns_per_call, head.ns_per_call) {
            (Kind::Cpu, Some(before), Some(after)) => Self {
                base: per_sample(base, before),
                head: per_sample(head, after),
                unit: "ns a call",
            },
            (Kind::Cpu, ..) => Self {
                base: per_sample(base, 1e4),
                head: per_sample(head, 1e4),
                unit: "of 10,000 samples",
            },
            (Kind::Heap, ..) => {
                Self { base: per_call(base), head: per_call(head), unit: "bytes a call" }
            }
            (Kind::Instructions, ..) => Self { base: 1.0, head: 1.0, unit: "instructions" },
        }
    }
}

/// Frames by how much their own cost has changed.
pub(super) fn changes(
    changes: &[Change],
    totals: (u64, u64),
    scale: &Scale,
    revision: &str,
) -> String {
    let mut text = format!("since {revision}, {}:\n\n", scale.unit);
    text += "        before           now        change  function\n";
    let all = Change { frame: "(all)".to_owned(), base: totals.0, head: totals.1 };
    let changed = changes.iter().filter(|change| change.difference() != 0).take(ROWS);
    for change in std::iter::once(&all).chain(changed) {
        let (base, head) = (count(change.base as f64), count(change.head as f64));
        let percent = percent(change);
        let _ = writeln!(text, "{base:>14} {head:>13} {percent:>13}  {}", short(&change.frame));
    }
    text
}

fn percent(change: &Change) -> String {
    match (change.base, change.head) {
        (0, _) => "new".to_owned(),
        (_, 0) => "gone".to_owned(),
        (base, _) => format!("{:+.2}%", 100.0 * change.difference() as f64 / base as f64),
    }
}

fn time(ns: f64) -> String {
    match ns {
        ns if ns >= 1e9 => format!("{:.2} s", ns / 1e9),
        ns if ns >= 1e6 => format!("{:.2} ms", ns / 1e6),
        ns if ns >= 1e3 => format!("{:.2} us", ns / 1e3),
        ns => format!("{ns:.1} ns"),
    }
}

/// A whole number with its thousands apart.
fn count(value: f64) -> String {
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

/// The end says which function, the beginning whose.
fn short(frame: &str) -> String {
    let chars: Vec<char> = frame.chars().collect();
    if chars.len() <= FRAME_CHARS {
        return frame.to_owned();
    }
    let half = (FRAME_CHARS - 1) / 2;
    let (start, end) = (&chars[..half], &chars[chars.len() - half..]);
    format!("{}\u{2026}{}", start.iter().collect::<String>(), end.iter().collect::<String>())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn figures_are_read_at_a_glance() {
        assert_eq!((count(1_234_567.0), count(999.4)), ("1,234,567".to_owned(), "999".to_owned()));
        assert_eq!((time(1.5e6), time(12.0)), ("1.50 ms".to_owned(), "12.0 ns".to_owned()));
        assert_eq!(short(&"x".repeat(200)).chars().count(), 75);
    }

    #[test]
    fn changes_begin_with_the_whole() {
        let change = |frame: &str, base, head| Change { frame: frame.to_owned(), base, head };
        let scale = Scale { base: 1.0, head: 1.0, unit: "instructions" };
        let rows = [change("new", 0, 30), change("kernel", 1000, 1010), change("same", 5, 5)];
        let text = changes(&rows, (1005, 1045), &scale, "HEAD~1");
        assert!(text.contains("1,005         1,045        +3.98%  (all)"), "{text}");
        assert!(text.contains("+1.00%  kernel") && text.contains("new  new"), "{text}");
        assert!(!text.contains("same"), "{text}");
    }
}
