//! A KPI of your own program, judged and compared by the rules of the suite.
//!
//!     cargo run --release -p perf-gate --example custom_kpi

use std::time::Instant;

use perf_gate::{GateError, KpiSpec, Measured, Results, compare, parse_kpis, table};

const KPIS: &str = r#"
    [[kpi]]
    name = "sort"
    title = "Sorting what came today"
    unit = "ms"
    better = "lower"
    target = 100.0
    critical = 1000.0

    [[kpi]]
    name = "neural_engine"
    title = "Inference on the neural engine"
    unit = "ms"
    better = "lower"
"#;

fn main() -> Result<(), GateError> {
    let specs = parse_kpis(KPIS)?;
    let base = results(&specs, 200_000);
    let head = results(&specs, 800_000);
    // Both sides from this machine: four times the work is a regression.
    let comparison = compare(&base, &head);
    print!("\n{comparison}");
    assert!(comparison.has_regressed());
    Ok(())
}

/// Measures and judges every KPI, prints the table.
fn results(specs: &[KpiSpec], floats: usize) -> Results {
    const MEMORY_GB: f64 = 16.0;
    let measure = |spec: &KpiSpec| {
        let measured = match spec.name.as_str() {
            "sort" => Measured::Samples((0..7).map(|_| sort(floats)).collect()),
            _ => Measured::NotAvailable("this machine has none".to_owned()),
        };
        spec.judge(measured, None, MEMORY_GB)
    };
    let kpis: Vec<_> = specs.iter().map(measure).collect();
    print!("{}", table(&kpis));
    Results { machine: Some("this one".to_owned()), metrics: kpis.iter().map(Into::into).collect() }
}

/// Milliseconds of sorting so many floats; the answer is checked outside the clock.
fn sort(floats: usize) -> f64 {
    let mut values: Vec<f64> = (0..floats).map(|i| (i as f64 * 1.7).sin()).collect();
    let started = Instant::now();
    values.sort_by(f64::total_cmp);
    let milliseconds = started.elapsed().as_secs_f64() * 1e3;
    assert!(values.is_sorted());
    milliseconds
}
