//! Features of bars that come span by span.

use features::registry::{self, Column, Indicator};
use features::{FeatureError, FeatureSet, Stream};
use market_data::BarsView;

use super::cross::Operand;
use super::expression::{Arithmetic, combine};
use super::feature::{Feature, Side, price};

/// Features that one computation gives, of bars that come span by span: the same bits as
/// [`super::FeatureColumns`] gives, however the bars are cut.
#[derive(Debug)]
pub struct FeatureStream {
    node: Node,
}

#[derive(Debug)]
enum Node {
    Price(Column),
    Indicator(Box<Computed>),
    Shift { of: Input, line: Vec<f64> },
    Arithmetic { operator: Arithmetic, sides: Box<[Term; 2]> },
}

#[derive(Debug)]
struct Computed {
    of: &'static Indicator,
    stream: Stream,
    inputs: Vec<Input>,
    /// The places of the outputs that are wanted, in order.
    wanted: Vec<usize>,
    /// Spans of the outputs that are not.
    spare: Vec<f64>,
}

#[derive(Debug)]
enum Term {
    Level(f64),
    Series(Input),
}

/// What a feature reads: a column of the bars, which is not copied, or the span of another feature.
#[derive(Debug)]
enum Input {
    Price(Column),
    Feature { stream: Box<FeatureStream>, span: Vec<f64> },
}

impl Input {
    fn starting_at(feature: &Feature, bar: usize) -> Result<Self, FeatureError> {
        Ok(match feature {
            Feature::Price(column) if *column != Column::Day => Self::Price(*column),
            other => {
                let stream = FeatureStream::starting_at(std::slice::from_ref(other), bar)?;
                Self::Feature { stream: Box::new(stream), span: Vec::new() }
            }
        })
    }

    fn reach(&self) -> Option<usize> {
        match self {
            Self::Price(_) => Some(0),
            Self::Feature { stream, .. } => stream.reach(),
        }
    }

    fn extend<'s>(&'s mut self, bars: BarsView<'s>) -> Result<&'s [f64], FeatureError> {
        match self {
            Self::Price(column) => Ok(price(bars, *column).unwrap_or(bars.close)),
            Self::Feature { stream, span } => {
                span.resize(bars.len(), 0.0);
                stream.extend(bars, &mut [span.as_mut_slice()])?;
                Ok(span)
            }
        }
    }
}

impl FeatureStream {
    /// The state before the first bar. `features` are outputs of one indicator call, in order, or
    /// one feature of another kind.
    ///
    /// # Errors
    /// [`FeatureError`] where an indicator is unknown or a parameter is out of range.
    ///
    /// # Panics
    /// Without features.
    pub fn new(features: &[Feature]) -> Result<Self, FeatureError> {
        Self::starting_at(features, 0)
    }

    /// As [`FeatureStream::new`], before bar number `bar`, to which no bar before it has come: from
    /// [`FeatureStream::reach`] bars later on the values are those of a stream that has seen all.
    ///
    /// # Errors
    /// As [`FeatureStream::new`].
    ///
    /// # Panics
    /// Without features.
    pub fn starting_at(features: &[Feature], bar: usize) -> Result<Self, FeatureError> {
        let input = |feature: &Feature| Input::starting_at(feature, bar);
        let node = match &features[0] {
            Feature::Price(column) => Node::Price(*column),
            Feature::Shift { of, bars } => {
                Node::Shift { of: input(of)?, line: vec![f64::NAN; *bars] }
            }
            Feature::Arithmetic { operator, sides } => {
                let term = |side: &Side| match side {
                    Side::Level(number) => Ok(Term::Level(number.0)),
                    Side::Series(feature) => input(feature).map(Term::Series),
                };
                let [left, right] = &**sides;
                Node::Arithmetic {
                    operator: *operator,
                    sides: Box::new([term(left)?, term(right)?]),
                }
            }
            Feature::Indicator { call, .. } => {
                let of = registry::get(call.indicator)?;
                let set = FeatureSet::single(of, &call.params())?;
                let place = |feature: &Feature| match feature {
                    Feature::Indicator { output, .. } => *output,
                    _ => 0,
                };
                Node::Indicator(Box::new(Computed {
                    of,
                    stream: Stream::starting_at(&set, bar),
                    inputs: call.inputs.iter().map(input).collect::<Result<_, _>>()?,
                    wanted: features.iter().map(place).collect(),
                    spare: Vec::new(),
                }))
            }
        };
        Ok(Self { node })
    }

    /// How many bars before a bar decide the values there; `None` where all do.
    #[must_use]
    pub fn reach(&self) -> Option<usize> {
        match &self.node {
            Node::Price(_) => Some(0),
            Node::Indicator(computed) => {
                let inputs = furthest(computed.inputs.iter().map(Input::reach))?;
                Some(computed.stream.reach()? + inputs)
            }
            Node::Shift { of, line } => Some(of.reach()? + line.len()),
            Node::Arithmetic { sides, .. } => furthest(sides.iter().map(Term::reach)),
        }
    }

