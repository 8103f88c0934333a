//! The vector loop of the pass over the equity.

/// Lanes of every sum. Fixed, so that each instruction set adds in the same order.
const LANES: usize = 8;

/// Sums over returns r, a lane each: r, max(r, 0), min(r, 0), r^2, min(r, 0)^2.
///
/// That of r is not left to the two after it: they are large, and it is their small difference.
#[derive(Clone, Copy, Default)]
pub(super) struct Sums {
    all: [f64; LANES],
    gains: [f64; LANES],
    losses: [f64; LANES],
    squares: [f64; LANES],
    downside_squares: [f64; LANES],
}

/// [`Sums`] with the lanes added up.
#[derive(Clone, Copy)]
pub(super) struct Totals {
    pub(super) all: f64,
    pub(super) gains: f64,
    pub(super) losses: f64,
    pub(super) squares: f64,
    pub(super) downside_squares: f64,
}

impl Sums {
    #[inline(always)]
    pub(super) fn add(&mut self, lane: usize, r: f64) {
        // Comparisons, not `max` and `min`: one instruction, because NaN needs no care.
        let gain = if r > 0.0 { r } else { 0.0 };
        let loss = if r < 0.0 { r } else { 0.0 };
        self.all[lane] += r;
        self.gains[lane] += gain;
        self.losses[lane] += loss;
        self.squares[lane] += r * r;
        self.downside_squares[lane] += loss * loss;
    }

    /// Adds `other` and leaves it empty.
    #[inline(always)]
    pub(super) fn absorb(&mut self, other: &mut Self) {
        let add = |to: &mut [f64; LANES], from: &[f64; LANES]| {
            to.iter_mut().zip(from).for_each(|(to, from)| *to += from);
        };
        add(&mut self.all, &other.all);
        add(&mut self.gains, &other.gains);
        add(&mut self.losses, &other.losses);
        add(&mut self.squares, &other.squares);
        add(&mut self.downside_squares, &other.downside_squares);
        *other = Self::default();
    }

    pub(super) fn totals(&self) -> Totals {
        Totals {
            all: self.all.iter().sum(),
            gains: self.gains.iter().sum(),
            losses: self.losses.iter().sum(),
            squares: self.squares.iter().sum(),
            downside_squares: self.downside_squares.iter().sum(),
        }
    }
}

/// Lowest and highest close of some bars.
#[derive(Clone, Copy)]
pub(super) struct Extremes {
    pub(super) low: f64,
    pub(super) high: f64,
}

/// Where the returns of a stretch with a position come from.
#[derive(Clone, Copy)]
pub(super) enum Source<'a> {
    /// All is invested: equity moves as the price does, and the caller has the price's returns.
    Known(&'a [f64]),
    /// All is invested.
    Price,
    /// Equity is `cash + position * close`.
    Affine { cash: f64, position: f64 },
}

/// Adds the returns of bars `start..end` (`start` at least 1) to `sums` and gives the extremes of
/// their closes. Bound by the division where the returns are not known, else by the additions.
#[inline(always)]
pub(super) fn scan(
    close: &[f64],
    start: usize,
    end: usize,
    source: Source<'_>,
    sums: &mut Sums,
) -> Extremes {
    match source {
        Source::Known(returns) => scan_with(close, returns, start, end, sums, |r, _, _| r),
        Source::Price => {
            scan_with(close, close, start, end, sums, |_, now, before| (now - before) / before)
        }
        Source::Affine { cash, position } => {
            scan_with(close, close, start, end, sums, |_, now, before| {
                let earlier = cash + position * before;
                (cash + position * now - earlier) / earlier.abs()
            })
        }
    }
}

/// `return_of` takes a bar's value in `known`, its close and the close before.
#[inline(always)]
fn scan_with(
    close: &[f64],
    known: &[f64],
    start: usize,
    end: usize,
    sums: &mut Sums,
    return_of: impl Fn(f64, f64, f64) -> f64,
) -> Extremes {
    let (now, before, known) = (&close[start..end], &close[start - 1..end - 1], &known[start..end]);
    let mut lanes = *sums;
    let mut low = [f64::INFINITY; LANES];
    let mut high = [f64::NEG_INFINITY; LANES];
    let (now, now_rest) = now.as_chunks::<LANES>();
    let (before, before_rest) = before.as_chunks::<LANES>();
    let (known, known_rest) = known.as_chunks::<LANES>();
    for ((now, before), known) in now.iter().zip(before).zip(known) {
        for lane in 0..LANES {
            lanes.add(lane, return_of(known[lane], now[lane], before[lane]));
            low[lane] = if now[lane] < low[lane] { now[lane] } else { low[lane] };
            high[lane] = if now[lane] > high[lane] { now[lane] } else { high[lane] };
        }
    }
    for (lane, ((&now, &before), &known)) in
        now_rest.iter().zip(before_rest).zip(known_rest).enumerate()
    {
        lanes.add(lane, return_of(known, now, before));
        low[lane] = if now < low[lane] { now } else { low[lane] };
        high[lane] = if now > high[lane] { now } else { high[lane] };
    }
    *sums = lanes;
    Extremes { low: fold(low, |a, b| a < b), high: fold(high, |a, b| a > b) }
}

/// The lane that `is_better` than all others, in a tree.
#[inline(always)]
fn fold(lanes: [f64; LANES], is_better: impl Fn(f64, f64) -> bool) -> f64 {
    let pick = |a, b| if is_better(a, b) { a } else { b };
    let four = [0, 1, 2, 3].map(|l| pick(lanes[l], lanes[l + 4]));
    pick(pick(four[0], four[2]), pick(four[1], four[3]))
}
