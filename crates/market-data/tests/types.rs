//! Every type that a file may give its columns, and every name.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use arrow_array::types::{
    ArrowTimestampType, TimestampMicrosecondType, TimestampMillisecondType,
    TimestampNanosecondType, TimestampSecondType,
};
use arrow_array::{
    ArrayRef, Decimal128Array, Float32Array, Float64Array, Int32Array, Int64Array, PrimitiveArray,
    RecordBatch,
};
use market_data::{Bars, EpochUnit, LoadOptions, load};
use parquet::arrow::ArrowWriter;

/// 2024-01-01 and the two minutes after it, in seconds.
const SECONDS: [i64; 3] = [1_704_067_200, 1_704_067_260, 1_704_067_320];

fn prices() -> ArrayRef {
    Arc::new(Float64Array::from(vec![1.25, 1.5, 1.75]))
}

/// As Parquet and as Arrow IPC; the names of the columns are some of those that files use.
fn write(folder: &Path, time: ArrayRef, close: ArrayRef) -> [PathBuf; 2] {
    let columns = [("ts", time), ("o", prices()), ("High", prices()), ("l", prices())];
    let columns = columns.into_iter().chain([("Adj Close", close), ("Vol", prices())]);
    let batch = RecordBatch::try_from_iter(columns).expect("columns of one length");
    let paths = ["bars.parquet", "bars.arrow"].map(|name| folder.join(name));
    let file = |path| std::fs::File::create(path).expect("a file");
    let mut writer = ArrowWriter::try_new(file(&paths[0]), batch.schema(), None).expect("Parquet");
    writer.write(&batch).expect("a batch");
    writer.close().expect("a file");
    let writer = arrow_ipc::writer::FileWriter::try_new(file(&paths[1]), &batch.schema());
    let mut writer = writer.expect("Arrow IPC");
    writer.write(&batch).expect("a batch");
    writer.finish().expect("a file");
    paths
}

fn read(time: ArrayRef, close: ArrayRef, epoch_unit: Option<EpochUnit>) -> [Bars; 2] {
    let folder = tempfile::tempdir().expect("a folder");
    let options = LoadOptions { epoch_unit, ..LoadOptions::default() };
    write(folder.path(), time, close).map(|path| load(&path, &options).expect("bars"))
}

/// The times as a timestamp of type `T`, with a zone and without.
fn timestamps<T: ArrowTimestampType>(per_second: i64) -> [ArrayRef; 2] {
    let values = SECONDS.map(|second| second * per_second);
    let times = PrimitiveArray::<T>::from_iter_values(values);
    [Arc::new(times.clone().with_timezone("+05:30")), Arc::new(times)]
}

fn of_unit(unit: EpochUnit) -> [ArrayRef; 2] {
    match unit {
        EpochUnit::Seconds => timestamps::<TimestampSecondType>(1),
        EpochUnit::Milliseconds => timestamps::<TimestampMillisecondType>(1_000),
        EpochUnit::Microseconds => timestamps::<TimestampMicrosecondType>(1_000_000),
        EpochUnit::Nanoseconds => timestamps::<TimestampNanosecondType>(1_000_000_000),
    }
}

const UNITS: [EpochUnit; 4] =
    [EpochUnit::Seconds, EpochUnit::Milliseconds, EpochUnit::Microseconds, EpochUnit::Nanoseconds];

#[test]
fn times_of_every_unit_with_and_without_a_zone() {
    for (unit, per_second) in UNITS.into_iter().zip([1, 1_000, 1_000_000, 1_000_000_000]) {
        let [zoned, plain] = of_unit(unit);
        let numbers = SECONDS.map(|second| second * per_second).to_vec();
        for time in [zoned, plain, Arc::new(Int64Array::from(numbers))] {
            for bars in read(time, prices(), None) {
                assert_eq!(
                    bars.timestamp,
                    SECONDS.map(|second| second * 1_000_000_000),
                    "{unit:?}"
                );
            }
        }
    }
}

/// Milliseconds of January 1970 look like seconds of 1982: only who states the unit is understood.
#[test]
fn whole_numbers_of_a_stated_unit() {
    let numbers = || Arc::new(Int64Array::from(vec![400_000_000, 400_060_000, 400_120_000]));
    for (unit, ns) in UNITS.into_iter().zip([1_000_000_000, 1_000_000, 1_000, 1]) {
        for bars in read(numbers(), prices(), Some(unit)) {
            assert_eq!(bars.timestamp[1], 400_060_000 * ns, "{unit:?}");
        }
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("bars.csv");
        for header in ["", "time,open,high,low,close,volume\n"] {
            let text = format!("{header}400000000,1,1,1,1,1\n400060000,1,1,1,1,1\n");
            std::fs::write(&path, text).expect("a file");
            let options = LoadOptions { epoch_unit: Some(unit), ..LoadOptions::default() };
            let bars = load(&path, &options).expect("bars");
            assert_eq!(bars.timestamp, [400_000_000 * ns, 400_060_000 * ns], "{unit:?}");
        }
    }
    assert_eq!(read(numbers(), prices(), None)[0].timestamp[0], 400_000_000 * 1_000_000_000);
}

#[test]
fn prices_of_every_type() {
    let decimals = |precision, scale: i8| {
        let unit = 10_i128.pow(u32::from(scale.unsigned_abs()));
        let values =
            Decimal128Array::from(vec![125 * unit / 100, 150 * unit / 100, 175 * unit / 100]);
        values.with_precision_and_scale(precision, scale).expect("it fits")
    };
    let parts: [(&str, ArrayRef); 5] = [
        ("f64", prices()),
        ("f32", Arc::new(Float32Array::from(vec![1.25, 1.5, 1.75]))),
        ("decimal of 32 bits", Arc::new(decimals(9, 2))),
        ("decimal of 64 bits", Arc::new(decimals(18, 6))),
        ("decimal of bytes", Arc::new(decimals(38, 10))),
    ];
    for (name, close) in parts {
        for bars in read(of_unit(EpochUnit::Nanoseconds)[0].clone(), close, None) {
            assert_eq!(bars.close, [1.25, 1.5, 1.75], "{name}");
        }
    }
    let whole: [(&str, ArrayRef); 2] = [
        ("i32", Arc::new(Int32Array::from(vec![1, 2, 3]))),
        ("i64", Arc::new(Int64Array::from(vec![1, 2, 3]))),
    ];
    for (name, volume) in whole {
        let folder = tempfile::tempdir().expect("a folder");
        let [time, _] = of_unit(EpochUnit::Nanoseconds);
        let options = LoadOptions { policy: market_data::Policy::Keep, ..LoadOptions::default() };
        for path in write(folder.path(), time, volume) {
            assert_eq!(load(&path, &options).expect("bars").close, [1.0, 2.0, 3.0], "{name}");
        }
    }
}
