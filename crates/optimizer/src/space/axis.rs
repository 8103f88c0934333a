//! What one parameter may be.

use std::fmt;

use crate::OptimizerError;

/// One searched parameter and what it may be.
#[derive(Debug, Clone, PartialEq)]
pub struct Axis {
    /// Name of the parameter.
    pub name: String,
    /// What it may be.
    pub domain: Domain,
}

/// What a parameter may be.
#[derive(Debug, Clone, PartialEq)]
pub enum Domain {
    /// Any of a list, in the order in which a grid tries them; no order of size is assumed, so
    /// that numbers which stand for categories are fine.
    Choice(Vec<f64>),
    /// `start + i * step` for `i` below `count`. Nothing is stored per value.
    Steps {
        /// First value.
        start: f64,
        /// Distance of neighbours; may be negative.
        step: f64,
        /// How many, at least 1.
        count: u64,
    },
    /// Any whole number from `min` to `max`.
    Integer {
        /// Smallest.
        min: f64,
        /// Largest.
        max: f64,
        /// Drawn evenly over the values or over their logarithms.
        scale: Scale,
    },
    /// Any number from `min` to `max`.
    Float {
        /// Smallest.
        min: f64,
        /// Largest.
        max: f64,
        /// Drawn evenly over the values or over their logarithms.
        scale: Scale,
    },
}

/// Over what a range is drawn evenly.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Scale {
    /// The values.
    Linear,
    /// Their logarithms: 1 to 10 is as wide as 10 to 100.
    Log,
}

impl Axis {
    /// Reads `v1,v2,...` (a choice), `START:STOP:STEP` (both ends included), `START:STOP` (any
    /// number between) or `log:START:STOP` (the same, drawn evenly over the logarithm).
    ///
    /// A range is one of numbers until a space binds it to a parameter that is whole.
    ///
    /// # Errors
    /// [`OptimizerError::Axis`] with what is wrong.
    pub fn parse(name: &str, text: &str) -> Result<Self, OptimizerError> {
        let domain = parse_domain(text).map_err(|why| OptimizerError::Axis {
            name: name.to_owned(),
            text: text.to_owned(),
            why,
        })?;
        Ok(Self { name: name.to_owned(), domain })
    }
}

fn parse_domain(text: &str) -> Result<Domain, String> {
    if let Some(ends) = text.trim().strip_prefix("log:") {
        return match numbers(ends, ':')?.as_slice() {
            &[min, max] if min > 0.0 => float(min, max, Scale::Log),
            [_, _] => Err("a logarithmic range starts above 0".to_owned()),
            parts => Err(format!("log: wants 2 numbers, not {}", parts.len())),
        };
    }
    if !text.contains(':') {
        return Ok(Domain::Choice(numbers(text, ',')?));
    }
    match *numbers(text, ':')?.as_slice() {
        [min, max] => float(min, max, Scale::Linear),
        [start, stop, step] => steps(start, stop, step),
        ref parts => Err(format!("it has {} parts, not 2 or 3", parts.len())),
    }
}

fn numbers(text: &str, separator: char) -> Result<Vec<f64>, String> {
    let number = |part: &str| match part.trim().parse::<f64>() {
        // Adding 0 makes -0 the 0 that it equals.
        Ok(value) if value.is_finite() => Ok(value + 0.0),
        _ => Err(format!("'{part}' is not a number")),
    };
    text.split(separator).map(number).collect()
}

fn float(min: f64, max: f64, scale: Scale) -> Result<Domain, String> {
    if min <= max {
        Ok(Domain::Float { min, max, scale })
    } else {
        Err(format!("it runs backwards: write {max}:{min}"))
    }
}

/// Whole numbers beyond this are not all doubles.
const MAX_STEPS: f64 = 9e15;

fn steps(start: f64, stop: f64, step: f64) -> Result<Domain, String> {
    if step == 0.0 {
        return Err("a step of 0 never arrives".to_owned());
    }
    let steps = (stop - start) / step;
    if steps < 0.0 {
        return Err(format!("a step of {step} leads away from {stop}"));
    }
    if steps > MAX_STEPS {
        return Err(format!("it has more than {MAX_STEPS:e} values"));
    }
    Ok(Domain::Steps { start, step, count: (steps + 1e-9).floor() as u64 + 1 })
}

impl Domain {
    /// How many values there are; `None` for a range of numbers.
    #[must_use]
    pub fn count(&self) -> Option<u64> {
        match *self {
            Self::Choice(ref values) => Some(values.len() as u64),
            Self::Steps { count, .. } => Some(count),
            Self::Integer { min, max, .. } => Some((max - min) as u64 + 1),
            Self::Float { .. } => None,
        }
    }

    /// Value `at` of those [`Domain::count`] counts.
    ///
    /// # Panics
    /// For a range of numbers, or a choice that has no value `at`.
    #[must_use]
    pub fn value(&self, at: u64) -> f64 {
        match *self {
            Self::Choice(ref values) => values[at as usize],
            Self::Steps { start, step, .. } => rounded(start + at as f64 * step),
            Self::Integer { min, .. } => min + at as f64,
            Self::Float { .. } => panic!("a range of numbers has no numbered values"),
        }
    }

    /// The value at `unit` of the way, from 0 to 1; what lies outside counts as the end. Values
    /// that can be counted have equal shares of the way.
    #[must_use]
    pub fn from_unit(&self, unit: f64) -> f64 {
        let unit = unit.clamp(0.0, 1.0);
        match *self {
            Self::Choice(_) | Self::Steps { .. } => {
                let count = self.count().unwrap_or(1);
                self.value(((unit * count as f64) as u64).min(count - 1))
            }
            Self::Integer { min, max, scale } => {
                scale.mix(min - 0.5, max + 0.5, unit).round().clamp(min, max)
            }
            Self::Float { min, max, scale } => scale.mix(min, max, unit).clamp(min, max),
        }
    }

