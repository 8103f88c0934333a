//! Parquet: columns decoded side by side, each straight into its final vector.
//!
//! The file is read whole with one call: decoding takes ten times as long as reading from the page
//! cache, and owned bytes cannot change under a decoder as a map can.

use std::path::Path;

use bytes::Bytes;
use parquet::basic::{LogicalType, TimeUnit, Type as Physical};
use parquet::column::reader::{ColumnReader, ColumnReaderImpl};
use parquet::data_type::DataType;
use parquet::file::reader::{FileReader, SerializedFileReader};
use parquet::schema::types::ColumnDescriptor;
use rayon::prelude::*;

use crate::column::{NAMES, epoch_unit_ns, nearest, places};
use crate::{Bars, DataError};

pub(crate) fn read(path: &Path, content: Bytes) -> Result<Bars, DataError> {
    let reader = SerializedFileReader::new(content)
        .map_err(|why| DataError::damaged(path, "Parquet", why))?;
    let schema = reader.metadata().file_metadata().schema_descr_ptr();
    let found: Vec<&str> = schema.columns().iter().map(|column| column.name()).collect();
    let places = places(&found);
    let rows = reader.metadata().file_metadata().num_rows();
    let rows = usize::try_from(rows)
        .map_err(|_| DataError::damaged(path, "Parquet", format!("it claims {rows} rows")))?;
    let decoded: Vec<Decoded> = (0..NAMES.len())
        .into_par_iter()
        .map(|column| match places[column] {
            Some(at) => Source { path, reader: &reader, at, rows }.read(column == 0),
            None if column == 5 => Ok(Decoded::Values(vec![0.0; rows])),
            None => Err(DataError::MissingColumn {
                path: path.to_owned(),
                column: NAMES[column],
                suggestion: nearest(NAMES[column], &found),
                found: found.join(", "),
            }),
        })
        .collect::<Result<_, _>>()?;
    let mut decoded = decoded.into_iter();
    let Some(Decoded::Times(timestamp)) = decoded.next() else {
        unreachable!("the first column is the timestamp")
    };
    let mut next = || match decoded.next() {
        Some(Decoded::Values(values)) => values,
        _ => unreachable!("the other columns are values"),
    };
    let bars =
        Bars { timestamp, open: next(), high: next(), low: next(), close: next(), volume: next() };
    if bars.open.len() != rows || bars.timestamp.len() != rows {
        return Err(DataError::damaged(path, "Parquet", "its columns differ in length"));
    }
    Ok(bars)
}

enum Decoded {
    Times(Vec<i64>),
    Values(Vec<f64>),
}

/// One column of the file.
struct Source<'a> {
    path: &'a Path,
    reader: &'a SerializedFileReader<Bytes>,
    at: usize,
    rows: usize,
}

