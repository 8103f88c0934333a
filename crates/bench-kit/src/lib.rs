//! The one place that knows the measuring crates: criterion, pprof, dhat.
//!
//! A bench file in a crate is a short list of cases:
//!
//! ```no_run
//! use bench_kit::{Criterion, Throughput, criterion_group, criterion_main, sizes};
//!
//! fn sums(c: &mut Criterion) {
//!     let values = vec![1.0; sizes::minute_year()];
//!     let mut group = c.benchmark_group("example/sum");
//!     group.throughput(Throughput::Elements(values.len() as u64));
//!     group.bench_function("iterator", |b| b.iter(|| values.iter().sum::<f64>()));
//!     group.finish();
//! }
//!
//! criterion_group! { name = benches; config = bench_kit::criterion("example"); targets = sums }
//! criterion_main!(benches);
//! ```
//!
//! `cargo bench -p CRATE -- --profile-time 5 CASE` writes a flamegraph to `profiles/CRATE/CASE/`.
//! A heap test is a file of its own in `tests/` that starts with [`heap!`](crate::heap!).

#[doc(hidden)]
pub use dhat;

pub use criterion::{
    BatchSize, BenchmarkId, Criterion, SamplingMode, Throughput, criterion_group, criterion_main,
};
pub use std::hint::black_box;

pub mod heap;
#[cfg(unix)]
mod profiler;
pub mod sizes;

use std::time::Duration;

/// The one criterion configuration: 20 samples over 2 seconds after half a second of warm-up, and
/// under `--profile-time` a flamegraph in `profiles/<krate>/<case>/`.
#[must_use]
pub fn criterion(krate: &'static str) -> Criterion {
    let criterion = Criterion::default()
        .sample_size(20)
        .warm_up_time(Duration::from_millis(500))
        .measurement_time(Duration::from_secs(2));
    #[cfg(unix)]
    let criterion = criterion.with_profiler(profiler::Flamegraphs::new(krate));
    #[cfg(not(unix))]
    let _ = krate;
    criterion
}
