//! Dependent loads over a random cycle: the latency of whatever level holds the cycle.
//!
//! One load per cache line, each naming the next, in an order without stride that visits every
//! line once before it returns (as lmbench's `lat_mem_rd` in its random form): neither an
//! out-of-order core nor a prefetcher can get ahead.

/// Bytes of a line; Apple's are 128, so every other line is enough to be apart there too.
pub(crate) const LINE_BYTES: usize = if cfg!(target_vendor = "apple") { 128 } else { 64 };
const STEP: usize = LINE_BYTES / size_of::<u64>();

/// Lays one random cycle over the lines of `words`: the first word of each line holds the word
/// index of the next line. Returns the number of lines.
///
/// Lines are numbered by a full-period linear congruential generator, whose output is mixed by a
/// bijection of the same width (its low bits have short periods); numbers past the end are
/// skipped. This walks in order of the *visit*, so that the random stores overlap: building a
/// gigabyte takes a fraction of a second, where a shuffle takes several.
pub(crate) fn lay_cycle(words: &mut [u64], seed: u64) -> usize {
    let lines = words.len() / STEP;
    if lines == 0 {
        return 0;
    }
    let bits = usize::BITS - (lines - 1).leading_zeros();
    let visit = Visit { state: seed, bits, lines: lines as u64 };
    let mut previous = None;
    let mut first = 0;
    for line in visit.take(lines) {
        let word = line as usize * STEP;
        match previous {
            None => first = word,
            Some(at) => words[at] = word as u64,
        }
        previous = Some(word);
    }
    if let Some(at) = previous {
        words[at] = first as u64;
    }
    lines
}

/// A full period over `0..2^bits`, mixed, with what is not below `lines` left out.
struct Visit {
    state: u64,
    bits: u32,
    lines: u64,
}

impl Iterator for Visit {
    type Item = u64;

    fn next(&mut self) -> Option<u64> {
        let mask = u64::MAX.checked_shr(64 - self.bits).unwrap_or(0);
        loop {
            // Full period by Hull and Dobell: odd increment, multiplier 1 modulo 4.
            self.state = self
                .state
                .wrapping_mul(6_364_136_223_846_793_005)
                .wrapping_add(1_442_695_040_888_963_407)
                & mask;
            let line = mix(self.state, self.bits, mask);
            if line < self.lines {
                return Some(line);
            }
        }
    }
}

/// A bijection of `bits` bits: right shifts and odd multiplications are each invertible.
fn mix(value: u64, bits: u32, mask: u64) -> u64 {
    let shift = bits.div_ceil(2).max(1);
    let mut x = value;
    x ^= x >> shift;
    x = x.wrapping_mul(0x9E37_79B9_7F4A_7C15) & mask;
    x ^= x >> shift;
    x = x.wrapping_mul(0xBF58_476D_1CE4_E5B9) & mask;
    x ^ (x >> shift)
}

/// Follows `loads` links from word `at`; returns where it stands, from which one may go on.
#[inline(never)]
pub(crate) fn follow(words: &[u64], at: usize, loads: usize) -> usize {
    let mut word = at;
    for _ in 0..loads {
        word = words[word] as usize;
    }
    word
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        /// One cycle through every line, whatever the size: each line is met exactly once.
        #[test]
        fn the_cycle_meets_every_line_once(lines in 1_usize..3000, seed in any::<u64>()) {
            let mut words = vec![u64::MAX; lines * STEP];
            prop_assert_eq!(lay_cycle(&mut words, seed), lines);
            let mut seen = vec![false; lines];
            let mut word = 0;
            for _ in 0..lines {
                prop_assert_eq!(word % STEP, 0);
                prop_assert!(!seen[word / STEP], "line {} twice", word / STEP);
                seen[word / STEP] = true;
                word = follow(&words, word, 1);
            }
            prop_assert_eq!(word, 0);
        }
    }

    #[test]
    fn neighbours_in_the_cycle_are_far_apart() {
        let mut words = vec![0; 4096 * STEP];
        lay_cycle(&mut words, 1);
        let near = (0..4096)
            .filter(|line| words[line * STEP].abs_diff((line * STEP) as u64) <= 4 * STEP as u64)
            .count();
        assert!(near < 60, "{near} of 4096 links stay within four lines");
    }
}
