//! Kernels: the bytes of a page's values into the final column.
//!
//! Each writes every element of `out`, or gives `None` where the bytes do not hold them. Prices
//! and volumes come as indexes into a dictionary of a few thousand values, bit-packed; those are
//! looked up as they are unpacked, one pass over the output.

use std::mem::MaybeUninit;

#[cfg(target_arch = "x86_64")]
mod wide;

/// A value of a column of bars.
///
/// # Safety
/// It has eight bytes, each of which is one of its own.
pub(super) unsafe trait Word: Copy + Send + Sync {}

// SAFETY: numbers of eight bytes.
unsafe impl Word for i64 {}
// SAFETY: as above.
unsafe impl Word for f64 {}

/// A value as it stands in a page.
pub(super) trait Plain: Copy {
    /// Its bytes in a page.
    const BYTES: usize;
    /// Whether it may come as differences.
    const IS_WHOLE: bool;
    /// From `BYTES` bytes, little-endian.
    fn from_le(bytes: &[u8]) -> Self;
    /// The low bits of a whole number.
    fn of(value: i64) -> Self;
}

macro_rules! plain {
    ($($value:ty, $is_whole:literal;)*) => {
        $(impl Plain for $value {
            const BYTES: usize = size_of::<$value>();
            const IS_WHOLE: bool = $is_whole;
            #[inline(always)]
            fn from_le(bytes: &[u8]) -> Self {
                Self::from_le_bytes(bytes.try_into().expect("the caller cuts to BYTES"))
            }
            #[inline(always)]
            fn of(value: i64) -> Self {
                value as Self
            }
        })*
    };
}

plain! {
    i32, true;
    i64, true;
    f32, false;
    f64, false;
}

pub(super) fn zigzag(value: u64) -> i64 {
    (value >> 1) as i64 ^ -((value & 1) as i64)
}

/// Values as they are, one after the other.
pub(super) fn plain<P: Plain, V>(
    bytes: &[u8],
    out: &mut [MaybeUninit<V>],
    convert: impl Fn(P) -> V,
) -> Option<()> {
    let bytes = bytes.get(..out.len().checked_mul(P::BYTES)?)?;
    for (slot, value) in out.iter_mut().zip(bytes.chunks_exact(P::BYTES)) {
        slot.write(convert(P::from_le(value)));
    }
    Some(())
}

/// Indexes into a dictionary: the bit width, then runs of one index and of packed ones in turn.
pub(super) fn dictionary<V: Word>(
    bytes: &[u8],
    dictionary: &[V],
    out: &mut [MaybeUninit<V>],
) -> Option<()> {
    if out.is_empty() {
        return Some(());
    }
    let (&width, bytes) = bytes.split_first()?;
    let width = u32::from(width);
    if width > 32 {
        return None;
    }
    let mut runs = Runs { bytes, width };
    let mut done = 0;
    while done < out.len() {
        let rest = &mut out[done..];
        done += match runs.next()? {
            Run::Same { value, count } => {
                let value = *dictionary.get(value as usize)?;
                let count = count.min(rest.len());
                rest[..count].fill(MaybeUninit::new(value));
                count
            }
            Run::Packed { bytes, count } => {
                let count = count.min(rest.len());
                look_up(bytes, width, dictionary, &mut rest[..count])?;
                count
            }
        };
    }
    Some(())
}

/// A run of the hybrid encoding.
pub(super) enum Run<'a> {
    Same {
        value: u32,
        count: usize,
    },
    /// `bytes` go on behind the run, so that whole words can be read at its last numbers: `count` ends it.
    Packed {
        bytes: &'a [u8],
        count: usize,
    },
}

/// Runs of numbers of `width` bits.
pub(super) struct Runs<'a> {
    pub(super) bytes: &'a [u8],
    pub(super) width: u32,
}

impl<'a> Runs<'a> {
    pub(super) fn next(&mut self) -> Option<Run<'a>> {
        let header = varint(&mut self.bytes)?;
        let count = usize::try_from(header >> 1).ok().filter(|&count| count > 0)?;
        if header & 1 == 1 {
            // Writers may leave out the padding of the last group.
            let bytes = count.checked_mul(self.width as usize)?.min(self.bytes.len());
            let packed = self.bytes;
            self.bytes = &packed[bytes..];
            let held = if self.width == 0 { usize::MAX } else { bytes * 8 / self.width as usize };
            let count = count.checked_mul(8)?.min(held);
            return (count > 0).then_some(Run::Packed { bytes: packed, count });
        }
        let (value, rest) = self.bytes.split_at_checked(self.width.div_ceil(8) as usize)?;
        self.bytes = rest;
        let value = value.iter().rev().fold(0, |value, &byte| value << 8 | u32::from(byte));
        Some(Run::Same { value, count })
    }
}

pub(super) fn varint(bytes: &mut &[u8]) -> Option<u64> {
    let mut value = 0;
    for shift in (0..64).step_by(7) {
        let (&byte, rest) = bytes.split_first()?;
        *bytes = rest;
        value |= u64::from(byte & 0x7f) << shift;
        if byte < 0x80 {
            return Some(value);
        }
    }
    None
}

fn look_up<V: Word>(
    packed: &[u8],
    width: u32,
    dictionary: &[V],
    out: &mut [MaybeUninit<V>],
) -> Option<()> {
    let done = look_up_eights(packed, width, dictionary, out)?;
    for (i, slot) in out.iter_mut().enumerate().skip(done) {
        slot.write(*dictionary.get(usize::try_from(unpack(packed, i, width)?).ok()?)?);
    }
    Some(())
}

