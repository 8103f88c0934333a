//! Features kept from one evaluation to the next.
//!
//! A sampler that learns asks for eight points, is told their scores, and asks again: over a year of
//! minutes, computing eight points' features costs as much as their trials. Whole columns, computed
//! over all bars, serve every range of them, because no feature looks ahead.

use std::ops::Range;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Instant;

use backtest::strategy::Feature;

use super::Evaluator;
use super::column::Column;
use crate::{Evaluate, Evaluation, OptimizerError, Progress};

/// Bytes that kept columns may take together: 61 of a year of minutes.
const CACHE_BYTES: usize = 256 << 20;

/// An [`Evaluator`] that keeps the columns of features, the latest used up to 256 MiB of them. The
/// same trials to the last bit.
pub struct Cached<'a> {
    evaluator: Evaluator<'a>,
    /// The latest used last.
    kept: Mutex<Vec<(Feature, Arc<Column>)>>,
}

impl<'a> Cached<'a> {
    pub(super) fn new(evaluator: Evaluator<'a>) -> Self {
        Self { evaluator, kept: Mutex::new(Vec::new()) }
    }

    /// Columns that fit.
    fn room(&self) -> usize {
        CACHE_BYTES / size_of::<f64>() / self.evaluator.bars.len().max(1)
    }

    /// A column over all bars for each of `features`, which are sorted; the missing are computed.
    fn columns(&self, features: &[Feature]) -> Result<Vec<Arc<Column>>, OptimizerError> {
        // A thread that panicked left whole columns behind, or none.
        let mut kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        let is_kept = |feature: &&Feature| kept.iter().any(|(other, _)| other == *feature);
        let missing: Vec<Feature> =
            features.iter().filter(|feature| !is_kept(feature)).cloned().collect();
        let computed = Column::whole(&missing, self.evaluator.bars)?;
        kept.extend(missing.into_iter().zip(computed));
        let is_used = |(feature, _): &(Feature, _)| features.binary_search(feature).is_ok();
        let (mut used, mut others): (Vec<_>, Vec<_>) = kept.drain(..).partition(is_used);
        used.sort_unstable_by(|a, b| a.0.cmp(&b.0));
        let columns = used.iter().map(|(_, column)| Arc::clone(column)).collect();
        let excess = (others.len() + used.len()).saturating_sub(self.room());
        others.drain(..excess.min(others.len()));
        kept.append(&mut others);
        kept.append(&mut used);
        Ok(columns)
    }
}

impl Evaluate for Cached<'_> {
    fn bars(&self) -> usize {
        self.evaluator.bars()
    }

    fn evaluate(
        &self,
        points: &[Vec<f64>],
        range: Range<usize>,
        progress: Progress<'_>,
    ) -> Result<Evaluation, OptimizerError> {
        self.evaluator.pool()?.install(|| {
            let plan = self.evaluator.plan(points, range)?;
            let fits = plan.features.len() <= self.room();
            let started = Instant::now();
            let columns = if fits { Some(self.columns(&plan.features)?) } else { None };
            let columns_ns = started.elapsed().as_nanos() as u64;
            let done = self.evaluator.run(&plan, points, columns.as_deref(), progress)?;
            Ok(Evaluation { features_ns: done.features_ns + columns_ns, ..done })
        })
    }
}
