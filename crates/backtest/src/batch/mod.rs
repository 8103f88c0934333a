//! Many trials of one strategy at once.
//!
//! While a fully invested long holds, its equity is proportional to the price: the sums of its
//! returns are differences of prefix sums, its deepest fall a range minimum, and both belong to
//! the prices, not to the trial. A [`Tile`] prepares them once for a stretch of bars that stays in
//! L2; a [`Batch`] of eight trials then pays for its orders alone. It gives the statistics that
//! [`crate::statistics::Run`] gives, to rounding, and keeps no fills.
//!
//! | what | file |
//! |---|---|
//! | prefix sums and range minima of a stretch of bars | `tile.rs` |
//! | signals to the bars of orders | `events.rs` |
//! | eight accounts side by side | `lanes.rs` |
//! | eight numbers as one | `vector.rs`, `avx512.rs` |
//!
//! ```
//! use backtest::batch::{Batch, Events, Tile};
//! use backtest::strategy::{self, EntryExit, Feature, Last, Strategy};
//! use backtest::{Config, statistics::Stat};
//! use market_data::{SynthOptions, synth};
//!
//! let bars = synth(&SynthOptions { bars: 1_000, ..SynthOptions::default() });
//! let cross = strategy::find("ma-cross")?;
//! // Two trials of one tile; a longer series goes through tile by tile.
//! let mut signals = Vec::new();
//! for values in [[5.0, 20.0], [10.0, 40.0]] {
//!     let column = |feature: &Feature| {
//!         let mut column = vec![0.0; bars.len()];
//!         feature.compute(bars.view(), &mut column).map(|()| column)
//!     };
//!     let features = cross.features(&values);
//!     let columns = features.iter().map(column).collect::<Result<Vec<_>, _>>()?;
//!     let columns: Vec<&[f64]> = columns.iter().map(Vec::as_slice).collect();
//!     let (mut memory, mut out) = (vec![Last::default(); cross.crossings()], EntryExit::default());
//!     cross.signals(&columns, &values, &mut memory, &mut out);
//!     signals.push(out);
//! }
//! let mut batch = Batch::new(&Config::default()).expect("a case for batches");
//! let (mut tile, mut events) = (Tile::new(), Events::new());
//! tile.load(&bars.close, 0..bars.len());
//! batch.feed(&tile, &signals, &mut events);
//! assert!(batch.statistics(1, bars.view(), 60_000_000_000).get(Stat::TotalTrades) > Some(0.0));
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

#[cfg(target_arch = "x86_64")]
mod avx512;
mod events;
mod lanes;
mod tile;
mod vector;

pub use events::Events;
pub use tile::{TILE, Tile};
pub use vector::LANES;

use market_data::BarsView;
use multiversion::multiversion;

#[cfg(target_arch = "x86_64")]
use self::avx512::Zmm;
use self::lanes::Lanes;
use self::vector::{Bits, Reals, Vector};
use crate::engine::AllIn;
use crate::statistics::{About, Moments, Path, Statistics, TradeSums};
use crate::strategy::EntryExit;
use crate::{Config, Direction};

/// At most [`LANES`] trials that go through the bars together, tile by tile.
#[derive(Debug)]
pub struct Batch {
    all_in: AllIn,
    accounts: Accounts,
    segments: Vec<[Moments; LANES]>,
    /// Sums at the end of the last segment.
    seen: [Moments; LANES],
    bars: usize,
}

/// The accounts, in the form that suits the machine.
#[derive(Debug)]
enum Accounts {
    Plain(Box<Lanes<Reals>>),
    #[cfg(target_arch = "x86_64")]
    Avx512(Box<Lanes<Zmm>>),
}

impl Batch {
    /// Accounts at their start, where `config` is the case that this path knows: long only, all
    /// cash in, all units out, no stops, the same costs at every bar.
    #[must_use]
    pub fn new(config: &Config<'_>) -> Option<Self> {
        let all_in = AllIn::of(config).filter(|_| config.direction == Direction::LongOnly)?;
        Some(Self::with(all_in, Accounts::new(config.init_cash)))
    }

    fn with(all_in: AllIn, accounts: Accounts) -> Self {
        let seen = [Moments::default(); LANES];
        Self { all_in, accounts, segments: Vec::new(), seen, bars: 0 }
    }

