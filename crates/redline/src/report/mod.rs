//! One run as a page of HTML that needs nothing else: `redline backtest --report`.

use anyhow::{Context, Result};
use backtest::records::{Drawdown, drawdowns};
use backtest::statistics::{
    self, MonthlyReturn, Run, Stat, StatSet, Statistics, Versus, buy_and_hold, monthly_returns,
    rolling_sharpe, ulcer_index,
};
use minijinja::value::Serde;
use serde::Serialize;

use crate::chart::{Chart, Drawing, Series, grouped, short};
use crate::{chart, stats, values};

/// Marks of orders that a picture can hold.
const MOST_MARKS: usize = 160;

/// Days of returns in a rolling Sharpe ratio.
const ROLLING_DAYS: f64 = 30.0;

/// Drawdowns in the table.
const DEEPEST: usize = 10;

/// What a run is in full: what its page and its document say beyond VectorBT's statistics.
pub(crate) struct Detail {
    pub(crate) equity: Vec<f64>,
    returns: Vec<f64>,
    held: Vec<f64>,
    held_statistics: Statistics,
    pub(crate) drawdowns: Vec<Drawdown>,
    versus: Versus,
    bars_per_year: f64,
}

/// What the document says beyond VectorBT's statistics.
#[derive(Serialize)]
pub(crate) struct Beyond {
    ulcer_index_percent: f64,
    drawdowns: usize,
    monthly_returns_percent: Vec<Month>,
    benchmark: Benchmark,
}

#[derive(Serialize)]
struct Month {
    month: String,
    value: f64,
}

/// Buying at the first close and holding, without costs.
#[derive(Serialize)]
struct Benchmark {
    total_return_percent: Option<f64>,
    max_drawdown_percent: Option<f64>,
    sharpe_ratio: Option<f64>,
    excess_return_percent: Option<f64>,
    tracking_error_percent: Option<f64>,
    information_ratio: Option<f64>,
    correlation: Option<f64>,
}

impl Detail {
    pub(crate) fn new(run: &Run<'_>) -> Self {
        let close = run.bars.close;
        let fill = [buy_and_hold(close[0], run.init_cash)];
        let held_run = Run { fills: &fill, ..*run };
        let curve = |fills| {
            let mut equity = vec![0.0; close.len()];
            statistics::equity(close, fills, run.init_cash, &mut equity);
            let mut returns = equity.clone();
            statistics::returns(run.init_cash, &mut returns);
            (equity, returns)
        };
        let ((equity, returns), (held, held_returns)) = (curve(run.fills), curve(&fill));
        let bars_per_year = 365.0 * 86_400e9 / run.freq_ns as f64;
        Self {
            drawdowns: drawdowns(&equity),
            versus: Versus::of(&returns, &held_returns, bars_per_year),
            held_statistics: held_run.statistics(StatSet::all()),
            equity,
            returns,
            held,
            bars_per_year,
        }
    }

    pub(crate) fn beyond(&self, run: &Run<'_>) -> Beyond {
        let finite = |value: f64| Some(value).filter(|value| value.is_finite());
        let held = |stat| self.held_statistics.get(stat);
        let total = run.statistics(StatSet::of(&[Stat::TotalReturn]));
        let excess = total.get(Stat::TotalReturn).zip(held(Stat::TotalReturn));
        Beyond {
            ulcer_index_percent: ulcer_index(&self.equity),
            drawdowns: self.drawdowns.len(),
            monthly_returns_percent: self
                .months(run)
                .iter()
                .map(|month| Month {
                    month: format!("{:04}-{:02}", month.year, month.month),
                    value: month.return_share * 100.0,
                })
                .collect(),
            benchmark: Benchmark {
                total_return_percent: held(Stat::TotalReturn),
                max_drawdown_percent: held(Stat::MaxDrawdown),
                sharpe_ratio: held(Stat::SharpeRatio),
                excess_return_percent: excess.map(|(run, held)| run - held),
                tracking_error_percent: finite(self.versus.tracking_error * 100.0),
                information_ratio: finite(self.versus.information_ratio),
                correlation: finite(self.versus.correlation),
            },
        }
    }

    fn months(&self, run: &Run<'_>) -> Vec<MonthlyReturn> {
        monthly_returns(run.bars.timestamp, &self.equity, run.init_cash)
    }
}

