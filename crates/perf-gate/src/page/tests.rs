use hw_probe::{ComputeRow, Dtype, MemoryRow, Rates};

use super::*;
use crate::{
    AlertState, Better, KpiSpec, Measured, PEERS_SCHEMA, PeerRow, PeerRun, QUALITY_SCHEMA,
    QualityFigure, SCHEMA,
};

const SECTIONS: [&str; 11] = [
    "kpis",
    "machine",
    "ceilings",
    "roofline",
    "comparison",
    "history",
    "peers",
    "flamegraphs",
    "heap",
    "alerts",
    "quality",
];

fn record(value: f64) -> RunRecord {
    let spec = KpiSpec {
        name: "k".to_owned(),
        title: "<b>K & co</b>".to_owned(),
        unit: "s".to_owned(),
        better: Better::Lower,
        target: Some(5.0),
        critical: Some(10.0),
        share_of_memory: None,
    };
    let samples = [1.0, 1.01, 0.99].map(|noise| noise * value).to_vec();
    RunRecord {
        schema: SCHEMA.to_owned(),
        machine: hw_probe::machine(),
        commit: Some("0123456789abcdef".to_owned()),
        dirty: Some(false),
        version: "1.2.3".to_owned(),
        command: vec!["redline".to_owned(), "suite".to_owned()],
        started_at: "2026-01-02T03:04:05Z".to_owned(),
        kpis: vec![spec.judge(Measured::Samples(samples), None, 24.0)],
        probe: None,
        kernels: Vec::new(),
        alerts: None,
        quality: None,
    }
}

fn sources<'a>(head: &'a RunRecord, history: &'a [RunRecord]) -> Sources<'a> {
    Sources {
        head,
        base: None,
        history,
        probe: None,
        flamegraphs: &[],
        flamegraphs_left_out: 0,
        heap: &[],
        peers: None,
        alerts: None,
        quality: None,
        command: "redline report",
    }
}

/// What stands between a section's begin and its end.
fn section<'a>(text: &'a str, id: &str) -> &'a str {
    let begin = text.find(&format!("<section id=\"{id}\"")).unwrap_or_else(|| panic!("no {id}"));
    let end = text[begin..].find("</section>").unwrap();
    &text[begin..begin + end]
}

#[test]
fn a_page_needs_nothing_else_and_escapes_what_it_is_given() {
    let head = record(2.0);
    let text = page(&sources(&head, &[])).unwrap();
    assert!(text.contains("&lt;b&gt;K &amp; co&lt;&#x2f;b&gt;"), "{text}");
    assert!(!text.contains("<b>K"));
    assert!(!text.contains("http") && !text.contains("<link"), "an outside reference");
    assert!(text.contains("prefers-color-scheme: dark") && text.contains("2.50x"));
}

#[test]
fn an_old_record_has_every_section_and_says_what_is_missing() {
    let head = record(2.0);
    let text = page(&sources(&head, &[])).unwrap();
    for (id, how) in [
        ("ceilings", "redline probe --json"),
        ("roofline", "redline probe --json"),
        ("comparison", "redline report --base"),
        ("history", "redline suite"),
        ("peers", "scripts&#x2f;peers&#x2f;run"),
        ("flamegraphs", "scripts/profile"),
        ("heap", "redline profile features"),
        ("alerts", "redline monitor"),
        ("quality", "scripts&#x2f;quality"),
    ] {
        assert!(section(&text, id).contains(how), "{id}: {}", section(&text, id));
    }
    assert!(SECTIONS.iter().all(|id| text.contains(&format!("href=\"#{id}\""))));
}

#[test]
fn headings_are_in_order_and_tables_have_scopes() {
    let records = [record(1.0), record(2.0)];
    let with_base = Sources { base: Some(&records[0]), ..sources(&records[1], &records) };
    let text = page(&with_base).unwrap();
    let levels: Vec<u8> = text
        .match_indices("<h")
        .filter_map(|(at, _)| {
            text.as_bytes().get(at + 2).filter(|c| c.is_ascii_digit()).map(|c| c - b'0')
        })
        .collect();
    assert_eq!(levels[0], 1);
    assert!(levels.windows(2).all(|pair| pair[1] <= pair[0] + 1), "{levels:?}");
    assert_eq!(levels.iter().filter(|level| **level == 1).count(), 1);
    let headers = text.matches("<th ").count();
    assert_eq!(headers, text.matches(" scope=\"").count(), "a header without scope");
}

