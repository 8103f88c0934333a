//! Any file of bars, told by its content.

use std::fs::File;
use std::io::Read;
use std::path::Path;

use crate::column::EpochUnit;
use crate::error::DataError;
use crate::expand::expand;
use crate::parquet::{NO_TIME, ParquetFile};
use crate::validate::{Policy, defects, is_clean, without_defects};
use crate::{Bars, Columns, csv, ipc, sys};

/// What to read, and what to do with rows that cannot be.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct LoadOptions {
    /// First timestamp to keep, in nanoseconds since the epoch.
    pub from: Option<i64>,
    /// First timestamp not to keep.
    pub to: Option<i64>,
    /// Columns to read beside the timestamps; the others stay empty.
    pub columns: Columns,
    /// What to do with defective rows.
    pub policy: Policy,
    /// The unit of times that are whole numbers; where it is not stated, the size of a file's first time
    /// tells it: seconds until the year 2286, milli-, micro- or nanoseconds from 1970-04 on.
    pub epoch_unit: Option<EpochUnit>,
}

/// What a file holds, by its first bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    Parquet,
    Ipc,
    Csv,
    CsvGzip,
    CsvZstd,
}

impl Kind {
    pub(crate) fn of(start: &[u8]) -> Self {
        match start {
            [b'P', b'A', b'R', b'1', ..] => Self::Parquet,
            [b'A', b'R', b'R', b'O', b'W', b'1', ..] => Self::Ipc,
            [0x1f, 0x8b, ..] => Self::CsvGzip,
            [0x28, 0xb5, 0x2f, 0xfd, ..] => Self::CsvZstd,
            _ => Self::Csv,
        }
    }
}

/// Reads bars from Parquet, Arrow IPC or CSV (plain, gzip, zstd), told by content, and checks them.
///
/// # Errors
/// [`DataError`] naming the file, and the row or column where there is one.
pub fn load(path: &Path, options: &LoadOptions) -> Result<Bars, DataError> {
    checked(path, read(path, options, Bars::default())?, options)
}

/// [`load`] into the memory of `bars`, whose columns are overwritten; on an error they are empty.
///
/// Memory fresh from the system is zeroed by it first, a third of a load's work. Whoever loads
/// again and again spares it by this.
///
/// # Errors
/// As [`load`]'s.
pub fn load_into(path: &Path, options: &LoadOptions, bars: &mut Bars) -> Result<(), DataError> {
    *bars = checked(path, read(path, options, std::mem::take(bars))?, options)?;
    Ok(())
}

/// Bars held against the policy.
pub(crate) fn checked(path: &Path, bars: Bars, options: &LoadOptions) -> Result<Bars, DataError> {
    let bars = if is_clean(bars.view()) && bars.timestamp.first() != Some(&NO_TIME) {
        bars
    } else {
        mend(path, bars, options.policy)?
    };
    if bars.is_empty() {
        return Err(DataError::NoBars { path: path.to_owned() });
    }
    Ok(bars)
}

/// Bars of which one or more have a defect.
fn mend(path: &Path, bars: Bars, policy: Policy) -> Result<Bars, DataError> {
    if let Some(row) = bars.timestamp.iter().position(|&time| time == NO_TIME) {
        return Err(DataError::Value {
            path: path.to_owned(),
            row: row + 1,
            column: "timestamp".to_owned(),
            text: "null, or too far".to_owned(),
            expected: "a time from 1677 to 2262",
        });
    }
    match policy {
        Policy::Keep => Ok(bars),
        Policy::Drop => Ok(without_defects(&bars)),
        Policy::Error => {
            let first = defects(bars.view()).next();
            first.map_or(Ok(bars), |(row, defect)| {
                Err(DataError::Defect { path: path.to_owned(), row: row + 1, defect })
            })
        }
    }
}

/// The bars as they stand in the file, unchecked but for times that cannot be told.
/// Parquet is read into the memory of `old`.
pub(crate) fn read(path: &Path, options: &LoadOptions, old: Bars) -> Result<Bars, DataError> {
    let (file, bytes, kind) = open(path)?;
    let (from, to) = (options.from.unwrap_or(i64::MIN), options.to.unwrap_or(i64::MAX));
    if kind == Kind::Parquet {
        let file = ParquetFile::open(path, file, bytes, options)?;
        return if options.from.is_none() && options.to.is_none() {
            file.read(options.columns.wanted(), &file.all(), old)
        } else {
            file.read_between(from, to)
        };
    }
    let bars = read_whole(path, file, bytes, kind, options)?;
    if options.from.is_none() && options.to.is_none() {
        return Ok(bars);
    }
    Ok(bars.view().between(from, to).to_owned())
}

/// The file, its size, and what it holds.
pub(crate) fn open(path: &Path) -> Result<(File, u64, Kind), DataError> {
    let io = |source| DataError::io(path, source);
    // Opening a FIFO would wait for a writer.
    let known = std::fs::metadata(path).map_err(io)?;
    if !known.is_file() {
        let what = if known.is_dir() { "a folder" } else { "not a regular file" };
        let source = std::io::Error::other(format!("this is {what}: give a file of bars"));
        return Err(io(source));
    }
    let file = File::open(path).map_err(io)?;
    let bytes = file.metadata().map_err(io)?.len();
    if bytes == 0 {
        return Err(DataError::EmptyFile { path: path.to_owned() });
    }
    let mut start = [0; 6];
    let read = (bytes as usize).min(start.len());
    sys::read_at(&file, &mut start[..read], 0).map_err(io)?;
    if start[0] == b'{' {
        let what = "this is JSON: bars are read from Parquet, CSV and Arrow IPC";
        return Err(io(std::io::Error::other(what)));
    }
    Ok((file, bytes, Kind::of(&start[..read])))
}

fn read_whole(
    path: &Path,
    mut file: File,
    bytes: u64,
    kind: Kind,
    options: &LoadOptions,
) -> Result<Bars, DataError> {
    let mut content = Vec::with_capacity(bytes as usize + 1);
    file.read_to_end(&mut content).map_err(|source| DataError::io(path, source))?;
    match kind {
        Kind::Parquet | Kind::Ipc => ipc::read(path, content, options),
        Kind::Csv => csv::read(path, &content, options),
        Kind::CsvGzip => {
            let reader = flate2::read::MultiGzDecoder::new(content.as_slice());
            csv::read(path, &expand(path, "gzip", reader)?, options)
        }
        Kind::CsvZstd => {
            let reader = zstd::Decoder::new(content.as_slice())
                .map_err(|why| DataError::damaged(path, "zstd", why))?;
            csv::read(path, &expand(path, "zstd", reader)?, options)
        }
    }
}
