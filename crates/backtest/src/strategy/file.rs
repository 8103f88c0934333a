//! Strategies as data: a TOML file with expressions.
//!
//! ```toml
//! name = "pullback"                    # where left out: the file's
//! description = "Buys dips in a rising market."
//! check = "fast < slow"                # what the parameters must pass
//! entry = "close > sma(close, slow) and cross_below(rsi(close, 14), dip)"
//! exit = "cross_below(close, sma(close, fast))"
//! # short_entry and short_exit: as entry and exit; where left out, the direction says what
//! # entries and exits mean for shorts
//!
//! [parameters]
//! fast = { default = 20, min = 1, max = 1000, integer = true }
//! slow = { default = 200, min = 1, max = 1000, integer = true }
//! dip = { default = 30 }               # any number
//! ```
//!
//! An expression reads `open`, `high`, `low`, `close`, `volume`, numbers, parameters, and every
//! indicator of [`features::registry`]: `atr(high, low, close, 14)`, `atr(14)` (inputs left out
//! are its own), `atr()` (so are numbers: their defaults), `bbands(close, 20, 2).upper`,
//! `sma((high + low) / 2, fast * 2)`. It joins them by `+ - * /`, compares them by
//! `< <= > >= == !=`, and joins conditions by `and`, `or`, `not`. Where NaN is compared, the
//! comparison is false, `!=` as well.
//!
//! - `cross_above(a, b)`: `a > b` here, and `a < b` at the last bar at which the two were not
//!   equal; NaN on either side forgets what was before. `cross_below(a, b)` mirrors it.
//! - `shift(x, n)`: `x`, reading everything `n` bars earlier; what lies before the first bar is
//!   NaN.

use std::collections::BTreeMap;
use std::ops::Range;

use serde::Deserialize;
use toml::Spanned;

use super::compiled::Compiled;
use super::expression::{Checker, Condition, Mistake, Planner, is_taken};
use super::{Parameter, Strategy};
use crate::BacktestError;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    name: Option<String>,
    #[serde(default)]
    description: String,
    check: Option<Spanned<String>>,
    entry: Option<Spanned<String>>,
    exit: Option<Spanned<String>>,
    short_entry: Option<Spanned<String>>,
    short_exit: Option<Spanned<String>>,
    #[serde(default)]
    parameters: BTreeMap<Spanned<String>, ParameterFile>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct ParameterFile {
    default: f64,
    min: Option<f64>,
    max: Option<f64>,
    #[serde(default)]
    integer: bool,
}

/// Reads a strategy. `source` is the file's name, for errors; `name` is the strategy's, where the
/// text gives none.
///
/// # Errors
/// [`BacktestError::StrategyText`] with the line and column of the mistake.
pub fn parse(text: &str, source: &str, name: &str) -> Result<Compiled, BacktestError> {
    read(text, name).map_err(|mistake| located(text, source, mistake))
}

fn read(text: &str, name: &str) -> Result<Compiled, Mistake> {
    let file: File = toml::from_str(text).map_err(|error| Mistake {
        span: error.span().unwrap_or(0..0),
        message: error.message().replace('`', "'"),
    })?;
    if file.entry.is_none() && file.short_entry.is_none() {
        let message = "no 'entry': a strategy needs an entry or a short_entry".to_owned();
        return Err(Mistake { span: 0..0, message });
    }
    let (parameters, spans) = parameters(&file)?;
    let mut checker = Checker::new(&parameters);
    let mut condition = |expression: &Option<Spanned<String>>| {
        let read = |of: &Spanned<String>| {
            checker.condition(of.get_ref()).map_err(|mistake| within(text, of, mistake))
        };
        expression.as_ref().map(read).transpose()
    };
    let check = condition(&file.check)?;
    let long = [condition(&file.entry)?, condition(&file.exit)?];
    let short = [condition(&file.short_entry)?, condition(&file.short_exit)?];
    if let Some(at) = checker.used.iter().position(|used| !used) {
        let message = format!("no expression reads the parameter '{}'", parameters[at].name);
        return Err(Mistake { span: spans[at].clone(), message });
    }
    let mut planner = Planner::default();
    let long_texts = [&file.entry, &file.exit];
    let short_texts = [&file.short_entry, &file.short_exit];
    let has_shorts = short.iter().any(Option::is_some);
    let long = pair(&mut planner, &long, long_texts)?;
    let short = if has_shorts { Some(pair(&mut planner, &short, short_texts)?) } else { None };
    if planner.columns.is_empty() {
        let message = "no expression reads a price or an indicator".to_owned();
        return Err(Mistake { span: 0..0, message });
    }
    let compiled = Compiled {
        name: file.name.unwrap_or_else(|| name.to_owned()),
        description: file.description,
        check: checked(check, file.check)?,
        columns: planner.columns,
        crossings: planner.crossings,
        parameters,
        long,
        short,
    };
    defaults_fit(&compiled)?;
    Ok(compiled)
}

