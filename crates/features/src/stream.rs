//! Features of bars as they come: the same bits as the whole columns would give.

use market_data::BarsView;
use serde::{Deserialize, Serialize};

use crate::compute::{Sources, day, run_from};
use crate::engine::MOST_ROWS;
use crate::engine::machine::{Columns, Program, Saved, State};
use crate::engine::reach::CacheReach;
use crate::error::FeatureError;
use crate::registry::{Column, same_length};
use crate::set::FeatureSet;

/// One bar.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Bar {
    /// Start of the bar in nanoseconds since the Unix epoch, UTC.
    pub timestamp: i64,
    /// First price.
    pub open: f64,
    /// Highest price.
    pub high: f64,
    /// Lowest price.
    pub low: f64,
    /// Last price.
    pub close: f64,
    /// Traded quantity.
    pub volume: f64,
}

impl Bar {
    /// Row `row` of `bars`.
    ///
    /// # Panics
    /// Where a column has no such row.
    #[must_use]
    pub fn at(bars: BarsView<'_>, row: usize) -> Self {
        Self {
            timestamp: bars.timestamp[row],
            open: bars.open[row],
            high: bars.high[row],
            low: bars.low[row],
            close: bars.close[row],
            volume: bars.volume[row],
        }
    }
}

/// A feature set that is fed bar by bar, or in pieces of any length.
///
/// It runs the very kernels of [`compute`](crate::compute), a bar on a block of one row, so that the
/// values are bit-identical however the rows are cut. An update takes O(window) at most and
/// allocates nothing but for quantiles, whose window it sorts.
///
/// ```
/// use features::{Bar, FeatureSet, Stream, registry};
///
/// let set = FeatureSet::single(registry::get("sma")?, &[3.0])?;
/// let mut stream = Stream::new(&set);
/// let bar = |close| Bar { timestamp: 0, open: close, high: close, low: close, close, volume: 1.0 };
/// assert!(stream.update(&bar(1.0))[0].is_nan());
/// assert!(stream.update(&bar(2.0))[0].is_nan());
/// assert_eq!(stream.update(&bar(6.0)), [3.0]);
/// # Ok::<(), features::FeatureError>(())
/// ```
pub struct Stream {
    fingerprint: String,
    program: Program,
    state: State,
    values: Vec<f64>,
    /// Whether any feature reads the day.
    needs_day: bool,
    sources: Sources,
}

impl std::fmt::Debug for Stream {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Stream").field("set", &self.fingerprint).finish_non_exhaustive()
    }
}

/// A stream's state, to be stored and restored.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct SavedStream {
    set: String,
    state: Saved,
}

impl Stream {
    /// The state before the first bar.
    #[must_use]
    pub fn new(set: &FeatureSet) -> Self {
        Self::starting_at(set, 0)
    }

    /// The state before bar number `row`, to which no bar before it has come: from [`Stream::reach`]
    /// bars later on the values are those of a stream that has seen all.
    #[must_use]
    pub fn starting_at(set: &FeatureSet, row: usize) -> Self {
        let plan = set.plan();
        let program = Program::new(plan.graph, plan.series);
        let state = program.start(row);
        let values = vec![f64::NAN; program.outputs().len()];
        let needs_day = set.reads(Column::Day);
        Self {
            fingerprint: set.fingerprint(),
            program,
            state,
            values,
            needs_day,
            sources: Sources::default(),
        }
    }

    /// How many bars before a bar decide its values; `None` where all do.
    #[must_use]
    pub fn reach(&self) -> Option<usize> {
        self.program.reach()
    }

    /// Takes the next bar; returns its values, one per column of the set.
    pub fn update(&mut self, bar: &Bar) -> &[f64] {
        let day = day(bar.timestamp);
        let [open, high, low] = [[bar.open], [bar.high], [bar.low]];
        let [close, volume, day] = [[bar.close], [bar.volume], [day]];
        let sources: [&[f64]; 6] = [&open, &high, &low, &close, &volume, &day];
        self.program.push(&mut self.state, &sources, |k, values| self.values[k] = values[0]);
        &self.values
    }

    /// Takes the next bars and writes their values, one slice per column of the set.
    ///
    /// # Errors
    /// [`FeatureError::UnequalLengths`] for columns that are not as long as the bars.
    pub fn extend(
        &mut self,
        bars: BarsView<'_>,
        columns: &mut [&mut [f64]],
    ) -> Result<(), FeatureError> {
        same_length(|| "the list of columns".into(), columns.len(), self.values.len())?;
        let of_bars = [bars.open, bars.high, bars.low, bars.close, bars.volume];
        let lengths = of_bars.iter().map(|c| c.len()).chain(columns.iter().map(|c| c.len()));
        for found in lengths {
            same_length(|| "a column".into(), found, bars.len())?;
        }
        if self.needs_day {
            self.sources.read_days(bars);
        }
        let sources = &self.sources.slices(bars);
        let (program, from) = (&self.program, self.state.row());
        let mut columns = Columns {
            sources,
            sources_from: from,
            outputs: columns,
            outputs_from: from,
            reach: CacheReach::default(),
        };
        run_from(program, &mut self.state, &mut columns, from..from + bars.len(), &|_| ());
        if bars.len() >= program.direct_from() {
            program.settle(&mut self.state, &columns);
        }
        Ok(())
    }

    /// What the bars to come depend on.
    #[must_use]
    pub fn save(&self) -> SavedStream {
        SavedStream { set: self.fingerprint.clone(), state: self.program.save(&self.state) }
    }

    /// The stream of `set` as it was saved.
    ///
    /// # Errors
    /// [`FeatureError::State`] where another set was saved.
    pub fn restore(set: &FeatureSet, saved: &SavedStream) -> Result<Self, FeatureError> {
        let mut stream = Self::new(set);
        if stream.fingerprint != saved.set {
            return Err(FeatureError::State(format!("it is of the set {}", saved.set)));
        }
        stream.state = stream
            .program
            .restore(&saved.state)
            .filter(|state| state.row() <= MOST_ROWS)
            .ok_or_else(|| FeatureError::State("it has another number of values or rows".into()))?;
        Ok(stream)
    }
}
