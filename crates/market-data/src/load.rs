//! Any file of bars, told by its content.

use std::fs::File;
use std::io::Read;
use std::path::Path;

use crate::error::DataError;
use crate::validate::{Policy, defects, without_defects};
use crate::{Bars, csv, ipc, parquet};

/// What to read, and what to do with rows that cannot be.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct LoadOptions {
    /// First timestamp to keep, in nanoseconds since the epoch.
    pub from: Option<i64>,
    /// First timestamp not to keep.
    pub to: Option<i64>,
    /// What to do with defective rows.
    pub policy: Policy,
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
    let bars = read(path)?;
    let first_defect = defects(bars.view()).next();
    let bars = match (options.policy, first_defect) {
        (_, None) | (Policy::Keep, _) => bars,
        (Policy::Drop, _) => without_defects(&bars),
        (Policy::Error, Some((row, defect))) => {
            return Err(DataError::Defect { path: path.to_owned(), row: row + 1, defect });
        }
    };
    let bars = if options.from.is_none() && options.to.is_none() {
        bars
    } else {
        let (from, to) = (options.from.unwrap_or(i64::MIN), options.to.unwrap_or(i64::MAX));
        bars.view().between(from, to).to_owned()
    };
    if bars.is_empty() {
        return Err(DataError::NoBars { path: path.to_owned() });
    }
    Ok(bars)
}

/// The bars as they stand in the file, unchecked.
pub(crate) fn read(path: &Path) -> Result<Bars, DataError> {
    let io = |source| DataError::io(path, source);
    let mut file = File::open(path).map_err(io)?;
    let kind = file.metadata().map_err(io)?;
    if !kind.is_file() {
        let what = if kind.is_dir() { "a folder" } else { "not a regular file" };
        let source = std::io::Error::other(format!("this is {what}: give a file of bars"));
        return Err(DataError::io(path, source));
    }
    let mut content = Vec::with_capacity(kind.len() as usize + 1);
    file.read_to_end(&mut content).map_err(io)?;
    if content.is_empty() {
        return Err(DataError::EmptyFile { path: path.to_owned() });
    }
    match Kind::of(&content) {
        Kind::Parquet => parquet::read(path, content.into()),
        Kind::Ipc => ipc::read(path, content),
        Kind::Csv => csv::read(path, &content),
        Kind::CsvGzip => {
            let mut text = Vec::new();
            flate2::read::MultiGzDecoder::new(content.as_slice())
                .read_to_end(&mut text)
                .map_err(|why| DataError::damaged(path, "gzip", why))?;
            csv::read(path, &text)
        }
        Kind::CsvZstd => {
            let text = zstd::decode_all(content.as_slice())
                .map_err(|why| DataError::damaged(path, "zstd", why))?;
            csv::read(path, &text)
        }
    }
}