/// What the template is given.
#[derive(Serialize)]
struct Page<'a> {
    title: &'a str,
    subtitle: String,
    tiles: Vec<Tile>,
    charts: Vec<Chart>,
    years: Vec<Year>,
    drawdowns: Vec<[String; 5]>,
    statistics: Vec<[String; 3]>,
    version: &'static str,
    command: &'a str,
}

#[derive(Serialize)]
struct Tile {
    name: &'static str,
    value: String,
    below: String,
}

#[derive(Serialize)]
struct Year {
    year: i16,
    months: Vec<Option<Cell>>,
    total: Cell,
}

#[derive(Serialize)]
struct Cell {
    text: String,
    class: &'static str,
    /// Strength of the colour, 0 to 100.
    strength: u8,
}

impl Cell {
    fn new(share: f64) -> Self {
        let percent = share * 100.0;
        let class = if percent < 0.0 { "loss" } else { "gain" };
        // Ten percent a month is as strong as it gets.
        let strength = (percent.abs() * 7.0).clamp(0.0, 70.0) as u8;
        Self { text: format!("{percent:.1}"), class, strength }
    }
}

/// The page of a run called `title`, made with `options` by `command`.
pub(crate) fn html(
    [title, options, command]: [&str; 3],
    run: &Run<'_>,
    statistics: &Statistics,
    detail: &Detail,
) -> Result<String> {
    let page = Page {
        title,
        subtitle: format!("{options}{}", chart::span(run.bars.timestamp)),
        tiles: tiles(statistics, detail),
        charts: charts(run, detail),
        years: years(&detail.months(run)),
        drawdowns: deepest(run, detail),
        statistics: rows(statistics, detail),
        version: env!("CARGO_PKG_VERSION"),
        command,
    };
    let mut environment = minijinja::Environment::new();
    environment.add_template("chart.svg", chart::TEMPLATE)?;
    environment.add_template("backtest.html", include_str!("backtest.html"))?;
    let template = environment.get_template("backtest.html")?;
    template.render(Serde(page)).context("the page could not be made")
}

fn tiles(statistics: &Statistics, detail: &Detail) -> Vec<Tile> {
    let held = &detail.held_statistics;
    let text = |of: &Statistics, stat, digits: usize, unit: &str| {
        of.get(stat).map_or_else(|| "-".to_owned(), |value| format!("{value:.digits$}{unit}"))
    };
    let beside = |name, stat, digits, unit: &str| Tile {
        name,
        value: text(statistics, stat, digits, unit),
        below: format!("held: {}", text(held, stat, digits, unit)),
    };
    vec![
        beside("Total return", Stat::TotalReturn, 2, " %"),
        beside("Sharpe ratio", Stat::SharpeRatio, 2, ""),
        beside("Max drawdown", Stat::MaxDrawdown, 2, " %"),
        Tile {
            name: "Trades",
            value: text(statistics, Stat::TotalTrades, 0, ""),
            below: format!("{} won", text(statistics, Stat::WinRate, 1, " %")),
        },
        Tile {
            name: "Profit factor",
            value: text(statistics, Stat::ProfitFactor, 2, ""),
            below: format!("fees paid: {}", text(statistics, Stat::TotalFeesPaid, 2, "")),
        },
    ]
}

fn charts(run: &Run<'_>, detail: &Detail) -> Vec<Chart> {
    let line = |class, name, values| Series { class, name, values, is_area: false };
    let picture = |title, height, series, label| {
        let timestamps = run.bars.timestamp;
        Drawing { title, note: String::new(), height, timestamps, series, orders: &[], label }
    };
    let equity =
        [line("held", "buy and hold", &detail.held), line("run", "strategy", &detail.equity)];
    let [fallen, held_fallen] = [&detail.equity, &detail.held].map(|equity| below_peak(equity));
    let area = Series { class: "area", name: "strategy", values: &fallen, is_area: true };
    let drawdown = [area, line("held", "buy and hold", &held_fallen)];
    let days = detail.bars_per_year / 365.0;
    let bars = run.bars.len();
    let window = ((ROLLING_DAYS * days) as usize).clamp(2, (bars / 4).max(2)).min(bars.max(2));
    let mut sharpe = vec![f64::NAN; bars];
    rolling_sharpe(&detail.returns, window, detail.bars_per_year, &mut sharpe);
    let rolling = [line("run", "strategy", &sharpe)];
    let price = [line("price", "close", run.bars.close)];
    let orders = marks(run);
    let traded = run.fills.iter().filter(|fill| !fill.is_charge()).count();
    let mut note = String::new();
    if orders.len() < traded {
        note = format!("{} of {} orders", grouped(orders.len()), grouped(traded));
    }
    let mut charts = vec![
        picture("Equity", 300.0, &equity, short).chart(),
        picture("Drawdown", 180.0, &drawdown, percent).chart(),
        Drawing { note, orders: &orders, ..picture("Price and orders", 300.0, &price, short) }
            .chart(),
    ];
    if sharpe.iter().any(|value| value.is_finite()) {
        let note = format!("last {:.0} days", window as f64 / days);
        charts.push(
            Drawing { note, ..picture("Rolling Sharpe ratio", 180.0, &rolling, short) }.chart(),
        );
    }
    charts
}

