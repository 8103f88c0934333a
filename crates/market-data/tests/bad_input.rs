//! Files that are no bars: an error of one line that names the file, and the row or column.

use std::path::Path;
use std::sync::Arc;

use arrow_array::{ArrayRef, Float64Array, Int64Array, RecordBatch, StructArray};
use market_data::{LoadOptions, SaveOptions, SynthOptions, load, save, synth};
use parquet::arrow::ArrowWriter;
use parquet::file::metadata::{
    FileMetaData, ParquetMetaData, ParquetMetaDataReader, ParquetMetaDataWriter,
};

fn refused(path: &Path, words: &[&str]) {
    let error = load(path, &LoadOptions::default()).expect_err("these are no bars").to_string();
    assert!(error.starts_with(&path.display().to_string()), "{error}");
    assert!(!error.contains('\n'), "{error}");
    for word in words {
        assert!(error.contains(word), "{error} does not say {word}");
    }
}

fn text_is_refused(content: &[u8], words: &[&str]) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("bars.csv");
    std::fs::write(&path, content).unwrap();
    refused(&path, words);
}

#[test]
fn no_file_at_all() {
    let folder = tempfile::tempdir().unwrap();
    refused(folder.path(), &["this is a folder"]);
    refused(&folder.path().join("nothing"), &["No such file"]);
    let fifo = folder.path().join("fifo");
    assert!(std::process::Command::new("mkfifo").arg(&fifo).status().unwrap().success());
    refused(&fifo, &["not a regular file"]);
}

#[test]
fn a_document_of_something_else() {
    text_is_refused(b"{\"bars\": []}", &["bars.csv", "this is JSON", "Parquet, CSV and Arrow IPC"]);
}

#[test]
fn text() {
    text_is_refused(b"", &["the file is empty"]);
    text_is_refused(b"time,open,high,low,close\n", &["no bars"]);
    text_is_refused(b"time,open,high,low,close\n1,2,3\n1,2,3,4\n", &["CSV", "line: 2", "5 fields"]);
    text_is_refused(b"a,b,c\n1,2,3\n1,2,3,4\n", &["no column 'timestamp'", "a, b, c"]);
    let head = "time,open,high,low,close,volume\n";
    let with = |row: &[u8]| [head.as_bytes(), row].concat();
    text_is_refused(&with(b"60,1,1,1,1,\xff\xfe\n"), &["row 1", "'volume'", "a number"]);
    text_is_refused(&with(b"\xff,1,1,1,1,1\n"), &["row 1", "'time'"]);
    text_is_refused(&with(b"60,1,1,1,x,1\n"), &["row 1", "'close'", "'x'"]);
    text_is_refused(&with(b"2263-01-01,1,1,1,1,1\n"), &["row 1", "'time'", "2263-01-01"]);
    text_is_refused(&with(b"60,1,1,1,1,1\n60,1,1,1,1,1\n"), &["row 2", "may stand once"]);
    text_is_refused(&with(b"60,1,1,1,-1,1\n"), &["row 1"]);
}

fn parquet(path: &Path, columns: Vec<(&str, ArrayRef)>) {
    let batch = RecordBatch::try_from_iter(columns).unwrap();
    let file = std::fs::File::create(path).unwrap();
    let mut writer = ArrowWriter::try_new(file, batch.schema(), None).unwrap();
    writer.write(&batch).unwrap();
    writer.close().unwrap();
}

#[test]
fn nested_and_missing_columns() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("nested.parquet");
    let price = || -> ArrayRef { Arc::new(Float64Array::from(vec![1.0, 1.0])) };
    let time = || -> ArrayRef { Arc::new(Int64Array::from(vec![60, 120])) };
    let field = Arc::new(arrow_schema::Field::new("close", arrow_schema::DataType::Float64, true));
    let nested = StructArray::from(vec![(Arc::clone(&field), price())]);
    let inner: ArrayRef = Arc::new(StructArray::new(
        vec![field].into(),
        vec![price()],
        Some(vec![true, false].into()),
    ));
    drop(nested);
    let columns = vec![
        ("time", time()),
        ("open", price()),
        ("high", price()),
        ("low", price()),
        ("bar", inner),
    ];
    parquet(&path, columns);
    refused(&path, &["bar.close", "nested"]);
    parquet(&path, vec![("time", time()), ("open", price()), ("hgih", price())]);
    refused(&path, &["no column 'high'", "did you mean 'hgih'?"]);
}

#[test]
fn times_that_nanoseconds_cannot_hold() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("late.parquet");
    let price = || -> ArrayRef { Arc::new(Float64Array::from(vec![1.0, 1.0])) };
    let write = |times: Vec<Option<i64>>| {
        let time: ArrayRef = Arc::new(arrow_array::TimestampMicrosecondArray::from(times));
        parquet(
            &path,
            vec![
                ("time", time),
                ("open", price()),
                ("high", price()),
                ("low", price()),
                ("close", price()),
            ],
        );
    };
    write(vec![Some(0), Some(9_300_000_000_000_000)]);
    refused(&path, &["row 2", "'timestamp'", "2262"]);
    write(vec![None, Some(0)]);
    refused(&path, &["row 1", "'timestamp'"]);
}

/// The file again, with a footer that claims `rows` rows of its one row group.
fn claiming(file: &[u8], rows: i64) -> Vec<u8> {
    let known = ParquetMetaDataReader::new()
        .parse_and_finish(&bytes::Bytes::copy_from_slice(file))
        .expect("it was just written");
    let group = known.row_group(0).clone();
    let columns = group.columns().iter();
    let columns = columns.map(|column| {
        let column = column.clone().into_builder().set_num_values(rows);
        column.build().expect("only a number differs")
    });
    let columns = columns.collect();
    let group = group.into_builder().set_num_rows(rows).set_column_metadata(columns).build();
    let of_file = known.file_metadata();
    let of_file = FileMetaData::new(
        of_file.version(),
        rows,
        None,
        None,
        of_file.schema_descr_ptr(),
        of_file.column_orders().cloned(),
    );
    let claim =
        ParquetMetaData::new(of_file, vec![group.expect("as many columns as the schema has")]);
    let mut out = file.to_vec();
    ParquetMetaDataWriter::new(&mut out, &claim).finish().expect("to memory");
    out
}

#[test]
fn a_footer_that_claims_more_rows_than_there_are() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("bomb.parquet");
    let bars = synth(&SynthOptions { bars: 1_000, ..SynthOptions::default() });
    save(&path, bars.view(), &SaveOptions::default()).unwrap();
    let file = std::fs::read(&path).unwrap();
    std::fs::write(&path, claiming(&file, 1_000)).unwrap();
    assert_eq!(load(&path, &LoadOptions::default()).unwrap(), bars);
    // More than memory holds, and a few more than the pages hold.
    std::fs::write(&path, claiming(&file, 1 << 50)).unwrap();
    refused(&path, &["1125899906842624 rows", "memory"]);
    std::fs::write(&path, claiming(&file, 1_001)).unwrap();
    refused(&path, &["Parquet"]);
}
