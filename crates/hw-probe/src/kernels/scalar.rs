//! Costs of single operations: integer chains, mispredicted branches, `exp` and `ln`.

use std::hint::black_box;

use crate::random::XorShift;

/// `x = x * factor + 1` on 64-bit integers, each waiting for the one before: the latency of a
/// multiplication and an addition.
pub(crate) fn integer_chain(links: usize, factor: u64) -> u64 {
    let factor = black_box(factor);
    (0..links).fold(1_u64, |x, _| x.wrapping_mul(factor).wrapping_add(1))
}

/// `x = (x ^ link) / divisor` with its top bit set again, so that it never gets short, each waiting for the one
/// before: the latency of a 64-bit division.
pub(crate) fn division_chain(links: usize, divisor: u64) -> u64 {
    (0..links).fold(u64::MAX, |x, link| ((x ^ link as u64) / black_box(divisor)) | (1 << 63))
}

/// Counts the set flags by *branching* on each: the barrier in either arm keeps the compiler from
/// turning the choice into arithmetic.
pub(crate) fn branch_on(flags: &[bool]) -> u64 {
    let mut taken = 0;
    for &flag in flags {
        if flag {
            taken += 1;
            black_box(());
        } else {
            black_box(&taken);
        }
    }
    taken
}

/// Flags without a pattern that a predictor could learn, half of them set.
pub(crate) fn random_flags(count: usize, seed: u64) -> Vec<bool> {
    let mut random = XorShift::new(seed);
    (0..count).map(|_| random.next() >> 63 == 1).collect()
}

/// `to[i] = f(from[i])`.
pub(crate) fn map(from: &[f64], to: &mut [f64], f: impl Fn(f64) -> f64) {
    for (value, slot) in from.iter().zip(to) {
        *slot = f(*value);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn branches_count_their_flags() {
        let flags = random_flags(10_000, 7);
        let set = flags.iter().filter(|&&flag| flag).count() as u64;
        assert_eq!(branch_on(&flags), set);
        assert!((4_500..5_500).contains(&set), "{set}");
    }

    #[test]
    fn integer_chains_follow_their_recurrence() {
        assert_eq!(integer_chain(3, 3), ((3 + 1) * 3 + 1) * 3 + 1);
        assert_eq!(division_chain(1, 3), (u64::MAX / 3) | (1 << 63));
    }
}
