//! Files larger than memory: read piece by piece, written batch by batch.

use std::path::{Path, PathBuf};

use parquet::arrow::ArrowWriter;

use crate::atomic::Pending;
use crate::load::{Kind, open};
use crate::parquet::{ParquetFile, Span};
use crate::save::properties;
use crate::validate::{defects, is_clean, without_defects};
use crate::{Bars, BarsView, DataError, LoadOptions, Policy, SaveOptions, ipc};

/// Rows of a piece where nobody says: 48 MiB of columns.
pub const CHUNK_ROWS: usize = 1 << 20;

/// The bars of a Parquet file in pieces of at most so many rows, in order. Holds one piece and a few
/// pages at a time, whatever the file's size and its row groups': 2.2 GB are walked within 37 MB of memory
/// in pieces of 2^18 rows (`tests/bounded.rs`, with `BOUNDED_MIB=2048`).
pub struct Chunks {
    path: PathBuf,
    file: ParquetFile,
    spans: std::vec::IntoIter<Vec<Span>>,
    policy: Policy,
    /// The last time seen, and the rows before the next piece.
    last: Option<i64>,
    row: usize,
}

impl Chunks {
    /// Opens `path`; pieces have `rows` rows, the last one fewer.
    ///
    /// # Errors
    /// [`DataError`] where the file is no Parquet file of bars.
    pub fn open(path: &Path, rows: usize, policy: Policy) -> Result<Self, DataError> {
        let (file, bytes, kind) = open(path)?;
        if kind != Kind::Parquet {
            let why = "only Parquet is read in pieces: convert it first";
            return Err(DataError::damaged(path, "Parquet", why));
        }
        let file = ParquetFile::open(path, file, bytes, &LoadOptions::default())?;
        let spans = pieces(file.all(), rows.max(1)).into_iter();
        Ok(Self { path: path.to_owned(), file, spans, policy, last: None, row: 0 })
    }

    /// Rows of the whole file.
    #[must_use]
    pub fn rows(&self) -> usize {
        self.file.all().iter().map(|span| span.rows.len()).sum()
    }

    fn read(&mut self, spans: &[Span]) -> Result<Bars, DataError> {
        let bars = self.file.read([true; 6], spans, Bars::default())?;
        let before = self.row;
        self.row += bars.len();
        let follows =
            bars.timestamp.first().is_none_or(|&first| self.last.is_none_or(|last| last < first));
        let bars = match self.policy {
            Policy::Keep => bars,
            _ if follows && is_clean(bars.view()) => bars,
            Policy::Drop => self.dropped(&bars),
            Policy::Error => return Err(self.first_defect(bars.view(), before)),
        };
        self.last = bars.timestamp.last().copied().or(self.last);
        Ok(bars)
    }

    /// Without the defective rows, those held against the pieces before among them.
    fn dropped(&self, bars: &Bars) -> Bars {
        let sound = without_defects(bars);
        let start =
            self.last.map_or(0, |last| sound.timestamp.partition_point(|&time| time <= last));
        sound.view().slice(start..sound.len()).to_owned()
    }

    fn first_defect(&self, bars: BarsView<'_>, before: usize) -> DataError {
        let first = bars.timestamp[0];
        let (row, defect) = match self.last {
            Some(last) if last == first => (0, crate::Defect::Duplicate),
            Some(last) if last > first => (0, crate::Defect::Unsorted),
            _ => defects(bars).next().unwrap_or((0, crate::Defect::Unsorted)),
        };
        DataError::Defect { path: self.path.clone(), row: before + row + 1, defect }
    }
}

impl Iterator for Chunks {
    type Item = Result<Bars, DataError>;

    fn next(&mut self) -> Option<Self::Item> {
        let spans = self.spans.next()?;
        let bars = self.read(&spans);
        if bars.is_err() {
            // What follows an error is not known to be in order.
            self.spans = Vec::new().into_iter();
        }
        Some(bars)
    }
}

/// `spans` cut and grouped to `rows` rows each.
fn pieces(spans: Vec<Span>, rows: usize) -> Vec<Vec<Span>> {
    let mut pieces = vec![Vec::new()];
    let mut free = rows;
    for Span { group, rows: span } in spans {
        let mut start = span.start;
        while start < span.end {
            if free == 0 {
                pieces.push(Vec::new());
                free = rows;
            }
            let end = span.end.min(start + free);
            if let Some(piece) = pieces.last_mut() {
                piece.push(Span { group, rows: start..end });
            }
            free -= end - start;
            start = end;
        }
    }
    pieces.retain(|piece| !piece.is_empty());
    pieces
}

