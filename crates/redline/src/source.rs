//! Where a backtest's orders come from: a strategy, signals, or sizes bar by bar.

use std::path::Path;

use anyhow::{Context, Result, bail};
use backtest::config::PerBar;
use backtest::engine::{self, Fill, OrderSize, SizedOrders};
use backtest::strategy::{self, EntryExit, Strategy};
use backtest::{Config, Direction, Mask, Signals};
use market_data::BarsView;
use market_data::table::{Column, Table};

use crate::data::nanoseconds;

/// Time that the steps to signals took.
#[derive(Default)]
pub(crate) struct Took {
    pub(crate) features_ns: u64,
    pub(crate) signals_ns: u64,
}

/// The signals of a strategy.
pub(crate) fn of_strategy(
    strategy: &dyn Strategy,
    values: &[f64],
    bars: &BarsView<'_>,
    took: &mut Took,
) -> Result<EntryExit> {
    let mut masks = EntryExit::default();
    let elapsed = strategy::signals_of(strategy, values, *bars, &mut masks)?;
    took.features_ns += nanoseconds(elapsed.features);
    took.signals_ns += nanoseconds(elapsed.signals);
    Ok(masks)
}

/// Signals from a table with a row per bar.
pub(crate) fn of_signals_file(path: &Path, bars: &BarsView<'_>) -> Result<EntryExit> {
    let table = Table::read(path)?;
    let mask = |name: &str| -> Result<Option<Mask>> {
        let Some(column) = table.column(name) else { return Ok(None) };
        let Column::Bool(bits) = column else {
            bail!("{}: column '{name}' must be boolean", path.display());
        };
        if bits.len() != bars.len() {
            bail!(
                "{}: column '{name}' has {} rows, the data has {}: one row per bar",
                path.display(),
                bits.len(),
                bars.len()
            );
        }
        Ok(Some(Mask::from_bools(bits)))
    };
    let needed = |name: &str| {
        mask(name)?.with_context(|| {
            let has: Vec<&str> = table.names().collect();
            format!("{}: no boolean column '{name}'; it has: {}", path.display(), has.join(", "))
        })
    };
    let (entry, exit) = (needed("entry")?, needed("exit")?);
    let (short_entry, short_exit) = (mask("short_entry")?, mask("short_exit")?);
    let has_shorts = short_entry.is_some() || short_exit.is_some();
    let none = || Mask::new(if has_shorts { bars.len() } else { 0 });
    Ok(EntryExit {
        entry,
        exit,
        short_entry: short_entry.unwrap_or_else(none),
        short_exit: short_exit.unwrap_or_else(none),
    })
}

/// Signals, with plain ones read as the direction of all bars or of each says.
pub(crate) fn directed(masks: EntryExit, direction: PerBar<'_, Direction>) -> Signals {
    match direction {
        PerBar::Scalar(direction) => Signals::of(masks, direction),
        PerBar::Array(directions) if masks.short_entry.is_empty() => {
            Signals::directed(&masks.entry, &masks.exit, directions)
        }
        PerBar::Array(_) => Signals::of(masks, Direction::Both),
    }
}

/// Fills of the sizes, and prices where there are any, of a table with a row per bar.
pub(crate) fn fill_orders_file(
    path: &Path,
    size_type: OrderSize,
    direction: PerBar<'_, Direction>,
    bars: &BarsView<'_>,
    config: &Config<'_>,
    fills: &mut Vec<Fill>,
) -> Result<()> {
    let table = Table::read(path)?;
    let numbers = |name: &str| match table.column(name) {
        None => Ok(None),
        Some(Column::F64(values)) if values.len() == bars.len() => Ok(Some(values)),
        Some(Column::F64(values)) => bail!(
            "{}: column '{name}' has {} rows, the data has {}: one row per bar",
            path.display(),
            values.len(),
            bars.len()
        ),
        Some(_) => bail!("{}: column '{name}' must be numbers (f64)", path.display()),
    };
    let Some(size) = numbers("size")? else {
        let has: Vec<&str> = table.names().collect();
        bail!("{}: no column 'size'; it has: {}", path.display(), has.join(", "));
    };
    let price = numbers("price")?.map_or(config.price, |prices| PerBar::Array(prices));
    let config = Config { price, ..*config };
    backtest::check(bars, &Signals::default(), &config)?;
    let (size, size_type) = (PerBar::Array(size), size_type.into());
    let orders = SizedOrders { size, size_type, direction };
    Ok(engine::fill_orders(bars, &orders, &config, fills)?)
}
