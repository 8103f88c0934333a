//! The four signals that decide a backtest.

use crate::strategy::EntryExit;
use crate::{BacktestError, Direction, Mask};

/// Long and short entries and exits, one bit per bar each. An empty mask is a signal that never
/// comes; the others have the length of the bars.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Signals {
    /// Open or add to a long.
    pub long_entry: Mask,
    /// Close or reduce a long.
    pub long_exit: Mask,
    /// Open or add to a short.
    pub short_entry: Mask,
    /// Close or reduce a short.
    pub short_exit: Mask,
}

impl Signals {
    /// Plain entries and exits, read as `direction` says: for `Both`, exits open shorts.
    #[must_use]
    pub fn new(entry: Mask, exit: Mask, direction: Direction) -> Self {
        match direction {
            Direction::LongOnly => Self { long_entry: entry, long_exit: exit, ..Self::default() },
            Direction::ShortOnly => {
                Self { short_entry: entry, short_exit: exit, ..Self::default() }
            }
            Direction::Both => Self { long_entry: entry, short_entry: exit, ..Self::default() },
        }
    }

    /// Plain entries and exits, each read as its bar's direction says ([`Signals::new`]).
    ///
    /// # Panics
    /// When the lengths differ.
    #[must_use]
    pub fn directed(entry: &Mask, exit: &Mask, directions: &[Direction]) -> Self {
        let bars = directions.len();
        assert!(entry.len() == bars && exit.len() == bars, "one direction per bar");
        let none = || Mask::new(bars);
        let mut out =
            Self { long_entry: none(), long_exit: none(), short_entry: none(), short_exit: none() };
        for (bar, direction) in directions.iter().enumerate() {
            let (on_entry, on_exit) = match direction {
                Direction::LongOnly => (&mut out.long_entry, &mut out.long_exit),
                Direction::ShortOnly => (&mut out.short_entry, &mut out.short_exit),
                Direction::Both => (&mut out.long_entry, &mut out.short_entry),
            };
            if entry.get(bar) {
                on_entry.set(bar);
            }
            if exit.get(bar) {
                on_exit.set(bar);
            }
        }
        out
    }

    /// The signals of a strategy: its own for shorts where it has them, which `direction` does not
    /// limit; else as [`Signals::new`].
    #[must_use]
    pub fn of(masks: EntryExit, direction: Direction) -> Self {
        let EntryExit { entry, exit, short_entry, short_exit } = masks;
        if short_entry.is_empty() && short_exit.is_empty() {
            return Self::new(entry, exit, direction);
        }
        Self { long_entry: entry, long_exit: exit, short_entry, short_exit }
    }

    /// The masks that [`Signals::of`] or [`Signals::new`] was given, for their allocations to be
    /// used again.
    #[must_use]
    pub fn into_entry_exit(self, direction: Direction) -> EntryExit {
        let Self { long_entry, long_exit, short_entry, short_exit } = self;
        // Only a strategy's own signals fill an exit of either direction.
        let has_own_shorts = !long_exit.is_empty() && !short_exit.is_empty();
        let none = Mask::default;
        let [entry, exit, short_entry, short_exit] = match direction {
            _ if has_own_shorts => [long_entry, long_exit, short_entry, short_exit],
            Direction::LongOnly => [long_entry, long_exit, none(), none()],
            Direction::ShortOnly => [short_entry, short_exit, none(), none()],
            Direction::Both => [long_entry, short_entry, none(), none()],
        };
        EntryExit { entry, exit, short_entry, short_exit }
    }

    /// Checks that each mask is empty or has `bars` bits.
    ///
    /// # Errors
    /// [`BacktestError::Length`] naming the signal.
    pub fn check(&self, bars: usize) -> Result<(), BacktestError> {
        let names = ["long entries", "long exits", "short entries", "short exits"];
        for (what, mask) in names.into_iter().zip(self.masks()) {
            if !mask.is_empty() && mask.len() != bars {
                return Err(BacktestError::Length { what, length: mask.len(), bars });
            }
        }
        Ok(())
    }

    fn masks(&self) -> [&Mask; 4] {
        [&self.long_entry, &self.long_exit, &self.short_entry, &self.short_exit]
    }

    /// The signals at `bar`.
    pub(crate) fn at(&self, bar: usize) -> BarSignals {
        let [long_entry, long_exit, short_entry, short_exit] =
            self.masks().map(|mask| !mask.is_empty() && mask.get(bar));
        BarSignals { long_entry, long_exit, short_entry, short_exit }
    }

    /// The first bar at or after `from` with any signal.
    pub(crate) fn next_event(&self, from: usize) -> Option<usize> {
        let masks = self.masks().map(Mask::words);
        let word_at = |word: usize| {
            masks.iter().fold(0, |any, words| any | words.get(word).copied().unwrap_or(0))
        };
        let end = masks.iter().map(|words| words.len()).max().unwrap_or(0);
        let mut word = from / 64;
        if word >= end {
            return None;
        }
        let mut bits = word_at(word) & (u64::MAX << (from % 64));
        while bits == 0 {
            word += 1;
            if word >= end {
                return None;
            }
            bits = word_at(word);
        }
        Some(word * 64 + bits.trailing_zeros() as usize)
    }
}

/// The signals of one bar.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct BarSignals {
    pub(crate) long_entry: bool,
    pub(crate) long_exit: bool,
    pub(crate) short_entry: bool,
    pub(crate) short_exit: bool,
}
