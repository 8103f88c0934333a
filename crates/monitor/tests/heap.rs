//! What a sample of this process takes from the heap: the texts that the system gives, and the
//! sample itself. It must not grow while a run is watched.

#![cfg(target_os = "linux")]

use bench_kit::heap::{HeapCount, count, expect};
use monitor::{Alerts, Metric, Sampler, built_in_rules};

bench_kit::heap!();

#[test]
fn a_sample_takes_the_same_every_time_and_a_judgement_nothing() {
    let mut sampler = Sampler::new(std::process::id(), vec![".".into()]).unwrap();
    let mut alerts = Alerts::new(built_in_rules().unwrap());
    for _ in 0..3 {
        alerts.judge(&sampler.sample());
    }
    let sample = sampler.sample();
    assert!(sample.get(Metric::ProcessRss) > Some(0.0));
    // The machine's own files are read once a second: the cheapest of a few samples is one without.
    let mut cheapest = || (0..8).map(|_| count(|| sampler.sample()).1.bytes).min();
    assert_eq!(cheapest(), cheapest());
    expect(HeapCount::NONE, || assert!(alerts.judge(&sample).is_empty()));
}
