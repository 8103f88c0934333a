//! How far returns are from normal: what the deflated Sharpe ratio asks of the best trial.

use rayon::prelude::*;

/// Returns of one worker's share.
const SHARE: usize = 1 << 15;

/// Skewness and kurtosis of a trial's returns, both adjusted for their number (Joanes and Gill 1998,
/// G1 and G2) as [`backtest::statistics::Stat::Skew`] is.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Shape {
    /// 0 where gains and losses mirror each other.
    pub skew: f64,
    /// Raw, not in excess of the normal distribution's 3.
    pub kurtosis: f64,
}

impl Shape {
    /// Of `returns`; `None` for fewer than 4, or equal ones. The same bits for any number of
    /// threads. O(returns).
    pub(super) fn of(returns: &[f64]) -> Option<Self> {
        let n = returns.len() as f64;
        let sums: Vec<f64> = returns.par_chunks(SHARE).map(|share| share.iter().sum()).collect();
        let mean = sums.iter().sum::<f64>() / n;
        let powers: Vec<[f64; 3]> =
            returns.par_chunks(SHARE).map(|share| central(share, mean)).collect();
        let [m2, m3, m4] = [0, 1, 2].map(|at| powers.iter().map(|p| p[at]).sum::<f64>() / n);
        let skew = (n * (n - 1.0)).sqrt() / (n - 2.0) * m3 / m2.powf(1.5);
        let excess =
            (n - 1.0) / ((n - 2.0) * (n - 3.0)) * ((n + 1.0) * m4 / m2.powi(2) - 3.0 * (n - 1.0));
        let is_known = skew.is_finite() && excess.is_finite();
        is_known.then_some(Self { skew, kurtosis: excess + 3.0 })
    }
}

/// Sums of the second, third and fourth powers of the distance from `mean`.
fn central(returns: &[f64], mean: f64) -> [f64; 3] {
    // Lanes of their own, because one sum after the other would wait for each addition.
    let mut lanes = [[0.0; 8]; 3];
    for eight in returns.chunks(8) {
        for (lane, r) in eight.iter().enumerate() {
            let d = r - mean;
            let square = d * d;
            lanes[0][lane] += square;
            lanes[1][lane] += square * d;
            lanes[2][lane] += square * square;
        }
    }
    lanes.map(|lanes| lanes.iter().sum())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn worked_by_hand() {
        // 1, 2, 3, 10: mean 4; squares 9 + 4 + 1 + 36, cubes -27 - 8 - 1 + 216, fourths 81 + 16 + 1
        // + 1,296, each over 4.
        let (m2, m3, m4) = (12.5_f64, 45.0, 348.5);
        let shape = Shape::of(&[1.0, 2.0, 3.0, 10.0]).unwrap();
        let skew = 12.0_f64.sqrt() / 2.0 * m3 / m2.powf(1.5);
        let excess = 3.0 / 2.0 * (5.0 * m4 / (m2 * m2) - 9.0);
        assert!((shape.skew - skew).abs() < 1e-12);
        assert!((shape.kurtosis - (excess + 3.0)).abs() < 1e-12);
        assert_eq!(Shape::of(&[1.0; 9]), None);
        assert_eq!(Shape::of(&[1.0, 2.0, 3.0]), None);
        assert_eq!(Shape::of(&[]), None);
    }
}
