//! Running a feature set over bars: shared parts once, cache-sized blocks, all cores.

use std::ops::Range;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use market_data::{BarsView, ask_for_large_pages};

use crate::engine::graph::Series;
use crate::engine::machine::{BLOCK_ROWS, Columns, Program, State};
use crate::engine::reach::CacheReach;
use crate::error::FeatureError;
use crate::kernel::lanes::LANES;
use crate::registry::{Column, enough_rows, same_length};
use crate::set::{FeatureSet, Plan};
use crate::sys;

/// How to compute a set.
#[derive(Default, Clone, Copy)]
pub struct ComputeOptions<'a> {
    /// Worker threads; 0 means one per core. The values do not depend on it.
    pub threads: usize,
    /// Called now and then, from any thread, with the share of the work that is done (0 to 1).
    pub progress: Option<&'a (dyn Fn(f64) + Sync)>,
}

impl std::fmt::Debug for ComputeOptions<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("ComputeOptions").field("threads", &self.threads).finish_non_exhaustive()
    }
}

/// Computed features: one f64 column per name, all as long as the bars.
#[derive(Debug, Clone, PartialEq)]
pub struct FeatureTable {
    /// Column names, in the set's order.
    pub names: Vec<String>,
    /// The columns.
    pub columns: Vec<Vec<f64>>,
}

impl FeatureTable {
    /// Number of rows.
    #[must_use]
    pub fn rows(&self) -> usize {
        self.columns.first().map_or(0, Vec::len)
    }

    /// The column of that name.
    #[must_use]
    pub fn column(&self, name: &str) -> Option<&[f64]> {
        let at = self.names.iter().position(|n| n == name)?;
        Some(&self.columns[at])
    }
}

/// Computes `set` over `bars`.
///
/// Rows before a feature's first value are NaN. Allocates the columns of the table, a plan and, per
/// thread, a few cache-sized blocks.
///
/// # Errors
/// [`FeatureError::WindowLong`] where a feature would have no value at all,
/// [`FeatureError::UnequalLengths`] for bars whose columns differ in length, and what
/// [`FeatureSet`] refuses.
pub fn compute(
    set: &FeatureSet,
    bars: BarsView<'_>,
    options: &ComputeOptions<'_>,
) -> Result<FeatureTable, FeatureError> {
    let names = set.columns();
    let columns = names.iter().map(|_| empty_column(bars.len())).collect();
    let mut table = FeatureTable { names, columns };
    compute_into(set, bars, options, &mut table)?;
    Ok(table)
}

/// Untouched so far, as large memory comes zeroed from the system.
fn empty_column(rows: usize) -> Vec<f64> {
    let mut column = vec![0.0; rows];
    ask_for_large_pages(&mut column);
    column
}

/// As [`compute`], into a table made by an earlier call for the same set and number of rows.
///
/// # Errors
/// As [`compute`], and [`FeatureError::UnequalLengths`] where the table has another shape.
pub fn compute_into(
    set: &FeatureSet,
    bars: BarsView<'_>,
    options: &ComputeOptions<'_>,
    table: &mut FeatureTable,
) -> Result<(), FeatureError> {
    let rows = bars.len();
    let sources = Sources::new(set, bars)?;
    same_length(|| "the table's list of columns".into(), table.columns.len(), set.columns().len())?;
    for (name, column) in table.names.iter().zip(&table.columns) {
        same_length(|| format!("the table's column `{name}`"), column.len(), rows)?;
    }
    let plan = set.plan();
    for (name, first) in plan.firsts() {
        enough_rows(&format!("feature `{name}`"), first, rows)?;
    }
    let tasks = tasks(set, plan, table, threads(options));
    run_tasks(tasks, &sources.slices(bars), options);
    Ok(())
}

fn threads(options: &ComputeOptions<'_>) -> usize {
    match options.threads {
        0 => std::thread::available_parallelism().map_or(1, usize::from),
        threads => threads,
    }
}

/// Some columns of the table over some rows.
struct Task<'t> {
    program: Arc<Program>,
    rows: Range<usize>,
    columns: Vec<&'t mut [f64]>,
    reach: CacheReach,
}

/// Fewer rows than this are not worth a task: its windows' rows are computed twice.
const TASK_ROWS: usize = 8 * BLOCK_ROWS;

