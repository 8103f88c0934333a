//! The ceilings of this machine, case by case; then the summary table, `probe.json` and the
//! pictures.

use std::path::{Path, PathBuf};
use std::time::Duration;

use bench_kit::{BenchmarkId, Criterion, Throughput, criterion_group, criterion_main, sizes};
use hw_probe::cases::{self, ChaseCase, FmaCase, StreamArrays, StreamCase};
use hw_probe::gemm::{self, Backend, Element};
use hw_probe::{Kernel, ProbeOptions, Stores};
use ndarray::Array2;

fn threads() -> Vec<usize> {
    let all = hw_probe::machine().threads;
    if all > 1 { vec![1, all] } else { vec![1] }
}

const KERNELS: [Kernel; 6] =
    [Kernel::Read, Kernel::Write, Kernel::Copy, Kernel::Scale, Kernel::Add, Kernel::Triad];

fn asked(name: &str) -> bool {
    std::env::args().any(|argument| argument == name)
}

/// Beyond the caches of `threads` cores and within the memory that is free, as the probe has it; small where
/// nothing is measured.
fn array_bytes(threads: usize) -> usize {
    const SMALL: usize = 1 << 20;
    if sizes::measures() { cases::array_bytes(threads, asked("--quick")) } else { SMALL }
}

/// `hw-probe/memory/triad/2-threads`: past the caches where the processor can; ordinary stores
/// where they are the only ones, and for `write`.
fn memory(c: &mut Criterion) {
    for threads in threads() {
        // A system that refuses the memory has no such cases.
        let Ok(arrays) = StreamArrays::new(&KERNELS, threads, array_bytes(threads)) else {
            continue;
        };
        for kernel in KERNELS {
            for &stores in Stores::of(kernel) {
                let better = stores != Stores::Regular || Stores::of(kernel).len() == 1;
                if better || kernel == Kernel::Write {
                    stream(c, &arrays.case(kernel, stores), kernel, stores, threads);
                }
            }
        }
    }
}

fn stream(
    c: &mut Criterion,
    case: &StreamCase<'_>,
    kernel: Kernel,
    stores: Stores,
    threads: usize,
) {
    let way = if stores == Stores::Library { "-library" } else { "" };
    let mut group = c.benchmark_group(format!("hw-probe/memory/{}{way}", kernel.name(stores)));
    assert!(case.verify(), "{kernel:?} {stores:?}: wrong values");
    group.throughput(Throughput::Bytes(case.bytes()));
    group.bench_function(format!("{threads}-threads"), |b| b.iter_custom(|calls| case.run(calls)));
    group.finish();
}

fn latency(c: &mut Criterion) {
    let mut group = c.benchmark_group("hw-probe/latency");
    for (name, bytes) in [("16-KiB", 16 << 10), ("1-MiB", 1 << 20), ("main", array_bytes(1))] {
        for (pages, huge) in [("ordinary-pages", false), ("huge-pages", true)] {
            let Ok(mut case) = ChaseCase::new(bytes, huge) else { continue };
            group.bench_function(BenchmarkId::new(name, pages), |b| {
                b.iter_custom(|loads| case.run(loads));
            });
        }
    }
    group.finish();
}

fn fma(c: &mut Criterion) {
    type Make = fn(usize) -> Option<FmaCase>;
    for (dtype, make) in [("f64", FmaCase::f64 as Make), ("f32", FmaCase::f32)] {
        let mut group = c.benchmark_group(format!("hw-probe/compute/fma-{dtype}"));
        for threads in threads() {
            let Some(case) = make(threads) else { continue };
            assert!(case.verify(), "FMA {dtype}: wrong values");
            group.throughput(Throughput::Elements(case.flops()));
            group.bench_function(format!("{threads}-threads"), |b| {
                b.iter_custom(|calls| case.run(calls));
            });
        }
        group.finish();
    }
}

fn products(c: &mut Criterion) {
    for &backend in Backend::ALL {
        product::<f64>(c, backend);
        product::<f32>(c, backend);
    }
}

fn product<T: Element>(c: &mut Criterion, backend: Backend) {
    let name = format!("hw-probe/compute/gemm-{}-{}", T::DTYPE, backend.name());
    let mut group = c.benchmark_group(name);
    for n in [256, sizes::matrix()] {
        let (a, b) = (gemm::filled::<T>(n, 1), gemm::filled::<T>(n, 2));
        let mut c = Array2::from_elem((n, n), T::of(0.0));
        let all = hw_probe::machine().threads;
        T::product(backend, all, a.view(), b.view(), &mut c);
        assert!(gemm::verify(&a, &b, &c), "GEMM {n}: wrong values");
        group.throughput(Throughput::Elements(2 * (n as u64).pow(3)));
        group.bench_function(format!("{n}"), |bench| {
            bench.iter(|| T::product(backend, all, a.view(), b.view(), &mut c));
        });
    }
    group.finish();
}

/// The whole probe once, as `redline probe` makes it: the table and the files that keep it.
fn summary(_: &mut Criterion) {
    if !asked("--bench") || asked("--test") || asked("--list") || asked("--profile-time") {
        return;
    }
    let options = ProbeOptions { quick: asked("--quick"), ..ProbeOptions::default() };
    let report = hw_probe::probe(&options, &mut ());
    println!("\n{report}");
    match keep(&report, &folder()) {
        Ok(paths) => paths.iter().for_each(|path| println!("{}", path.display())),
        Err(error) => eprintln!("not written: {error}"),
    }
}

/// `profiles/hw-probe` of the workspace.
fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../profiles/hw-probe")
}

fn keep(
    report: &hw_probe::ProbeReport,
    dir: &Path,
) -> Result<Vec<PathBuf>, Box<dyn std::error::Error>> {
    std::fs::create_dir_all(dir)?;
    let dir = dir.canonicalize()?;
    let mut paths = vec![report.write_json(&dir.join("probe.json"))?];
    paths.extend(report.write_pictures(&dir)?);
    if let Some(cache) = hw_probe::CeilingsCache::of_user() {
        paths.push(cache.store(report)?);
    }
    Ok(paths)
}

/// Fewer and shorter samples than the house's own: a case here is one long call, and there are
/// many. Of a tenth of the resamples, as drawing all of them takes longer than measuring.
fn config() -> Criterion {
    bench_kit::criterion("hw-probe")
        .sample_size(10)
        .nresamples(10_000)
        .warm_up_time(Duration::from_millis(100))
        .measurement_time(Duration::from_secs(1))
}

criterion_group! {
    name = benches;
    config = config();
    targets = memory, latency, fma, products, summary
}
criterion_main!(benches);
