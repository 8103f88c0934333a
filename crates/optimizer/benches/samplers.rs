//! What a sampler costs by itself: a thousand points asked for and told.

use bench_kit::{Criterion, Throughput, criterion_group, criterion_main};
use optimizer::sampler::SamplerKind;
use optimizer::{Axis, ParamSpace};

const TRIALS: u64 = 1_000;

fn samplers(c: &mut Criterion) {
    let axes = [("x", "2:400:1"), ("y", "log:0.01:100")]
        .map(|(name, text)| Axis::parse(name, text).expect("an axis"));
    let numbers = ParamSpace::new(axes.to_vec(), Some("x > y")).expect("a space");
    let axes = [("x", "1:50:1"), ("y", "1:40:1")]
        .map(|(name, text)| Axis::parse(name, text).expect("an axis"));
    let steps = ParamSpace::new(axes.to_vec(), Some("x > y")).expect("a space");
    let mut group = c.benchmark_group("optimizer/sampler");
    group.throughput(Throughput::Elements(TRIALS));
    for kind in SamplerKind::ALL {
        let space = if kind == SamplerKind::Grid { &steps } else { &numbers };
        assert!(trials(kind, space) >= TRIALS);
        group.bench_function(kind.name(), |b| b.iter(|| trials(kind, space)));
    }
    group.finish();
}

/// Asks and tells until the sampler or the trials are at their end; how many there were.
fn trials(kind: SamplerKind, space: &ParamSpace<'_>) -> u64 {
    let (mut sampler, trials) =
        kind.build(space, TRIALS, 1, optimizer::MAX_POINTS).expect("a sampler");
    let mut done = 0;
    while done < trials {
        let batch = sampler.batch().unwrap_or(1_024).min((trials - done) as usize);
        let points = sampler.ask(batch).expect("points");
        let score = |point: Vec<f64>| {
            let score = -(point[0] / 100.0 - 1.0).powi(2) - point[1].abs();
            (point, score)
        };
        let told: Vec<_> = points.into_iter().map(score).collect();
        done += told.len() as u64;
        sampler.tell(&told);
    }
    done
}

criterion_group! {
    name = benches;
    config = bench_kit::criterion("optimizer");
    targets = samplers
}
criterion_main!(benches);
