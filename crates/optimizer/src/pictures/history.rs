//! Scores in the order of trials, and the best so far.

use plotters::prelude::*;

use super::{BEST, FAINT, INK, Trials, extent, short, svg, told};
use crate::OptimizerError;

const SIZE: (u32, u32) = (960, 340);
const SCORES: RGBColor = RGBColor(0, 114, 178);
/// Dots beyond which only every n-th trial has one; the best so far is of all.
const MOST_DOTS: usize = 4_000;

/// The scores of `trials`, one dot each, under the line of the best so far.
///
/// # Errors
/// [`OptimizerError::Picture`] where no score is defined.
pub fn history(trials: &Trials<'_>) -> Result<String, OptimizerError> {
    let Some((low, high)) = extent(trials.scores.iter().copied()) else {
        let why = format!("{} is undefined for every trial", trials.score_name);
        return Err(OptimizerError::Picture { picture: "history", why });
    };
    let room = (high - low) * 0.06;
    let count = trials.scores.len();
    let best = best_so_far(trials);
    svg("history", SIZE, |area| {
        let mut chart = ChartBuilder::on(area)
            .margin(12)
            .x_label_area_size(42)
            .y_label_area_size(64)
            .build_cartesian_2d(0.0..count as f64, low - room..high + room)
            .map_err(told)?;
        let words = ("sans-serif", 13).into_font().color(&INK);
        chart
            .configure_mesh()
            .disable_x_mesh()
            .bold_line_style(FAINT.mix(0.6))
            .light_line_style(TRANSPARENT)
            .axis_style(FAINT)
            .label_style(words.clone())
            .axis_desc_style(("sans-serif", 15).into_font().color(&INK))
            .x_desc("trial")
            .y_desc(trials.score_name)
            .x_label_formatter(&|trial| format!("{trial:.0}"))
            .y_label_formatter(&|score| short(*score))
            .draw()
            .map_err(told)?;
        let every = count.div_ceil(MOST_DOTS).max(1);
        let dots = trials.scores.iter().enumerate().step_by(every);
        let dots = dots.filter(|(_, score)| score.is_finite());
        chart
            .draw_series(dots.map(|(at, &score)| {
                Circle::new((at as f64 + 1.0, score), 2, SCORES.mix(0.55).filled())
            }))
            .map_err(told)?;
        chart.draw_series(LineSeries::new(best, BEST.stroke_width(2))).map_err(told)?;
        Ok(())
    })
}

/// The corners of the stairs of the best score so far.
fn best_so_far(trials: &Trials<'_>) -> Vec<(f64, f64)> {
    let mut corners: Vec<(f64, f64)> = Vec::new();
    for (at, &score) in trials.scores.iter().enumerate().filter(|(_, score)| score.is_finite()) {
        let held = corners.last().map(|&(_, held)| held);
        if held.is_none_or(|held| trials.is_better(score, held)) {
            let trial = at as f64 + 1.0;
            corners.extend(held.map(|held| (trial, held)));
            corners.push((trial, score));
        }
    }
    let end = corners.last().map(|&(_, held)| (trials.scores.len() as f64, held));
    corners.extend(end);
    corners
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_best_so_far_is_a_staircase() {
        let trials = Trials {
            names: &[],
            points: &[],
            scores: &[1.0, f64::NAN, 0.5, 2.0, 1.0],
            score_name: "score",
            is_lower_better: false,
            best: Some(3),
        };
        let stairs = [(1.0, 1.0), (4.0, 1.0), (4.0, 2.0), (5.0, 2.0)];
        assert_eq!(best_so_far(&trials), stairs);
        let text = history(&trials).unwrap();
        assert_eq!(text.matches("<circle").count(), 4);
        assert!(history(&Trials { scores: &[], ..trials }).is_err());
    }
}
