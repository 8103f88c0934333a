//! Options that change from bar to bar, from a table with a row per bar.

use std::path::Path;

use anyhow::{Result, anyhow, bail};
use backtest::config::{
    Accumulate, Conflict, DirectionConflict, OppositeEntry, SizeType, StopEntryPrice, StopExit,
    StopExitPrice, StopUpdate,
};
use backtest::{Config, Direction, PerBar};
use market_data::BarsView;
use market_data::table::{Column, Table};
use serde::de::DeserializeOwned;

use crate::values;

/// What a column of a kind is read as.
trait Cell: Sized {
    /// The values of `column`, or what it should hold.
    fn read(column: &Column) -> Result<Vec<Self>, String>;
}

impl Cell for f64 {
    fn read(column: &Column) -> Result<Vec<Self>, String> {
        match column {
            Column::F64(values) => Ok(values.clone()),
            Column::I64(values) => Ok(values.iter().map(|&value| value as f64).collect()),
            _ => Err("must be numbers".to_owned()),
        }
    }
}

impl Cell for bool {
    fn read(column: &Column) -> Result<Vec<Self>, String> {
        match column {
            Column::Bool(values) => Ok(values.clone()),
            _ => Err("must be boolean".to_owned()),
        }
    }
}

/// A word of an enum.
struct Word<T>(T);

impl<T: DeserializeOwned> Cell for Word<T> {
    fn read(column: &Column) -> Result<Vec<Self>, String> {
        let Column::Str(words) = column else { return Err("must be words".to_owned()) };
        let word = |(row, text): (usize, &String)| {
            let word = values::word(text).map_err(|why| format!("at row {}: {why}", row + 1))?;
            Ok(Self(word))
        };
        words.iter().enumerate().map(word).collect()
    }
}

macro_rules! options {
    (numbers $($number:ident)*; flags $($flag:ident)*; words $($word:ident: $kind:ty,)*) => {
        /// The columns of the table, by option; empty where it has none.
        #[derive(Default)]
        pub(crate) struct BarOptions {
            $($number: Vec<f64>,)*
            $($flag: Vec<bool>,)*
            $($word: Vec<$kind>,)*
            direction: Vec<Direction>,
        }

        const NAMES: &[&str] = &[$(stringify!($number),)* $(stringify!($flag),)*
            $(stringify!($word),)* "direction"];

        impl BarOptions {
            /// Takes the column of the option called `name`.
            fn set(&mut self, name: &str, column: &Column) -> Result<(), String> {
                match name {
                    $(stringify!($number) => self.$number = f64::read(column)?,)*
                    $(stringify!($flag) => self.$flag = bool::read(column)?,)*
                    $(stringify!($word) => self.$word = words(column)?,)*
                    "direction" => self.direction = words(column)?,
                    _ => return Err(format!("is no option; there are: {}", NAMES.join(", "))),
                }
                Ok(())
            }

            /// `config` with what the table has, and the direction.
            pub(crate) fn apply<'a>(
                &'a self,
                mut config: Config<'a>,
            ) -> (Config<'a>, PerBar<'a, Direction>) {
                $(replace(&mut config.$number, &self.$number);)*
                $(replace(&mut config.$flag, &self.$flag);)*
                $(replace(&mut config.$word, &self.$word);)*
                let mut direction = config.direction.into();
                replace(&mut direction, &self.direction);
                (config, direction)
            }
        }
    };
}

options! {
    numbers size price fees fixed_fees slippage min_size max_size size_granularity limit_entry
        sl_stop tp_stop;
    flags allow_partial lock_cash sl_trail;
    words
        size_type: SizeType,
        accumulate: Accumulate,
        upon_long_conflict: Conflict,
        upon_short_conflict: Conflict,
        upon_dir_conflict: DirectionConflict,
        upon_opposite_entry: OppositeEntry,
        stop_entry_price: StopEntryPrice,
        stop_exit_price: StopExitPrice,
        upon_stop_exit: StopExit,
        upon_stop_update: StopUpdate,
}

fn words<T: DeserializeOwned>(column: &Column) -> Result<Vec<T>, String> {
    Ok(Word::read(column)?.into_iter().map(|Word(word)| word).collect())
}

fn replace<'a, T>(option: &mut PerBar<'a, T>, values: &'a [T]) {
    if !values.is_empty() {
        *option = PerBar::Array(values);
    }
}

impl BarOptions {
    /// The options in the table at `path`; a column 'timestamp' is passed over.
    pub(crate) fn read(path: &Path, bars: &BarsView<'_>) -> Result<Self> {
        let table = Table::read(path)?;
        let mut options = Self::default();
        for name in table.names().filter(|name| *name != "timestamp") {
            let Some(column) = table.column(name) else { continue };
            let set = options.set(name, column);
            set.map_err(|why| anyhow!("{}: column '{name}' {why}", path.display()))?;
            let rows = rows(column);
            if rows != bars.len() {
                bail!(
                    "{}: column '{name}' has {rows} rows, the data has {}: one row per bar",
                    path.display(),
                    bars.len()
                );
            }
        }
        Ok(options)
    }
}

fn rows(column: &Column) -> usize {
    match column {
        Column::F64(rows) => rows.len(),
        Column::I64(rows) | Column::Timestamp(rows) => rows.len(),
        Column::Bool(rows) => rows.len(),
        Column::Str(rows) => rows.len(),
    }
}