/// Cuts the work: on one thread a single task that shares every part. Else the features that depend on
/// all rows before are in few tasks, each with a thread's share of the columns or more, so that they share
/// what they read; the features with windows are cut into row ranges.
fn tasks<'t>(
    set: &FeatureSet,
    plan: Plan<'_>,
    table: &'t mut FeatureTable,
    threads: usize,
) -> Vec<Task<'t>> {
    let rows = table.rows();
    let sources = Column::ALL.into_iter().filter(|&column| set.reads(column)).count();
    let reach = CacheReach::of(sources, table.columns.len(), rows);
    let columns: Vec<&mut [f64]> = table.columns.iter_mut().map(Vec::as_mut_slice).collect();
    if threads == 1 || rows < 2 * TASK_ROWS {
        let program = Arc::new(Program::new(plan.graph, plan.series));
        return vec![Task { program, rows: 0..rows, columns, reach }];
    }
    let share = columns.len() / threads;
    let mut tasks: Vec<(Vec<Series>, Vec<_>)> = Vec::new();
    let mut windowed = Vec::new();
    let mut windowed_columns = Vec::new();
    let mut last_owner = None;
    for (k, (column, owner)) in columns.into_iter().zip(set.owners()).enumerate() {
        if plan.graph.reach(plan.series[k]).is_some() {
            windowed.push(plan.series[k]);
            windowed_columns.push(column);
            continue;
        }
        let is_new = last_owner.replace(owner) != Some(owner);
        if tasks.last().is_none_or(|(series, _)| is_new && series.len() >= share) {
            tasks.push((Vec::new(), Vec::new()));
        }
        let (series, columns) = tasks.last_mut().expect("just pushed");
        series.push(plan.series[k]);
        columns.push(column);
    }
    let mut tasks: Vec<Task<'t>> = tasks
        .into_iter()
        .map(|(series, columns)| {
            let program = Arc::new(Program::new(set.plan().graph, series));
            Task { program, rows: 0..rows, columns, reach }
        })
        .collect();
    if !windowed.is_empty() {
        let program = Arc::new(Program::new(plan.graph, windowed));
        tasks.extend(row_tasks(&program, windowed_columns, rows, threads, reach));
    }
    tasks
}

fn row_tasks<'t>(
    program: &Arc<Program>,
    mut columns: Vec<&'t mut [f64]>,
    rows: usize,
    threads: usize,
    reach: CacheReach,
) -> Vec<Task<'t>> {
    let each = rows.div_ceil(16 * threads).next_multiple_of(BLOCK_ROWS).max(TASK_ROWS);
    let mut tasks = Vec::new();
    for start in (0..rows).step_by(each) {
        let end = rows.min(start + each);
        let mut rest = Vec::with_capacity(columns.len());
        let mut own = Vec::with_capacity(columns.len());
        for column in columns {
            let (mine, behind) = column.split_at_mut(end - start);
            own.push(mine);
            rest.push(behind);
        }
        columns = rest;
        tasks.push(Task { program: Arc::clone(program), rows: start..end, columns: own, reach });
    }
    tasks
}

/// Runs the tasks in order on as many threads as there are to be; each takes the next one.
fn run_tasks(tasks: Vec<Task<'_>>, sources: &[&[f64]], options: &ComputeOptions<'_>) {
    let workers = threads(options).min(tasks.len());
    let total: usize = tasks.iter().map(|t| t.rows.len() * t.columns.len()).sum();
    let done = AtomicUsize::new(0);
    let report = |values: usize| {
        let done = done.fetch_add(values, Ordering::Relaxed) + values;
        if let Some(progress) = options.progress {
            progress(done as f64 / total.max(1) as f64);
        }
    };
    let queue = Mutex::new(tasks.into_iter());
    let work = || {
        // Of the task before, mostly of the same program.
        let mut kept: Option<(Arc<Program>, State)> = None;
        loop {
            let next = queue.lock().unwrap_or_else(PoisonError::into_inner).next();
            let Some(task) = next else { break };
            let Task { program, rows, mut columns, reach } = task;
            let outputs_from = rows.start;
            let outputs = &mut columns;
            let mut columns = Columns { sources, sources_from: 0, outputs, outputs_from, reach };
            // The windows are full when the task's rows begin.
            let before = program.reach().unwrap_or(rows.start);
            let row = rows.start.saturating_sub(before);
            let mut state = match kept.take().filter(|(of, _)| Arc::ptr_eq(of, &program)) {
                Some((_, mut state)) => {
                    program.restart(&mut state, row);
                    state
                }
                None => program.start(row),
            };
            run_from(&program, &mut state, &mut columns, rows, &report);
            kept = Some((program, state));
        }
    };
    std::thread::scope(|scope| {
        for _ in 1..workers {
            scope.spawn(work);
        }
        work();
    });
}

