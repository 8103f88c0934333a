//! The page decoders against the parquet crate's own reader, over what real writers write.

/// SplitMix64, for tests.
pub(crate) struct Random(pub(crate) u64);

impl Random {
    pub(crate) fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let z = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }
}

use std::path::Path;
use std::sync::Arc;

use arrow_array::{ArrayRef, Float32Array, Float64Array, Int64Array, RecordBatch};
use parquet::arrow::ArrowWriter;
use parquet::basic::{Compression, Encoding, ZstdLevel};
use parquet::file::properties::{WriterProperties, WriterPropertiesBuilder, WriterVersion};

use super::{ParquetFile, Span};
use crate::Bars;
use crate::parquet::schema::Reading;

const ROWS: usize = 30_000;

/// Times with a few long steps, prices in cents, a steady price, a volume; some missing.
fn batch() -> RecordBatch {
    let mut random = Random(7);
    let mut time = 1_704_067_200_000_i64;
    let times: Vec<i64> = (0..ROWS)
        .map(|_| {
            time += if random.next().is_multiple_of(50) { 600_000 } else { 60_000 };
            time
        })
        .collect();
    let cents = |random: &mut Random, range: u64| (random.next() % range) as f64 / 100.0 + 1.0;
    let open: Vec<f64> = (0..ROWS).map(|_| cents(&mut random, 7_000)).collect();
    let high: Vec<Option<f64>> = (0..ROWS)
        .map(|row| (!(row / 37).is_multiple_of(5)).then(|| cents(&mut random, 300)))
        .collect();
    let low = vec![0.5; ROWS];
    let close: Vec<f32> = (0..ROWS).map(|_| cents(&mut random, 1 << 40) as f32).collect();
    let volume: Vec<i64> = (0..ROWS).map(|_| random.next() as i64 >> 20).collect();
    let columns: [(&str, ArrayRef); 6] = [
        ("ts", Arc::new(Int64Array::from(times))),
        ("Open", Arc::new(Float64Array::from(open))),
        ("h", Arc::new(Float64Array::from(high))),
        ("LOW", Arc::new(Float64Array::from(low))),
        ("Adj Close", Arc::new(Float32Array::from(close))),
        ("volume", Arc::new(Int64Array::from(volume))),
    ];
    RecordBatch::try_from_iter(columns).unwrap()
}

fn write(path: &Path, properties: WriterProperties) {
    let batch = batch();
    let file = std::fs::File::create(path).unwrap();
    let mut writer = ArrowWriter::try_new(file, batch.schema(), Some(properties)).unwrap();
    writer.write(&batch).unwrap();
    writer.close().unwrap();
}

fn open(path: &Path) -> ParquetFile {
    let file = std::fs::File::open(path).unwrap();
    let bytes = file.metadata().unwrap().len();
    ParquetFile::open(path, file, bytes, &crate::LoadOptions::default()).unwrap()
}

fn bits(values: &[f64]) -> Vec<u64> {
    values.iter().map(|value| value.to_bits()).collect()
}

type With = fn(WriterPropertiesBuilder) -> WriterPropertiesBuilder;

/// The ways to write a file that the decoders tell apart.
const WRITERS: [With; 10] = [
    |with| with,
    |with| with.set_compression(Compression::SNAPPY),
    |with| with.set_compression(Compression::ZSTD(ZstdLevel::default())),
    |with| with.set_compression(Compression::LZ4_RAW),
    |with| with.set_compression(Compression::LZ4),
    |with| with.set_dictionary_enabled(false).set_compression(Compression::SNAPPY),
    |with| with.set_writer_version(WriterVersion::PARQUET_2_0),
    |with| {
        let with = with.set_writer_version(WriterVersion::PARQUET_2_0);
        with.set_dictionary_enabled(false).set_compression(Compression::SNAPPY)
    },
    |with| with.set_dictionary_enabled(false).set_encoding(Encoding::BYTE_STREAM_SPLIT),
    |with| with.set_dictionary_page_size_limit(9_000).set_data_page_row_count_limit(700),
];

