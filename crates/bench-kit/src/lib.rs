//! The one place that knows the measuring crates: criterion, dhat, valgrind's formats.
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
//! `cargo bench -p CRATE -- --profile-time 5 CASE` writes a profile to `profiles/CRATE/CASE/`, of
//! the processor's time or, with `BENCH_KIT_PROFILE=heap`, of the heap. A heap test is a file of
//! its own in `tests/` that starts with [`heap!`](crate::heap!).
//!
//! Without the feature `harness`, only [`profile`] remains: a program that profiles itself carries
//! no bench harness.

#[cfg(feature = "harness")]
mod clock;
#[cfg(feature = "harness")]
mod harness;
#[cfg(feature = "harness")]
pub mod heap;
pub mod profile;
pub mod sizes;

#[cfg(feature = "harness")]
#[doc(hidden)]
pub use {criterion as criterion_crate, dhat};

#[cfg(feature = "harness")]
pub use {
    clock::Clock,
    criterion::{BatchSize, BenchmarkId, SamplingMode, Throughput, criterion_group},
    harness::{Criterion, criterion, environment},
};

pub use std::hint::black_box;
