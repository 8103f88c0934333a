//! One column of one row group: its pages found, then decoded side by side into the final column.

use std::cell::RefCell;
use std::mem::MaybeUninit;
use std::ops::Range;
use std::sync::Arc;

use parquet::basic::Compression as Codec;
use parquet::file::metadata::ColumnChunkMetaData;
use rayon::prelude::*;

use super::decode::{self, Plain, Run, Runs, Word};
use super::header::{self, Kind, PageHeader};
use super::snappy;
use super::source::Source;
use crate::slots::Slots;

/// A column chunk of a flat column.
#[derive(Clone, Copy)]
pub(super) struct Chunk<'a> {
    pub(super) source: &'a Arc<Source>,
    pub(super) meta: &'a ColumnChunkMetaData,
    /// Rows of the row group.
    pub(super) rows: usize,
    pub(super) only_general: bool,
}

/// Where the pages of a chunk lie.
pub(super) struct Pages {
    dictionary: Option<Page>,
    data: Vec<Page>,
}

struct Page {
    header: PageHeader,
    /// Place of the first byte after the header.
    start: u64,
    /// Row of its first value within the row group.
    first_row: usize,
}

impl Page {
    fn rows(&self) -> Range<usize> {
        self.first_row..self.first_row + self.header.values
    }
}

/// Headers are some 30 bytes, with statistics some 100.
const HEADER_BYTES: usize = 1 << 9;
/// A header of this size is none.
const HEADER_BYTES_MAX: usize = 1 << 17;

impl Chunk<'_> {
    /// The pages; `None` where one is of a kind that only the general reader decodes.
    pub(super) fn pages(&self) -> Result<Option<Pages>, String> {
        let known = matches!(
            self.meta.compression(),
            Codec::UNCOMPRESSED | Codec::SNAPPY | Codec::ZSTD(_) | Codec::LZ4_RAW
        );
        if !known || self.only_general {
            return Ok(None);
        }
        let mut at = self.bytes()?;
        let mut pages = Pages { dictionary: None, data: Vec::new() };
        let mut rows = 0;
        while rows < self.rows {
            let (header, header_bytes) = self.header(&at)?;
            let start = at.start + header_bytes as u64;
            at.start = start + header.compressed_bytes as u64;
            if at.start > at.end {
                return Err(format!("a page at byte {start} reaches past its column chunk"));
            }
            let page = Page { header, start, first_row: rows };
            match header.kind {
                Kind::Dictionary => pages.dictionary = Some(page),
                Kind::Other => {}
                Kind::Data | Kind::DataV2 { .. } => {
                    if !self.is_decoded_here(&header) {
                        return Ok(None);
                    }
                    rows += header.values;
                    pages.data.push(page);
                }
            }
        }
        if rows == self.rows {
            Ok(Some(pages))
        } else {
            Err(format!("its pages hold {rows} rows, the row group {}", self.rows))
        }
    }

    fn bytes(&self) -> Result<Range<u64>, String> {
        let first = self.meta.dictionary_page_offset().filter(|&offset| offset > 0);
        let start = first.unwrap_or(i64::MAX).min(self.meta.data_page_offset());
        let range = u64::try_from(start)
            .ok()
            .zip(u64::try_from(self.meta.compressed_size()).ok())
            .and_then(|(start, bytes)| Some(start..start.checked_add(bytes)?))
            .filter(|range| range.end <= self.source.bytes);
        range.ok_or_else(|| "a column chunk reaches past the end of the file".to_owned())
    }

    fn header(&self, at: &Range<u64>) -> Result<(PageHeader, usize), String> {
        let left = usize::try_from(at.end - at.start).unwrap_or(usize::MAX);
        let mut buffer = [0; HEADER_BYTES];
        let short = &mut buffer[..left.min(HEADER_BYTES)];
        self.source.read(short, at.start).map_err(|why| why.to_string())?;
        if let Some(found) = header::parse(short) {
            return Ok(found);
        }
        let mut long = vec![0; left.min(HEADER_BYTES_MAX)];
        self.source.read(&mut long, at.start).map_err(|why| why.to_string())?;
        header::parse(&long).ok_or_else(|| format!("no page header at byte {}", at.start))
    }

    fn is_decoded_here(&self, header: &PageHeader) -> bool {
        use parquet::basic::Type::{DOUBLE, FLOAT, INT32, INT64};
        let is_whole = matches!(self.meta.column_type(), INT32 | INT64);
        let is_number = is_whole || matches!(self.meta.column_type(), FLOAT | DOUBLE);
        match header.encoding {
            header::PLAIN | header::RLE_DICTIONARY | header::PLAIN_DICTIONARY => is_number,
            header::DELTA_BINARY_PACKED => is_whole,
            _ => false,
        }
    }

    /// Decodes the rows `wanted` of the row group into `out`, of the same length.
    pub(super) fn decode<P: Plain, V: Word>(
        &self,
        pages: &Pages,
        wanted: &Range<usize>,
        out: &mut [MaybeUninit<V>],
        null: V,
        convert: impl Fn(P) -> V + Copy + Sync,
    ) -> Result<(), String> {
        let dictionary = pages.dictionary.as_ref().map(|page| self.dictionary(page, convert));
        let dictionary = dictionary.transpose()?;
        let mut tasks = Vec::with_capacity(pages.data.len());
        let mut rest = out;
        for page in &pages.data {
            let rows = page.rows();
            let part = rows.start.max(wanted.start)..rows.end.min(wanted.end);
            if part.is_empty() {
                continue;
            }
            let (slots, after) = rest.split_at_mut(part.len());
            rest = after;
            tasks.push((page, part.start - rows.start..part.end - rows.start, slots));
        }
        debug_assert!(rest.is_empty(), "the pages cover the row group");
        tasks.into_par_iter().try_for_each(|(page, part, slots)| {
            self.with_body(page, |levels, bytes| {
                let values = Values { page, bytes, dictionary: dictionary.as_deref(), convert };
                values.decode(levels, part, slots, null)
            })
        })
    }

    fn dictionary<P: Plain, V: Copy>(
        &self,
        page: &Page,
        convert: impl Fn(P) -> V,
    ) -> Result<Vec<V>, String> {
        self.with_body(page, |_, bytes| {
            filled(page.header.values, |out| decode::plain(bytes, out, convert))
        })
    }

    /// Reads and decompresses a page and gives its levels and its values to `work`.
    fn with_body<R>(
        &self,
        page: &Page,
        work: impl FnOnce(&[u8], &[u8]) -> Option<R>,
    ) -> Result<R, String> {
        let damaged = || format!("the page at byte {} is damaged", page.start);
        SCRATCH.with_borrow_mut(|scratch| {
            let bytes = scratch.page(self, page)?;
            let split = match page.header.kind {
                Kind::DataV2 { levels_bytes, .. } => bytes.split_at_checked(levels_bytes),
                Kind::Data if self.is_optional() => {
                    bytes.split_first_chunk().and_then(|(length, rest): (&[u8; 4], _)| {
                        rest.split_at_checked(u32::from_le_bytes(*length) as usize)
                    })
                }
                _ => Some((&[] as &[u8], bytes)),
            };
            let (levels, values) = split.ok_or_else(damaged)?;
            let levels = if self.is_optional() { levels } else { &[] };
            work(levels, values).ok_or_else(damaged)
        })
    }

    fn is_optional(&self) -> bool {
        self.meta.column_descr().max_def_level() > 0
    }
}

