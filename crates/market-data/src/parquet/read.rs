//! The tasks of a read: one for each column chunk, which makes one for each page.

use std::mem::MaybeUninit;
use std::ops::Range;

use parquet::basic::Type as Physical;
use parquet::data_type::{
    AsBytes, ByteArrayType, DataType, DoubleType, FixedLenByteArrayType, FloatType, Int32Type,
    Int64Type, Int96Type,
};
use rayon::prelude::*;

use super::chunk::Chunk;
use super::decode::{Plain, Word};
use super::schema::{Place, Reading};
use super::{NO_TIME, ParquetFile, Span, general};
use crate::slots::Slots;
use crate::{Bars, DataError, sys};

const ONLY_TIMES: [bool; 6] = [true, false, false, false, false, false];

impl ParquetFile {
    /// Decodes the rows of `spans` of the columns that are `wanted`, one span after the other; the
    /// other columns stay empty. A missing volume is 0. The memory of `old` is used again.
    pub(crate) fn read(
        &self,
        wanted: [bool; 6],
        spans: &[Span],
        old: Bars,
    ) -> Result<Bars, DataError> {
        let rows = self.rows_that_fit(wanted, spans)?;
        let slots = |is_wanted| if is_wanted { rows } else { 0 };
        let too_large = || self.too_large(rows);
        let Bars { timestamp, open, high, low, close, volume } = old;
        let mut times = Slots::reusing(timestamp, slots(wanted[0])).ok_or_else(too_large)?;
        let mut values = Vec::with_capacity(5);
        for (column, &is_wanted) in [open, high, low, close, volume].into_iter().zip(&wanted[1..]) {
            values.push(Slots::reusing(column, slots(is_wanted)).ok_or_else(too_large)?);
        }
        let mut tasks = Vec::new();
        if let Some(place) = self.layout[0] {
            self.cut(place, spans, times.open(), &mut tasks, Out::Times);
        }
        for (values, place) in values.iter_mut().zip(&self.layout[1..]) {
            match place {
                Some(place) => self.cut(*place, spans, values.open(), &mut tasks, Out::Values),
                None => values.open().fill(MaybeUninit::new(0.0)),
            }
        }
        tasks.into_par_iter().with_max_len(1).try_for_each(|task| self.run(task))?;
        // SAFETY: the tasks cover every element, and each has written its own or given an error.
        let timestamp = unsafe { times.written() };
        let mut values = values.into_iter().map(|slots| {
            // SAFETY: as above.
            unsafe { slots.written() }
        });
        let mut next = || values.next().unwrap_or_default();
        let [open, high, low, close, volume] = [(); 5].map(|()| next());
        Ok(Bars { timestamp, open, high, low, close, volume })
    }

    /// The bars in `from..to`. Row groups whose statistics lie outside are not read; of the others
    /// the times are, and of the other columns then only the pages that hold wanted rows.
    ///
    /// Times that are not in order are no error here: all rows between the first wanted one and the
    /// last come back then, for the caller's policy to judge.
    pub(crate) fn read_between(&self, from: i64, to: i64) -> Result<Bars, DataError> {
        let groups = self.groups_between(from, to);
        let times = self.read(ONLY_TIMES, &groups, Bars::default())?.timestamp;
        let is_wanted = |time: &i64| (from..to).contains(time);
        let first = times.iter().position(is_wanted).unwrap_or(times.len());
        let last = times.iter().rposition(is_wanted).map_or(first, |last| last + 1);
        let mut spans = Vec::new();
        let mut start = 0;
        for Span { group, rows } in groups {
            let end = start + rows.len();
            let (begin, stop) = (first.clamp(start, end) - start, last.clamp(start, end) - start);
            if begin < stop {
                spans.push(Span { group, rows: begin..stop });
            }
            start = end;
        }
        let wanted = std::array::from_fn(|column| column > 0 && self.wanted[column]);
        let mut bars = self.read(wanted, &spans, Bars::default())?;
        bars.timestamp = times[first..last].to_vec();
        Ok(bars)
    }

    fn rows_that_fit(&self, wanted: [bool; 6], spans: &[Span]) -> Result<usize, DataError> {
        let rows = spans.iter().map(|span| span.rows.len()).fold(0, usize::saturating_add);
        let columns = wanted.iter().filter(|&&is| is).count();
        let bytes = rows.saturating_mul(columns * size_of::<f64>());
        let fits = sys::memory_available().is_none_or(|available| bytes as u64 <= available);
        if fits { Ok(rows) } else { Err(self.too_large(rows)) }
    }

    fn too_large(&self, rows: usize) -> DataError {
        DataError::TooLarge { path: self.path.clone(), rows }
    }

