//! A metric over the records of one machine, as a row of the history.

use serde::Serialize;

use super::ink::Ink;
use super::spark::{Spark, spark};
use super::text;
use crate::history::{ChangePoint, Course};
use crate::{GateError, digits};

/// One metric's course.
#[derive(Debug, Serialize)]
pub(super) struct Trend {
    title: String,
    first: String,
    last: String,
    change: String,
    records: usize,
    /// For markdown.
    spark: String,
    line: Spark,
    changes: Vec<Changed>,
}

/// A change point.
#[derive(Debug, Clone, Serialize)]
pub(super) struct Changed {
    class: &'static str,
    says: String,
}

/// Of every course with at least two records; `title` names a metric in words.
///
/// # Errors
/// [`GateError::Page`] for what the drawing library refuses.
pub(super) fn trends(
    courses: &[Course],
    title: impl Fn(&str) -> String,
) -> Result<Vec<Trend>, GateError> {
    let courses = courses.iter().filter(|course| course.points.len() > 1);
    courses.map(|course| trend(course, title(&course.metric))).collect()
}

fn trend(course: &Course, title: String) -> Result<Trend, GateError> {
    let ends = [course.points.first(), course.points.last()];
    let [first, last] = ends.map(|point| point.map_or(f64::NAN, |point| point.value));
    let changed =
        |change: &ChangePoint| Changed { class: ink(change).class(), says: says(course, change) };
    Ok(Trend {
        title,
        first: text::value(first, &course.unit),
        last: text::value(last, &course.unit),
        change: format!("{:+.1} %", (last / first - 1.0) * 100.0),
        records: course.points.len(),
        spark: course.spark(),
        line: spark(course)?,
        changes: course.changes.iter().map(changed).collect(),
    })
}

/// The colour of a change.
pub(super) fn ink(change: &ChangePoint) -> Ink {
    if change.is_worse { Ink::Worse } else { Ink::Better }
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::page::spark::tests::{change, course};

    #[test]
    fn a_row_tells_the_ends_and_what_changed() {
        let changed = Course { changes: vec![change(2)], ..course(&[1.0, 1.0, 2.0]) };
        let trends = trends(&[changed, course(&[1.0])], str::to_uppercase).unwrap();
        let [trend] = &trends[..] else { panic!("one record makes no trend: {trends:?}") };
        assert_eq!((trend.title.as_str(), trend.change.as_str()), ("K", "+100.0 %"));
        let changed = &trend.changes[0];
        assert_eq!(changed.class, "critical");
        assert!(changed.says.contains("+100.0 %") && changed.says.contains("0123456789ab of 2026"));
    }
}
