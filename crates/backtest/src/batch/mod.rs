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
//! | eight numbers as one | `vector.rs` |

mod events;
mod lanes;
mod tile;
mod vector;

pub use tile::{TILE, Tile};
pub use vector::LANES;

use market_data::BarsView;
use multiversion::multiversion;

use self::events::Events;
use self::lanes::Lanes;
use self::vector::Mask;
use crate::engine::AllIn;
use crate::statistics::{About, Moments, Path, Side, Statistics, TradeSums};
use crate::strategy::EntryExit;
use crate::{Config, Direction};

/// At most [`LANES`] trials that go through the bars together, tile by tile.
#[derive(Debug)]
pub struct Batch {
    all_in: AllIn,
    lanes: Lanes,
    events: Box<[Events; LANES]>,
    segments: Vec<[Moments; LANES]>,
    /// Sums at the end of the last segment.
    seen: [Moments; LANES],
    bars: usize,
}

impl Batch {
    /// Accounts at their start, where `config` is the case that this path knows: long only, all
    /// cash in, all units out, no stops, the same costs at every bar.
    #[must_use]
    pub fn new(config: &Config<'_>) -> Option<Self> {
        let all_in = AllIn::of(config).filter(|_| config.direction == Direction::LongOnly)?;
        Some(Self {
            all_in,
            lanes: Lanes::new(config.init_cash),
            events: Box::new([const { Events::NONE }; LANES]),
            segments: Vec::new(),
            seen: [Moments::default(); LANES],
            bars: 0,
        })
    }

    /// Back to the start, for other trials.
    pub fn reset(&mut self) {
        self.lanes = Lanes::new(self.all_in.init_cash());
        self.segments.clear();
        self.seen = [Moments::default(); LANES];
        self.bars = 0;
    }

    /// Goes through `tile`, which follows the one before. `signals` are a tile's for each trial;
    /// places beyond them stay idle.
    ///
    /// # Panics
    /// When there are more than [`LANES`] signals, or a mask has not the length of the tile.
    pub fn feed(&mut self, tile: &Tile<'_>, signals: &[EntryExit]) {
        assert!(signals.len() <= LANES, "{} trials in a batch", signals.len());
        for (l, events) in self.events.iter_mut().enumerate() {
            let Some(EntryExit { entry, exit }) = signals.get(l) else {
                *events = Events::NONE;
                continue;
            };
            assert!(entry.len() == tile.len() && exit.len() == tile.len(), "a bit per bar");
            events.find(entry.words(), exit.words(), self.lanes.is_open(l));
        }
        let doubtful = run(&mut self.lanes, &self.all_in, tile, &self.events);
        for (l, (signals, from)) in signals.iter().zip(doubtful).enumerate() {
            if let Some(from) = from {
                let words = (signals.entry.words(), signals.exit.words());
                self.lanes.walk(l, &self.all_in, tile, words, from);
            }
        }
        self.lanes.leave(tile);
        self.bars = tile.from() + tile.len();
    }

    /// Ends a segment: what came since the last is one of [`Self::segments`].
    pub fn cut(&mut self) {
        let sums = &self.lanes.path.past;
        let now = std::array::from_fn(|l| Moments {
            count: self.bars,
            sum: sums.all.0[l],
            sum_squares: sums.squares.0[l],
        });
        self.segments.push(std::array::from_fn(|l| {
            let (now, seen): (Moments, Moments) = (now[l], self.seen[l]);
            Moments {
                count: now.count - seen.count,
                sum: now.sum - seen.sum,
                sum_squares: now.sum_squares - seen.sum_squares,
            }
        }));
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
        let path = self.path(place);
        about.statistics(&self.trades(place, bars), self.lanes.trades.fees.0[place], &path)
    }

    fn path(&self, l: usize) -> Path {
        let path = &self.lanes.path;
        let since_peak = self.bars as f64 - path.peak_bar.0[l] - 1.0;
        let lasts = if path.is_below_peak.get(l) { since_peak } else { 0.0 };
        let has_traded = self.lanes.trades.closed.0[l] > 0.0 || self.lanes.is_open(l);
        Path {
            sum: path.past.all.0[l],
            gains: path.past.gains.0[l],
            losses: path.past.losses.0[l],
            sum_squares: path.past.squares.0[l],
            sum_downside_squares: path.past.downside_squares.0[l],
            final_equity: path.equity.0[l],
            max_drawdown: path.max_drawdown.0[l],
            longest_drawdown: path.longest.0[l].max(lasts) as usize,
            max_gross_exposure: if has_traded { 1.0 } else { 0.0 },
            is_ruined: false,
        }
    }

    fn trades(&self, l: usize, bars: BarsView<'_>) -> TradeSums {
        let lanes = &self.lanes;
        let trades = &lanes.trades;
        let side = |sides: &lanes::Sides| Side {
            count: sides.count.0[l] as usize,
            pnl: sides.pnl.0[l],
            return_share: sides.return_share.0[l],
            bars: sides.bars.0[l] as usize,
        };
        let is_open = lanes.is_open(l);
        let last_close = bars.close[bars.len() - 1];
        TradeSums {
            closed: trades.closed.0[l] as usize,
            open: usize::from(is_open),
            open_pnl: if is_open { lanes.open_pnl(l, last_close) } else { 0.0 },
            best: trades.best.0[l],
            worst: trades.worst.0[l],
            pnl: trades.pnl.0[l],
            wins: side(&trades.wins),
            losses: side(&trades.losses),
        }
    }
}

/// Buys and sells in turn until every account has done its events. Gives the bar from which on an
/// account must be walked on its own, where an order may have been rejected.
#[multiversion(targets(
    "x86_64+avx512f+avx512vl+avx512dq+avx512bw",
    "x86_64+avx2",
    "aarch64+neon"
))]
fn run(
    lanes: &mut Lanes,
    all_in: &AllIn,
    tile: &Tile<'_>,
    events: &[Events; LANES],
) -> [Option<usize>; LANES] {
    lanes.enter(tile);
    let mut left: [usize; LANES] = std::array::from_fn(|l| events[l].len());
    let mut doubtful = [None; LANES];
    // A position that is open at the start takes the place of the first entry.
    let carried = Mask::of(|l| lanes.is_open(l));
    let mut place = 0;
    while left.iter().any(|&count| count > place) {
        let at = std::array::from_fn(|l| if left[l] > place { events[l].bar(place) } else { 0 });
        let mut on = Mask::of(|l| left[l] > place);
        if place == 0 {
            on = on & !carried;
        }
        let refused = if place % 2 == 0 {
            lanes.buy(all_in, tile, &at, on)
        } else {
            lanes.sell(all_in, tile, &at, on)
        };
        if refused.any() {
            for l in (0..LANES).filter(|&l| refused.get(l)) {
                doubtful[l] = Some(at[l]);
                left[l] = 0;
            }
        }
        place += 1;
    }
    doubtful
}