impl Source<'_> {
    fn descriptor(&self) -> parquet::schema::types::ColumnDescPtr {
        self.reader.metadata().file_metadata().schema_descr().column(self.at)
    }

    fn wrong_type(&self, expected: &'static str) -> DataError {
        let descriptor = self.descriptor();
        let logical = descriptor.logical_type_ref().map_or_else(String::new, |t| format!("{t:?} "));
        DataError::ColumnType {
            path: self.path.to_owned(),
            column: descriptor.name().to_owned(),
            found: format!("{logical}{}", descriptor.physical_type()),
            expected,
        }
    }

    fn read(&self, is_time: bool) -> Result<Decoded, DataError> {
        let descriptor = self.descriptor();
        if descriptor.max_rep_level() > 0 || descriptor.max_def_level() > 1 {
            return Err(self.wrong_type("a flat column, not a nested one"));
        }
        if is_time { self.times(&descriptor) } else { self.values(&descriptor) }
    }

    fn times(&self, descriptor: &ColumnDescriptor) -> Result<Decoded, DataError> {
        let expected = "a timestamp, a date, or whole seconds, ms, us or ns since 1970";
        let null = i64::MIN;
        let (values, unit): (Vec<i64>, Option<i64>) = match descriptor.physical_type() {
            Physical::INT64 => {
                let values = self.decode(null, i64_reader, |v| v)?;
                (values, timestamp_unit(descriptor))
            }
            Physical::INT32 => {
                let is_date = matches!(descriptor.logical_type_ref(), Some(LogicalType::Date));
                let values = self.decode(null, i32_reader, i64::from)?;
                (values, is_date.then_some(86_400_000_000_000))
            }
            _ => return Err(self.wrong_type(expected)),
        };
        let unit = unit.unwrap_or_else(|| values.first().map_or(1, |&first| epoch_unit_ns(first)));
        let scaled = values.iter().enumerate().map(|(row, &value)| {
            let in_range = value.checked_mul(unit).filter(|_| value != null);
            in_range.ok_or_else(|| DataError::Value {
                path: self.path.to_owned(),
                row: row + 1,
                column: descriptor.name().to_owned(),
                text: if value == null { "null".to_owned() } else { value.to_string() },
                expected: "a time from 1677 to 2262",
            })
        });
        Ok(Decoded::Times(scaled.collect::<Result<_, _>>()?))
    }

    fn values(&self, descriptor: &ColumnDescriptor) -> Result<Decoded, DataError> {
        let scale = match descriptor.logical_type_ref() {
            Some(LogicalType::Decimal(decimal)) => 10_f64.powi(decimal.scale),
            _ => 1.0,
        };
        let values = match descriptor.physical_type() {
            Physical::DOUBLE => self.decode(f64::NAN, f64_reader, |v| v)?,
            Physical::FLOAT => self.decode(f64::NAN, f32_reader, f64::from)?,
            Physical::INT64 => self.decode(f64::NAN, i64_reader, |v| v as f64 / scale)?,
            Physical::INT32 => self.decode(f64::NAN, i32_reader, |v| f64::from(v) / scale)?,
            _ => return Err(self.wrong_type("a number")),
        };
        Ok(Decoded::Values(values))
    }

    /// All row groups of the column, converted, `null` where there is no value.
    fn decode<T: DataType, V: Copy>(
        &self,
        null: V,
        typed: fn(ColumnReader) -> Option<ColumnReaderImpl<T>>,
        convert: impl Fn(T::T) -> V,
    ) -> Result<Vec<V>, DataError> {
        let damaged =
            |why: parquet::errors::ParquetError| DataError::damaged(self.path, "Parquet", why);
        let mut out = Vec::new();
        out.try_reserve_exact(self.rows)
            .map_err(|why| DataError::damaged(self.path, "Parquet", why))?;
        let mut raw = Vec::new();
        let mut levels = Vec::new();
        for group in 0..self.reader.num_row_groups() {
            let group = self.reader.get_row_group(group).map_err(damaged)?;
            let column = group.get_column_reader(self.at).map_err(damaged)?;
            let mut column = typed(column).ok_or_else(|| self.wrong_type("a number"))?;
            loop {
                raw.clear();
                levels.clear();
                let (rows, values, _) = column
                    .read_records(BATCH_ROWS, Some(&mut levels), None, &mut raw)
                    .map_err(damaged)?;
                if rows == 0 {
                    break;
                }
                if out.len() + rows > self.rows {
                    return Err(DataError::damaged(
                        self.path,
                        "Parquet",
                        "more rows than it claims",
                    ));
                }
                if values == rows {
                    out.extend(raw.drain(..).map(&convert));
                } else {
                    let mut values = raw.drain(..);
                    let value = |&level: &i16| {
                        if level == 0 { null } else { values.next().map_or(null, &convert) }
                    };
                    out.extend(levels.iter().map(value));
                }
            }
        }
        Ok(out)
    }
}

/// Rows decoded at a time: 512 KiB of doubles, which stay in L2 until they are converted.
const BATCH_ROWS: usize = 65_536;

/// Nanoseconds in a unit of the column, where its type says.
fn timestamp_unit(descriptor: &ColumnDescriptor) -> Option<i64> {
    match descriptor.logical_type_ref()? {
        LogicalType::Timestamp(timestamp) => Some(match timestamp.unit {
            TimeUnit::MILLIS => 1_000_000,
            TimeUnit::MICROS => 1_000,
            TimeUnit::NANOS => 1,
        }),
        _ => None,
    }
}

macro_rules! typed {
    ($($name:ident $variant:ident $data:ty;)*) => {
        $(fn $name(reader: ColumnReader) -> Option<ColumnReaderImpl<$data>> {
            match reader {
                ColumnReader::$variant(reader) => Some(reader),
                _ => None,
            }
        })*
    };
}

typed! {
    i32_reader Int32ColumnReader parquet::data_type::Int32Type;
    i64_reader Int64ColumnReader parquet::data_type::Int64Type;
    f32_reader FloatColumnReader parquet::data_type::FloatType;
    f64_reader DoubleColumnReader parquet::data_type::DoubleType;
}
