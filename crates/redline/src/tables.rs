//! Records of a run as tables.

use backtest::engine::{Fill, Side};
use backtest::records::{Drawdown, Trade};
use backtest::statistics::{self, Course};
use market_data::table::{Column, Table};

/// Filled orders, without what borrowing costs.
pub(crate) fn orders(timestamps: &[i64], fills: &[Fill]) -> Table {
    let fills: Vec<&Fill> = fills.iter().filter(|fill| !fill.is_charge()).collect();
    let orders = || fills.iter().map(|fill| fill.order);
    let side = |fill: &&Fill| match fill.order.side {
        Side::Buy => "buy".to_owned(),
        Side::Sell => "sell".to_owned(),
    };
    let time = |bar: usize| timestamps[bar];
    Table::new()
        .with("timestamp", Column::Timestamp(orders().map(|order| time(order.bar)).collect()))
        .with("bar", Column::I64(orders().map(|order| order.bar as i64).collect()))
        .with("side", Column::Str(fills.iter().map(side).collect()))
        .with("size", Column::F64(orders().map(|order| order.size).collect()))
        .with("price", Column::F64(orders().map(|order| order.price).collect()))
        .with("fees", Column::F64(orders().map(|order| order.fees).collect()))
}

/// Trades of any form: by exit, by entry or by position.
pub(crate) fn trades(timestamps: &[i64], trades: &[Trade]) -> Table {
    let number = |of: fn(&Trade) -> f64| Column::F64(trades.iter().map(of).collect());
    let time = |of: fn(&Trade) -> usize| {
        Column::Timestamp(trades.iter().map(|trade| timestamps[of(trade)]).collect())
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

/// `tables`, one per asset of `names`, below each other, with a column that names the asset.
pub(crate) fn of_assets(names: &[&str], tables: Vec<Table>) -> Table {
    let count = |table: &Table| match table.names().next().and_then(|name| table.column(name)) {
        Some(Column::Timestamp(rows) | Column::I64(rows)) => rows.len(),
        _ => 0,
    };
    let rows = names.iter().zip(&tables);
    let names =
        rows.flat_map(|(name, table)| std::iter::repeat_n((*name).to_owned(), count(table)));
    let mut all = Table::new().with("asset", Column::Str(names.collect()));
    let columns: Vec<String> = tables[0].names().map(str::to_owned).collect();
    for name in &columns {
        let parts = tables.iter().filter_map(|table| table.column(name).cloned());
        if let Some(column) = parts.reduce(below) {
            all = all.with(name, column);
        }
    }
    all
}

/// Two columns of one kind below each other.
fn below(upper: Column, lower: Column) -> Column {
    match (upper, lower) {
        (Column::F64(a), Column::F64(b)) => Column::F64([a, b].concat()),
        (Column::I64(a), Column::I64(b)) => Column::I64([a, b].concat()),
        (Column::Timestamp(a), Column::Timestamp(b)) => Column::Timestamp([a, b].concat()),
        (Column::Bool(a), Column::Bool(b)) => Column::Bool([a, b].concat()),
        (Column::Str(a), Column::Str(b)) => Column::Str([a, b].concat()),
        (upper, _) => upper,
    }
}

/// Equity, returns and exposure per bar.
pub(crate) fn equity(timestamps: &[i64], course: Course, init_cash: f64) -> Table {
    let mut returns = course.equity.clone();
    statistics::returns(init_cash, &mut returns);
    Table::new()
        .with("timestamp", Column::Timestamp(timestamps.to_vec()))
        .with("equity", Column::F64(course.equity))
        .with("return", Column::F64(returns))
        .with("exposure", Column::F64(course.exposure))
}

pub(crate) fn drawdowns(timestamps: &[i64], drawdowns: &[Drawdown]) -> Table {
    let number = |of: fn(&Drawdown) -> f64| Column::F64(drawdowns.iter().map(of).collect());
    let time = |of: fn(&Drawdown) -> usize| {
        let time = |drawdown| timestamps[of(drawdown)];
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
