//! Sums over the trades of a run.

use crate::engine::Fill;
use crate::records::{Trade, for_each_trade};

/// Sums over trades; averages are left to the reader.
#[derive(Debug, Clone, Copy)]
pub(super) struct TradeSums {
    pub(super) closed: usize,
    pub(super) open: usize,
    pub(super) open_pnl: f64,
    pub(super) best: f64,
    pub(super) worst: f64,
    pub(super) pnl: f64,
    pub(super) wins: Side,
    pub(super) losses: Side,
}

/// The winners or the losers.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Side {
    pub(super) count: usize,
    pub(super) pnl: f64,
    pub(super) return_share: f64,
    pub(super) bars: usize,
}

impl TradeSums {
    pub(super) fn of(fills: &[Fill], last_close: f64, bars: usize) -> Self {
        let mut sums = Self {
            closed: 0,
            open: 0,
            open_pnl: 0.0,
            best: f64::NEG_INFINITY,
            worst: f64::INFINITY,
            pnl: 0.0,
            wins: Side::default(),
            losses: Side::default(),
        };
        for_each_trade(fills, last_close, bars, |trade| sums.add(trade));
        sums
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