    /// Takes the next bars and writes the features' values, one slice per feature.
    ///
    /// # Errors
    /// [`FeatureError::UnequalLengths`] for columns that are not as long as the bars.
    pub fn extend(
        &mut self,
        bars: BarsView<'_>,
        columns: &mut [&mut [f64]],
    ) -> Result<(), FeatureError> {
        match &mut self.node {
            Node::Price(column) => match price(bars, *column) {
                Some(values) => columns[0].copy_from_slice(values),
                None => super::columns::days(bars.timestamp, columns[0]),
            },
            Node::Indicator(computed) => computed.extend(bars, columns)?,
            Node::Shift { of, line } => delay(line, of.extend(bars)?, columns[0]),
            Node::Arithmetic { operator, sides } => {
                let [left, right] = &mut **sides;
                combine(*operator, left.extend(bars)?, right.extend(bars)?, columns[0]);
            }
        }
        Ok(())
    }
}

/// The greatest of some reaches; `None` where one of them is all bars.
pub(super) fn furthest(reaches: impl IntoIterator<Item = Option<usize>>) -> Option<usize> {
    reaches.into_iter().try_fold(0, |furthest, reach| Some(furthest.max(reach?)))
}

impl Term {
    fn reach(&self) -> Option<usize> {
        match self {
            Self::Level(_) => Some(0),
            Self::Series(input) => input.reach(),
        }
    }

    fn extend<'s>(&'s mut self, bars: BarsView<'s>) -> Result<Operand<'s>, FeatureError> {
        match self {
            Self::Level(level) => Ok(Operand::Level(*level)),
            Self::Series(input) => input.extend(bars).map(Operand::Column),
        }
    }
}

impl Computed {
    /// The indicator reads columns of bars by name: its inputs take their places.
    fn extend(
        &mut self,
        bars: BarsView<'_>,
        columns: &mut [&mut [f64]],
    ) -> Result<(), FeatureError> {
        let Self { of, stream, inputs, wanted, spare } = self;
        let mut view = bars;
        for (declared, input) in of.inputs.iter().zip(inputs) {
            let span = input.extend(bars)?;
            match declared {
                Column::Open => view.open = span,
                Column::High => view.high = span,
                Column::Low => view.low = span,
                Column::Close => view.close = span,
                Column::Volume => view.volume = span,
                // The day is always the bars' own.
                _ => {}
            }
        }
        let outputs = of.outputs.len();
        spare.resize((outputs - wanted.len()) * bars.len(), 0.0);
        let mut spare = spare.chunks_mut(bars.len().max(1));
        let mut columns = columns.iter_mut();
        let mut all: Vec<&mut [f64]> = Vec::with_capacity(outputs);
        for output in 0..outputs {
            if wanted.contains(&output) {
                all.extend(columns.next().map(|column| &mut **column));
            } else {
                all.extend(spare.next());
            }
        }
        stream.extend(view, &mut all)
    }
}

/// Writes `span` to `out` behind what `line` holds, and leaves what is to come in `line`.
fn delay(line: &mut [f64], span: &[f64], out: &mut [f64]) {
    let (bars, lag) = (span.len(), line.len());
    if bars >= lag {
        out[..lag].copy_from_slice(line);
        out[lag..].copy_from_slice(&span[..bars - lag]);
        line.copy_from_slice(&span[bars - lag..]);
    } else {
        out.copy_from_slice(&line[..bars]);
        line.copy_within(bars.., 0);
        line[lag - bars..].copy_from_slice(span);
    }
}

#[cfg(test)]
mod tests {
    use market_data::{SynthOptions, synth};

    use super::*;
    use crate::strategy::{FeatureColumns, Strategy, parse};

    #[test]
    fn spans_of_any_length_give_the_bits_of_whole_columns() {
        let bars = synth(&SynthOptions { bars: 3_000, ..SynthOptions::default() });
        let text = r#"
            entry = "sma(rsi(close, 14), 5) > macd(open).signal and macd(open).macd < 1"
            exit = "shift(bbands((high + low) / 2, 20, 2).lower, 100) > vwap(high, low, close, volume)"
            short_entry = "sma(close * 2 - open, 9) < atr(30) / shift(atr(30), 3)"
        "#;
        let strategy = parse(text, "t", "t").unwrap();
        let mut features = strategy.features(&[]);
        features.sort();
        let columns = FeatureColumns::compute(bars.view(), features.clone()).unwrap();
        for together in features.chunk_by(Feature::comes_with) {
            let mut stream = FeatureStream::new(together).unwrap();
            let mut out = vec![vec![0.0; bars.len()]; together.len()];
            let mut from = 0;
            for length in [1, 7, 500, 64, 99, 100, 101].into_iter().cycle() {
                let to = (from + length).min(bars.len());
                let mut spans: Vec<&mut [f64]> = out.iter_mut().map(|c| &mut c[from..to]).collect();
                stream.extend(bars.view().slice(from..to), &mut spans).unwrap();
                from = to;
                if from == bars.len() {
                    break;
                }
            }
            for (feature, column) in together.iter().zip(&out) {
                let bits = |column: &[f64]| column.iter().map(|v| v.to_bits()).collect::<Vec<_>>();
                assert!(bits(column) == bits(columns.get(feature)), "{feature}");
            }
        }
    }
}
