//! Sums over the trades of a run.

use crate::engine::Fill;
use crate::records::{Trade, for_each_trade};

/// Sums over trades; averages are left to the reader.
#[derive(Debug, Clone, Copy)]
pub(crate) struct TradeSums {
    pub(crate) closed: usize,
    pub(crate) open: usize,
    pub(crate) open_pnl: f64,
    pub(crate) best: f64,
    pub(crate) worst: f64,
    pub(crate) pnl: f64,
    pub(crate) wins: Side,
    pub(crate) losses: Side,
}

/// The winners or the losers.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Side {
    pub(crate) count: usize,
    pub(crate) pnl: f64,
    pub(crate) return_share: f64,
    pub(crate) bars: usize,
}

impl TradeSums {
    pub(super) fn of(fills: &[Fill], last_close: f64, bars: usize) -> Self {
        let mut sums = Self::new();
        sums.add_all(fills, last_close, bars);
        sums
    }

    pub(super) fn new() -> Self {
        Self {
            closed: 0,
            open: 0,
            open_pnl: 0.0,
            best: f64::NEG_INFINITY,
            worst: f64::INFINITY,
            pnl: 0.0,
            wins: Side::default(),
            losses: Side::default(),
        }
    }

    /// Adds the trades of `fills`.
    pub(super) fn add_all(&mut self, fills: &[Fill], last_close: f64, bars: usize) {
        for_each_trade(fills, last_close, bars, |trade| self.add(trade));
    }

    fn add(&mut self, trade: &Trade) {
        let pnl = trade.pnl();
        if trade.is_open {
            self.open += 1;
            self.open_pnl += pnl;
            return;
        }
        let return_share = trade.return_share();
        self.closed += 1;
        self.pnl += pnl;
        self.best = self.best.max(return_share);
        self.worst = self.worst.min(return_share);
        let side = if pnl > 0.0 {
            &mut self.wins
        } else if pnl < 0.0 {
            &mut self.losses
        } else {
            return;
        };
        side.count += 1;
        side.pnl += pnl;
        side.return_share += return_share;
        side.bars += trade.bars();
    }
}