/// What a plan reads beside the columns of the bars.
#[derive(Default)]
pub(crate) struct Sources {
    /// The number of each bar's day; empty where nothing reads it.
    day: Vec<f64>,
}

const DAY_NS: i64 = 86_400_000_000_000;

/// Number of the UTC day in which a bar starts.
pub(crate) fn day(timestamp: i64) -> f64 {
    timestamp.div_euclid(DAY_NS) as f64
}

impl Sources {
    fn new(set: &FeatureSet, bars: BarsView<'_>) -> Result<Self, FeatureError> {
        let rows = bars.len();
        for column in Column::ALL {
            let found = bar_column(bars, column).map_or(rows, <[f64]>::len);
            same_length(|| format!("bars: column `{}`", column.name()), found, rows)?;
        }
        let mut sources = Self::default();
        if set.reads(Column::Day) {
            sources.read_days(bars);
        }
        Ok(sources)
    }

    /// The days of `bars`, in the memory of those before.
    pub(crate) fn read_days(&mut self, bars: BarsView<'_>) {
        self.day.clear();
        self.day.extend(bars.timestamp.iter().copied().map(day));
    }

    /// One slice per source, in the order of [`Column::ALL`]; where nothing reads the day, the close
    /// stands in for it.
    pub(crate) fn slices<'s>(&'s self, bars: BarsView<'s>) -> [&'s [f64]; 6] {
        Column::ALL.map(|column| {
            bar_column(bars, column).unwrap_or(if self.day.is_empty() {
                bars.close
            } else {
                &self.day
            })
        })
    }
}

fn bar_column(bars: BarsView<'_>, column: Column) -> Option<&[f64]> {
    match column {
        Column::Open => Some(bars.open),
        Column::High => Some(bars.high),
        Column::Low => Some(bars.low),
        Column::Close => Some(bars.close),
        Column::Volume => Some(bars.volume),
        Column::Day => None,
    }
}

/// Rows between two reports of progress.
const REPORT_ROWS: usize = 64 * BLOCK_ROWS;

/// Runs `program` over whole columns, from a state before their first row.
pub(crate) fn run_columns(
    program: &Program,
    state: &mut State,
    inputs: &[&[f64]],
    outputs: &mut [&mut [f64]],
) {
    let rows = inputs.first().map_or(0, |i| i.len());
    let reach = CacheReach::of(inputs.len(), outputs.len(), rows);
    let mut columns = Columns { sources: inputs, sources_from: 0, outputs, outputs_from: 0, reach };
    run_from(program, state, &mut columns, 0..rows, &|_| ());
}

/// Computes the rows `range` of the outputs, which begin at its first row, from where `state` is.
pub(crate) fn run_from(
    program: &Program,
    state: &mut State,
    columns: &mut Columns<'_, '_>,
    range: Range<usize>,
    report: &dyn Fn(usize),
) {
    let mut reported = range.start;
    let mut row = state.row();
    // From here on everything lies in the columns. Blocks then begin where the groups of a recursion do.
    let direct = (range.start + program.direct_from()).next_multiple_of(LANES);
    while row < range.end {
        let is_direct = row >= direct;
        let most = if is_direct { range.end } else { range.end.min(direct) };
        let rows = BLOCK_ROWS.min(most - row);
        if is_direct {
            program.push_direct(state, rows, columns);
        } else {
            let at = row - columns.sources_from;
            let block = sources_at(columns.sources, at..at + rows);
            let skipped = range.start.saturating_sub(row).min(rows);
            let to = (row + skipped).saturating_sub(columns.outputs_from);
            program.push(state, &block[..columns.sources.len()], |k, values| {
                columns.outputs[k][to..to + rows - skipped].copy_from_slice(&values[skipped..]);
            });
        }
        row += rows;
        if row >= (reported + REPORT_ROWS).min(range.end) {
            report((row - reported) * columns.outputs.len());
            reported = row;
        }
    }
    if columns.reach.stores_past {
        sys::fence();
    }
}

fn sources_at<'c>(sources: &[&'c [f64]], rows: Range<usize>) -> [&'c [f64]; Column::ALL.len()] {
    let mut block: [&[f64]; Column::ALL.len()] = Default::default();
    for (block, source) in block.iter_mut().zip(sources) {
        *block = &source[rows.clone()];
    }
    block
}
