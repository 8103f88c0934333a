//! Several assets: one cash for all, or an account each.

use std::process::ExitCode;
use std::time::Instant;

use anyhow::{Result, bail};
use backtest::engine::{Asset, Fill, GroupFill, simulate_columns, simulate_group};
use backtest::statistics::{GroupRun, Run, Stat, StatSet};
use backtest::{Config, Signals};
use market_data::BarsView;
use market_data::table::Table;
use serde::Serialize;

use super::{BacktestArgs, Document, Elapsed, print_summary};
use crate::cli::Global;
use crate::data::{Loaded, elapsed_ns};
use crate::{document, source, stats, tables, values};

/// What the document says of one asset.
#[derive(Serialize)]
pub(super) struct AssetDocument {
    name: String,
    orders: usize,
    stats: stats::Document,
}

/// What an asset's trades say by themselves, where its cash is the group's.
const OF_TRADES: StatSet = StatSet::of(&[
    Stat::Start,
    Stat::End,
    Stat::Period,
    Stat::BenchmarkReturn,
    Stat::TotalFeesPaid,
    Stat::TotalTrades,
    Stat::TotalClosedTrades,
    Stat::TotalOpenTrades,
    Stat::OpenTradePnl,
    Stat::WinRate,
    Stat::BestTrade,
    Stat::WorstTrade,
    Stat::AvgWinningTrade,
    Stat::AvgLosingTrade,
    Stat::AvgWinningTradeDuration,
    Stat::AvgLosingTradeDuration,
    Stat::ProfitFactor,
    Stat::Expectancy,
]);

pub(super) fn run(args: &BacktestArgs, loaded: &[Loaded], global: &Global) -> Result<ExitCode> {
    check(args, loaded)?;
    let load = loaded.iter().map(|asset| asset.load_ns).sum();
    let mut elapsed = Elapsed { load, ..Elapsed::default() };
    let closes: Vec<_> =
        loaded.iter().map(|asset| backtest::fill_close(&asset.bars.close)).collect();
    let bars: Vec<BarsView<'_>> = loaded.iter().map(|asset| asset.bars.view()).collect();
    let configs: Vec<Config<'_>> = bars.iter().map(|bars| args.orders.config(bars)).collect();
    let signals = signals(args, &bars, &mut elapsed)?;
    let parts = bars.iter().zip(&signals).zip(&configs);
    let assets: Vec<Asset<'_>> =
        parts.map(|((&bars, signals), &config)| Asset { bars, signals, config }).collect();
    for Asset { bars, signals, config } in &assets {
        backtest::check(bars, signals, config)?;
    }
    let started = Instant::now();
    let fills = simulate(args, &assets)?;
    elapsed.simulate = elapsed_ns(started);

    let started = Instant::now();
    let valued: Vec<BarsView<'_>> =
        bars.iter().zip(&closes).map(|(&bars, close)| BarsView { close, ..bars }).collect();
    let init_cash = configs[0].init_cash;
    let accounts = if args.cash_sharing { 1 } else { assets.len() };
    let group = GroupRun {
        bars: &valued,
        fills: &fills,
        init_cash: init_cash * accounts as f64,
        shares_cash: args.cash_sharing,
        freq_ns: loaded[0].freq_ns,
    };
    let wanted = args.wanted();
    let statistics = group.statistics(wanted);
    elapsed.statistics = elapsed_ns(started);

    let each: Vec<Vec<Fill>> = (0..assets.len()).map(|asset| group.fills_of(asset)).collect();
    let run_of = |asset: usize| Run {
        bars: valued[asset],
        fills: &each[asset],
        init_cash,
        freq_ns: group.freq_ns,
        returns: None,
    };
    let runs: Vec<Run<'_>> = (0..assets.len()).map(run_of).collect();
    write_records(args, loaded, &group, &runs)?;
    let json = args.json.json.as_deref();
    if global.prints(json) {
        print_summary(&statistics, wanted, &elapsed, bars[0].len());
    }
    let orders = |fills: &[Fill]| fills.iter().filter(|fill| !fill.is_charge()).count();
    let set = if args.cash_sharing { OF_TRADES } else { StatSet::all() };
    let document = |(asset, run): (&Loaded, &Run<'_>)| AssetDocument {
        name: asset.name.clone(),
        orders: orders(run.fills),
        stats: stats::Document::new(&run.statistics(set), set),
    };
    let body = Document {
        bars: bars[0].len(),
        elapsed_ns: elapsed,
        orders: each.iter().map(|fills| orders(fills)).sum(),
        stats: stats::Document::new(&statistics, wanted),
        assets: loaded.iter().zip(&runs).map(document).collect(),
        beyond: None,
    };
    document::write(json, "backtest", &body)?;
    Ok(ExitCode::SUCCESS)
}

