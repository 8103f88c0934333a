//! Bars of many symbols.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::Read;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use arrow_array::cast::AsArray;
use arrow_array::{Array, ArrayRef, RecordBatch};
use arrow_schema::{ArrowError, DataType};
use parquet::arrow::ProjectionMask;
use parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder;
use rayon::prelude::*;

use crate::load::{self, Kind};
use crate::{Bars, BarsView, DataError, LoadOptions, Policy};

/// What files call the column of symbols.
const SYMBOL: [&str; 6] = ["symbol", "ticker", "sym", "asset", "instrument", "code"];

/// Named bars, in order of name. Cloning and cutting copies no column.
///
/// ```
/// use market_data::{LoadOptions, SaveOptions, SynthOptions, Universe, save, synth};
///
/// let folder = tempfile::tempdir()?;
/// let bars = synth(&SynthOptions::default());
/// for name in ["AAPL", "MSFT"] {
///     save(&folder.path().join(format!("{name}.parquet")), bars.view(), &SaveOptions::default())?;
/// }
/// let universe = Universe::load(folder.path(), &LoadOptions::default())?;
/// assert_eq!(universe.names().collect::<Vec<_>>(), ["AAPL", "MSFT"]);
/// assert_eq!(universe.get("MSFT"), Some(bars.view()));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Universe {
    members: BTreeMap<String, Arc<Bars>>,
}

impl Universe {
    /// Bars from a folder or a file.
    ///
    /// A folder gives each of its files by the file's name without endings, or, below folders such
    /// as `symbol=AAPL/year=2024` (Hive's partitions), by the symbol; several files of one symbol
    /// are put together in order of time. Files and folders that begin with `.` or `_` are left
    /// out. A file with a column `symbol` or `ticker` gives the bars of each, another one its own.
    ///
    /// # Errors
    /// [`DataError`] naming the file, and the row where one is wrong.
    pub fn load(path: &Path, options: &LoadOptions) -> Result<Self, DataError> {
        if !path.is_dir() {
            return from_file(path, options);
        }
        let mut files = Vec::new();
        find(path, &mut files).map_err(|source| DataError::io(path, source))?;
        files.sort();
        if files.is_empty() {
            return Err(DataError::NoBars { path: path.to_owned() });
        }
        let loaded: Result<Vec<(String, Bars)>, DataError> = files
            .par_iter()
            .map(|file| Ok((name_of(path, file), load::load(file, options)?)))
            .collect();
        let mut parts: BTreeMap<String, Vec<(&Path, Bars)>> = BTreeMap::new();
        for (file, (name, bars)) in files.iter().zip(loaded?) {
            parts.entry(name).or_default().push((file, bars));
        }
        let joined =
            parts.into_iter().map(|(name, parts)| Ok((name, Arc::new(join(parts, options)?))));
        Ok(Self { members: joined.collect::<Result<_, DataError>>()? })
    }

    /// Number of symbols.
    #[must_use]
    pub fn len(&self) -> usize {
        self.members.len()
    }

    /// Whether there is no symbol.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.members.is_empty()
    }

    /// The symbols, in order.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.members.keys().map(String::as_str)
    }

    /// The bars of a symbol.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<BarsView<'_>> {
        self.members.get(name).map(|bars| bars.view())
    }

    /// Every symbol with its bars.
    pub fn iter(&self) -> impl Iterator<Item = (&str, BarsView<'_>)> {
        self.members.iter().map(|(name, bars)| (name.as_str(), bars.view()))
    }

    /// Every symbol with its bars in `from..to` (nanoseconds), in O(log bars) each.
    pub fn between(&self, from: i64, to: i64) -> impl Iterator<Item = (&str, BarsView<'_>)> {
        self.iter().map(move |(name, bars)| (name, bars.between(from, to)))
    }
}

impl FromIterator<(String, Bars)> for Universe {
    fn from_iter<T: IntoIterator<Item = (String, Bars)>>(members: T) -> Self {
        let members = members.into_iter().map(|(name, bars)| (name, Arc::new(bars)));
        Self { members: members.collect() }
    }
}

