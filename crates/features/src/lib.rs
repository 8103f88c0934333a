//! Rolling kernels and indicators over slices; feature sets declared as data.

mod compute;
mod engine;
mod error;
pub mod indicator;
mod kernel;
pub mod registry;
pub mod rolling;
mod set;
mod stream;
mod sys;

pub use compute::{ComputeOptions, FeatureTable, compute, compute_into};
pub use error::FeatureError;
pub use registry::{Column, Indicator, Param};
pub use set::FeatureSet;
pub use stream::{Bar, SavedStream, Stream};
