//! Arrow IPC files (Feather version 2).

use std::io::{Cursor, Write};
use std::path::Path;
use std::sync::Arc;

use arrow_array::cast::AsArray;
use arrow_array::types::{
    ArrowPrimitiveType, Decimal32Type, Decimal64Type, Decimal128Type, Float32Type, Float64Type,
    Int32Type, Int64Type,
};
use arrow_array::{Array, ArrayRef, Float64Array, RecordBatch, TimestampNanosecondArray};
use arrow_schema::{ArrowError, DataType, TimeUnit};

use crate::column::{EpochUnit, NAMES, epoch_unit_ns, nearest, places};
use crate::{Bars, BarsView, DataError, LoadOptions};

/// `work` on a file by the arrow crate, whose decoder panics on some damaged ones.
pub(crate) fn guarded<T>(
    path: &Path,
    work: impl FnOnce() -> Result<T, DataError>,
) -> Result<T, DataError> {
    let why = "its metadata does not fit its data";
    std::panic::catch_unwind(std::panic::AssertUnwindSafe(work))
        .unwrap_or_else(|_| Err(DataError::damaged(path, "Arrow IPC", why)))
}

pub(crate) fn read(
    path: &Path,
    content: Vec<u8>,
    options: &LoadOptions,
) -> Result<Bars, DataError> {
    guarded(path, || decode(path, content, options))
}

fn decode(path: &Path, content: Vec<u8>, options: &LoadOptions) -> Result<Bars, DataError> {
    let damaged = |why: ArrowError| DataError::damaged(path, "Arrow IPC", why);
    let reader =
        arrow_ipc::reader::FileReader::try_new(Cursor::new(content), None).map_err(damaged)?;
    let schema = reader.schema();
    let found: Vec<&str> = schema.fields().iter().map(|field| field.name().as_str()).collect();
    let places = places(&found);
    let wanted = options.columns.wanted();
    let mut unit = options.epoch_unit.map(EpochUnit::ns);
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
            append(&mut bars, column, batch.column(at), &mut unit).map_err(|expected| {
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

fn append(
    bars: &mut Bars,
    column: usize,
    array: &ArrayRef,
    unit: &mut Option<i64>,
) -> Result<(), &'static str> {
    if column == 0 {
        bars.timestamp.extend(times(array, unit).ok_or("a timestamp or whole numbers since 1970")?);
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

/// `None` where the type is no time, a value is null, or one overflows. `plain` is the unit of whole
/// numbers; where it is not known yet, the first one's size tells it.
fn times(array: &ArrayRef, plain: &mut Option<i64>) -> Option<Vec<i64>> {
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
    let Some(&first) = values.first() else { return Some(values) };
    let unit = unit.unwrap_or_else(|| *plain.get_or_insert_with(|| epoch_unit_ns(first)));
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

/// A null is NaN; `None` where the type is no number.
fn numbers(array: &ArrayRef) -> Option<Vec<f64>> {
    Some(match array.data_type() {
        DataType::Float64 => of_type::<Float64Type>(array, |v| v),
        DataType::Float32 => of_type::<Float32Type>(array, f64::from),
        DataType::Int64 => of_type::<Int64Type>(array, |v| v as f64),
        DataType::Int32 => of_type::<Int32Type>(array, f64::from),
        &DataType::Decimal32(_, scale) => of_decimal::<Decimal32Type>(array, scale, f64::from),
        &DataType::Decimal64(_, scale) => of_decimal::<Decimal64Type>(array, scale, |v| v as f64),
        &DataType::Decimal128(_, scale) => of_decimal::<Decimal128Type>(array, scale, |v| v as f64),
        _ => return None,
    })
}

fn of_type<T: ArrowPrimitiveType>(array: &ArrayRef, number: impl Fn(T::Native) -> f64) -> Vec<f64> {
    array.as_primitive::<T>().iter().map(|v| v.map_or(f64::NAN, &number)).collect()
}

fn of_decimal<T: ArrowPrimitiveType>(
    array: &ArrayRef,
    scale: i8,
    number: impl Fn(T::Native) -> f64,
) -> Vec<f64> {
    let divisor = 10_f64.powi(scale.into());
    of_type::<T>(array, |value| number(value) / divisor)
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
