//! The columns of features, each computed once.

use std::borrow::Cow;

use features::FeatureError;
use features::registry::{self, Column, Indicator};
use market_data::BarsView;
use rayon::prelude::*;

use super::cross::Operand;
use super::expression::{Arithmetic, combine};
use super::feature::{Feature, Side, price};

/// The columns of any number of features, each distinct one computed once, and so is what they
/// read in turn. Columns of the bars are borrowed.
#[derive(Debug, Clone)]
pub struct FeatureColumns<'a> {
    /// Sorted by depth, then by the order of features.
    features: Vec<(usize, Feature)>,
    columns: Vec<Cow<'a, [f64]>>,
}

/// One computation of [`FeatureColumns::compute_with`]: some columns from others.
pub struct Job<'j> {
    rule: Rule<'j>,
    bars: usize,
    /// A column per output.
    outputs: Vec<Vec<f64>>,
}

enum Rule<'j> {
    /// The number of the day.
    Day(&'j [i64]),
    Indicator {
        of: &'static Indicator,
        inputs: Vec<&'j [f64]>,
        params: Vec<f64>,
    },
    Shift {
        of: &'j [f64],
        bars: usize,
    },
    Arithmetic {
        operator: Arithmetic,
        sides: [Operand<'j>; 2],
    },
}

const DAY_NS: i64 = 86_400_000_000_000;

/// The numbers of the days of `timestamps`.
pub(super) fn days(timestamps: &[i64], out: &mut [f64]) {
    let days = timestamps.iter().map(|time| time.div_euclid(DAY_NS) as f64);
    out.iter_mut().zip(days).for_each(|(out, day)| *out = day);
}

impl Job<'_> {
    /// Computes the columns.
    ///
    /// # Errors
    /// As [`Feature::compute`].
    pub fn run(&mut self) -> Result<(), FeatureError> {
        let count = if let Rule::Indicator { of, .. } = &self.rule { of.outputs.len() } else { 1 };
        self.outputs = vec![vec![0.0; self.bars]; count];
        match &self.rule {
            Rule::Day(timestamps) => {
                days(timestamps, &mut self.outputs[0]);
            }
            Rule::Indicator { of, inputs, params } => {
                let mut outputs: Vec<&mut [f64]> =
                    self.outputs.iter_mut().map(Vec::as_mut_slice).collect();
                of.compute(inputs, params, &mut outputs)?;
            }
            Rule::Shift { of, bars } => {
                let bars = (*bars).min(self.bars);
                self.outputs[0][..bars].fill(f64::NAN);
                self.outputs[0][bars..].copy_from_slice(&of[..self.bars - bars]);
            }
            Rule::Arithmetic { operator, sides } => {
                combine(*operator, sides[0], sides[1], &mut self.outputs[0]);
            }
        }
        Ok(())
    }
}

impl<'a> FeatureColumns<'a> {
    /// Computes `wanted` over `bars`, on all threads.
    ///
    /// # Errors
    /// As [`Feature::compute`].
    pub fn compute(
        bars: BarsView<'a>,
        wanted: impl IntoIterator<Item = Feature>,
    ) -> Result<Self, FeatureError> {
        /// Fewer bars are done before another thread has woken up.
        const WORTH_A_THREAD: usize = 1 << 14;
        Self::compute_with(bars, wanted, |jobs| {
            if bars.len() < WORTH_A_THREAD {
                return jobs.iter_mut().try_for_each(Job::run);
            }
            // In the order of the jobs: the first error is the same on any number of threads.
            jobs.par_iter_mut().map(Job::run).collect::<Vec<_>>().into_iter().collect()
        })
    }

