//! Loading and saving 100 MB of columns; what the cache and a map answer at once.

use bench_kit::{Criterion, Throughput, criterion_group, criterion_main, sizes};
use market_data::{
    Columns, Compression, DataCache, LoadOptions, SaveOptions, SynthOptions, load, load_into, save,
    synth,
};

fn files(c: &mut Criterion) {
    let bars = synth(&SynthOptions { bars: sizes::load_rows(), ..SynthOptions::default() });
    let folder = tempfile::tempdir().expect("a folder for temporary files");
    for (name, file, compression) in [
        ("parquet_snappy", "bars.parquet", Compression::Snappy),
        ("parquet_none", "bars.plain.parquet", Compression::None),
        ("csv", "bars.csv", Compression::None),
        ("arrow", "bars.arrow", Compression::None),
    ] {
        let path = folder.path().join(file);
        let options = SaveOptions { compression };
        let mut group = c.benchmark_group(format!("market-data/{name}"));
        group.throughput(Throughput::Bytes(bars.bytes() as u64)).sample_size(10);
        group.bench_function("save", |b| {
            b.iter(|| save(&path, bars.view(), &options).expect("a file"));
        });
        save(&path, bars.view(), &options).expect("a file");
        let read = || load(&path, &LoadOptions::default()).expect("bars");
        assert_eq!(read(), bars);
        group.bench_function("load", |b| b.iter(read));
        let mut again = read();
        group.bench_function("load_into", |b| {
            b.iter(|| load_into(&path, &LoadOptions::default(), &mut again).expect("bars"));
        });
        let close = LoadOptions { columns: Columns::CLOSE, ..LoadOptions::default() };
        group.throughput(Throughput::Bytes(16 * bars.len() as u64));
        group.bench_function("load_close", |b| b.iter(|| load(&path, &close).expect("bars")));
        group.finish();
    }
}

/// A year of minutes that is there already.
fn at_once(c: &mut Criterion) {
    let bars = synth(&SynthOptions { bars: 525_600, ..SynthOptions::default() });
    let folder = tempfile::tempdir().expect("a folder for temporary files");
    let path = folder.path().join("year.arrow");
    save(&path, bars.view(), &SaveOptions::default()).expect("a file");
    let mut group = c.benchmark_group("market-data/at_once");
    let cache = DataCache::new(1 << 30);
    let options = LoadOptions::default();
    group.bench_function("cache_hit", |b| b.iter(|| cache.load(&path, &options).expect("bars")));
    #[cfg(unix)]
    group.bench_function("open_mapped", |b| {
        b.iter(|| market_data::MappedBars::open(&path).expect("bars"));
    });
    group.finish();
}

criterion_group! {
    name = benches;
    config = bench_kit::criterion("market-data");
    targets = files, at_once
}
criterion_main!(benches);