#[test]
fn a_base_is_compared_and_records_make_a_trend() {
    let records = [record(1.0), record(2.0)];
    let with_base = Sources { base: Some(&records[0]), ..sources(&records[1], records.as_slice()) };
    let text = page(&with_base).unwrap();
    let comparison = section(&text, "comparison");
    assert!(comparison.contains("regressed") && comparison.contains("+100.0 %"), "{comparison}");
    assert!(section(&text, "history").contains("2 records"));
    let first = &text[..text.find("<nav").unwrap()];
    assert!(first.contains(": +100.0 %"), "the first screen says what changed: {first}");
}

#[test]
fn flamegraphs_are_embedded_and_their_scripts_stay_in_their_frames() {
    let head = record(1.0);
    let svg = "<svg onload=\"init(evt)\"><script>zoom('#')</script></svg>".to_owned();
    let flamegraph = |name: &str| Flamegraph {
        name: name.to_owned(),
        svg: svg.clone(),
        taken: Some(Taken {
            cpu_model: Some("An old processor".to_owned()),
            threads: 2,
            commit: Some("1d0c2c1".to_owned()),
            dirty: Some(true),
            counted: "99 samples".to_owned(),
        }),
        hottest: vec![("orders".to_owned(), 61.25)],
    };
    let flamegraphs = ["backtest/simulate", "features/classic"].map(flamegraph);
    let some = Sources { flamegraphs: &flamegraphs, ..sources(&head, &[]) };
    let text = page(&Sources { flamegraphs_left_out: 3, ..some }).unwrap();
    let in_words = section(&text, "flamegraphs");
    let taken = "An old processor, 2 threads; 1d0c2c1, with changes of its own; 99 samples.";
    for word in [taken, "Hottest functions of backtest", "61.2 %", "3 more"] {
        assert!(in_words.contains(word), "no '{word}' in {in_words}");
    }
    assert!(markdown(&some).unwrap().contains("- backtest/simulate: `orders` 61.2 %"));
    let count = |what: &str| text.matches(what).count();
    assert_eq!(count(" data-src=\"data:image/svg+xml,%3Csvg"), 2);
    assert_eq!(count(" src=\"data:"), 0, "a frame is filled when it has a width");
    assert!(!text.contains("<script>zoom"), "a picture's script runs in its own frame only");
}

#[test]
fn alerts_are_told_apart_from_none() {
    let head = record(1.0);
    let alert = |state: AlertState| Alert {
        rule: "disk_free".to_owned(),
        state,
        since: 1.0,
        value: Some(9e9),
        threshold: Some(10e9),
    };
    let of = |state: AlertState| {
        let alerts = [alert(state)];
        let watch = Watch { alerts: &alerts, source: "this run" };
        page(&Sources { alerts: Some(watch), ..sources(&head, &[]) }).unwrap()
    };
    let (quiet, fired) = (of(AlertState::Inactive), of(AlertState::Firing));
    assert!(section(&quiet, "alerts").contains("None fired"));
    assert!(!section(&quiet, "alerts").contains("<table"));
    assert!(section(&fired, "alerts").contains("9.00 G") && fired.contains("Alert disk_free"));
}

