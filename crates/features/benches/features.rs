//! Kernels beside their naive variants, and the built-in sets, over a year of minutes.

#[path = "../tests/common/walk.rs"]
mod walk;

use bench_kit::{Criterion, Throughput, black_box, criterion_group, criterion_main, sizes};
use features::{
    Bar, ComputeOptions, FeatureSet, Panel, Stream, compute, compute_into, registry, rolling,
};
use market_data::{Bars, BarsView};
use walk::Walk;

/// Bars of a seeded random walk.
fn bars(rows: usize) -> Bars {
    let walk = Walk { price: 10_000.0, step: 0.002, reach: 0.0004, minutes: 1 };
    walk.bars(rows, 0x9e37_79b9_7f4a_7c15)
}

type Naive = fn(&[f64], &mut [f64]);

const WINDOW: usize = 20;

fn windows(x: &[f64], out: &mut [f64], of: impl Fn(&[f64]) -> f64) {
    for (out, rows) in out[WINDOW - 1..].iter_mut().zip(x.windows(WINDOW)) {
        *out = of(rows);
    }
}

fn mean(x: &[f64]) -> f64 {
    x.iter().sum::<f64>() / x.len() as f64
}

/// Indicator, parameters, and the same by its definition, for a single input.
const KERNELS: [(&str, &[f64], Naive); 6] = [
    ("sma", &[20.0], |x, out| windows(x, out, mean)),
    ("stddev", &[20.0], |x, out| {
        windows(x, out, |rows| {
            let m = mean(rows);
            mean(&rows.iter().map(|v| (v - m) * (v - m)).collect::<Vec<_>>()).sqrt()
        });
    }),
    ("max", &[20.0], |x, out| windows(x, out, |r| r.iter().copied().fold(f64::MIN, f64::max))),
    ("median", &[20.0], |x, out| {
        windows(x, out, |rows| {
            let mut sorted = rows.to_vec();
            sorted.sort_by(f64::total_cmp);
            (sorted[WINDOW / 2 - 1] + sorted[WINDOW / 2]) / 2.0
        });
    }),
    ("wma", &[20.0], |x, out| {
        windows(x, out, |r| {
            r.iter().enumerate().map(|(i, v)| (i + 1) as f64 * v).sum::<f64>() / 210.0
        });
    }),
    ("ema", &[20.0], |x, out| {
        let mut y = mean(&x[..WINDOW]);
        out[WINDOW - 1] = y;
        for i in WINDOW..x.len() {
            y += (x[i] - y) * (2.0 / 21.0);
            out[i] = y;
        }
    }),
];

fn kernels(c: &mut Criterion) {
    let bars = bars(sizes::minute_year());
    let (mut fast, mut plain) = (vec![0.0; bars.len()], vec![0.0; bars.len()]);
    for (name, params, naive) in KERNELS {
        let indicator = registry::find(name).expect("a name of the registry");
        indicator.compute(&[&bars.close], params, &mut [&mut fast]).expect("enough rows");
        naive(&bars.close, &mut plain);
        for (a, b) in fast.iter().zip(&plain).skip(WINDOW) {
            assert!((a - b).abs() <= 1e-9 * b.abs().max(1.0), "{name}: {a} instead of {b}");
        }
        let mut group = c.benchmark_group(format!("features/{name}"));
        group.throughput(Throughput::Elements(bars.len() as u64));
        group.bench_function("20", |b| {
            b.iter(|| indicator.compute(&[&bars.close], params, &mut [&mut fast]));
        });
        group.bench_function("20-naive", |b| b.iter(|| naive(&bars.close, &mut plain)));
        group.finish();
    }
}

/// A statistic of few rows, called again and again, as a scan over many symbols does.
fn days(c: &mut Criterion) {
    let bars = bars(1440);
    let mut out = vec![0.0; bars.len()];
    let mut group = c.benchmark_group("features/rolling");
    group.throughput(Throughput::Elements(bars.len() as u64));
    group.bench_function("mean-of-a-day", |b| b.iter(|| mean_of(&bars.close, &mut out)));
    group.bench_function("mean-of-a-day-naive", |b| {
        b.iter(|| windows(black_box(&bars.close), &mut out, mean));
    });
    group.finish();
}

fn mean_of(close: &[f64], out: &mut [f64]) {
    rolling::mean(black_box(close), WINDOW, out).expect("a window that fits");
}

fn sets(c: &mut Criterion) {
    let bars = bars(sizes::minute_year());
    for name in FeatureSet::BUILT_IN {
        let set = FeatureSet::built_in(name).expect("a built-in set");
        let mut group = c.benchmark_group(format!("features/{name}"));
        group.throughput(Throughput::Elements(bars.len() as u64));
        let one = compute(&set, bars.view(), &ComputeOptions { threads: 1, progress: None })
            .expect("enough rows");
        for threads in [1, 2] {
            let options = ComputeOptions { threads, progress: None };
            let mut table = one.clone();
            compute_into(&set, bars.view(), &options, &mut table).expect("the same shape");
            for (a, b) in one.columns.iter().zip(&table.columns) {
                assert!(a.iter().zip(b).all(|(a, b)| a.to_bits() == b.to_bits()));
            }
            group.bench_function(format!("{threads}-threads"), |b| {
                b.iter(|| compute_into(&set, bars.view(), &options, &mut table));
            });
        }
        group.finish();
    }
}

/// Symbols of a market, of which each has a bar a minute.
const SYMBOLS: usize = 500;

/// `classic` of a row of bars: all symbols at once, and one stream after the other.
fn panel(c: &mut Criterion) {
    let (set, bars) = (FeatureSet::classic(), bars(64 * SYMBOLS));
    let rows: Vec<BarsView<'_>> =
        (0..64).map(|row| bars.view().slice(row * SYMBOLS..(row + 1) * SYMBOLS)).collect();
    let mut panel = Panel::new(&set, SYMBOLS);
    let mut streams: Vec<Stream> = (0..SYMBOLS).map(|_| Stream::new(&set)).collect();
    for row in &rows {
        panel.update(*row).expect("a bar per symbol");
        for (s, stream) in streams.iter_mut().enumerate() {
            let alone = stream.update(&Bar::at(*row, s));
            for (k, value) in alone.iter().enumerate() {
                assert!(value.to_bits() == panel.column(k)[s].to_bits() || value.is_nan());
            }
        }
    }
    let mut group = c.benchmark_group("features/panel");
    group.throughput(Throughput::Elements(SYMBOLS as u64));
    let mut next = (0..rows.len()).cycle();
    group.bench_function("500-symbols", |b| {
        b.iter(|| panel.update(rows[next.next().unwrap_or(0)]));
    });
    group.bench_function("500-symbols-naive", |b| {
        b.iter(|| {
            let row = rows[next.next().unwrap_or(0)];
            for (s, stream) in streams.iter_mut().enumerate() {
                black_box(stream.update(&Bar::at(row, s)));
            }
        });
    });
    group.finish();
}

criterion_group! {
    name = benches;
    config = bench_kit::criterion("features");
    targets = kernels, days, sets, panel
}
criterion_main!(benches);
