//! Durations as people write them.

use std::time::Duration;

use crate::MonitorError;

const UNITS: [(&str, f64); 5] =
    [("ms", 1e-3), ("us", 1e-6), ("s", 1.0), ("m", 60.0), ("h", 3_600.0)];

/// Reads `500ms`, `1s`, `1.5m` or `2h`; a bare 0 is no time.
///
/// # Errors
/// [`MonitorError::Duration`] for anything else.
pub fn parse_duration(text: &str) -> Result<Duration, MonitorError> {
    let wrong = || MonitorError::Duration(text.to_owned());
    if text == "0" {
        return Ok(Duration::ZERO);
    }
    let (number, seconds) = UNITS
        .iter()
        .find_map(|(unit, seconds)| Some((text.strip_suffix(unit)?, seconds)))
        .ok_or_else(wrong)?;
    let number: f64 = number.trim().parse().map_err(|_| wrong())?;
    Duration::try_from_secs_f64(number * seconds).map_err(|_| wrong())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_are_read_or_refused() {
        let read = |text| parse_duration(text).unwrap().as_secs_f64();
        assert_eq!(["500ms", "1s", "1.5m", "2h", "0"].map(read), [0.5, 1.0, 90.0, 7_200.0, 0.0]);
        for wrong in ["", "1", "s", "-1s", "nans", "1d", "infs"] {
            assert!(parse_duration(wrong).is_err(), "{wrong}");
        }
    }
}