    /// The middle of the share of the way that gives `value`: the inverse of
    /// [`Domain::from_unit`].
    #[must_use]
    pub fn to_unit(&self, value: f64) -> f64 {
        let place = |at: f64, count: u64| (at + 0.5) / count as f64;
        match *self {
            Self::Choice(ref values) => {
                let at = values.iter().position(|known| *known == value).unwrap_or(0);
                place(at as f64, values.len() as u64)
            }
            Self::Steps { start, step, count } => {
                place(((value - start) / step).round().clamp(0.0, (count - 1) as f64), count)
            }
            Self::Integer { min, max, scale } => scale.place(min - 0.5, max + 0.5, value),
            Self::Float { min, max, scale } => scale.place(min, max, value),
        }
    }
}

impl Scale {
    /// The way from `min` to `max` at which `value` lies.
    fn place(self, min: f64, max: f64, value: f64) -> f64 {
        let share = match self {
            Self::Linear => (value - min) / (max - min),
            Self::Log => (value.ln() - min.ln()) / (max.ln() - min.ln()),
        };
        if share.is_nan() { 0.5 } else { share.clamp(0.0, 1.0) }
    }

    /// `unit` of the way from `min` to `max`.
    fn mix(self, min: f64, max: f64, unit: f64) -> f64 {
        match self {
            Self::Linear => min + unit * (max - min),
            Self::Log => (min.ln() + unit * (max.ln() - min.ln())).exp(),
        }
    }
}

/// Steps are counted and rounded once to 12 digits, so that 0.1:0.3:0.1 ends at 0.3.
fn rounded(value: f64) -> f64 {
    if value.fract() == 0.0 {
        return value;
    }
    format!("{value:.12e}").parse().unwrap_or(value)
}

/// The text that [`Axis::parse`] reads back as the same domain.
impl fmt::Display for Domain {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match *self {
            Self::Choice(ref values) => {
                let values: Vec<String> = values.iter().map(f64::to_string).collect();
                f.write_str(&values.join(","))
            }
            Self::Steps { start, step, count } => {
                write!(f, "{start}:{}:{step}", self.value(count - 1))
            }
            Self::Integer { min, max, scale } | Self::Float { min, max, scale } => {
                let log = if scale == Scale::Log { "log:" } else { "" };
                write!(f, "{log}{min}:{max}")
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn values(text: &str) -> Vec<f64> {
        let domain = Axis::parse("p", text).unwrap().domain;
        (0..domain.count().unwrap()).map(|at| domain.value(at)).collect()
    }

    #[test]
    fn ranges_include_both_ends() {
        assert_eq!(values("10:30:10"), [10.0, 20.0, 30.0]);
        assert_eq!(values("0.1:0.3:0.1"), [0.1, 0.2, 0.3]);
        assert_eq!(values("5:1:-2"), [5.0, 3.0, 1.0]);
        assert_eq!(values("3"), [3.0]);
        assert_eq!(values("3, 1,2"), [3.0, 1.0, 2.0]);
        assert_eq!(values("4:4:1"), [4.0]);
    }

    #[test]
    fn wrong_ranges_say_why() {
        for (text, word) in [
            ("1:5:0", "step of 0"),
            ("1:5:1:1", "4 parts"),
            ("5:1:1", "leads away"),
            ("5:1", "write 1:5"),
            ("1:x:1", "'x' is not a number"),
            ("1:1e17:1", "more than"),
            ("log:0:5", "above 0"),
            ("log:1:5:1", "2 numbers, not 3"),
            ("", "not a number"),
        ] {
            let why = Axis::parse("p", text).unwrap_err().to_string();
            assert!(why.contains(word), "no '{word}' in: {why}");
        }
    }

    #[test]
    fn text_reads_back() {
        for text in ["10:30:10", "3,1,2", "0.5:2", "log:0.001:10"] {
            let domain = Axis::parse("p", text).unwrap().domain;
            assert_eq!(domain.to_string(), text);
        }
    }

    #[test]
    fn the_unit_interval_covers_each_value_evenly() {
        let whole = Domain::Integer { min: 1.0, max: 4.0, scale: Scale::Linear };
        for domain in [Axis::parse("p", "1:4:1").unwrap().domain, whole] {
            let mut hits = [0; 4];
            for i in 0..1_000 {
                hits[domain.from_unit(f64::from(i) / 1_000.0) as usize - 1] += 1;
            }
            assert_eq!(hits, [250; 4]);
            assert_eq!(domain.from_unit(1.0), 4.0);
        }
    }

    #[test]
    fn the_unit_interval_is_there_and_back() {
        for text in ["3,1,2", "1:9:2", "0:5", "log:1:500"] {
            let domain = Axis::parse("p", text).unwrap().domain;
            for i in 0..=20 {
                let value = domain.from_unit(f64::from(i) / 20.0);
                let again = domain.from_unit(domain.to_unit(value));
                assert!((again - value).abs() < 1e-9, "{text}: {value} {again}");
            }
        }
        let log = Axis::parse("p", "log:0.01:100").unwrap().domain;
        for (unit, value) in [(-1.0, 0.01), (0.5, 1.0), (2.0, 100.0)] {
            assert!((log.from_unit(unit) / value - 1.0).abs() < 1e-12);
        }
    }
}