    /// Goes through `tile`, which follows the one before. `signals` are a tile's for each trial;
    /// places beyond them stay idle. `events` is room to work in.
    ///
    /// # Panics
    /// When there are more than [`LANES`] signals, or a mask has not the length of the tile.
    pub fn feed(&mut self, tile: &Tile<'_>, signals: &[EntryExit], events: &mut Events) {
        assert!(signals.len() <= LANES, "{} trials in a batch", signals.len());
        let all_in = &self.all_in;
        (0..LANES).for_each(|l| events.clear(l));
        for (l, EntryExit { entry, exit, .. }) in signals.iter().enumerate() {
            assert!(entry.len() == tile.len() && exit.len() == tile.len(), "a bit per bar");
            events.find(l, entry.words(), exit.words(), self.accounts.is_open(l));
        }
        match &mut self.accounts {
            Accounts::Plain(lanes) => run(lanes, all_in, tile, events, signals),
            #[cfg(target_arch = "x86_64")]
            // SAFETY: accounts have this form only where the instructions are.
            Accounts::Avx512(lanes) => unsafe { run_avx512(lanes, all_in, tile, events, signals) },
        }
        self.bars = tile.from() + tile.len();
    }

    /// Whether the trial at `place` is flat and can buy nothing at a price of at least `lowest`:
    /// where no close to come is below, it never orders again, whatever its signals.
    #[must_use]
    pub fn is_out(&self, place: usize, lowest: f64) -> bool {
        !self.accounts.is_open(place) && self.all_in.is_out(self.accounts.cash(place), lowest)
    }

    /// Ends a segment: what came since the last is one of [`Self::segments`].
    pub fn cut(&mut self) {
        let (mut now, mut segment) = (self.seen, self.seen);
        for l in 0..LANES {
            let Path { sum, sum_squares, .. } = self.path(l);
            now[l] = Moments { count: self.bars, sum, sum_squares };
            segment[l] = Moments {
                count: now[l].count - self.seen[l].count,
                sum: now[l].sum - self.seen[l].sum,
                sum_squares: now[l].sum_squares - self.seen[l].sum_squares,
            };
        }
        self.segments.push(segment);
        self.seen = now;
    }

    /// Moments of the returns of each segment of the trial at `place`.
    #[must_use]
    pub fn segments(&self, place: usize) -> Vec<Moments> {
        self.segments.iter().map(|segment| segment[place]).collect()
    }

    /// What [`crate::statistics::StatSet::streaming`] holds of the trial at `place`, over the
    /// `bars` it has gone through.
    ///
    /// # Panics
    /// When not all bars have been fed.
    #[must_use]
    pub fn statistics(&self, place: usize, bars: BarsView<'_>, freq_ns: i64) -> Statistics {
        assert_eq!(self.bars, bars.len(), "all bars");
        let about = About { bars, init_cash: self.all_in.init_cash(), freq_ns };
        let last_close = bars.close[bars.len() - 1];
        let (trades, fees) = self.accounts.trades(place, last_close);
        about.statistics(&trades, fees, &self.path(place))
    }

    fn path(&self, l: usize) -> Path {
        match &self.accounts {
            Accounts::Plain(lanes) => lanes.path(l, self.bars),
            #[cfg(target_arch = "x86_64")]
            Accounts::Avx512(lanes) => lanes.path(l, self.bars),
        }
    }
}

impl Accounts {
    fn new(init_cash: f64) -> Self {
        #[cfg(target_arch = "x86_64")]
        if avx512::is_here() {
            return Self::Avx512(Box::new(Lanes::new(init_cash)));
        }
        Self::Plain(Box::new(Lanes::new(init_cash)))
    }

    fn is_open(&self, l: usize) -> bool {
        match self {
            Self::Plain(lanes) => lanes.is_open(l),
            #[cfg(target_arch = "x86_64")]
            Self::Avx512(lanes) => lanes.is_open(l),
        }
    }

    fn cash(&self, l: usize) -> f64 {
        match self {
            Self::Plain(lanes) => lanes.cash(l),
            #[cfg(target_arch = "x86_64")]
            Self::Avx512(lanes) => lanes.cash(l),
        }
    }

    fn trades(&self, l: usize, last_close: f64) -> (TradeSums, f64) {
        match self {
            Self::Plain(lanes) => lanes.trades(l, last_close),
            #[cfg(target_arch = "x86_64")]
            Self::Avx512(lanes) => lanes.trades(l, last_close),
        }
    }
}