/// The files below `folder`. Links are not followed into folders: they may lead in a circle.
fn find(folder: &Path, files: &mut Vec<PathBuf>) -> std::io::Result<()> {
    for entry in std::fs::read_dir(folder)? {
        let entry = entry?;
        let name = entry.file_name();
        if name.to_string_lossy().starts_with(['.', '_']) {
            continue;
        }
        if entry.file_type()?.is_dir() {
            find(&entry.path(), files)?;
        } else if entry.path().is_file() {
            files.push(entry.path());
        }
    }
    Ok(())
}

/// By the partition below `root`, or else by the file.
fn name_of(root: &Path, file: &Path) -> String {
    let below = file.strip_prefix(root).unwrap_or(file);
    let partition = below.iter().find_map(|part| {
        let (key, value) = part.to_str()?.split_once('=')?;
        SYMBOL.contains(&key.to_lowercase().as_str()).then(|| value.to_owned())
    });
    partition.unwrap_or_else(|| {
        let name = file.file_name().unwrap_or_default().to_string_lossy();
        let endings = [".gz", ".zst", ".parquet", ".csv", ".arrow", ".feather", ".ipc", ".pq"];
        let strip = |name: &str| {
            endings.iter().find_map(|ending| name.strip_suffix(ending)).unwrap_or(name).to_owned()
        };
        strip(&strip(&name))
    })
}

/// Files of one symbol in order of time.
fn join(mut parts: Vec<(&Path, Bars)>, options: &LoadOptions) -> Result<Bars, DataError> {
    if parts.len() == 1
        && let Some((_, bars)) = parts.pop()
    {
        return Ok(bars);
    }
    parts.sort_by_key(|(_, bars)| bars.timestamp.first().copied());
    let mut all = Bars::default();
    let mut last = Path::new("");
    for (path, bars) in parts {
        all.append(&bars.view());
        last = path;
    }
    load::checked(last, all, options)
}

fn from_file(path: &Path, options: &LoadOptions) -> Result<Universe, DataError> {
    let Some(symbols) = symbols(path)? else {
        let name = name_of(Path::new(""), path);
        return Ok([(name, load::load(path, options)?)].into_iter().collect());
    };
    // Times of several symbols are in no order: the whole file is read, then each checked.
    let every = LoadOptions { from: None, to: None, policy: Policy::Keep, ..*options };
    let bars = load::load(path, &every)?;
    if bars.len() != symbols.len() {
        let why = format!("{} rows of bars, {} of symbols", bars.len(), symbols.len());
        return Err(DataError::damaged(path, "bars", why));
    }
    let mut members: BTreeMap<&str, Bars> = BTreeMap::new();
    let view = bars.view();
    let (from, to) = (options.from.unwrap_or(i64::MIN), options.to.unwrap_or(i64::MAX));
    // Rows of one symbol mostly follow each other: found once, appended together.
    let mut row = 0;
    for run in symbols.chunk_by(|a, b| a == b) {
        let rows = row..row + run.len();
        row = rows.end;
        let member = members.entry(&run[0]).or_default();
        for row in rows.filter(|&row| (from..to).contains(&view.timestamp[row])) {
            member.push(&view, row);
        }
    }
    let checked = members.into_iter().map(|(name, bars)| {
        let named = |error| within(error, name);
        Ok((name.to_owned(), Arc::new(load::checked(path, bars, options).map_err(named)?)))
    });
    Ok(Universe { members: checked.collect::<Result<_, DataError>>()? })
}

/// Rows of a symbol are counted among its own: the error says whose they are.
fn within(error: DataError, symbol: &str) -> DataError {
    match error {
        DataError::Defect { path, row, defect } => {
            let why = format!("row {row} of '{symbol}': {defect}");
            DataError::damaged(&path, "bars", why)
        }
        other => other,
    }
}