/// What several assets cannot have, and what they must have in common.
fn check(args: &BacktestArgs, loaded: &[Loaded]) -> Result<()> {
    for (option, is_given) in [
        ("--orders", args.orders_in.is_some()),
        ("--per-bar", args.per_bar.is_some()),
        ("--check-lookahead", args.check_lookahead.is_some()),
        ("--report", args.report.is_some()),
        ("--repeat", args.repeat.get() > 1),
        ("--drawdowns-out", args.drawdowns_out.is_some()),
    ] {
        if is_given {
            bail!("{option} is for one asset: give --data once");
        }
    }
    if args.strategy.is_none() && args.signals.len() != loaded.len() {
        let (signals, data) = (args.signals.len(), loaded.len());
        bail!("{signals} --signals for {data} --data: give one for each, in the same order");
    }
    let first = &loaded[0];
    for asset in &loaded[1..] {
        if loaded.iter().filter(|other| other.name == asset.name).count() > 1 {
            bail!("two files are called '{}': rename one, records bear the names", asset.name);
        }
        let (a, b) = (&first.bars.timestamp, &asset.bars.timestamp);
        if a == b {
            continue;
        }
        let (name, other) = (&asset.name, &first.name);
        match a.iter().zip(b).position(|(a, b)| a != b) {
            Some(row) => bail!(
                "row {} is {} in '{name}' and {} in '{other}': assets need the same timestamps",
                row + 1,
                values::time(b[row]),
                values::time(a[row]),
            ),
            None => bail!(
                "'{name}' has {} bars and '{other}' {}: assets need the same timestamps",
                b.len(),
                a.len()
            ),
        }
    }
    Ok(())
}

fn signals(
    args: &BacktestArgs,
    bars: &[BarsView<'_>],
    elapsed: &mut Elapsed,
) -> Result<Vec<Signals>> {
    let mut all = Vec::new();
    for (asset, bars) in bars.iter().enumerate() {
        let mut took = source::Took::default();
        let masks = args.masks(asset, bars, &mut took)?;
        elapsed.features += took.features_ns;
        elapsed.signals += took.signals_ns;
        all.push(Signals::of(masks, args.orders.direction()));
    }
    Ok(all)
}

/// Fills in time order.
fn simulate(args: &BacktestArgs, assets: &[Asset<'_>]) -> Result<Vec<GroupFill>> {
    let mut fills = Vec::new();
    if args.cash_sharing {
        simulate_group(assets, assets[0].config.init_cash, args.call_seq, &mut fills)?;
        return Ok(fills);
    }
    for (asset, column) in simulate_columns(assets)?.into_iter().enumerate() {
        fills.extend(column.into_iter().map(|fill| GroupFill { asset, fill }));
    }
    fills.sort_by_key(|fill| fill.fill.order.bar);
    Ok(fills)
}

fn write_records(
    args: &BacktestArgs,
    loaded: &[Loaded],
    group: &GroupRun<'_>,
    runs: &[Run<'_>],
) -> Result<()> {
    let times = group.bars[0].timestamp;
    let names: Vec<&str> = loaded.iter().map(|asset| asset.name.as_str()).collect();
    let below = |table: &dyn Fn(&Run<'_>) -> Table| {
        tables::of_assets(&names, runs.iter().map(table).collect())
    };
    if let Some(path) = &args.orders_out {
        below(&|run| tables::orders(times, run.fills)).write(path)?;
    }
    for (path, trades) in args.trade_files() {
        below(&|run| tables::trades(times, &trades(run))).write(path)?;
    }
    if let Some(path) = &args.equity_out {
        tables::equity(times, group.course(), group.init_cash).write(path)?;
    }
    Ok(())
}
