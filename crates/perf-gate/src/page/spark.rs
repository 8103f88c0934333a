//! A metric's course as a line as small as a word, with its change points.

use plotters::prelude::*;
use serde::Serialize;

use super::ink::{Drawn, Ink, drawn};
use super::text;
use super::tips::{Place, Tip, Tips};
use super::trend::ink;
use crate::GateError;
use crate::history::Course;

/// In units of a quarter of a pixel: plotters knows whole units only, and a line of 32 pixels
/// would have steps.
const SIZE: (u32, u32) = (640, 128);
const MARGIN: i32 = 16;
/// Tips closer than four pixels could not be told apart with a pointer.
const MOST_TIPS: usize = 40;

/// A line, ready for the template.
#[derive(Debug, Serialize)]
pub(super) struct Spark {
    width: u32,
    height: u32,
    /// The SVG's elements.
    elements: String,
    tips: Tips,
}

/// The line of a course: records evenly spaced from left to right, from the lowest value at the
/// bottom to the highest; one that is no number leaves no trace.
///
/// # Errors
/// [`GateError::Page`] for what the drawing library refuses.
pub(super) fn spark(course: &Course) -> Result<Spark, GateError> {
    let values = course.points.iter().map(|point| point.value).enumerate();
    let points: Vec<(usize, f64)> = values.filter(|(_, value)| value.is_finite()).collect();
    let (elements, places) = drawn(SIZE, |area| {
        let (low, high) = ends(&points);
        let last = course.points.len().max(2) - 1;
        let mut chart = ChartBuilder::on(area)
            .margin(MARGIN)
            .build_cartesian_2d(0.0..last as f64, low..high)?;
        for change in &course.changes {
            let line = [low, high].map(|y| (change.at as f64, y));
            chart.draw_series([PathElement::new(line, ink(change).colour())])?;
        }
        let line: Vec<(f64, f64)> = points.iter().map(|&(at, value)| (at as f64, value)).collect();
        chart.draw_series(LineSeries::new(line.iter().copied(), Ink::C0.colour()))?;
        let end = line.last().map(|&end| Circle::new(end, 10, Ink::C0.colour().filled()));
        chart.draw_series(end)?;
        let place = |point| Place::of(chart.backend_coord(point), SIZE);
        Drawn::Ok(line.iter().map(place).collect::<Vec<_>>())
    })?;
    let every = points.len().div_ceil(MOST_TIPS).max(1);
    let is_told = |number: usize, at: usize| {
        (points.len() - 1 - number).is_multiple_of(every)
            || course.changes.iter().any(|change| change.at == at)
    };
    let told = points.iter().zip(places).enumerate();
    let told = told.filter(|(number, ((at, _), _))| is_told(*number, *at));
    let tip =
        |(_, (&(at, value), place))| Tip { says: says(course, at, value), places: vec![place] };
    Ok(Spark {
        width: SIZE.0,
        height: SIZE.1,
        elements,
        tips: Tips {
            class: Ink::C0.class(),
            name: "Records, oldest first".to_owned(),
            tips: told.map(tip).collect(),
        },
    })
}

/// `12.3 ms, 2026-01-02 10:00 UTC, 0123456789ab`.
fn says(course: &Course, at: usize, value: f64) -> String {
    let point = &course.points[at];
    let (value, when) = (text::value(value, &course.unit), text::time(&point.started_at));
    format!("{value}, {when}, {}", text::commit(point.commit.as_deref()))
}

/// The lowest and the highest value; around them where they are the same, so that a level line
/// stays in the middle.
fn ends(points: &[(usize, f64)]) -> (f64, f64) {
    let values = || points.iter().map(|(_, value)| *value);
    let low = values().fold(f64::INFINITY, f64::min);
    let high = values().fold(f64::NEG_INFINITY, f64::max);
    if low < high {
        return (low, high);
    }
    let middle = values().next().unwrap_or(0.0);
    let room = middle.abs().max(1.0) / 2.0;
    (middle - room, middle + room)
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;
    use crate::Better;
    use crate::history::{ChangePoint, Point};

    /// A course of these values, without change points.
    pub(in crate::page) fn course(values: &[f64]) -> Course {
        let point = |&value: &f64| Point {
            started_at: "2026-01-02T03:04:05Z".to_owned(),
            commit: Some("0123456789abcdef".to_owned()),
            value,
            of_ceiling: None,
        };
        Course {
            metric: "k".to_owned(),
            unit: "s".to_owned(),
            better: Better::Lower,
            machine: "here".to_owned(),
            points: values.iter().map(point).collect(),
            changes: Vec::new(),
        }
    }

    /// A change for the worse.
    pub(in crate::page) fn change(at: usize) -> ChangePoint {
        ChangePoint {
            at,
            before: 1.0,
            after: 2.0,
            change_percent: 100.0,
            p_value: 0.01,
            is_worse: true,
            last_before: None,
            first_after: Some("0123456789abcdef".to_owned()),
        }
    }

    /// Percent from the left and from the top of each tip.
    fn places(values: &[f64]) -> Vec<[f64; 2]> {
        let spark = serde_json::to_value(spark(&course(values)).unwrap()).unwrap();
        let tips = spark["tips"]["tips"].as_array().unwrap().iter();
        tips.map(|tip| serde_json::from_value(tip["places"][0].clone()).unwrap()).collect()
    }

    #[test]
    fn a_rise_goes_up_and_a_level_line_stays_in_the_middle() {
        let [low, high] = places(&[1.0, 3.0])[..] else { panic!("two places") };
        assert!(low[0] < high[0] && low[1] > high[1]);
        let level = places(&[2.0, 2.0, 2.0]);
        assert!(level.iter().all(|place| (place[1] - 50.0).abs() < 1.0), "{level:?}");
    }

    #[test]
    fn what_is_no_number_is_left_out() {
        let with_hole = places(&[1.0, f64::NAN, 3.0]);
        assert_eq!(with_hole.len(), 2);
        assert_eq!(with_hole[1], places(&[1.0, 2.0, 3.0])[2], "the others keep their places");
        for values in
            [&[][..], &[f64::NAN; 2], &[1.0], &[0.0; 2], &[-1.0, 0.0], &[f64::MAX, f64::MIN]]
        {
            let spark = spark(&course(values)).unwrap();
            assert!(!spark.elements.contains("NaN"), "{values:?}: {}", spark.elements);
        }
    }

    #[test]
    fn a_change_point_is_marked_where_its_record_stands() {
        let mut course = course(&[1.0, 1.0, 2.0, 2.0]);
        course.changes.push(change(2));
        let spark = spark(&course).unwrap();
        let told = &spark.tips.tips[2];
        assert_eq!(told.says, "2.00 s, 2026-01-02 03:04 UTC, 0123456789ab");
        let x = spark.elements.split_once("points=\"").unwrap().1.split_once(',').unwrap().0;
        let x: i32 = x.parse().unwrap();
        assert_eq!(Place::of((x, MARGIN), SIZE), told.places[0], "{}", spark.elements);
        assert!(spark.elements.contains("class=\"critical\""));
    }

    #[test]
    fn of_many_records_some_are_told_and_every_change_is() {
        let mut course = course(&[1.0; 300]);
        course.changes.push(change(7));
        let tips = spark(&course).unwrap().tips.tips;
        assert!((MOST_TIPS - 3..=MOST_TIPS + 1).contains(&tips.len()), "{}", tips.len());
    }
}
