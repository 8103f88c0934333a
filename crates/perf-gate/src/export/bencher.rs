//! Bencher Metric Format: `{benchmark: {measure: {value, lower_value, upper_value}}}`.

use serde_json::{Map, Value, json};

use super::range;
use crate::{Kpi, RunRecord};

pub(super) fn text(record: &RunRecord) -> String {
    let benchmark = |kpi: &Kpi| {
        let (measure, scale) = measure(&kpi.unit);
        let mut metric = Map::new();
        metric.insert("value".to_owned(), json!(kpi.value? * scale));
        if let Some([lower, upper]) = range(&kpi.samples) {
            metric.insert("lower_value".to_owned(), json!(lower * scale));
            metric.insert("upper_value".to_owned(), json!(upper * scale));
        }
        Some((kpi.name.clone(), json!({ measure: metric })))
    };
    let benchmarks: Map<String, Value> = record.kpis.iter().filter_map(benchmark).collect();
    format!("{:#}\n", Value::Object(benchmarks))
}

/// Bencher's own measure of time is `latency`, in nanoseconds; other units are measures by their own
/// name, as a slug.
fn measure(unit: &str) -> (String, f64) {
    let scale = match unit {
        "s" => 1e9,
        "ms" => 1e6,
        "us" => 1e3,
        "ns" => 1.0,
        _ => {
            let slug = unit.to_lowercase().replace('/', " per ").replace('%', "percent");
            return (slug.split_whitespace().collect::<Vec<_>>().join("-"), 1.0);
        }
    };
    ("latency".to_owned(), scale)
}
