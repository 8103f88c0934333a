//! `redline backtest`: one strategy, or the user's own signals, over bars.

use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::Instant;

use anyhow::{Context, Result, bail};
use backtest::engine;
use backtest::statistics::{Run, StatSet, Statistics};
use backtest::strategy::{self, EntryExit, FeatureColumns, Last, Lookahead, Strategy};
use backtest::{Config, Mask, Signals};
use clap::Args;
use market_data::BarsView;
use market_data::table::{Column, Table};
use serde::Serialize;

use crate::cli::{Global, Json};
use crate::data::{Input, elapsed_ns};
use crate::options::OrderOptions;
use crate::report::{self, Beyond, Detail};
use crate::{document, stats, strategies, tables, values};

const EXAMPLES: &str = "\
Examples:
  redline backtest --data year.parquet --strategy ma-cross --param fast=20 --param slow=50
  redline backtest --data year.parquet --strategy rsi-reversion --fees 0.001 --sl-stop 0.02 --json -
  redline backtest --data year.parquet --strategy mine.toml --param window=30
  redline backtest --data year.parquet --strategy mine.toml --check-lookahead
  redline backtest --data year.parquet --strategy macd --fees 0.001 --report macd.html
  redline backtest --data year.csv.gz --signals signals.parquet --trades-out trades.parquet

A signals file has a row per bar and boolean columns 'entry' and 'exit', and where wanted
'short_entry' and 'short_exit', which then replace --direction.";

#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct BacktestArgs {
    #[command(flatten)]
    input: Input,
    #[arg(long, help = strategies::HELP, value_name = "NAME|FILE.toml", required_unless_present = "signals")]
    strategy: Option<String>,
    /// A parameter of the strategy, such as fast=20; may be repeated
    #[arg(long, value_name = "NAME=VALUE", value_parser = values::assignment)]
    param: Vec<(String, String)>,
    /// Your own signals instead of a strategy's
    #[arg(long, value_name = "FILE", conflicts_with_all = ["strategy", "param"])]
    signals: Option<PathBuf>,
    /// Compute the signals anew on data cut at this many places, and stop where one has changed
    #[arg(
        long,
        value_name = "CUTS",
        num_args = 0..=1,
        require_equals = true,
        default_missing_value = "40",
        conflicts_with = "signals"
    )]
    check_lookahead: Option<usize>,
    #[command(flatten)]
    orders: OrderOptions,
    /// Write the filled orders as Parquet
    #[arg(long, value_name = "FILE")]
    orders_out: Option<PathBuf>,
    /// Write the trades as Parquet
    #[arg(long, value_name = "FILE")]
    trades_out: Option<PathBuf>,
    /// Write equity and returns per bar as Parquet
    #[arg(long, value_name = "FILE")]
    equity_out: Option<PathBuf>,
    /// Write the drawdowns as Parquet
    #[arg(long, value_name = "FILE")]
    drawdowns_out: Option<PathBuf>,
    /// Write a page with curves, months, drawdowns and statistics, which needs no other file
    #[arg(long, value_name = "FILE.html")]
    report: Option<PathBuf>,
    #[command(flatten)]
    json: Json,
}

/// The `redline.backtest/1` document.
#[derive(Serialize)]
struct Document {
    bars: usize,
    elapsed_ns: Elapsed,
    orders: usize,
    stats: stats::Document,
    /// What VectorBT has not.
    beyond: Option<Beyond>,
}

#[derive(Default, Serialize)]
struct Elapsed {
    load: u64,
    features: u64,
    signals: u64,
    simulate: u64,
    statistics: u64,
}

impl BacktestArgs {
    fn title(&self) -> String {
        let data = self.input.data.file_name().unwrap_or_default().to_string_lossy();
        let rule = match (&self.strategy, &self.signals) {
            (Some(name), _) => name.clone(),
            (None, Some(path)) => path.display().to_string(),
            (None, None) => String::new(),
        };
        format!("{rule} on {data}")
    }

    /// The parameters that were given, for the page's head.
    fn options(&self) -> String {
        self.param.iter().map(|(name, value)| format!("{name} = {value}, ")).collect()
    }
}

pub(crate) fn run(args: &BacktestArgs, global: &Global) -> Result<ExitCode> {
    let config = args.orders.config();
    let loaded = args.input.load()?;
    let mut elapsed = Elapsed { load: loaded.load_ns, ..Elapsed::default() };
    let closes = backtest::fill_close(&loaded.bars.close);
    let bars = loaded.bars.view();
    let signals = match (&args.strategy, &args.signals) {
        (Some(name), _) => {
            let strategy = &*strategies::choose(name)?;
            let values = strategy::resolve_values(strategy, &values::numbers(&args.param)?)?;
            if let Some(cuts) = args.check_lookahead
                && let Some(found) = strategy::lookahead(strategy, &values, bars, cuts, SEED)?
            {
                return Ok(looks_ahead(strategy.name(), &found, &bars));
            }
            strategy_signals(strategy, &values, &bars, &config, &mut elapsed)?
        }
        (None, Some(path)) => read_signals(path, &bars, &config)?,
        (None, None) => bail!("give --strategy NAME or --signals FILE"),
    };
    backtest::check(&bars, &signals, &config)?;

    let started = Instant::now();
    let mut fills = Vec::new();
    engine::simulate(&bars, &signals, &config, &mut fills)?;
    elapsed.simulate = elapsed_ns(started);

    let started = Instant::now();
    let valued = BarsView { close: &closes, ..bars };
    let run = Run {
        bars: valued,
        fills: &fills,
        init_cash: config.init_cash,
        freq_ns: loaded.freq_ns,
        returns: None,
    };
    let statistics = run.statistics(StatSet::all());
    elapsed.statistics = elapsed_ns(started);

    let json = args.json.json.as_deref();
    let wants_detail = json.is_some() || args.report.is_some() || args.drawdowns_out.is_some();
    let detail = wants_detail.then(|| Detail::new(&run));
    write_records(args, &run, &statistics, detail.as_ref())?;
    if global.prints(json) {
        print_summary(&statistics, &elapsed, bars.len());
    }
    let stats = stats::Document::new(&statistics, StatSet::all());
    let body = Document {
        bars: bars.len(),
        elapsed_ns: elapsed,
        orders: fills.len(),
        stats,
        beyond: detail.map(|detail| detail.beyond(&run, &statistics)),
    };
    document::write(json, "backtest", &body)?;
    Ok(ExitCode::SUCCESS)
}

