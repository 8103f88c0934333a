//! Signals to the bars at which positions open and close.

use super::tile::TILE;
use super::vector::{Bars, LANES};

/// Bars of a tile in time order, a place per trial: entry, exit, entry, ...
#[derive(Debug, Clone)]
pub struct Events {
    bars: Vec<Bars>,
    counts: Bars,
}

impl Events {
    /// Room for the events of a tile.
    #[must_use]
    pub fn new() -> Self {
        Self { bars: vec![[0; LANES]; TILE + 1], counts: [0; LANES] }
    }

    /// Number of events of each trial.
    pub(super) fn counts(&self) -> Bars {
        self.counts
    }

    /// The bar of each trial's event number `at`, even for entries and odd for exits; any bar of
    /// the tile for trials that have fewer.
    #[inline(always)]
    pub(super) fn bars(&self, at: usize) -> &Bars {
        &self.bars[at]
    }

    /// No event for trial `l`.
    pub(super) fn clear(&mut self, l: usize) {
        self.counts[l] = 0;
    }

    /// Finds what account `l`, in a position or not, would act on: the first exit, then the first
    /// entry after it, and so on. Bars with both count as neither. A position that is open at the
    /// start takes the place of the first entry.
    ///
    /// # Panics
    /// When the signals are longer than a tile.
    pub(super) fn find(&mut self, l: usize, entry: &[u64], exit: &[u64], in_position: bool) {
        let mut count = usize::from(in_position);
        let mut waits_for_exit = in_position;
        for (word, (&entry, &exit)) in entry.iter().zip(exit).enumerate() {
            let (entries, exits) = (entry & !exit, exit & !entry);
            let mut later = u64::MAX;
            loop {
                let wanted = if waits_for_exit { exits } else { entries } & later;
                if wanted == 0 {
                    break;
                }
                let bit = wanted.trailing_zeros();
                self.bars[count][l] = (word * 64) as u32 + bit;
                count += 1;
                waits_for_exit = !waits_for_exit;
                later = u64::MAX << bit << 1;
            }
        }
        self.counts[l] = count as u32;
    }
}

impl Default for Events {
    fn default() -> Self {
        Self::new()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(entry: u64, exit: u64, in_position: bool) -> Vec<u32> {
        let mut events = Events::new();
        events.find(3, &[0, entry], &[0, exit], in_position);
        (0..events.counts()[3] as usize).map(|at| events.bars(at)[3]).collect()
    }

    #[test]
    fn entries_and_exits_take_turns() {
        assert_eq!(found(0b0010_0101, 0b0101_0000, false), [64, 68, 69, 70]);
        assert_eq!(found(0b0010_0101, 0b0101_0000, true), [0, 68, 69, 70]);
        assert_eq!(found(0b11, 0b01, false), [65]);
        assert_eq!(found(1 << 63, 0, false), [127]);
        assert_eq!(found(0, 1, false), [] as [u32; 0]);
    }
}