/// [`go`] on any machine.
#[multiversion(targets("x86_64+avx2", "aarch64+neon"))]
fn run(
    lanes: &mut Lanes<Reals>,
    all_in: &AllIn,
    tile: &Tile<'_>,
    events: &Events,
    signals: &[EntryExit],
) {
    go(lanes, all_in, tile, events, signals);
}

/// [`go`] where `avx512::is_here`.
#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx512f,avx512dq,avx512vl,avx512cd,avx512bw")]
fn run_avx512(
    lanes: &mut Lanes<Zmm>,
    all_in: &AllIn,
    tile: &Tile<'_>,
    events: &Events,
    signals: &[EntryExit],
) {
    go(lanes, all_in, tile, events, signals);
}

/// Buys and sells in turn until every account has done its events of the tile.
#[inline(always)]
fn go<V: Vector>(
    lanes: &mut Lanes<V>,
    all_in: &AllIn,
    tile: &Tile<'_>,
    events: &Events,
    signals: &[EntryExit],
) {
    lanes.enter();
    let mut left = events.counts();
    let mut doubtful: [Option<u32>; LANES] = [None; LANES];
    // A position that is open at the start takes the place of the first entry.
    let mut on = Bits::above(&left, &[0; LANES]) & !lanes.open();
    let mut at = 0;
    while left.iter().any(|&count| count > at) {
        let bars = events.bars(at as usize);
        let refused = if at % 2 == 0 {
            lanes.buy(all_in, tile, bars, on)
        } else {
            lanes.sell(all_in, tile, bars, on)
        };
        if refused.any() {
            for l in (0..LANES).filter(|&l| refused.get(l)) {
                doubtful[l] = Some(bars[l]);
                left[l] = 0;
            }
        }
        at += 1;
        on = Bits::above(&left, &[at; LANES]);
    }
    for (l, (signals, from)) in signals.iter().zip(doubtful).enumerate() {
        if let Some(from) = from {
            let words = (signals.entry.words(), signals.exit.words());
            lanes.walk(l, all_in, tile, words, from as usize);
        }
    }
    lanes.leave(tile);
}

#[cfg(test)]
mod tests {
    use market_data::{Bars, SynthOptions};

    use super::*;

    /// Entries and exits at about one bar in ten, some at both.
    fn signals(bars: usize, seed: u64) -> [Vec<bool>; 2] {
        let mut state = seed;
        let mut draw = || {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
            (state >> 33).is_multiple_of(10)
        };
        [0, 1].map(|_| (0..bars).map(|_| draw()).collect())
    }

    fn statistics(batch: &mut Batch, bars: &Bars, trials: usize) -> Vec<Statistics> {
        let all: Vec<[Vec<bool>; 2]> =
            (0..trials).map(|trial| signals(bars.len(), trial as u64)).collect();
        let (mut tile, mut events) = (Tile::new(), Events::new());
        for from in (0..bars.len()).step_by(TILE) {
            let to = (from + TILE).min(bars.len());
            tile.load(&bars.close, from..to);
            let of_tile: Vec<EntryExit> = all
                .iter()
                .map(|[entry, exit]| EntryExit {
                    entry: crate::Mask::from_bools(&entry[from..to]),
                    exit: crate::Mask::from_bools(&exit[from..to]),
                    ..EntryExit::default()
                })
                .collect();
            batch.feed(&tile, &of_tile, &mut events);
        }
        (0..trials).map(|trial| batch.statistics(trial, bars.view(), 60_000_000_000)).collect()
    }

    #[test]
    fn every_form_of_accounts_gives_the_same_bits() {
        let bars = market_data::synth(&SynthOptions { bars: 5_000, ..SynthOptions::default() });
        for (fees, fixed_fees, min_size) in [(0.0, 0.0, 1e-8), (0.01, 0.0, 0.5), (0.001, 0.2, 1e-8)]
        {
            let config = Config {
                fees: fees.into(),
                fixed_fees: fixed_fees.into(),
                min_size: min_size.into(),
                ..Config::default()
            };
            let all_in = AllIn::of(&config).expect("the case of batches");
            let plain = Accounts::Plain(Box::new(Lanes::new(config.init_cash)));
            let expected = statistics(&mut Batch::with(all_in, plain), &bars, LANES);
            for trials in [1, 5, LANES] {
                let mut batch = Batch::with(all_in, Accounts::new(config.init_cash));
                assert_eq!(statistics(&mut batch, &bars, trials), expected[..trials]);
            }
        }
    }
}