/// As many values as go in eights, by the kernel of the width; gives the number done.
fn look_up_eights<V: Word>(
    packed: &[u8],
    width: u32,
    dictionary: &[V],
    out: &mut [MaybeUninit<V>],
) -> Option<usize> {
    #[cfg(target_arch = "x86_64")]
    if let Some(wide) = wide::Wide::of(width) {
        return wide.look_up(packed, dictionary, out);
    }
    type Kernel<V> = fn(&[u8], &[V], &mut [MaybeUninit<V>]) -> Option<usize>;
    /// With the width known, shifts and masks are constants.
    macro_rules! kernels {
        ($($width:literal)*) => { [$(look_up_known::<V, $width, { $width + 8 }>),*] };
    }
    let kernels: [Kernel<V>; 24] =
        kernels!(1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19 20 21 22 23 24);
    match kernels.get((width as usize).wrapping_sub(1)) {
        Some(kernel) => kernel(packed, dictionary, out),
        None => Some(0),
    }
}

/// Eight values at a time, while a whole word can be read at each of them; gives the number done.
fn look_up_known<V: Copy, const WIDTH: usize, const WINDOW: usize>(
    packed: &[u8],
    dictionary: &[V],
    out: &mut [MaybeUninit<V>],
) -> Option<usize> {
    let groups = (out.len() / 8).min(packed.len().saturating_sub(8) / WIDTH);
    let last = dictionary.len().wrapping_sub(1);
    for (group, slots) in out.chunks_exact_mut(8).take(groups).enumerate() {
        let window = &packed[group * WIDTH..group * WIDTH + WINDOW];
        let indexes: [usize; 8] = std::array::from_fn(|i| {
            let byte = i * WIDTH / 8;
            let word = u64::from_le_bytes(window[byte..byte + 8].try_into().expect("8 bytes"));
            (word >> (i * WIDTH % 8)) as usize & ((1 << WIDTH) - 1)
        });
        // One test for eight values, of the sign: the largest of them would be found by branches that
        // nobody predicts.
        let beyond = indexes.iter().fold(0, |signs, &index| signs | last.wrapping_sub(index));
        if (beyond as isize) < 0 {
            return None;
        }
        for (slot, index) in slots.iter_mut().zip(indexes) {
            // SAFETY: all eight indexes are below the length, as just tested.
            slot.write(*unsafe { dictionary.get_unchecked(index) });
        }
    }
    Some(groups * 8)
}

/// Number `i` of the numbers of `width` bits (64 at most) in `packed`.
#[inline]
fn unpack(packed: &[u8], i: usize, width: u32) -> Option<u64> {
    if width == 0 {
        return Some(0);
    }
    let bit = i.checked_mul(width as usize)?;
    let shift = bit % 8;
    let bytes = packed.get(bit / 8..)?;
    let mask = u64::MAX >> (64 - width);
    if let (Some(word), true) = (bytes.first_chunk(), shift + width as usize <= 64) {
        return Some(u64::from_le_bytes(*word) >> shift & mask);
    }
    let needed = (shift + width as usize).div_ceil(8);
    let mut word = [0; 16];
    word[..needed].copy_from_slice(bytes.get(..needed)?);
    let word = u128::from_le_bytes(word) >> shift;
    Some(word as u64 & mask)
}

/// The head of [`delta`]: small blocks in a block, values in a small block, values in all.
fn delta_shape(bytes: &mut &[u8]) -> Option<[usize; 3]> {
    let mut next = || usize::try_from(varint(bytes)?).ok();
    let [block, minis, total] = [next()?, next()?, next()?];
    let mini = block.checked_div(minis)?;
    let is_sound = mini > 0 && mini.is_multiple_of(8) && block.is_multiple_of(minis);
    is_sound.then_some([minis, mini, total])
}

/// Differences, bit-packed in blocks with a smallest one each.
pub(super) fn delta<P: Plain, V>(
    mut bytes: &[u8],
    out: &mut [MaybeUninit<V>],
    convert: impl Fn(P) -> V,
) -> Option<()> {
    let [minis, mini, total] = delta_shape(&mut bytes)?;
    let mut last = zigzag(varint(&mut bytes)?);
    if !P::IS_WHOLE || total < out.len() || minis > bytes.len() {
        return None;
    }
    let Some((first, mut rest)) = out.split_first_mut() else { return Some(()) };
    first.write(convert(P::of(last)));
    while !rest.is_empty() {
        let smallest = zigzag(varint(&mut bytes)?);
        let (widths, after) = bytes.split_at_checked(minis)?;
        bytes = after;
        for &width in widths {
            if rest.is_empty() {
                // The widths of blocks that are not there may be anything.
                break;
            }
            let count = mini.min(rest.len());
            let (slots, after) = std::mem::take(&mut rest).split_at_mut(count);
            rest = after;
            // Writers may leave out the last block's padding.
            let packed = bytes.len().min((mini / 8).checked_mul(usize::from(width))?);
            let (packed, after) = bytes.split_at(packed);
            bytes = after;
            last = differences(packed, u32::from(width), [last, smallest], slots, &convert)?;
        }
    }
    Some(())
}

/// One small block; gives its last value.
fn differences<P: Plain, V>(
    packed: &[u8],
    width: u32,
    [mut last, smallest]: [i64; 2],
    out: &mut [MaybeUninit<V>],
    convert: &impl Fn(P) -> V,
) -> Option<i64> {
    if width > 64 {
        return None;
    }
    for (i, slot) in out.iter_mut().enumerate() {
        // A width of 0 is a steady step: the loop is then an addition a value.
        let more = if width == 0 { 0 } else { unpack(packed, i, width)? };
        last = last.wrapping_add(smallest).wrapping_add(more as i64);
        slot.write(convert(P::of(last)));
    }
    Some(last)
}
