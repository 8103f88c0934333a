//! Rolling kernels and indicators over slices; feature sets declared as data.

/// placeholder
#[derive(Debug, thiserror::Error)]
#[error("x")]
pub struct FeatureError;
