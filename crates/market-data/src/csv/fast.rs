//! Plain CSV on all cores: cut at line ends, each piece parsed by itself.
//!
//! Only what nearly every file is: no quotes, no blanks, decimal numbers, times as whole numbers or
//! as `2024-01-01T09:30:00Z`. For whatever else `None` is given, and the careful reader, which also
//! knows what to say about it, takes the file. Numbers of up to 15 digits with up to 22 of them after
//! the point are exact as a quotient of two doubles (Clinger 1990); the others go to the standard
//! library.

use rayon::prelude::*;

use super::Layout;
use crate::Bars;

/// Bytes of a piece: small enough to share out evenly, large enough to be worth a task.
const PIECE_BYTES: usize = 1 << 20;

/// What the pieces have in common.
pub(super) struct Plan<'a> {
    pub(super) layout: &'a Layout<'a>,
    /// Fields of a line.
    pub(super) fields: usize,
    pub(super) delimiter: u8,
    pub(super) unit_ns: i64,
}

/// The rows of `content`, which has no header; `None` where the careful reader is needed.
pub(super) fn read(content: &[u8], plan: &Plan<'_>) -> Option<Bars> {
    let pieces: Vec<&[u8]> = pieces(content);
    let parts: Option<Vec<Bars>> = pieces.into_par_iter().map(|piece| rows(piece, plan)).collect();
    let parts = parts?;
    let total = parts.iter().map(Bars::len).sum();
    let gather = |column: fn(&Bars) -> &Vec<f64>| -> Vec<f64> {
        let mut all = Vec::with_capacity(if column(&parts[0]).is_empty() { 0 } else { total });
        parts.iter().for_each(|part| all.extend_from_slice(column(part)));
        all
    };
    if parts.is_empty() {
        return Some(Bars::default());
    }
    let ((open, high), (low, close)) = rayon::join(
        || rayon::join(|| gather(|bars| &bars.open), || gather(|bars| &bars.high)),
        || rayon::join(|| gather(|bars| &bars.low), || gather(|bars| &bars.close)),
    );
    let volume = gather(|bars| &bars.volume);
    let timestamp = parts.iter().flat_map(|part| part.timestamp.iter().copied()).collect();
    Some(Bars { timestamp, open, high, low, close, volume })
}

fn pieces(mut content: &[u8]) -> Vec<&[u8]> {
    let mut pieces = Vec::with_capacity(content.len() / PIECE_BYTES + 1);
    while !content.is_empty() {
        let from = content.len().min(PIECE_BYTES);
        let end = content[from..].iter().position(|&byte| byte == b'\n');
        let (piece, rest) = content.split_at(end.map_or(content.len(), |at| from + at + 1));
        pieces.push(piece);
        content = rest;
    }
    pieces
}

fn rows(piece: &[u8], plan: &Plan<'_>) -> Option<Bars> {
    let mut bars = Bars::with_capacity(0);
    let mut fields = vec![&[] as &[u8]; plan.fields];
    let mut rest = piece;
    while !rest.is_empty() {
        rest = split(rest, plan.delimiter, &mut fields)?;
        let text = |column: usize| plan.layout.places[column].map(|at| fields[at]);
        bars.timestamp.push(time(text(0)?, plan.unit_ns)?);
        let columns =
            [&mut bars.open, &mut bars.high, &mut bars.low, &mut bars.close, &mut bars.volume];
        for (column, values) in columns.into_iter().enumerate() {
            if plan.layout.wanted[column + 1] {
                values.push(text(column + 1).map_or(Some(0.0), number)?);
            }
        }
    }
    Some(bars)
}

