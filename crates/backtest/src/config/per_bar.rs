//! An option that may change from bar to bar.

use std::ops::Range;

/// One value for all bars, or one per bar: a number unless said otherwise.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum PerBar<'a, T = f64> {
    /// The same at every bar.
    Scalar(T),
    /// One value per bar; as many as bars.
    Array(&'a [T]),
}

impl<'a, T: Copy> PerBar<'a, T> {
    /// The values of the bars in `range`.
    pub(super) fn slice(self, range: Range<usize>) -> Self {
        match self {
            Self::Scalar(_) => self,
            Self::Array(values) => Self::Array(&values[range]),
        }
    }

    /// The value at `bar`.
    #[inline]
    #[must_use]
    pub fn at(&self, bar: usize) -> T {
        match self {
            Self::Scalar(value) => *value,
            Self::Array(values) => values[bar],
        }
    }

    /// Whether it is one value for all bars.
    pub(crate) fn is_scalar(&self) -> bool {
        matches!(self, Self::Scalar(_))
    }

    /// All values there are: one, or one per bar.
    pub(super) fn values(&self) -> &[T] {
        match self {
            Self::Scalar(value) => std::slice::from_ref(value),
            Self::Array(values) => values,
        }
    }
}

impl PerBar<'_> {
    /// Whether it is NaN at every bar, which switches a stop off.
    #[must_use]
    pub fn is_off(&self) -> bool {
        self.values().iter().all(|value| value.is_nan())
    }
}

impl<T> From<T> for PerBar<'_, T> {
    fn from(value: T) -> Self {
        Self::Scalar(value)
    }
}

impl<T: Default> Default for PerBar<'_, T> {
    fn default() -> Self {
        Self::Scalar(T::default())
    }
}