/// Where the look-ahead check cuts.
const SEED: u64 = 1;

/// Says what looked ahead; the verdict is bad.
fn looks_ahead(strategy: &str, found: &Lookahead, bars: &BarsView<'_>) -> ExitCode {
    let Lookahead { bar, what, cut } = found;
    eprintln!(
        "redline: {strategy} looks ahead: with data up to row {cut} only, {what} is another at \
         row {} ({})",
        bar + 1,
        values::time(bars.timestamp[*bar]),
    );
    ExitCode::from(1)
}

fn strategy_signals(
    strategy: &dyn Strategy,
    values: &[f64],
    bars: &BarsView<'_>,
    config: &Config<'_>,
    elapsed: &mut Elapsed,
) -> Result<Signals> {
    let started = Instant::now();
    let features = strategy.features(values);
    let columns = FeatureColumns::compute(*bars, features.iter().cloned())?;
    elapsed.features = elapsed_ns(started);
    let started = Instant::now();
    let columns: Vec<&[f64]> = features.iter().map(|feature| columns.get(feature)).collect();
    let mut masks = EntryExit::default();
    let mut memory = vec![Last::default(); strategy.crossings()];
    strategy.signals(&columns, values, &mut memory, &mut masks);
    let signals = Signals::of(masks, config.direction);
    elapsed.signals = elapsed_ns(started);
    Ok(signals)
}

fn read_signals(path: &Path, bars: &BarsView<'_>, config: &Config<'_>) -> Result<Signals> {
    let table = Table::read(path)?;
    let mask = |name: &str| -> Result<Option<Mask>> {
        let Some(column) = table.column(name) else { return Ok(None) };
        let Column::Bool(bits) = column else {
            bail!("{}: column '{name}' must be boolean", path.display());
        };
        if bits.len() != bars.len() {
            bail!(
                "{}: column '{name}' has {} rows, the data has {}: one row per bar",
                path.display(),
                bits.len(),
                bars.len()
            );
        }
        Ok(Some(Mask::from_bools(bits)))
    };
    let needed = |name: &str| {
        mask(name)?.with_context(|| {
            let has: Vec<&str> = table.names().collect();
            format!("{}: no boolean column '{name}'; it has: {}", path.display(), has.join(", "))
        })
    };
    let (entry, exit) = (needed("entry")?, needed("exit")?);
    let (short_entry, short_exit) = (mask("short_entry")?, mask("short_exit")?);
    if short_entry.is_none() && short_exit.is_none() {
        return Ok(Signals::new(entry, exit, config.direction));
    }
    Ok(Signals {
        long_entry: entry,
        long_exit: exit,
        short_entry: short_entry.unwrap_or_default(),
        short_exit: short_exit.unwrap_or_default(),
    })
}

fn write_records(
    args: &BacktestArgs,
    run: &Run<'_>,
    statistics: &Statistics,
    detail: Option<&Detail>,
) -> Result<()> {
    if let Some(path) = &args.orders_out {
        tables::orders(run).write(path)?;
    }
    if let Some(path) = &args.trades_out {
        tables::trades(run).write(path)?;
    }
    if let Some(path) = &args.equity_out {
        tables::equity(run).write(path)?;
    }
    let Some(detail) = detail else { return Ok(()) };
    if let Some(path) = &args.drawdowns_out {
        tables::drawdowns(run, &detail.drawdowns).write(path)?;
    }
    if let Some(path) = &args.report {
        let page = report::html(
            [&args.title(), &args.options(), &std::env::args().collect::<Vec<_>>().join(" ")],
            run,
            statistics,
            detail,
        )?;
        document::write_text(path, &page)?;
    }
    Ok(())
}

fn print_summary(statistics: &Statistics, elapsed: &Elapsed, bars: usize) {
    print!("{}", stats::table(statistics, StatSet::all()));
    let total = elapsed.features + elapsed.signals + elapsed.simulate + elapsed.statistics;
    println!(
        "\n{bars} bars: load {:.3} ms, features {:.3} ms, signals {:.3} ms, simulate {:.3} ms, \
         statistics {:.3} ms; {:.0} M bars/s without load",
        ms(elapsed.load),
        ms(elapsed.features),
        ms(elapsed.signals),
        ms(elapsed.simulate),
        ms(elapsed.statistics),
        bars as f64 / total as f64 * 1e3,
    );
}

fn ms(ns: u64) -> f64 {
    ns as f64 / 1e6
}
