//! However the rows come, the bits are the same: whole columns on any number of threads, pieces with a state
//! that is stored between them, single bars, and many symbols side by side.

mod common;

use common::{assert_same_bits, walk};
use features::{Bar, ComputeOptions, FeatureError, FeatureSet, Panel, Stream, compute, registry};
use market_data::Bars;
use proptest::prelude::*;

proptest! {
    /// Whole columns, pieces of any length with a state that is stored between them, single bars.
    #[test]
    fn every_cut_of_the_rows_gives_the_same_bits(
        seed in any::<u64>(),
        cuts in prop::collection::vec(prop_oneof![1usize..400, 400usize..2500], 1..12),
        missing in prop::option::of(0usize..CUT_ROWS),
    ) {
        let mut bars = walk(CUT_ROWS, seed);
        if let Some(row) = missing {
            bars.close[row] = f64::NAN;
        }
        let whole_sets = [FeatureSet::classic(), FeatureSet::alpha158()];
        for set in every_indicator().into_iter().chain(whole_sets) {
            let whole = compute(&set, bars.view(), &ComputeOptions { threads: 1, progress: None })
                .expect("enough rows");
            let mut pieces = whole.clone();
            let mut stream = Stream::new(&set);
            let mut from = 0;
            for (nth, cut) in cuts.iter().copied().chain([CUT_ROWS]).enumerate() {
                let to = (from + cut).min(CUT_ROWS);
                // At once, bar by bar, and by a stream that was saved before.
                if nth % 3 == 1 {
                    for row in from..to {
                        let values = stream.update(&Bar::at(bars.view(), row));
                        for (column, value) in pieces.columns.iter_mut().zip(values) {
                            column[row] = *value;
                        }
                    }
                } else {
                    let mut columns: Vec<&mut [f64]> =
                        pieces.columns.iter_mut().map(|c| &mut c[from..to]).collect();
                    stream.extend(bars.view().slice(from..to), &mut columns).expect("equal lengths");
                }
                if nth % 3 == 2 {
                    let saved = serde_json::to_string(&stream.save()).expect("plain data");
                    let saved = serde_json::from_str(&saved).expect("what was saved");
                    stream = Stream::restore(&set, &saved).expect("the same set");
                }
                from = to;
            }
            assert_same_bits(&whole.columns, &pieces.columns, set.name());
        }
    }
}

/// Enough for pieces that go through the blocks of a state, and for those that go past them.
const CUT_ROWS: usize = 5000;

fn every_indicator() -> Vec<FeatureSet> {
    registry::all()
        .map(|i| FeatureSet::single(i, &i.defaults()).expect("defaults are in range"))
        .collect()
}

/// Rows of bars, one bar per symbol.
fn across(symbols: &[Bars], row: usize) -> Bars {
    let all = |of: fn(&Bars) -> &Vec<f64>| symbols.iter().map(|s| of(s)[row]).collect();
    Bars {
        timestamp: symbols.iter().map(|s| s.timestamp[row]).collect(),
        open: all(|s| &s.open),
        high: all(|s| &s.high),
        low: all(|s| &s.low),
        close: all(|s| &s.close),
        volume: all(|s| &s.volume),
    }
}

/// More than one strip, the last not full; one symbol misses bars, another begins late, and
/// one has infinite prices.
#[test]
fn each_symbol_of_a_panel_has_the_bits_of_its_own_stream() {
    const ROWS: usize = 260;
    for symbols in [1, 3, 515] {
        let mut all: Vec<Bars> = (0..symbols).map(|s| walk(ROWS, 31 + s as u64)).collect();
        let missing = f64::NAN;
        for row in [100, 101, 150] {
            let of = &mut all[symbols / 2];
            (of.open[row], of.high[row], of.low[row]) = (missing, missing, missing);
            (of.close[row], of.volume[row]) = (missing, missing);
        }
        for row in 0..40 {
            let of = all.last_mut().expect("a symbol");
            (of.high[row], of.close[row]) = (missing, missing);
        }
        all[0].close[60] = f64::INFINITY;
        all[0].low[180] = f64::NEG_INFINITY;
        let sets = [FeatureSet::classic(), FeatureSet::alpha158()];
        let of_one = if symbols < 100 { every_indicator() } else { Vec::new() };
        for set in sets.into_iter().chain(of_one) {
            compare_panel(&set, &all);
        }
    }
}