    /// As [`FeatureColumns::compute`], where `run` is given independent jobs to run, in any order
    /// and on any thread.
    ///
    /// # Errors
    /// What `run` returns, and as [`Feature::compute`].
    pub fn compute_with<E: From<FeatureError>>(
        bars: BarsView<'a>,
        wanted: impl IntoIterator<Item = Feature>,
        run: impl Fn(&mut [Job<'_>]) -> Result<(), E>,
    ) -> Result<Self, E> {
        let features = closure(wanted);
        features.iter().try_for_each(|(_, feature)| feature.check(bars.len()))?;
        let mut known = Self { features: Vec::new(), columns: Vec::new() };
        for layer in features.chunk_by(|a, b| a.0 == b.0) {
            let columns = known.layer(bars, layer, &run)?;
            known.features.extend_from_slice(layer);
            known.columns.extend(columns);
        }
        Ok(known)
    }

    /// The column of a feature that was wanted.
    ///
    /// # Panics
    /// When it was not.
    #[must_use]
    pub fn get(&self, feature: &Feature) -> &[f64] {
        let depth = feature.depth();
        let place = self
            .features
            .binary_search_by(|(at, known)| at.cmp(&depth).then_with(|| known.cmp(feature)));
        match place {
            Ok(at) => &self.columns[at],
            Err(_) => panic!("{feature} was not computed"),
        }
    }

    /// The columns of features that read only what is known.
    fn layer<E: From<FeatureError>>(
        &self,
        bars: BarsView<'a>,
        layer: &[(usize, Feature)],
        run: impl Fn(&mut [Job<'_>]) -> Result<(), E>,
    ) -> Result<Vec<Cow<'a, [f64]>>, E> {
        let together: Vec<_> = layer.chunk_by(|a, b| a.1.comes_with(&b.1)).collect();
        let mut jobs = Vec::new();
        for features in &together {
            jobs.extend(self.job(bars, &features[0].1)?);
        }
        run(&mut jobs)?;
        let mut jobs = jobs.into_iter();
        let mut columns = Vec::with_capacity(layer.len());
        for features in together {
            match &features[0].1 {
                Feature::Price(column) if let Some(price) = price(bars, *column) => {
                    columns.push(Cow::Borrowed(price));
                }
                _ => {
                    let mut outputs = jobs.next().map_or_else(Vec::new, |job| job.outputs);
                    let place = |feature: &Feature| match feature {
                        Feature::Indicator { output, .. } => *output,
                        _ => 0,
                    };
                    let taken = features.iter().map(|(_, feature)| place(feature));
                    columns.extend(taken.map(|at| Cow::Owned(std::mem::take(&mut outputs[at]))));
                }
            }
        }
        Ok(columns)
    }

    /// What computes `feature`; nothing does for a column of the bars.
    fn job<'j>(
        &'j self,
        bars: BarsView<'j>,
        feature: &Feature,
    ) -> Result<Option<Job<'j>>, FeatureError> {
        let rule = match feature {
            Feature::Price(Column::Day) => Rule::Day(bars.timestamp),
            Feature::Price(_) => return Ok(None),
            Feature::Indicator { call, .. } => Rule::Indicator {
                of: registry::get(call.indicator)?,
                inputs: call.inputs.iter().map(|input| self.get(input)).collect(),
                params: call.params(),
            },
            Feature::Shift { of, bars } => Rule::Shift { of: self.get(of), bars: *bars },
            Feature::Arithmetic { operator, sides } => Rule::Arithmetic {
                operator: *operator,
                sides: sides.each_ref().map(|side| match side {
                    Side::Level(number) => Operand::Level(number.0),
                    Side::Series(feature) => Operand::Column(self.get(feature)),
                }),
            },
        };
        Ok(Some(Job { rule, bars: bars.len(), outputs: Vec::new() }))
    }
}

/// The distinct features of `wanted` and all they read, what is read before what reads it.
fn closure(wanted: impl IntoIterator<Item = Feature>) -> Vec<(usize, Feature)> {
    let mut open: Vec<Feature> = wanted.into_iter().collect();
    let mut all = Vec::new();
    while let Some(feature) = open.pop() {
        open.extend(feature.inputs().into_iter().cloned());
        all.push((feature.depth(), feature));
    }
    all.sort_unstable();
    all.dedup();
    all
}

#[cfg(test)]
mod tests {
    use market_data::{Bars, SynthOptions, synth};

    use super::*;
    use crate::strategy::feature::{Call, Number};

    fn bars() -> Bars {
        synth(&SynthOptions { bars: 3_000, ..SynthOptions::default() })
    }

