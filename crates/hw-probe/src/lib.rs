//! What this machine is, and its ceilings: memory, latency, compute, storage.
//!
//! [`machine`] describes the machine in milliseconds. [`probe`] measures it and gives a
//! [`ProbeReport`], which prints as a table and is the document `redline.probe/1` as JSON.
//! [`Ceilings`] are the few figures that other programs hold themselves against.
//!
//! ```
//! let ceilings = hw_probe::Ceilings { read_gb_per_s: Some(50.0), ..Default::default() };
//! // A program that read 10 GB in 400 ms reached half of what this memory gives.
//! let attained = ceilings.roofline(10e9, 0.0, 0.4).unwrap();
//! assert_eq!(attained.of_ceiling_percent.round(), 50.0);
//! ```
//!
//! [`probe`] walks through the sections in `probe/`; what it calls is measured elsewhere:
//!
//! | section | file | what is timed |
//! |---|---|---|
//! | machine | `machine.rs`, `sys/` | nothing: files of the system are read |
//! | memory | `memory.rs`, `kernels/stream.rs` | streams, pinned and first touched, verified |
//! | latency | `latency.rs`, `kernels/chase.rs` | dependent loads, alone and loaded; core to core |
//! | compute | `compute.rs`, `gemm.rs`, `kernels/fma.rs` | FMA chains, matrix products, single operations |
//! | storage | `storage/` | transfers past the page cache and through it |
//! | noise | `watch.rs` | what others did meanwhile; disturbed measurements are made again |

mod arrays;
mod cache;
pub mod cases;
mod ceilings;
mod compute;
mod dtype;
mod error;
pub mod gemm;
mod kernels;
mod latency;
mod machine;
mod measure;
mod memory;
mod options;
mod pictures;
mod placement;
mod plan;
mod probe;
mod random;
mod report;
mod staircase;
mod storage;
mod sys;
mod team;
mod watch;

pub use cache::{CachedCeilings, CeilingsCache};
pub use ceilings::{Attained, Ceilings, Roof};
pub use dtype::Dtype;
pub use error::ProbeError;
pub use machine::{Cache, Limits, Machine, Theoretical, machine};
pub use memory::{Kernel, Stores};
pub use options::{ProbeOptions, Progress, Section};
pub use probe::probe;
pub use report::display::in_threads;
pub use report::{
    CacheSeen, ComputeRow, CoreToCoreRow, LatencyRow, LoadedLatencyRow, MemoryRow, Noise,
    Percentiles, ProbeReport, Rates, Rule, SCHEMA, ScalarRow, StorageRow, Unavailable,
};
