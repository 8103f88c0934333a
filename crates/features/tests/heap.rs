//! What the classic set and the kernels take from the heap.

use bench_kit::heap::{self, HeapCount};
use features::{ComputeOptions, FeatureSet, compute, rolling};
use market_data::Bars;

bench_kit::heap!();

const ROWS: usize = 100_000;

#[test]
fn features_are_their_outputs_and_a_plan_that_no_row_makes_larger() {
    // The registry is made once.
    plan(&bars(1000));
    let (short, long) = (plan(&bars(ROWS)), plan(&bars(2 * ROWS)));
    assert_eq!(short, long);
    // Its bytes are those of blocks that fit this processor's cache.
    assert_eq!(short.blocks, PLAN_BLOCKS);

    let mean = |rows: usize| {
        let (bars, mut out) = (bars(rows), vec![0.0; rows]);
        let (result, count) = heap::count(|| rolling::mean(&bars.close, 20, &mut out));
        result.expect("a window that fits");
        count
    };
    // The first call makes the plan, which the thread keeps.
    assert_eq!(mean(ROWS).blocks, MEAN_BLOCKS);
    assert_eq!(mean(2 * ROWS), HeapCount::NONE);
}

/// The graph of one kernel, room for its blocks, and the thread's list of plans.
const MEAN_BLOCKS: u64 = 28;
/// Nodes of the classic set's graph, where they read and write, and what they keep from block to block.
const PLAN_BLOCKS: u64 = 459;

/// What the classic set takes beyond its outputs.
fn plan(bars: &Bars) -> HeapCount {
    let set = FeatureSet::classic();
    let columns = set.columns().len();
    assert_eq!(columns, 26);
    let options = ComputeOptions { threads: 1, progress: None };
    let (table, count) = heap::count(|| compute(&set, bars.view(), &options));
    assert_eq!(table.expect("enough rows").rows(), bars.len());
    let outputs = columns * bars.len() * size_of::<f64>();
    HeapCount { blocks: count.blocks - columns as u64, bytes: count.bytes - outputs as u64 }
}

fn bars(rows: usize) -> Bars {
    let column: Vec<f64> = (0..rows).map(|i| 100.0 + (i % 97) as f64).collect();
    Bars {
        timestamp: (0..rows as i64).collect(),
        open: column.clone(),
        high: column.clone(),
        low: column.clone(),
        close: column.clone(),
        volume: column,
    }
}
