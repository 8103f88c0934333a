//! Parquet: every page decoded by itself, all of them side by side, straight into the final
//! columns.
//!
//! A file is a grid of column chunks (column x row group), a chunk is a row of pages. [`header`]
//! finds the pages, [`chunk`] makes a task of each, [`decode`] has the kernels. What they do not
//! know (nested levels, rare codecs and encodings) goes through the parquet crate's reader,
//! [`general`].

mod chunk;
mod decode;
mod general;
mod header;
mod read;
mod schema;
mod snappy;
mod source;
#[cfg(test)]
pub(crate) mod tests;

use std::fs::File;
use std::mem::MaybeUninit;
use std::ops::Range;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use parquet::basic::Type as Physical;
use parquet::data_type::{Int32Type, Int64Type};
use parquet::file::metadata::{ParquetMetaData, ParquetMetaDataReader};
use parquet::file::statistics::Statistics;

use self::chunk::Chunk;
use self::schema::{Place, Reading};
use self::source::Source;
use crate::column::epoch_unit_ns;
use crate::{DataError, LoadOptions};

/// The timestamp of a row that has none, or one that nanoseconds cannot hold.
pub(crate) const NO_TIME: i64 = i64::MIN;

/// Rows of a row group.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Span {
    pub(crate) group: usize,
    pub(crate) rows: Range<usize>,
}

/// An open Parquet file of bars.
pub(crate) struct ParquetFile {
    path: PathBuf,
    source: Arc<Source>,
    metadata: ParquetMetaData,
    layout: [Option<Place>; 6],
    wanted: [bool; 6],
    /// For the test that holds the page decoders against the general reader.
    only_general: bool,
}

impl ParquetFile {
    /// Reads the footer and finds the columns. The unit of times that are plain numbers, where it is
    /// not stated, is told by the size of the first.
    pub(crate) fn open(
        path: &Path,
        file: File,
        bytes: u64,
        options: &LoadOptions,
    ) -> Result<Self, DataError> {
        let columns = options.columns;
        let source = Source::new(file, bytes);
        let metadata = ParquetMetaDataReader::new()
            .parse_and_finish(&source)
            .map_err(|why| DataError::damaged(path, "Parquet", why))?;
        let layout =
            schema::layout(path, metadata.file_metadata().schema_descr(), columns.wanted())?;
        let source = Arc::new(source);
        let mut file = Self {
            path: path.to_owned(),
            source,
            metadata,
            layout,
            wanted: columns.wanted(),
            only_general: false,
        };
        file.check_groups()?;
        if let Some(Place { at, reading: Reading::Time(None) }) = file.layout[0] {
            let unit =
                options.epoch_unit.map_or_else(|| file.unit_of_first(at), |unit| Ok(unit.ns()))?;
            file.layout[0] = Some(Place { at, reading: Reading::Time(Some(unit)) });
        }
        Ok(file)
    }

    fn check_groups(&self) -> Result<(), DataError> {
        let columns = self.metadata.file_metadata().schema_descr().num_columns();
        for (number, group) in self.metadata.row_groups().iter().enumerate() {
            let is_sound = group.num_rows() >= 0 && group.num_columns() == columns;
            if !is_sound {
                return Err(self.damaged(format!("row group {number} is not of this file")));
            }
        }
        Ok(())
    }

    fn damaged(&self, why: impl ToString) -> DataError {
        DataError::damaged(&self.path, "Parquet", why)
    }

    fn group_rows(&self, group: usize) -> usize {
        self.metadata.row_group(group).num_rows() as usize
    }

    /// Every row.
    pub(crate) fn all(&self) -> Vec<Span> {
        let groups = 0..self.metadata.num_row_groups();
        let spans = groups.map(|group| Span { group, rows: 0..self.group_rows(group) });
        spans.filter(|span| !span.rows.is_empty()).collect()
    }

    /// The rows of every row group that may hold a time in `from..to`, by its statistics.
    pub(crate) fn groups_between(&self, from: i64, to: i64) -> Vec<Span> {
        let mut spans = self.all();
        spans.retain(|span| {
            self.times_of(span.group).is_none_or(|(first, last)| first < to && last >= from)
        });
        spans
    }

    /// First and last time of a row group, where its statistics say.
    fn times_of(&self, group: usize) -> Option<(i64, i64)> {
        let Place { at, reading: Reading::Time(Some(unit)) } = self.layout[0]? else {
            return None;
        };
        let column = self.metadata.row_group(group).column(at);
        let (first, last) = match column.statistics()? {
            Statistics::Int64(known) => (*known.min_opt()?, *known.max_opt()?),
            Statistics::Int32(known) => (i64::from(*known.min_opt()?), (*known.max_opt()?).into()),
            _ => return None,
        };
        Some((first.checked_mul(unit)?, last.checked_mul(unit)?))
    }

    fn chunk(&self, group: usize, at: usize) -> Chunk<'_> {
        let group = self.metadata.row_group(group);
        let rows = group.num_rows() as usize;
        Chunk {
            source: &self.source,
            meta: group.column(at),
            rows,
            only_general: self.only_general,
        }
    }

    fn unit_of_first(&self, at: usize) -> Result<i64, DataError> {
        let Some(Span { group, .. }) = self.all().into_iter().next() else { return Ok(1) };
        let chunk = self.chunk(group, at);
        let mut first = [MaybeUninit::uninit()];
        let decoded = match chunk.meta.column_type() {
            Physical::INT32 => {
                general::decode::<Int32Type, i64>(&chunk, &(0..1), &mut first, 0, |&v| v.into())
            }
            _ => general::decode::<Int64Type, i64>(&chunk, &(0..1), &mut first, 0, |&v| v),
        };
        decoded.map_err(|why| self.damaged(why))?;
        // SAFETY: the decoder writes every element or gives an error.
        Ok(epoch_unit_ns(unsafe { first[0].assume_init() }))
    }
}