/// The symbol of each row; `None` where the file has no such column.
fn symbols(path: &Path) -> Result<Option<Vec<String>>, DataError> {
    let (mut file, _, kind) = load::open(path)?;
    match kind {
        Kind::Parquet => parquet_symbols(path, file),
        Kind::Ipc => crate::ipc::guarded(path, || {
            let reader = arrow_ipc::reader::FileReader::try_new(file, None);
            let reader = reader.map_err(|why| DataError::damaged(path, "Arrow IPC", why))?;
            match place(reader.schema().fields().iter().map(|field| field.name().as_str())) {
                Some(at) => gather(path, reader, at).map(Some),
                None => Ok(None),
            }
        }),
        Kind::Csv => csv_symbols(path, file),
        Kind::CsvGzip => csv_symbols(path, flate2::read::MultiGzDecoder::new(&mut file)),
        Kind::CsvZstd => {
            let reader = zstd::Decoder::new(&mut file);
            csv_symbols(path, reader.map_err(|why| DataError::damaged(path, "zstd", why))?)
        }
    }
}

fn place<'a>(names: impl Iterator<Item = &'a str>) -> Option<usize> {
    let mut names = names;
    names.position(|name| SYMBOL.contains(&name.trim().to_lowercase().as_str()))
}

fn parquet_symbols(path: &Path, file: File) -> Result<Option<Vec<String>>, DataError> {
    let damaged = |why: parquet::errors::ParquetError| DataError::damaged(path, "Parquet", why);
    let builder = ParquetRecordBatchReaderBuilder::try_new(file).map_err(damaged)?;
    let names = builder.schema().fields().iter().map(|field| field.name().as_str());
    let Some(at) = place(names) else { return Ok(None) };
    let mask = ProjectionMask::roots(builder.parquet_schema(), [at]);
    let reader = builder.with_projection(mask).build().map_err(damaged)?;
    gather(path, reader, 0).map(Some)
}

fn gather(
    path: &Path,
    batches: impl Iterator<Item = Result<RecordBatch, ArrowError>>,
    at: usize,
) -> Result<Vec<String>, DataError> {
    let mut symbols = Vec::new();
    for batch in batches {
        let batch = batch.map_err(|why| DataError::damaged(path, "bars", why))?;
        let array = batch.column(at);
        let found = texts(array).ok_or_else(|| DataError::ColumnType {
            path: path.to_owned(),
            column: batch.schema().field(at).name().clone(),
            found: array.data_type().to_string(),
            expected: "text, one symbol a row",
        })?;
        symbols.extend(found);
    }
    Ok(symbols)
}

/// `None` for other types and for a null.
fn texts(array: &ArrayRef) -> Option<Vec<String>> {
    let own = |text: Option<&str>| text.map(str::to_owned);
    match array.data_type() {
        DataType::Utf8 => array.as_string::<i32>().iter().map(own).collect(),
        DataType::LargeUtf8 => array.as_string::<i64>().iter().map(own).collect(),
        DataType::Utf8View => array.as_string_view().iter().map(own).collect(),
        DataType::Dictionary(_, _) => {
            let dictionary = array.as_any_dictionary_opt()?;
            let values = texts(dictionary.values())?;
            if array.null_count() > 0 {
                return None;
            }
            dictionary.normalized_keys().into_iter().map(|key| values.get(key).cloned()).collect()
        }
        _ => None,
    }
}

fn csv_symbols(path: &Path, mut text: impl Read) -> Result<Option<Vec<String>>, DataError> {
    let mut content = Vec::new();
    text.read_to_end(&mut content).map_err(|source| DataError::io(path, source))?;
    let mut reader = crate::csv::reader(&content);
    let damaged = |why: csv::Error| DataError::damaged(path, "CSV", why);
    let mut record = csv::ByteRecord::new();
    if !reader.read_byte_record(&mut record).map_err(damaged)? {
        return Ok(None);
    }
    let header: Vec<String> =
        record.iter().map(|field| String::from_utf8_lossy(field).into_owned()).collect();
    let Some(at) = place(header.iter().map(String::as_str)) else { return Ok(None) };
    let mut symbols = Vec::new();
    while reader.read_byte_record(&mut record).map_err(damaged)? {
        symbols.push(String::from_utf8_lossy(record.get(at).unwrap_or_default()).into_owned());
    }
    Ok(Some(symbols))
}
