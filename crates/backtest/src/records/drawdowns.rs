//! Drawdowns: from a peak of the equity through its trough to the recovery.

/// A fall of the equity below its running peak.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Drawdown {
    /// The last bar at the peak.
    pub peak_bar: usize,
    /// The first bar of the deepest value.
    pub trough_bar: usize,
    /// The bar at which the peak is reached again; the last bar where it is not.
    pub end_bar: usize,
    /// Equity at the peak.
    pub peak: f64,
    /// Equity at the trough.
    pub trough: f64,
    /// Whether the peak was reached again.
    pub is_recovered: bool,
}

impl Drawdown {
    /// The fall as a share of the peak, below 0.
    #[must_use]
    pub fn depth(&self) -> f64 {
        (self.trough - self.peak) / self.peak
    }

    /// Bars from the peak to the recovery or the end.
    #[must_use]
    pub fn bars(&self) -> usize {
        self.end_bar - self.peak_bar
    }
}

/// Every drawdown of `equity`, in time order; the one still open last. O(bars).
#[must_use]
pub fn drawdowns(equity: &[f64]) -> Vec<Drawdown> {
    let mut found = Vec::new();
    let mut open: Option<Drawdown> = None;
    let (mut peak, mut peak_bar) = (f64::NEG_INFINITY, 0);
    for (bar, &value) in equity.iter().enumerate() {
        if value >= peak {
            if let Some(drawdown) = open.take() {
                found.push(Drawdown { end_bar: bar, is_recovered: true, ..drawdown });
            }
            (peak, peak_bar) = (value, bar);
            continue;
        }
        let drawdown = open.get_or_insert(Drawdown {
            peak_bar,
            trough_bar: bar,
            end_bar: equity.len() - 1,
            peak,
            trough: value,
            is_recovered: false,
        });
        if value < drawdown.trough {
            (drawdown.trough, drawdown.trough_bar) = (value, bar);
        }
    }
    found.extend(open);
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_fall_has_its_peak_trough_and_end() {
        let equity = [100.0, 110.0, 110.0, 99.0, 88.0, 88.0, 110.0, 120.0, 90.0];
        let [first, last] = drawdowns(&equity)[..] else { panic!("two drawdowns") };
        let shape = |d: &Drawdown| (d.peak_bar, d.trough_bar, d.end_bar, d.is_recovered);
        assert_eq!(shape(&first), (2, 4, 6, true));
        assert_eq!((first.depth(), first.bars()), (-0.2, 4));
        assert_eq!(shape(&last), (7, 8, 8, false));
        assert_eq!(last.depth(), -0.25);
        assert_eq!(drawdowns(&[1.0, 2.0, 2.0, 3.0]), []);
    }
}
