//! OHLCV columns: load, save, validate, synthesise.

mod bars;

pub use bars::{Bars, BarsView};