/// The fields of the first line; gives what follows it.
fn split<'a>(text: &'a [u8], delimiter: u8, fields: &mut [&'a [u8]]) -> Option<&'a [u8]> {
    let (mut field, mut start) = (0, 0);
    let mut end = text.len();
    for (at, &byte) in text.iter().enumerate() {
        if byte == b'\n' {
            end = at;
            break;
        }
        if byte == delimiter {
            *fields.get_mut(field)? = &text[start..at];
            (field, start) = (field + 1, at + 1);
        } else if byte == b'"' {
            return None;
        }
    }
    let last = &text[start..end];
    *fields.get_mut(field)? = last.strip_suffix(b"\r").unwrap_or(last);
    (field + 1 == fields.len()).then(|| text.get(end + 1..).unwrap_or_default())
}

/// Digits before and after a point.
pub(super) fn number(text: &[u8]) -> Option<f64> {
    let digits = text.strip_prefix(b"-").unwrap_or(text);
    let (mut value, mut after, mut has_point) = (0_u64, 0, false);
    if digits.len() > 16 {
        return slow_number(text);
    }
    for &byte in digits {
        if byte.is_ascii_digit() {
            value = value * 10 + u64::from(byte - b'0');
            after += usize::from(has_point);
        } else if byte == b'.' && !has_point {
            has_point = true;
        } else {
            return slow_number(text);
        }
    }
    if digits.len() <= usize::from(has_point) || value >= 1 << 53 {
        return slow_number(text);
    }
    let size = value as f64 / TENS[after];
    Some(if digits.len() < text.len() { -size } else { size })
}

fn slow_number(text: &[u8]) -> Option<f64> {
    std::str::from_utf8(text).ok()?.parse().ok()
}

/// Powers of ten, each exact.
const TENS: [f64; 17] =
    [1e0, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9, 1e10, 1e11, 1e12, 1e13, 1e14, 1e15, 1e16];

fn time(text: &[u8], unit_ns: i64) -> Option<i64> {
    if text.len() >= 10 && text[4] == b'-' {
        return iso(text);
    }
    std::str::from_utf8(text).ok()?.parse::<i64>().ok()?.checked_mul(unit_ns)
}

/// `2024-01-01`, or that with `T` or a blank and `09:30:00`, with or without `Z`.
pub(super) fn iso(text: &[u8]) -> Option<i64> {
    let is_time = matches!(text.len(), 19 | 20);
    let is_known = (text.len() == 10 || is_time) && text[4] == b'-' && text[7] == b'-';
    if !is_known {
        return None;
    }
    let (year, month) = (pair(text, 0)? * 100 + pair(text, 2)?, pair(text, 5)?);
    let day = pair(text, 8)?;
    // Every month has so many days, and every year from here is one that nanoseconds hold.
    if !(1700..2262).contains(&year) || !(1..=12).contains(&month) || !(1..=28).contains(&day) {
        return super::iso_time(std::str::from_utf8(text).ok()?);
    }
    let of_day = if is_time { seconds_of_day(text)? } else { 0 };
    Some((days(year, month, day) * 86_400 + of_day) * 1_000_000_000)
}

/// Two digits from `at` on.
fn pair(text: &[u8], at: usize) -> Option<i64> {
    let (tens, ones) = (text[at].wrapping_sub(b'0'), text[at + 1].wrapping_sub(b'0'));
    (tens < 10 && ones < 10).then(|| i64::from(tens) * 10 + i64::from(ones))
}

/// What follows the date, from its `T` on.
fn seconds_of_day(text: &[u8]) -> Option<i64> {
    let is_shaped = matches!(text[10], b'T' | b' ')
        && [text[13], text[16]] == [b':', b':']
        && (text.len() == 19 || text[19] == b'Z');
    let (hour, minute, second) = (pair(text, 11)?, pair(text, 14)?, pair(text, 17)?);
    let is_time = is_shaped && hour <= 23 && minute <= 59 && second <= 59;
    is_time.then_some(hour * 3_600 + minute * 60 + second)
}

/// Days since 1970-01-01 in the Gregorian calendar, years counted from March.
fn days(year: i64, month: i64, day: i64) -> i64 {
    let year = year - i64::from(month <= 2);
    let of_year = (153 * ((month + 9) % 12) + 2) / 5 + day - 1;
    year * 365 + year / 4 - year / 100 + year / 400 + of_year - 719_468
}
