//! Three cases whose cost is set by three numbers; speaks the gate's plain protocol.

use std::hint::black_box;
use std::time::Instant;

/// Steps of arithmetic.
const STEPS: u64 = 1_000_000;
/// Allocations of a call.
const ALLOCATIONS: usize = 1;
/// Loads, in a thousand, that miss the near caches.
const FAR: u64 = 500;

fn compute() -> u64 {
    (0..black_box(STEPS)).fold(1, |x: u64, i| black_box(x.wrapping_mul(6_364_136_223_846_793_005) ^ i))
}

fn alloc() -> u64 {
    let call = |_| (0..ALLOCATIONS).map(|_| black_box(vec![0u8; 64]).len() as u64).sum::<u64>();
    (0..1_000).map(call).sum()
}

/// Loads that wait for each other, some in 64 MB and the others in 64 KB: the numbers of loads and of
/// instructions are the same whatever the share.
fn memory(bytes: &[u8]) -> u64 {
    let (far, near) = ((bytes.len() - 1) as u64, (1 << 16) - 1);
    let (mut seen, mut state) = (0u64, 1u64);
    for i in 0..black_box(200_000u64) {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1 + seen);
        let mask = [near, far][usize::from(i % 1_000 < black_box(FAR))];
        seen = u64::from(bytes[((state >> 20) & mask) as usize]);
    }
    seen + state
}

fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let words: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let (is_test, case) = match words[..] {
        ["--bench", "--list"] => {
            println!("compute: benchmark\nalloc: benchmark\nmemory: benchmark");
            return;
        }
        ["--bench", case] => (false, case),
        ["--test", case] => (true, case),
        _ => panic!("--bench --list, --bench CASE or --test CASE"),
    };
    let mut bytes = vec![1u8; if case == "memory" { 64 << 20 } else { 1 << 16 }];
    black_box(&mut bytes).fill(0);
    let run = || match case {
        "compute" => compute(),
        "alloc" => alloc(),
        _ => memory(&bytes),
    };
    black_box(run());
    for _ in 0..if is_test { 0 } else { 9 } {
        let started = Instant::now();
        black_box(run());
        println!("{}", started.elapsed().as_nanos());
    }
}
