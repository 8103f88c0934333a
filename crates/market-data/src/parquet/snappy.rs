//! Snappy, for pages of eight-byte values.
//!
//! Times compress to records: a literal of the bytes that change, and a copy of the others from the value
//! before. [`records`] takes a whole one as a word, where a loop over tags waits for the length of each
//! literal before it can look at the next tag. Prices compress to short literals and copies from far
//! before, which are taken in pairs. Their forms and lengths are beyond a branch predictor: selects tell
//! the forms apart, and sixteen bytes move for any length up to that. Copies from near load no more than
//! they need, as a load over several stores that are still under way waits until they have reached the
//! cache. A page that did not compress, as most pages of packed indexes, is not copied at all.

use std::hint::select_unpredictable;

/// The text of a page that is one literal, as pages of packed indexes mostly are.
pub(super) fn stored(input: &[u8], bytes: usize) -> Option<&[u8]> {
    let (claimed, at) = varint(input)?;
    let (length, at) = literal(input, at)?;
    (claimed == bytes && length == bytes && input.len() == at + length).then(|| &input[at..])
}

/// Decompresses `input` to exactly the length of `out`.
pub(super) fn decompress(input: &[u8], out: &mut [u8]) -> Option<()> {
    let (claimed, at) = varint(input)?;
    if claimed != out.len() {
        return None;
    }
    let mut text = Text { input, at, out, done: 0 };
    while let Some(&tag) = input.get(text.at) {
        if tag & 3 > 0 || !text.take_pair(tag)? {
            text.take(tag)?;
        }
    }
    (text.done == text.out.len()).then_some(())
}

/// A text on its way.
struct Text<'t> {
    input: &'t [u8],
    /// Place of the next tag.
    at: usize,
    out: &'t mut [u8],
    /// Bytes written.
    done: usize,
}

/// What [`Text::take_pair`] reads behind the first tag: the literal and the tag of the copy.
const PAIR_BYTES: usize = 16 + 3;
/// Room for both: a literal of up to sixteen bytes, a copy of up to 64.
const PAIR_ROOM: usize = 16 + 64;

impl Text<'_> {
    /// The literal of `tag` and the copy that mostly follows, with one look at the lengths of both sides;
    /// false where the literal is longer than sixteen bytes or near the end, `None` where the copy is of
    /// what is not there.
    #[inline(always)]
    fn take_pair(&mut self, tag: u8) -> Option<bool> {
        let behind = self.input.get(self.at + 1..)?;
        let room = self.out.get_mut(self.done..)?.first_chunk_mut::<PAIR_ROOM>();
        let (Some(behind), Some(room), true) =
            (behind.first_chunk::<PAIR_BYTES>(), room, tag >> 2 < 16)
        else {
            return Some(false);
        };
        let text_bytes = usize::from(tag >> 2) + 1;
        // One move of a fixed size; what it writes too much is overwritten by what follows.
        room[..16].copy_from_slice(&behind[..16]);
        self.at += 1 + text_bytes;
        self.done += text_bytes;
        let [tag, low, high] = [0, 1, 2].map(|i| behind[text_bytes + i]);
        if !matches!(tag & 3, 1 | 2) {
            return Some(true);
        }
        let (bytes, offset, next) = near(tag, [low, high], self.at);
        if offset == 0 || offset > self.done {
            return None;
        }
        copy(self.out, self.done, offset, bytes);
        self.at = next;
        self.done += bytes;
        if offset == RECORD_BYTES && text_bytes + bytes == RECORD_BYTES && tag & 3 == 1 {
            let first = &self.input[self.at - text_bytes - 3..];
            let count = records(first, text_bytes, self.out, self.done);
            self.at += count * (text_bytes + 3);
            self.done += count * RECORD_BYTES;
        }
        Some(true)
    }

    /// The literal or the copy of `tag`.
    #[inline(always)]
    fn take(&mut self, tag: u8) -> Option<()> {
        let Self { input, at, out, done } = self;
        let (length, next) = if tag & 3 == 0 {
            let (length, from) = literal(input, *at)?;
            let text = input.get(from..from.checked_add(length)?)?;
            out.get_mut(*done..*done + length)?.copy_from_slice(text);
            (length, from + length)
        } else {
            let (length, offset, next) = back(input, tag, *at)?;
            if offset == 0 || offset > *done || length > out.len() - *done {
                return None;
            }
            copy(out, *done, offset, length);
            (length, next)
        };
        (self.at, self.done) = (next, *done + length);
        Some(())
    }
}