    fn direct(name: &str, inputs: &[&[f64]], params: &[f64]) -> Vec<Vec<f64>> {
        let indicator = registry::get(name).unwrap();
        let mut outputs = vec![vec![0.0; inputs[0].len()]; indicator.outputs.len()];
        let mut slices: Vec<&mut [f64]> = outputs.iter_mut().map(Vec::as_mut_slice).collect();
        indicator.compute(inputs, params, &mut slices).unwrap();
        outputs
    }

    fn bits(column: &[f64]) -> Vec<u64> {
        column.iter().map(|value| value.to_bits()).collect()
    }

    #[test]
    fn columns_are_those_of_the_registry() {
        let bars = bars();
        let close = || Feature::Price(Column::Close);
        let rsi = Feature::new("rsi", &[14.0]).unwrap();
        let mean = Feature::Indicator {
            call: Call { indicator: "sma", inputs: vec![rsi.clone()], params: vec![Number(5.0)] },
            output: 0,
        };
        let params = vec![Number(20.0), Number(2.0)];
        let call = Call { indicator: "bbands", inputs: vec![close()], params };
        let [upper, lower] = [0, 2].map(|output| Feature::Indicator { call: call.clone(), output });
        let wanted = [&mean, &upper, &lower].map(Clone::clone);
        let columns = FeatureColumns::compute(bars.view(), wanted.clone()).unwrap();
        let expected_rsi = &direct("rsi", &[&bars.close], &[14.0])[0];
        let bands = direct("bbands", &[&bars.close], &[20.0, 2.0]);
        assert_eq!(bits(columns.get(&rsi)), bits(expected_rsi), "what is read is there as well");
        assert_eq!(bits(columns.get(&mean)), bits(&direct("sma", &[expected_rsi], &[5.0])[0]));
        assert_eq!(bits(columns.get(&upper)), bits(&bands[0]));
        assert_eq!(bits(columns.get(&lower)), bits(&bands[2]));
        for feature in wanted {
            let mut out = vec![0.0; bars.len()];
            feature.compute(bars.view(), &mut out).unwrap();
            assert_eq!(bits(&out), bits(columns.get(&feature)), "{feature}");
        }
    }

    #[test]
    fn shifts_arithmetic_and_days() {
        let bars = bars();
        let close = || Feature::Price(Column::Close);
        let late = Feature::Shift { of: Box::new(close()), bars: 3 };
        let half = Feature::Arithmetic {
            operator: Arithmetic::Multiply,
            sides: Box::new([Side::Series(close()), Side::Level(Number(0.5))]),
        };
        let vwap = Feature::new("vwap", &[]).unwrap();
        let wanted = [&late, &half, &vwap].map(Clone::clone);
        let columns = FeatureColumns::compute(bars.view(), wanted).unwrap();
        assert_eq!(columns.get(&late)[3..], bars.close[..bars.len() - 3]);
        assert!(columns.get(&late)[..3].iter().all(|value| value.is_nan()));
        assert_eq!(columns.get(&half)[7], bars.close[7] * 0.5);
        assert!(columns.get(&vwap).iter().all(|value| *value > 0.0));
        assert!(std::ptr::eq(columns.get(&close()), bars.close.as_slice()), "prices are borrowed");
    }

    #[test]
    fn each_distinct_computation_is_one_job() {
        let bars = bars();
        let call = |window| Call {
            indicator: "donchian",
            inputs: vec![Feature::Price(Column::High), Feature::Price(Column::Low)],
            params: vec![Number(window)],
        };
        let of = |window, output| Feature::Indicator { call: call(window), output };
        let wanted = [of(20.0, 0), of(20.0, 2), of(20.0, 0), of(30.0, 0)];
        let jobs = std::cell::Cell::new(0);
        let run = |batch: &mut [Job<'_>]| {
            jobs.set(jobs.get() + batch.len());
            batch.iter_mut().try_for_each(Job::run)
        };
        FeatureColumns::compute_with(bars.view(), wanted, run).unwrap();
        assert_eq!(jobs.get(), 2);
    }
}
