//! Named columns of any kind, in Parquet: features, orders, trades, trials, signals.
//!
//! ```
//! use market_data::table::{Column, Table};
//!
//! let folder = tempfile::tempdir()?;
//! let path = folder.path().join("signals.parquet");
//! let signals = Table::new()
//!     .with("entry", Column::Bool(vec![true, false]))
//!     .with("exit", Column::Bool(vec![false, true]));
//! signals.write(&path)?;
//! assert_eq!(Table::read(&path)?, signals);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

use std::fs::File;
use std::path::Path;
use std::sync::Arc;

use arrow_array::cast::AsArray;
use arrow_array::types::{Float64Type, Int64Type};
use arrow_array::{
    Array, ArrayRef, BooleanArray, Float64Array, Int64Array, RecordBatch, StringArray,
    TimestampNanosecondArray,
};
use arrow_schema::DataType;
use parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder;

use crate::DataError;
use crate::save::{Compression, replace, write_parquet};

/// One column.
#[derive(Debug, Clone, PartialEq)]
pub enum Column {
    /// Numbers; NaN where missing.
    F64(Vec<f64>),
    /// Whole numbers.
    I64(Vec<i64>),
    /// Nanoseconds since the Unix epoch, UTC.
    Timestamp(Vec<i64>),
    /// True or false; false where missing.
    Bool(Vec<bool>),
    /// Text.
    Str(Vec<String>),
}

impl Column {
    fn array(&self) -> ArrayRef {
        match self {
            Self::F64(values) => Arc::new(Float64Array::from(values.clone())),
            Self::I64(values) => Arc::new(Int64Array::from(values.clone())),
            Self::Timestamp(values) => {
                Arc::new(TimestampNanosecondArray::from(values.clone()).with_timezone("UTC"))
            }
            Self::Bool(values) => Arc::new(BooleanArray::from(values.clone())),
            Self::Str(values) => Arc::new(StringArray::from_iter_values(values)),
        }
    }

    /// The column of an Arrow array; `None` for a type that no column has.
    fn of(array: &ArrayRef) -> Option<Self> {
        Some(match array.data_type() {
            DataType::Float64 => {
                let values = array.as_primitive::<Float64Type>().iter();
                Self::F64(values.map(|v| v.unwrap_or(f64::NAN)).collect())
            }
            DataType::Int64 => Self::I64(
                array.as_primitive::<Int64Type>().iter().map(Option::unwrap_or_default).collect(),
            ),
            DataType::Timestamp(arrow_schema::TimeUnit::Nanosecond, _) => {
                let values =
                    array.as_primitive::<arrow_array::types::TimestampNanosecondType>().values();
                Self::Timestamp(values.to_vec())
            }
            DataType::Boolean => {
                Self::Bool(array.as_boolean().iter().map(|v| v.unwrap_or(false)).collect())
            }
            DataType::Utf8 => {
                let values = array.as_string::<i32>().iter();
                Self::Str(values.map(|v| v.unwrap_or_default().to_owned()).collect())
            }
            _ => return None,
        })
    }
}

/// Columns of one length, by name, in order.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Table {
    columns: Vec<(String, Column)>,
}

impl Table {
    /// No column.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// This table with one column more.
    #[must_use]
    pub fn with(mut self, name: &str, column: Column) -> Self {
        self.columns.push((name.to_owned(), column));
        self
    }

    /// The column called `name`.
    #[must_use]
    pub fn column(&self, name: &str) -> Option<&Column> {
        self.columns.iter().find(|(known, _)| known == name).map(|(_, column)| column)
    }

    /// The names, in order.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.columns.iter().map(|(name, _)| name.as_str())
    }

    /// Writes the table as snappy Parquet, whole or not at all.
    ///
    /// # Errors
    /// [`DataError::NoFolder`] or [`DataError::Io`]; the old file stays then.
    pub fn write(&self, path: &Path) -> Result<(), DataError> {
        let columns = self.columns.iter().map(|(name, column)| (name, column.array()));
        let batch = RecordBatch::try_from_iter(columns)
            .map_err(|why| DataError::damaged(path, "a table", why))?;
        replace(path, |out| write_parquet(out, &batch, Compression::Snappy))
    }

    /// Reads the columns of a Parquet file whose type a [`Column`] has; others are left out.
    ///
    /// # Errors
    /// [`DataError`] naming the file.
    pub fn read(path: &Path) -> Result<Self, DataError> {
        let file = File::open(path).map_err(|source| DataError::io(path, source))?;
        let damaged = |why: parquet::errors::ParquetError| DataError::damaged(path, "Parquet", why);
        let reader = ParquetRecordBatchReaderBuilder::try_new(file).map_err(damaged)?;
        let rows = usize::try_from(reader.metadata().file_metadata().num_rows()).unwrap_or(0);
        let reader = reader.with_batch_size(rows.max(1)).build().map_err(damaged)?;
        let mut table = Self::new();
        for batch in reader {
            let batch = batch.map_err(|why| DataError::damaged(path, "Parquet", why))?;
            for (field, array) in batch.schema().fields().iter().zip(batch.columns()) {
                if let Some(column) = Column::of(array) {
                    table = table.with(field.name(), column);
                }
            }
        }
        Ok(table)
    }
}