fn compare_panel(set: &FeatureSet, symbols: &[Bars]) {
    let columns = set.columns().len();
    let mut panel = Panel::new(set, symbols.len());
    let mut streams: Vec<Stream> = symbols.iter().map(|_| Stream::new(set)).collect();
    for row in 0..symbols[0].len() {
        panel.update(across(symbols, row).view()).expect("a bar per symbol");
        for (s, (stream, bars)) in streams.iter_mut().zip(symbols).enumerate() {
            let alone = stream.update(&Bar::at(bars.view(), row)).to_vec();
            let abreast: Vec<f64> = (0..columns).map(|k| panel.column(k)[s]).collect();
            assert_same_bits(&[alone], &[abreast], &format!("{} symbol {s} row {row}", set.name()));
        }
        if row % 97 == 50 {
            let saved = serde_json::to_string(&panel.save()).expect("plain data");
            let saved = serde_json::from_str(&saved).expect("what was saved");
            panel = Panel::restore(set, &saved).expect("the same set");
        }
    }
}

/// What is stored comes back from a file that anyone may have changed: refused, or other values, but no panic.
#[test]
fn a_panel_s_state_that_was_changed_is_refused_or_runs() {
    let set = FeatureSet::classic();
    let symbols = [walk(60, 1), walk(60, 2)];
    let mut panel = Panel::new(&set, 2);
    (0..30).for_each(|row| panel.update(across(&symbols, row).view()).expect("two bars"));
    let saved = serde_json::to_value(panel.save()).expect("plain data");
    let restore = |key: &str, value: serde_json::Value| {
        let mut changed = saved.clone();
        changed[key] = value;
        let changed = serde_json::from_value(changed).expect("still of its form");
        Panel::restore(&set, &changed)
    };
    let refusals = [
        restore("symbols", u64::MAX.into()),
        restore("symbols", 3.into()),
        restore("rows", u64::MAX.into()),
        restore("strips", serde_json::json!([])),
        restore("strips", serde_json::json!([[1, 2, 3]])),
        restore("set", "sma".into()),
    ];
    assert!(refusals.iter().all(|refusal| matches!(refusal, Err(FeatureError::State(_)))));
    let strip = saved["strips"][0].as_array().expect("a list");
    let wild = vec![1e9_f64.to_bits(); strip.len()];
    for mut panel in [restore("rows", 27.into()), restore("strips", serde_json::json!([wild]))]
        .map(|panel| panel.expect("of the right form"))
    {
        (30..60).for_each(|row| panel.update(across(&symbols, row).view()).expect("two bars"));
    }
}

#[test]
fn single_bars_give_the_same_bits_as_whole_columns() {
    let bars = walk(1500, 7);
    for set in [FeatureSet::classic(), FeatureSet::alpha158()] {
        let whole = compute(&set, bars.view(), &ComputeOptions::default()).expect("enough rows");
        let mut stream = Stream::new(&set);
        let mut columns = vec![Vec::new(); whole.columns.len()];
        for row in 0..bars.len() {
            for (column, value) in columns.iter_mut().zip(stream.update(&Bar::at(bars.view(), row)))
            {
                column.push(*value);
            }
        }
        assert_same_bits(&whole.columns, &columns, set.name());
    }
}

#[test]
fn every_number_of_threads_gives_the_same_bits() {
    // Tables above 16 MiB, which are stored past the caches; a stream's columns are not.
    let bars = walk(100_000, 3);
    for set in [FeatureSet::classic(), FeatureSet::alpha158()] {
        let on = |threads| {
            let options = ComputeOptions { threads, progress: None };
            compute(&set, bars.view(), &options).expect("enough rows").columns
        };
        let one = on(1);
        for threads in [2, 3, 8] {
            assert_same_bits(&one, &on(threads), set.name());
        }
        let mut streamed = vec![vec![0.0; bars.len()]; one.len()];
        let mut columns: Vec<&mut [f64]> = streamed.iter_mut().map(Vec::as_mut_slice).collect();
        Stream::new(&set).extend(bars.view(), &mut columns).expect("columns of that length");
        assert_same_bits(&one, &streamed, set.name());
    }
}

/// A set shares what its features have in common; a kernel leaves out what a feature alone does not need.
#[test]
fn a_feature_alone_has_the_bits_that_it_has_in_a_set() {
    let bars = walk(CUT_ROWS, 5);
    let options = ComputeOptions::default();
    let features =
        [("stddev", &[20.0][..]), ("linearreg_slope", &[20.0]), ("bbands", &[20.0, 2.0])];
    let set = compute(&FeatureSet::classic(), bars.view(), &options).expect("enough rows");
    for (name, params) in features {
        let indicator = registry::get(name).expect("known");
        let alone = FeatureSet::single(indicator, params).expect("in range");
        let alone = compute(&alone, bars.view(), &options).expect("enough rows").columns;
        let first = set.names.iter().position(|n| n.starts_with(name)).expect("one of the twenty");
        let shared = &set.columns[first..first + alone.len()];
        assert_same_bits(&alone, shared, name);
    }
}
