//! What the columns of a file are, and how their values become those of bars.

use std::path::Path;

use parquet::basic::{LogicalType, TimeUnit, Type as Physical};
use parquet::schema::types::{ColumnDescriptor, SchemaDescriptor};

use crate::DataError;
use crate::column::{NAMES, nearest, places};

/// How a file's values become a column's.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Reading {
    /// Nanoseconds in a unit; `None` where the type does not say, and the first value must.
    Time(Option<i64>),
    /// Nanoseconds of a day and the day, as Impala and Spark wrote them.
    TimeInt96,
    /// What to divide by.
    Number { divisor: f64, is_unsigned: bool },
    /// A decimal in bytes, most significant first.
    DecimalBytes { divisor: f64 },
}

/// Where a column of bars stands in the file, and how it is read.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Place {
    pub(super) at: usize,
    pub(super) reading: Reading,
}

/// The place of each column of bars that is wanted; only volume may be missing.
pub(super) fn layout(
    path: &Path,
    schema: &SchemaDescriptor,
    wanted: [bool; 6],
) -> Result<[Option<Place>; 6], DataError> {
    let found: Vec<&str> = schema.columns().iter().map(|column| column.name()).collect();
    let places = places(&found);
    let mut layout = [None; 6];
    for (column, place) in places.into_iter().enumerate() {
        if !wanted[column] {
            continue;
        }
        layout[column] = match place {
            Some(at) => {
                let descriptor = schema.column(at);
                let reading = reading(&descriptor, column == 0)
                    .map_err(|expected| wrong_type(path, &descriptor, expected))?;
                Some(Place { at, reading })
            }
            None if column == 5 => None,
            None => {
                return Err(DataError::MissingColumn {
                    path: path.to_owned(),
                    column: NAMES[column],
                    suggestion: nearest(NAMES[column], &found),
                    found: found.join(", "),
                });
            }
        };
    }
    Ok(layout)
}

fn wrong_type(path: &Path, descriptor: &ColumnDescriptor, expected: &'static str) -> DataError {
    let logical = descriptor.logical_type_ref().map_or_else(String::new, |t| format!("{t:?} "));
    DataError::ColumnType {
        path: path.to_owned(),
        column: descriptor.path().string(),
        found: format!("{logical}{}", descriptor.physical_type()),
        expected,
    }
}

fn reading(descriptor: &ColumnDescriptor, is_time: bool) -> Result<Reading, &'static str> {
    if descriptor.max_rep_level() > 0 || descriptor.max_def_level() > 1 {
        return Err("a flat column, not a nested one");
    }
    if is_time {
        time(descriptor).ok_or("a timestamp, a date, or whole seconds, ms, us or ns since 1970")
    } else {
        number(descriptor).ok_or("a number")
    }
}

fn time(descriptor: &ColumnDescriptor) -> Option<Reading> {
    use parquet::basic::ConvertedType;
    let unit = match (descriptor.logical_type_ref(), descriptor.converted_type()) {
        (Some(LogicalType::Timestamp(timestamp)), _) => Some(match timestamp.unit {
            TimeUnit::MILLIS => 1_000_000,
            TimeUnit::MICROS => 1_000,
            TimeUnit::NANOS => 1,
        }),
        (Some(LogicalType::Date), _) | (_, ConvertedType::DATE) => Some(86_400_000_000_000),
        (None, ConvertedType::TIMESTAMP_MILLIS) => Some(1_000_000),
        (None, ConvertedType::TIMESTAMP_MICROS) => Some(1_000),
        (None | Some(LogicalType::Integer(_)), _) => None,
        _ => return None,
    };
    match descriptor.physical_type() {
        Physical::INT64 | Physical::INT32 => Some(Reading::Time(unit)),
        Physical::INT96 => Some(Reading::TimeInt96),
        _ => None,
    }
}

fn number(descriptor: &ColumnDescriptor) -> Option<Reading> {
    let decimal = match descriptor.logical_type_ref() {
        Some(LogicalType::Decimal(decimal)) => Some(10_f64.powi(decimal.scale)),
        _ => None,
    };
    let is_unsigned =
        matches!(descriptor.logical_type_ref(), Some(LogicalType::Integer(i)) if !i.is_signed);
    let is_other = matches!(
        descriptor.logical_type_ref(),
        Some(LogicalType::Timestamp(_) | LogicalType::Date | LogicalType::Time(_))
    );
    match descriptor.physical_type() {
        _ if is_other => None,
        Physical::DOUBLE | Physical::FLOAT | Physical::INT64 | Physical::INT32 => {
            Some(Reading::Number { divisor: decimal.unwrap_or(1.0), is_unsigned })
        }
        Physical::FIXED_LEN_BYTE_ARRAY | Physical::BYTE_ARRAY => {
            Some(Reading::DecimalBytes { divisor: decimal? })
        }
        _ => None,
    }
}
