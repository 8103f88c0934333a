//! A KPI over the records of one machine, as a small line.

use serde::Serialize;

use crate::{RunRecord, digits};

/// Size of the line, in its own units.
const WIDTH: f64 = 160.0;
const HEIGHT: f64 = 32.0;
const MARGIN: f64 = 4.0;

/// One KPI's course.
#[derive(Debug, Serialize)]
pub(super) struct Trend {
    title: String,
    unit: String,
    first: String,
    last: String,
    change: String,
    records: usize,
    path: String,
    end: [String; 2],
}

/// Of every KPI that at least two records measured, oldest record first.
pub(super) fn trends(records: &[RunRecord]) -> Vec<Trend> {
    let Some(newest) = records.last() else { return Vec::new() };
    let trend = |kpi: &crate::Kpi| {
        let values = records
            .iter()
            .filter_map(|record| record.kpis.iter().find(|other| other.name == kpi.name)?.value);
        let values: Vec<f64> = values.collect();
        let (first, last) = (*values.first()?, *values.last()?);
        let places = places(&values);
        (values.len() > 1).then(|| Trend {
            title: kpi.title.clone(),
            unit: kpi.unit.clone(),
            first: digits(first),
            last: digits(last),
            change: format!("{:+.1} %", (last / first - 1.0) * 100.0),
            records: values.len(),
            path: path(&places),
            end: places.last().map(|end| end.map(|at| format!("{at:.1}"))).unwrap_or_default(),
        })
    };
    newest.kpis.iter().filter_map(trend).collect()
}

/// Evenly spaced from left to right, from the lowest value at the bottom to the highest.
fn places(values: &[f64]) -> Vec<[f64; 2]> {
    let low = values.iter().copied().fold(f64::INFINITY, f64::min);
    let high = values.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    let step = (WIDTH - 2.0 * MARGIN) / (values.len().max(2) - 1) as f64;
    let height = |value: f64| if high > low { (value - low) / (high - low) } else { 0.5 };
    let place = |(number, &value): (usize, &f64)| {
        let rise = height(value) * (HEIGHT - 2.0 * MARGIN);
        [MARGIN + number as f64 * step, HEIGHT - MARGIN - rise]
    };
    values.iter().enumerate().map(place).collect()
}

fn path(places: &[[f64; 2]]) -> String {
    let points = places.iter().map(|[x, y]| format!("{x:.1} {y:.1}"));
    format!("M{}", points.collect::<Vec<_>>().join("L"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_rise_goes_up_and_a_level_line_stays_in_the_middle() {
        let [low, high] = places(&[1.0, 3.0])[..] else { panic!("two places") };
        assert!(low[0] < high[0] && low[1] > high[1]);
        assert!(places(&[2.0, 2.0]).iter().all(|place| place[1] == HEIGHT / 2.0));
        assert_eq!(path(&[[0.0, 1.0], [2.0, 3.0]]), "M0.0 1.0L2.0 3.0");
    }
}
