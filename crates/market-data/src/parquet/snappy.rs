//! Snappy, for pages of eight-byte values.
//!
//! Columns of times and volumes compress to a literal of four or five bytes and a copy of four,
//! again and again. There the time goes into copies that read what the last two stores have just
//! written: a load of sixteen bytes over several stores waits until they have reached the cache.
//! Short copies here load no more than they need, which one store covers. On the file that pyarrow
//! writes by default the `snap` crate took 30 percent of a load, this 23; and a page that did not
//! compress, as most pages of packed indexes, is not copied at all.

/// The text of a page that is one literal, as pages of packed indexes mostly are.
pub(super) fn stored(input: &[u8], bytes: usize) -> Option<&[u8]> {
    let (claimed, at) = varint(input)?;
    let (length, at) = literal(input, at)?;
    (claimed == bytes && length == bytes && input.len() == at + length).then(|| &input[at..])
}

/// Decompresses `input` to exactly the length of `out`.
pub(super) fn decompress(input: &[u8], out: &mut [u8]) -> Option<()> {
    let (claimed, mut at) = varint(input)?;
    if claimed != out.len() {
        return None;
    }
    let mut done = 0;
    while let Some(&tag) = input.get(at) {
        if tag & 3 == 0 {
            let (length, from) = literal(input, at)?;
            // One move of a fixed size; what it writes too much is overwritten by what follows.
            if let (true, Some(text), Some(to)) =
                (length <= 16, input.get(from..from + 16), out.get_mut(done..done + 16))
            {
                to.copy_from_slice(text);
            } else {
                let text = input.get(from..from.checked_add(length)?)?;
                out.get_mut(done..done + length)?.copy_from_slice(text);
            }
            at = from + length;
            done += length;
        } else {
            let (length, offset, next) = back(input, tag, at)?;
            if offset == 0 || offset > done || length > out.len() - done {
                return None;
            }
            copy(out, done, offset, length);
            at = next;
            done += length;
        }
    }
    (done == out.len()).then_some(())
}

/// `length` bytes from `offset` before `done` to `done`.
#[inline(always)]
fn copy(out: &mut [u8], done: usize, offset: usize, length: usize) {
    let from = done - offset;
    if length <= 4 && offset >= 4 && done + 4 <= out.len() {
        move_word::<4>(out, from, done);
    } else if length <= 8 && offset >= 8 && done + 8 <= out.len() {
        move_word::<8>(out, from, done);
    } else if length <= 16 && offset >= 16 && done + 16 <= out.len() {
        move_word::<16>(out, from, done);
    } else if offset >= length {
        out.copy_within(from..from + length, done);
    } else {
        // The copy repeats what it writes.
        for i in 0..length {
            out[done + i] = out[from + i];
        }
    }
}

#[inline(always)]
fn move_word<const BYTES: usize>(out: &mut [u8], from: usize, to: usize) {
    let mut word = [0; BYTES];
    word.copy_from_slice(&out[from..from + BYTES]);
    out[to..to + BYTES].copy_from_slice(&word);
}

/// Length and place of the text of a literal whose tag is at `at`.
#[inline(always)]
fn literal(input: &[u8], at: usize) -> Option<(usize, usize)> {
    let tag = *input.get(at)?;
    let short = usize::from(tag >> 2);
    if tag & 3 != 0 {
        return None;
    }
    if short < 60 {
        return Some((short + 1, at + 1));
    }
    let bytes = short - 59;
    let length = input.get(at + 1..at + 1 + bytes)?;
    let length = length.iter().rev().fold(0, |length, &byte| length << 8 | usize::from(byte));
    Some((length.checked_add(1)?, at + 1 + bytes))
}

/// Length and offset of a copy, and the place of the next tag.
#[inline(always)]
fn back(input: &[u8], tag: u8, at: usize) -> Option<(usize, usize, usize)> {
    let long = usize::from(tag >> 2) + 1;
    Some(match tag & 3 {
        1 => {
            let offset = usize::from(tag >> 5) << 8 | usize::from(*input.get(at + 1)?);
            (usize::from(tag >> 2 & 7) + 4, offset, at + 2)
        }
        2 => {
            let offset = input.get(at + 1..)?.first_chunk()?;
            (long, usize::from(u16::from_le_bytes(*offset)), at + 3)
        }
        _ => {
            let offset = input.get(at + 1..)?.first_chunk()?;
            (long, u32::from_le_bytes(*offset) as usize, at + 5)
        }
    })
}

fn varint(input: &[u8]) -> Option<(usize, usize)> {
    let mut rest = input;
    let value = super::decode::varint(&mut rest)?;
    Some((usize::try_from(value).ok()?, input.len() - rest.len()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::parquet::tests::Random;

    fn check(text: &[u8]) {
        let packed = snap::raw::Encoder::new().compress_vec(text).unwrap();
        let mut out = vec![0; text.len()];
        assert_eq!(decompress(&packed, &mut out), Some(()));
        assert_eq!(out, text);
        if let Some(stored) = stored(&packed, text.len()) {
            assert_eq!(stored, text);
        }
        assert_eq!(decompress(&packed, &mut vec![0; text.len() + 1]), None);
    }

    #[test]
    fn what_snap_packs() {
        let mut random = Random(1);
        let noise: Vec<u8> = (0..60_000).map(|_| random.next() as u8).collect();
        check(&[]);
        check(b"a");
        check(&[7; 100_000]);
        check(&noise);
        assert!(stored(&snap::raw::Encoder::new().compress_vec(&noise).unwrap(), 60_000).is_some());
        let times = (0..20_000_i64).flat_map(|i| (1_704_067_200 + 60 * i).to_le_bytes());
        check(&times.collect::<Vec<u8>>());
        let few = (0..20_000).flat_map(|_| ((random.next() % 90) as f64 * 0.01).to_le_bytes());
        check(&few.collect::<Vec<u8>>());
        for length in 0..200 {
            check(&b"abcabcabdabcabcabcde".repeat(11)[..length]);
        }
    }

    #[test]
    fn damage_is_none_or_another_text_but_no_panic() {
        let text: Vec<u8> = (0..500_u32).flat_map(|i| (i * i / 7).to_le_bytes()).collect();
        let packed = snap::raw::Encoder::new().compress_vec(&text).unwrap();
        let mut random = Random(2);
        let mut out = vec![0; text.len()];
        for _ in 0..20_000 {
            let mut wrong = packed.clone();
            let at = random.next() as usize % wrong.len();
            wrong[at] ^= 1 << (random.next() % 8);
            let is_ours = decompress(&wrong, &mut out).is_some();
            let theirs = snap::raw::Decoder::new().decompress_vec(&wrong);
            assert_eq!(is_ours, theirs.as_ref().is_ok_and(|text| text.len() == out.len()));
            if is_ours {
                assert_eq!(theirs.unwrap(), out);
            }
            assert_eq!(decompress(&packed[..at], &mut out), None);
        }
    }
}
