//! Page headers: Thrift's compact protocol, as far as pages need it.
//!
//! The parquet crate reads them too, but only one after the other with the pages' bytes; knowing
//! where all pages of a chunk lie before any is decoded is what lets them decode side by side.

/// What a page holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Data,
    Dictionary,
    /// Data, version 2: the levels lie uncompressed before the values.
    DataV2 {
        levels_bytes: usize,
        is_compressed: bool,
    },
    /// A page of another kind, to be skipped.
    Other,
}

/// A page as its header describes it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct PageHeader {
    pub(super) kind: Kind,
    pub(super) uncompressed_bytes: usize,
    pub(super) compressed_bytes: usize,
    /// Rows, nulls included.
    pub(super) values: usize,
    /// The number of the encoding in the format's table.
    pub(super) encoding: i64,
}

/// The encodings of the format that pages are decoded from here.
pub(super) const PLAIN: i64 = 0;
pub(super) const PLAIN_DICTIONARY: i64 = 2;
pub(super) const DELTA_BINARY_PACKED: i64 = 5;
pub(super) const RLE_DICTIONARY: i64 = 8;

/// The header at the start of `bytes` and its length; `None` where there is none, or it is cut.
pub(super) fn parse(bytes: &[u8]) -> Option<(PageHeader, usize)> {
    let mut reader = Compact { bytes, at: 0 };
    let mut fields = Fields::default();
    let mut id = 0;
    while let Some((next, kind)) = reader.field(id)? {
        id = next;
        match (id, kind) {
            (1..=3, I32) => fields.sizes[id as usize - 1] = Some(reader.integer()?),
            (5 | 7 | 8, STRUCT) => reader.numbers(&mut fields.numbers)?,
            _ => reader.skip(kind, 0)?,
        }
    }
    Some((fields.header()?, reader.at))
}

/// What was found so far: type and sizes, then the numbers of the page's own header by their id.
#[derive(Default)]
struct Fields {
    sizes: [Option<i64>; 3],
    numbers: [Option<i64>; 8],
}

impl Fields {
    fn header(&self) -> Option<PageHeader> {
        let size = |value: Option<i64>| usize::try_from(value?).ok();
        let [_, values, second, _, fourth, definition, repetition, compressed] = self.numbers;
        let (kind, values, encoding) = match self.sizes[0]? {
            0 => (Kind::Data, size(values)?, second?),
            2 => (Kind::Dictionary, size(values)?, second?),
            3 => {
                let levels_bytes = size(definition)?.checked_add(size(repetition)?)?;
                let kind = Kind::DataV2 { levels_bytes, is_compressed: compressed != Some(0) };
                (kind, size(values)?, fourth?)
            }
            _ => (Kind::Other, 0, 0),
        };
        let (uncompressed_bytes, compressed_bytes) = (size(self.sizes[1])?, size(self.sizes[2])?);
        Some(PageHeader { kind, uncompressed_bytes, compressed_bytes, values, encoding })
    }
}

// The protocol's type numbers.
const TRUE: u8 = 1;
const FALSE: u8 = 2;
const BYTE: u8 = 3;
const I16: u8 = 4;
const I32: u8 = 5;
const I64: u8 = 6;
const DOUBLE: u8 = 7;
const BINARY: u8 = 8;
const LIST: u8 = 9;
const SET: u8 = 10;
const STRUCT: u8 = 12;

/// Structs and lists within structs and lists; the format's own go four deep.
const DEPTH_MAX: u32 = 16;

struct Compact<'a> {
    bytes: &'a [u8],
    at: usize,
}

impl Compact<'_> {
    fn byte(&mut self) -> Option<u8> {
        let byte = *self.bytes.get(self.at)?;
        self.at += 1;
        Some(byte)
    }

    fn varint(&mut self) -> Option<u64> {
        let mut value = 0;
        for shift in (0..64).step_by(7) {
            let byte = self.byte()?;
            value |= u64::from(byte & 0x7f) << shift;
            if byte < 0x80 {
                return Some(value);
            }
        }
        None
    }

    fn integer(&mut self) -> Option<i64> {
        self.varint().map(super::decode::zigzag)
    }

    /// Id and type of the next field of a struct; `Some(None)` at its end.
    fn field(&mut self, last: i64) -> Option<Option<(i64, u8)>> {
        let byte = self.byte()?;
        if byte == 0 {
            return Some(None);
        }
        let id = match byte >> 4 {
            0 => self.integer()?,
            delta => last.checked_add(i64::from(delta))?,
        };
        Some(Some((id, byte & 0x0f)))
    }

    /// Integers and flags of a struct with ids 1 to 7.
    fn numbers(&mut self, found: &mut [Option<i64>; 8]) -> Option<()> {
        let mut id = 0;
        while let Some((next, kind)) = self.field(id)? {
            id = next;
            match (id, kind) {
                (1..=7, I32) => found[id as usize] = Some(self.integer()?),
                (1..=7, TRUE) => found[id as usize] = Some(1),
                (1..=7, FALSE) => found[id as usize] = Some(0),
                _ => self.skip(kind, 0)?,
            }
        }
        Some(())
    }

    fn skip(&mut self, kind: u8, depth: u32) -> Option<()> {
        if depth > DEPTH_MAX {
            return None;
        }
        match kind {
            TRUE | FALSE => Some(()),
            BYTE => self.skip_bytes(1),
            I16 | I32 | I64 => self.varint().map(drop),
            DOUBLE => self.skip_bytes(8),
            BINARY => {
                let length = self.varint()?;
                self.skip_bytes(usize::try_from(length).ok()?)
            }
            LIST | SET => self.skip_list(depth + 1),
            STRUCT => self.skip_struct(depth + 1),
            _ => None,
        }
    }

    fn skip_list(&mut self, depth: u32) -> Option<()> {
        let byte = self.byte()?;
        let length = match byte >> 4 {
            15 => self.varint()?,
            short => u64::from(short),
        };
        for _ in 0..length {
            // A flag within a list takes a byte.
            match byte & 0x0f {
                TRUE | FALSE => self.skip_bytes(1)?,
                element => self.skip(element, depth)?,
            }
        }
        Some(())
    }

    fn skip_struct(&mut self, depth: u32) -> Option<()> {
        let mut id = 0;
        while let Some((next, kind)) = self.field(id)? {
            id = next;
            self.skip(kind, depth)?;
        }
        Some(())
    }

    fn skip_bytes(&mut self, bytes: usize) -> Option<()> {
        self.at = self.at.checked_add(bytes).filter(|&at| at <= self.bytes.len())?;
        Some(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Type 0, sizes 64 and 32, a data header of 7 values, encoding 8, then the end.
    const DATA: [u8; 16] = [
        0x15, 0x00, 0x15, 0x80, 0x01, 0x15, 0x40, 0x2c, 0x15, 0x0e, 0x15, 0x10, 0x15, 0x06, 0x00,
        0x00,
    ];

    #[test]
    fn a_data_page() {
        let header = PageHeader {
            kind: Kind::Data,
            uncompressed_bytes: 64,
            compressed_bytes: 32,
            values: 7,
            encoding: RLE_DICTIONARY,
        };
        assert_eq!(parse(&DATA), Some((header, DATA.len())));
    }

    #[test]
    fn cut_and_wild_headers_are_none() {
        for end in 0..DATA.len() {
            assert_eq!(parse(&DATA[..end]), None);
        }
        assert_eq!(parse(&[0xff; 64]), None);
        // Lists within lists without end.
        assert_eq!(parse(&[0x19; 64]), None);
    }
}