/// A share below 0 at every bar.
fn below_peak(equity: &[f64]) -> Vec<f64> {
    let mut peak = f64::NEG_INFINITY;
    let fall = |&value: &f64| {
        peak = peak.max(value);
        (value - peak) / peak
    };
    equity.iter().map(fall).collect()
}

/// Orders to mark, evenly thinned in pairs where there are too many: trades stay whole.
fn marks(run: &Run<'_>) -> Vec<(usize, f64, bool)> {
    let orders: Vec<_> = run.fills.iter().filter(|fill| !fill.is_charge()).collect();
    let every = orders.len().div_ceil(MOST_MARKS).max(1);
    let is_buy = |side| matches!(side, backtest::engine::Side::Buy);
    orders
        .chunks(2)
        .step_by(every)
        .flatten()
        .map(|fill| (fill.order.bar, fill.order.price, is_buy(fill.order.side)))
        .collect()
}

fn percent(value: f64, step: f64) -> String {
    format!("{} %", short(value * 100.0, step * 100.0))
}

fn years(months: &[MonthlyReturn]) -> Vec<Year> {
    let of_year = |months: &[MonthlyReturn]| {
        let mut cells: Vec<Option<Cell>> = (0..12).map(|_| None).collect();
        for month in months {
            cells[month.month as usize - 1] = Some(Cell::new(month.return_share));
        }
        let growth: f64 = months.iter().map(|month| 1.0 + month.return_share).product();
        Year { year: months[0].year, months: cells, total: Cell::new(growth - 1.0) }
    };
    months.chunk_by(|a, b| a.year == b.year).map(of_year).collect()
}

fn deepest(run: &Run<'_>, detail: &Detail) -> Vec<[String; 5]> {
    let mut deepest: Vec<&Drawdown> = detail.drawdowns.iter().collect();
    deepest.sort_by(|a, b| a.depth().total_cmp(&b.depth()));
    let time = |bar: usize| values::time(run.bars.timestamp[bar]);
    let row = |drawdown: &&Drawdown| {
        let end = if drawdown.is_recovered { time(drawdown.end_bar) } else { "open".to_owned() };
        let seconds = drawdown.bars() as f64 * run.freq_ns as f64 / 1e9;
        [
            format!("{:.2} %", drawdown.depth() * 100.0),
            time(drawdown.peak_bar),
            time(drawdown.trough_bar),
            end,
            stats::duration(seconds),
        ]
    };
    deepest.iter().take(DEEPEST).map(row).collect()
}

/// Name, the run's value, the benchmark's.
fn rows(statistics: &Statistics, detail: &Detail) -> Vec<[String; 3]> {
    let text = |of: &Statistics, stat| {
        of.get(stat).map_or_else(|| "-".to_owned(), |value| stats::cell(stat, value))
    };
    let row = |stat: Stat| {
        let held = text(&detail.held_statistics, stat);
        [stat.title().to_owned(), text(statistics, stat), held]
    };
    let mut rows: Vec<_> = StatSet::all().iter().map(row).collect();
    let ulcer = [&detail.equity, &detail.held].map(|equity| format!("{:.6}", ulcer_index(equity)));
    let [of_run, of_held] = ulcer;
    rows.push(["Ulcer Index [%]".to_owned(), of_run, of_held]);
    let Versus { tracking_error, information_ratio, correlation } = detail.versus;
    for (name, value) in [
        ("Tracking Error [%]", tracking_error * 100.0),
        ("Information Ratio", information_ratio),
        ("Correlation with Benchmark", correlation),
    ] {
        let value = if value.is_finite() { format!("{value:.6}") } else { "-".to_owned() };
        rows.push([name.to_owned(), value, String::new()]);
    }
    rows
}
