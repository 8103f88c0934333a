//! Size, write time and read time of ways to write bars as Parquet: the table in `save`'s module.
//!
//! ```sh
//! formats [FILE] [REPEATS]
//! ```
//!
//! Without a file 2.5 million made bars are taken. Times are the best of the repeats.

use std::path::Path;
use std::sync::Arc;
use std::time::Instant;

use arrow_array::{ArrayRef, Float64Array, RecordBatch, TimestampNanosecondArray};
use market_data::{Bars, LoadOptions, SynthOptions, load, load_into, synth};
use parquet::arrow::ArrowWriter;
use parquet::basic::{Compression, Encoding, ZstdLevel};
use parquet::file::properties::{WriterProperties, WriterPropertiesBuilder};

type Failure = Box<dyn std::error::Error>;

const VALUES: [&str; 5] = ["open", "high", "low", "close", "volume"];

fn main() -> Result<(), Failure> {
    let mut arguments = std::env::args().skip(1);
    let bars = match arguments.next() {
        Some(file) => load(Path::new(&file), &LoadOptions::default())?,
        None => synth(&SynthOptions { bars: 2_500_000, ..SynthOptions::default() }),
    };
    let repeats = arguments.next().map_or(Ok(5), |text| text.parse())?;
    let batch = batch(&bars)?;
    let folder = tempfile::tempdir()?;
    let path = folder.path().join("bars.parquet");
    println!("| way | MB | write ms | read ms |\n|---|---|---|---|");
    for (name, properties) in ways() {
        let mut best = [f64::INFINITY; 2];
        let mut again = Bars::default();
        for _ in 0..repeats {
            let started = Instant::now();
            let file = std::fs::File::create(&path)?;
            let mut writer = ArrowWriter::try_new(file, batch.schema(), Some(properties.clone()))?;
            writer.write(&batch)?;
            writer.close()?;
            best[0] = best[0].min(started.elapsed().as_secs_f64() * 1e3);
            let started = Instant::now();
            load_into(&path, &LoadOptions::default(), &mut again)?;
            best[1] = best[1].min(started.elapsed().as_secs_f64() * 1e3);
        }
        assert_eq!(again, bars, "{name}");
        let size = std::fs::metadata(&path)?.len() as f64 / 1e6;
        println!("| {name} | {size:.1} | {:.0} | {:.1} |", best[0], best[1]);
    }
    Ok(())
}

fn batch(bars: &Bars) -> Result<RecordBatch, Failure> {
    let time = TimestampNanosecondArray::from(bars.timestamp.clone()).with_timezone("UTC");
    let value = |values: &Vec<f64>| Arc::new(Float64Array::from(values.clone())) as ArrayRef;
    let columns = [&bars.open, &bars.high, &bars.low, &bars.close, &bars.volume].map(value);
    let columns = std::iter::once(Arc::new(time) as ArrayRef).chain(columns);
    let names = std::iter::once("timestamp").chain(VALUES);
    Ok(RecordBatch::try_from_iter(names.zip(columns))?)
}

fn ways() -> Vec<(String, WriterProperties)> {
    let plain = || WriterProperties::builder().set_dictionary_enabled(false);
    let delta = |builder: WriterPropertiesBuilder| {
        builder
            .set_column_dictionary_enabled("timestamp".into(), false)
            .set_column_encoding("timestamp".into(), Encoding::DELTA_BINARY_PACKED)
    };
    let dictionary = || delta(WriterProperties::builder().set_dictionary_enabled(true));
    let split = VALUES.iter().fold(delta(plain()), |builder, &name| {
        builder.set_column_encoding(name.into(), Encoding::BYTE_STREAM_SPLIT)
    });
    let prices = dictionary().set_column_dictionary_enabled("volume".into(), false);
    let rows =
        |builder: WriterPropertiesBuilder, rows| builder.set_max_row_group_row_count(Some(rows));
    let ways = [
        ("plain", plain()),
        ("plain, delta times", delta(plain())),
        ("dictionary everywhere", WriterProperties::builder()),
        ("dictionary, delta times", dictionary()),
        ("dictionary for prices, delta times", prices.clone()),
        ("the same, groups of 128 Ki rows", rows(prices.clone(), 1 << 17)),
        ("the same, groups of 512 Ki rows", rows(prices, 1 << 19)),
        ("byte-stream split, delta times", split),
    ];
    let codecs = [
        ("snappy", Compression::SNAPPY),
        ("zstd", Compression::ZSTD(ZstdLevel::default())),
        ("none", Compression::UNCOMPRESSED),
    ];
    let with = |(codec, compression): (&str, Compression)| {
        ways.clone().map(|(way, builder)| {
            (format!("{codec}, {way}"), builder.set_compression(compression).build())
        })
    };
    codecs.into_iter().flat_map(with).collect()
}
