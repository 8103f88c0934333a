//! What a year of minutes through the classic set takes from the heap.

use bench_kit::heap;
use features::{ComputeOptions, FeatureSet, compute};
use market_data::Bars;

bench_kit::heap!();

const ROWS: usize = 525_600;

#[test]
fn a_year_allocates_its_outputs_and_a_plan_that_no_row_makes_larger() {
    let column: Vec<f64> = (0..ROWS).map(|i| 100.0 + (i % 97) as f64).collect();
    let bars = Bars {
        timestamp: (0..ROWS as i64).collect(),
        open: column.clone(),
        high: column.clone(),
        low: column.clone(),
        close: column.clone(),
        volume: column,
    };
    let set = FeatureSet::classic();
    let columns = set.columns().len();
    assert_eq!(columns, 26);
    let options = ComputeOptions { threads: 1, progress: None };
    let (table, count) = heap::count(|| compute(&set, bars.view(), &options));
    assert_eq!(table.expect("enough rows").rows(), ROWS);
    let outputs = (columns * ROWS * size_of::<f64>()) as u64;
    let plan = count.bytes - outputs;
    assert!(plan < PLAN_BYTES, "the plan took {plan} bytes");
    assert!(count.blocks < PLAN_BLOCKS, "{} blocks", count.blocks);
}

/// The plan's nodes and cache-sized blocks: less than half of one output column.
const PLAN_BYTES: u64 = 2 << 20;
const PLAN_BLOCKS: u64 = 4096;
