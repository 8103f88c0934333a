//! What can be wrong with a backtest's input.

/// Why a backtest could not run.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum BacktestError {
    /// A number outside its range.
    #[error("{option} is {value}{}: expected {expected}", at_bar(*bar))]
    Option {
        /// Name of the option.
        option: &'static str,
        /// The value that was given.
        value: f64,
        /// The bar, where the option is an array.
        bar: Option<usize>,
        /// What would be right.
        expected: &'static str,
    },
    /// A column of another length than the bars.
    #[error("{what} has {length} rows, the data has {bars}: they must be equal")]
    Length {
        /// Name of the column.
        what: &'static str,
        /// Its length.
        length: usize,
        /// The number of bars.
        bars: usize,
    },
    /// A price that cannot be traded at.
    #[error("{column} is {value} at row {}: prices must be above 0", bar + 1)]
    Price {
        /// Name of the column.
        column: &'static str,
        /// The price.
        value: f64,
        /// The bar, counted from 0.
        bar: usize,
    },
    /// No bars at all.
    #[error("no bars: a backtest needs at least 1")]
    NoBars,
    /// A strategy of that name does not exist.
    #[error("unknown strategy '{name}'{}; there are: {known}", nearest(suggestion))]
    UnknownStrategy {
        /// The name that was asked for.
        name: String,
        /// The nearest known name.
        suggestion: Option<String>,
        /// All names.
        known: String,
    },
    /// A strategy has no such parameter.
    #[error(
        "strategy '{strategy}' has no parameter '{name}'{}; it has: {known}",
        nearest(suggestion)
    )]
    UnknownParameter {
        /// The strategy.
        strategy: String,
        /// The parameter that was asked for.
        name: String,
        /// The nearest known name.
        suggestion: Option<String>,
        /// All parameters.
        known: String,
    },
    /// A statistic of that name does not exist.
    #[error("unknown statistic '{name}'{}; there are: {known}", nearest(suggestion))]
    UnknownStatistic {
        /// The name that was asked for.
        name: String,
        /// The nearest known name.
        suggestion: Option<String>,
        /// All names.
        known: String,
    },
    /// A parameter's value does not fit.
    #[error("{parameter} = {value}: expected {expected}")]
    Parameter {
        /// Name of the parameter.
        parameter: String,
        /// The value that was given.
        value: f64,
        /// What would be right.
        expected: String,
    },
    /// Values of parameters that do not fit together.
    #[error("strategy '{strategy}' needs {check}: {values} does not pass")]
    Values {
        /// The strategy.
        strategy: String,
        /// What its parameters must pass.
        check: String,
        /// The values that were given, by name.
        values: String,
    },
    /// A strategy's text that cannot be read.
    #[error(
        "{source_name}:{line}:{column}: {message}\n{}",
        pointed(*line, *column, *width, excerpt)
    )]
    StrategyText {
        /// Name of the file.
        source_name: String,
        /// The line, counted from 1.
        line: usize,
        /// The column in characters, counted from 1.
        column: usize,
        /// How many characters are to blame.
        width: usize,
        /// What is wrong, and what would be right.
        message: String,
        /// The line's text.
        excerpt: String,
    },
    /// A size that is a share of cash cannot say how far to reverse.
    #[error(
        "size-type percent cannot reverse a position: use upon-opposite-entry close, or another \
         size-type"
    )]
    PercentReversal,
    /// A feature could not be computed.
    #[error(transparent)]
    Feature(#[from] features::FeatureError),
}

fn at_bar(bar: Option<usize>) -> String {
    bar.map_or_else(String::new, |bar| format!(" at row {}", bar + 1))
}

/// The line with a caret under every character that is to blame.
fn pointed(line: usize, column: usize, width: usize, excerpt: &str) -> String {
    // A tab stays one, so that the caret stands below its character in any terminal.
    let lead = excerpt.chars().take(column - 1).map(|c| if c == '\t' { c } else { ' ' });
    let (line, lead) = (line.to_string(), lead.collect::<String>());
    let margin = " ".repeat(line.len());
    format!("{line} | {excerpt}\n{margin} | {lead}{}", "^".repeat(width))
}

fn nearest(suggestion: &Option<String>) -> String {
    suggestion.as_ref().map_or_else(String::new, |name| format!(" (did you mean '{name}'?)"))
}

/// The known name nearest to `name`, where one is near enough to be a slip of the pen.
pub(crate) fn suggest<'n>(name: &str, known: impl Iterator<Item = &'n str>) -> Option<String> {
    known
        .map(|candidate| (strsim::jaro_winkler(name, candidate), candidate))
        .filter(|(likeness, _)| *likeness > 0.7)
        .max_by(|a, b| a.0.total_cmp(&b.0))
        .map(|(_, candidate)| candidate.to_owned())
}
