//! A kernel that allocates where it should not fails its test, and the message says where.

use std::panic::{AssertUnwindSafe, catch_unwind};

use bench_kit::heap::{HeapCount, count, expect};

bench_kit::heap!();

/// A kernel as it should be, but for one line.
#[inline(never)]
fn planted_kernel(input: &[f64], output: &mut [f64]) {
    let doubled: Vec<f64> = input.iter().map(|value| value * 2.0).collect();
    output.copy_from_slice(&doubled);
}

#[test]
fn a_planted_allocation_is_counted_and_its_place_is_named() {
    let input = vec![1.0; 1000];
    let mut output = vec![0.0; 1000];
    let ((), heap) = count(|| planted_kernel(&input, &mut output));
    assert_eq!(heap, HeapCount { blocks: 1, bytes: 8000 });
    expect(heap, || planted_kernel(&input, &mut output));
    expect(HeapCount::NONE, || output.copy_from_slice(&input));

    let failed =
        AssertUnwindSafe(|| expect(HeapCount::NONE, || planted_kernel(&input, &mut output)));
    let message = catch_unwind(failed).expect_err("a failure");
    let message = message.downcast_ref::<String>().unwrap();
    assert!(message.starts_with("took 8000 bytes in 1 blocks"), "{message}");
    let place = "heap::planted_kernel (bench-kit/tests/heap.rs:12:";
    assert!(message.contains(place), "{message}");
}
