//! Features of many symbols as their bars come: all symbols of a row at once.

use market_data::BarsView;
use serde::{Deserialize, Serialize};

use crate::compute::Sources;
use crate::engine::MOST_ROWS;
use crate::engine::panel::{PanelProgram, Strip};
use crate::error::FeatureError;
use crate::registry::{Column, same_length};
use crate::set::FeatureSet;

/// Symbols in one strip: a row of every series of a set stays in a core's own cache from the node that
/// writes it to those that read it, and the calls of nodes cost little beside their work.
const STRIP: usize = 512;

/// A feature set that is fed a row of bars at a time, one bar of each of many symbols.
///
/// Each symbol has the values of a [`Stream`](crate::Stream) of its own, bit for bit; but the symbols fill
/// the vector registers, and a node is called for all of them. A bar whose prices and volume are
/// NaN is a symbol without a bar in that row: windows that hold the row and running totals from it on are
/// NaN, recursions start anew. An update takes O(symbols * log window) for most indicators and allocates
/// nothing but for quantiles; the panel takes O(symbols * window) values of memory.
///
/// ```
/// use features::{FeatureSet, Panel, registry};
/// use market_data::Bars;
///
/// let set = FeatureSet::single(registry::get("sma")?, &[2.0])?;
/// let mut panel = Panel::new(&set, 3);
/// for close in [[1.0, 10.0, 5.0], [3.0, 20.0, 5.0]] {
///     let bars = Bars {
///         timestamp: vec![0; 3],
///         open: close.to_vec(),
///         high: close.to_vec(),
///         low: close.to_vec(),
///         close: close.to_vec(),
///         volume: vec![1.0; 3],
///     };
///     panel.update(bars.view())?;
/// }
/// assert_eq!(panel.column(0), [2.0, 15.0, 5.0]);
/// # Ok::<(), features::FeatureError>(())
/// ```
pub struct Panel {
    fingerprint: String,
    program: PanelProgram,
    strips: Vec<Strip>,
    symbols: usize,
    rows: usize,
    /// Column after column, one value per symbol each.
    values: Vec<f64>,
    needs_day: bool,
    sources: Sources,
}

impl std::fmt::Debug for Panel {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Panel")
            .field("set", &self.fingerprint)
            .field("symbols", &self.symbols)
            .finish_non_exhaustive()
    }
}

/// A panel's state, to be stored and restored.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct SavedPanel {
    set: String,
    symbols: usize,
    rows: usize,
    strips: Vec<Vec<u64>>,
}

impl Panel {
    /// The state before the first bar of `symbols` symbols.
    #[must_use]
    pub fn new(set: &FeatureSet, symbols: usize) -> Self {
        let plan = set.stepwise_plan();
        let columns = plan.series.len();
        let program = PanelProgram::new(plan.graph, plan.series);
        Self {
            fingerprint: set.fingerprint(),
            strips: widths(symbols).map(|width| program.start(width)).collect(),
            program,
            symbols,
            rows: 0,
            values: vec![f64::NAN; columns * symbols],
            needs_day: set.reads(Column::Day),
            sources: Sources::default(),
        }
    }

    /// Takes the next row: `bars` holds one bar per symbol, always in the same order.
    ///
    /// # Errors
    /// [`FeatureError::UnequalLengths`] for columns that do not have a value per symbol.
    pub fn update(&mut self, bars: BarsView<'_>) -> Result<(), FeatureError> {
        let columns = [bars.open, bars.high, bars.low, bars.close, bars.volume];
        let lengths = columns.iter().map(|column| column.len());
        for found in lengths.chain([bars.timestamp.len()]) {
            same_length(|| "a column of the panel's bars".into(), found, self.symbols)?;
        }
        if self.needs_day {
            self.sources.read_days(bars);
        }
        let sources = self.sources.slices(bars);
        for (nth, strip) in self.strips.iter_mut().enumerate() {
            let from = nth * STRIP;
            let to = self.symbols.min(from + STRIP);
            let (symbols, values) = (self.symbols, &mut self.values);
            self.program.push(
                strip,
                self.rows,
                &sources.map(|source| &source[from..to]),
                |k, row| {
                    values[k * symbols..][from..to].copy_from_slice(row);
                },
            );
        }
        self.rows += 1;
        Ok(())
    }

    /// The latest values of column `k` of the set, one per symbol; NaN before the first row.
    ///
    /// # Panics
    /// Where the set has no such column, but for a panel of no symbols.
    #[must_use]
    pub fn column(&self, k: usize) -> &[f64] {
        &self.values[k * self.symbols..][..self.symbols]
    }

    /// What the bars to come depend on.
    #[must_use]
    pub fn save(&self) -> SavedPanel {
        SavedPanel {
            set: self.fingerprint.clone(),
            symbols: self.symbols,
            rows: self.rows,
            strips: self.strips.iter().map(|strip| self.program.save(strip)).collect(),
        }
    }

    /// The panel of `set` as it was saved; its columns are NaN until the next row.
    ///
    /// # Errors
    /// [`FeatureError::State`] where another set was saved, or what is there cannot be a state of it.
    pub fn restore(set: &FeatureSet, saved: &SavedPanel) -> Result<Self, FeatureError> {
        let mut panel = Self::new(set, 0);
        if panel.fingerprint != saved.set {
            return Err(FeatureError::State(format!("it is of the set {}", saved.set)));
        }
        let SavedPanel { symbols, rows, ref strips, .. } = *saved;
        if rows > MOST_ROWS {
            return Err(FeatureError::State(format!("it is {rows} rows old")));
        }
        // Before any room is taken for so many.
        let (found, expected) = (strips.len(), symbols.div_ceil(STRIP));
        if found != expected {
            let of = format!("it has {found} strips, where {symbols} symbols have {expected}");
            return Err(FeatureError::State(of));
        }
        for (width, strip) in widths(symbols).zip(strips) {
            let (found, expected) = (strip.len(), width * panel.program.saved_values());
            if found != expected {
                let of = format!("it has {found} values, where {width} symbols have {expected}");
                return Err(FeatureError::State(of));
            }
            panel.strips.push(panel.program.restore(width, strip));
        }
        panel.values = vec![f64::NAN; set.columns().len() * symbols];
        (panel.symbols, panel.rows) = (symbols, rows);
        Ok(panel)
    }
}

/// The symbols of each strip.
fn widths(symbols: usize) -> impl Iterator<Item = usize> {
    (0..symbols).step_by(STRIP).map(move |from| STRIP.min(symbols - from))
}
