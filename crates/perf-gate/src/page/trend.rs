//! A metric over the records of one machine, as a small line with its change points.

use serde::Serialize;

use super::text;
use crate::digits;
use crate::history::{ChangePoint, Course};

/// Size of the line, in its own units.
const WIDTH: f64 = 160.0;
const HEIGHT: f64 = 32.0;
const MARGIN: f64 = 4.0;

/// One metric's course.
#[derive(Debug, Serialize)]
pub(super) struct Trend {
    title: String,
    first: String,
    last: String,
    change: String,
    records: usize,
    spark: String,
    path: String,
    end: [String; 2],
    changes: Vec<Changed>,
}

/// A change point.
#[derive(Debug, Clone, Serialize)]
pub(super) struct Changed {
    /// Where it stands on the line.
    x: String,
    pub(super) class: &'static str,
    pub(super) says: String,
}

/// Of every course with at least two records; `title` names a metric in words.
pub(super) fn trends(courses: &[Course], title: impl Fn(&str) -> String) -> Vec<Trend> {
    let trend = |course: &Course| {
        let values: Vec<f64> = course.points.iter().map(|point| point.value).collect();
        let (first, last) = (*values.first()?, *values.last()?);
        let places = places(&values);
        let changed = |change: &ChangePoint| Changed {
            x: format!("{:.1}", places[change.at][0]),
            class: if change.is_worse { "critical" } else { "ok" },
            says: says(course, change),
        };
        (values.len() > 1).then(|| Trend {
            title: title(&course.metric),
            first: text::value(first, &course.unit),
            last: text::value(last, &course.unit),
            change: format!("{:+.1} %", (last / first - 1.0) * 100.0),
            records: values.len(),
            spark: course.spark(),
            path: path(&places),
            end: places.last().map(|end| end.map(|at| format!("{at:.1}"))).unwrap_or_default(),
            changes: course.changes.iter().map(changed).collect(),
        })
    };
    courses.iter().filter_map(trend).collect()
}

/// `worse by 10.0 % with 0123456789ab of 2026-01-02 10:00 UTC, p 0.001`.
pub(super) fn says(course: &Course, change: &ChangePoint) -> String {
    let word = if change.is_worse { "worse" } else { "better" };
    let when = course.points.get(change.at).map(|point| text::time(&point.started_at));
    format!(
        "{word} ({:+.1} %) with {} of {}, p {}",
        change.change_percent,
        text::commit(change.first_after.as_deref()),
        when.unwrap_or_default(),
        digits(change.p_value)
    )
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
    use crate::Better;
    use crate::history::Point;

    #[test]
    fn a_rise_goes_up_and_a_level_line_stays_in_the_middle() {
        let [low, high] = places(&[1.0, 3.0])[..] else { panic!("two places") };
        assert!(low[0] < high[0] && low[1] > high[1]);
        assert!(places(&[2.0, 2.0]).iter().all(|place| place[1] == HEIGHT / 2.0));
        assert_eq!(path(&[[0.0, 1.0], [2.0, 3.0]]), "M0.0 1.0L2.0 3.0");
    }

    #[test]
    fn a_change_point_stands_at_the_first_record_of_its_level() {
        let point = |value| Point {
            started_at: "2026-01-02T03:04:05Z".to_owned(),
            commit: None,
            value,
            of_ceiling: None,
        };
        let change = ChangePoint {
            at: 2,
            before: 1.0,
            after: 2.0,
            change_percent: 100.0,
            p_value: 0.01,
            is_worse: true,
            last_before: None,
            first_after: Some("0123456789abcdef".to_owned()),
        };
        let course = Course {
            metric: "k".to_owned(),
            unit: "s".to_owned(),
            better: Better::Lower,
            machine: "here".to_owned(),
            points: [1.0, 1.0, 2.0].map(point).into(),
            changes: vec![change],
        };
        let trends = trends(&[course], str::to_uppercase);
        let (trend, changed) = (&trends[0], &trends[0].changes[0]);
        assert_eq!(
            (trend.title.as_str(), &changed.x, changed.class),
            ("K", &trend.end[0], "critical")
        );
        assert!(changed.says.contains("+100.0 %") && changed.says.contains("0123456789ab of 2026"));
    }
}
