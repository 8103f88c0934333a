//! A feature's values.

use std::ops::Range;
use std::sync::Arc;

use backtest::strategy::{Feature, FeatureStream};
use features::FeatureError;
use market_data::BarsView;
use rayon::prelude::*;

/// Values that begin on a cache line, so that no vector of them lies across two.
pub(super) struct Column {
    values: Vec<f64>,
    start: usize,
}

impl Column {
    /// Of `bars` zeros.
    pub(super) fn new(bars: usize) -> Self {
        let line = 64 / size_of::<f64>();
        let values = vec![0.0_f64; bars + line];
        let start = values.as_ptr().align_offset(64).min(line);
        Self { values, start }
    }

    /// Each of `features`, which are sorted, over all of `bars`; in parallel.
    pub(super) fn whole(
        features: &[Feature],
        bars: BarsView<'_>,
    ) -> Result<Vec<Arc<Self>>, FeatureError> {
        let jobs: Vec<&[Feature]> = features.chunk_by(Feature::comes_with).collect();
        let run = |together: &[Feature]| {
            let mut columns: Vec<Self> = together.iter().map(|_| Self::new(bars.len())).collect();
            FeatureStream::new(together)?.extend(bars, &mut Self::all(&mut columns, bars.len()))?;
            Ok(columns.into_iter().map(Arc::new).collect())
        };
        let columns: Result<Vec<Vec<_>>, _> = jobs.into_par_iter().map(run).collect();
        Ok(columns?.into_iter().flatten().collect())
    }

    pub(super) fn slice(&self, bars: Range<usize>) -> &[f64] {
        &self.values[self.start..][bars]
    }

    /// The first `bars` of each, to write to.
    pub(super) fn all(columns: &mut [Self], bars: usize) -> Vec<&mut [f64]> {
        columns.iter_mut().map(|column| &mut column.values[column.start..][..bars]).collect()
    }
}
