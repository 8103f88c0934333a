//! A small picture of prices for a terminal.

use std::fmt;

use crate::BarsView;

const WIDTH: usize = 64;
const HEIGHT: usize = 8;

/// Lowest and highest price in each of 64 equal spans of time, and whether bars are missing there.
///
/// Displayed it is eight lines of price and, below, a line with `!` under spans with missing bars.
/// Without two different times or a finite price it is nothing.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Chart {
    spans: Vec<Span>,
}

#[derive(Debug, Clone, Copy, PartialEq)]
struct Span {
    low: f64,
    high: f64,
    has_gap: bool,
}

impl Chart {
    /// The chart of `bars` whose common distance is `step_ns`. O(bars).
    pub(crate) fn of(bars: BarsView<'_>, step_ns: Option<i64>) -> Self {
        let first = bars.timestamp.iter().copied().min();
        let last = bars.timestamp.iter().copied().max();
        let (Some(first), Some(last), Some(step)) = (first, last, step_ns) else {
            return Self::default();
        };
        let length = i128::from(last) - i128::from(first);
        if length == 0 {
            return Self::default();
        }
        let place = |time: i64| {
            let after = i128::from(time) - i128::from(first);
            (after * WIDTH as i128 / (length + 1)) as usize
        };
        let empty = Span { low: f64::INFINITY, high: f64::NEG_INFINITY, has_gap: false };
        let mut spans = vec![empty; WIDTH];
        for row in 0..bars.len() {
            let span = &mut spans[place(bars.timestamp[row])];
            // Both skip NaN.
            span.low = span.low.min(bars.low[row]);
            span.high = span.high.max(bars.high[row]);
        }
        for pair in bars.timestamp.windows(2) {
            let distance = i128::from(pair[1]) - i128::from(pair[0]);
            if distance >= 2 * i128::from(step) {
                spans[place(pair[0])..=place(pair[1])].iter_mut().for_each(|s| s.has_gap = true);
            }
        }
        Self { spans }
    }
}

impl fmt::Display for Chart {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let finite = |value: &f64| value.is_finite();
        let low = self.spans.iter().map(|s| s.low).filter(finite).reduce(f64::min);
        let high = self.spans.iter().map(|s| s.high).filter(finite).reduce(f64::max);
        let (Some(low), Some(high)) = (low, high) else { return Ok(()) };
        let line_of = |price: f64| {
            let share = if high > low { (high - price) / (high - low) } else { 0.5 };
            (share * (HEIGHT - 1) as f64).round() as usize
        };
        writeln!(f)?;
        for line in 0..HEIGHT {
            let mark = |span: &Span| {
                let is_here = span.low <= span.high
                    && (line_of(span.high)..=line_of(span.low)).contains(&line);
                if is_here { '█' } else { ' ' }
            };
            let text: String = self.spans.iter().map(mark).collect();
            let label = match line {
                0 => format!("{high:.2}"),
                line if line == HEIGHT - 1 => format!("{low:.2}"),
                _ => String::new(),
            };
            writeln!(f, "{label:>12} │{}", text.trim_end())?;
        }
        if self.spans.iter().any(|span| span.has_gap) {
            let gaps: String =
                self.spans.iter().map(|span| if span.has_gap { '!' } else { ' ' }).collect();
            writeln!(f, "{:>12} │{}", "gaps", gaps.trim_end())?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Bars, SynthOptions, synth};

    #[test]
    fn prices_climb_from_the_lower_left_and_gaps_are_marked() {
        let mut bars = synth(&SynthOptions { bars: 640, ..SynthOptions::default() });
        for (row, price) in (0..640).zip(1..) {
            let price = f64::from(price);
            (bars.low[row], bars.high[row]) = (price, price);
        }
        let step = Some(60_000_000_000);
        let text = Chart::of(bars.view(), step).to_string();
        let lines: Vec<&str> = text.lines().skip(1).collect();
        assert_eq!(lines.len(), HEIGHT, "{text}");
        assert!(lines[0].starts_with("      640.00 │") && lines[0].ends_with('█'), "{text}");
        assert!(lines[HEIGHT - 1].starts_with("        1.00 │█"), "{text}");
        let part = bars.view();
        let mut holed = part.slice(0..320).to_owned();
        holed.append(&part.slice(480..640));
        let text = Chart::of(holed.view(), step).to_string();
        let gaps = text.lines().last().unwrap();
        assert!(gaps.contains("gaps │") && gaps.matches('!').count() >= 16, "{text}");
    }

    #[test]
    fn nothing_where_there_is_nothing_to_see() {
        assert_eq!(Chart::of(Bars::default().view(), None).to_string(), "");
        let one = synth(&SynthOptions { bars: 1, ..SynthOptions::default() });
        assert_eq!(Chart::of(one.view(), Some(1)).to_string(), "");
    }

    #[test]
    fn times_at_both_ends_of_the_scale_do_not_overflow() {
        let mut bars = synth(&SynthOptions { bars: 3, ..SynthOptions::default() });
        bars.timestamp = vec![i64::MIN + 1, 0, i64::MAX];
        assert!(Chart::of(bars.view(), Some(1)).to_string().contains("gaps"));
        bars.timestamp = vec![i64::MAX, 0, i64::MIN + 1];
        bars.low[1] = f64::NAN;
        assert!(!Chart::of(bars.view(), Some(1)).to_string().is_empty());
    }
}
