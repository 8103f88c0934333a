//! What can be wrong with a request for features.

/// Why a kernel, an indicator or a feature set was refused. Every text says which part is wrong
/// and what would be right.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum FeatureError {
    /// A window that holds no row.
    #[error("window is 0: it must hold at least {least} rows")]
    WindowZero {
        /// The smallest window that the statistic is defined for.
        least: usize,
    },
    /// A window below the smallest that the statistic is defined for.
    #[error("window is {window}: this statistic needs at least {least} rows")]
    WindowShort {
        /// The window asked for.
        window: usize,
        /// The smallest window that the statistic is defined for.
        least: usize,
    },
    /// Fewer rows than the first value needs.
    #[error("{what} needs {needed} rows for its first value, but the data has {rows}")]
    WindowLong {
        /// The kernel, indicator or feature.
        what: String,
        /// Rows up to and including the first value.
        needed: usize,
        /// Rows there are.
        rows: usize,
    },
    /// Columns that must pair row by row do not.
    #[error("{what} has {found} rows where {expected} were expected: columns must be equally long")]
    UnequalLengths {
        /// The column that differs.
        what: String,
        /// Its length.
        found: usize,
        /// The length of the first column.
        expected: usize,
    },
    /// Too many or too few columns were handed to an indicator.
    #[error("{indicator} takes {expected} {what}, not {found}")]
    Arity {
        /// The indicator.
        indicator: String,
        /// Inputs, parameters or outputs.
        what: &'static str,
        /// How many it takes.
        expected: usize,
        /// How many were given.
        found: usize,
    },
    /// A name that the registry, the set or the indicator does not know.
    #[error("unknown {kind} `{name}`{}", hint(nearest.as_deref(), known))]
    Unknown {
        /// Indicator, parameter, output, input or set.
        kind: &'static str,
        /// The name that was given.
        name: String,
        /// The nearest known name, when one is near.
        nearest: Option<String>,
        /// All known names, when they are few.
        known: Vec<String>,
    },
    /// A parameter outside its range.
    #[error("{indicator}: parameter `{name}` is {value}, it must be {wanted}")]
    OutOfRange {
        /// The indicator or kernel.
        indicator: String,
        /// The parameter.
        name: String,
        /// The value that was given.
        value: f64,
        /// What would be right.
        wanted: String,
    },
    /// Two features of one set have the same column name.
    #[error("the set names column `{name}` twice: give one of the two features another `name`")]
    DuplicateColumn {
        /// The column.
        name: String,
    },
    /// A name that cannot stand in a table or on a screen.
    #[error(
        "feature name {name:?}: a name has one character or more, and none that controls a screen"
    )]
    BadName {
        /// The name.
        name: String,
    },
    /// Features that need each other's output.
    #[error("features refer to each other in a circle: {path}")]
    Circle {
        /// The names along the circle.
        path: String,
    },
    /// The TOML of a feature set does not parse.
    #[error("feature set: {0}")]
    Toml(String),
    /// A streaming state that belongs to another set or another version.
    #[error("the saved state does not fit this set: {0}")]
    State(String),
}

fn hint(nearest: Option<&str>, known: &[String]) -> String {
    match (nearest, known.is_empty()) {
        (Some(near), _) => format!(": did you mean `{near}`?"),
        (None, false) => format!(": known are {}", known.join(", ")),
        (None, true) => String::new(),
    }
}

impl FeatureError {
    /// An unknown name among `known`: offers the nearest, or lists them where they are few.
    pub(crate) fn unknown<'a>(
        kind: &'static str,
        name: &str,
        known: impl Iterator<Item = &'a str>,
    ) -> Self {
        let known: Vec<&str> = known.collect();
        let nearest = known
            .iter()
            .map(|k| (strsim::jaro_winkler(&name.to_lowercase(), k), *k))
            .filter(|(score, _)| *score > 0.7)
            .max_by(|a, b| a.0.total_cmp(&b.0))
            .map(|(_, k)| k.to_string());
        let listed = if known.len() <= 12 { known } else { Vec::new() };
        Self::Unknown {
            kind,
            name: name.to_string(),
            nearest,
            known: listed.into_iter().map(String::from).collect(),
        }
    }
}
