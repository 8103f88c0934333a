//! One bar's signals, resolved against the position, become at most one order.

use super::Side;
use crate::config::{Accumulate, Conflict, DirectionConflict, OppositeEntry, SizeType, StopExit};
use crate::signals::BarSignals;
use crate::{BacktestError, Config};

/// The order that a bar's signals ask for, before price and limits.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Decision {
    pub(super) side: Side,
    /// Units, above 0; infinity takes all there is.
    pub(super) size: f64,
    /// Share of what is at hand; NaN is all of it.
    pub(super) percent: f64,
    /// The cash that the size was asked in; NaN where it was asked in units.
    pub(super) value: f64,
    pub(super) reduce_only: bool,
}

impl Decision {
    /// The end of `position`.
    pub(super) fn close(position: f64) -> Self {
        let side = if position > 0.0 { Side::Sell } else { Side::Buy };
        let size = position.abs();
        Self { side, size, percent: f64::NAN, value: f64::NAN, reduce_only: true }
    }
}

/// Resolves conflicts: entry against exit of one direction, long against short, and entry against
/// the open position. What is left may still ask for nothing.
pub(super) fn resolve(
    signals: BarSignals,
    position: f64,
    config: &Config<'_>,
    bar: usize,
) -> (BarSignals, Accumulate) {
    let mut s = signals;
    (s.long_entry, s.long_exit) =
        entry_or_exit(s.long_entry, s.long_exit, position, || config.upon_long_conflict.at(bar));
    (s.short_entry, s.short_exit) =
        entry_or_exit(s.short_entry, s.short_exit, position, || config.upon_short_conflict.at(bar));
    (s.long_entry, s.short_entry) =
        long_or_short(s.long_entry, s.short_entry, position, || config.upon_dir_conflict.at(bar));
    let accumulate = config.accumulate.at(bar);
    oppose(s, position, || config.upon_opposite_entry.at(bar), accumulate)
}

// The modes are asked for only where there is a conflict: most bars have none.

fn entry_or_exit(
    entry: bool,
    exit: bool,
    position: f64,
    mode: impl FnOnce() -> Conflict,
) -> (bool, bool) {
    if !(entry && exit) {
        return (entry, exit);
    }
    let is_in_position = position != 0.0;
    match mode() {
        Conflict::Ignore => (false, false),
        Conflict::Entry => (true, false),
        Conflict::Exit => (false, true),
        Conflict::Adjacent => (is_in_position, false),
        Conflict::Opposite => (false, is_in_position),
    }
}

fn long_or_short(
    long: bool,
    short: bool,
    position: f64,
    mode: impl FnOnce() -> DirectionConflict,
) -> (bool, bool) {
    if !(long && short) {
        return (long, short);
    }
    match mode() {
        DirectionConflict::Ignore => (false, false),
        DirectionConflict::Long => (true, false),
        DirectionConflict::Short => (false, true),
        DirectionConflict::Adjacent => (position > 0.0, position < 0.0),
        DirectionConflict::Opposite => (position < 0.0, position > 0.0),
    }
}

fn oppose(
    mut s: BarSignals,
    position: f64,
    mode: impl FnOnce() -> OppositeEntry,
    accumulate: Accumulate,
) -> (BarSignals, Accumulate) {
    let (entry, exit) = if position > 0.0 {
        (&mut s.short_entry, &mut s.long_exit)
    } else if position < 0.0 {
        (&mut s.long_entry, &mut s.short_exit)
    } else {
        return (s, accumulate);
    };
    if !*entry {
        return (s, accumulate);
    }
    let mode = mode();
    match mode {
        OppositeEntry::Ignore => *entry = false,
        OppositeEntry::Close | OppositeEntry::CloseReduce => {
            *entry = false;
            *exit = true;
        }
        OppositeEntry::Reverse | OppositeEntry::ReverseReduce => {}
    }
    let all = matches!(mode, OppositeEntry::Close | OppositeEntry::Reverse);
    (s, if all { Accumulate::Off } else { accumulate })
}

/// The signals that a stop stands for, which replace the user's in its bar.
pub(super) fn of_stop(
    position: f64,
    mode: StopExit,
    accumulate: Accumulate,
) -> (BarSignals, Accumulate) {
    let mut s = BarSignals::default();
    let is_long = position > 0.0;
    match mode {
        StopExit::Close | StopExit::CloseReduce => {
            s.long_exit = is_long;
            s.short_exit = !is_long;
        }
        StopExit::Reverse | StopExit::ReverseReduce => {
            s.short_entry = is_long;
            s.long_entry = !is_long;
        }
    }
    let all = matches!(mode, StopExit::Close | StopExit::Reverse);
    (s, if all { Accumulate::Off } else { accumulate })
}

/// The order that resolved `signals` ask for. `size` is the bar's, in units of `size_type`, and
/// `price` the one that values are turned into units with.
///
/// # Errors
/// Reversing with a share of cash is undefined, as in VectorBT.
pub(super) fn decide(
    signals: BarSignals,
    position: f64,
    accumulate: Accumulate,
    size: f64,
    size_type: SizeType,
    price: f64,
) -> Result<Option<Decision>, BacktestError> {
    let sized = Sized::new(size, size_type, price);
    if position == 0.0 {
        let side = match (signals.long_entry, signals.short_entry) {
            (true, _) => Side::Buy,
            (false, true) => Side::Sell,
            (false, false) => return Ok(None),
        };
        return Ok(Some(sized.order(side, false)));
    }
    let (toward, against) =
        if position > 0.0 { (Side::Buy, Side::Sell) } else { (Side::Sell, Side::Buy) };
    let (entry, exit, opposite) = if position > 0.0 {
        (signals.long_entry, signals.long_exit, signals.short_entry)
    } else {
        (signals.short_entry, signals.short_exit, signals.long_entry)
    };
    let adds = matches!(accumulate, Accumulate::Both | Accumulate::AddOnly);
    let reduces = matches!(accumulate, Accumulate::Both | Accumulate::RemoveOnly);
    Ok(if opposite {
        Some(if reduces {
            sized.order(against, false)
        } else {
            sized.reverse(against, position)?
        })
    } else if exit {
        Some(if reduces { sized.order(against, true) } else { Decision::close(position) })
    } else {
        (entry && adds).then(|| sized.order(toward, false))
    })
}

/// An order size in units, or a share of what is at hand.
struct Sized {
    size: f64,
    percent: f64,
    value: f64,
}

impl Sized {
    fn new(size: f64, size_type: SizeType, price: f64) -> Self {
        match size_type {
            SizeType::Amount => Self { size, percent: f64::NAN, value: f64::NAN },
            SizeType::Value => Self { size: size / price, percent: f64::NAN, value: size },
            SizeType::Percent => Self { size: f64::INFINITY, percent: size, value: f64::NAN },
        }
    }

    fn order(&self, side: Side, reduce_only: bool) -> Decision {
        let Self { size, percent, value } = *self;
        Decision { side, size, percent, value, reduce_only }
    }

    fn reverse(&self, side: Side, position: f64) -> Result<Decision, BacktestError> {
        if !self.percent.is_nan() {
            return Err(BacktestError::PercentReversal);
        }
        Ok(Decision {
            side,
            size: position.abs() + self.size,
            percent: f64::NAN,
            value: f64::NAN,
            reduce_only: false,
        })
    }
}
