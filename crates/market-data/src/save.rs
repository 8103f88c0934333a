//! Bars to a file, its kind by its ending.
//!
//! Parquet's defaults here, a dictionary for prices and volumes and differences for times, come from
//! this table: 2.5 million bars with prices to two decimals, snappy, on two cores of Zen 4 that other
//! work kept busy, so that times tell only against each other. Sizes are exact.
//!
//! | way | MB | write ms | read ms |
//! |---|---|---|---|
//! | plain | 57.3 | 3120 | 665 |
//! | plain, delta times | 39.7 | 2741 | 540 |
//! | dictionary everywhere | 42.7 | 3720 | 317 |
//! | **dictionary, delta times** | **24.3** | **2311** | **199** |
//! | dictionary for prices alone, delta times | 29.0 | 1834 | 299 |
//! | the same, groups of 128 Ki rows | 27.7 | 1938 | 260 |
//! | the same, groups of 512 Ki rows | 28.4 | 2280 | 270 |
//! | byte-stream split, delta times | 80.5 | 1991 | 516 |
//!
//! `cargo run --release -p market-data --example formats [FILE]` makes it again, for zstd and for no
//! compression too.

use std::io::Write;
use std::path::Path;

use arrow_array::RecordBatch;
use arrow_schema::SchemaRef;
use parquet::arrow::ArrowWriter;
use parquet::arrow::arrow_writer::{ArrowColumnChunk, compute_leaves};
use parquet::basic::{Compression as Codec, Encoding, ZstdLevel};
use parquet::errors::ParquetError;
use parquet::file::properties::WriterProperties;
use parquet::schema::types::ColumnPath;
use rayon::prelude::*;
use serde::{Deserialize, Serialize};

use crate::column::NAMES;
use crate::{
    BarsView, BatchWriter, CHUNK_ROWS, DataError, Synth, SynthOptions, atomic, csv, ipc, synth,
};

/// How Parquet columns are compressed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Compression {
    /// Fast both ways.
    #[default]
    Snappy,
    /// Smaller, slower to write.
    Zstd,
    /// As fast as snappy, a little smaller.
    Lz4,
    /// Largest, fastest to read from a fast disk.
    None,
}

impl Compression {
    fn codec(self) -> Codec {
        match self {
            Self::Snappy => Codec::SNAPPY,
            Self::Zstd => Codec::ZSTD(ZstdLevel::default()),
            Self::Lz4 => Codec::LZ4_RAW,
            Self::None => Codec::UNCOMPRESSED,
        }
    }
}

/// How to write bars.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct SaveOptions {
    /// Compression of Parquet columns; other kinds take none.
    pub compression: Compression,
}

/// Writes `bars` to `path`, whole or not at all: Arrow IPC for `.arrow`, `.feather` and `.ipc`, CSV
/// for `.csv`, `.csv.gz` and `.csv.zst`, Parquet for every other ending.
///
/// # Errors
/// [`DataError::NoFolder`] or [`DataError::Io`]; the old file stays then.
pub fn save(path: &Path, bars: BarsView<'_>, options: &SaveOptions) -> Result<(), DataError> {
    let name = path.to_string_lossy().to_lowercase();
    let ends = |endings: &[&str]| endings.iter().any(|ending| name.ends_with(ending));
    replace(path, |out| {
        if ends(&[".arrow", ".feather", ".ipc"]) {
            ipc::write(out, bars)
        } else if ends(&[".csv"]) {
            csv::write(out, bars)
        } else if ends(&[".csv.gz"]) {
            let mut out = flate2::write::GzEncoder::new(out, flate2::Compression::fast());
            csv::write(&mut out, bars)?;
            out.finish().map(drop)
        } else if ends(&[".csv.zst"]) {
            let mut out = zstd::Encoder::new(out, 1)?;
            csv::write(&mut out, bars)?;
            out.finish().map(drop)
        } else {
            write_bars(out, bars, options.compression).map_err(std::io::Error::other)
        }
    })
}

/// Makes bars and saves them, and gives their number. Parquet takes the memory of one piece,
/// whatever the number; the other kinds that of all bars.
///
/// # Errors
/// As [`save`]'s.
pub fn synth_to(
    path: &Path,
    options: &SynthOptions,
    how: &SaveOptions,
) -> Result<usize, DataError> {
    if is_parquet(path) {
        let mut writer = BatchWriter::create(path, how)?;
        for piece in Synth::new(options, CHUNK_ROWS) {
            writer.write(piece.view())?;
        }
        return writer.finish();
    }
    save(path, synth(options).view(), how)?;
    Ok(options.bars)
}