#[test]
fn heap_peers_and_quality_are_shown_as_they_were_measured() {
    let head = record(1.0);
    let heap = [HeapProfile {
        name: "features/mean".to_owned(),
        bytes: 12_345.0,
        blocks: 22.0,
        is_per_call: true,
        place: Some(("plan.rs:7".to_owned(), 61.5)),
    }];
    let row = PeerRow {
        case: "sma".to_owned(),
        peer: "TA-Lib".to_owned(),
        unit: "ms".to_owned(),
        ours: 0.5,
        theirs: 1.0,
        ratio: 2.0,
        ratio_low: Some(1.9),
        ratio_high: Some(2.2),
    };
    let run = PeerRun {
        script: "features.py".to_owned(),
        measured_at: "2026-01-02T03:04:05Z".to_owned(),
        machine: "another processor".to_owned(),
        host: None,
        rows: vec![row],
    };
    let peers = Peers { schema: PEERS_SCHEMA.to_owned(), runs: vec![run] };
    let figure = QualityFigure {
        name: "Lines covered".to_owned(),
        value: Some(85.0),
        unit: "%".to_owned(),
        better: Better::Higher,
        target: Some(90.0),
        ok: Some(false),
        why: None,
    };
    let quality = Quality {
        schema: QUALITY_SCHEMA.to_owned(),
        commit: "1d0c2c1".to_owned(),
        date: "2026-01-03".to_owned(),
        figures: vec![figure],
    };
    let all = Sources {
        heap: &heap,
        peers: Some(&peers),
        quality: Some(&quality),
        ..sources(&head, &[])
    };
    let text = page(&all).unwrap();
    let holds = |id: &str, words: &[&str]| {
        let section = section(&text, id);
        assert!(words.iter().all(|word| section.contains(word)), "{words:?} in {section}");
    };
    holds("heap", &["12,345", "plan.rs:7", "61.5 %", "a call"]);
    holds("peers", &["2.00x", "0.500 ms", "another machine", "2026-01-02 03:04 UTC"]);
    holds("quality", &["85.0 %", "&gt; 90.0 %", "warn", "commit 1d0c2c1", "2026-01-03"]);
    assert!(text.contains("Lines covered misses its target"), "the first screen says it");
    let short = markdown(&all).unwrap();
    for row in ["| features/mean | 12,345 | 22 |", "| sma | TA-Lib | 1.00 ms | 0.500 ms | 2.00x |"]
    {
        assert!(short.contains(row), "no {row} in {short}");
    }
}

#[test]
fn markdown_has_the_same_sections_without_marks_that_break_its_tables() {
    let mut head = record(2.0);
    head.kpis[0].title = "a|b".to_owned();
    let text = markdown(&sources(&head, &[])).unwrap();
    assert!(text.starts_with("## redline: "), "{text}");
    assert!(text.contains("| a\\|b | 2.00 s | < 5.00 s | > 10.0 s | 2.50x | - | ok |"), "{text}");
    let headings = [
        "KPIs",
        "Ceilings",
        "Roofline",
        "Comparison",
        "History",
        "Peers",
        "Flamegraphs",
        "Heap",
        "Alerts",
        "Quality",
    ];
    let at = headings.map(|heading| text.find(&format!("\n### {heading}\n\n")).unwrap_or(0));
    assert!(at[0] > 0 && at.windows(2).all(|pair| pair[0] < pair[1]), "{at:?} in {text}");
    assert!(!text.contains("\n\n\n"), "{text}");
}

fn rates(best: f64) -> Rates {
    Rates { best, median: best, spread_percent: 0.0 }
}

/// What a probe of two threads finds, with `read` GB/s of each working set from 4 KiB on.
fn probe(read: &[f64]) -> ProbeReport {
    let memory = |(step, &best): (usize, &f64)| MemoryRow {
        kernel: "read".to_owned(),
        stores: "none".to_owned(),
        isa: "any".to_owned(),
        threads: 2,
        working_set_bytes: 4096 << step,
        gb_per_s: rates(best),
        with_write_allocate_gb_per_s: None,
        series: if step + 1 == read.len() { "main" } else { "sweep" }.to_owned(),
        verified: true,
    };
    let peak = ComputeRow {
        kernel: "fma".to_owned(),
        backend: "avx2".to_owned(),
        dtype: Dtype::F64,
        threads: 2,
        n: None,
        gflops: rates(100.0),
        unit: String::new(),
        of_fma_peak_percent: None,
        verified: true,
    };
    ProbeReport {
        schema: hw_probe::SCHEMA.to_owned(),
        machine: hw_probe::machine(),
        memory: read.iter().enumerate().map(memory).collect(),
        latency: Vec::new(),
        caches_seen: Vec::new(),
        loaded_latency: Vec::new(),
        core_to_core: Vec::new(),
        compute: vec![peak],
        scalar: Vec::new(),
        storage: Vec::new(),
        noise: hw_probe::Noise::default(),
        rules: Vec::new(),
        unavailable: Vec::new(),
        elapsed_s: 0.0,
    }
}