const RECORD_BYTES: usize = 8;

/// Writes from `done` on what the records are that follow the one at the start of `input` and differ from
/// it in the text of their literal alone, `text_bytes` long; gives their number.
///
/// A record is the literal's tag and text, then a copy of two bytes from as far before as the record is
/// long: of the bytes that the record before has copied.
fn records(input: &[u8], text_bytes: usize, out: &mut [u8], done: usize) -> usize {
    let word = |at: usize| Some(u64::from_le_bytes(*input.get(at..)?.first_chunk()?));
    // The copy is four bytes long at least, so that the record fits into a word.
    let stride = text_bytes + 3;
    let text = (1 << (8 * text_bytes)) - 1;
    let tags = 0xff | 0xffff << (8 * (text_bytes + 1));
    let Some(shape) = word(0).map(|word| word & tags) else { return 0 };
    let (before, after) = out.split_at_mut(done);
    let Some(copied) = before.last_chunk().map(|value| u64::from_le_bytes(*value) & !text) else {
        return 0;
    };
    let mut count = 0;
    for value in after.as_chunks_mut().0 {
        match word((count + 1) * stride) {
            Some(word) if word & tags == shape => {
                *value = (word >> 8 & text | copied).to_le_bytes()
            }
            _ => break,
        }
        count += 1;
    }
    count
}

/// `length` bytes from `offset` before `done` to `done`.
#[inline(always)]
fn copy(out: &mut [u8], done: usize, offset: usize, length: usize) {
    let from = done - offset;
    if length <= 16 && offset >= 32 && done + 16 <= out.len() {
        move_word::<16>(out, from, done);
    } else if length <= 4 && offset >= 4 && done + 4 <= out.len() {
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
    let rest = input.get(at + 1..)?;
    if tag & 3 == 3 {
        let offset = u32::from_le_bytes(*rest.first_chunk()?) as usize;
        return Some((usize::from(tag >> 2) + 1, offset, at + 5));
    }
    let pair = match *rest {
        [low, high, ..] => [low, high],
        [low] if tag & 3 == 1 => [low, 0],
        _ => return None,
    };
    Some(near(tag, pair, at))
}

/// [`back`] for the copies whose offsets are of one byte or two, which no branch predictor tells apart.
#[inline(always)]
fn near(tag: u8, [low, high]: [u8; 2], at: usize) -> (usize, usize, usize) {
    let is_short = tag & 3 == 1;
    let length = select_unpredictable(is_short, (tag >> 2 & 7) + 4, (tag >> 2) + 1);
    let high = select_unpredictable(is_short, tag >> 5, high);
    (
        usize::from(length),
        usize::from(u16::from_le_bytes([low, high])),
        at + 1 + usize::from(tag & 3),
    )
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
        // Steps of which one to four bytes change, and the copies of what stays.
        for step in [1, 60, 60_000, 60_000_000, 60_000_000_000, 86_400_000_000_000_i64] {
            for start in [0, 1_704_067_200_000_000_000] {
                check(
                    &(0..5_000).flat_map(|i| (start + step * i).to_le_bytes()).collect::<Vec<u8>>(),
                );
            }
        }
        let few = (0..20_000).flat_map(|_| ((random.next() % 90) as f64 * 0.01).to_le_bytes());
        check(&few.collect::<Vec<u8>>());
        for length in 0..200 {
            check(&b"abcabcabdabcabcabcde".repeat(11)[..length]);
        }
    }

    #[test]
    fn damage_is_none_or_another_text_but_no_panic() {
        let squares = (0..500_u32).flat_map(|i| (i * i / 7).to_le_bytes());
        damage(&squares.collect::<Vec<u8>>());
        let times = (0..300_i64)
            .flat_map(|i| (1_704_067_200_000_000_000 + 60_000_000_000 * i).to_le_bytes());
        damage(&times.collect::<Vec<u8>>());
    }

    fn damage(text: &[u8]) {
        let packed = snap::raw::Encoder::new().compress_vec(text).unwrap();
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
