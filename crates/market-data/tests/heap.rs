//! Made bars take their six columns and nothing else; a look for defects takes nothing.

use bench_kit::heap::{HeapCount, expect};
use market_data::{SynthOptions, defects, synth};

bench_kit::heap!();

const ROWS: usize = 10_000;

#[test]
fn made_bars_are_six_columns_and_defects_are_found_in_place() {
    let options = SynthOptions { bars: ROWS, ..SynthOptions::default() };
    let columns = HeapCount { blocks: 6, bytes: (6 * ROWS * size_of::<f64>()) as u64 };
    let bars = expect(columns, || synth(&options));
    expect(HeapCount::NONE, || assert_eq!(defects(bars.view()).count(), 0));
}
