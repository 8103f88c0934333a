//! Trades as lists: by exit, by position, and by entry.

use super::{Trade, for_each_trade};
use crate::engine::{Fill, Side};

/// The trades that [`for_each_trade`] visits: one for every order that closes or reduces. O(fills).
#[must_use]
pub fn exit_trades(fills: &[Fill], last_close: f64, bars: usize) -> Vec<Trade> {
    let mut trades = Vec::new();
    for_each_trade(fills, last_close, bars, |trade| trades.push(*trade));
    trades
}

/// One record for every position, from flat to flat or to a reversal: prices are averages by size,
/// fees and profits sums over its exit trades. What is open at the end exits at the last close,
/// without fees. Arguments as of [`for_each_trade`]. O(fills).
#[must_use]
pub fn positions(fills: &[Fill], last_close: f64, bars: usize) -> Vec<Trade> {
    let mut positions: Vec<Trade> = Vec::new();
    for_each_trade(fills, last_close, bars, |trade| match positions.last_mut() {
        Some(position) if position.position == trade.position => join(position, trade),
        _ => positions.push(*trade),
    });
    positions
}

/// Adds an exit trade to its position.
fn join(position: &mut Trade, trade: &Trade) {
    let size = position.size + trade.size;
    let average = |a: f64, b: f64| (a * position.size + b * trade.size) / size;
    position.entry_price = average(position.entry_price, trade.entry_price);
    position.exit_price = average(position.exit_price, trade.exit_price);
    position.entry_fees += trade.entry_fees;
    position.exit_fees += trade.exit_fees;
    position.exit_bar = trade.exit_bar;
    position.is_open = trade.is_open;
    position.size = size;
}

/// One record for every order that opens or adds to a position: its own price and fees, and the
/// average exit of its position, of whose fees it bears its share by size. Charges for borrowing
/// fall to the entry before them. Arguments as of [`for_each_trade`]. O(fills).
#[must_use]
pub fn entry_trades(fills: &[Fill], last_close: f64, bars: usize) -> Vec<Trade> {
    let mut exits = positions(fills, last_close, bars).into_iter();
    let mut entries = Vec::new();
    let mut before = 0.0;
    let mut position = None;
    for fill in fills {
        let after = fill.account.position;
        let is_new = before == 0.0 || before * after < 0.0;
        if is_new {
            position = exits.next();
        }
        let is_entry = is_new || (fill.order.side == Side::Buy) == (before > 0.0);
        match (is_entry, position) {
            (true, _) if fill.is_charge() => bear(entries.last_mut(), fill.order.fees),
            (true, Some(position)) => entries.push(entry(fill, before, &position)),
            _ => {}
        }
        before = after;
    }
    entries
}

fn bear(entry: Option<&mut Trade>, fees: f64) {
    if let Some(entry) = entry {
        entry.entry_fees += fees;
    }
}

/// The entry that `fill` is, after `before` units were held.
fn entry(fill: &Fill, before: f64, position: &Trade) -> Trade {
    let order = fill.order;
    let after = fill.account.position;
    // Of a reversal, what opens the new position.
    let size = if before * after < 0.0 { after.abs() } else { order.size };
    Trade {
        size,
        entry_bar: order.bar,
        entry_price: order.price,
        entry_fees: order.fees * (size / order.size),
        exit_fees: position.exit_fees * (size / position.size),
        ..*position
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::{Account, Order};

    fn fill(bar: usize, side: Side, size: f64, price: f64, fees: f64, position: f64) -> Fill {
        let order = Order { bar, side, size, price, fees };
        Fill { order, account: Account { position, ..Account::new(0.0) } }
    }

    /// 2 at 10, 2 at 14, out with 1 at 20, reversed to a short of 1 with 4 at 16, still open at 12.
    fn fills() -> [Fill; 4] {
        [
            fill(0, Side::Buy, 2.0, 10.0, 1.0, 2.0),
            fill(1, Side::Buy, 2.0, 14.0, 3.0, 4.0),
            fill(2, Side::Sell, 1.0, 20.0, 2.0, 3.0),
            fill(3, Side::Sell, 4.0, 16.0, 8.0, -1.0),
        ]
    }

    /// Sums of entries leave an average that is not their price to the last digit.
    #[test]
    fn a_trade_out_at_its_entry_price_is_neither_won_nor_lost() {
        let price = 88.57;
        let sizes = [0.1, 0.2, 3.387_2, 0.7];
        let mut held = 0.0;
        let mut fills: Vec<Fill> = Vec::new();
        for (bar, size) in sizes.into_iter().enumerate() {
            held += size;
            fills.push(fill(bar, Side::Buy, size, price, 0.0, held));
        }
        let half = held / 3.0;
        fills.push(fill(4, Side::Sell, half, price, 0.0, held - half));
        for trade in exit_trades(&fills, price, 6) {
            assert_eq!((trade.pnl(), trade.return_share()), (0.0, 0.0), "{trade:?}");
        }
        let [_, open] = exit_trades(&fills, price * (1.0 + 1e-8), 6)[..] else { panic!("two") };
        assert!(open.pnl() > 0.0, "{open:?}");
    }

    #[test]
    fn positions_join_their_exits() {
        let [long, short] = positions(&fills(), 12.0, 6)[..] else { panic!("two positions") };
        assert_eq!((long.entry_bar, long.exit_bar, long.is_open), (0, 3, false));
        assert_eq!((long.size, long.entry_price, long.exit_price), (4.0, 12.0, 17.0));
        // Three of the four units that were sold last close the long: 6 of the fees of 8.
        assert_eq!((long.entry_fees, long.exit_fees), (4.0, 8.0));
        assert_eq!(long.pnl(), 8.0);
        assert_eq!((short.entry_bar, short.exit_bar, short.is_open), (3, 5, true));
        assert_eq!((short.is_long, short.size, short.pnl()), (false, 1.0, 2.0));
    }

    #[test]
    fn entries_share_the_exits() {
        let [first, second, short] = entry_trades(&fills(), 12.0, 6)[..] else {
            panic!("three entries")
        };
        assert_eq!((first.entry_bar, first.entry_price, first.exit_price), (0, 10.0, 17.0));
        // Half of the units, half of the fees of 8: 14 - 1 - 4.
        assert_eq!((first.exit_fees, first.pnl()), (4.0, 9.0));
        assert_eq!((second.entry_fees, second.pnl()), (3.0, -1.0));
        assert_eq!((short.entry_fees, short.pnl(), short.is_open), (2.0, 2.0, true));
    }

    #[test]
    fn a_charge_falls_to_the_entry_before_it() {
        let fills = [
            fill(0, Side::Sell, 1.0, 10.0, 0.5, -1.0),
            fill(1, Side::Sell, 0.0, 10.0, 0.25, -1.0),
            fill(2, Side::Buy, 1.0, 8.0, 0.0, 0.0),
        ];
        let [trade] = entry_trades(&fills, 8.0, 3)[..] else { panic!("one entry") };
        assert_eq!(trade.pnl(), 1.25);
        assert_eq!(positions(&fills, 8.0, 3)[0].pnl(), 1.25);
    }
}
