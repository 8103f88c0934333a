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
mod chunks;
mod column;
mod csv;
mod error;
mod expand;
mod inspect;
mod ipc;
mod load;
mod parquet;
mod save;
mod slots;
mod synth;
mod sys;
pub mod table;
mod validate;

pub use bars::{Bars, BarsView};
pub use cache::{CacheStats, DataCache};
pub use chunks::{BatchWriter, CHUNK_ROWS, Chunks};
pub use error::DataError;
pub use inspect::{Inspection, inspect};
pub use load::{LoadOptions, load};
pub use save::{Compression, SaveOptions, save};
pub use synth::{SynthOptions, synth};
pub use validate::{Defect, Policy, defects};