fn is_parquet(path: &Path) -> bool {
    let name = path.to_string_lossy().to_lowercase();
    ![".arrow", ".feather", ".ipc", ".csv", ".csv.gz", ".csv.zst"]
        .iter()
        .any(|ending| name.ends_with(ending))
}

/// [`atomic::write`] with this crate's errors.
pub(crate) fn replace(
    path: &Path,
    fill: impl FnOnce(&mut (dyn Write + Send)) -> std::io::Result<()>,
) -> Result<(), DataError> {
    check_folder(path)?;
    atomic::write(path, |out| fill(out)).map_err(|source| DataError::io(path, source))
}

/// Says early, and better than the system, that the folder is missing.
pub(crate) fn check_folder(path: &Path) -> Result<(), DataError> {
    if let Some(folder) = path.parent()
        && !folder.as_os_str().is_empty()
        && !folder.is_dir()
    {
        return Err(DataError::NoFolder { path: path.to_owned(), folder: folder.to_owned() });
    }
    Ok(())
}

/// How bars are written: prices are ticks, which repeat, and times mostly a steady step.
pub(crate) fn properties(compression: Compression) -> WriterProperties {
    let times = || ColumnPath::from(NAMES[0]);
    WriterProperties::builder()
        .set_compression(compression.codec())
        .set_max_row_group_row_count(Some(GROUP_ROWS))
        .set_column_dictionary_enabled(times(), false)
        .set_column_encoding(times(), Encoding::DELTA_BINARY_PACKED)
        .build()
}

/// How other tables are written: computed numbers repeat too little for a dictionary to pay.
fn table_properties(compression: Compression) -> WriterProperties {
    WriterProperties::builder()
        .set_compression(compression.codec())
        .set_dictionary_enabled(false)
        .build()
}

/// Rows of a row group: a group is held in memory, encoded, until its columns are written.
const GROUP_ROWS: usize = 1 << 20;

pub(crate) fn write_parquet(
    out: &mut (dyn Write + Send),
    batch: &RecordBatch,
    compression: Compression,
) -> std::io::Result<()> {
    let part = |start, rows| Ok(batch.slice(start, rows));
    write_groups(out, batch.schema(), batch.num_rows(), table_properties(compression), part)
        .map_err(std::io::Error::other)
}

/// Arrow's columns are copies of ours: made group by group they take the memory of one.
fn write_bars(
    out: &mut (dyn Write + Send),
    bars: BarsView<'_>,
    compression: Compression,
) -> Result<(), ParquetError> {
    let schema = ipc::batch(bars.slice(0..0))?.schema();
    write_groups(out, schema, bars.len(), properties(compression), |start, rows| {
        Ok(ipc::batch(bars.slice(start..start + rows))?)
    })
}

/// The columns of a group are encoded side by side.
fn write_groups(
    out: &mut (dyn Write + Send),
    schema: SchemaRef,
    rows: usize,
    properties: WriterProperties,
    part: impl Fn(usize, usize) -> Result<RecordBatch, ParquetError>,
) -> Result<(), ParquetError> {
    let writer = ArrowWriter::try_new(out, SchemaRef::clone(&schema), Some(properties))?;
    let (mut file, factory) = writer.into_serialized_writer()?;
    for (number, start) in (0..rows).step_by(GROUP_ROWS).enumerate() {
        let batch = part(start, GROUP_ROWS.min(rows - start))?;
        let writers = factory.create_column_writers(number)?;
        let encoded: Result<Vec<ArrowColumnChunk>, ParquetError> = writers
            .into_par_iter()
            .zip(schema.fields().par_iter())
            .zip(batch.columns())
            .with_max_len(1)
            .map(|((mut writer, field), column)| {
                for leaf in compute_leaves(field, column)? {
                    writer.write(&leaf)?;
                }
                writer.close()
            })
            .collect();
        let mut group = file.next_row_group()?;
        for column in encoded? {
            column.append_to_row_group(&mut group)?;
        }
        group.close()?;
    }
    file.close().map(drop)
}
