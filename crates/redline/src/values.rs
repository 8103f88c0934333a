//! Words and numbers on the command line.

use anyhow::{Result, anyhow, bail};
use serde::de::DeserializeOwned;
use serde::de::IntoDeserializer;
use serde::de::value::{Error, StrDeserializer};

/// A word of an enum in kebab case, as in documents.
pub(crate) fn word<T: DeserializeOwned>(text: &str) -> Result<T, String> {
    let deserializer: StrDeserializer<'_, Error> = text.into_deserializer();
    T::deserialize(deserializer).map_err(|error| error.to_string().replace('`', "'"))
}

/// `name=value` with anything for a value.
pub(crate) fn assignment(text: &str) -> Result<(String, String), String> {
    match text.split_once('=') {
        Some((name, value)) if !name.trim().is_empty() && !value.trim().is_empty() => {
            Ok((name.trim().to_owned(), value.trim().to_owned()))
        }
        _ => Err("expected NAME=VALUE, such as fast=20".to_owned()),
    }
}

/// `name=number` pairs from `name=value` pairs.
pub(crate) fn numbers(pairs: &[(String, String)]) -> Result<Vec<(String, f64)>> {
    let number = |(name, value): &(String, String)| {
        let number =
            value.parse().map_err(|_| anyhow!("parameter '{name}': '{value}' is not a number"))?;
        Ok((name.clone(), number))
    };
    pairs.iter().map(number).collect()
}

/// A bar length such as `1min`, `5m`, `1h` or `1d`, in nanoseconds.
pub(crate) fn frequency(text: &str) -> Result<i64, String> {
    let fail = || format!("'{text}' is not a bar length such as 1min, 5min, 1h or 1d");
    let span: jiff::Span = text.parse().map_err(|_| fail())?;
    let relative = jiff::SpanRelativeTo::days_are_24_hours();
    let nanoseconds = span.total((jiff::Unit::Nanosecond, relative)).map_err(|_| fail())?;
    if nanoseconds >= 1.0 && nanoseconds < i64::MAX as f64 {
        Ok(nanoseconds as i64)
    } else {
        Err(fail())
    }
}

/// The bar length that most bars have: the median distance of timestamps.
pub(crate) fn infer_frequency(timestamps: &[i64]) -> Result<i64> {
    let mut steps: Vec<i64> = timestamps.windows(2).map(|pair| pair[1] - pair[0]).collect();
    if steps.is_empty() {
        bail!("one bar has no length: say it with --freq, such as --freq 1min");
    }
    let middle = steps.len() / 2;
    Ok(*steps.select_nth_unstable(middle).1)
}

/// A date (`2024-01-01`, midnight UTC) or a time (`2024-01-01T09:30:00Z`), in nanoseconds since the
/// epoch.
pub(crate) fn instant(text: &str) -> Result<i64, String> {
    let fail = || format!("'{text}' is not a time such as 2024-01-01 or 2024-01-01T09:30:00Z");
    let midnight = || {
        let date: jiff::civil::Date = text.parse().ok()?;
        Some(date.to_zoned(jiff::tz::TimeZone::UTC).ok()?.timestamp())
    };
    let time = text.parse::<jiff::Timestamp>().ok().or_else(midnight).ok_or_else(fail)?;
    i64::try_from(time.as_nanosecond()).map_err(|_| fail())
}

/// A time in RFC 3339, from nanoseconds since the epoch.
pub(crate) fn time(ns: i64) -> String {
    jiff::Timestamp::from_nanosecond(i128::from(ns))
        .map_or_else(|_| format!("{ns} ns"), |time| time.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bar_lengths() {
        assert_eq!(frequency("1min"), Ok(60_000_000_000));
        assert_eq!(frequency("5m"), Ok(300_000_000_000));
        assert_eq!(frequency("1h"), Ok(3_600_000_000_000));
        assert_eq!(frequency("1d"), Ok(86_400_000_000_000));
        assert!(frequency("soon").is_err());
        assert!(frequency("-1min").is_err());
        assert_eq!(infer_frequency(&[0, 60, 120, 400]).unwrap(), 60);
        assert!(infer_frequency(&[0]).is_err());
    }

    #[test]
    fn unknown_words_name_the_known_ones() {
        let error = word::<backtest::Direction>("up").unwrap_err();
        assert!(error.contains("'up'") && error.contains("'long-only'"), "{error}");
    }
}
