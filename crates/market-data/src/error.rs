//! What can be wrong with market data and its files.

use std::path::{Path, PathBuf};

/// Why bars could not be read, checked or written. Every message names the file, and the row or
/// column where there is one.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum DataError {
    /// A file could not be opened, read or written.
    #[error("{}: {source}", path.display())]
    Io {
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: std::io::Error,
    },
    /// The folder to write to is not there.
    #[error("{}: the folder {} does not exist: make it first", path.display(), folder.display())]
    NoFolder {
        /// The file that was to be written.
        path: PathBuf,
        /// The missing folder.
        folder: PathBuf,
    },
    /// A file without a byte.
    #[error("{}: the file is empty", path.display())]
    EmptyFile {
        /// The file.
        path: PathBuf,
    },
    /// A file that holds columns but no bar.
    #[error("{}: no bars", path.display())]
    NoBars {
        /// The file.
        path: PathBuf,
    },
    /// More rows than this machine's memory holds.
    #[error(
        "{}: its {rows} rows take {:.1} GB, more than the memory that is free: read it in chunks, \
         or only a range of time",
        path.display(),
        *rows as f64 * 48.0 / 1e9
    )]
    TooLarge {
        /// The file.
        path: PathBuf,
        /// Its rows.
        rows: usize,
    },
    /// A needed column is missing.
    #[error(
        "{}: no column '{column}'{}; it has: {}",
        path.display(),
        suggestion.as_ref().map_or_else(String::new, |name| {
            format!(" (did you mean '{}'?)", one_line(name))
        }),
        one_line(found)
    )]
    MissingColumn {
        /// The file.
        path: PathBuf,
        /// The column.
        column: &'static str,
        /// The nearest name that it has.
        suggestion: Option<String>,
        /// The names that it has.
        found: String,
    },
    /// A column of a type that cannot be what it should be.
    #[error(
        "{}: column '{}' is {found}: expected {expected}", path.display(), one_line(column)
    )]
    ColumnType {
        /// The file.
        path: PathBuf,
        /// The column.
        column: String,
        /// Its type.
        found: String,
        /// What would be right.
        expected: &'static str,
    },
    /// A value that cannot be read.
    #[error(
        "{}: row {row}, column '{}': '{}' is not {expected}",
        path.display(), one_line(column), one_line(text)
    )]
    Value {
        /// The file.
        path: PathBuf,
        /// The row, counted from 1 without the header.
        row: usize,
        /// The column.
        column: String,
        /// The text.
        text: String,
        /// What would be right.
        expected: &'static str,
    },
    /// A file whose bytes are not what its kind says.
    #[error("{}: not readable as {kind}: {}", path.display(), one_line(why))]
    Damaged {
        /// The file.
        path: PathBuf,
        /// The kind it was taken for.
        kind: &'static str,
        /// What the decoder said.
        why: String,
    },
    /// A bar that cannot be.
    #[error("{}: row {row}: {defect}", path.display())]
    Defect {
        /// The file.
        path: PathBuf,
        /// The row, counted from 1.
        row: usize,
        /// What is wrong with it.
        defect: crate::Defect,
    },
}

/// Text of a file on one line of a message, whatever it holds: escaped, and cut where it is long.
fn one_line(text: &str) -> String {
    const CHARACTERS_MAX: usize = 300;
    let mut line = String::new();
    for (at, character) in text.chars().enumerate() {
        if at == CHARACTERS_MAX {
            line.push_str("...");
            break;
        }
        if character.is_control() {
            line.extend(character.escape_default());
        } else {
            line.push(character);
        }
    }
    line
}

impl DataError {
    pub(crate) fn io(path: &Path, source: std::io::Error) -> Self {
        Self::Io { path: path.to_owned(), source }
    }

    pub(crate) fn damaged(path: &Path, kind: &'static str, why: impl ToString) -> Self {
        Self::Damaged { path: path.to_owned(), kind, why: why.to_string() }
    }
}
