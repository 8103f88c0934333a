//! Numbers without a pattern, the same ones for the same seed.

/// xorshift64 (G. Marsaglia, *Xorshift RNGs*, 2003): its high bits are the better ones.
pub(crate) struct XorShift(u64);

impl XorShift {
    /// Any seed but 0, of which nothing comes, stands for itself.
    pub(crate) fn new(seed: u64) -> Self {
        Self(seed.max(1))
    }

    pub(crate) fn next(&mut self) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0
    }
}

#[cfg(test)]
mod tests {
    use super::XorShift;

    #[test]
    fn the_first_numbers_are_those_of_the_recurrence() {
        let mut one = XorShift::new(1);
        // 1 ^ 1 << 13 = 0x2001; ^ >> 7 = 0x2041; ^ << 17 = 0x4082_2041.
        assert_eq!(one.next(), 0x4082_2041);
        assert_ne!(one.next(), 0x4082_2041);
        assert_eq!(XorShift::new(0).next(), 0x4082_2041);
    }
}