/// The values of a page, decompressed.
struct Values<'a, V, C> {
    page: &'a Page,
    bytes: &'a [u8],
    dictionary: Option<&'a [V]>,
    convert: C,
}

impl<V: Word, C> Values<'_, V, C> {
    /// The rows `part` of the page; `null` where the levels say that there is none.
    fn decode<P: Plain>(
        &self,
        levels: &[u8],
        part: Range<usize>,
        out: &mut [MaybeUninit<V>],
        null: V,
    ) -> Option<()>
    where
        C: Fn(P) -> V,
    {
        let rows = self.page.header.values;
        let nulls = if levels.is_empty() { None } else { nulls(levels, rows)? };
        if nulls.is_none() && out.len() == rows {
            return self.dense(out);
        }
        let valid = nulls.as_ref().map_or(rows, |valid| valid.iter().filter(|&&is| is).count());
        let values = filled(valid, |out| self.dense(out))?;
        let Some(valid) = nulls else {
            for (slot, &value) in out.iter_mut().zip(&values[part]) {
                slot.write(value);
            }
            return Some(());
        };
        let before = valid[..part.start].iter().filter(|&&is| is).count();
        let mut values = values[before..].iter();
        for (slot, &is_valid) in out.iter_mut().zip(&valid[part]) {
            slot.write(if is_valid { *values.next()? } else { null });
        }
        Some(())
    }

    fn dense<P: Plain>(&self, out: &mut [MaybeUninit<V>]) -> Option<()>
    where
        C: Fn(P) -> V,
    {
        match self.page.header.encoding {
            header::PLAIN => decode::plain(self.bytes, out, &self.convert),
            header::DELTA_BINARY_PACKED => decode::delta(self.bytes, out, &self.convert),
            _ => decode::dictionary(self.bytes, self.dictionary?, out),
        }
    }
}

