//! The types of element whose operations are counted.

use std::fmt::{self, Display, Formatter};

use serde::{Deserialize, Serialize};

/// A type of floating-point number; `f32` or `f64` in documents and tables.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Dtype {
    /// Four bytes, IEEE 754's `binary32`.
    F32,
    /// Eight bytes, IEEE 754's `binary64`.
    F64,
}

impl Display for Dtype {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::F32 => "f32",
            Self::F64 => "f64",
        })
    }
}
