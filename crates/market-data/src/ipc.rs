//! Arrow IPC files (Feather version 2).

use std::io::{Cursor, Write};
use std::path::Path;
use std::sync::Arc;

use arrow_array::cast::AsArray;
use arrow_array::types::{Float32Type, Float64Type, Int32Type, Int64Type};
use arrow_array::{Array, ArrayRef, Float64Array, RecordBatch, TimestampNanosecondArray};
use arrow_schema::{ArrowError, DataType, TimeUnit};

use crate::column::{NAMES, epoch_unit_ns, nearest, places};
use crate::{Bars, BarsView, Columns, DataError};

/// `work` on a file by the arrow crate, whose decoder panics on some damaged ones.
pub(crate) fn guarded<T>(
    path: &Path,
    work: impl FnOnce() -> Result<T, DataError>,
) -> Result<T, DataError> {
    let why = "its metadata does not fit its data";
    std::panic::catch_unwind(std::panic::AssertUnwindSafe(work))
        .unwrap_or_else(|_| Err(DataError::damaged(path, "Arrow IPC", why)))
}

pub(crate) fn read(path: &Path, content: Vec<u8>, columns: Columns) -> Result<Bars, DataError> {
    guarded(path, || decode(path, content, columns))
}

fn decode(path: &Path, content: Vec<u8>, columns: Columns) -> Result<Bars, DataError> {
    let damaged = |why: ArrowError| DataError::damaged(path, "Arrow IPC", why);
    let reader =
        arrow_ipc::reader::FileReader::try_new(Cursor::new(content), None).map_err(damaged)?;
    let schema = reader.schema();
    let found: Vec<&str> = schema.fields().iter().map(|field| field.name().as_str()).collect();
    let places = places(&found);
    let wanted = columns.wanted();
    let mut bars = Bars::default();
    for batch in reader {
        let batch = batch.map_err(damaged)?;
        for (column, place) in places.iter().enumerate().filter(|(i, _)| wanted[*i]) {
            let Some(at) = *place else {
                if column == 5 {
                    bars.volume.resize(bars.volume.len() + batch.num_rows(), 0.0);
                    continue;
                }
                return Err(DataError::MissingColumn {
                    path: path.to_owned(),
                    column: NAMES[column],
                    suggestion: nearest(NAMES[column], &found),
                    found: found.join(", "),
                });
            };
            append(&mut bars, column, batch.column(at)).map_err(|expected| {
                DataError::ColumnType {
                    path: path.to_owned(),
                    column: found[at].to_owned(),
                    found: batch.column(at).data_type().to_string(),
                    expected,
                }
            })?;
        }
    }
    Ok(bars)
}

fn append(bars: &mut Bars, column: usize, array: &ArrayRef) -> Result<(), &'static str> {
    if column == 0 {
        bars.timestamp.extend(times(array).ok_or("a timestamp or whole numbers since 1970")?);
        return Ok(());
    }
    let values = numbers(array).ok_or("a number")?;
    let target = match column {
        1 => &mut bars.open,
        2 => &mut bars.high,
        3 => &mut bars.low,
        4 => &mut bars.close,
        _ => &mut bars.volume,
    };
    target.extend(values);
    Ok(())
}

/// `None` where the type is no time, a value is null, or one overflows.
fn times(array: &ArrayRef) -> Option<Vec<i64>> {
    let (values, unit): (Vec<i64>, Option<i64>) = match array.data_type() {
        DataType::Timestamp(unit, _) => {
            let array = arrow_array::make_array(
                array.to_data().into_builder().data_type(DataType::Int64).build().ok()?,
            );
            (array.as_primitive::<Int64Type>().values().to_vec(), Some(unit_ns(*unit)))
        }
        DataType::Int64 => (array.as_primitive::<Int64Type>().values().to_vec(), None),
        _ => return None,
    };
    if array.null_count() > 0 {
        return None;
    }
    let unit = unit.unwrap_or_else(|| values.first().map_or(1, |&first| epoch_unit_ns(first)));
    values.into_iter().map(|value| value.checked_mul(unit)).collect()
}

fn unit_ns(unit: TimeUnit) -> i64 {
    match unit {
        TimeUnit::Second => 1_000_000_000,
        TimeUnit::Millisecond => 1_000_000,
        TimeUnit::Microsecond => 1_000,
        TimeUnit::Nanosecond => 1,
    }
}

fn numbers(array: &ArrayRef) -> Option<Vec<f64>> {
    Some(match array.data_type() {
        DataType::Float64 => {
            array.as_primitive::<Float64Type>().iter().map(|v| v.unwrap_or(f64::NAN)).collect()
        }
        DataType::Float32 => array
            .as_primitive::<Float32Type>()
            .iter()
            .map(|v| v.map_or(f64::NAN, f64::from))
            .collect(),
        DataType::Int64 => array
            .as_primitive::<Int64Type>()
            .iter()
            .map(|v| v.map_or(f64::NAN, |v| v as f64))
            .collect(),
        DataType::Int32 => array
            .as_primitive::<Int32Type>()
            .iter()
            .map(|v| v.map_or(f64::NAN, f64::from))
            .collect(),
        _ => return None,
    })
}

/// The bars as one Arrow batch: the timestamp in nanoseconds, UTC.
pub(crate) fn batch(bars: BarsView<'_>) -> Result<RecordBatch, ArrowError> {
    let time = TimestampNanosecondArray::from(bars.timestamp.to_vec()).with_timezone("UTC");
    let value = |values: &[f64]| -> ArrayRef { Arc::new(Float64Array::from(values.to_vec())) };
    let columns: [ArrayRef; 6] = [
        Arc::new(time),
        value(bars.open),
        value(bars.high),
        value(bars.low),
        value(bars.close),
        value(bars.volume),
    ];
    RecordBatch::try_from_iter(NAMES.into_iter().zip(columns))
}

pub(crate) fn write(out: &mut dyn Write, bars: BarsView<'_>) -> std::io::Result<()> {
    let fail = std::io::Error::other::<ArrowError>;
    let batch = batch(bars).map_err(fail)?;
    let mut writer = arrow_ipc::writer::FileWriter::try_new(out, &batch.schema()).map_err(fail)?;
    writer.write(&batch).map_err(fail)?;
    writer.finish().map_err(fail)
}