/// `len` values written by `fill`.
fn filled<V: Copy>(
    len: usize,
    fill: impl FnOnce(&mut [MaybeUninit<V>]) -> Option<()>,
) -> Option<Vec<V>> {
    let mut slots = Slots::new(len)?;
    fill(slots.open())?;
    // SAFETY: the kernels write every element or give `None`.
    Some(unsafe { slots.written() })
}

/// Which rows have a value; `None` within `Some` where all have.
fn nulls(levels: &[u8], rows: usize) -> Option<Option<Vec<bool>>> {
    let mut runs = Runs { bytes: levels, width: 1 };
    if let Some(Run::Same { value: 1, count }) = runs.next()
        && count >= rows
    {
        return Some(None);
    }
    let mut valid = Vec::with_capacity(rows);
    runs = Runs { bytes: levels, width: 1 };
    while valid.len() < rows {
        let left = rows - valid.len();
        match runs.next()? {
            Run::Same { value, count } => valid.resize(valid.len() + count.min(left), value == 1),
            Run::Packed { bytes, count } => {
                let bit = |i: usize| bytes.get(i / 8).map(|byte| byte >> (i % 8) & 1 == 1);
                for i in 0..count.min(left) {
                    valid.push(bit(i)?);
                }
            }
        }
    }
    let all = valid.iter().all(|&is| is);
    Some((!all).then_some(valid))
}

thread_local! {
    static SCRATCH: RefCell<Scratch> = RefCell::default();
}

/// Buffers of a thread, kept from page to page.
#[derive(Default)]
struct Scratch {
    compressed: Vec<u8>,
    plain: Vec<u8>,
}

/// Buffers beyond this are not kept.
const SCRATCH_BYTES_MAX: usize = 4 << 20;

impl Scratch {
    fn page(&mut self, chunk: &Chunk<'_>, page: &Page) -> Result<&[u8], String> {
        let header = &page.header;
        // A value takes 8 bytes or fewer in every encoding, and its level a bit: what claims far
        // more is a bomb.
        if header.uncompressed_bytes > (chunk.rows.saturating_mul(20)).saturating_add(1 << 16) {
            let claim = header.uncompressed_bytes;
            return Err(format!("the page at byte {} claims {claim} bytes", page.start));
        }
        let compressed = room(&mut self.compressed, header.compressed_bytes);
        chunk.source.read(compressed, page.start).map_err(|why| why.to_string())?;
        let compressed = &*compressed;
        let (levels, is_compressed) = match header.kind {
            Kind::DataV2 { levels_bytes, is_compressed } => (levels_bytes, is_compressed),
            _ => (0, true),
        };
        let codec = chunk.meta.compression();
        if !is_compressed || codec == Codec::UNCOMPRESSED {
            return Ok(compressed);
        }
        if codec == Codec::SNAPPY
            && levels == 0
            && let Some(plain) = snappy::stored(compressed, header.uncompressed_bytes)
        {
            return Ok(plain);
        }
        let plain = room(&mut self.plain, header.uncompressed_bytes);
        decompress(codec, compressed, levels, plain)
            .ok_or_else(|| format!("the page at byte {} does not decompress", page.start))?;
        Ok(plain)
    }
}

/// All but the first `levels` bytes, which are copied.
fn decompress(codec: Codec, from: &[u8], levels: usize, to: &mut [u8]) -> Option<()> {
    let (plain, from) = from.split_at_checked(levels)?;
    let (copied, to) = to.split_at_mut_checked(levels)?;
    copied.copy_from_slice(plain);
    if to.is_empty() {
        return Some(());
    }
    let written = match codec {
        Codec::SNAPPY => return snappy::decompress(from, to),
        Codec::ZSTD(_) => zstd::bulk::decompress_to_buffer(from, to).ok()?,
        _ => lz4_flex::block::decompress_into(from, to).ok()?,
    };
    (written == to.len()).then_some(())
}

/// `bytes` bytes of any value.
fn room(buffer: &mut Vec<u8>, bytes: usize) -> &mut [u8] {
    if buffer.len() > SCRATCH_BYTES_MAX && bytes <= SCRATCH_BYTES_MAX {
        *buffer = Vec::new();
    }
    if buffer.len() < bytes {
        buffer.resize(bytes, 0);
    }
    &mut buffer[..bytes]
}
