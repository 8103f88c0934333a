//! Bars read where they lie in a mapped Arrow IPC file.

use std::fs::File;
use std::path::{Path, PathBuf};
use std::ptr::NonNull;
use std::sync::Arc;

use arrow_array::cast::AsArray;
use arrow_array::types::{Float64Type, TimestampNanosecondType};
use arrow_array::{Array, RecordBatch};
use arrow_buffer::Buffer;
use arrow_ipc::reader::{FileDecoder, read_footer_length};
use arrow_schema::{DataType, TimeUnit};

use crate::column::places;
use crate::load::{Kind, open};
use crate::sys::Map;
use crate::{BarsView, DataError};

/// Bars of an Arrow IPC file that are never copied: opening it reads its footer and nothing else, so
/// that a year of minutes opens in microseconds, and many processes share one copy in memory.
///
/// The file must be as [`crate::save`] writes `.arrow`: one batch, not compressed, timestamps in
/// nanoseconds, prices and volumes as f64, none null. Nothing is validated: the values are whatever
/// lies there.
///
/// A file that shrinks while it is mapped neither ends the process nor passes for data:
/// [`MappedBars::with`], the only way in, gives an error then. Replace such a file by a rename, as
/// [`crate::save`] does, and the old bars stay whole as long as they are mapped.
///
/// ```
/// use market_data::{MappedBars, SaveOptions, SynthOptions, save, synth};
///
/// let folder = tempfile::tempdir()?;
/// let path = folder.path().join("day.arrow");
/// let bars = synth(&SynthOptions::default());
/// save(&path, bars.view(), &SaveOptions::default())?;
/// let mapped = MappedBars::open(&path)?;
/// assert_eq!(mapped.with(|view| view == bars.view())?, true);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug)]
pub struct MappedBars {
    path: PathBuf,
    /// Its buffers lie in the map and hold it.
    batch: RecordBatch,
    places: [usize; 6],
    map: Arc<Map>,
}

impl MappedBars {
    /// Maps `path`. O(1) in the number of bars.
    ///
    /// # Errors
    /// [`DataError`] where the file is none that can be read in place.
    pub fn open(path: &Path) -> Result<Self, DataError> {
        let (file, bytes, kind) = open(path)?;
        if kind != Kind::Ipc {
            let why = "only Arrow IPC is mapped: convert it to a file that ends in .arrow";
            return Err(DataError::damaged(path, "Arrow IPC", why));
        }
        let (batch, map) = batch(path, file, bytes)?;
        let schema = batch.schema();
        let names: Vec<&str> = schema.fields().iter().map(|field| field.name().as_str()).collect();
        let found = places(&names);
        let mut at = [0; 6];
        for (column, place) in found.into_iter().enumerate() {
            at[column] =
                place.filter(|&place| is_plain(&batch, place, column)).ok_or_else(|| {
                    let name = crate::column::NAMES[column];
                    let why =
                        format!("column '{name}' cannot be read in place: save the bars anew");
                    DataError::damaged(path, "Arrow IPC", why)
                })?;
        }
        Ok(Self { path: path.to_owned(), batch, places: at, map })
    }

    /// What `work` makes of the bars.
    ///
    /// # Errors
    /// [`DataError::Io`] where the file has become shorter since it was opened; whatever `work`
    /// gave is dropped then, for it may have read zeros.
    pub fn with<R>(&self, work: impl FnOnce(BarsView<'_>) -> R) -> Result<R, DataError> {
        self.check()?;
        let answer = work(self.view());
        self.check()?;
        Ok(answer)
    }

    /// Number of bars.
    #[must_use]
    pub fn len(&self) -> usize {
        self.batch.num_rows()
    }

    /// Whether there is no bar.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    fn view(&self) -> BarsView<'_> {
        let value = |column: usize| -> &[f64] {
            self.batch.column(self.places[column]).as_primitive::<Float64Type>().values()
        };
        let time = self.batch.column(self.places[0]).as_primitive::<TimestampNanosecondType>();
        BarsView {
            timestamp: time.values(),
            open: value(1),
            high: value(2),
            low: value(3),
            close: value(4),
            volume: value(5),
        }
    }

    fn check(&self) -> Result<(), DataError> {
        let io = |source| DataError::io(&self.path, source);
        if self.map.is_whole().map_err(io)? {
            return Ok(());
        }
        Err(io(std::io::Error::other("the file was shortened while it was mapped: open it anew")))
    }
}

fn is_plain(batch: &RecordBatch, place: usize, column: usize) -> bool {
    let array = batch.column(place);
    let is_type = match array.data_type() {
        DataType::Timestamp(TimeUnit::Nanosecond, _) => column == 0,
        DataType::Float64 => column > 0,
        _ => false,
    };
    is_type && array.null_count() == 0
}

