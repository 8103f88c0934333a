//! OHLCV columns: load, save, validate, synthesise, cache.
//!
//! [`Bars`] owns six columns, [`BarsView`] borrows them; everything else in the workspace takes
//! views or plain slices.
//!
//! ```
//! use market_data::{LoadOptions, SaveOptions, SynthOptions, load, save, synth};
//!
//! let folder = tempfile::tempdir()?;
//! let path = folder.path().join("day.parquet");
//! let bars = synth(&SynthOptions::default());
//! save(&path, bars.view(), &SaveOptions::default())?;
//! assert_eq!(load(&path, &LoadOptions::default())?, bars);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

pub mod atomic;
mod bars;
mod cache;
mod chart;
mod chunks;
mod column;
mod columns;
mod csv;
mod error;
mod expand;
mod inspect;
mod ipc;
mod load;
#[cfg(unix)]
mod mapped;
mod parquet;
mod save;
mod slots;
mod synth;
mod sys;
pub mod table;
mod universe;
mod validate;

pub use bars::{Bars, BarsView};
pub use cache::{CacheStats, DataCache};
pub use chart::Chart;
pub use chunks::{BatchWriter, CHUNK_ROWS, Chunks};
pub use column::EpochUnit;
pub use columns::Columns;
pub use error::DataError;
pub use inspect::{Inspection, inspect};
pub use load::{LoadOptions, load, load_into};
#[cfg(unix)]
pub use mapped::MappedBars;
pub use save::{Compression, SaveOptions, save, synth_to};
pub use synth::{Synth, SynthOptions, synth};
pub use sys::ask_for_large_pages;
pub use universe::Universe;
pub use validate::{Defect, Policy, defects};
