//! What a sample of this process and its machine costs, and what is done with it.
#![allow(missing_docs, reason = "the macros write an undocumented function")]

use bench_kit::{Criterion, criterion_group, criterion_main};
use monitor::{Alerts, Metric, Sampler};

fn cases(c: &mut Criterion) {
    let new = || Sampler::new(std::process::id(), vec![".".into()]).unwrap();
    let mut sampler = new();
    let sample = sampler.sample();
    assert!(sample.get(Metric::ProcessRss) > Some(0.0));
    let mut alerts = Alerts::new(monitor::built_in_rules().unwrap());
    let mut group = c.benchmark_group("monitor/sample");
    group.bench_function("process", |b| b.iter(|| sampler.sample()));
    let mut sampler = new().without_delays();
    group.bench_function("process_and_machine", |b| b.iter(|| sampler.sample()));
    group.finish();
    let mut group = c.benchmark_group("monitor/tell");
    group.bench_function("judge", |b| b.iter(|| alerts.judge(&sample)));
    let alerts = alerts.alerts();
    group.bench_function("prometheus", |b| b.iter(|| monitor::prometheus(&sample, alerts)));
    group.bench_function("json_line", |b| b.iter(|| serde_json::to_string(&sample)));
    group.finish();
}

criterion_group! {
    name = benches;
    config = bench_kit::criterion("monitor");
    targets = cases
}
criterion_main!(benches);