    /// A task for each span of a column; none where the column is not wanted.
    fn cut<'a, V>(
        &self,
        place: Place,
        spans: &[Span],
        mut slots: &'a mut [MaybeUninit<V>],
        tasks: &mut Vec<Task<'a>>,
        out: fn(&'a mut [MaybeUninit<V>]) -> Out<'a>,
    ) {
        if slots.is_empty() {
            return;
        }
        for span in spans {
            let (own, rest) = slots.split_at_mut(span.rows.len());
            slots = rest;
            tasks.push(Task { place, span: span.clone(), out: out(own) });
        }
    }

    fn run(&self, task: Task<'_>) -> Result<(), DataError> {
        let Task { place, span, out } = task;
        let chunk = self.chunk(span.group, place.at);
        let done = match out {
            Out::Times(out) => times(&chunk, place.reading, &span.rows, out),
            Out::Values(out) => numbers(&chunk, place.reading, &span.rows, out),
        };
        done.map_err(|why| {
            let column = chunk.meta.column_descr().name();
            self.damaged(format!("column '{column}', row group {}: {why}", span.group))
        })
    }
}

struct Task<'a> {
    place: Place,
    span: Span,
    out: Out<'a>,
}

enum Out<'a> {
    Times(&'a mut [MaybeUninit<i64>]),
    Values(&'a mut [MaybeUninit<f64>]),
}

fn times(
    chunk: &Chunk<'_>,
    reading: Reading,
    rows: &Range<usize>,
    out: &mut [MaybeUninit<i64>],
) -> Result<(), String> {
    let Reading::Time(unit) = reading else {
        let nanoseconds = |value: &parquet::data_type::Int96| value.to_nanos();
        return general::decode::<Int96Type, i64>(chunk, rows, out, NO_TIME, nanoseconds);
    };
    let unit = unit.unwrap_or(1);
    let scale = move |value: i64| value.checked_mul(unit).unwrap_or(NO_TIME);
    match chunk.meta.column_type() {
        Physical::INT64 if unit == 1 => run::<Int64Type, _>(chunk, rows, out, NO_TIME, |v| v),
        Physical::INT64 => run::<Int64Type, _>(chunk, rows, out, NO_TIME, scale),
        _ => run::<Int32Type, _>(chunk, rows, out, NO_TIME, move |v| scale(v.into())),
    }
}

fn numbers(
    chunk: &Chunk<'_>,
    reading: Reading,
    rows: &Range<usize>,
    out: &mut [MaybeUninit<f64>],
) -> Result<(), String> {
    const NULL: f64 = f64::NAN;
    let (divisor, is_unsigned) = match reading {
        Reading::Number { divisor, is_unsigned } => (divisor, is_unsigned),
        Reading::DecimalBytes { divisor } => return decimals(chunk, divisor, rows, out),
        Reading::Time(_) | Reading::TimeInt96 => return Err("not a number".to_owned()),
    };
    match chunk.meta.column_type() {
        Physical::DOUBLE => run::<DoubleType, _>(chunk, rows, out, NULL, |v| v),
        Physical::FLOAT => run::<FloatType, _>(chunk, rows, out, NULL, f64::from),
        Physical::INT64 if is_unsigned => {
            run::<Int64Type, _>(chunk, rows, out, NULL, |v| v as u64 as f64)
        }
        Physical::INT64 => run::<Int64Type, _>(chunk, rows, out, NULL, move |v| v as f64 / divisor),
        _ if is_unsigned => run::<Int32Type, _>(chunk, rows, out, NULL, |v| f64::from(v as u32)),
        _ => run::<Int32Type, _>(chunk, rows, out, NULL, move |v| f64::from(v) / divisor),
    }
}

fn decimals(
    chunk: &Chunk<'_>,
    divisor: f64,
    rows: &Range<usize>,
    out: &mut [MaybeUninit<f64>],
) -> Result<(), String> {
    let value = |bytes: &[u8]| {
        let sign = bytes.first().map_or(0, |&byte| i128::from(byte as i8) >> 8);
        bytes.iter().fold(sign, |value, &byte| value << 8 | i128::from(byte)) as f64 / divisor
    };
    match chunk.meta.column_type() {
        Physical::BYTE_ARRAY => {
            general::decode::<ByteArrayType, _>(chunk, rows, out, f64::NAN, |v| value(v.as_bytes()))
        }
        _ => general::decode::<FixedLenByteArrayType, _>(chunk, rows, out, f64::NAN, |v| {
            value(v.as_bytes())
        }),
    }
}

/// Page by page where they can be, else through the general reader.
fn run<T: DataType, V: Word>(
    chunk: &Chunk<'_>,
    rows: &Range<usize>,
    out: &mut [MaybeUninit<V>],
    null: V,
    convert: impl Fn(T::T) -> V + Copy + Sync,
) -> Result<(), String>
where
    T::T: Plain,
{
    match chunk.pages()? {
        Some(pages) => chunk.decode(&pages, rows, out, null, convert),
        None => general::decode::<T, V>(chunk, rows, out, null, |value| convert(*value)),
    }
}
