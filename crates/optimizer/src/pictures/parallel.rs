//! Every trial as a line through its values: which values the good ones share.

use plotters::prelude::*;
use plotters::style::text_anchor::{HPos, VPos};

use super::{Area, BEST, Drawn, FAINT, INK, Trials, at, colour, extent, short, svg, told, write};
use crate::OptimizerError;

const SIZE: (u32, u32) = (960, 420);
const TOP: i32 = 48;
const BOTTOM: i32 = 384;
const SIDE: i32 = 72;
/// Lines beyond which the picture is a blot: the best of them and an even sample of the rest.
const MOST_LINES: usize = 600;

/// One upright axis.
struct Upright {
    name: String,
    left: i32,
    low: f64,
    high: f64,
}

impl Upright {
    fn place(&self, value: f64) -> (i32, i32) {
        let share = (value - self.low) / (self.high - self.low);
        (self.left, BOTTOM - (share * f64::from(BOTTOM - TOP)).round() as i32)
    }
}

/// The lines of `trials` through every parameter that varies, and the score at the right.
///
/// # Errors
/// [`OptimizerError::Picture`] where no score is defined.
pub fn parallel(trials: &Trials<'_>) -> Result<String, OptimizerError> {
    let picture = "parallel coordinates";
    let Some(scores) = extent(trials.scores.iter().copied()) else {
        let why = format!("{} is undefined for every trial", trials.score_name);
        return Err(OptimizerError::Picture { picture, why });
    };
    let varied = trials.varied();
    let uprights = uprights(trials, &varied, scores);
    svg(picture, SIZE, |area| {
        for (share, trial) in lines(trials) {
            let colour = colour(share).mix(0.6).stroke_width(1);
            line(area, &uprights, &varied, trials, trial, colour)?;
        }
        uprights.iter().try_for_each(|upright| axis(area, upright))?;
        let Some(best) = trials.best else { return Ok(()) };
        line(area, &uprights, &varied, trials, best, BEST.stroke_width(3))
    })
}

fn uprights(trials: &Trials<'_>, varied: &[usize], scores: (f64, f64)) -> Vec<Upright> {
    let step = (SIZE.0 as i32 - 2 * SIDE) / varied.len().max(1) as i32;
    let parameter = |(place, &axis): (usize, &usize)| {
        let (low, high) =
            extent(trials.points.iter().map(|point| point[axis])).unwrap_or((0.0, 1.0));
        let left = SIDE + place as i32 * step;
        Upright { name: trials.names[axis].clone(), left, low, high }
    };
    let mut uprights: Vec<Upright> = varied.iter().enumerate().map(parameter).collect();
    let left = SIZE.0 as i32 - SIDE;
    let name = trials.score_name.to_owned();
    uprights.push(Upright { name, left, low: scores.0, high: scores.1 });
    uprights
}

/// Trials to draw with their rank as a share, the best last, so that they lie on top.
fn lines(trials: &Trials<'_>) -> Vec<(f64, usize)> {
    let defined = (0..trials.scores.len()).filter(|&at| trials.scores[at].is_finite());
    let mut order: Vec<usize> = defined.collect();
    order.sort_by(|&a, &b| trials.scores[a].total_cmp(&trials.scores[b]));
    if trials.is_lower_better {
        order.reverse();
    }
    let last = (order.len().max(2) - 1) as f64;
    let ranked = order.iter().enumerate().map(|(rank, &at)| (rank as f64 / last, at));
    let every = order.len().div_ceil(MOST_LINES).max(1);
    let top = order.len().saturating_sub(MOST_LINES / 4);
    let is_drawn = |rank: usize| rank >= top || rank.is_multiple_of(every);
    ranked.enumerate().filter(|(rank, _)| is_drawn(*rank)).map(|(_, line)| line).collect()
}

fn line(
    area: &Area<'_>,
    uprights: &[Upright],
    varied: &[usize],
    trials: &Trials<'_>,
    trial: usize,
    style: ShapeStyle,
) -> Drawn {
    let values = varied.iter().map(|&axis| trials.points[trial][axis]);
    let values = values.chain([trials.scores[trial]]);
    let path: Vec<(i32, i32)> =
        uprights.iter().zip(values).map(|(upright, value)| upright.place(value)).collect();
    area.draw(&PathElement::new(path, style)).map_err(told)
}

fn axis(area: &Area<'_>, upright: &Upright) -> Drawn {
    let Upright { name, left, low, high } = upright;
    let line = [(*left, TOP), (*left, BOTTOM)];
    area.draw(&PathElement::new(line, FAINT.stroke_width(2))).map_err(told)?;
    write(area, name, (*left, 22), at(HPos::Center, VPos::Center), 15, INK)?;
    write(area, &short(*high), (*left, TOP - 4), at(HPos::Center, VPos::Bottom), 12, INK)?;
    write(area, &short(*low), (*left, BOTTOM + 6), at(HPos::Center, VPos::Top), 12, INK)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_per_trial_and_no_axis_for_what_does_not_vary() {
        let names = ["a", "fixed", "c"].map(str::to_owned);
        let points: [&[f64]; 3] = [&[1.0, 9.0, 0.1], &[2.0, 9.0, 0.2], &[3.0, 9.0, 0.1]];
        let trials = Trials {
            names: &names,
            points: &points,
            scores: &[0.5, f64::NAN, 1.5],
            score_name: "score",
            is_lower_better: false,
            best: Some(2),
        };
        let text = parallel(&trials).unwrap();
        // Two defined trials, three axes, the best once more.
        assert_eq!(text.matches("<polyline").count(), 6);
        assert!(!text.contains("fixed"));
        assert!(parallel(&Trials { scores: &[f64::NAN; 3], ..trials }).is_err());
    }

    #[test]
    fn many_trials_are_thinned_but_not_the_best() {
        let scores: Vec<f64> = (0..10_000).map(f64::from).collect();
        let trials = Trials {
            names: &[],
            points: &[],
            scores: &scores,
            score_name: "score",
            is_lower_better: true,
            best: Some(0),
        };
        let drawn = lines(&trials);
        assert!(drawn.len() <= MOST_LINES + MOST_LINES / 4, "{}", drawn.len());
        assert_eq!(drawn.last(), Some(&(1.0, 0)));
    }
}
