//! Records of a run as tables.

use backtest::engine::{Fill, Side};
use backtest::records::{Drawdown, Trade};
use backtest::statistics::{self, Run};
use market_data::table::{Column, Table};

use crate::report;

pub(crate) fn orders(run: &Run<'_>) -> Table {
    let orders = || run.fills.iter().map(|fill| fill.order);
    let side = |fill: &Fill| match fill.order.side {
        Side::Buy => "buy".to_owned(),
        Side::Sell => "sell".to_owned(),
    };
    let time = |bar: usize| run.bars.timestamp[bar];
    Table::new()
        .with("timestamp", Column::Timestamp(orders().map(|order| time(order.bar)).collect()))
        .with("bar", Column::I64(orders().map(|order| order.bar as i64).collect()))
        .with("side", Column::Str(run.fills.iter().map(side).collect()))
        .with("size", Column::F64(orders().map(|order| order.size).collect()))
        .with("price", Column::F64(orders().map(|order| order.price).collect()))
        .with("fees", Column::F64(orders().map(|order| order.fees).collect()))
}

pub(crate) fn trades(run: &Run<'_>) -> Table {
    let trades = report::trades(run);
    let number = |of: fn(&Trade) -> f64| Column::F64(trades.iter().map(of).collect());
    let time = |of: fn(&Trade) -> usize| {
        Column::Timestamp(trades.iter().map(|trade| run.bars.timestamp[of(trade)]).collect())
    };
    let word = |of: fn(&Trade) -> bool, yes: &str, no: &str| {
        let word = |trade| if of(trade) { yes.to_owned() } else { no.to_owned() };
        Column::Str(trades.iter().map(word).collect())
    };
    Table::new()
        .with("position", Column::I64(trades.iter().map(|trade| trade.position as i64).collect()))
        .with("direction", word(|trade| trade.is_long, "long", "short"))
        .with("status", word(|trade| trade.is_open, "open", "closed"))
        .with("entry_timestamp", time(|trade| trade.entry_bar))
        .with("exit_timestamp", time(|trade| trade.exit_bar))
        .with("size", number(|trade| trade.size))
        .with("entry_price", number(|trade| trade.entry_price))
        .with("entry_fees", number(|trade| trade.entry_fees))
        .with("exit_price", number(|trade| trade.exit_price))
        .with("exit_fees", number(|trade| trade.exit_fees))
        .with("pnl", number(Trade::pnl))
        .with("return", number(Trade::return_share))
}

pub(crate) fn equity(run: &Run<'_>) -> Table {
    let mut equity = vec![0.0; run.bars.len()];
    statistics::equity(run.bars.close, run.fills, run.init_cash, &mut equity);
    let mut returns = equity.clone();
    statistics::returns(run.init_cash, &mut returns);
    Table::new()
        .with("timestamp", Column::Timestamp(run.bars.timestamp.to_vec()))
        .with("equity", Column::F64(equity))
        .with("return", Column::F64(returns))
}

pub(crate) fn drawdowns(run: &Run<'_>, drawdowns: &[Drawdown]) -> Table {
    let number = |of: fn(&Drawdown) -> f64| Column::F64(drawdowns.iter().map(of).collect());
    let time = |of: fn(&Drawdown) -> usize| {
        let time = |drawdown| run.bars.timestamp[of(drawdown)];
        Column::Timestamp(drawdowns.iter().map(time).collect())
    };
    let status = |drawdown: &Drawdown| if drawdown.is_recovered { "recovered" } else { "open" };
    Table::new()
        .with("peak_timestamp", time(|drawdown| drawdown.peak_bar))
        .with("trough_timestamp", time(|drawdown| drawdown.trough_bar))
        .with("end_timestamp", time(|drawdown| drawdown.end_bar))
        .with("peak", number(|drawdown| drawdown.peak))
        .with("trough", number(|drawdown| drawdown.trough))
        .with("depth", number(Drawdown::depth))
        .with("bars", Column::I64(drawdowns.iter().map(|d| d.bars() as i64).collect()))
        .with("status", Column::Str(drawdowns.iter().map(|d| status(d).to_owned()).collect()))
}
