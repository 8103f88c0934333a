//! What is timed takes no memory meanwhile: arrays are mapped before, and a chase takes its thread.

use bench_kit::heap::{HeapCount, count, expect};
use hw_probe::cases::ChaseCase;
use hw_probe::gemm;

bench_kit::heap!();

#[test]
fn what_is_timed_allocates_nothing() {
    // The thread that it pins, however long it runs.
    let mut chase = ChaseCase::new(1 << 20, false).unwrap();
    chase.run(1000);
    let (_, short) = count(|| chase.run(1000));
    let (_, long) = count(|| chase.run(100_000));
    assert_eq!(short, long);
    assert!(short.blocks <= 8, "{short}");

    let order = 64;
    let (a, b) = (gemm::filled::<f64>(order, 1), gemm::filled::<f64>(order, 2));
    let matrix = HeapCount { blocks: 1, bytes: (order * order * size_of::<f64>()) as u64 };
    let c = expect(matrix, || gemm::filled::<f64>(order, 3));
    expect(HeapCount::NONE, || gemm::verify(&a, &b, &c));
}
