//! The user's own case: 100 MB of columns saved as Parquet and loaded back.

use std::fs::File;
use std::io;
use std::sync::Arc;
use std::time::{Duration, Instant};

use parquet::basic::{Compression, Repetition, Type as PhysicalType};
use parquet::column::reader::ColumnReader;
use parquet::data_type::DoubleType;
use parquet::file::properties::WriterProperties;
use parquet::file::reader::{FileReader, SerializedFileReader};
use parquet::file::writer::SerializedFileWriter;
use parquet::schema::types::Type;

use super::Scratch;
use crate::random::XorShift;
use crate::report::StorageRow;
use crate::sys;

const COLUMNS: usize = 12;

/// Prices that walk at random, with the noise of a float's lower digits: nothing that a
/// compressor could win much from.
fn walks(rows: usize) -> Vec<Vec<f64>> {
    let mut random = XorShift::new(0x9E37_79B9_7F4A_7C15);
    let mut walk = |_| {
        let mut price = 100.0;
        let step = |_| {
            let uniform = (random.next() >> 11) as f64 / (1_u64 << 53) as f64;
            price *= 1.0 + (uniform - 0.5) * 1e-3;
            price
        };
        (0..rows).map(step).collect()
    };
    (0..COLUMNS).map(&mut walk).collect()
}

/// Saves `bytes` of columns (snappy) and loads them twice: from the disk where its cache can be
/// dropped, and from memory. Rates count the columns' own bytes, not the file's.
pub(crate) fn parquet(scratch: &Scratch, bytes: usize) -> Result<Vec<StorageRow>, String> {
    let told = |error: io::Error| error.to_string();
    let columns = walks(bytes / COLUMNS / size_of::<f64>());
    let file = &scratch.buffered;
    file.set_len(0).map_err(told)?;
    let begin = Instant::now();
    save(file, &columns).map_err(|error| error.to_string())?;
    let to_memory = begin.elapsed();
    file.sync_all().map_err(told)?;
    let to_disk = begin.elapsed();
    let row = |op: &str, path: &str, took: Duration, verified| StorageRow {
        op: op.to_owned(),
        path: path.to_owned(),
        block_bytes: bytes as u64,
        queue_depth: 1,
        engine: "parquet".to_owned(),
        mb_per_s: Some(bytes as f64 * 1e-6 / took.as_secs_f64()),
        iops: None,
        transfers: 1,
        latency_us: None,
        verified,
    };
    let load = || {
        let begin = Instant::now();
        let found = load(file).map_err(|error| error.to_string())?;
        Ok::<_, String>((begin.elapsed(), found == columns))
    };
    let disk = !sys::in_memory(file);
    let cold = (disk && sys::drop_cache(file).is_ok()).then(&load).transpose()?;
    let (warm, right) = load()?;
    let mut rows = vec![row("save_columns", "page_cache", to_memory, right)];
    if disk {
        rows.push(row("save_columns", "buffered", to_disk, right));
    }
    rows.extend(cold.map(|(took, right)| row("load_columns", "buffered", took, right)));
    rows.push(row("load_columns", "page_cache", warm, right));
    Ok(rows)
}

type ParquetResult<T> = Result<T, parquet::errors::ParquetError>;

fn save(file: &File, columns: &[Vec<f64>]) -> ParquetResult<()> {
    let fields = (0..columns.len()).map(|index| {
        let name = format!("column_{index}");
        let field = Type::primitive_type_builder(&name, PhysicalType::DOUBLE);
        Ok(Arc::new(field.with_repetition(Repetition::REQUIRED).build()?))
    });
    let fields = fields.collect::<ParquetResult<Vec<_>>>()?;
    let schema = Arc::new(Type::group_type_builder("columns").with_fields(fields).build()?);
    let properties = WriterProperties::builder()
        .set_compression(Compression::SNAPPY)
        // Every value differs: a dictionary would be built and thrown away.
        .set_dictionary_enabled(false)
        .build();
    let buffered = io::BufWriter::with_capacity(1 << 20, file);
    let mut writer = SerializedFileWriter::new(buffered, schema, Arc::new(properties))?;
    let mut group = writer.next_row_group()?;
    for column in columns {
        let Some(mut open) = group.next_column()? else { break };
        open.typed::<DoubleType>().write_batch(column, None, None)?;
        open.close()?;
    }
    group.close()?;
    writer.close()?;
    Ok(())
}

/// Every column on a thread of its own, out of one read of the file.
fn load(file: &File) -> ParquetResult<Vec<Vec<f64>>> {
    use std::io::{Read, Seek};
    let mut bytes = Vec::new();
    let mut reader = file;
    reader.rewind()?;
    reader.read_to_end(&mut bytes)?;
    let bytes = bytes::Bytes::from(bytes);
    let column = |index: usize| {
        let reader = SerializedFileReader::new(bytes.clone())?;
        let rows = reader.metadata().file_metadata().num_rows() as usize;
        let ColumnReader::DoubleColumnReader(mut column) =
            reader.get_row_group(0)?.get_column_reader(index)?
        else {
            return Ok(Vec::new());
        };
        let mut values = Vec::with_capacity(rows);
        column.read_records(rows, None, None, &mut values)?;
        ParquetResult::Ok(values)
    };
    std::thread::scope(|scope| {
        let column = &column;
        let threads: Vec<_> =
            (0..COLUMNS).map(|index| scope.spawn(move || column(index))).collect();
        let ends = threads.into_iter().map(|thread| match thread.join() {
            Ok(values) => values,
            Err(panic) => std::panic::resume_unwind(panic),
        });
        ends.collect()
    })
}
