//! Whether the best point stands on a plateau or on a lone spike.

/// The points next to the best, against it. Scores are in the sense that higher is better.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Plateau {
    /// The best score.
    pub peak: f64,
    /// The mean score of the neighbours.
    pub mean: f64,
    /// The worst of them.
    pub minimum: f64,
    /// Neighbours there are.
    pub neighbours: usize,
    /// Where the neighbours' mean lies between the median of all points (0) and the peak (1).
    /// Near 1: the parameters may be off a little; near 0 or below: a spike, most likely luck.
    pub score: f64,
}

/// [`Plateau`] of point `best`: its neighbours are the points whose every value is the same or the
/// next on its axis, an axis being the distinct values that points have there. Points with a NaN
/// score count as the worst of all.
///
/// `None` where there is no neighbour (as of points drawn at random), or nothing to compare: a NaN
/// peak, or a peak that is the median. O(points x parameters, and a logarithm).
///
/// # Panics
/// When `best` is no point, or `scores` is not as long as `points`.
#[must_use]
pub fn plateau(points: &[&[f64]], scores: &[f64], best: usize) -> Option<Plateau> {
    assert_eq!(points.len(), scores.len(), "one score per point");
    let peak = scores[best];
    let worst = scores.iter().copied().filter(|score| !score.is_nan()).reduce(f64::min)?;
    let filled = |at: usize| if scores[at].is_nan() { worst } else { scores[at] };
    let near: Vec<[f64; 3]> =
        (0..points[best].len()).map(|axis| around(points, best, axis)).collect();
    let is_near = |point: &[f64]| point.iter().zip(&near).all(|(value, near)| near.contains(value));
    let neighbours: Vec<f64> = (0..points.len())
        .filter(|&at| is_near(points[at]) && points[at] != points[best])
        .map(filled)
        .collect();
    let mut all: Vec<f64> = (0..points.len()).map(filled).collect();
    let middle = (all.len() - 1) / 2;
    let median = *all.select_nth_unstable_by(middle, f64::total_cmp).1;
    let mean = neighbours.iter().sum::<f64>() / neighbours.len() as f64;
    let score = (mean - median) / (peak - median);
    let minimum = neighbours.iter().copied().fold(f64::INFINITY, f64::min);
    let count = neighbours.len();
    score.is_finite().then_some(Plateau { peak, mean, minimum, neighbours: count, score })
}

/// The greatest value below the best's on `axis`, its own, and the least above; its own again
/// where there is none.
fn around(points: &[&[f64]], best: usize, axis: usize) -> [f64; 3] {
    let own = points[best][axis];
    let values = || points.iter().map(|point| point[axis]);
    let below = values().filter(|&value| value < own).reduce(f64::max);
    let above = values().filter(|&value| value > own).reduce(f64::min);
    [below.unwrap_or(own), own, above.unwrap_or(own)]
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(score: impl Fn(f64, f64) -> f64, best: usize) -> Option<Plateau> {
        let axis = [1.0, 2.0, 4.0, 8.0, 16.0];
        let points: Vec<[f64; 2]> = axis.iter().flat_map(|&x| axis.map(|y| [x, y])).collect();
        let scores: Vec<f64> = points.iter().map(|&[x, y]| score(x, y)).collect();
        plateau(&points.iter().map(|point| &point[..]).collect::<Vec<_>>(), &scores, best)
    }

    #[test]
    fn a_spike_has_no_plateau() {
        let spike = of(|x, y| if (x, y) == (4.0, 4.0) { 3.0 } else { 1.0 }, 12).unwrap();
        assert_eq!((spike.score, spike.neighbours, spike.minimum), (0.0, 8, 1.0));
    }

    #[test]
    fn a_plateau_counts_only_what_is_adjacent() {
        let is_top = |v: f64| (2.0..=8.0).contains(&v);
        let flat = of(|x, y| if is_top(x) && is_top(y) { 2.0 } else { -5.0 }, 12).unwrap();
        assert_eq!((flat.score, flat.mean, flat.minimum), (1.0, 2.0, 2.0));
    }

    #[test]
    fn a_corner_has_three_neighbours_and_undefined_ones_are_the_worst() {
        let corner = of(|x, y| if x == 2.0 { f64::NAN } else { 40.0 - x - y }, 0).unwrap();
        assert_eq!((corner.neighbours, corner.minimum), (3, 8.0));
        assert!((corner.mean - (37.0 + 8.0 + 8.0) / 3.0).abs() < 1e-12, "{corner:?}");
    }

    #[test]
    fn nothing_to_compare_has_no_answer() {
        assert_eq!(of(|_, _| 1.0, 0), None);
        assert_eq!(of(|_, _| f64::NAN, 0), None);
        assert_eq!(plateau(&[&[1.0, 2.0], &[3.0, 6.0], &[5.0, 4.0]], &[3.0, 1.0, 0.0], 0), None);
    }
}