/// A run with kernels and a history, and the page of it.
fn charted(read: &[f64]) -> String {
    let records = [record(1.0), record(2.0), record(2.0)];
    let probe = probe(read);
    let mut head = record(2.0);
    head.kernels = vec![Kernel {
        title: "sums & <means>".to_owned(),
        threads: 2,
        seconds: 0.5,
        bytes: 5e9,
        operations: 1e9,
        count: "by hand".to_owned(),
    }];
    page(&Sources { probe: Some(&probe), ..sources(&head, &records) }).unwrap()
}

#[test]
fn every_measured_point_has_a_tip() {
    let text = charted(&[90.0, 80.0, 40.0, 20.0, 10.0]);
    let tip = |of: &str, says: &str| {
        let tip = format!("tabindex=\"0\" aria-label=\"{says}\"");
        section(&text, of).matches(&tip).count()
    };
    let read = ["90.0 GB&#x2f;s at 4 KiB", "80.0 GB&#x2f;s at 8 KiB", "20.0 GB&#x2f;s at 32 KiB"];
    let counts = read.map(|value| tip("ceilings", &format!("read, 2 threads: {value}")));
    assert_eq!(counts, [1; 3], "{}", section(&text, "ceilings"));
    let kernel = "sums &amp; &lt;means&gt;: 2.00 GFLOPS at 0.200 operations a byte";
    let roof = "2 cores: 10.0 GB&#x2f;s, 100 GFLOPS; they meet at 10.0 operations a byte";
    assert_eq!([tip("roofline", kernel), tip("roofline", roof)], [1; 2]);
    assert_eq!(tip("history", "2.00 s, 2026-01-02 03:04 UTC, 0123456789ab"), 2);
    let shown = [".tips .near::after", ".tips i:focus::after", "ArrowRight", "pointermove"];
    assert!(shown.iter().all(|how| text.contains(how)), "by pointer and by keyboard");
}

#[test]
fn every_series_is_drawn_in_both_sizes() {
    let text = charted(&[90.0, 80.0, 40.0, 20.0, 10.0]);
    let count = |of: &str, what: &str| section(&text, of).matches(what).count();
    assert_eq!(count("ceilings", "<circle"), 2 * 4, "a dot for each");
    assert_eq!(count("ceilings", "class=\"c0\"/><circle"), 2 * 4, "after their line");
    assert_eq!(count("roofline", "class=\"roof\"/>"), 2);
    assert_eq!(count("roofline", "sums &amp; &lt;means&gt;</text>"), 1, "where there is room");
}

#[test]
fn a_picture_has_a_name_words_and_the_pages_own_colours() {
    let text = charted(&[90.0, 80.0, 40.0, 20.0, 10.0]);
    for id in ["bandwidth", "roofline-figure"] {
        for of in ["title", "description"] {
            assert_eq!(text.matches(&format!(" id=\"{id}-{of}\"")).count(), 1, "{id}-{of}");
        }
    }
    let drawings = text.split("<svg").skip(1).map(|svg| svg.split_once("</svg>").unwrap().0);
    let mut count = 0;
    for drawing in drawings {
        count += 1;
        let tag = drawing.split_once('>').unwrap().0;
        assert!(tag.contains("role=\"img\"") && tag.contains("aria-label"), "{tag}");
        assert!(!drawing.contains("=\"#") && !drawing.contains("font-"), "a fixed look: {drawing}");
        assert!(!drawing.contains("NaN") && !drawing.contains("tabindex"), "{drawing}");
    }
    assert_eq!(count, 2 + 2 + 1, "bandwidth and roofline in two sizes, one KPI");
}

#[test]
fn the_same_input_is_the_same_page() {
    let values = [90.0, 80.0, 40.0, 20.0, 10.0];
    assert_eq!(charted(&values), charted(&values));
}

#[test]
fn values_that_no_axis_can_show_are_left_out() {
    let of = |read: &[f64]| charted(read).matches("read, 2 threads: ").count();
    // In the description, and in the tips of what can be shown.
    assert_eq!(of(&[90.0, 0.0, -1.0, f64::NAN, f64::INFINITY, 10.0]), 1);
    assert_eq!(of(&[20.0; 5]), 4);
    assert_eq!(of(&[20.0, 10.0]), 1);
    assert_eq!([of(&[]), of(&[10.0]), of(&[0.0, 0.0])], [0; 3]);
}
