//! One bit per bar: the form in which signals travel.

/// A bit per bar, 64 bars to a word, the first bar in the lowest bit. Bits past the end are 0.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Mask {
    words: Vec<u64>,
    bars: usize,
}

impl Mask {
    /// No bit set, for `bars` bars.
    #[must_use]
    pub fn new(bars: usize) -> Self {
        Self { words: vec![0; bars.div_ceil(64)], bars }
    }

    /// The bars at which `bits` is true.
    #[must_use]
    pub fn from_bools(bits: &[bool]) -> Self {
        let mut mask = Self::new(bits.len());
        for (word, bits) in mask.words.iter_mut().zip(bits.chunks(64)) {
            *word = bits.iter().rev().fold(0, |word, &bit| word << 1 | u64::from(bit));
        }
        mask
    }

    /// Number of bars.
    #[must_use]
    pub fn len(&self) -> usize {
        self.bars
    }

    /// Whether there is no bar.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.bars == 0
    }

    /// Number of set bits.
    #[must_use]
    pub fn count(&self) -> usize {
        self.words.iter().map(|word| word.count_ones() as usize).sum()
    }

    /// Whether the bit of `bar` is set.
    #[inline]
    #[must_use]
    pub fn get(&self, bar: usize) -> bool {
        self.words[bar / 64] >> (bar % 64) & 1 == 1
    }

    /// Sets the bit of `bar`.
    #[inline]
    pub fn set(&mut self, bar: usize) {
        assert!(bar < self.bars, "bar {bar} of {}", self.bars);
        self.words[bar / 64] |= 1 << (bar % 64);
    }

    /// The words, lowest bar first.
    #[must_use]
    pub fn words(&self) -> &[u64] {
        &self.words
    }

    /// The words, to write. The caller keeps the bits past the end at 0.
    pub(crate) fn words_mut(&mut self) -> &mut [u64] {
        &mut self.words
    }

    /// Resizes to `bars` bars with no bit set, keeping the allocation.
    pub fn reset(&mut self, bars: usize) {
        self.words.clear();
        self.words.resize(bars.div_ceil(64), 0);
        self.bars = bars;
    }

    /// No bars, with room for `bars` of them.
    pub(crate) fn clear(&mut self, bars: usize) {
        self.words.clear();
        self.words.reserve(bars.div_ceil(64));
        self.bars = 0;
    }

    /// Puts `later` behind these bars, which fill their words.
    pub(crate) fn append(&mut self, later: &Self) {
        debug_assert!(self.bars.is_multiple_of(64), "{} bars fill no whole words", self.bars);
        self.words.extend_from_slice(&later.words);
        self.bars += later.bars;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bits_land_where_they_were_put() {
        let bits: Vec<bool> = (0..131).map(|i| i % 3 == 0 || i == 130).collect();
        let mask = Mask::from_bools(&bits);
        assert_eq!((0..131).map(|i| mask.get(i)).collect::<Vec<_>>(), bits);
        assert_eq!(mask.count(), bits.iter().filter(|&&b| b).count());
        let mut again = Mask::new(131);
        bits.iter().enumerate().filter(|(_, b)| **b).for_each(|(i, _)| again.set(i));
        assert_eq!(again, mask);
    }
}