/// The one batch of the file, its buffers in the map.
fn batch(path: &Path, file: File, bytes: u64) -> Result<(RecordBatch, Arc<Map>), DataError> {
    let damaged = |why: String| DataError::damaged(path, "Arrow IPC", why);
    let bytes = usize::try_from(bytes).map_err(|why| damaged(why.to_string()))?;
    let map = Map::new(file, bytes).map_err(|source| DataError::io(path, source))?;
    let map = Arc::new(map);
    let start = NonNull::new(map.start().cast_mut()).ok_or_else(|| damaged("no map".to_owned()))?;
    // SAFETY: the map has so many readable bytes there and lives as long as the buffer holds it.
    let buffer =
        unsafe { Buffer::from_custom_allocation(start, map.bytes(), Arc::<Map>::clone(&map)) };
    let batch = crate::ipc::guarded(path, || decode(&buffer).map_err(damaged))?;
    Ok((batch, map))
}

fn decode(buffer: &Buffer) -> Result<RecordBatch, String> {
    let text = |why: arrow_schema::ArrowError| why.to_string();
    let trailer = buffer.last_chunk::<10>().ok_or("it has no footer")?;
    let footer_bytes = read_footer_length(*trailer).map_err(text)?;
    let end = buffer.len() - 10;
    let start = end.checked_sub(footer_bytes).ok_or("its footer is longer than the file")?;
    let footer = arrow_ipc::root_as_footer(&buffer[start..end]).map_err(|why| why.to_string())?;
    let schema = footer.schema().ok_or("it has no schema")?;
    let schema = Arc::new(arrow_ipc::convert::try_fb_to_schema(schema).map_err(text)?);
    let blocks = footer.recordBatches().ok_or("it has no batch")?;
    if blocks.len() != 1 || footer.dictionaries().is_some_and(|known| !known.is_empty()) {
        return Err(format!("{} batches: only one can be read in place", blocks.len()));
    }
    let block = blocks.get(0);
    let place = usize::try_from(block.offset()).map_err(|why| why.to_string())?;
    let length = i64::from(block.metaDataLength()).saturating_add(block.bodyLength());
    let length = usize::try_from(length).map_err(|why| why.to_string())?;
    if place.checked_add(length).is_none_or(|end| end > start) {
        return Err("its batch reaches past the footer".to_owned());
    }
    let decoder = FileDecoder::new(schema, footer.version()).with_require_alignment(true);
    let data = buffer.slice_with_length(place, length);
    let batch = decoder.read_record_batch(block, &data).map_err(text)?;
    batch.ok_or_else(|| "it has no batch".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Bars, SaveOptions, SynthOptions, save, synth};

    fn saved(folder: &Path, rows: usize) -> (PathBuf, Bars) {
        let path = folder.join("bars.arrow");
        let bars = synth(&SynthOptions { bars: rows, ..SynthOptions::default() });
        save(&path, bars.view(), &SaveOptions::default()).unwrap();
        (path, bars)
    }

    #[test]
    fn a_mapped_file_is_the_saved_bars() {
        let folder = tempfile::tempdir().unwrap();
        let (path, bars) = saved(folder.path(), 10_000);
        let mapped = MappedBars::open(&path).unwrap();
        assert!(mapped.with(|view| view == bars.view()).unwrap());
        let in_map = |view: BarsView<'_>| {
            let map = mapped.map.start() as usize..mapped.map.start() as usize + mapped.map.bytes();
            map.contains(&(view.close.as_ptr() as usize)) && view.close.as_ptr().is_aligned()
        };
        assert!(mapped.with(in_map).unwrap(), "no column is copied");
        let other = folder.path().join("new.arrow");
        save(&other, bars.view().slice(0..10), &SaveOptions::default()).unwrap();
        std::fs::rename(&other, &path).unwrap();
        assert!(mapped.with(|view| view == bars.view()).unwrap(), "a rename leaves it whole");
    }

    #[test]
    fn a_file_that_shrinks_is_an_error_and_no_signal() {
        let folder = tempfile::tempdir().unwrap();
        let (path, bars) = saved(folder.path(), 100_000);
        let mapped = MappedBars::open(&path).unwrap();
        let shrink = || File::options().write(true).open(&path).unwrap().set_len(4_096).unwrap();
        let sum = mapped.with(|view| {
            shrink();
            view.volume.iter().sum::<f64>()
        });
        let error = sum.unwrap_err().to_string();
        assert!(error.contains("bars.arrow") && error.contains("shortened"), "{error}");
        save(&path, bars.view(), &SaveOptions::default()).unwrap();
        let error = mapped.with(|_| ()).unwrap_err().to_string();
        assert!(error.contains("open it anew"), "{error}");
        assert!(MappedBars::open(&path).unwrap().with(|view| view == bars.view()).unwrap());
    }

    #[test]
    fn other_files_are_refused() {
        let folder = tempfile::tempdir().unwrap();
        let (path, bars) = saved(folder.path(), 1_000);
        let whole = std::fs::read(&path).unwrap();
        for length in (7..whole.len()).step_by(97) {
            std::fs::write(&path, &whole[..length]).unwrap();
            let error = MappedBars::open(&path).unwrap_err().to_string();
            assert!(error.contains("bars.arrow"), "{error}");
        }
        let path = folder.path().join("bars.parquet");
        save(&path, bars.view(), &SaveOptions::default()).unwrap();
        assert!(MappedBars::open(&path).unwrap_err().to_string().contains(".arrow"));
    }
}