/// The batch as writer `number` writes it, in three groups of rows.
fn written(folder: &Path, number: usize) -> ParquetFile {
    let path = folder.join(format!("{number}.parquet"));
    let properties = WriterProperties::builder().set_max_row_group_row_count(Some(12_345));
    write(&path, WRITERS[number](properties).build());
    open(&path)
}

#[test]
fn every_page_decodes_as_the_general_reader_decodes_it() {
    let folder = tempfile::tempdir().unwrap();
    for number in 0..WRITERS.len() {
        let mut file = written(folder.path(), number);
        let spans = file.all();
        assert_eq!(spans.len(), 3);
        let ours = file.read([true; 6], &spans, Bars::default()).unwrap();
        assert_eq!(ours.timestamp[0], 1_704_067_260_000_000_000);
        assert_eq!(bits(&ours.low), vec![0.5_f64.to_bits(); ROWS]);
        let missing = ours.high.iter().filter(|v| v.is_nan()).count();
        assert!(missing > 0 && missing < ROWS);
        // The same through the parquet crate alone.
        file.only_general = true;
        let general = file.read([true; 6], &spans, Bars::default()).unwrap();
        let columns = |bars: &Bars| {
            let prices = [&bars.open, &bars.high, &bars.low, &bars.close, &bars.volume];
            (bars.timestamp.clone(), prices.map(|v| bits(v)))
        };
        assert_eq!(columns(&ours), columns(&general), "writer {number}");
        assert!(matches!(file.layout[0].unwrap().reading, Reading::Time(Some(1_000_000))));
    }
}

#[test]
fn parts_of_groups_none_and_one_row_are_parts_of_the_whole() {
    let folder = tempfile::tempdir().unwrap();
    for number in 0..WRITERS.len() {
        let file = written(folder.path(), number);
        let whole = file.read([true; 6], &file.all(), Bars::default()).unwrap();
        assert_eq!(whole.len(), ROWS);
        let rows = [12_000..12_345, 0..0, 5_309..5_310];
        let parts: Vec<Span> =
            rows.into_iter().enumerate().map(|(group, rows)| Span { group, rows }).collect();
        let part =
            file.read([true, true, true, false, true, true], &parts, Bars::default()).unwrap();
        let expected = |column: &[f64]| {
            [bits(&column[12_000..12_345]), bits(&column[24_690 + 5_309..24_690 + 5_310])].concat()
        };
        assert_eq!(bits(&part.high), expected(&whole.high));
        assert_eq!(bits(&part.close), expected(&whole.close));
        assert_eq!(part.timestamp[344], whole.timestamp[12_344]);
        assert!(part.low.is_empty());
    }
}

#[test]
fn cut_and_flipped_files_are_errors_or_bars_but_no_panic() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("bars.parquet");
    let properties = WriterProperties::builder()
        .set_compression(Compression::SNAPPY)
        .set_max_row_group_row_count(Some(20_000));
    write(&path, properties.build());
    let whole = std::fs::read(&path).unwrap();
    let mut random = Random(3);
    let options = crate::LoadOptions::default();
    for _ in 0..400 {
        let at = random.next() as usize % whole.len();
        std::fs::write(&path, &whole[..at]).unwrap();
        let error = crate::load(&path, &options).unwrap_err().to_string();
        assert!(error.contains("bars.parquet"), "{error}");
        let mut wrong = whole.clone();
        // The footer, whose bytes steer everything, as often as the pages.
        let at = if random.next().is_multiple_of(2) { at } else { whole.len() - 1 - at % 3_000 };
        wrong[at] ^= 1 << (random.next() % 8);
        std::fs::write(&path, &wrong).unwrap();
        let _ = crate::load(&path, &options);
    }
}
