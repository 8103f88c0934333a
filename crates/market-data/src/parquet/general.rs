//! The parquet crate's own column reader: whatever [`super::chunk`] does not decode, one page
//! after the other.

use std::mem::MaybeUninit;
use std::ops::Range;
use std::sync::Arc;

use parquet::column::reader::ColumnReaderImpl;
use parquet::data_type::DataType;
use parquet::errors::ParquetError;
use parquet::file::serialized_reader::SerializedPageReader;

use super::chunk::Chunk;

/// Rows decoded at a time: 512 KiB of doubles, which stay in the cache until they are converted.
const BATCH_ROWS: usize = 65_536;

/// Decodes the rows `wanted` of the row group into `out`, of the same length.
pub(super) fn decode<T: DataType, V: Copy>(
    chunk: &Chunk<'_>,
    wanted: &Range<usize>,
    mut out: &mut [MaybeUninit<V>],
    null: V,
    convert: impl Fn(&T::T) -> V,
) -> Result<(), String> {
    let fail = |why: ParquetError| why.to_string();
    let mut reader = reader::<T>(chunk).map_err(fail)?;
    let skipped = reader.skip_records(wanted.start).map_err(fail)?;
    let short = || "fewer rows than it claims".to_owned();
    if skipped < wanted.start {
        return Err(short());
    }
    let (mut values, mut levels) = (Vec::new(), Vec::new());
    while !out.is_empty() {
        values.clear();
        levels.clear();
        let batch = BATCH_ROWS.min(out.len());
        let (rows, found, _) =
            reader.read_records(batch, Some(&mut levels), None, &mut values).map_err(fail)?;
        if rows == 0 || rows > out.len() {
            return Err(short());
        }
        let (slots, rest) = out.split_at_mut(rows);
        out = rest;
        let mut values = values.iter();
        for (row, slot) in slots.iter_mut().enumerate() {
            let is_valid = found == rows || levels.get(row) == Some(&1);
            let value = if is_valid { values.next().map(&convert) } else { Some(null) };
            slot.write(value.ok_or_else(short)?);
        }
    }
    Ok(())
}

fn reader<T: DataType>(chunk: &Chunk<'_>) -> Result<ColumnReaderImpl<T>, ParquetError> {
    let source = Arc::clone(chunk.source);
    let pages = SerializedPageReader::new(source, chunk.meta, chunk.rows, None)?;
    Ok(ColumnReaderImpl::new(chunk.meta.column_descr_ptr(), Box::new(pages)))
}
