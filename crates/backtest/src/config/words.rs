//! The choices among words, in kebab case wherever they are written down.

use serde::{Deserialize, Serialize};

/// Which positions the plain `entry` and `exit` signals may open.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Direction {
    /// Entries open longs, exits close them.
    #[default]
    LongOnly,
    /// Entries open shorts, exits close them.
    ShortOnly,
    /// Entries open longs, exits open shorts.
    Both,
}

/// The unit of an order's size.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum SizeType {
    /// Units of the asset.
    #[default]
    Amount,
    /// Units of cash at the order's unslipped price.
    Value,
    /// Share of the resources at hand: 1 is all cash.
    Percent,
}

/// Whether a repeated signal in the position's direction adds to it, and an opposite one reduces it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Accumulate {
    /// One entry opens, one exit closes.
    #[default]
    Off,
    /// Entries add, exits reduce, each by the order size.
    Both,
    /// Entries add; an exit closes all.
    AddOnly,
    /// Exits reduce; a second entry is ignored.
    RemoveOnly,
}

/// What an entry and an exit of one direction in one bar mean.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Conflict {
    /// Neither counts.
    #[default]
    Ignore,
    /// The entry counts.
    Entry,
    /// The exit counts.
    Exit,
    /// In a position of either direction the entry counts; flat, neither.
    Adjacent,
    /// In a position of either direction the exit counts; flat, neither.
    Opposite,
}

/// What a long entry and a short entry in one bar mean.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum DirectionConflict {
    /// Neither counts.
    #[default]
    Ignore,
    /// The long entry counts.
    Long,
    /// The short entry counts.
    Short,
    /// The entry in the position's direction counts; flat, neither.
    Adjacent,
    /// The entry against the position's direction counts; flat, neither.
    Opposite,
}

/// What an entry against the open position does.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum OppositeEntry {
    /// Nothing.
    Ignore,
    /// Closes the position.
    Close,
    /// Closes it, or reduces it where accumulation is on.
    CloseReduce,
    /// Reverses it.
    Reverse,
    /// Reverses it, or reduces it where accumulation is on.
    #[default]
    ReverseReduce,
}

/// The price from which stop distances are measured.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum StopEntryPrice {
    /// The order price before slippage.
    Price,
    /// The order price after slippage.
    FillPrice,
    /// The close of the entry bar.
    #[default]
    Close,
}

/// The price at which a stop that was hit fills.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum StopExitPrice {
    /// The stop's price (or the open, where the bar opened beyond it), without slippage.
    #[default]
    StopLimit,
    /// The same price, with slippage.
    StopMarket,
    /// The bar's order price, with slippage.
    Price,
    /// The bar's close, with slippage.
    Close,
}

/// What a stop that was hit does.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum StopExit {
    /// Closes the position.
    #[default]
    Close,
    /// Closes it, or reduces it where accumulation is on.
    CloseReduce,
    /// Reverses it.
    Reverse,
    /// Reverses it, or reduces it where accumulation is on.
    ReverseReduce,
}

/// Whether an order that adds to a position moves its stops.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum StopUpdate {
    /// The first stop stays.
    Keep,
    /// The new stop replaces the old one where it is not NaN.
    #[default]
    Override,
    /// The new stop replaces the old one even where it is NaN.
    OverrideNan,
}
