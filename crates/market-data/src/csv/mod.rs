//! CSV: separator, header and time format told from the first rows.

mod fast;
#[cfg(test)]
mod tests;

use std::io::Write;
use std::path::Path;

use crate::column::{EpochUnit, NAMES, epoch_unit_ns, nearest, places};
use crate::{Bars, BarsView, DataError, LoadOptions};

pub(crate) fn read(path: &Path, content: &[u8], options: &LoadOptions) -> Result<Bars, DataError> {
    let mut reader = reader(content);
    let mut record = csv::ByteRecord::new();
    let damaged = |why: csv::Error| DataError::damaged(path, "CSV", why);
    if !reader.read_byte_record(&mut record).map_err(damaged)? {
        return Err(DataError::NoBars { path: path.to_owned() });
    }
    let first: Vec<String> =
        record.iter().map(|field| String::from_utf8_lossy(field).into_owned()).collect();
    let is_header = first.iter().skip(1).all(|field| field.parse::<f64>().is_err());
    let wanted = options.columns.wanted();
    let mut unit = options.epoch_unit.map(EpochUnit::ns);
    let layout = if is_header {
        Layout::named(path, &first, wanted)?
    } else {
        Layout::positional(path, &first, wanted)?
    };
    let start = if is_header { reader.position().byte() as usize } else { 0 };
    if let Some(bars) =
        plain(content.get(start..).unwrap_or_default(), &layout, delimiter(content), unit)
    {
        return Ok(bars);
    }
    let mut bars = Bars::default();
    let mut row = 0;
    if !is_header {
        row = 1;
        layout.push(&record, row, &mut unit, &mut bars)?;
    }
    while reader.read_byte_record(&mut record).map_err(damaged)? {
        row += 1;
        layout.push(&record, row, &mut unit, &mut bars)?;
    }
    Ok(bars)
}

pub(crate) fn reader(content: &[u8]) -> csv::Reader<&[u8]> {
    csv::ReaderBuilder::new()
        .delimiter(delimiter(content))
        .has_headers(false)
        .trim(csv::Trim::All)
        .from_reader(content)
}

/// The rows by the fast reader, where it can.
fn plain(rows: &[u8], layout: &Layout<'_>, delimiter: u8, unit: Option<i64>) -> Option<Bars> {
    let line = rows.split(|&byte| byte == b'\n').next()?;
    let time = line.split(|&byte| byte == delimiter).nth(layout.places[0]?)?;
    let first = std::str::from_utf8(time).ok().and_then(|text| text.trim().parse().ok());
    let unit_ns = unit.unwrap_or_else(|| first.map_or(1, epoch_unit_ns));
    fast::read(rows, &fast::Plan { layout, fields: layout.fields, delimiter, unit_ns })
}

/// The separator that the first line has most of.
fn delimiter(content: &[u8]) -> u8 {
    let line = content.split(|&byte| byte == b'\n').next().unwrap_or_default();
    let count = |wanted: u8| line.iter().filter(|&&byte| byte == wanted).count();
    [b',', b';', b'\t', b'|'].into_iter().rev().max_by_key(|&byte| count(byte)).unwrap_or(b',')
}

/// Where each column of bars stands, and what the file calls it.
struct Layout<'a> {
    path: &'a Path,
    places: [Option<usize>; 6],
    names: Vec<String>,
    wanted: [bool; 6],
    /// Fields of the first line.
    fields: usize,
}

impl<'a> Layout<'a> {
    fn named(path: &'a Path, header: &[String], wanted: [bool; 6]) -> Result<Self, DataError> {
        let found: Vec<&str> = header.iter().map(String::as_str).collect();
        let places = places(&found);
        for (column, place) in places.iter().enumerate().take(5) {
            if wanted[column] && place.is_none() {
                return Err(DataError::MissingColumn {
                    path: path.to_owned(),
                    column: NAMES[column],
                    suggestion: nearest(NAMES[column], &found),
                    found: found.join(", "),
                });
            }
        }
        Ok(Self { path, places, names: header.to_vec(), wanted, fields: header.len() })
    }

