//! Signals to the bars at which a position opens and closes.

use super::tile::TILE;

/// Bars of a tile in time order: entry, exit, entry, ...
#[derive(Debug, Clone)]
pub(super) struct Events {
    bars: [u16; TILE + 1],
    count: usize,
}

impl Events {
    pub(super) const NONE: Self = Self { bars: [0; TILE + 1], count: 0 };

    /// Number of events. Even places hold entries, odd ones exits.
    pub(super) fn len(&self) -> usize {
        self.count
    }

    /// The bar of the event at `place`.
    pub(super) fn bar(&self, place: usize) -> usize {
        usize::from(self.bars[place])
    }

    /// Finds what an account that is in a position or not would act on: the first exit, then the
    /// first entry after it, and so on. Bars with both count as neither. A position that is open
    /// at the start takes the place of the first entry.
    ///
    /// # Panics
    /// When the signals are longer than a tile.
    pub(super) fn find(&mut self, entry: &[u64], exit: &[u64], in_position: bool) {
        self.count = usize::from(in_position);
        self.bars[0] = 0;
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
                self.bars[self.count] = (word * 64) as u16 + bit as u16;
                self.count += 1;
                waits_for_exit = !waits_for_exit;
                later = u64::MAX << bit << 1;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(entry: u64, exit: u64, in_position: bool) -> Vec<usize> {
        let mut events = Events::NONE;
        events.find(&[0, entry], &[0, exit], in_position);
        (0..events.len()).map(|place| events.bar(place)).collect()
    }

    #[test]
    fn entries_and_exits_take_turns() {
        assert_eq!(found(0b0010_0101, 0b0101_0000, false), [64, 68, 69, 70]);
        assert_eq!(found(0b0010_0101, 0b0101_0000, true), [0, 68, 69, 70]);
        assert_eq!(found(0b11, 0b01, false), [65]);
        assert_eq!(found(1 << 63, 0, false), [127]);
        assert_eq!(found(0, 1, false), [] as [usize; 0]);
    }
}
