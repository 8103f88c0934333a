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

    #[inline(always)]
    fn add_group(&mut self, returns: &Group) {
        returns.iter().enumerate().for_each(|(lane, &r)| self.add(lane, r));
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
    let (now, before, known) = (&close[start..], &close[start - 1..], &known[start..]);
    let count = end - start;
    let mut lanes = *sums;
    let mut extremes =
        LaneExtremes { low: [f64::INFINITY; LANES], high: [f64::NEG_INFINITY; LANES] };
    let whole = (now.as_chunks().0.iter().zip(before.as_chunks().0)).zip(known.as_chunks().0);
    for ((now, before), known) in whole.take(count / LANES) {
        let (now, before, known): (&Group, &Group, &Group) = (now, before, known);
        let mut returns = [0.0; LANES];
        for lane in 0..LANES {
            returns[lane] = return_of(known[lane], now[lane], before[lane]);
        }
        lanes.add_group(&returns);
        extremes.note_group(now);
    }
    let done = count - count % LANES;
    let (now, before, known) = (&now[done..], &before[done..], &known[done..]);
    match (now.first_chunk::<LANES>(), before.first_chunk(), known.first_chunk()) {
        // A stretch is a few groups long: one bar after the other, its last bars would cost as much
        // as all before. The bars behind them are read too, and masked.
        (Some(now), Some(before), Some(known)) if done < count => {
            let (now, before, known): (&Group, &Group, &Group) = (now, before, known);
            let (returns, closes) = masked(count - done, now, before, known, return_of);
            lanes.add_group(&returns);
            extremes.note_group(&closes);
        }
        // The end of the series.
        _ => {
            let rest = now.iter().zip(before).zip(known).take(count - done);
            for (lane, ((&now, &before), &known)) in rest.enumerate() {
                lanes.add(lane, return_of(known, now, before));
                extremes.note(lane, now);
            }
        }
    }
    *sums = lanes;
    extremes.fold()
}

/// Returns and closes of the first `count` lanes; in the others returns of 0 and the first close,
/// which change no sum and no extreme.
#[inline(always)]
fn masked(
    count: usize,
    now: &Group,
    before: &Group,
    known: &Group,
    return_of: impl Fn(f64, f64, f64) -> f64,
) -> (Group, Group) {
    let is_in = &FIRST[count];
    let first = now[0].to_bits();
    let (mut returns, mut closes) = ([0.0; LANES], [0.0; LANES]);
    for lane in 0..LANES {
        let r = return_of(known[lane], now[lane], before[lane]);
        returns[lane] = f64::from_bits(r.to_bits() & is_in[lane]);
    }
    for lane in 0..LANES {
        closes[lane] = f64::from_bits(now[lane].to_bits() & is_in[lane] | first & !is_in[lane]);
    }
    (returns, closes)
}

/// Lowest and highest close by lane.
struct LaneExtremes {
    low: Group,
    high: Group,
}

impl LaneExtremes {
    #[inline(always)]
    fn note(&mut self, lane: usize, close: f64) {
        self.low[lane] = if close < self.low[lane] { close } else { self.low[lane] };
        self.high[lane] = if close > self.high[lane] { close } else { self.high[lane] };
    }

    #[inline(always)]
    fn note_group(&mut self, closes: &Group) {
        closes.iter().enumerate().for_each(|(lane, &close)| self.note(lane, close));
    }

    #[inline(always)]
    fn fold(self) -> Extremes {
        Extremes { low: fold(self.low, |a, b| a < b), high: fold(self.high, |a, b| a > b) }
    }
}

type Group = [f64; LANES];

/// Masks of the first so many lanes.
static FIRST: [[u64; LANES]; LANES] = {
    let mut masks = [[0; LANES]; LANES];
    let mut place = 0;
    while place < LANES * LANES {
        let (count, lane) = (place / LANES, place % LANES);
        masks[count][lane] = if lane < count { u64::MAX } else { 0 };
        place += 1;
    }
    masks
};

/// The lane that `is_better` than all others, in a tree.
#[inline(always)]
fn fold(lanes: [f64; LANES], is_better: impl Fn(f64, f64) -> bool) -> f64 {
    let pick = |a, b| if is_better(a, b) { a } else { b };
    let four = [0, 1, 2, 3].map(|l| pick(lanes[l], lanes[l + 4]));
    pick(pick(four[0], four[2]), pick(four[1], four[3]))
}