/// The parameters in the order of the file, and where their names stand.
fn parameters(file: &File) -> Result<(Vec<Parameter>, Vec<Range<usize>>), Mistake> {
    let mut in_order: Vec<_> = file.parameters.iter().collect();
    in_order.sort_by_key(|(name, _)| name.span().start);
    let (mut parameters, mut spans) = (Vec::new(), Vec::new());
    for (name, given) in in_order {
        let fail = |message| Err(Mistake { span: name.span(), message });
        let name_text = name.get_ref();
        if is_taken(name_text) {
            return fail(format!("'{name_text}' means something already: choose another name"));
        }
        if !is_name(name_text) {
            return fail("a parameter's name is letters, digits and '_'".to_owned());
        }
        let parameter = Parameter {
            name: name_text.clone().into(),
            default: given.default,
            min: given.min.unwrap_or(f64::MIN),
            max: given.max.unwrap_or(f64::MAX),
            is_integer: given.integer,
        };
        if let Err(error) = parameter.check(parameter.default) {
            return fail(format!("the default does not fit: {error}"));
        }
        parameters.push(parameter);
        spans.push(name.span());
    }
    Ok((parameters, spans))
}

fn is_name(text: &str) -> bool {
    let is_letter = |c: char| c.is_ascii_alphabetic() || c == '_';
    text.starts_with(is_letter) && text.chars().all(|c| is_letter(c) || c.is_ascii_digit())
}

fn pair(
    planner: &mut Planner,
    conditions: &[Option<Condition>; 2],
    texts: [&Option<Spanned<String>>; 2],
) -> Result<super::expression::Pair, Mistake> {
    planner.pair(conditions.each_ref().map(Option::as_ref)).map_err(|(at, mistake)| {
        let span = texts[at].as_ref().map_or(0..0, Spanned::span);
        Mistake { span, ..mistake }
    })
}

/// The check, which may read nothing but parameters.
fn checked(
    condition: Option<Condition>,
    text: Option<Spanned<String>>,
) -> Result<Option<(String, Condition)>, Mistake> {
    let (Some(condition), Some(text)) = (condition, text) else { return Ok(None) };
    if condition.is_of_values() {
        return Ok(Some((text.into_inner(), condition)));
    }
    let message = "a check may read parameters and numbers only".to_owned();
    Err(Mistake { span: text.span(), message })
}

fn defaults_fit(compiled: &Compiled) -> Result<(), Mistake> {
    let defaults: Vec<f64> = compiled.parameters.iter().map(|p| p.default).collect();
    compiled.check(&defaults).map_err(|error| Mistake {
        span: 0..0,
        message: format!("the defaults of the parameters do not fit: {error}"),
    })
}

/// A mistake within a string of the file, as one of the file.
fn within(text: &str, string: &Spanned<String>, mistake: Mistake) -> Mistake {
    let raw = &text[string.span()];
    // Where the string has escapes, its bytes are not the file's: then all of it is to blame.
    let quotes = if raw.starts_with("\"\"\"") || raw.starts_with("'''") { 3 } else { 1 };
    let Some(offset) = raw[quotes..].find(string.get_ref().as_str()) else {
        return Mistake { span: string.span(), ..mistake };
    };
    let start = string.span().start + quotes + offset;
    Mistake { span: start + mistake.span.start..start + mistake.span.end, ..mistake }
}

fn located(text: &str, source: &str, mistake: Mistake) -> BacktestError {
    let start = mistake.span.start.min(text.len());
    let line_start = text[..start].rfind('\n').map_or(0, |at| at + 1);
    let excerpt = text[line_start..].lines().next().unwrap_or_default().to_owned();
    let column = text[line_start..start].chars().count() + 1;
    let in_line = mistake.span.end.min(line_start + excerpt.len()).max(start);
    BacktestError::StrategyText {
        source_name: source.to_owned(),
        line: text[..line_start].matches('\n').count() + 1,
        column,
        width: text[start..in_line].chars().count().max(1),
        message: mistake.message,
        excerpt,
    }
}
