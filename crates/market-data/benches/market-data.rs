//! Loading and saving 100 MB of columns.

use bench_kit::{Criterion, Throughput, criterion_group, criterion_main, sizes};
use market_data::{Compression, LoadOptions, SaveOptions, SynthOptions, load, save, synth};

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
        group.finish();
    }
}

criterion_group! {
    name = benches;
    config = bench_kit::criterion("market-data");
    targets = files
}
criterion_main!(benches);
