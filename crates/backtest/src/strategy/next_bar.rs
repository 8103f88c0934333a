//! Signals that are acted on a bar later.

use super::{EntryExit, Feature, Last, Parameter, Strategy};
use crate::{BacktestError, Mask};

/// A strategy whose signals come one bar later: with the open as the order price, what is known at
/// a bar's close fills at the next bar's open. The signal of the last bar is never filled.
#[derive(Clone, Copy)]
pub struct NextBar<'a>(pub &'a dyn Strategy);

/// Masks whose last bit is carried to the next span.
const MASKS: usize = 4;

impl Strategy for NextBar<'_> {
    fn name(&self) -> &str {
        self.0.name()
    }

    fn parameters(&self) -> &[Parameter] {
        self.0.parameters()
    }

    fn check(&self, values: &[f64]) -> Result<(), BacktestError> {
        self.0.check(values)
    }

    fn features(&self, values: &[f64]) -> Vec<Feature> {
        self.0.features(values)
    }

    fn crossings(&self) -> usize {
        self.0.crossings() + MASKS
    }

    fn has_shorts(&self) -> bool {
        self.0.has_shorts()
    }

    fn signals(
        &self,
        columns: &[&[f64]],
        values: &[f64],
        memory: &mut [Last],
        out: &mut EntryExit,
    ) {
        let (inner, carried) = memory.split_at_mut(self.0.crossings());
        self.0.signals(columns, values, inner, out);
        let EntryExit { entry, exit, short_entry, short_exit } = out;
        for (mask, last) in [entry, exit, short_entry, short_exit].into_iter().zip(carried) {
            delay(mask, last);
        }
    }
}

impl EntryExit {
    /// Every signal one bar later.
    #[must_use]
    pub fn delayed(mut self) -> Self {
        let Self { entry, exit, short_entry, short_exit } = &mut self;
        for mask in [entry, exit, short_entry, short_exit] {
            delay(mask, &mut Last::Unknown);
        }
        self
    }
}

/// Moves every bit to the next bar; `last` is the bit before the first, and becomes the one that
/// falls out at the end.
fn delay(mask: &mut Mask, last: &mut Last) {
    let bars = mask.len();
    if bars == 0 {
        return;
    }
    let falls_out = mask.get(bars - 1);
    let mut carry = u64::from(*last == Last::Above);
    for word in mask.words_mut() {
        (carry, *word) = (*word >> 63, *word << 1 | carry);
    }
    if !bars.is_multiple_of(64) {
        let end = mask.words_mut().last_mut();
        end.into_iter().for_each(|word| *word &= u64::MAX >> (64 - bars % 64));
    }
    *last = if falls_out { Last::Above } else { Last::Unknown };
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bits_move_across_words_and_spans() {
        let bits: Vec<bool> = (0..200).map(|bar| bar * 7 % 5 < 2).collect();
        let expected: Vec<bool> = std::iter::once(false).chain(bits.clone()).take(200).collect();
        for length in [1, 63, 64, 65, 128, 200] {
            let (mut last, mut found) = (Last::default(), Vec::new());
            for span in bits.chunks(length) {
                let mut mask = Mask::from_bools(span);
                delay(&mut mask, &mut last);
                found.extend((0..span.len()).map(|bar| mask.get(bar)));
                assert_eq!(mask.count(), (0..span.len()).filter(|&bar| mask.get(bar)).count());
            }
            assert_eq!(found, expected, "spans of {length}");
        }
    }
}