    fn positional(path: &'a Path, first: &[String], wanted: [bool; 6]) -> Result<Self, DataError> {
        if first.len() < 5 {
            return Err(DataError::damaged(
                path,
                "CSV",
                format!(
                    "no header, and {} columns: expected timestamp, open, high, low, close, volume",
                    first.len()
                ),
            ));
        }
        let names = NAMES.iter().map(|name| (*name).to_owned()).collect();
        let places = std::array::from_fn(|i| (i < first.len()).then_some(i));
        Ok(Self { path, places, names, wanted, fields: first.len() })
    }

    fn push(
        &self,
        record: &csv::ByteRecord,
        row: usize,
        unit: &mut Option<i64>,
        bars: &mut Bars,
    ) -> Result<(), DataError> {
        bars.timestamp.push(self.time(record, row, self.places[0], unit)?);
        let columns =
            [&mut bars.open, &mut bars.high, &mut bars.low, &mut bars.close, &mut bars.volume];
        for (column, values) in (1..).zip(columns) {
            if self.wanted[column] {
                values.push(self.number(record, row, self.places[column])?);
            }
        }
        Ok(())
    }

    fn text<'r>(&self, record: &'r csv::ByteRecord, place: Option<usize>) -> &'r [u8] {
        place.and_then(|at| record.get(at)).unwrap_or_default()
    }

    fn wrong(
        &self,
        row: usize,
        place: Option<usize>,
        text: &[u8],
        expected: &'static str,
    ) -> DataError {
        DataError::Value {
            path: self.path.to_owned(),
            row,
            column: place.and_then(|at| self.names.get(at)).cloned().unwrap_or_default(),
            text: String::from_utf8_lossy(text).into_owned(),
            expected,
        }
    }

    /// Empty is NaN; a missing volume column is 0.
    fn number(
        &self,
        record: &csv::ByteRecord,
        row: usize,
        place: Option<usize>,
    ) -> Result<f64, DataError> {
        let Some(_) = place else { return Ok(0.0) };
        let text = self.text(record, place);
        if text.is_empty() {
            return Ok(f64::NAN);
        }
        std::str::from_utf8(text)
            .ok()
            .and_then(|text| text.parse().ok())
            .ok_or_else(|| self.wrong(row, place, text, "a number"))
    }

    /// Whole numbers are epoch times; where their unit is not stated, the first one's size tells it.
    fn time(
        &self,
        record: &csv::ByteRecord,
        row: usize,
        place: Option<usize>,
        unit: &mut Option<i64>,
    ) -> Result<i64, DataError> {
        let text = self.text(record, place);
        let parsed = std::str::from_utf8(text).ok().and_then(|text| match text.parse::<i64>() {
            Ok(value) => value.checked_mul(*unit.get_or_insert_with(|| epoch_unit_ns(value))),
            Err(_) => iso_time(text),
        });
        let expected = "a time such as 2024-01-01T09:30:00Z or seconds since 1970";
        parsed.ok_or_else(|| self.wrong(row, place, text, expected))
    }
}

/// A date, a date and time (UTC where no offset is given), in nanoseconds since the epoch.
fn iso_time(text: &str) -> Option<i64> {
    if let Ok(time) = text.parse::<jiff::Timestamp>() {
        return i64::try_from(time.as_nanosecond()).ok();
    }
    let time: jiff::civil::DateTime = text.parse().ok()?;
    let time = time.to_zoned(jiff::tz::TimeZone::UTC).ok()?.timestamp();
    i64::try_from(time.as_nanosecond()).ok()
}

pub(crate) fn write(out: &mut dyn Write, bars: BarsView<'_>) -> std::io::Result<()> {
    writeln!(out, "{}", NAMES.join(","))?;
    for row in 0..bars.len() {
        let time = jiff::Timestamp::from_nanosecond(i128::from(bars.timestamp[row]))
            .map_err(std::io::Error::other)?;
        writeln!(
            out,
            "{time},{},{},{},{},{}",
            bars.open[row], bars.high[row], bars.low[row], bars.close[row], bars.volume[row]
        )?;
    }
    Ok(())
}
