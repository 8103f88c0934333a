//! Many symbols from a folder, from Hive's partitions and from a file with a column of symbols.

use std::path::Path;
use std::sync::Arc;

use arrow_array::{ArrayRef, Float64Array, Int64Array, RecordBatch, StringArray};
use market_data::{Bars, Columns, LoadOptions, SaveOptions, SynthOptions, Universe, save, synth};
use parquet::arrow::ArrowWriter;

fn made(seed: u64) -> Bars {
    synth(&SynthOptions { bars: 500, seed, ..SynthOptions::default() })
}

fn write(path: &Path, bars: &Bars, rows: std::ops::Range<usize>) {
    std::fs::create_dir_all(path.parent().unwrap()).unwrap();
    save(path, bars.view().slice(rows), &SaveOptions::default()).unwrap();
}

#[test]
fn a_folder_partitioned_by_symbol_and_year() {
    let folder = tempfile::tempdir().unwrap();
    let [a, b] = [made(1), made(2)];
    let at = |path: &str| folder.path().join(path);
    write(&at("symbol=BBB/part-0.parquet"), &b, 0..500);
    // The later year comes first by name.
    write(&at("symbol=AAA/year=2023/x.csv"), &a, 200..500);
    write(&at("symbol=AAA/year=2024/x.arrow"), &a, 0..200);
    std::fs::write(at("_SUCCESS"), "").unwrap();
    std::fs::write(at(".hidden"), "").unwrap();
    let universe = Universe::load(folder.path(), &LoadOptions::default()).unwrap();
    assert_eq!(universe.names().collect::<Vec<_>>(), ["AAA", "BBB"]);
    assert_eq!(universe.get("AAA"), Some(a.view()));
    assert_eq!(universe.get("BBB"), Some(b.view()));
    let (from, to) = (a.timestamp[10], a.timestamp[20]);
    for (name, part) in universe.between(from, to) {
        let whole = universe.get(name).unwrap();
        assert_eq!(part, whole.slice(10..20));
        assert_eq!(part.close.as_ptr(), whole.close[10..].as_ptr(), "cut, not copied");
    }
    // A part that stands twice.
    write(&at("symbol=AAA/year=2025/x.csv"), &a, 0..10);
    let error = Universe::load(folder.path(), &LoadOptions::default()).unwrap_err().to_string();
    assert!(error.contains("symbol=AAA") && error.contains("row"), "{error}");
}

#[test]
fn an_empty_folder_and_a_broken_file_are_named() {
    let folder = tempfile::tempdir().unwrap();
    let load = || Universe::load(folder.path(), &LoadOptions::default());
    assert!(load().unwrap_err().to_string().contains("no bars"));
    std::fs::write(folder.path().join("X.csv"), "a,b\n1,2\n").unwrap();
    let error = load().unwrap_err().to_string();
    assert!(error.contains("X.csv") && error.contains("no column"), "{error}");
}

/// Rows of two symbols in turn.
fn mixed(path: &Path, [a, b]: [&Bars; 2]) {
    let both = |pick: fn(&Bars) -> &Vec<f64>| -> ArrayRef {
        let pairs = pick(a).iter().zip(pick(b));
        Arc::new(pairs.flat_map(|(&a, &b)| [a, b]).collect::<Float64Array>())
    };
    let times: Int64Array = a.timestamp.iter().flat_map(|&time| [time, time]).collect();
    let names: StringArray = (0..a.len()).flat_map(|_| [Some("AAA"), Some("BBB")]).collect();
    let batch = RecordBatch::try_from_iter([
        ("Ticker", Arc::new(names) as ArrayRef),
        ("ts", Arc::new(times) as ArrayRef),
        ("open", both(|bars| &bars.open)),
        ("high", both(|bars| &bars.high)),
        ("low", both(|bars| &bars.low)),
        ("close", both(|bars| &bars.close)),
        ("volume", both(|bars| &bars.volume)),
    ])
    .unwrap();
    let file = std::fs::File::create(path).unwrap();
    let mut writer = ArrowWriter::try_new(file, batch.schema(), None).unwrap();
    writer.write(&batch).unwrap();
    writer.close().unwrap();
}

#[test]
fn a_file_with_a_column_of_symbols() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("all.parquet");
    let [a, mut b] = [made(1), made(2)];
    mixed(&path, [&a, &b]);
    let universe = Universe::load(&path, &LoadOptions::default()).unwrap();
    assert_eq!(universe.len(), 2);
    assert_eq!(universe.get("AAA"), Some(a.view()));
    assert_eq!(universe.get("BBB"), Some(b.view()));
    let options = LoadOptions {
        from: Some(a.timestamp[100]),
        to: Some(a.timestamp[200]),
        columns: Columns::CLOSE,
        ..LoadOptions::default()
    };
    let part = Universe::load(&path, &options).unwrap();
    let part = part.get("BBB").unwrap();
    assert_eq!((part.close, part.len()), (&b.close[100..200], 100));
    assert!(part.open.is_empty());
    b.close[7] = -1.0;
    mixed(&path, [&a, &b]);
    let error = Universe::load(&path, &LoadOptions::default()).unwrap_err().to_string();
    assert!(error.contains("row 8 of 'BBB'") && error.contains("close is -1"), "{error}");
}

#[test]
fn a_csv_with_a_column_of_symbols_and_one_without() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("all.csv");
    let text = "symbol,time,open,high,low,close\nX,60,1,2,1,2\nY,60,3,4,3,4\nX,120,2,2,2,2\n";
    std::fs::write(&path, text).unwrap();
    let universe = Universe::load(&path, &LoadOptions::default()).unwrap();
    assert_eq!(universe.get("X").unwrap().close, [2.0, 2.0]);
    assert_eq!(universe.get("Y").unwrap().timestamp, [60_000_000_000]);
    std::fs::write(&path, "time,open,high,low,close\n60,1,2,1,2\n").unwrap();
    let universe = Universe::load(&path, &LoadOptions::default()).unwrap();
    assert_eq!(universe.names().collect::<Vec<_>>(), ["all"]);
}
