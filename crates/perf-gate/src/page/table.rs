//! A table as the templates show it: on wide screens, stacked on narrow ones, in markdown.

use serde::Serialize;

/// What a column holds: where it stands follows from that.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum Kind {
    /// Words, from the left.
    Words,
    /// Numbers, from the right.
    Number,
}

/// A column.
#[derive(Debug, Clone, Serialize)]
struct Head {
    text: String,
    class: Kind,
}

/// A cell.
#[derive(Debug, Clone, Serialize)]
pub(super) struct Cell {
    text: String,
    /// What the style knows: `ok`, `warn`, `critical`, `missing`, `none`.
    class: &'static str,
}

impl Cell {
    /// A verdict, which has a colour beside its word.
    pub(super) fn verdict(text: impl Into<String>, class: &'static str) -> Self {
        Self { text: text.into(), class }
    }
}

impl<T: Into<String>> From<T> for Cell {
    fn from(text: T) -> Self {
        let text = text.into();
        let class = if text == "-" { "none" } else { "" };
        Self { text, class }
    }
}

/// Names of columns, and rows of which the first cell says what they are of.
#[derive(Debug, Clone, Serialize)]
pub(super) struct Table {
    caption: String,
    head: Vec<Head>,
    rows: Vec<Vec<Cell>>,
}

impl Table {
    /// A table without rows yet.
    pub(super) fn new(caption: impl Into<String>, head: &[(&str, Kind)]) -> Self {
        let head = head.iter().map(|&(text, class)| Head { text: text.to_owned(), class });
        Self { caption: caption.into(), head: head.collect(), rows: Vec::new() }
    }

    /// With these rows, each as long as there are columns.
    pub(super) fn with(mut self, rows: impl IntoIterator<Item = Vec<Cell>>) -> Self {
        self.rows.extend(rows);
        debug_assert!(self.rows.iter().all(|row| row.len() == self.head.len()), "{self:?}");
        self
    }

    /// The table, where it has a row.
    pub(super) fn filled(self) -> Option<Self> {
        (!self.rows.is_empty()).then_some(self)
    }
}

/// A heading, what its rows are or how to get them, and the rows.
#[derive(Debug, Serialize)]
pub(super) struct Section {
    pub(super) note: String,
    pub(super) table: Option<Table>,
}

impl Section {
    /// A section that has nothing to show, and how that is mended.
    pub(super) fn empty(note: impl Into<String>) -> Self {
        Self { note: note.into(), table: None }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_table_without_rows_is_none_and_dashes_are_marked() {
        let table = || Table::new("numbers", &[("what", Kind::Words), ("value", Kind::Number)]);
        assert!(table().filled().is_none());
        let filled = table().with([vec!["a".into(), "-".into()]]).filled().unwrap();
        let classes: Vec<&str> = filled.rows[0].iter().map(|cell| cell.class).collect();
        assert_eq!(classes, ["", "none"]);
    }
}
