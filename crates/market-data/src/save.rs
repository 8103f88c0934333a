//! Bars to a file, its kind by its ending.

use std::io::Write;
use std::path::Path;

use arrow_array::RecordBatch;
use parquet::arrow::ArrowWriter;
use parquet::basic::{Compression as Codec, ZstdLevel};
use parquet::file::properties::WriterProperties;
use serde::{Deserialize, Serialize};

use crate::{BarsView, DataError, atomic, csv, ipc};

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
            let batch = ipc::batch(bars).map_err(std::io::Error::other)?;
            write_parquet(out, &batch, options.compression)
        }
    })
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

/// Prices repeat too little for a dictionary to pay: it is off.
pub(crate) fn properties(compression: Compression) -> WriterProperties {
    WriterProperties::builder()
        .set_compression(compression.codec())
        .set_dictionary_enabled(false)
        .build()
}

pub(crate) fn write_parquet(
    out: &mut (dyn Write + Send),
    batch: &RecordBatch,
    compression: Compression,
) -> std::io::Result<()> {
    let mut writer = ArrowWriter::try_new(out, batch.schema(), Some(properties(compression)))
        .map_err(std::io::Error::other)?;
    writer.write(batch).map_err(std::io::Error::other)?;
    writer.close().map(drop).map_err(std::io::Error::other)
}