/// A Parquet file of bars written batch by batch. Nothing stands at `path` before
/// [`BatchWriter::finish`]; dropping the writer leaves the old file.
pub struct BatchWriter {
    path: PathBuf,
    writer: ArrowWriter<Pending>,
    rows: usize,
}

impl BatchWriter {
    /// Begins a file.
    ///
    /// # Errors
    /// [`DataError::NoFolder`] or [`DataError::Io`].
    pub fn create(path: &Path, options: &SaveOptions) -> Result<Self, DataError> {
        crate::save::check_folder(path)?;
        let pending = Pending::new(path).map_err(|source| DataError::io(path, source))?;
        let schema = ipc::batch(Bars::default().view())
            .map_err(|why| DataError::damaged(path, "a table", why))?
            .schema();
        let writer = ArrowWriter::try_new(pending, schema, Some(properties(options.compression)))
            .map_err(|why| DataError::io(path, std::io::Error::other(why)))?;
        Ok(Self { path: path.to_owned(), writer, rows: 0 })
    }

    /// Appends bars.
    ///
    /// # Errors
    /// [`DataError::Io`].
    pub fn write(&mut self, bars: BarsView<'_>) -> Result<(), DataError> {
        let batch = ipc::batch(bars).map_err(|why| self.failed(why))?;
        self.writer
            .write(&batch)
            .map_err(|why| DataError::io(&self.path, std::io::Error::other(why)))?;
        self.rows += bars.len();
        Ok(())
    }

    /// Ends the file, puts it at its path, and gives the number of its rows.
    ///
    /// # Errors
    /// [`DataError::Io`]; the old file stays then.
    pub fn finish(self) -> Result<usize, DataError> {
        let path = self.path;
        let failed = |why: std::io::Error| DataError::io(&path, why);
        let pending = self.writer.into_inner().map_err(|why| failed(std::io::Error::other(why)))?;
        pending.finish(&path).map_err(failed)?;
        Ok(self.rows)
    }

    fn failed(&self, why: arrow_schema::ArrowError) -> DataError {
        DataError::io(&self.path, std::io::Error::other(why))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{SynthOptions, load, synth};

    /// Writes 10,000 bars there in batches of 3,000, and gives them.
    fn write(path: &Path) -> crate::Bars {
        let bars = synth(&SynthOptions { bars: 10_000, ..SynthOptions::default() });
        let mut writer = BatchWriter::create(path, &SaveOptions::default()).unwrap();
        for start in (0..10_000).step_by(3_000) {
            writer.write(bars.view().slice(start..10_000.min(start + 3_000))).unwrap();
        }
        assert!(!path.exists(), "nothing stands there before the end");
        assert_eq!(writer.finish().unwrap(), 10_000);
        bars
    }

    #[test]
    fn batches_put_together_are_the_file() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("bars.parquet");
        let bars = write(&path);
        assert_eq!(load(&path, &LoadOptions::default()).unwrap(), bars);
        drop(BatchWriter::create(&path, &SaveOptions::default()).unwrap());
        assert_eq!(load(&path, &LoadOptions::default()).unwrap(), bars, "the old file stays");
    }

    #[test]
    fn pieces_put_together_are_the_file() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("bars.parquet");
        let bars = write(&path);
        let chunks = Chunks::open(&path, 1_234, Policy::Error).unwrap();
        assert_eq!(chunks.rows(), 10_000);
        let mut start = 0;
        for piece in chunks {
            let piece = piece.unwrap();
            assert!(piece.len() == 1_234 || start + piece.len() == 10_000);
            assert_eq!(piece.view(), bars.view().slice(start..start + piece.len()));
            start += piece.len();
        }
        assert_eq!(start, 10_000);
    }

    #[test]
    fn order_is_held_across_pieces() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("bars.parquet");
        let bars = synth(&SynthOptions { bars: 100, ..SynthOptions::default() });
        let mut writer = BatchWriter::create(&path, &SaveOptions::default()).unwrap();
        writer.write(bars.view()).unwrap();
        writer.write(bars.view()).unwrap();
        writer.finish().unwrap();
        let pieces: Vec<_> = Chunks::open(&path, 100, Policy::Error).unwrap().collect();
        let error = pieces[1].as_ref().unwrap_err().to_string();
        assert!(error.contains("row 101") && error.contains("before the one above"), "{error}");
        let kept = Chunks::open(&path, 30, Policy::Drop).unwrap();
        assert_eq!(kept.map(|piece| piece.unwrap().len()).sum::<usize>(), 100);
    }
}
